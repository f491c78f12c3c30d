"""The API's edits: one endpoint per editing command, with the command's options as fields."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Response, UploadFile

from masque.studio import shapes
from masque.studio.asking import (
    Attributes,
    MaybePhoto,
    PhotoField,
    PhotoFields,
    Pick,
    TheEdit,
    attributes_of,
    list_of,
)
from masque.studio.messages import PACKED

router = APIRouter()

Part = Annotated[Literal["eyes", "mouth", "skin", "hair", "all"], Form(description="Which part.")]
Steps = Annotated[int, Form(ge=2, le=64, description="How many pictures, both ends included.")]
Count = Annotated[int, Form(ge=1, le=64, description="How many pictures.")]
Seed = Annotated[int, Form(ge=0, lt=10**12, description="The same seed draws the same pictures.")]
Picks = Annotated[str | None, Form(description="A JSON list: which face of each photo, or null for the largest.")]
Size = Annotated[int | None, Form(ge=64, le=2048, description="Side of each picture in pixels.")]
Longest = Annotated[
    int | None,
    Form(ge=64, le=4096, description="For a preview: edit a copy whose longer side has so many pixels at most."),
]

ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture with its record inside; with `Accept: application/json` what is known of it.",
        "content": {"image/png": {}, "application/json": {"schema": shapes.Result.model_json_schema()}},
    },
    202: {"model": shapes.Job, "description": "With `job=true`: the job, to be asked for."},
}


@router.post("/swap", responses=ANSWERS, response_class=Response)
async def swap(
    ask: TheEdit,
    face: PhotoField,
    hair: PhotoField,
    method: Annotated[Literal["own", "network", "warp"], Form(description="As `masque swap --method`.")] = "own",
    expression: Annotated[
        Literal["source", "target"], Form(description="Whose expression: of `own` alone.")
    ] = "source",
    attributes: Attributes = "{}",
    pick_face: Pick = None,
    pick_hair: Pick = None,
) -> Response:
    """Put the face of one photo into another."""
    options = {"method": method, "expression": expression, "pick_face": pick_face, "pick_hair": pick_hair}
    values = attributes_of(attributes)
    return await ask.edit("swap", {"face": face, "hair": hair}, {**options, "attributes": values})


@router.post("/edit", responses=ANSWERS, response_class=Response)
async def edit(
    ask: TheEdit,
    photo: PhotoField,
    attributes: Attributes,
    age: Annotated[float | None, Form(description="How old the person is, in years from 18 on.")] = None,
    pick: Pick = None,
    longest: Longest = None,
) -> Response:
    """Change attributes of a face and its hair."""
    options = {"attributes": attributes_of(attributes), "age": age, "pick": pick, "longest": longest}
    return await ask.edit("edit", {"photo": photo}, options)


@router.post("/turn", responses=ANSWERS, response_class=Response)
async def turn(
    ask: TheEdit,
    photo: PhotoField,
    yaw: Annotated[float | None, Form(description="Degrees to the picture's right, up to 60 either way.")] = None,
    pitch: Annotated[float, Form(description="Degrees to raise the head by, up to 10 either way.")] = 0.0,
    pick: Pick = None,
    longest: Longest = None,
) -> Response:
    """Turn the head."""
    options = {"yaw": yaw, "pitch": pitch, "pick": pick, "longest": longest}
    return await ask.edit("turn", {"photo": photo}, options)


@router.post("/frontalize", responses=ANSWERS, response_class=Response)
async def frontalize(ask: TheEdit, photo: PhotoField, pick: Pick = None) -> Response:
    """Have the person look straight ahead."""
    return await ask.edit("frontalize", {"photo": photo}, {"pick": pick})


@router.post("/parse", responses=ANSWERS, response_class=Response)
async def parse(ask: TheEdit, photo: PhotoField, pick: Pick = None) -> Response:
    """Find the parts of the face: the answer is a label map."""
    return await ask.edit("parse", {"photo": photo}, {"pick": pick})


@router.post("/read-labels", responses=ANSWERS, response_class=Response)
async def read_labels(
    ask: TheEdit,
    photo: PhotoField,
    labels: Annotated[UploadFile, File(description="A label map of the photo, as a painting program saved it.")],
    pick: Pick = None,
) -> Response:
    """Read a label map that was saved: the answer is one of the photo's own size, to be painted on."""
    return await ask.edit("read-labels", {"photo": photo}, {"pick": pick}, await _files(labels))


@router.post("/repaint", responses=ANSWERS, response_class=Response)
async def repaint(
    ask: TheEdit,
    photo: PhotoField,
    labels: Annotated[
        UploadFile | None,
        File(
            description="A label map as `parse` gives it; or as application/x-masque-labels one byte per pixel of the "
            "photo, row by row, packed by zlib."
        ),
    ] = None,
    shape_from: MaybePhoto = None,
    part: Part = "all",
    pick: Pick = None,
    pick_shape_from: Pick = None,
) -> Response:
    """Give the face the shape of a label map, or of another portrait."""
    options = {"part": part, "pick": pick, "pick_shape_from": pick_shape_from}
    photos = {"photo": photo, "shape_from": shape_from}
    return await ask.edit("repaint", photos, options, await _files(labels))


@router.post("/transfer", responses=ANSWERS, response_class=Response)
async def transfer(
    ask: TheEdit,
    photo: PhotoField,
    style_from: PhotoField,
    part: Part = "all",
    pick: Pick = None,
    pick_style_from: Pick = None,
) -> Response:
    """Give a part of the face the style of another portrait's."""
    options = {"part": part, "pick": pick, "pick_style_from": pick_style_from}
    return await ask.edit("transfer", {"photo": photo, "style_from": style_from}, options)


@router.post("/faces-for", responses=ANSWERS, response_class=Response)
async def faces_for(
    ask: TheEdit,
    styles: PhotoFields,
    labels: Annotated[UploadFile | None, File(description="A label map as `parse` gives it.")] = None,
    photo: MaybePhoto = None,
    pick: Pick = None,
    picks: Picks = None,
) -> Response:
    """Paint faces for a label map, or a photo's, each in the style of another portrait."""
    options = {"pick": pick, "picks": list_of("picks", picks)}
    return await ask.edit("faces-for", {"styles": styles, "photo": photo}, options, await _files(labels))


@router.post("/random", responses=ANSWERS, response_class=Response)
async def random(
    ask: TheEdit,
    photo: PhotoField,
    part: Annotated[Literal["face", "hair"], Form(description="What is drawn.")] = "hair",
    count: Count = 8,
    seed: Seed = 0,
    pick: Pick = None,
) -> Response:
    """Give a face random hair, or a hair random faces."""
    return await ask.edit("random", {"photo": photo}, {"part": part, "count": count, "seed": seed, "pick": pick})


@router.post("/blend", responses=ANSWERS, response_class=Response)
async def blend(
    ask: TheEdit,
    a: PhotoField,
    b: PhotoField,
    part: Annotated[Literal["face", "hair", "both"], Form(description="What goes from the one to the other.")] = "both",
    steps: Steps = 8,
    size: Size = None,
    pick_a: Pick = None,
    pick_b: Pick = None,
) -> Response:
    """A strip on which face, hair or both go from one photo's to another's."""
    options = {"part": part, "steps": steps, "size": size, "pick_a": pick_a, "pick_b": pick_b}
    return await ask.edit("blend", {"a": a, "b": b}, options)


@router.post("/synthesize", responses=ANSWERS, response_class=Response)
async def synthesize(
    ask: TheEdit,
    photo: PhotoField,
    count: Count = 16,
    seed: Seed = 0,
    pose_from: MaybePhoto = None,
    expression_from: MaybePhoto = None,
    light_from: MaybePhoto = None,
    yaw_from: Annotated[float | None, Form(description="Degrees at which a row of turned heads begins.")] = None,
    yaw_to: Annotated[float | None, Form(description="Degrees at which it ends.")] = None,
    steps: Steps = 9,
    pick: Pick = None,
    pick_pose_from: Pick = None,
    pick_expression_from: Pick = None,
    pick_light_from: Pick = None,
) -> Response:
    """Draw new pictures of the person; or change only the pose, the expression or the light."""
    photos = {"photo": photo, "pose_from": pose_from, "expression_from": expression_from, "light_from": light_from}
    options = {"count": count, "seed": seed, "yaw_from": yaw_from, "yaw_to": yaw_to, "steps": steps, "pick": pick}
    picks = {
        "pick_pose_from": pick_pose_from,
        "pick_expression_from": pick_expression_from,
        "pick_light_from": pick_light_from,
    }
    return await ask.edit("synthesize", photos, {**options, **picks})


@router.post("/mix-identity", responses=ANSWERS, response_class=Response)
async def mix_identity(
    ask: TheEdit,
    a: PhotoField,
    b: PhotoField,
    steps: Steps = 8,
    size: Size = None,
    pick_a: Pick = None,
    pick_b: Pick = None,
) -> Response:
    """Draw people between two."""
    options = {"steps": steps, "size": size, "pick_a": pick_a, "pick_b": pick_b}
    return await ask.edit("mix-identity", {"a": a, "b": b}, options)


@router.post("/invert", responses=ANSWERS, response_class=Response)
async def invert(ask: TheEdit, photo: PhotoField, pick: Pick = None) -> Response:
    """Find a photo's latent: the answer is the picture that the generator makes of it."""
    return await ask.edit("invert", {"photo": photo}, {"pick": pick})


@router.post("/combine", responses=ANSWERS, response_class=Response)
async def combine(
    ask: TheEdit,
    photos: PhotoFields,
    weight: Annotated[float | None, Form(ge=0, le=1, description="Of two: how much of the second.")] = None,
    weights: Annotated[str | None, Form(description="A JSON list: how much of each.")] = None,
    formula: Annotated[str | None, Form(max_length=200, description="Such as a - b + c.")] = None,
    size: Size = None,
    preview: Annotated[bool, Form(description="Only to be looked at: nothing goes on from it.")] = False,
    picks: Picks = None,
) -> Response:
    """Make one face of several."""
    options = {"weight": weight, "weights": list_of("weights", weights), "formula": formula}
    options |= {"size": size, "preview": preview, "picks": list_of("picks", picks)}
    return await ask.edit("combine", {"photos": photos}, options)


@router.post("/morph", responses=ANSWERS, response_class=Response)
async def morph(
    ask: TheEdit,
    photos: PhotoFields,
    frames: Annotated[int, Form(ge=2, le=480, description="How many pictures.")] = 60,
    seconds: Annotated[float, Form(gt=0, le=60, description="How long the film lasts.")] = 4.0,
    path: Annotated[
        Literal["spherical", "linear", "warp"], Form(description="As `masque morph --path`.")
    ] = "spherical",
    loop: Annotated[bool, Form(description="Whether it goes back to the first face at the end.")] = False,
    size: Size = None,
    picks: Picks = None,
) -> Response:
    """Turn one face into another, as a film."""
    film = {"frames": frames, "seconds": seconds, "path": path, "loop": loop, "size": size}
    options = {**film, "picks": list_of("picks", picks)}
    return await ask.edit("morph", {"photos": photos}, options)


@router.post("/heatmap", responses=ANSWERS, response_class=Response)
async def heatmap(ask: TheEdit, photo: PhotoField, edited: PhotoField) -> Response:
    """Show where an edit changed colours, and how much."""
    return await ask.edit("heatmap", {"photo": photo, "edited": edited})


async def _files(labels: UploadFile | None) -> dict[str, bytes]:
    if labels is None:
        return {}
    packed = labels.content_type == "application/x-masque-labels"
    return {"labels": (PACKED if packed else b"") + await labels.read()}
