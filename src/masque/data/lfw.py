"""Labeled Faces in the Wild by its official protocol (Huang et al. 2007): the pairs, and the face that each of their
pictures is about.

DIR/pairs.txt                     "10 300": folds, and pairs of each kind in a fold; then fold by fold
                                  "Name 1 4", pairs of one person, and "Name 1 Other_Name 2", pairs of two
DIR/*/<Name>/<Name>_0001.jpg      all the pictures, of which the pairs name some; the folder * may be missing
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from masque.data.lists import read_columns
from masque.data.pool import parallel_map
from masque.errors import DataError, printable
from masque.faces.detect import Face, Landmarks, face_at, find_faces, identity, landmarks_in
from masque.faces.frame import cut_frame
from masque.folders import is_name, list_folder
from masque.image import Picture, read_picture

DEFAULT_PLACE = (0.25, 0.25, 0.5, 0.5)
"""Where a face is taken to be when none was found in any picture: see `AlignedFace.place`."""


@dataclass(frozen=True)
class Pairs:
    """N pairs of M pictures."""

    pictures: tuple[Path, ...]
    """(M,) every picture that the pairs name, once."""
    sides: NDArray[np.int64]
    """(N,2) the two pictures of each pair, by their place in `pictures`."""
    same: NDArray[np.bool_]
    """(N,): whether the two pictures of each pair show one person."""
    fold: NDArray[np.int64]
    """(N,) the fold of each pair, from 0 on."""


@dataclass(frozen=True)
class AlignedFace:
    """The face that one of LFW's pictures is about."""

    frame: Picture
    """The aligned face frame, RGB uint8 (218s,178s,3)."""
    embedding: NDArray[np.float32]
    """(128,), dlib's: see `masque.faces.detect.identity`."""
    place: tuple[float, float, float, float]
    """left, top, width, height of the face's square, as shares of the picture's width and height."""


def read_pairs(root: Path) -> Pairs:
    """LFW's pairs and where their pictures are.

    Raises DataError when the folder, pairs.txt or a picture is missing, and for a line that is not of the format.
    """
    if not root.is_dir():
        raise DataError(f"There is no folder {root}: name the folder that holds LFW's pairs.txt and its pictures.")
    path = root / "pairs.txt"
    if not path.is_file():
        raise DataError(f"There is no pairs.txt in {root}: put LFW's there, beside the folder of its pictures.")
    count, rows = _rows(path)
    numbers: dict[tuple[str, int], int] = {}
    sides = [[numbers.setdefault(picture, len(numbers)) for picture in row] for row in rows]
    place = np.arange(len(rows))
    return Pairs(_pictures(root, list(numbers)), np.array(sides), place // count % 2 == 0, place // (2 * count))


def _rows(path: Path) -> tuple[int, list[tuple[tuple[str, int], tuple[str, int]]]]:
    """Pairs of each kind in a fold, and for each pair its two pictures as name and number."""
    lines = read_columns(path)
    while lines and not lines[-1]:
        lines.pop()
    first = lines[0] if lines else []
    if len(first) != 2 or not all(map(_whole, first)) or int(first[0]) < 2 or int(first[1]) < 1:
        raise DataError(
            f"Line 1 of {path} is not the number of folds, from 2 on, and of pairs in each: fetch LFW's pairs.txt "
            "again."
        )
    folds, count = map(int, first)
    rows = []
    for number, words in enumerate(lines[1:], start=2):
        same = (number - 2) // count % 2 == 0
        names, places = words[:1] if same else words[::2], words[1:] if same else words[1::2]
        if len(words) != (3 if same else 4) or not all(map(_whole, places)):
            form = "a name and two numbers" if same else "two names, each with a number"
            raise DataError(
                f"Line {number} of {path} is {printable(' '.join(words))!r} and should be {form}: fetch LFW's "
                "pairs.txt again."
            )
        if not all(is_name(name) and is_name(_file(name, 1)) for name in names):
            raise DataError(
                f"Line {number} of {path} names {printable(names[0])}, which is no person's: fetch LFW's pairs.txt "
                "again."
            )
        one, other = names[0], names[-1]
        rows.append(((one, int(places[0])), (other, int(places[1]))))
    if len(rows) != 2 * folds * count:
        raise DataError(
            f"{path} has {len(rows)} pairs and its first line promises {2 * folds * count}: fetch LFW's pairs.txt "
            "again."
        )
    return count, rows


def _whole(word: str) -> bool:
    return word.isdecimal() and len(word) < 7


def _file(name: str, number: int) -> str:
    return f"{name}_{number:04d}.jpg"


def _pictures(root: Path, named: Sequence[tuple[str, int]]) -> tuple[Path, ...]:
    """The files of these pictures, in the folder that holds most of the people."""
    people = {name for name, _ in named}
    listings = [top := list_folder(root), *map(list_folder, top.folders)]
    folder = max(listings, key=lambda listing: len(people & {person.name for person in listing.folders})).path
    paths = tuple(folder / name / _file(name, number) for name, number in named)
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise DataError(
            f"There is no {missing[0]}, and pairs.txt names it: {len(missing)} of the {len(paths)} pictures that the "
            "protocol needs are missing, so unpack all of LFW there."
        )
    return paths


def aligned_faces(
    paths: Sequence[Path], scale: float, workers: int | None = None
) -> Iterator[tuple[int, AlignedFace, bool]]:
    """Place in `paths`, face, and whether it was found; once for every picture, those in which none was found last.

    scale: of the face frames, in pixels per CelebA pixel. LFW's pictures are centred and aligned: where no face is
    found, it is taken to be where the faces of the others are (the median of their squares). Raises PictureError for a
    file that cannot be read."""
    places, not_found = [], []
    for number, face in enumerate(parallel_map(partial(_face_found, scale=scale), paths, workers, ordered=True)):
        if face is None:
            not_found.append(number)
        else:
            places.append(face.place)
            yield number, face, True
    place = tuple(np.median(places, axis=0).tolist()) if places else DEFAULT_PLACE
    rest = [paths[number] for number in not_found]
    assumed = parallel_map(partial(_face_assumed, scale=scale, place=place), rest, workers, ordered=True)
    for number, assumed_face in zip(not_found, assumed, strict=True):
        yield number, assumed_face, False


def face_at_centre(photo: Picture) -> Face | None:
    """The face that an LFW picture is about, the one that holds its centre; None where none of 40 pixels was found
    there."""
    return face_at(find_faces(photo), (photo.shape[1] - 1) / 2, (photo.shape[0] - 1) / 2)


def _face_found(path: Path, scale: float) -> AlignedFace | None:
    photo = read_picture(path)
    face = face_at_centre(photo)
    return None if face is None else _aligned(photo, face.landmarks, face.box, scale)


def _face_assumed(path: Path, scale: float, place: tuple[float, ...]) -> AlignedFace:
    photo = read_picture(path)
    height, width = photo.shape[:2]
    left, top, across, down = (round(share * side) for share, side in zip(place, (width, height) * 2, strict=True))
    box = left, top, max(1, across), max(1, down)
    return _aligned(photo, landmarks_in(photo, box), box, scale)


def _aligned(photo: Picture, landmarks: Landmarks, box: tuple[int, int, int, int], scale: float) -> AlignedFace:
    height, width = photo.shape[:2]
    left, top, across, down = box
    place = left / width, top / height, across / width, down / height
    return AlignedFace(cut_frame(photo, landmarks, scale).picture, identity(photo, landmarks), place)
