"""Commands that edit photos."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from masque.cli.options import (
    AGE,
    EDIT,
    HAIR,
    Detail,
    Device,
    EditSet,
    Json,
    Model,
    ModelOrNone,
    Output,
    Overwrite,
    Pick,
    Seed,
    Size,
    edit_values,
)
from masque.cli.overwriting import check_replaceable
from masque.cli.show import Wait, remark, save

if TYPE_CHECKING:
    from masque.edits.person import Region
    from masque.edits.result import Result
    from masque.edits.subject import Detail as DetailChoice


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    for command, name in ((edit, None), (apply, None), (blend, None), (random_parts, "random")):
        app.command(name, rich_help_panel=EDIT)(command)


EditMethod: TypeAlias = Annotated[
    Literal["own", "network"] | None,
    typer.Option(
        "--method",
        help="own: move and tint the photo's own pixels; network: "
        "what the network of --model paints. If not given: network with --model, --region or --detail, else own.",
    ),
]


def edit(
    photo: Annotated[Path, typer.Argument(help="The photo to edit.")],
    set_: EditSet = [],  # noqa: B006 - typer wants a literal
    out: Output = Path("out.png"),
    region: Annotated[
        Literal["face", "hair", "both"],
        typer.Option("--region", help="What gets the new attributes, with --method network."),
    ] = "both",
    sheet: Annotated[
        bool,
        typer.Option(
            "--sheet", help="Every attribute, side by side: by own pixels at strengths 0.5 and 1, or a ccagan model's."
        ),
    ] = False,
    save_change: Annotated[
        Path | None,
        typer.Option("--save-change", help="Write the change itself too, for `masque apply`: a file such as a.change."),
    ] = None,
    method: EditMethod = None,
    age: Annotated[
        float | None,
        typer.Option(
            "--age", help="How old the person is, from 18 on, for Age, Young and Male; if not given, as read."
        ),
    ] = None,
    detail: Detail = "keep",
    pick: Pick = None,
    model: ModelOrNone = None,
    device: Device = None,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Change attributes of a face and its hair: a smile, the age, any hair colour.

    Example: masque edit anna.jpg --set Hair=auburn --set Smiling=1 -o out.png
    """
    from masque.image import check_output

    check_output(out, like=None if sheet else photo)
    check_replaceable(overwrite, out)
    if save_change is not None:
        check_change_file(save_change, overwrite, out, photo)
    attributes = edit_values(set_)
    if bool(attributes) == sheet:
        raise typer.BadParameter("give either --set Name=value, once or more, or --sheet")
    if sheet and save_change is not None:
        raise typer.BadParameter("--sheet shows many changes: --save-change takes one")
    by_network = method == "network" or (method is None and (model is not None or detail != "keep" or region != "both"))
    if not by_network and (model is not None or detail != "keep" or region != "both"):
        raise typer.BadParameter("--model, --detail and --region are for --method network")
    if by_network and age is not None:
        raise typer.BadParameter("--age is for --method own")
    with Wait("Editing"):
        result = (
            _edited_by_network(photo, attributes, region, sheet, detail, pick, model or "rsgan", device)
            if by_network
            else _edited_by_own_pixels(photo, attributes, sheet, age, pick, device)
        )
    for note in result.texts("notes"):
        remark(note)
    if save_change is not None:
        from masque.edits.subject import as_photo
        from masque.faces.changefile import save_change as write

        assert result.change is not None
        write(save_change, result.change, as_photo(photo)[0])
    save(result, out, overwrite, as_json)


def check_change_file(path: Path, overwrite: bool | None, *others: Path) -> None:
    """Raise OutputError where no change can be written: a folder that is missing, a picture's name, a file that stands
    there and may not be replaced. others: files that the command reads or writes besides."""
    from masque.errors import OutputError
    from masque.image import check_folder_of

    if path.suffix != ".change":
        raise OutputError(f"{path} is no file of a change: let its name end in .change.")
    if any(os.path.realpath(path) == os.path.realpath(other) for other in others):
        raise OutputError(f"{path} is named twice: give the change a file of its own.")
    check_folder_of(path)
    check_replaceable(overwrite, path)


def _edited_by_network(
    photo: Path,
    attributes: Mapping[str, float | str],
    region: Region,
    sheet: bool,
    detail: DetailChoice,
    pick: int | None,
    model: str,
    device: str | None,
) -> Result:
    """What a network makes of the photo, or its sheet."""
    import masque
    from masque.given import values_by_name

    if sheet:
        return masque.load(model, "sheet", device).sheet(photo, detail=detail, pick=pick)
    if HAIR in attributes:
        raise typer.BadParameter(f"{HAIR}=colour is for --method own: networks know Blond_Hair and its like")
    if AGE in attributes:
        raise typer.BadParameter(f"{AGE}=years is for --method own: networks know Young")
    numbers = values_by_name(dict(attributes))
    return masque.load(model, "edit", device).edit(photo, numbers, region=region, detail=detail, pick=pick)


def _edited_by_own_pixels(
    photo: Path,
    attributes: Mapping[str, float | str],
    sheet: bool,
    age: float | None,
    pick: int | None,
    device: str | None,
) -> Result:
    """The photo's own pixels, changed, or the sheet of all changes."""
    import masque
    from masque.edits.ageing_values import checked_stated
    from masque.edits.own import checked_values

    attributes, age = checked_values(attributes), checked_stated(age)  # before a model is loaded
    editor = masque.load(device=device)
    return editor.sheet(photo, age=age, pick=pick) if sheet else editor.edit(photo, attributes, age=age, pick=pick)


def apply(
    change: Annotated[Path, typer.Argument(help="A file that `masque edit --save-change` wrote.")],
    photo: Annotated[Path, typer.Argument(help="The photo that it was made for, or a copy of another size.")],
    strength: Annotated[float, typer.Option("--strength", help="How much of the change, from 0 to 1.")] = 1.0,
    out: Output = Path("out.png"),
    layers: Annotated[
        bool, typer.Option("--layers", help="A sheet of what each layer of the change makes of the photo instead.")
    ] = False,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Apply a stored change to its photo again, at any strength.

    Example: masque apply smile.change anna.jpg --strength 0.5 -o out.png
    """
    from masque.edits.apply import apply_change_file
    from masque.image import check_output

    check_output(out, like=None if layers else photo)
    check_replaceable(overwrite, out)
    result = apply_change_file(change, photo, strength, layers=layers)
    save(result, out, overwrite, as_json)


def random_parts(
    photo: Annotated[Path, typer.Argument(help="The photo that one part is kept of.")],
    part: Annotated[Literal["face", "hair"], typer.Option("--part", help="The part that is drawn at random.")] = "hair",
    count: Annotated[int, typer.Option("--count", help="How many to draw.")] = 8,
    out: Output = Path("sheet.png"),
    pick: Pick = None,
    seed: Seed = 0,
    model: Model = "rsgan",
    device: Device = None,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Give a face random hair, or a hair random faces.

    Example: masque random anna.jpg --part hair --count 8 --seed 0 -o sheet.png
    """
    from masque.image import check_output

    check_output(out)
    check_replaceable(overwrite, out)
    with Wait("Drawing"):
        import masque

        result = masque.load(model, "random", device).random(photo, part, count=count, seed=seed, pick=pick)
    save(result, out, overwrite, as_json)


def blend(
    a: Annotated[Path, typer.Argument(help="The photo to start from.")],
    b: Annotated[Path, typer.Argument(help="The photo to end at.")],
    part: Annotated[
        Literal["face", "hair", "both"], typer.Option("--part", help="What goes from the one to the other.")
    ] = "both",
    steps: Annotated[int, typer.Option("--steps", help="Pictures on the strip, both ends included.")] = 8,
    size: Size = None,
    out: Output = Path("strip.png"),
    pick_a: Annotated[int | None, typer.Option("--pick-a", help="Which face of the first photo.")] = None,
    pick_b: Annotated[int | None, typer.Option("--pick-b", help="Which face of the second photo.")] = None,
    detail: Detail = "keep",
    model: Model = "rsgan",
    device: Device = None,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Go from one face or hair to another in steps.

    Example: masque blend anna.jpg ben.jpg --part hair --steps 8 -o strip.png
    """
    from masque.image import check_output, check_sheet

    check_output(out)
    check_replaceable(overwrite, out)
    with Wait("Blending"):
        import masque
        from masque.edits.blend import CELL
        from masque.edits.mixing import LARGEST, checked_size

        side = checked_size(size, detail) or LARGEST
        check_sheet(out, steps, steps, CELL if detail == "network" else side)
        result = masque.load(model, "blend", device).blend(
            a, b, part=part, steps=steps, detail=detail, size=size, pick_a=pick_a, pick_b=pick_b
        )
    for note in result.texts("notes"):
        remark(note)
    save(result, out, overwrite, as_json)
