"""A loaded RSGAN and the way of a photo through it: face frame, crops, latents, and back into the photo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from masque.edits.session import Session
from masque.edits.subject import Subject, SubjectParser, with_values
from masque.faces.detect import Landmarks, landmarks_near
from masque.image import Picture, to_pictures
from masque.models.rsgan import RSGAN, RSGANLatents, face_region, hair_region

Stitch = Literal["none", "gradient"]
"""`none`: the crop as the network paints it (RSGAN). `gradient`: only the face, stitched in the gradient domain
(RSGAN-GD)."""

CANVAS = 1024
"""Largest side in pixels of the crop in which a face is carried to another photo."""


class RSGANSession(Session):
    """A loaded RSGAN: what its verbs (swap, edit, random, blend) are made of."""

    helpers = ("parser",)

    def __init__(
        self,
        model: RSGAN,
        family: str,
        weights: str,
        device: torch.device | str = "cpu",
        parser: SubjectParser | None = None,
    ) -> None:
        """As `Session` has them."""
        super().__init__(model, model.config.size, family, weights, device, parser)
        self.model = model

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that an edit may name."""
        return self.model.config.attributes

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
