"""A loaded FaceFeat-GAN (Section 3): a face's identity and all else of it as features, and pictures of features."""

from __future__ import annotations

import torch
from torch import Tensor

from masque.edits.grey import keep_cells_grey
from masque.edits.own import OwnSession
from masque.edits.session import Session
from masque.edits.subject import Subject
from masque.errors import ValueRangeError
from masque.given import seed_of, whole
from masque.image import Picture, to_pictures
from masque.models.facefeat import FaceFeat


class FaceFeatSession(Session):
    """A loaded FaceFeat-GAN: what its verbs (synthesize, modify, frontalize, mix, augment) are made of."""

    helpers = ("own",)

    def __init__(
        self,
        model: FaceFeat,
        family: str,
        weights: str,
        device: torch.device | str = "cpu",
        own: OwnSession | None = None,
    ) -> None:
        """Take a model and put it on a device: the parameters are those of `Session`. own: moves and tints photos' own
        pixels; without it all pictures are the network's."""
        super().__init__(model, model.config.size, family, weights, device)
        self.model = model
        self.own = own

    def features(self, subject: Subject) -> tuple[Tensor, Tensor, Tensor]:
        """The features (1,…) of a face: f_id, who it is; f_1, its shape, pose and expression; f_2, all else.

        subject: the face."""
        with self.inference():
            return self.model.extract(subject.image.to(self.device))

    def pictures(self, f_id: Tensor, f_1: Tensor, f_2: Tensor) -> list[Picture]:
        """The pictures (S,S,3) of features.

        f_id, f_1, f_2: (B,…), as `features` gives them."""
        with self.inference():
            return list(to_pictures(self.model.G_I(f_id, f_1, f_2).clamp(-1, 1)))

    def draw(self, subject: Subject, count: int, seed: int) -> list[Picture]:
        """Pictures (S,S,3) of a face's person with poses, expressions and light drawn at random.

        subject: the face. count: how many, at least 1. seed: the same seed gives the same pictures. Raises
        ValueRangeError."""
        count, seed = whole("count", count), seed_of(seed)
        if count < 1:
            raise ValueRangeError(f"{count} pictures cannot be drawn: ask for one at least.")
        f_id = self.features(subject)[0].expand(count, -1)
        with self.inference():
            seeds = torch.arange(count, device=self.device) + 1_000_003 * seed
            drawn = self.model.sample_features(seeds, "synthesize")
        return keep_cells_grey(subject, self.pictures(f_id, *drawn))
