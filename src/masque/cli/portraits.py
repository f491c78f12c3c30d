"""Commands of label maps and of portraits that are painted by them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from masque.cli.options import EDIT, Detail, Device, Json, Model, Output, Overwrite, Pick
from masque.cli.overwriting import check_replaceable
from masque.cli.show import Wait, answer, remark, save

if TYPE_CHECKING:
    from masque.jsonfile import JSON

Part = Literal["eyes", "mouth", "skin", "hair", "all"]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    for command, name in ((parse, None), (repaint, None), (transfer, None), (faces_for, "faces-for")):
        app.command(name, rich_help_panel=EDIT)(command)


def parse(
    photo: Annotated[Path, typer.Argument(help="The photo to parse.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The label map: a .png that painting programs open.")] = Path(
        "labels.png"
    ),
    overlay: Annotated[
        Path | None, typer.Option("--overlay", help="Where to show the parts on the photo: .png, .jpg or .webp.")
    ] = None,
    pick: Pick = None,
    model: Model = "parser",
    device: Device = None,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Find the parts of a face: skin, brows, eyes, nose, lips, mouth, hair. The label map can be painted in and
    repainted from.

    Example: masque parse anna.jpg -o labels.png --overlay look.png
    """
    from masque.faces.labels import LABELS, check_label_file, write_labels
    from masque.faces.labels import overlay as tinted
    from masque.image import check_output
    from masque.output import check_apart
    from masque.provenance import write_recorded

    check_label_file(out)
    if overlay is not None:
        check_output(overlay, like=photo)
    check_apart(out, overlay)
    check_replaceable(overwrite, out, overlay)
    with Wait("Parsing"):
        import masque

        parsed = masque.load(model, "parse", device).parse(photo, pick)
    check_replaceable(overwrite, out, overlay)
    write_labels(out, parsed.labels, parsed.record)
    if overlay is not None:
        write_recorded(overlay, tinted(parsed.photo, parsed.labels), {**parsed.record, "shown": "overlay"})
    shares = {name: round(100 * float((parsed.labels == number).mean()), 2) for number, name in enumerate(LABELS)}
    listed = ", ".join(f"{name} {share:.1f} %" for name, share in shares.items() if share > 0)
    answer(
        f"Wrote {out}: {listed}.",
        {"out": str(out), "overlay": None if overlay is None else str(overlay), "percent": shares},
        as_json,
    )


def repaint(
    photo: Annotated[Path, typer.Argument(help="The photo to repaint.")],
    labels: Annotated[Path | None, typer.Argument(help="A label map of it, edited: see masque parse.")] = None,
    shape_from: Annotated[
        Path | None, typer.Option("--shape-from", help="A portrait to take the shape from instead.")
    ] = None,
    part: Annotated[Part, typer.Option("--part", help="The part whose shape changes.")] = "all",
    out: Output = Path("out.png"),
    detail: Detail = "keep",
    pick: Pick = None,
    model: Model = "portrait",
    device: Device = None,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Give the face an edited shape, or that of another portrait: its own pixels are bent, and only what the photo has
    nowhere is painted.

    Example: masque repaint anna.jpg edited-labels.png -o out.png
    """
    from masque.faces.labels import read_labels
    from masque.image import check_output

    check_output(out, like=photo)
    check_replaceable(overwrite, out)
    if (labels is None) == (shape_from is None):
        raise typer.BadParameter("name either a label map or --shape-from with a portrait")
    shape, notes = read_labels(labels) if labels is not None else (None, [])
    with Wait("Repainting"):
        import masque

        result = masque.load(model, "repaint", device).repaint(
            photo, labels=shape, shape_from=shape_from, part=part, detail=detail, pick=pick
        )
    for note in (*notes, *result.texts("notes")):
        remark(f"Note: {note}")
    save(result, out, overwrite, as_json)


def transfer(
    photo: Annotated[Path, typer.Argument(help="The photo to change.")],
    style_from: Annotated[Path, typer.Option("--style-from", help="The portrait whose style is taken.")],
    part: Annotated[Part, typer.Option("--part", help="The part whose style changes.")] = "all",
    out: Output = Path("out.png"),
    detail: Detail = "keep",
    pick: Pick = None,
    model: Model = "portrait",
    device: Device = None,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Give a part of the face the style (colour, texture) of another portrait's, and keep its shape.

    Example: masque transfer anna.jpg --style-from ben.jpg --part hair -o out.png
    """
    from masque.image import check_output

    check_output(out, like=photo)
    check_replaceable(overwrite, out)
    with Wait("Transferring"):
        import masque

        result = masque.load(model, "transfer", device).transfer(photo, style_from, part=part, detail=detail, pick=pick)
    for note in result.texts("notes"):
        remark(f"Note: {note}")
    save(result, out, overwrite, as_json)


def faces_for(
    labels: Annotated[Path, typer.Argument(help="A label map: see masque parse.")],
    styles: Annotated[Path, typer.Option("--styles", help="A folder of portraits whose styles are taken.")],
    count: Annotated[int, typer.Option("--count", help="How many of them, in the order of their names.", min=1)] = 8,
    out: Output = Path("sheet.png"),
    model: Model = "portrait",
    device: Device = None,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Paint many faces for one label map, each in the style of another portrait.

    Example: masque faces-for labels.png --styles portraits/ --count 8 -o sheet.png
    """
    from masque.errors import NoFaceError, PictureError, printable
    from masque.faces.labels import read_labels
    from masque.folders import find_pictures
    from masque.image import check_output, check_sheet
    from masque.provenance import check_record

    check_output(out)
    check_replaceable(overwrite, out)
    shape, notes = read_labels(labels)
    found, left_out = find_pictures(styles, "portraits")
    notes = [*notes, *(f"left out: {one}" for one in left_out)]
    with Wait("Painting"):
        import masque

        painter, usable = masque.load(model, "faces-for", device), []
        for path in found:
            try:
                painter.subject(path)
                usable.append(path)
            except (NoFaceError, PictureError) as error:
                notes = [*notes, f"left out {printable(path.name)}: {error}"]
            if len(usable) == count:
                break
        if not usable:
            raise NoFaceError(f"No picture in {styles} has a face that can be used: name a folder of portraits.")
        columns = len(usable) + 1
        check_sheet(out, 2 * columns, columns, painter.size)
        names = [path.name for path in usable]
        given_by: dict[str, JSON] = {f"style{i}": {"photo": name, "face": [9999] * 4} for i, name in enumerate(names)}
        check_record(out, {"styles": names, "notes": notes, "inputs": given_by})
        result = painter.faces_for(shape, usable)
    for note in notes:
        remark(f"Note: {note}")
    save(result, out, overwrite, as_json)
