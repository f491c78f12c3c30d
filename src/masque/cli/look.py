"""Commands that look at photos and at what was made of them, and the one that shows it all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from masque.cli.options import EDIT, Device, Json, Model, Output, Overwrite
from masque.cli.overwriting import check_replaceable
from masque.cli.show import Bar, Wait, answer, failure, quoted, remark


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    for command in (heatmap, faces, verify, demo):
        app.command(rich_help_panel=EDIT)(command)


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
        from masque.gallery.page import make_page

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
            photo_editor=masque.load(device=device),
        )
    for sentence in complaints:
        remark(f"Left out: {sentence}")
    values = {"page": str(page), "left_out": complaints}
    answer(f"The pictures are in {page.absolute()}", values, as_json)
