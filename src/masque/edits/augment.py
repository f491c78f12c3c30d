"""Enlarging a face recogniser's data with new pictures of the same people (FaceFeat-GAN, Section 1 and Table 2)."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch

from masque.data.layouts import list_data_set
from masque.data.pool import parallel_map
from masque.data.sources import Source
from masque.edits.facefeat import FaceFeatSession
from masque.edits.result import Result
from masque.edits.subject import find_subject
from masque.errors import DataError, NoFaceError, OutputError, PictureError, ValueRangeError, printable
from masque.faces.tones import fade, is_grey
from masque.folders import LONGEST_NAME
from masque.given import output_path, seed_of, whole
from masque.image import Picture, to_pictures, to_tensor
from masque.output import check_folder, make_folder, refused

AT_ONCE = 16
"""Photos whose features are read, and whose pictures are drawn, together."""


@dataclass(frozen=True)
class Augmented:
    """What `augment` copied and drew."""

    people: int
    """How many folders of people there are."""
    photos: int
    """How many photos were copied."""
    made: int
    """How many new pictures were drawn."""
    without: int
    """How many photos show no face that was found: they were copied, and nothing was drawn of them."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Reason -> how many files were not copied for it."""


@dataclass(frozen=True)
class Waiting:
    """A photo that new pictures are to be drawn of."""

    number: int
    """Place of the photo among all photos, from 0 on."""
    copy: Path
    """Path that the photo was copied to."""
    stem: str
    """What its new pictures are called after: its name, with its ending where another photo beside it has the same
    stem."""
    crop: Picture
    """The hair crop (S,S,3) of its face."""


def augment(
    session: FaceFeatSession,
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    per_picture: int = 5,
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Augmented:
    """Copy identity folders, with new pictures of the person beside each photo.

    folder: one folder of photos for each person.
    out: a folder that does not exist yet; `anna/1.jpg` is `out/anna/1.jpg` and `out/anna/1-new1.png` … there, and so at
        any depth.
    per_picture: how many new pictures are drawn of each photo, at least 1.
    seed: the same seed gives the same pictures.
    workers: processes that look for faces; one per core if None.
    progress: called with the photos done and their number.

    Raises DataError for a folder without such folders or without a face, OutputError where `out` exists or cannot be
    written, ValueRangeError. A run that fails leaves nothing."""
    per_picture, seed = whole("per_picture", per_picture), seed_of(seed)
    if per_picture < 1:
        raise ValueRangeError(f"{per_picture} new pictures cannot be drawn of a photo: ask for one at least.")
    source, target = Path(folder), output_path(out)
    if target.exists():
        raise OutputError(f"{target} exists already: choose a new folder.")
    if target.resolve().is_relative_to(source.resolve()):
        raise OutputError(f"{target} lies in {source}, which it is to enlarge: choose a folder elsewhere.")
    found = list_data_set(source, "identities", held_out=0)
    count = len(found.sources)
    with _written_whole(target) as part:
        made, without = _fill(session, found.sources, found.base, part, per_picture, seed, workers, progress)
        if without == count:
            raise DataError(
                f"In none of the {without} photos in {source} a face was found: Masque needs photos of faces."
            )
    return Augmented(found.people, count, made, without, dict(+found.left_out))


@contextmanager
def _written_whole(out: Path) -> Iterator[Path]:
    """A folder to fill that becomes `out` when all is written, and is removed where that fails.

    Raises OutputError where it cannot be written, DataError for a file elsewhere that cannot be read."""
    check_folder(out)
    make_folder(out.parent)
    try:
        part = Path(tempfile.mkdtemp(prefix=f".{out.name[:50]}.", suffix=".part", dir=out.parent))
    except OSError as error:
        raise refused(out, error) from None
    try:
        yield part
        part.chmod(0o755)
        part.rename(out)
    except OSError as error:
        if error.filename is not None and not Path(str(error.filename)).is_relative_to(part):
            raise DataError(
                f"{printable(error.filename)} could not be read ({error.strerror}): check its permissions."
            ) from None
        raise refused(out, error) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _fill(
    session: FaceFeatSession,
    sources: Sequence[Source],
    base: Path,
    out: Path,
    per_picture: int,
    seed: int,
    workers: int | None,
    progress: Callable[[int, int], None] | None,
) -> tuple[int, int]:
    """Copy all photos, which lie in `base`, to `out` and draw new ones beside them; the numbers of new pictures and of
    photos without a face."""
    made = without = 0
    stems = Counter(source.path.with_suffix("") for source in sources)
    waiting: list[Waiting] = []
    crops = parallel_map(partial(_crop, size=session.size), [source.path for source in sources], workers, ordered=True)
    for number, (source, crop) in enumerate(zip(sources, crops, strict=True)):
        copy = out / source.path.relative_to(base)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source.path, copy)
        if crop is None:
            without += 1
        else:
            waiting.append(
                Waiting(number, copy, copy.stem if stems[source.path.with_suffix("")] == 1 else copy.name, crop)
            )
        if len(waiting) == AT_ONCE or (waiting and number == len(sources) - 1):
            made += _draw(session, waiting, per_picture, seed)
            waiting = []
        if progress:
            progress(number + 1, len(sources))
    return made, without


def _draw(session: FaceFeatSession, waiting: Sequence[Waiting], per_picture: int, seed: int) -> int:
    """Write `per_picture` new pictures beside each of some photos; how many."""
    with session.inference():
        f_id = session.model.extract(to_tensor([photo.crop for photo in waiting]).to(session.device))[0]
        # What is drawn for a photo depends on its place alone, not on which others are drawn with it.
        seeds = torch.tensor(
            [[photo.number * per_picture + k for k in range(per_picture)] for photo in waiting]
        ).flatten()
        drawn = session.model.sample_features((seeds + 1_000_003 * seed).to(session.device), "augment")
        pictures = to_pictures(session.model.G_I(f_id.repeat_interleave(per_picture, dim=0), *drawn).clamp(-1, 1))
    for at, photo in enumerate(waiting):
        grey = is_grey(photo.crop)
        for k in range(per_picture):
            record = session.record(
                "augment", {"photo": printable(photo.copy.name, LONGEST_NAME), "number": k + 1, "seed": seed}
            )
            made = pictures[at * per_picture + k]
            Result(fade(made, 0.0) if grey else made, record).save(photo.copy.with_name(f"{photo.stem}-new{k + 1}.png"))
    return len(waiting) * per_picture


def _crop(path: Path, size: int) -> Picture | None:
    """The hair crop (S,S,3) of a photo's face; None where none is found."""
    try:
        subject = find_subject(path, size)
    except (NoFaceError, PictureError):
        return None
    picture: Picture = to_pictures(subject.image)[0]
    return picture
