"""The API's photos and results: sent, looked at, given back as files, forgotten."""

from __future__ import annotations

from io import BytesIO
from typing import Annotated, Any, Literal, TypeAlias

from fastapi import APIRouter, File, Query, Response, UploadFile
from PIL import Image

from masque.jsonfile import JSON
from masque.studio import shapes
from masque.studio.asking import TheClient, TheStudio
from masque.studio.examples import EXAMPLES, Example
from masque.studio.messages import NotHeldError

router = APIRouter()

PREVIEW = 1600
"""Longer side in pixels of the preview that is held of everything."""

Longest = Annotated[
    int | None, Query(ge=16, le=16_384, description="A JPEG whose longer side has so many pixels at most.")
]
Answers: TypeAlias = dict[int | str, dict[str, Any]]

PICTURE: Answers = {200: {"content": {"image/png": {}, "image/jpeg": {}, "image/webp": {}}}}
FILM: Answers = {200: {"content": {"video/mp4": {}}}}
LABELS: Answers = {200: {"content": {"application/octet-stream": {}}}}


@router.post("/photos", status_code=201, response_model=shapes.Photo)
async def add_photo(
    studio: TheStudio, client: TheClient, photo: Annotated[UploadFile, File(description="A picture's file.")]
) -> dict[str, JSON]:
    """Send a photo, which is held in memory for an hour after it was last used."""
    return (await studio.take_photo(client, photo.filename or "the photo", await photo.read())).about


@router.get("/photos/{key}", response_model=shapes.Photo)
async def photo_of(studio: TheStudio, client: TheClient, key: str) -> dict[str, JSON]:
    """What is known of a photo, or of a result as a photo."""
    item = studio.store.get(client.owner, key)
    if item.kind == "result" and "note" not in item.about:
        studio.held(client, key)
        item.about |= (await studio.ask(client, "look", {"photo": (key,)})).about
    return item.about


@router.get("/photos/{key}/picture", responses=PICTURE, response_class=Response)
async def picture_of_photo(studio: TheStudio, client: TheClient, key: str, longest: Longest = None) -> Response:
    """A photo as it was decoded: upright, in sRGB."""
    item = studio.held(client, key)
    if longest is not None and longest >= PREVIEW:
        return Response(item.preview, media_type="image/jpeg")
    made = await studio.ask(client, "picture", {"photo": (key,)}, {} if longest is None else {"longest": longest})
    return Response(made.body, media_type=str(made.about["type"]))


@router.post("/photos/{key}/read", response_model=shapes.Reading)
async def read_photo(
    studio: TheStudio,
    client: TheClient,
    key: str,
    pick: Annotated[int | None, Query(description="Which of several faces.")] = None,
) -> dict[str, JSON]:
    """What a face has: the values at which an edit changes nothing."""
    studio.held(client, key)
    made = await studio.ask(client, "read", {"photo": (key,)}, {} if pick is None else {"pick": pick})
    return dict(made.about)


@router.delete("/photos/{key}", status_code=204)
async def forget_photo(studio: TheStudio, client: TheClient, key: str) -> None:
    """Forget a photo, and the edits of it."""
    studio.store.drop(studio.store.get(client.owner, key).id)


@router.delete("/photos", status_code=204)
async def forget_all(studio: TheStudio, client: TheClient) -> None:
    """Forget all photos and results of this client."""
    studio.store.drop_all(client.owner)


@router.get("/examples", response_model=list[shapes.Example])
async def examples() -> list[dict[str, str | bool]]:
    """Pictures to begin with."""
    return [{"name": one.name, "title": one.title, "by": one.by, "picture": True} for one in EXAMPLES]


@router.get("/examples/{name}/picture", responses=PICTURE, response_class=Response)
async def picture_of_example(
    studio: TheStudio, name: str, longest: Annotated[int, Query(ge=16, le=PREVIEW)] = 160
) -> Response:
    """A small JPEG of an example."""
    small = await studio.decoder.decode(example_of(name).content(), longest)
    file = BytesIO()
    Image.frombytes("RGB", (small.width, small.height), small.pixels).save(file, "JPEG", quality=90)
    return Response(file.getvalue(), media_type="image/jpeg")


@router.post("/examples/{name}", status_code=201, response_model=shapes.Photo)
async def take_example(studio: TheStudio, client: TheClient, name: str) -> dict[str, JSON]:
    """Take one of the examples as a photo."""
    found = example_of(name)
    return (await studio.take_photo(client, found.title, found.content())).about


def example_of(name: str) -> Example:
    """One of the examples. Raises NotHeldError."""
    found = next((one for one in EXAMPLES if one.name == name), None)
    if found is None:
        raise NotHeldError("There is no such example: choose one of the list.")
    return found


@router.get("/results/{key}", response_model=shapes.Result)
async def result_of(studio: TheStudio, client: TheClient, key: str) -> dict[str, JSON]:
    """What is known of a result."""
    return studio.store.get(client.owner, key, "result").about


@router.get("/results/{key}/picture", responses=PICTURE, response_class=Response)
async def picture_of_result(
    studio: TheStudio,
    client: TheClient,
    key: str,
    format: Annotated[Literal["png", "jpg", "webp"], Query(description="The kind of file.")] = "png",
    longest: Longest = None,
    cell: Annotated[int | None, Query(ge=0, description="Which single picture of a sheet, from 0 on.")] = None,
) -> Response:
    """A result at its full size with its record inside; or a JPEG preview of it."""
    item = studio.store.get(client.owner, key, "result")
    if cell is None and longest is not None and (longest >= PREVIEW or not item.body):
        return Response(item.preview, media_type="image/jpeg")
    studio.held(client, key)
    options: dict[str, JSON] = {"format": format}
    options |= {name: value for name, value in (("longest", longest), ("cell", cell)) if value is not None}
    made = await studio.ask(client, "picture", {"photo": (key,)}, options)
    kind = str(made.about["type"])
    name = "labels" if item.about.get("labels") else str(item.about.get("verb", "picture"))
    headers = {"Content-Disposition": f'attachment; filename="masque-{name}.{kind.rsplit("/")[-1]}"'}
    return Response(made.body, media_type=kind, headers=headers)


@router.get("/results/{key}/film", responses=FILM, response_class=Response)
async def film_of_result(studio: TheStudio, client: TheClient, key: str) -> Response:
    """A film with its record inside."""
    item = studio.store.get(client.owner, key, "result")
    if not item.film:
        raise NotHeldError("This result is no film: ask for its picture.")
    headers = {"Content-Disposition": 'attachment; filename="masque-morph.mp4"'}
    return Response(item.film, media_type="video/mp4", headers=headers)


@router.get("/results/{key}/labels", responses=LABELS, response_class=Response)
async def labels_of_result(studio: TheStudio, client: TheClient, key: str) -> Response:
    """The label numbers of a photo that was parsed: one byte a pixel, row by row."""
    studio.held(client, key)
    made = await studio.ask(client, "labels", {"photo": (key,)})
    return Response(made.body, media_type="application/octet-stream", headers={"Content-Encoding": "deflate"})


@router.delete("/results/{key}", status_code=204)
async def forget_result(studio: TheStudio, client: TheClient, key: str) -> None:
    """Forget a result."""
    studio.store.drop(studio.store.get(client.owner, key).id)
