"""How the endpoints take a request: who asks, photos as files or ids, and whether the answer is a picture, JSON or a
job."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, TypeAlias, cast

from fastapi import Depends, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import JSONResponse

from masque.errors import MasqueError
from masque.jsonfile import JSON
from masque.studio.decoder import DecoderBusyError, TooManyBytesError
from masque.studio.door import TooManyTries, WrongPassword
from masque.studio.messages import CANCELLED, NotHeldError, TooBusyError, WorkError
from masque.studio.queue import Job
from masque.studio.state import Client, Studio
from masque.studio.store import Item

CLIENT = re.compile(r"[A-Za-z0-9_-]{1,64}")
LOOPBACK = ("127.0.0.1", "::1", "localhost")

PhotoField: TypeAlias = Annotated[
    UploadFile | str, File(description="A picture's file, or the id of a photo or result that is held.")
]
MaybePhoto: TypeAlias = Annotated[
    UploadFile | str | None, File(description="A picture's file, or the id of a photo or result that is held.")
]
PhotoFields: TypeAlias = Annotated[
    list[UploadFile | str], File(description="Pictures' files, or ids of photos or results that are held.")
]
Pick: TypeAlias = Annotated[
    int | None, Form(description="Which of several faces, by its number; the largest if not given.")
]
Attributes: TypeAlias = Annotated[
    str, Form(description='A JSON object of attributes, such as {"Smiling": 1, "Hair": "#8a2be2"}.')
]


def studio_of(request: Request) -> Studio:
    """The Studio that runs."""
    return cast(Studio, request.app.state.studio)


def client_of(request: Request) -> Client:
    """Who asks: by the header X-Masque-Client, and from another machine by its address too."""
    given = request.headers.get("x-masque-client", "")
    name = given if CLIENT.fullmatch(given) else "default"
    address = request.client.host if request.client else "?"
    if address in LOOPBACK:
        return Client(name, name)
    return Client(f"{address} {name}", address)


TheStudio: TypeAlias = Annotated[Studio, Depends(studio_of)]
TheClient: TypeAlias = Annotated[Client, Depends(client_of)]


class Asked:
    """A request for an edit."""

    def __init__(
        self,
        request: Request,
        studio: TheStudio,
        client: TheClient,
        job: Annotated[bool, Query(description="Answer at once, with a job to ask for.")] = False,
    ) -> None:
        self.request, self.studio, self.client, self.as_job = request, studio, client, job

    async def edit(
        self,
        verb: str,
        photos: Mapping[str, UploadFile | str | Sequence[UploadFile | str] | None],
        options: Mapping[str, JSON] = {},
        files: Mapping[str, bytes] = {},
    ) -> Response:
        """Have an edit done, and answer in the way that was asked for.

        photos: by the field's name. options, files: all else, by name; what is None was not given."""
        inputs = {
            field: tuple([await self._photo(field, one) for one in _several(given)])
            for field, given in photos.items()
            if given is not None and given != ""
        }
        given = {name: value for name, value in options.items() if value is not None}
        job = self.studio.submit(self.client, verb, inputs, given, files)
        if self.as_job:
            return JSONResponse(job_as_json(self.studio, job), 202)
        await self._over(job)
        if job.error is not None:
            raise job.error
        assert job.result is not None
        item = self.studio.store.get(self.client.owner, job.result)
        if "application/json" in self.request.headers.get("accept", ""):
            return JSONResponse(item.about)
        return await self._picture(item)

    async def _photo(self, field: str, given: UploadFile | str) -> str:
        """The id of a photo that was given as a file or an id. What is wrong with it is said of the field."""
        try:
            if isinstance(given, str):
                return self.studio.held(self.client, given).id
            content = await given.read()
            return (await self.studio.take_photo(self.client, given.filename or "the photo", content)).id
        except (TooBusyError, DecoderBusyError, TooManyBytesError, WorkError):
            raise
        except MasqueError as error:
            raise WorkError(str(error), type(error).__name__, field) from None

    async def _over(self, job: Job) -> None:
        """Wait until a job is over; one that nobody waits for any more is cancelled."""
        waiting = asyncio.ensure_future(job.over_with())
        try:
            while not (await asyncio.wait([waiting], timeout=0.5))[0]:
                if await self.request.is_disconnected():
                    self.studio.queue_of(job).cancel(job)
        finally:
            waiting.cancel()

    async def _picture(self, item: Item) -> Response:
        headers = {"X-Masque-Result": item.id}
        if item.film:
            return Response(item.film, media_type="video/mp4", headers=headers)
        if not item.body:
            self.studio.store.drop(item.id)  # seen, and never asked for again
            return Response(item.preview, media_type="image/jpeg", headers=headers)
        made = await self.studio.ask(self.client, "picture", {"photo": (item.id,)})
        return Response(made.body, media_type=str(made.about["type"]), headers=headers)


TheEdit: TypeAlias = Annotated[Asked, Depends(Asked)]


def _several(given: UploadFile | str | Sequence[UploadFile | str]) -> Sequence[UploadFile | str]:
    return [given] if isinstance(given, str) or not isinstance(given, Sequence) else given


def attributes_of(text: str) -> dict[str, JSON]:
    """The attributes in a field, by name. Raises WorkError for what is no JSON object."""
    values = _json(text or "{}")
    if not isinstance(values, dict):
        raise WorkError('attributes is a JSON object, such as {"Smiling": 1}.', "ValueRangeError", "attributes")
    return values


def list_of(name: str, text: str | None) -> list[JSON] | None:
    """The list in a field that holds JSON; None where it was not given. Raises WorkError for what is none."""
    if not text:
        return None
    values = _json(text)
    if not isinstance(values, list):
        raise WorkError(f"{name} is a JSON list, such as [0.5, 0.5].", "ValueRangeError", name)
    return values


def _json(text: str) -> object:
    """The value that a text of JSON says; None where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def job_as_json(studio: Studio, job: Job) -> dict[str, JSON]:
    """A job as it is told: see `masque.studio.shapes.Job`."""
    item = studio.store.items.get(job.result) if job.result is not None else None
    return {
        "id": job.id,
        "verb": job.verb,
        "state": job.state,
        "place": studio.queue_of(job).place(job),
        "doing": job.doing,
        "done": job.done,
        "of": job.of,
        "seconds": round(job.seconds, 3),
        "version": job.version,
        "error": None if job.error is None else failure_as_json(job.error),
        "result": None if item is None else item.about,
    }


def failure_as_json(error: MasqueError) -> dict[str, JSON]:
    """A failure as it is told: see `masque.studio.shapes.Failure`."""
    kind, field = type(error).__name__, None
    if isinstance(error, WorkError):
        kind, field = error.kind, error.field
    return {"error": str(error), "kind": kind, "field": field}


def status_of(error: MasqueError) -> int:
    """The HTTP status of a failure."""
    kind = error.kind if isinstance(error, WorkError) else type(error).__name__
    if kind in ("NotHeldError",) or isinstance(error, NotHeldError):
        return 404
    if isinstance(error, TooBusyError | DecoderBusyError | TooManyTries):
        return 429
    if isinstance(error, WrongPassword):
        return 401
    if isinstance(error, TooManyBytesError):
        return 413
    return {CANCELLED: 409, "InternalError": 500, "TimeoutError": 503, "WorkError": 503}.get(kind, 422)
