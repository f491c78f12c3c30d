"""A loaded CCA-GAN (Section 4.4): the attributes that a face has, and the face painted with others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from masque.data.measured import read_attributes
from masque.edits.person import person_mask
from masque.edits.session import Session
from masque.edits.subject import Shares, Subject, SubjectParser
from masque.faces.labels import LABELS
from masque.image import Picture, to_pictures
from masque.models.ccagan import CCAGAN, HAIR_COLOURS

UNKNOWN = 0.5
"""The value that the generator is given for an attribute that cannot be read off a photo: neither there nor absent."""

Classify = Callable[[list[Picture]], list[dict[str, float]]]
"""Face frames -> attributes in [0,1]: what `masque.edits.estimate.attribute_estimator` makes."""


class CCAGANSession(Session):
    """A loaded CCA-GAN: what its verbs (edit, sheet) are made of."""

    helpers = ("classify", "parser")

    def __init__(
        self,
        model: CCAGAN,
        family: str,
        weights: str,
        device: torch.device | str = "cpu",
        classify: Classify | None = None,
        parser: SubjectParser | None = None,
    ) -> None:
        """classify: reads off a face what neither landmarks nor colours tell. All else as `Session` has it."""
        super().__init__(model, model.config.size, family, weights, device, parser)
        self.model, self.classify = model, classify

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that an edit may name."""
        return self.model.config.attributes

    def estimate(self, subject: Subject) -> Tensor:
        """The attributes (1,A) of a face in [0,1], read as they are when a set is prepared; UNKNOWN where they cannot
        be read.

        subject: the face."""
        values = read_attributes(subject.frame, self.classify)
        return torch.tensor([[values.get(name, UNKNOWN) for name in self.attributes]], device=self.device)

    def translate(self, subject: Subject, attributes: Sequence[Tensor], shares: Shares | None = None) -> list[Picture]:
        """The pictures (S,S,3) that the generator paints of a face with other attributes.

        subject: the face. attributes: (1,A) in [0,1] for each picture. shares: the parser's label shares (11,S,S),
        which say where the person is; GrabCut does if None."""
        person = torch.from_numpy(person_mask(subject) if shares is None else 1 - shares[LABELS.index("background")])
        with self.inference():
            return [
                to_pictures(self.model.edit(subject.image, c, person[None, None].to(self.device)))[0]
                for c in attributes
            ]


def paint_edits(
    session: CCAGANSession, subject: Subject, own: Tensor, wanted: Sequence[Tensor], shares: Shares | None
) -> list[Picture]:
    """The pictures (S,S,3) that the generator paints of a face as it is, and with each of the wanted attributes.

    own: the face's attributes (1,A). wanted: those of each further picture. shares: the parser's label shares
    (11,S,S); where they say what is hair, a hair colour shows there alone: G has learnt hair colours from people who
    have them, and would change the skin along with the hair."""
    hair = [place for place, name in enumerate(session.attributes) if name in HAIR_COLOURS]
    before, *after = session.translate(subject, [own, *wanted], shares)
    if shares is None or not hair:
        return [before, *after]
    others = [one.clone() for one in wanted]
    for one in others:
        one[:, hair] = own[:, hair]
    is_hair = shares[LABELS.index("hair")][..., None]
    without_colour = session.translate(subject, others, shares)
    return [
        before,
        *(
            np.rint(is_hair * a + (1 - is_hair) * b).astype(np.uint8)
            for a, b in zip(after, without_colour, strict=True)
        ),
    ]
