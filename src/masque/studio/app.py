"""Studio's web application: the page, the API and its documentation, behind a guard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser

from masque.errors import MasqueError, printable
from masque.studio import api_edits, api_jobs, api_photos
from masque.studio.asking import failure_as_json, status_of
from masque.studio.door import TooManyTries
from masque.studio.limits import LARGEST_FILE
from masque.studio.state import Studio
from masque.version import __version__

STATIC = Path(__file__).with_name("static")

ABOUT = """The editing commands of Masque over HTTP, on this machine. Photos are held in memory alone and
forgotten after an hour.

Every request needs `Authorization: Bearer TOKEN`, with the token of the link that `masque studio` prints. A field for a
photo takes a file, or the id of a photo or result that is held. An edit is answered by its picture; with
`Accept: application/json` by what is known of it; with `?job=true` by a job at once."""

REFUSED = {404: "There is nothing at this address: see /docs.", 405: "This address takes no such request: see /docs."}
"""What is said of a request that no endpoint takes, by status."""


def make_app(studio: Studio) -> FastAPI:
    """The application around a Studio, not guarded yet."""
    # What is larger than this goes into temporary files: photos never do.
    MultiPartParser.spool_max_size = LARGEST_FILE + (1 << 20)

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        await studio.start()
        try:
            yield
        finally:
            await studio.stop()

    app = FastAPI(
        title="Masque Studio", version=__version__, description=ABOUT, lifespan=running, docs_url=None, redoc_url=None
    )
    app.state.studio = studio
    for router, tag in ((api_edits.router, "edits"), (api_photos.router, "photos"), (api_jobs.router, "jobs")):
        app.include_router(router, prefix="/api", tags=[tag])
    app.add_exception_handler(MasqueError, _failed)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _refused)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.mount("/docs/files", StaticFiles(packages=[("fastapi_offline", "static")]), name="docs")

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    @app.get("/docs", include_in_schema=False)
    async def documentation() -> FileResponse:
        return FileResponse(STATIC / "docs.html")

    return app


async def _failed(_: Request, error: Exception) -> Response:
    assert isinstance(error, MasqueError)
    status = status_of(error)
    seconds = error.seconds if isinstance(error, TooManyTries) else 2
    headers = {"Retry-After": str(seconds)} if status == 429 else {}
    return JSONResponse(failure_as_json(error), status, headers)


async def _not_valid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    field = printable(first["loc"][-1]) if first.get("loc") else "the request"
    message = str(first.get("msg", "it is not as it should be"))
    sentence = (
        f"{field} is missing: give it."
        if first.get("type") == "missing"
        else f"{field} cannot be used: {message[:1].lower()}{printable(message[1:], 200)}."
    )
    return JSONResponse({"error": sentence, "kind": "ValueRangeError", "field": field}, 422)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentence = REFUSED.get(error.status_code, "This request cannot be understood: see /docs.")
    return JSONResponse({"error": sentence, "kind": "RequestError", "field": None}, error.status_code)
