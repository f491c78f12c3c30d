"""A loaded RSGAN and the way of a photo through it: face frame, crops, latents, and back into the photo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from masque.edits.loaded import Loaded
from masque.edits.result import Result
from masque.edits.subject import Parse, Photo, Subject, with_values
from masque.faces.detect import Landmarks, landmarks_near
from masque.image import Picture, to_pictures
from masque.models.rsgan import RSGAN, RSGANLatents, face_region, hair_region

Stitch = Literal["none", "gradient"]
"""`none`: the crop as the network paints it (RSGAN). `gradient`: only the face, stitched in the gradient domain
(RSGAN-GD)."""

CANVAS = 1024
"""Largest side in pixels of the crop in which a face is carried to another photo."""


class Session(Loaded):
    """An RSGAN that is ready to edit. Made by `masque.load`."""

    def __init__(
        self, model: RSGAN, family: str, weights: str, device: torch.device | str = "cpu", parse: Parse | None = None
    ) -> None:
        """weights: the hash that records name the model by. parse: finds the parts of a face, to which edits are then
        kept."""
        super().__init__(model, family, weights, device, parse)
        self.model = model

    def estimate(self, subject: Subject) -> Tensor:
        """c* (1,A) of a subject."""
        with self.inference():
            return self.model.estimate(subject.image)

    def encode(self, subject: Subject, c_face: Tensor | None = None, c_hair: Tensor | None = None) -> RSGANLatents:
        """The latents of a subject, its parts' attributes replaced where given."""
        with self.inference():
            x_f, x_h = face_region(subject.face_crop, subject.face_hull), hair_region(subject.image, subject.image_hull)
            return self.model.encode(x_f, x_h, self.model.estimate(subject.image), c_face, c_hair)

    def compose(self, latents: RSGANLatents) -> list[Picture]:
        """The pictures (S,S,3) that the composer paints for a batch of latents."""
        with self.inference():
            return list(to_pictures(self.model.compose(latents)))

    def asked(self, c: Tensor, values: Mapping[str, float]) -> Tensor:
        """Attributes c (1,A) with the named ones replaced.

        Raises UnknownAttributeError (naming the nearest) and ValueRangeError for a value outside [0,1].
        """
        return with_values(c, self.attributes, values)

    def painted_landmarks(self, painted: Picture, expected: Landmarks) -> Landmarks | None:
        """Where the face lies in a picture that the network painted, in its pixels; None when that is not near
        `expected`."""
        return landmarks_near(painted, expected)

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
