"""One face of one photo, as a network takes it: what every edit begins with, whatever the family."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import IO, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from masque.edits.found import Found, kept
from masque.edits.result import Original, Result
from masque.errors import PictureError, UnknownAttributeError, ValueRangeError, nearest, printable
from masque.faces.added import Added
from masque.faces.change import Change, Pixels
from masque.faces.detect import Face, Landmarks, choose_face, find_faces, identity, landmarks_in
from masque.faces.dye import Dye
from masque.faces.frame import Frame, Matrix, chain, cut_frame, transform, zoom
from masque.faces.labels import Labels
from masque.faces.regions import FACE_CROP, HAIR_CROP, Crop, Mask, cut_crop, hull_mask
from masque.faces.tones import is_grey
from masque.folders import LONGEST_NAME
from masque.given import share
from masque.image import Picture, from_pillow, read_picture, to_tensor

LARGEST_FILE = 10**9
"""Bytes that are read from an open file: what has more is no photo."""

Detail = Literal["keep", "network"]
"""`keep`: the network's change is added to the photo's own pixels. `network`: the network's picture itself."""


@dataclass(frozen=True)
class Subject:
    """One face of one photo, as the network takes it."""

    name: str
    """What to call the photo in a message or a record."""
    photo: Picture
    """The whole photo, (H,W,3)."""
    face: Face
    """Where the face lies in the photo."""
    frame: Frame
    """The aligned face frame, which both crops are cut from."""
    size: int
    """Side S of the crops in pixels."""
    image: Tensor
    """The hair crop, x: (1,3,S,S) in [-1,1]."""
    image_hull: Tensor
    """The face mask within the hair crop: (1,1,S,S) in [0,1]."""
    face_crop: Tensor
    """The face crop: (1,3,S,S) in [-1,1]."""
    face_hull: Tensor
    """The face mask within the face crop: (1,1,S,S) in [0,1]."""
    first: Original | None = None
    """Where `photo` is an edit's result: the photo as it was before any edit."""
    earlier: Change | None = None
    """Where `photo` is an edit's result: how that photo was changed until now."""
    found: Found = field(default_factory=Found, compare=False, repr=False)
    """What edits have found of the face, whatever the size of its crops: the next one need not find it again."""

    def changed(self, change: Change) -> tuple[Picture, Change]:
        """The photo with a change, and the whole change of the photo as it was before any edit. It is applied to that
        photo, so that pixels which move in several edits are resampled once."""
        if self.first is None or self.earlier is None:
            return change.apply(self.photo), change
        whole = self.earlier.then(change)
        return whole.apply(self.first.photo), whole

    def whole(self, change: Change) -> Change:
        """The change of the photo as it was before any edit, where `change` is how it changes now."""
        return change if self.earlier is None else self.earlier.then(change)

    @property
    def original(self) -> Original:
        """The photo as it was before any edit."""
        return self.first or Original(self.name, self.photo, self.face)

    @property
    def matrix(self) -> Matrix:
        """Photo pixels -> pixels of x."""
        return chain(self.frame.matrix, HAIR_CROP.to_crop(self.size, self.frame.scale))

    @property
    def landmarks(self) -> Landmarks:
        """(68,2) in pixels of x."""
        return transform(self.face.landmarks, self.matrix)

    @property
    def embedding(self) -> NDArray[np.float32]:
        """dlib's identity embedding of the face in the photo."""
        return self.found.once("embedding", lambda: kept(identity(self.photo, self.face.landmarks)))

    @cached_property
    def grey(self) -> bool:
        """Whether the photo is black and white where the face is."""
        return is_grey(self.frame.picture)


Photo = Picture | str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | Image.Image | Result | Subject
"""RGB uint8 (H,W,3); a file's path, its content, or the open file; a Pillow picture of any mode; an edit's result; or a
face that was found already."""

Shares = NDArray[np.float32]
"""(11,S,S): how sure a face parser is of each label of Table 3.1 at each pixel of the hair crop, summing to 1."""


class SubjectParser(Protocol):
    """What finds the parts of a face: `masque.edits.parser.ParserSession`."""

    def shares(self, subject: Subject) -> Shares:
        """How sure each label is at each pixel of a subject's x, (11,S,S) summing to 1."""

    def labels(self, subject: Subject) -> Labels:
        """The label map (H,W) of a subject's whole photo, as `masque parse` writes it."""


def as_photo(photo: Photo) -> tuple[Picture, str]:
    """The pixels, and what to call them in a message. Raises PictureError, also for what is no photo in any of the ways
    of `Photo`."""
    if isinstance(photo, np.ndarray):
        return _of_array(photo), UNNAMED
    if isinstance(photo, Subject):
        return photo.photo, photo.name
    if isinstance(photo, Result):
        return photo.picture, UNNAMED if photo.original is None else photo.original.name
    if isinstance(photo, Image.Image):
        return from_pillow(photo), _named(getattr(photo, "filename", None))
    if isinstance(photo, bytes | bytearray | memoryview):
        return read_picture(BytesIO(photo)), UNNAMED
    if isinstance(photo, str | os.PathLike):
        path = os.fsdecode(photo)
        return read_picture(path), _named(path)
    if callable(getattr(photo, "read", None)):
        return read_picture(BytesIO(_content(photo))), _named(getattr(photo, "name", None))
    raise PictureError(f"{type(photo).__name__} is no kind of photo: {WAYS}.")


UNNAMED = "the photo"
UNDYED = "undyed"
"""What a subject as it would be seen without dyed hair is kept under: see `undyed`."""
PICKED = "The face is given and need not be picked: leave out the pick, or give the photo."
WAYS = "give a path, an open file or its bytes, a Pillow picture, or RGB pixels as uint8 (H, W, 3)"


def _named(path: object) -> str:
    name = Path(path).name if isinstance(path, str) else ""
    return printable(name, LONGEST_NAME) or UNNAMED


def _of_array(pixels: NDArray[np.generic]) -> Picture:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise PictureError(
            f"The photo is an array of {pixels.dtype} {pixels.shape}: give RGB pixels as uint8 (H, W, 3), or a path."
        )
    return np.ascontiguousarray(pixels)


def _content(file: IO[bytes]) -> bytes:
    """All that is in an open file, from its beginning where it can be gone back to."""
    try:
        with suppress(AttributeError, OSError):
            file.seek(0)
        content = file.read(LARGEST_FILE + 1)
    except Exception as error:  # whatever the file of a program is
        raise PictureError(f"The photo's file cannot be read ({printable(error)}): {WAYS}.") from None
    if not isinstance(content, bytes | bytearray | memoryview):
        raise PictureError(f"The photo's file gives {type(content).__name__} and not bytes: open it as 'rb'.")
    if len(content) > LARGEST_FILE:
        raise PictureError(f"The photo's file has more than {LARGEST_FILE // 10**6} MB: give a smaller one.")
    return bytes(content)


def find_subject(photo: Photo, size: int, pick: int | None = None, device: torch.device | str = "cpu") -> Subject:
    """Find the face to work on in a photo and cut it out for a network of `size` pixels.

    photo: where it is an edit's result, its face is where the edit has left it, unless another is picked; a face that
    was found already is not looked for again. pick: which of several, from 1 on; the largest if None. device: where its
    tensors are. Raises PictureError, NoFaceError, and ValueRangeError for a pick where the face is given."""
    if isinstance(photo, Subject):
        if pick is not None:
            raise ValueRangeError(PICKED)
        return cut_again(photo, size, device)
    if isinstance(photo, Result) and photo.original is not None and photo.change is not None and pick is None:
        return _left_by(photo, photo.original, photo.change, size, device)
    pixels, name = as_photo(photo)
    started = time.monotonic()
    faces = find_faces(pixels)
    many = "1 face" if len(faces) == 1 else f"{len(faces)} faces"
    logging.getLogger(__name__).info("Found %s in %s in %.1f s.", many, name, time.monotonic() - started)
    return cut_subject(pixels, choose_face(faces, pick, name=name), size, name, device)


def _left_by(result: Result, first: Original, change: Change, size: int, device: torch.device | str) -> Subject:
    """The face of a result, where an edit has moved it; what was painted may have other landmarks, which are found near
    where the face was."""
    moved = change.move_points(first.face.landmarks)
    painted = any(isinstance(layer, Pixels | Added) for layer in change.layers)
    landmarks = landmarks_in(result.picture, first.face.box) if painted else moved
    subject = cut_subject(result.picture, replace(first.face, landmarks=landmarks), size, first.name, device)
    return replace(subject, first=first, earlier=change)


def cut_subject(
    photo: Picture, face: Face, size: int, name: str = "the photo", device: torch.device | str = "cpu"
) -> Subject:
    """The subject around a face that has been found already.

    size: side of the crops in pixels. name: what to call the photo. device: where the tensors are."""
    scale = size / 128
    frame = cut_frame(photo, face.landmarks, scale)

    def cut(crop: Crop) -> tuple[Tensor, Tensor]:
        mask = hull_mask(frame.landmarks, (size, size), crop.to_crop(size, scale))
        hull = torch.from_numpy(mask)[None, None].float().div(255)
        return to_tensor(cut_crop(frame.picture, crop, size, scale)).to(device), hull.to(device)

    return Subject(name, photo, face, frame, size, *cut(HAIR_CROP), *cut(FACE_CROP))


def cut_again(subject: Subject, size: int, device: torch.device | str = "cpu") -> Subject:
    """A subject for a network of `size` pixels on a device: itself where it is one already. What was found of it, and
    what its photo was before any edit, stay known."""
    wanted, at = torch.device(device), subject.image.device
    if subject.size == size and at.type == wanted.type and wanted.index in (None, at.index):
        return subject
    cut = cut_subject(subject.photo, subject.face, size, subject.name, device)
    return replace(cut, first=subject.first, earlier=subject.earlier, found=subject.found)


def undyed(subject: Subject) -> Subject:
    """A subject whose hair was dyed by earlier edits, as it would be seen if that had kept its colour; others as they
    are. No parser has learnt from violet or green hair."""
    first, earlier = subject.first, subject.earlier
    others = () if earlier is None else tuple(layer for layer in earlier.layers if not isinstance(layer, Dye))
    dyed = first is not None and earlier is not None and len(others) < len(earlier.layers)

    def find() -> Subject:
        assert first is not None
        assert earlier is not None
        photo = replace(earlier, layers=others).apply(first.photo)
        return cut_subject(photo, subject.face, subject.size, subject.name, subject.image.device)

    return subject.found.once(UNDYED, find) if dyed or subject.found.knows(UNDYED) else subject


def set_attributes(c: Tensor, names: Sequence[str], values: Mapping[str, float]) -> Tensor:
    """Attributes (1,A) in which some are set.

    c: the attributes before. names: of all A. values: in [0,1], of those that are set. Raises UnknownAttributeError
    (naming the nearest) and ValueRangeError for a value outside [0,1]."""
    changed = c.clone()
    for name, value in values.items():
        if name not in names:
            raise UnknownAttributeError(f"This model knows no attribute {name}; {nearest(name, names)}.")
        changed[:, names.index(name)] = share(name, value)
    return changed


def exclude_rivals(
    c: Tensor, names: Sequence[str], values: Mapping[str, float], rivals: Collection[str]
) -> tuple[Tensor, dict[str, float]]:
    """Attributes (1,A) in which the rivals of those that were set are lowered, and what was lowered to which value.

    c: the attributes with `values` set already. names: of all A. rivals: names of which a head has at most one, the
    hair colours. One that is set to v leaves 1 − v to each of the others that `values` does not name."""
    highest = max((values[n] for n in rivals if n in values), default=0.0)
    others = [n for n in names if n in rivals and n not in values] if highest > 0 else []
    lowered = {n: round(1 - highest, 6) for n in others if float(c[0, names.index(n)]) > 1 - highest}
    return (set_attributes(c, names, lowered), lowered) if lowered else (c, lowered)


def flip_attributes(c: Tensor, names: Sequence[str], rivals: Collection[str]) -> list[tuple[dict[str, float], Tensor]]:
    """For each attribute, the value that flips it, by its name, and the attributes (1,A) with it flipped.

    c: the attributes (1,A). names: of all A. rivals: those of which a head has at most one: one is set to 1, and the
    others are lowered; anything else is reversed."""
    flips: list[dict[str, float]] = [
        {name: 1.0 if name in rivals or float(c[0, place]) < 0.5 else 0.0} for place, name in enumerate(names)
    ]
    return [(flip, exclude_rivals(set_attributes(c, names, flip), names, flip, rivals)[0]) for flip in flips]


def named_attributes(c: Tensor, names: Sequence[str]) -> dict[str, float]:
    """Attributes c (1,A) by name, to three decimals."""
    return {name: round(value, 3) for name, value in zip(names, c[0].tolist(), strict=True)}


def region_mask(subject: Subject, landmarks: Landmarks | None = None, size: int | None = None) -> Mask:
    """The face mask (size,size) within the network's crop.

    landmarks: others (68,2) in pixels of the crop that the mask covers too. size: side of the mask in pixels; the
    crop's if None."""
    size = size or subject.size
    enlarge = zoom(size / subject.size)
    mask = hull_mask(subject.landmarks, (size, size), enlarge)
    if landmarks is not None:
        mask = np.maximum(mask, hull_mask(landmarks, (size, size), enlarge))
    return mask
