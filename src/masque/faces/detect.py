"""Finding faces: dlib's HOG detector and its 68 landmarks.

The landmark model was trained on iBUG 300-W, whose terms exclude commercial products.
"""

from __future__ import annotations

import importlib.util
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.errors import MasqueError, NoFaceError
from masque.given import whole
from masque.image import Picture

Landmarks = NDArray[np.float32]
"""(68,2) pixels (x,y) in iBUG order: jaw 0-16, brows 17-26, nose 27-35, eyes 36-47, mouth 48-67."""

SMALLEST_FACE = 40
"""Width in pixels under which a face carries too little to work with."""

SURE_FROM = 0.2
"""The detector's score from which it is sure of a face: what it sees in folds and badges stays below."""

FIRST_LOOK = 1024
"""Longer side at which a photo is searched first. HOG sees faces of 80 px and more: 1/13 of the photo's width."""

SECOND_LOOK_PIXELS = 2_000_000
"""Pixels up to which a photo is doubled when nothing else was found: larger ones would take many seconds."""


@dataclass(frozen=True)
class Face:
    """One face in a photo, in the photo's pixels."""

    box: tuple[int, int, int, int]
    """left, top, width, height of the detector's square."""
    score: float
    """The detector's confidence; above 0."""
    landmarks: Landmarks
    """The face's 68 landmarks, (68,2) in pixels of the photo."""

    @property
    def size(self) -> int:
        """Width of the detector's square, in pixels."""
        return self.box[2]


@cache
def _model_file(name: str) -> str:
    # The package itself cannot be imported: it wants pkg_resources, which setuptools no longer has.
    found = importlib.util.find_spec("face_recognition_models")
    for folder in (found.submodule_search_locations or []) if found else []:
        path = Path(folder) / "models" / name
        if path.is_file():
            return str(path)
    raise MasqueError("dlib's face models are missing: install them with `pip install face-recognition-models`.")


Tool = TypeVar("Tool")


class _Pool(Generic[Tool]):
    """Tools of which a thread may use one at a time: each call takes a spare one, or makes one where all are in use,
    and gives it back.

    So there are as many as there were calls at once, however many threads come and go, which one for each thread would
    not give."""

    def __init__(self, make: Callable[[], Tool]) -> None:
        self.make = make
        self.spare: deque[Tool] = deque()  # its append and pop are atomic

    @contextmanager
    def borrow(self) -> Iterator[Tool]:
        """A tool that nobody else uses meanwhile."""
        try:
            tool = self.spare.pop()
        except IndexError:
            tool = self.make()
        try:
            yield tool
        finally:
            self.spare.append(tool)


def _new_detector() -> Any:
    import dlib

    return dlib.get_frontal_face_detector()


def _new_recogniser() -> Any:
    import dlib

    return dlib.face_recognition_model_v1(_model_file("dlib_face_recognition_resnet_model_v1.dat"))


# Both write into themselves while they work: a detector that two threads share crashes the process, or sees what the
# other one sees. dlib has no types.
_DETECTORS: _Pool[Any] = _Pool(_new_detector)
_RECOGNISERS: _Pool[Any] = _Pool(_new_recogniser)

_ONCE = threading.Lock()


def _predictor() -> Any:
    """The landmark model, which only reads itself and so serves all threads."""
    with _ONCE:  # or several threads would each read its 100 MB at the start
        return _read_predictor()


@cache
def _read_predictor() -> Any:
    import dlib

    return dlib.shape_predictor(_model_file("shape_predictor_68_face_landmarks.dat"))


def find_faces(photo: Picture) -> list[Face]:
    """All faces in a photo, the surest first; an empty list when there is none of at least 20 px.

    photo: RGB uint8 (H,W,3). It is searched at 1024 px on its longer side, then whole if that found nothing, and
    doubled (twice) only when that found nothing either."""
    for scale, doublings in _searches(photo.shape[0], photo.shape[1]):
        size = max(1, round(photo.shape[1] * scale)), max(1, round(photo.shape[0] * scale))
        searched = photo if scale == 1.0 else cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
        with _DETECTORS.borrow() as detector:
            boxes, scores, _ = detector.run(np.ascontiguousarray(searched), doublings, 0.0)
        if boxes:
            ranked = sorted(zip(scores, boxes, strict=True), key=lambda pair: -pair[0])
            return [_face(photo, box, score, scale) for score, box in ranked]
    return []


def _searches(height: int, width: int) -> list[tuple[float, int]]:
    """How a photo is searched, one way after the other: its scale, and how often the detector doubles it."""
    shrink = min(1.0, FIRST_LOOK / max(height, width))
    searches = [(shrink, 0)]
    if shrink < 1.0:
        searches.append((1.0, 0))
    pixels = height * width
    searches += [(1.0, doublings) for doublings in (1, 2) if pixels * 4 ** (doublings - 1) <= SECOND_LOOK_PIXELS]
    return searches


def _face(photo: Picture, box: Any, score: float, scale: float) -> Face:
    left, top, width, height = (round(v / scale) for v in (box.left(), box.top(), box.width(), box.height()))
    return Face((left, top, width, height), float(score), landmarks_in(photo, (left, top, width, height)))


def landmarks_in(photo: Picture, box: tuple[int, int, int, int]) -> Landmarks:
    """The 68 landmarks of the face inside `box` (left, top, width, height): float32 (68,2) in the photo's pixels."""
    import dlib

    left, top, width, height = box
    shape = _predictor()(np.ascontiguousarray(photo), dlib.rectangle(left, top, left + width - 1, top + height - 1))
    return np.array([(p.x, p.y) for p in shape.parts()], dtype=np.float32)


def landmarks_near(picture: Picture, expected: Landmarks) -> Landmarks | None:
    """The landmarks (68,2) of the face in a picture that lies near the `expected` ones, in its pixels; None where it
    does not."""
    factor = 256 / picture.shape[0]
    large = cv2.resize(picture, (round(factor * picture.shape[1]), 256), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    points = (expected + 0.5) * factor - 0.5
    # dlib's predictor wants the box its own detector would give: from the brows to the chin, as wide as high.
    side = float(np.ptp(points[:, 1])) * 1.05
    centre = (points[:, 0].min() + points[:, 0].max()) / 2, (points[17:27, 1].min() + points[8, 1]) / 2
    box = round(centre[0] - side / 2), round(centre[1] - side / 2), round(side), round(side)
    found = (landmarks_in(large, box) + 0.5) / factor - 0.5
    drift = float(np.linalg.norm(found - expected, axis=1).mean())
    return found.astype(np.float32) if drift < 0.5 * eye_distance(expected) else None


def eye_distance(landmarks: Landmarks) -> float:
    """The distance between the middles of the eyes of a face with these landmarks (68,2), in their unit."""
    return float(np.linalg.norm(landmarks[42:48].mean(axis=0) - landmarks[36:42].mean(axis=0)))


def main_face(faces: Sequence[Face]) -> Face:
    """The face that every edit and command takes unless another is picked: the largest of the sure ones, or of all
    where none is."""
    return max([f for f in faces if f.score >= SURE_FROM] or faces, key=lambda f: f.size)


def face_at(faces: Sequence[Face], x: float, y: float) -> Face | None:
    """The main one of the faces whose square holds a point of the photo; None where none of 40 pixels does."""
    there = [face for face in faces if face.size >= SMALLEST_FACE and _holds(face.box, x, y)]
    return main_face(there) if there else None


def _holds(box: tuple[int, int, int, int], x: float, y: float) -> bool:
    left, top, width, height = box
    return left <= x < left + width and top <= y < top + height


def choose_face(faces: Sequence[Face], pick: int | None = None, *, name: str = "the photo") -> Face:
    """The face to work on: number `pick` (from 1, in the order of `find_faces`), else the main one.

    Raises NoFaceError when there is none, when `pick` is not among them, or when the chosen one is narrower than 40 px.
    """
    if not faces:
        raise NoFaceError(
            f"No face was found in {name}: use a photo in which the whole face is seen from the front, upright and "
            "sharp."
        )
    pick = None if pick is None else whole("the number of a face", pick)
    if pick is not None and not 1 <= pick <= len(faces):
        count = f"{len(faces)} faces were" if len(faces) > 1 else "1 face was"
        raise NoFaceError(
            f"There is no face number {pick} in {name}: {count} found, counted from 1 (`masque faces` lists them)."
        )
    face = faces[pick - 1] if pick is not None else main_face(faces)
    if face.size < SMALLEST_FACE:
        other = (
            ", or pick another of its faces"
            if pick is None and any(other.size >= SMALLEST_FACE for other in faces)
            else ""
        )
        raise NoFaceError(
            f"The face in {name} is only {face.size} pixels wide and {SMALLEST_FACE} are needed: use a larger picture "
            f"of it{other}."
        )
    return face


def identity(picture: Picture, landmarks: Landmarks) -> NDArray[np.float32]:
    """dlib's identity embedding, float32 (128,), of the face with these landmarks; two pictures of one person lie
    within about 0.6.

    The squared Euclidean distance of two embeddings is what RSGAN Section 4.1 measures with OpenFace.
    """
    import dlib

    points = [dlib.point(round(float(x)), round(float(y))) for x, y in landmarks]
    left, top = (int(v) for v in landmarks.min(axis=0))
    right, bottom = (int(v) for v in landmarks.max(axis=0))
    shape = dlib.full_object_detection(dlib.rectangle(left, top, right, bottom), points)
    with _RECOGNISERS.borrow() as recogniser:
        return np.array(recogniser.compute_face_descriptor(np.ascontiguousarray(picture), shape), dtype=np.float32)
