"""Commands that draw new pictures of the same person."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from masque.cli.options import PEOPLE, Detail, Device, Json, Model, Output, Overwrite, Pick, Seed, Size, Workers
from masque.cli.overwriting import check_replaceable
from masque.cli.show import Bar, Wait, answer, remark, save

if TYPE_CHECKING:
    from masque.edits.result import Result


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    for command, name in (
        (turn, None),
        (frontalize, None),
        (synthesize, None),
        (mix_identity, "mix-identity"),
        (augment, None),
    ):
        app.command(name, rich_help_panel=PEOPLE)(command)


TurnMethod: TypeAlias = Annotated[
    Literal["own", "network"] | None,
    typer.Option(
        "--method",
        help="own: turn the photo's own pixels, by up to 20 degrees; network: the picture of the face that the network "
        "of --model paints. If not given, own as far as the pixels bear it, and the network beyond.",
    ),
]


def turn(
    photo: Annotated[Path, typer.Argument(help="The photo whose head is turned.")],
    yaw: Annotated[
        float | None,
        typer.Option(
            "--yaw",
            help="Degrees to the picture's right to turn the head to, up to 60 either way; 0 looks into the camera.",
        ),
    ] = None,
    pitch: Annotated[
        float, typer.Option("--pitch", help="Degrees by which to raise the head from how it is, up to 10 either way.")
    ] = 0.0,
    out: Output = Path("out.png"),
    method: TurnMethod = None,
    pick: Pick = None,
    model: Model = "facefeat",
    device: Device = None,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Turn the head in a photo.

    Example: masque turn anna.jpg --yaw 15 -o out.png
    """
    from masque.image import check_output

    check_output(out, like=photo)
    check_replaceable(overwrite, out)
    with Wait("Turning"):
        from masque.edits.turn import checked_turn
        from masque.loading import load_own

        checked_turn(yaw, pitch)  # before a model is loaded
        result = load_own("turn", device, model).turn(photo, yaw, pitch, method=method, pick=pick)
    for note in result.texts("notes"):
        remark(note)
    save(result, out, overwrite, as_json, _how_turned(result))


def _how_turned(result: Result) -> str:
    """What the answer says of how a head was turned: by the photo's own pixels or by the network."""
    yaw = result.record.get("yaw")
    angles = f", from {yaw['before']:.0f} to {yaw['after']:.0f} degrees" if isinstance(yaw, Mapping) else ""
    if result.record.get("method") == "own":
        return f" The photo's own pixels were turned{angles}."
    return f" It is the network's picture{angles}."


def synthesize(
    photo: Annotated[Path, typer.Argument(help="A photo of the person.")],
    out: Output = Path("sheet.png"),
    count: Annotated[int, typer.Option("--count", help="How many pictures are drawn.", min=1, max=1024)] = 16,
    pose_from: Annotated[
        str | None,
        typer.Option(
            "--pose-from",
            help="Turn the head instead: as in this photo, or from..to in degrees to the picture's right, such as "
            "-40..40.",
        ),
    ] = None,
    steps: Annotated[
        int, typer.Option("--steps", help="With --pose-from -40..40: how many pictures.", min=2, max=256)
    ] = 9,
    expression_from: Annotated[
        Path | None, typer.Option("--expression-from", help="Take the expression of this photo instead.")
    ] = None,
    light_from: Annotated[
        Path | None, typer.Option("--light-from", help="Take the light of this photo instead.")
    ] = None,
    detail: Detail = "keep",
    pick: Pick = None,
    seed: Seed = 0,
    model: Model = "facefeat",
    device: Device = None,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Draw new pictures of a photo's person: other pose, expression and light; or change only what an option names.

    Example: masque synthesize anna.jpg --count 16 --seed 0 -o sheet.png
    """
    import math

    from masque.edits.own_cells import largest_cell
    from masque.image import check_output, check_sheet

    check_output(out)
    check_replaceable(overwrite, out)
    yaws, pose = _yaws(pose_from, steps) if pose_from is not None else (None, None)
    drawn = yaws is None and pose is None and expression_from is None and light_from is None
    with Wait("Drawing"):
        import masque

        session = masque.load(model, "synthesize", device)
        many = count if drawn else len(yaws or [0])
        columns = math.ceil(math.sqrt(many)) if drawn else many
        by_network = detail == "network" or session.own is None
        check_sheet(out, many, columns, session.size if by_network else largest_cell(columns))
        if drawn:
            result = session.synthesize(photo, count, seed, pick, detail=detail)
        else:
            result = session.modify(photo, yaws, expression_from, light_from, pick, pose_from=pose, detail=detail)
    save(result, out, overwrite, as_json, _how_made(result))


def _how_made(result: Result) -> str:
    """What the answer says of how pictures were made: of the photo's own pixels or by the network."""
    methods = result.record["method"]
    if isinstance(methods, list):
        numbers = ", ".join(str(place) for place, method in enumerate(methods, start=1) if method == "network")
        return f" Own pixels do not bear all of it: number {numbers} is the network's."
    return " Made of the photo's own pixels." if methods == "own" else " Painted by the network."


def frontalize(
    photo: Annotated[Path, typer.Argument(help="A photo of the person.")],
    out: Output = Path("out.png"),
    detail: Detail = "keep",
    pick: Pick = None,
    model: Model = "facefeat",
    device: Device = None,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Have a photo's person look straight ahead: by the photo's own pixels, or by the network beyond 20 degrees.

    Example: masque frontalize anna.jpg -o out.png
    """
    from masque.image import check_output

    check_output(out, like=photo)
    check_replaceable(overwrite, out)
    with Wait("Turning"):
        import masque

        result = masque.load(model, "frontalize", device).frontalize(photo, pick, detail=detail)
    for note in result.texts("notes"):
        remark(note)
    save(result, out, overwrite, as_json, _how_turned(result))


def mix_identity(
    first: Annotated[
        Path, typer.Argument(help="A photo of the first person, whose pose, expression and light are kept.")
    ],
    second: Annotated[Path, typer.Argument(help="A photo of the second person.")],
    out: Output = Path("strip.png"),
    steps: Annotated[int, typer.Option("--steps", help="How many pictures, both ends included.", min=2, max=256)] = 8,
    size: Size = None,
    detail: Detail = "keep",
    model: Model = "facefeat",
    device: Device = None,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Draw people between two.

    Example: masque mix-identity anna.jpg ben.jpg --steps 8 -o strip.png
    """
    from masque.image import check_output, check_sheet

    check_output(out)
    check_replaceable(overwrite, out)
    with Wait("Drawing"):
        import masque
        from masque.edits.mixing import LARGEST, checked_size

        side = checked_size(size, detail) or LARGEST
        session = masque.load(model, "mix-identity", device)
        check_sheet(out, steps, steps, session.size if detail == "network" else side)
        result = session.mix(first, second, steps, detail=detail, size=size)
    for note in result.texts("notes"):
        remark(note)
    save(result, out, overwrite, as_json)


def augment(
    folder: Annotated[Path, typer.Argument(help="Identity folders: one folder of photos for each person.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write, which must not exist yet.")],
    per_picture: Annotated[
        int, typer.Option("--per-picture", help="How many new pictures are drawn of each photo.", min=1, max=1000)
    ] = 5,
    seed: Seed = 0,
    workers: Workers = None,
    model: Model = "facefeat",
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Enlarge a face recogniser's data: copy identity folders, with new pictures of the person beside each photo.

    Example: masque augment people --per-picture 5 --out more-people
    """
    from masque.output import check_folder

    check_folder(out)
    with Bar("Drawing") as bar:
        import masque
        from masque.folders import in_words

        done = masque.load(model, "augment", device).augment(folder, out, per_picture, seed, workers, bar.update)
    lost = f" In {done.without} photos no face was found: nothing was drawn of them." if done.without else ""
    text = f"Wrote {out}: {done.photos} photos of {done.people} people, and {done.made} new pictures.{lost}"
    besides = f" Left out: {in_words(done.left_out)}." if done.left_out else ""
    answer(f"{text}{besides}", {"out": str(out), **vars(done)}, as_json)


def _yaws(text: str, steps: int) -> tuple[list[float] | None, Path | None]:
    """`from..to` as evenly spaced degrees, or a photo's path. Raises SettingError for what is neither."""
    from masque.errors import SettingError, printable

    first, dots, last = text.partition("..")
    try:
        a, b = float(first), float(last)
    except ValueError:
        if Path(text).exists():
            return None, Path(text)
        dots = ""
    if not dots:
        raise SettingError(
            f"{printable(repr(text))} is no way to turn a head, and no photo: write it as from..to in degrees, such as "
            "-40..40, or name a photo."
        )
    return [a + (b - a) * i / (steps - 1) for i in range(steps)], None
