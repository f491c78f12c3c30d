"""Commands that edit photos, and the two that look at one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from masque.cli.options import (
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
    Set,
    attribute_values,
    edit_values,
)
from masque.cli.overwriting import check_replaceable
from masque.cli.show import Bar, Wait, answer, failure, quoted, remark, save

if TYPE_CHECKING:
    from masque.edits.person import Region
    from masque.edits.result import Result
    from masque.edits.subject import Detail as DetailChoice


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    edits = ((swap, None), (edit, None), (apply, None), (blend, None), (random_parts, "random"))
    for command, name in (*edits, (heatmap, None), (faces, None), (verify, None), (demo, None)):
        app.command(name, rich_help_panel=EDIT)(command)


Stitch: TypeAlias = Annotated[
    Literal["none", "gradient"],
    typer.Option(
        "--stitch",
        help="gradient: stitch in the face alone (RSGAN-GD); none: lay the whole painted crop over (RSGAN).",
    ),
]
Method: TypeAlias = Annotated[
    Literal["rsgan", "warp"] | None,
    typer.Option(
        "--method",
        help="rsgan: by the network; warp: bend the face by its landmarks, without a network. If not given, by the "
        "network where its weights are.",
    ),
]
PickFace: TypeAlias = Annotated[
    int | None, typer.Option("--pick-face", help="Which face of the first photo, by its number in `masque faces`.")
]
PickHair: TypeAlias = Annotated[
    int | None, typer.Option("--pick-hair", help="Which face of the second photo to replace.")
]


def swap(
    face: Annotated[Path, typer.Argument(help="The photo whose face is taken.")],
    hair: Annotated[
        Path, typer.Argument(help="The photo that gets it: its hair, pose of head, clothes and background stay.")
    ],
    out: Output = Path("out.png"),
    set_: Set = [],  # noqa: B006 - typer wants a literal
    stitch: Stitch = "gradient",
    method: Method = None,
    detail: Detail = "keep",
    pick_face: PickFace = None,
    pick_hair: PickHair = None,
    model: Model = "rsgan",
    device: Device = None,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Put the face of one photo into another, and get the whole second photo back.

    Example: masque swap anna.jpg ben.jpg -o out.png --set Smiling=1
    """
    from masque.image import check_output

    check_output(out, like=hair)
    check_replaceable(overwrite, out)
    attributes = attribute_values(set_)
    needs_network = bool(attributes) or stitch != "gradient" or detail != "keep"
    if method == "warp" and (needs_network or device is not None):
        options = "--set, --stitch, --detail or --device"
        raise typer.BadParameter(f"--method warp bends pixels and paints none: it takes no {options}")
    with Wait("Swapping"):
        import masque
        from masque.catalog import has_model
        from masque.edits.warp import swap_by_warping

        without_weights = method is None and model == "rsgan" and not needs_network and not has_model(model)
        if method == "warp" or without_weights:
            result = swap_by_warping(face, hair, pick_face=pick_face, pick_hair=pick_hair)
        else:
            result = masque.load(model, "swap", device).swap(
                face,
                hair,
                attributes=attributes,
                stitch=stitch,
                detail=detail,
                pick_face=pick_face,
                pick_hair=pick_hair,
            )
    save(result, out, overwrite, as_json, NO_WEIGHTS if without_weights else "")


NO_WEIGHTS = " No weights of rsgan come with this installation, so the face was bent by its landmarks (--method warp)."
"""What the answer of a swap says beside where it wrote."""


EditMethod: TypeAlias = Annotated[
    Literal["own", "network"] | None,
    typer.Option(
        "--method",
        help="own: move and tint the photo's own pixels where that is known, and ask a network elsewhere; network: "
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
    with Wait("Editing"):
        result = (
            _edited_by_network(photo, attributes, region, sheet, detail, pick, model or "rsgan", device)
            if by_network
            else _edited_by_own_pixels(photo, attributes, sheet, pick, device)
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
    if any(path.absolute() == other.absolute() for other in others):
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
    numbers = values_by_name(dict(attributes))
    return masque.load(model, "edit", device).edit(photo, numbers, region=region, detail=detail, pick=pick)


def _edited_by_own_pixels(
    photo: Path, attributes: Mapping[str, float | str], sheet: bool, pick: int | None, device: str | None
) -> Result:
    """The photo's own pixels, changed, or the sheet of all changes."""
    import masque
    from masque.edits.own import checked_values

    attributes = checked_values(attributes)  # before a model is loaded
    editor = masque.load(device=device)
    return editor.sheet(photo, pick=pick) if sheet else editor.edit(photo, attributes, pick=pick)


def apply(
    change: Annotated[Path, typer.Argument(help="A file that `masque edit --save-change` wrote.")],
    photo: Annotated[Path, typer.Argument(help="The photo that it was made for, or a copy of another size.")],
    strength: Annotated[float, typer.Option("--strength", help="How much of the change, from 0 to 1.")] = 1.0,
    out: Output = Path("out.png"),
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Apply a stored change to its photo again, at any strength.

    Example: masque apply smile.change anna.jpg --strength 0.5 -o out.png
    """
    from masque.edits.apply import apply_change_file
    from masque.image import check_output

    check_output(out, like=photo)
    check_replaceable(overwrite, out)
    result = apply_change_file(change, photo, strength)
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
    out: Output = Path("strip.png"),
    pick_a: Annotated[int | None, typer.Option("--pick-a", help="Which face of the first photo.")] = None,
    pick_b: Annotated[int | None, typer.Option("--pick-b", help="Which face of the second photo.")] = None,
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

        check_sheet(out, steps, steps, CELL)
        result = masque.load(model, "blend", device).blend(a, b, part=part, steps=steps, pick_a=pick_a, pick_b=pick_b)
    save(result, out, overwrite, as_json)


def heatmap(
    photo: Annotated[Path, typer.Argument(help="The photo as it was.")],
    edited: Annotated[Path, typer.Argument(help="The same photo, edited.")],
    out: Output = Path("heat.png"),
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Show where an edit changed colours, and how much.

    Example: masque heatmap anna.jpg out.png -o heat.png
    """
    from masque.edits.heatmap import heatmap as show
    from masque.image import check_output
    from masque.provenance import write_recorded
    from masque.version import __version__

    check_output(out, like=photo)
    check_replaceable(overwrite, out)
    picture, change = show(photo, edited)
    check_replaceable(overwrite, out)
    names = {"photo": photo.name, "edited": edited.name}
    write_recorded(
        out, picture, {"edit": "heatmap", "model": "no model", "masque": __version__, "inputs": names, **change}
    )
    text = (
        f"Wrote {out}. {change['visibly_changed_percent']:.1f} % of the pixels changed visibly; "
        f"colours moved by {change['mean']:.1f} ΔE on average, {change['largest']:.0f} at most."
    )
    answer(text, {"out": str(out), **change}, as_json)


def faces(photo: Annotated[Path, typer.Argument(help="The photo to look at.")], as_json: Json = False) -> None:
    """List the faces in a photo, with the numbers that --pick takes, and say which one is taken without it.

    Example: masque faces group.jpg
    """
    from masque.errors import NoFaceError, printable
    from masque.faces.detect import SMALLEST_FACE, choose_face, find_faces, main_face
    from masque.image import read_picture

    with Wait("Looking for faces"):
        found = find_faces(read_picture(photo))
    if not found:
        choose_face(found, name=printable(photo.name))
    main = main_face(found)
    rows, lines = [], []
    for number, face in enumerate(found, start=1):
        left, top, width, height = face.box
        usable = face.size >= SMALLEST_FACE
        rows.append(
            {
                "number": number,
                "left": left,
                "top": top,
                "width": width,
                "height": height,
                "score": round(face.score, 3),
                "usable": usable,
                "taken": face is main,
            }
        )
        marks = (
            ("taken unless another is picked", face is main),
            (f"too small, {SMALLEST_FACE} px needed", not usable),
        )
        notes = [note for note, on in marks if on]
        lines.append(
            f"{number}: {width}×{height} px at ({left}, {top}), score {face.score:.2f}"
            + (f" ({'; '.join(notes)})" if notes else "")
        )
    error = None
    if not any(row["usable"] for row in rows):
        sentence = f"No face in {printable(photo.name)} is {SMALLEST_FACE} pixels wide or more: use a larger picture."
        error = NoFaceError(sentence)
    answer("\n".join(lines), {"faces": rows, **(failure(str(error), "NoFaceError") if error else {})}, as_json)
    if error:
        raise error


def verify(
    picture: Annotated[Path, typer.Argument(help="The picture or film to look into.")], as_json: Json = False
) -> None:
    """Read back what a picture or film says about how it was made.

    Example: masque verify out.png
    """
    import re

    from masque.errors import PictureError, printable
    from masque.provenance import verify as read_back

    verdict = read_back(picture)
    if verdict.record is None:
        made = (
            f", though it is marked as {printable(verdict.source_type.rsplit('/', 1)[-1])}"
            if verdict.source_type
            else ""
        )
        raise PictureError(
            f"{picture} carries no record of Masque{made}: it was not made by Masque, or the record was removed."
        )
    state = {
        True: "as Masque wrote them",
        False: f"changed since Masque wrote them ({verdict.reason})",
        None: "not checked in a film",
    }
    by = f"{verdict.record.get('edit')} with {verdict.record.get('model')}"
    by = (
        f" ({by})" if re.fullmatch(r"[\w-]{1,40} with [\w.-]{1,40}", by) else ""
    )  # a text of somebody else's could go on as this sentence
    values = {
        "record": verdict.record,
        "source_type": verdict.source_type,
        "unchanged": verdict.unchanged,
        "reason": verdict.reason,
    }
    answer(f"Made by Masque{by}; its pixels are {state[verdict.unchanged]}.\n{quoted(verdict.record)}", values, as_json)


def demo(
    folder: Annotated[
        Path, typer.Option("--folder", help="Where the page goes; photos in its sub-folder in/ are taken along.")
    ] = Path("demo"),
    model: Model = "rsgan",
    device: Device = None,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Do the main job on two public-domain portraits and on your photos in demo/in, and make a page of it.

    Example: masque demo --folder demo
    """
    from masque.lock import only_writer
    from masque.output import check_folder

    check_folder(folder)
    check_replaceable(overwrite, folder / "index.html")  # of the pictures, which photos they show is known later
    with only_writer(folder / "out"), Bar("Making the page") as bar:
        import masque
        from masque.studio.page import make_page

        session, translator, painter = (
            masque.load(model, "swap", device),
            masque.load("ccagan", "sheet", device),
            masque.load("portrait", "repaint", device),
        )
        latents, synthesizer = masque.load("progan", "morph", device), masque.load("facefeat", "synthesize", device)
        page, complaints = make_page(
            session,
            folder,
            bar.update,
            translator,
            painter,
            latents,
            synthesizer,
            check=lambda paths: check_replaceable(overwrite, *paths),
        )
    for sentence in complaints:
        remark(f"Left out: {sentence}")
    values = {"page": str(page), "left_out": complaints}
    answer(f"The pictures are in {page.absolute()}", values, as_json)
