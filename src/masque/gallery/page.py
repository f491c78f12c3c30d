"""The demonstration: what Masque does, on real photos, as one page of pictures with their records."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from urllib.parse import quote

from masque.edits.latents import Latent
from masque.edits.loaded import AttributeEditor, LatentEditor, PhotoEditor, PortraitEditor, Swapper, Synthesizer
from masque.edits.result import Result
from masque.errors import NoFaceError, PictureError, TooYoungError, printable
from masque.folders import list_folder, missed
from masque.image import Picture, grid, read_picture
from masque.output import make_folder, write_atomically
from masque.provenance import write_copy
from masque.samples import sample_photos

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; color: #222; }
section { margin: 2.5rem 0; } .row { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
figure { margin: 0; } img { max-height: 22rem; max-width: 100%; border-radius: 4px; display: block; }
figcaption { font-size: .9rem; color: #555; }
pre { font-size: .75rem; background: #f4f4f4; padding: .5rem; overflow-x: auto; max-width: 36rem; }
"""


OWN_EDITS: Mapping[str, Mapping[str, float | str]] = {
    "half a smile": {"Smiling": 0.5},
    "blond": {"Blond_Hair": 1.0},
    "grey": {"Gray_Hair": 1.0},
    "auburn": {"Hair": "auburn"},
    "violet and smiling": {"Hair": "#8a2be2", "Smiling": 1.0},
    "lips closed": {"Mouth_Slightly_Open": 0.0},
    "older": {"Young": 0.0},
}
"""Caption -> attributes of the edits of a photo's own pixels that are shown."""

TURNS: Mapping[str, float] = {"left": -12.0, "right": 12.0}
"""Side of the picture -> the yaw in degrees to which heads are turned there."""

LONGEST_SHOWN = 60
"""Characters of a photo's name: two of them make the name of a file."""


@dataclass(frozen=True)
class Shown:
    """One picture of the page."""

    file: str
    """Name of the picture's file in the folder out/."""
    caption: str
    """The line below the picture."""
    record: Mapping[str, object] | None = None
    """The record of how it was made; None for a photo as it was given."""


def own_photos(folder: Path) -> tuple[dict[str, Picture], list[str]]:
    """The user's photos in a folder, by name; and a sentence for each file that could not be read.

    Of two that differ in their ending only, the second keeps it in its name.
    """
    if not folder.is_dir():
        return {}, []
    photos: dict[str, Picture] = {}
    listing = list_folder(folder)
    complaints = missed(listing)
    for path in listing.pictures:
        try:
            photos[_called(path, photos)] = read_picture(path)
        except PictureError as error:
            complaints.append(str(error))
    return photos, complaints


def _called(path: Path, others: Collection[str]) -> str:
    """A photo's name as it can stand in the page and, beside another one, in names of files; different from the
    others'."""
    names = [printable(name, LONGEST_SHOWN).replace("\\", "-").replace("…", "-") for name in (path.stem, path.name)]
    return next((name for name in names if name not in others), f"{names[0]}-{len(others) + 1}")


def make_page(
    swapper: Swapper,
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
    attribute_editor: AttributeEditor | None = None,
    portrait_editor: PortraitEditor | None = None,
    latent_editor: LatentEditor | None = None,
    synthesizer: Synthesizer | None = None,
    check: Callable[[Sequence[Path]], None] | None = None,
    photo_editor: PhotoEditor | None = None,
) -> tuple[Path, list[str]]:
    """Edit the sample photos and every photo in folder/in; write folder/index.html and the pictures in folder/out.

    progress: called with the sections done and their number. attribute_editor: makes a sheet of each photo.
    portrait_editor: gives each photo of a pair parts of the other, in shape and in style. latent_editor: combines the
    two sample photos and morphs one into the other. synthesizer: draws new pictures of each photo's person. Sections of
    models that are None are left out. check: called with every path that is to be written before the first picture is
    made; raises where one of them may not be. photo_editor: edits each photo's own pixels.

    Returns the page's path and one sentence for each photo that had to be left out. Raises OutputError."""
    own, complaints = own_photos(folder / "in")
    usable = {}
    for name, photo in {**sample_photos(), **own}.items():
        try:
            swapper.subject(photo)
            usable[name] = photo
        except NoFaceError as error:
            complaints.append(f"{name}: {error}")
    page, out = folder / "index.html", folder / "out"
    sections = []
    jobs = list(_jobs(swapper, usable, photo_editor, attribute_editor, portrait_editor, latent_editor, synthesizer))
    if check:
        check([page, *(out / file for job in jobs for file in _files(job))])
    make_folder(out)
    for done, (title, originals, plan_pictures) in enumerate(jobs, start=1):
        shown = []
        for name in originals:
            write_copy(out / _copy_of(name), usable[name])
            shown.append(Shown(_copy_of(name), name.replace("_", " ")))
        try:
            for file, caption, make in plan_pictures():
                result = make()
                result.save(out / file)
                shown.append(Shown(file, caption, result.record))
        except (PictureError, TooYoungError) as error:  # one photo is no reason to show nothing of the others
            complaints.append(f"{title}: {error}")
        sections.append((title, shown))
        if progress:
            progress(done, len(jobs))
    text = _html(swapper, sections, complaints)
    write_atomically(page, lambda part: part.write_text(text, encoding="utf-8"))
    return page, complaints


Pictures = Iterator[tuple[str, str, Callable[[], Result]]]
"""The file and the caption of each picture of a section, and what makes it."""

Job = tuple[str, Sequence[str], Callable[[], Pictures]]
"""A section: its title, the photos shown beside it, and what lists its pictures."""


def _copy_of(name: str) -> str:
    """The name of the file in which a photo of this name is shown as it was given."""
    return f"{name}.jpg"


def _files(job: Job) -> list[str]:
    """The names of all files of a section."""
    _, originals, plan_pictures = job
    return [*map(_copy_of, originals), *(file for file, _, _ in plan_pictures())]


def _jobs(
    swapper: Swapper,
    photos: Mapping[str, Picture],
    photo_editor: PhotoEditor | None,
    attribute_editor: AttributeEditor | None,
    portrait_editor: PortraitEditor | None,
    latent_editor: LatentEditor | None,
    synthesizer: Synthesizer | None,
) -> Iterator[Job]:
    names = list(photos)
    first, second = names[0], names[1]
    for a, b in [(first, second), *((name, first) for name in names[2:])]:
        yield f"Swap: {a} and {b}", (a, b), partial(_swaps, photo_editor or swapper, swapper, photos, a, b)
        if portrait_editor is not None:
            yield f"Shape of the mouth: {a} and {b}", (), partial(_shapes, portrait_editor, photos, a, b)
            yield f"Style of the hair: {a} and {b}", (), partial(_styles, portrait_editor, photos, a, b)
    for name in names:
        if photo_editor is not None:
            yield f"Own pixels: {name}", (name,), partial(_own_pixels, photo_editor, photos[name], name)
        yield f"Edit: {name}", (name,), partial(_edits, swapper, photos[name], name)
        yield f"Random hair: {name}", (), partial(_random, swapper, photos[name], name)
        if attribute_editor is not None:
            yield f"Attributes: {name}", (), partial(_sheet, attribute_editor, photos[name], name)
        if synthesizer is not None:
            yield f"The same person: {name}", (name,), partial(_new_pictures, synthesizer, photos[name], name)
    yield f"Blend: {first} to {second}", (), partial(_blend, swapper, photos, first, second)
    if latent_editor is not None:
        yield f"Combine and morph: {first} and {second}", (), partial(_morph, latent_editor, photos, first, second)


def _swaps(editor: PhotoEditor | Swapper, swapper: Swapper, photos: Mapping[str, Picture], a: str, b: str) -> Pictures:
    for face, hair in ((a, b), (b, a)):
        yield (
            f"swap-{face}-on-{hair}.jpg",
            f"{face}'s face on {hair}",
            partial(editor.swap, photos[face], photos[hair]),
        )
    bare = partial(swapper.swap, photos[a], photos[b], stitch="none", detail="network")
    yield f"swap-{a}-on-{b}-network.jpg", f"{a}'s face on {b}, as the network paints it", bare


def _own_pixels(editor: PhotoEditor, photo: Picture, name: str) -> Pictures:
    for caption, attributes in OWN_EDITS.items():
        yield f"{name}-own-{caption.replace(' ', '-')}.jpg", caption, partial(editor.edit, photo, attributes)
    for side, yaw in TURNS.items():
        yield f"{name}-turned-{side}.jpg", f"turned to the {side}", partial(editor.turn, photo, yaw)


def _edits(swapper: Swapper, photo: Picture, name: str) -> Pictures:
    yield (
        f"{name}-smile.jpg",
        "smiling, face only",
        partial(swapper.edit, photo, {"Smiling": 1.0, "Mouth_Slightly_Open": 1.0}, region="face"),
    )
    blond = {"Blond_Hair": 1.0, "Black_Hair": 0.0, "Brown_Hair": 0.0, "Gray_Hair": 0.0}
    yield f"{name}-blond.jpg", "blond, hair only", partial(swapper.edit, photo, blond, region="hair")
    black = {"Black_Hair": 1.0, "Blond_Hair": 0.0, "Brown_Hair": 0.0, "Gray_Hair": 0.0}
    yield f"{name}-black.jpg", "black hair, hair only", partial(swapper.edit, photo, black, region="hair")
    yield f"{name}-older.jpg", "older, face and hair", partial(swapper.edit, photo, {"Young": 0.0}, region="both")


def _random(swapper: Swapper, photo: Picture, name: str) -> Pictures:
    yield (
        f"{name}-hair.jpg",
        "the photo, and its face under random hair",
        partial(swapper.random, photo, "hair", count=4),
    )
    yield (
        f"{name}-faces.jpg",
        "the photo, and random faces under its hair",
        partial(swapper.random, photo, "face", count=4),
    )


def _shapes(editor: PortraitEditor, photos: Mapping[str, Picture], a: str, b: str) -> Pictures:
    for one, other in ((a, b), (b, a)):
        repainted = partial(editor.repaint, photos[one], shape_from=photos[other], part="mouth")
        yield f"{one}-mouth-of-{other}.jpg", f"{one} with the shape of {other}'s mouth", repainted


def _styles(editor: PortraitEditor, photos: Mapping[str, Picture], a: str, b: str) -> Pictures:
    for one, other in ((a, b), (b, a)):
        yield (
            f"{one}-hair-of-{other}.jpg",
            f"{one}'s hair in {other}'s style",
            partial(editor.transfer, photos[one], photos[other], part="hair"),
        )


def _sheet(editor: AttributeEditor, photo: Picture, name: str) -> Pictures:
    caption = f"the photo, then {', '.join(editor.attributes)} flipped, with {editor.family}"
    yield f"{name}-attributes.jpg", caption, partial(editor.sheet, photo)


def _blend(swapper: Swapper, photos: Mapping[str, Picture], a: str, b: str) -> Pictures:
    yield (
        f"blend-{a}-{b}.jpg",
        "both parts in six steps, on the photos' own pixels",
        partial(swapper.blend, photos[a], photos[b], steps=6),
    )


def _new_pictures(synthesizer: Synthesizer, photo: Picture, name: str) -> Pictures:
    made = f"drawn by {synthesizer.family}" if synthesizer.own is None else "of the photo's own pixels"
    yield (
        f"{name}-person.jpg",
        f"new pictures of the person, {made}",
        partial(synthesizer.synthesize, photo, 9),
    )


MORPH_FRAMES = 7
"""Pictures of the morph that is shown."""


def _morph(editor: LatentEditor, photos: Mapping[str, Picture], a: str, b: str) -> Pictures:
    @cache  # the search takes minutes
    def latents() -> list[Latent]:
        return [editor.find(photos[name]) for name in (a, b)]

    def strip() -> Result:
        frames = list(editor.morph(latents(), MORPH_FRAMES, ease="linear"))
        record = editor.record("morph", {"faces": [a, b], "frames": MORPH_FRAMES})
        return Result(grid(frames, MORPH_FRAMES), record)

    yield f"combined-{a}-{b}.jpg", f"half of each, by {editor.family}", lambda: editor.combine(latents())
    yield f"morph-{a}-{b}.jpg", f"a morph from {a} to {b}, through the latents", strip


def _html(swapper: Swapper, sections: Sequence[tuple[str, Sequence[Shown]]], complaints: Sequence[str]) -> str:
    """The page: a paragraph for each complaint, and a section for each title and its pictures."""
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Masque</title><style>{STYLE}</style><h1>Masque</h1>",
        f"<p>Made on this machine with {html.escape(swapper.family)}, {swapper.size} px, weights {swapper.weights}. ",
        "Put your own photos (of people who agree) into <code>demo/in/</code> "
        "and run <code>make demo</code> again.</p>",
    ]
    parts += [f"<p><strong>Left out:</strong> {html.escape(text)}</p>" for text in complaints]
    for title, shown in sections:
        parts.append(f"<section><h2>{html.escape(title.replace('_', ' '))}</h2><div class=row>")
        parts += [_figure(one) for one in shown]
        parts.append("</div></section>")
    return "\n".join(parts) + "</html>\n"


def _figure(shown: Shown) -> str:
    """One picture of the page, with its caption and its record."""
    record, caption = "", html.escape(shown.caption.replace("_", " "))
    if shown.record:
        values = html.escape(json.dumps(shown.record, indent=1))
        record = f"<details><summary>record</summary><pre>{values}</pre></details>"
    image = f'<img src="out/{quote(shown.file)}" alt="{caption}">'
    return f"<figure>{image}<figcaption>{caption}{record}</figcaption></figure>"
