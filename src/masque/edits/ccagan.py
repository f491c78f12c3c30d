"""A loaded CCA-GAN (Section 4.4): the attributes that a face has, and the face painted with others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from masque.data.measured import read_attributes
from masque.edits.moving import Painting, painting_of
from masque.edits.person import person_mask
from masque.edits.session import Session
from masque.edits.subject import Shares, Subject, SubjectParser
from masque.faces.labels import LABELS
from masque.image import Picture, to_pictures
from masque.layers.flow import warp
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

    def move(
        self, subject: Subject, attributes: Sequence[Tensor], shares: Shares | None = None
    ) -> list[tuple[Tensor, Tensor]]:
        """What the generator of a model with output=flow makes of a face with other attributes: what it paints
        (1,3,S,S), to be added to the face in [-1,1], and by how many pixels it moves each before (1,2,S,S), as
        `masque.layers.flow.warp` takes it.

        subject, attributes, shares: as `translate` has them. Raises ValueError for a model that moves nothing."""
        person = torch.from_numpy(person_mask(subject) if shares is None else 1 - shares[LABELS.index("background")])
        with self.inference():
            return [self.model.moved(subject.image, c, person[None, None].to(self.device)) for c in attributes]


def make_edits(
    session: CCAGANSession, subject: Subject, own: Tensor, wanted: Sequence[Tensor], shares: Shares | None
) -> list[Painting]:
    """What the generator makes of a face with each of the wanted attributes, to be done to a photo. Parameters as
    `paint_edits` has them."""
    if session.model.config.output == "flow":
        return _move_edits(session, subject, own, wanted, shares)
    before, *after = paint_edits(session, subject, own, wanted, shares)
    return [painting_of(before, one) for one in after]


def _move_edits(
    session: CCAGANSession, subject: Subject, own: Tensor, wanted: Sequence[Tensor], shares: Shares | None
) -> list[Painting]:
    """As `make_edits`, of a model with output=flow: both parts less what the generator would do to the face as it
    is."""
    (painted_before, flow_before), *made = session.move(subject, [own, *wanted], shares)
    hair = hair_places(session.attributes)
    if shares is not None and hair:
        is_hair = torch.from_numpy(shares[LABELS.index("hair")].copy())[None, None].to(session.device)
        others = session.move(subject, [with_hair_of(own, one, hair) for one in wanted], shares)
        made = [
            (is_hair * painted + (1 - is_hair) * other, flow)
            for (painted, _), (other, flow) in zip(made, others, strict=True)
        ]
    edits = []
    with session.inference():
        for painted, flow in made:
            field = flow - flow_before
            moved = warp(subject.image, field)
            after = (moved + painted - painted_before).clamp(-1, 1)
            bare = (warp(subject.image, flow) + painted).clamp(-1, 1)
            before_shown, after_shown, bare_shown = (to_pictures(one)[0] for one in (moved, after, bare))
            in_pixels = np.ascontiguousarray(field[0].permute(1, 2, 0).cpu().numpy(), dtype=np.float32)
            edits.append(Painting(before_shown, after_shown, bare_shown, in_pixels))
    return edits


def hair_places(attributes: Sequence[str]) -> list[int]:
    """Where the hair colours stand among a model's attributes."""
    return [place for place, name in enumerate(attributes) if name in HAIR_COLOURS]


def with_hair_of(own: Tensor, wanted: Tensor, hair: Sequence[int]) -> Tensor:
    """The wanted attributes (1,A) with the face's own hair colours."""
    without = wanted.clone()
    without[:, hair] = own[:, hair]
    return without


def paint_edits(
    session: CCAGANSession, subject: Subject, own: Tensor, wanted: Sequence[Tensor], shares: Shares | None
) -> list[Picture]:
    """The pictures (S,S,3) that the generator paints of a face as it is, and with each of the wanted attributes.

    own: the face's attributes (1,A). wanted: those of each further picture. shares: the parser's label shares
    (11,S,S); where they say what is hair, a hair colour shows there alone: G has learnt hair colours from people who
    have them, and would change the skin along with the hair."""
    hair = hair_places(session.attributes)
    before, *after = session.translate(subject, [own, *wanted], shares)
    if shares is None or not hair:
        return [before, *after]
    is_hair = shares[LABELS.index("hair")][..., None]
    without_colour = session.translate(subject, [with_hair_of(own, one, hair) for one in wanted], shares)
    return [
        before,
        *(
            np.rint(is_hair * a + (1 - is_hair) * b).astype(np.uint8)
            for a, b in zip(after, without_colour, strict=True)
        ),
    ]
