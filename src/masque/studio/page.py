"""The demonstration: what Masque does, on real photos, as one page of pictures with their records."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from masque.edits.loaded import AttributeEditor, LatentEditor, PortraitEditor, Swapper, Synthesizer
from masque.edits.result import Result
from masque.errors import NoFaceError, PictureError, printable
from masque.folders import list_folder, missed
from masque.image import Picture, grid, read_picture, write_picture
from masque.output import make_folder, write_atomically

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; color: #222; }
section { margin: 2.5rem 0; } .row { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
figure { margin: 0; } img { max-height: 22rem; max-width: 100%; border-radius: 4px; display: block; }
figcaption { font-size: .9rem; color: #555; } pre { font-size: .75rem; background: #f4f4f4; padding: .5rem; overflow-x: auto;
  max-width: 36rem; }
"""


LONGEST_SHOWN = 60
"""Characters of a photo's name: two of them make the name of a file."""


@dataclass(frozen=True)
class Shown:
    """One picture of the page."""

    file: str
    caption: str
    record: Mapping[str, object] | None = None


def sample_photos() -> dict[str, Picture]:
    """The two public-domain portraits that come inside scikit-image and matplotlib: both of NASA and the US Navy."""
    import matplotlib.cbook
    import skimage.data

    hopper = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    astronaut: Picture = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    return {"astronaut": astronaut, "grace_hopper": read_picture(str(hopper))}


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
    session: Swapper,
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
    translator: AttributeEditor | None = None,
    painter: PortraitEditor | None = None,
    latents: LatentEditor | None = None,
    synthesizer: Synthesizer | None = None,
) -> tuple[Path, list[str]]:
    """Run the main job on the sample photos and on every photo in folder/in; write folder/index.html and the pictures
    in folder/out.

    translator: where one is given, what it makes of each photo is shown as a sheet. painter: where one is given, each
    photo of a pair takes parts of the other, in shape and in style. latents: where given, the two sample photos'
    latents are combined and a morph leads from one to the other. synthesizer: where one is given, it draws new pictures
    of each photo's person. Returns the page's path and one sentence for each photo that had to be left out. Raises
    OutputError."""
    photos = sample_photos()
    mine, complaints = own_photos(folder / "in")
    usable = {}
    for name, photo in {**photos, **mine}.items():
        try:
            session.subject(photo)
            usable[name] = photo
        except NoFaceError as error:
            complaints.append(f"{name}: {error}")
    out = folder / "out"
    make_folder(out)
    sections, jobs = [], list(_jobs(session, usable, translator, painter, latents, synthesizer))
    for done, (title, originals, work) in enumerate(jobs, start=1):
        shown = []
        for name in originals:
            write_picture(out / f"{name}.jpg", usable[name])
            shown.append(Shown(f"{name}.jpg", name.replace("_", " ")))
        try:
            for file, caption, result in work():
                result.save(out / file)
                shown.append(Shown(file, caption, result.record))
        except (
            PictureError
        ) as error:  # a part that cannot be seen in a photo is no reason to show nothing of the others
            complaints.append(f"{title}: {error}")
        sections.append((title, shown))
        if progress:
            progress(done, len(jobs))
    page = folder / "index.html"
    text = _html(session, sections, complaints)
    write_atomically(page, lambda part: part.write_text(text, encoding="utf-8"))
    return page, complaints


Work = Callable[[], Iterator[tuple[str, str, Result]]]


def _jobs(
    session: Swapper,
    photos: Mapping[str, Picture],
    translator: AttributeEditor | None,
    painter: PortraitEditor | None,
    latents: LatentEditor | None,
    synthesizer: Synthesizer | None,
) -> Iterator[tuple[str, Sequence[str], Work]]:
    names = list(photos)
    first, second = names[0], names[1]
    pairs = [(first, second), *((name, first) for name in names[2:])]
    for a, b in pairs:
        yield f"Swap: {a} and {b}", (a, b), lambda a=a, b=b: _swaps(session, photos, a, b)  # type: ignore[misc]
        if painter is not None:
            yield f"Shape of the mouth: {a} and {b}", (), lambda a=a, b=b: _shapes(painter, photos, a, b)  # type: ignore[misc]
            yield f"Style of the hair: {a} and {b}", (), lambda a=a, b=b: _styles(painter, photos, a, b)  # type: ignore[misc]
    for name in names:
        yield f"Edit: {name}", (name,), lambda name=name: _edits(session, photos[name], name)  # type: ignore[misc]
        yield f"Random hair: {name}", (), lambda name=name: _random(session, photos[name], name)  # type: ignore[misc]
        if translator is not None:
            yield f"Attributes: {name}", (), lambda name=name: _sheet(translator, photos[name], name)  # type: ignore[misc]
        if synthesizer is not None:
            yield f"The same person: {name}", (name,), lambda name=name: _drawn(synthesizer, photos[name], name)  # type: ignore[misc]
    yield f"Blend: {first} to {second}", (), lambda: _blend(session, photos, first, second)
    if latents is not None:
        yield f"Combine and morph: {first} and {second}", (), lambda: _morph(latents, photos, first, second)


def _swaps(session: Swapper, photos: Mapping[str, Picture], a: str, b: str) -> Iterator[tuple[str, str, Result]]:
    for face, hair in ((a, b), (b, a)):
        yield f"swap-{face}-on-{hair}.jpg", f"{face}'s face on {hair}", session.swap(photos[face], photos[hair])
    bare = session.swap(photos[a], photos[b], stitch="none", detail="network")
    yield f"swap-{a}-on-{b}-network.jpg", f"{a}'s face on {b}, as the network paints it", bare


def _edits(session: Swapper, photo: Picture, name: str) -> Iterator[tuple[str, str, Result]]:
    yield (
        f"{name}-smile.jpg",
        "smiling, face only",
        session.edit(photo, {"Smiling": 1.0, "Mouth_Slightly_Open": 1.0}, region="face"),
    )
    blond = {"Blond_Hair": 1.0, "Black_Hair": 0.0, "Brown_Hair": 0.0, "Gray_Hair": 0.0}
    yield f"{name}-blond.jpg", "blond, hair only", session.edit(photo, blond, region="hair")
    black = {"Black_Hair": 1.0, "Blond_Hair": 0.0, "Brown_Hair": 0.0, "Gray_Hair": 0.0}
    yield f"{name}-black.jpg", "black hair, hair only", session.edit(photo, black, region="hair")
    yield f"{name}-older.jpg", "older, face and hair", session.edit(photo, {"Young": 0.0}, region="both")


def _random(session: Swapper, photo: Picture, name: str) -> Iterator[tuple[str, str, Result]]:
    yield f"{name}-hair.jpg", "the photo, and its face under random hair", session.random(photo, "hair", count=4)
    yield f"{name}-faces.jpg", "the photo, and random faces under its hair", session.random(photo, "face", count=4)


def _shapes(
    painter: PortraitEditor, photos: Mapping[str, Picture], a: str, b: str
) -> Iterator[tuple[str, str, Result]]:
    for one, other in ((a, b), (b, a)):
        result = painter.repaint(photos[one], shape_from=photos[other], part="mouth")
        yield f"{one}-mouth-of-{other}.jpg", f"{one} with the shape of {other}'s mouth", result


def _styles(
    painter: PortraitEditor, photos: Mapping[str, Picture], a: str, b: str
) -> Iterator[tuple[str, str, Result]]:
    for one, other in ((a, b), (b, a)):
        yield (
            f"{one}-hair-of-{other}.jpg",
            f"{one}'s hair in {other}'s style",
            painter.transfer(photos[one], photos[other], part="hair"),
        )


def _sheet(translator: AttributeEditor, photo: Picture, name: str) -> Iterator[tuple[str, str, Result]]:
    caption = f"the photo, then {', '.join(translator.attributes)} turned round, with {translator.family}"
    yield f"{name}-attributes.jpg", caption, translator.sheet(photo)


def _blend(session: Swapper, photos: Mapping[str, Picture], a: str, b: str) -> Iterator[tuple[str, str, Result]]:
    yield (
        f"blend-{a}-{b}.jpg",
        "both parts in six steps, as the network paints them",
        session.blend(photos[a], photos[b], steps=6),
    )


def _drawn(synthesizer: Synthesizer, photo: Picture, name: str) -> Iterator[tuple[str, str, Result]]:
    yield (
        f"{name}-person.jpg",
        f"new pictures of the person, drawn by {synthesizer.family}",
        synthesizer.synthesize(photo, 9),
    )


MORPH = 7
"""Frames of the morph that is shown."""


def _morph(latents: LatentEditor, photos: Mapping[str, Picture], a: str, b: str) -> Iterator[tuple[str, str, Result]]:
    found = [latents.find(photos[name]) for name in (a, b)]
    yield f"combined-{a}-{b}.jpg", f"half of each, by {latents.family}", latents.combine(found)
    strip = Result(
        grid(list(latents.morph(found, MORPH, ease="linear")), MORPH),
        latents.record("morph", {"faces": [a, b], "frames": MORPH}),
    )
    yield f"morph-{a}-{b}.jpg", f"a morph from {a} to {b}, through the latents", strip


def _html(session: Swapper, sections: Sequence[tuple[str, Sequence[Shown]]], complaints: Sequence[str]) -> str:
    parts = [f"<!doctype html><html lang=en><meta charset=utf-8><title>Masque</title><style>{STYLE}</style><h1>Masque</h1>",
             f"<p>Made on this machine with {html.escape(session.family)}, {session.size} px, weights {session.weights}. ",
             "Put your own photos (of people who agree) into <code>demo/in/</code> and run <code>make demo</code> again.</p>"]  # fmt: skip
    parts += [f"<p><strong>Left out:</strong> {html.escape(text)}</p>" for text in complaints]
    for title, shown in sections:
        parts.append(f"<section><h2>{html.escape(title.replace('_', ' '))}</h2><div class=row>")
        for one in shown:
            record = (
                f"<details><summary>record</summary><pre>{html.escape(json.dumps(one.record, indent=1))}</pre></details>"
                if one.record
                else ""
            )
            caption = html.escape(one.caption.replace("_", " "))
            parts.append(
                f'<figure><img src="out/{quote(one.file)}" alt="{caption}"><figcaption>{caption}{record}</figcaption></figure>'
            )
        parts.append("</div></section>")
    return "\n".join(parts) + "</html>\n"
