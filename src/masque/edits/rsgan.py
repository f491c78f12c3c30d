"""A loaded RSGAN and the way of a photo through it: face frame, crops, latents, and back into the photo."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from masque.edits.session import Session
from masque.edits.subject import Subject, SubjectParser
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
        """Take a model and put it on a device: the parameters are those of `Session`."""
        super().__init__(model, model.config.size, family, weights, device, parser)
        self.model = model

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that an edit may name."""
        return self.model.config.attributes

    def estimate(self, subject: Subject) -> Tensor:
        """The attributes c* (1,A) in [0,1] that C sees in a face.

        subject: the face."""
        with self.inference():
            return self.model.estimate(subject.image)

    def encode(self, subject: Subject, c_face: Tensor | None = None, c_hair: Tensor | None = None) -> RSGANLatents:
        """The latents of a face.

        subject: the face. c_face, c_hair: attributes (1,A) that a part shall have in place of the estimated ones."""
        with self.inference():
            x_f, x_h = face_region(subject.face_crop, subject.face_hull), hair_region(subject.image, subject.image_hull)
            return self.model.encode(x_f, x_h, self.model.estimate(subject.image), c_face, c_hair)

    def compose(self, latents: RSGANLatents) -> list[Picture]:
        """The pictures (S,S,3) that the composer paints.

        latents: of a batch of pictures."""
        with self.inference():
            return list(to_pictures(self.model.compose(latents)))

    def painted_landmarks(self, picture: Picture, expected: Landmarks) -> Landmarks | None:
        """The landmarks (68,2) of the face in a picture that the network painted, in its pixels; None where they are
        not found near where they should be.

        picture: the picture (S,S,3). expected: the landmarks (68,2) that it was painted for."""
        return landmarks_near(picture, expected)
