"""Commands on latents: draw faces, find a photo's, combine several, morph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from masque.cli.films import FRAMES_OF_SEARCH, SECONDS_OF_SEARCH, SearchFilm, check_frames, save_film
from masque.cli.latent_options import (
    Clip,
    DetailIterations,
    Ease,
    Faces,
    FilmOut,
    Iterations,
    LatentOut,
    Likeness,
    MethodOption,
    MorphOut,
    PictureOut,
    Way,
    Weights,
    read_weights,
)
from masque.cli.options import LATENTS, Detail, Device, Json, Model, Output, Overwrite, Pick, Seed, Size
from masque.cli.overwriting import check_replaceable
from masque.cli.show import Bar, Wait, answer, remark, save
from masque.errors import printable

if TYPE_CHECKING:
    from torch import Tensor

    from masque.edits.invert import Options, Recovery
    from masque.edits.latents import Latent
    from masque.edits.loaded import LatentEditor
    from masque.edits.subject import Subject
    from masque.image import Picture
    from masque.jsonfile import JSON


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    for command in (sample, invert, combine, morph):
        app.command(rich_help_panel=LATENTS)(command)


def sample(
    count: Annotated[int, typer.Option("--count", help="How many faces.", min=1, max=1024)] = 16,
    truncation: Annotated[
        float | None,
        typer.Option(
            "--truncation",
            help="1: full variety; less: faces nearer to the average, with fewer artefacts; 0.7 if not given.",
            min=0,
            max=1,
        ),
    ] = None,
    out: Output = Path("sheet.png"),
    seed: Seed = 0,
    model: Model = "progan",
    device: Device = None,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Draw faces of nobody.

    Example: masque sample --count 16 --seed 0 -o sheet.png
    """
    import math

    from masque.image import check_output, check_sheet

    check_output(out)
    check_replaceable(overwrite, out)
    with Wait("Drawing"):
        import masque

        generator = masque.load(model, "sample", device)
        check_sheet(out, count, math.ceil(math.sqrt(count)), generator.size)
        result = generator.sample(count, seed, truncation=truncation)
    save(result, out, overwrite, as_json)


def invert(
    photo: Annotated[Path, typer.Argument(help="The photo whose latent is sought.")],
    out: LatentOut = Path("latent.safetensors"),
    method: MethodOption = "encoder+refine",
    iterations: Iterations = None,
    clip: Clip = "stochastic",
    detail_iterations: DetailIterations = None,
    likeness: Likeness = 0.0,
    picture: PictureOut = None,
    film: FilmOut = None,
    pick: Pick = None,
    seed: Seed = 0,
    model: Model = "progan",
    device: Device = None,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Find the latent from which the generator makes a photo's face. Ctrl-C ends the search and keeps the best so far.

    Example: masque invert anna.jpg -o anna.safetensors --film steps.mp4
    """
    _check_search_places(out, picture, film)
    check_replaceable(overwrite, out, picture, film)
    with Bar("Searching") as bar:
        import masque
        from masque.edits.invert import Options

        generator = masque.load(model, "invert", device)
        options = Options(
            method=method, iterations=iterations, clip=clip, likeness=likeness, detail=detail_iterations, seed=seed
        )
        frames = SearchFilm(options.all_steps)

        def watch(step: int, best: Tensor, _error: Tensor) -> None:
            if film is not None and frames.wants(step):
                frames.latents[step] = generator.model.widened(best).clone()
            bar.update(step, max(step, options.all_steps, 1))

        subject = generator.subject(photo, pick)
        found = generator.search([subject], options, watch)
    check_replaceable(overwrite, out, picture, film)
    _save_search(generator, subject, found, frames, method, (out, picture, film))
    weights = {"model": generator.family, "weights": generator.weights}
    text, values = _search_summary(found, method, out)
    answer(text, {**values, **weights}, as_json)


def _search_summary(found: Recovery, method: str, out: Path) -> tuple[str, dict[str, object]]:
    """How a search ended, in words and as values."""
    state = " The search was stopped; this is the best until then." if found.interrupted else ""
    error = float(found.error[0])
    values: dict[str, object] = {
        "out": str(out),
        "method": method,
        "iterations": found.iterations,
        "seconds": round(found.seconds, 3),
        "mse": error,
        "interrupted": found.interrupted,
    }
    return f"Wrote {out}: mean squared error {error:.4f} on [-1, 1] after {found.iterations} steps.{state}", values


def _check_search_places(out: Path, picture: Path | None, film: Path | None) -> None:
    """Raise OutputError where what a search finds cannot be written."""
    from masque.errors import OutputError
    from masque.film import check_film
    from masque.image import check_folder_of, check_output
    from masque.output import check_apart

    if out.suffix != ".safetensors":
        raise OutputError(f"{out} is no name for a latent: end it in .safetensors.")
    check_folder_of(out)
    if picture is not None:
        check_output(picture)
    if film is not None:
        check_film(film, FRAMES_OF_SEARCH, SECONDS_OF_SEARCH)
    check_apart(out, picture, film)


def _save_search(
    generator: LatentEditor,
    subject: Subject,
    found: Recovery,
    frames: SearchFilm,
    method: str,
    places: tuple[Path, Path | None, Path | None],
) -> None:
    """Write the latent that was found, and where they are wanted the generator's picture of it and the film."""
    from masque.edits.grey import grey_note, keep_cells_grey
    from masque.edits.result import Result

    out, picture, film = places
    latent = generator.latent(found.z[0], subject.name, subject.grey, subject)
    latent.save(out)
    record = generator.record("invert", {"photo": subject.name, "method": method, **grey_note(subject)})
    if picture is not None:
        Result(keep_cells_grey(subject, list(generator.pictures(latent.z[None])))[0], record).save(picture)
    if film is not None:
        latents = frames.with_last(generator.model.widened(found.z))
        cells = keep_cells_grey(subject, list(generator.pictures(latents)))
        save_film(film, cells, len(latents), SECONDS_OF_SEARCH, record)


def combine(
    faces: Faces,
    weight: Annotated[float, typer.Option("--weight", help="Of two: how much of the second, from 0 to 1.")] = 0.5,
    formula: Annotated[
        str | None,
        typer.Option("--formula", help='Such as "a - b + c": a is the first photo, b the second, and so on.'),
    ] = None,
    weights: Weights = None,
    size: Size = None,
    out: Output = Path("out.png"),
    method: MethodOption = "encoder+refine",
    iterations: Iterations = None,
    detail_iterations: DetailIterations = None,
    likeness: Likeness = 0.0,
    detail: Detail = "keep",
    seed: Seed = 0,
    model: Model = "progan",
    device: Device = None,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Make one face of several.

    Example: masque combine anna.jpg ben.jpg --weight 0.5 -o out.png
    """
    from masque.image import check_output

    check_output(out)
    check_replaceable(overwrite, out)
    with Bar("Finding latents") as bar:
        import masque
        from masque.edits.combine import check_combination
        from masque.edits.invert import Options
        from masque.edits.mixing import checked_size

        shares = read_weights(weights)
        check_combination(len(faces), formula, weight, shares)
        checked_size(size, detail)
        generator = masque.load(model, "combine", device)
        if _mixes_pixels(faces, detail) and "-" not in (formula or ""):
            iterations, detail_iterations = _fewer(method, iterations, detail_iterations)
        options = Options(method=method, iterations=iterations, detail=detail_iterations, likeness=likeness, seed=seed)
        latents = _latents(generator, faces, options, bar)
        result = generator.combine(latents, formula, weight, weights=shares, detail=detail, size=size)
    check_replaceable(overwrite, out)
    for note in result.texts("notes"):
        remark(note)
    result.save(out)
    answer(f"Wrote {out}: {result.record['formula']}.", {"out": str(out), **result.record}, as_json)


def morph(
    faces: Faces,
    out: MorphOut = Path("morph.mp4"),
    frames: Annotated[int, typer.Option("--frames", help="How many pictures.")] = 60,
    seconds: Annotated[float, typer.Option("--seconds", help="How long the film lasts.")] = 4.0,
    path: Way = "spherical",
    ease: Ease = "smooth",
    loop: Annotated[bool, typer.Option("--loop", help="Go back to the first face at the end.")] = False,
    size: Size = None,
    method: MethodOption = "encoder+refine",
    iterations: Iterations = None,
    detail_iterations: DetailIterations = None,
    likeness: Likeness = 0.0,
    detail: Detail = "keep",
    seed: Seed = 0,
    model: Model = "progan",
    device: Device = None,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Turn one face into another, and on through any number of them.

    Example: masque morph anna.jpg ben.jpg --frames 60 --seconds 4 -o morph.mp4
    """
    from masque.film import check_film

    check_film(out, frames, seconds)
    check_replaceable(overwrite, out)
    if path == "warp" and device is not None:
        raise typer.BadParameter("--path warp bends pixels and computes with no network: it takes no --device")
    if path == "warp" and (size is not None or detail != "keep"):
        raise typer.BadParameter("--path warp makes pictures of one size: it takes no --size and no --detail")
    with Bar("Morphing") as bar:
        import masque
        from masque.edits.invert import Options
        from masque.edits.mixing import LARGEST, checked_size
        from masque.edits.morph import frame_positions

        frame_positions(len(faces) + loop, frames, ease)  # refuses too few faces or frames before anything is searched
        if path == "warp":
            pictures, record = _warped(faces, out, frames, ease, loop)
        else:
            generator = masque.load(model, "morph", device)
            side = checked_size(size, detail) or LARGEST
            check_frames(out, frames, generator.size if detail == "network" else side)
            if _mixes_pixels(faces, detail):
                iterations, detail_iterations = _fewer(method, iterations, detail_iterations)
            options = Options(
                method=method, iterations=iterations, detail=detail_iterations, likeness=likeness, seed=seed
            )
            latents = _latents(generator, faces, options, bar)
            pictures = generator.morph(latents, frames, path, ease, loop, detail=detail, size=size)
            record = generator.record("morph", _about_morph(latents, detail))
        record |= {"frames": frames, "path": path, "faces": record.pop("faces")}
        check_replaceable(overwrite, out)
        save_film(out, pictures, frames, seconds, record)
    answer(f"Wrote {out}: {frames} frames.", {"out": str(out), **record}, as_json)


def _mixes_pixels(faces: Sequence[Path], detail: Literal["keep", "network"]) -> bool:
    """Whether all faces are photos whose own pixels are mixed: of the network only low frequencies are taken then."""
    return detail == "keep" and not any(face.is_dir() or face.suffix == ".safetensors" for face in faces)


def _fewer(method: str, iterations: int | None, detail_iterations: int | None) -> tuple[int | None, int | None]:
    """Steps of a search of which low frequencies alone are wanted, where none are given."""
    if iterations is None and method == "encoder+refine":
        iterations = 40
    return iterations, 0 if detail_iterations is None else detail_iterations


def _about_morph(latents: Sequence[Latent], detail: Literal["keep", "network"]) -> dict[str, JSON]:
    """What the record of a morph through latents says; its notes are shown."""
    from masque.edits.mixing import turned_apart

    notes = turned_apart([latent.subject for latent in latents if latent.subject]) if detail == "keep" else []
    for note in notes:
        remark(str(note))
    faces: list[JSON] = [latent.name for latent in latents]
    return {"detail": detail, "faces": faces, **({"notes": notes} if notes else {})}


def _warped(
    faces: Sequence[Path], out: Path, frames: int, ease: Literal["smooth", "linear"], loop: bool
) -> tuple[Iterator[Picture], dict[str, JSON]]:
    """The frames of the classical morph, and what its record says. Raises OutputError where a sheet is too large."""
    import masque
    from masque.edits.morph_warp import WARP_SIZE, warp_morph

    check_frames(out, frames, WARP_SIZE)
    names = [printable(face.name) for face in faces]
    record: dict[str, JSON] = {"edit": "morph", "model": "none", "masque": masque.__version__, "faces": names}
    return warp_morph(faces, frames, ease, loop), record


def _latents(generator: LatentEditor, faces: list[Path], options: Options, bar: Bar) -> list[Latent]:
    """The latent of each argument: read, found, or the mean of a folder's; all photos are searched in one batch."""
    from masque.edits.latents import read_latent
    from masque.folders import find_pictures

    photos: dict[Path, tuple[Path, ...]] = {}
    for face in faces:
        if face.is_dir():
            photos[face], notes = find_pictures(face, "photos of one person")
            for note in notes:
                remark(f"Note: left out: {note}")
        elif face.suffix != ".safetensors":
            photos[face] = (face,)
    wanted = [photo for several in photos.values() for photo in several]
    latents = generator.find_all(wanted, options, lambda step, *_: bar.update(step, max(step, options.all_steps, 1)))
    found = dict(zip(wanted, latents, strict=True))
    return [
        generator.average([found[photo] for photo in photos[face]], face.name)
        if face in photos
        else generator.check_latent(read_latent(face))
        for face in faces
    ]
