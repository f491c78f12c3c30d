"""New pictures of the same person (FaceFeat-GAN, Section 3.3 and Fig. 3 and 4): other pose, expression and light, the
same identity."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from masque.edits.grey import cells_in_tones, said
from masque.edits.loaded import Loaded
from masque.edits.result import Result
from masque.edits.subject import Photo, Subject
from masque.errors import ValueRangeError
from masque.given import number, seed_of, whole
from masque.image import Picture, grid, to_pictures
from masque.models.facefeat import FaceFeat

FARTHEST = 60.0
"""Degrees: a head turned farther shows another side than any picture that was trained on."""


class Synthesizer(Loaded):
    """A FaceFeat-GAN that is ready to draw. Made by `masque.load`."""

    def __init__(self, model: FaceFeat, family: str, weights: str, device: torch.device | str = "cpu") -> None:
        """weights: the hash that records name the model by."""
        super().__init__(model, family, weights, device)
        self.model = model

    def features(self, subject: Subject) -> tuple[Tensor, Tensor, Tensor]:
        """f_id, f_1 and f_2 (1,…) of a face."""
        with self.inference():
            return self.model.seen(subject.image.to(self.device))

    def pictures(self, f_id: Tensor, f_1: Tensor, f_2: Tensor) -> list[Picture]:
        """The pictures (S,S,3) of features (B,…)."""
        with self.inference():
            return list(to_pictures(self.model.G_I(f_id, f_1, f_2).clamp(-1, 1)))

    def drawn(self, photo: Photo, count: int = 16, seed: int = 0, pick: int | None = None) -> list[Picture]:
        """`count` pictures (S,S,3) of a photo's person, all else drawn. Raises PictureError, NoFaceError,
        ValueRangeError."""
        return self._drawn(self.subject(photo, pick), count, seed)

    def _drawn(self, subject: Subject, count: int, seed: int) -> list[Picture]:
        count, seed = whole("count", count), seed_of(seed)
        if count < 1:
            raise ValueRangeError(f"{count} pictures cannot be drawn: ask for one at least.")
        f_id = self.features(subject)[0].expand(count, -1)
        with self.inference():
            drawn = self.model.drawn(torch.arange(count, device=self.device) + 1_000_003 * seed, "synthesize")
        return cells_in_tones(subject, self.pictures(f_id, *drawn))

    def synthesize(self, photo: Photo, count: int = 16, seed: int = 0, pick: int | None = None) -> Result:
        """The same as a sheet (Fig. 4a)."""
        count, seed = whole("count", count), seed_of(seed)
        subject = self.subject(photo, pick)
        sheet = grid(self._drawn(subject, count, seed), math.ceil(math.sqrt(count)))
        return Result(sheet, self.record("synthesize", photo=subject.name, count=count, seed=seed, **said(subject)))

    def changed(
        self,
        photo: Photo,
        yaws: Sequence[float] | None = None,
        expression_from: Photo | None = None,
        light_from: Photo | None = None,
        pick: int | None = None,
    ) -> Result:
        """The photo's person as the photo shows it but for what is asked; one picture for each yaw, side by side.

        yaws: degrees to the picture's right, within ±60; the photo's own if None. expression_from, light_from: photos
        whose expression, and whose light and all else that is neither person, expression nor pose, are taken. Raises
        PictureError, NoFaceError, ValueRangeError."""
        yaws = None if yaws is None else [number("a yaw", yaw) for yaw in yaws]
        if yaws is not None and (not len(yaws) or not all(abs(yaw) <= FARTHEST for yaw in yaws)):
            raise ValueRangeError(
                f"Heads are turned by up to {FARTHEST:.0f} degrees to either side: name yaws within that."
            )
        subject = self.subject(photo, pick)
        f_id, f_1, f_2 = self.features(subject)
        E_1, names, colour = self.model.E_1, {"photo": subject.name}, 0.0
        if expression_from is not None:
            other = self.subject(expression_from)
            f_1, names["expression"] = E_1.with_yaw(self.features(other)[1], E_1.yaw(f_1)), other.name
        if light_from is not None:
            other = self.subject(light_from)
            f_2, names["light"] = self.features(other)[2], other.name
            colour = float(not other.grey)  # the colours are in f_2
        if yaws is not None:
            f_1 = torch.cat([E_1.with_yaw(f_1, math.radians(yaw)) for yaw in yaws])
        many = len(f_1)
        made = cells_in_tones(subject, self.pictures(f_id.expand(many, -1), f_1, f_2.expand(many, -1)), colour)
        record = self.record(
            "synthesize",
            **names,
            **said(subject, colour),
            **({"yaws": [round(yaw, 2) for yaw in yaws]} if yaws is not None else {}),
        )
        return Result(grid(made, many) if many > 1 else made[0], record)

    def frontalize(self, photo: Photo, pick: int | None = None) -> Result:
        """The photo's person looking straight ahead (Fig. 3). Raises PictureError, NoFaceError."""
        made = self.changed(photo, [0.0], pick=pick)
        return Result(made.picture, {**made.record, "edit": "frontalize"})

    def mix(self, first: Photo, second: Photo, steps: int = 8) -> Result:
        """Pictures from one person to another, all else as the first photo has it (Fig. 4b). Raises PictureError,
        NoFaceError, ValueRangeError."""
        steps = whole("steps", steps)
        if steps < 2:
            raise ValueRangeError(f"A strip of {steps} pictures has no two ends: ask for two at least.")
        a, b = self.subject(first), self.subject(second)
        f_id, f_1, f_2 = self.features(a)
        other = self.features(b)[0]
        along = torch.cat([torch.lerp(f_id, other, i / (steps - 1)) for i in range(steps)])
        made = cells_in_tones(a, self.pictures(along, f_1.expand(steps, -1), f_2.expand(steps, -1)))
        return Result(grid(made, steps), self.record("mix-identity", faces=[a.name, b.name], steps=steps, **said(a)))
