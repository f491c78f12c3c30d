"""A loaded portrait model (portrait thesis, Section 4.4): a face's latents, and the picture that it makes of them in
the shape of a label map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from masque.edits.mattes import Mattes, find_mattes, mattes_of_shares
from masque.edits.own import OwnSession
from masque.edits.parser import ParserSession
from masque.edits.session import Session
from masque.edits.subject import Shares, Subject, SubjectParser
from masque.errors import CheckpointError
from masque.faces.labels import Labels
from masque.image import Picture, to_pictures
from masque.models.portrait import COMPONENTS, Component, Portrait

Part = Literal["eyes", "mouth", "skin", "hair", "all"]
"""A part of a face as users name it."""

PARTS: Mapping[Part, tuple[Component, ...]] = {
    "eyes": ("left eye", "right eye"),
    "mouth": ("mouth",),
    "skin": ("skin",),
    "hair": ("hair",),
    "all": COMPONENTS,
}
"""The components of the thesis that each part is."""


class PortraitSession(Session):
    """A loaded portrait model: what its verbs (repaint, transfer, faces_for) are made of."""

    helpers = ("parser", "own")

    def __init__(
        self,
        model: Portrait,
        family: str,
        weights: str,
        device: torch.device | str = "cpu",
        parser: SubjectParser | None = None,
        own: OwnSession | None = None,
    ) -> None:
        """Take a model and put it on a device: the parameters are those of `Session`. Without a parser nothing can be
        painted. own: knows how faces are turned and what teeth look like; without it other portraits' shapes are not
        turned, and the network paints the inside of a mouth."""
        super().__init__(model, model.config.size, family, weights, device, parser)
        self.model = model
        self.own = own

    def shares(self, subject: Subject) -> Shares:
        """How sure each label is at each pixel of the network's crop of a face, (11,S,S) summing to 1.

        subject: the face. Raises CheckpointError without a parser."""
        return self._parser().shares(subject)

    def crop_labels(self, subject: Subject) -> Labels:
        """The label map (S,S) of the network's crop of a face.

        subject: the face. Raises CheckpointError without a parser."""
        return self.shares(subject).argmax(axis=0).astype(np.uint8)

    def labels(self, subject: Subject) -> Labels:
        """The label map (H,W) of a face's whole photo, as `masque parse` writes it.

        subject: the face. Raises CheckpointError without a parser."""
        return self._parser().labels(subject)

    def mattes(self, subject: Subject) -> Mattes:
        """Where hair, skin and every other part of a face is, as fine as its photo.

        subject: the face. Raises CheckpointError without a parser."""
        parser = self._parser()
        if isinstance(parser, ParserSession):
            return find_mattes(parser, subject)
        return mattes_of_shares(subject, parser.shares(subject))

    def _parser(self) -> SubjectParser:
        if self.parser is None:
            raise CheckpointError(
                "No face parser comes with this installation, and repainting needs one: "
                "install Masque with its weights."
            )
        return self.parser

    def latents(self, subject: Subject, labels: Labels) -> list[Tensor]:
        """The latents (1,Z) of a face's five components.

        subject: the face. labels: its label map (S,S)."""
        with self.inference():
            return self.model.components(subject.image, self._tensor(labels))

    def paint(self, latents: Sequence[Tensor], target: Tensor, labels: Labels) -> Picture:
        """The picture (S,S,3) that the network makes of latents in the shape of a label map.

        latents: the five of `latents`. target: the picture (1,3,S,S) whose background is kept. labels: the shape
        (S,S)."""
        with self.inference():
            return to_pictures(self.model.paint(latents, target, self._tensor(labels)))[0]

    def _tensor(self, labels: Labels) -> Tensor:
        return torch.from_numpy(labels.astype(np.int64))[None].to(self.device)
