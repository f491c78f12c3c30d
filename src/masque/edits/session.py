"""A loaded RSGAN and the way of a photo through it: face frame, crops, latents, and back into the photo."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from masque.edits.result import Result
from masque.errors import PictureError, UnknownAttributeError, ValueRangeError, nearest
from masque.faces.detect import Face, Landmarks, choose_face, find_faces, identity
from masque.faces.frame import Frame, Matrix, chain, cut_frame, transform, zoom
from masque.faces.regions import FACE_CROP, HAIR_CROP, Mask, cut_crop, hull_mask
from masque.image import Picture, read_picture, to_pictures, to_tensor
from masque.models.rsgan import RSGAN, Latents, face_region, hair_region

Photo = Picture | str | os.PathLike[str]
"""RGB uint8 (H,W,3), or a file's path."""

Stitch = Literal["none", "gradient"]
"""`none`: the crop as the network paints it (RSGAN). `gradient`: only the face, stitched in the gradient domain (RSGAN-GD)."""

Detail = Literal["keep", "network"]
"""`keep`: the network's change is added to the photo's own pixels. `network`: the network's picture itself."""

CANVAS = 1024
"""Largest side in pixels of the crop in which a face is carried to another photo."""


@dataclass(frozen=True)
class Subject:
    """One face of one photo, as the network takes it."""

    name: str
    photo: Picture
    face: Face
    frame: Frame
    size: int
    image: Tensor
    """(1,3,S,S) the hair crop, x"""
    image_hull: Tensor
    """(1,1,S,S)"""
    face_crop: Tensor
    """(1,3,S,S)"""
    face_hull: Tensor
    """(1,1,S,S)"""

    @property
    def matrix(self) -> Matrix:
        """Photo pixels -> pixels of x."""
        return chain(self.frame.matrix, HAIR_CROP.to_crop(self.size, self.frame.scale))

    @property
    def landmarks(self) -> Landmarks:
        """(68,2) in pixels of x."""
        return transform(self.face.landmarks, self.matrix)

    @cached_property
    def embedding(self) -> NDArray[np.float32]:
        """dlib's identity embedding of the face in the photo."""
        return identity(self.photo, self.face.landmarks)


def as_photo(photo: Photo) -> tuple[Picture, str]:
    """The pixels, and what to call them in a message. Raises PictureError, also for an array that is no RGB uint8 (H,W,3)."""
    if isinstance(photo, np.ndarray):
        if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3 or not photo.size:
            raise PictureError(f"The photo is an array of {photo.dtype} {photo.shape}: give RGB pixels as uint8 (H, W, 3), or a path.")
        return photo, "the photo"
    return read_picture(photo), Path(photo).name


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raise ValueRangeError, naming the nearest, when `value` is not one of `choices`."""
    if value not in choices:
        raise ValueRangeError(f"There is no {name} {value}; {nearest(value, choices)}.")


class Session:
    """A model that is ready to edit. Made by `masque.load`."""

    def __init__(self, model: RSGAN, family: str, weights: str, device: torch.device | str = "cpu") -> None:
        """weights: the hash that records name the model by."""
        self.device = torch.device(device)
        self.model = model.to(self.device).eval().requires_grad_(False)
        self.family, self.weights = family, weights

    @property
    def size(self) -> int:
        """Side of the network's pictures in pixels."""
        return self.model.config.size

    @property
    def attributes(self) -> tuple[str, ...]:
        """The names that an edit may use."""
        return self.model.config.attributes

    @contextmanager
    def inference(self) -> Iterator[None]:
        """No gradients; fp32, since one small picture gains nothing from less."""
        with torch.inference_mode():
            yield

    def subject(self, photo: Photo, pick: int | None = None) -> Subject:
        """Find and cut the face to work on. Raises PictureError, NoFaceError."""
        pixels, name = as_photo(photo)
        face = choose_face(find_faces(pixels), pick, name=name)
        return self.cut(pixels, face, name)

    def cut(self, photo: Picture, face: Face, name: str = "the photo") -> Subject:
        """The subject around a face that is known already."""
        scale = self.size / 128
        frame = cut_frame(photo, face.landmarks, scale)
        crops: dict[str, Any] = {}
        for crop, picture, hull in ((HAIR_CROP, "image", "image_hull"), (FACE_CROP, "face_crop", "face_hull")):
            crops[picture] = to_tensor(cut_crop(frame.picture, crop, self.size, scale)).to(self.device)
            mask = hull_mask(frame.landmarks, (self.size, self.size), crop.to_crop(self.size, scale))
            crops[hull] = torch.from_numpy(mask)[None, None].float().div(255).to(self.device)
        return Subject(name, photo, face, frame, self.size, **crops)

    def estimate(self, subject: Subject) -> Tensor:
        """c* (1,A) of a subject."""
        with self.inference():
            return self.model.estimate(subject.image)

    def encode(self, subject: Subject, c_face: Tensor | None = None, c_hair: Tensor | None = None) -> Latents:
        """The latents of a subject, its parts' attributes replaced where given."""
        with self.inference():
            x_f, x_h = face_region(subject.face_crop, subject.face_hull), hair_region(subject.image, subject.image_hull)
            return self.model.encode(x_f, x_h, self.model.estimate(subject.image), c_face, c_hair)

    def compose(self, latents: Latents) -> list[Picture]:
        """The pictures (S,S,3) that the composer paints for a batch of latents."""
        with self.inference():
            return list(to_pictures(self.model.compose(latents)))

    def asked(self, c: Tensor, values: Mapping[str, float]) -> Tensor:
        """Attributes c (1,A) with the named ones replaced.

        Raises UnknownAttributeError (naming the nearest) and ValueRangeError for a value outside [0,1].
        """
        changed = c.clone()
        for name, value in values.items():
            if name not in self.attributes:
                raise UnknownAttributeError(f"This model knows no attribute {name}; {nearest(name, self.attributes)}.")
            if not 0.0 <= value <= 1.0:
                raise ValueRangeError(f"{name} = {value} is outside [0, 1]: 0 is none of it, 1 all of it.")
            changed[:, self.attributes.index(name)] = value
        return changed

    def painted_landmarks(self, painted: Picture, expected: Landmarks) -> Landmarks | None:
        """Where the face lies in a picture that the network painted, in its pixels; None when that is not near `expected`."""
        from masque.faces.detect import landmarks_in

        factor = 256 / painted.shape[0]
        large = cv2.resize(painted, (256, 256), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
        points = (expected + 0.5) * factor - 0.5
        # dlib's predictor wants the box its own detector would give: from the brows to the chin, as wide as high.
        side = float(np.ptp(points[:, 1])) * 1.05
        centre = (points[:, 0].min() + points[:, 0].max()) / 2, (points[17:27, 1].min() + points[8, 1]) / 2
        box = round(centre[0] - side / 2), round(centre[1] - side / 2), round(side), round(side)
        found = (landmarks_in(large, box) + 0.5) / factor - 0.5
        between_eyes = float(np.linalg.norm(expected[42:48].mean(axis=0) - expected[36:42].mean(axis=0)))
        drift = float(np.linalg.norm(found - expected, axis=1).mean())
        return found.astype(np.float32) if drift < 0.5 * between_eyes else None

    def record(self, edit: str, **more: Any) -> dict[str, Any]:
        """What every record says."""
        from masque import __version__

        return {"edit": edit, "model": self.family, "size": self.size, "weights": self.weights, "masque": __version__, **more}

    # The tasks, one function each in the files beside this one.

    def swap(self, face: Photo, hair: Photo, **options: Any) -> Result:
        """Put the face of one photo into another: see `masque.edits.swap.swap`."""
        from masque.edits.swap import swap

        return swap(self, face, hair, **options)

    def edit(self, photo: Photo, attributes: Mapping[str, float], **options: Any) -> Result:
        """Change attributes of the face, the hair or both: see `masque.edits.attributes.edit`."""
        from masque.edits.attributes import edit

        return edit(self, photo, attributes, **options)

    def random(self, photo: Photo, part: Literal["face", "hair"], **options: Any) -> Result:
        """Give a face random hair or a hair random faces: see `masque.edits.random_parts.random_parts`."""
        from masque.edits.random_parts import random_parts

        return random_parts(self, photo, part, **options)

    def blend(self, a: Photo, b: Photo, **options: Any) -> Result:
        """Go from one picture to another in steps: see `masque.edits.blend.blend`."""
        from masque.edits.blend import blend

        return blend(self, a, b, **options)


def region_mask(subject: Subject, landmarks: Landmarks | None = None, size: int | None = None) -> Mask:
    """The face mask within x, over the subject's face and, where given, over other landmarks (in pixels of x) too.

    size: side of the mask, S by default.
    """
    size = size or subject.size
    enlarge = zoom(size / subject.size)
    mask = hull_mask(subject.landmarks, (size, size), enlarge)
    if landmarks is not None:
        mask = np.maximum(mask, hull_mask(landmarks, (size, size), enlarge))
    return mask
