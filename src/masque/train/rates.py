"""Learning rates as functions of the step: one schedule for every family."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from masque.config import Former
from masque.errors import SettingError
from masque.train.former_rates import REMOVED, translate


@dataclass(frozen=True)
class Schedule:
    """How the learning rates of a training fall from what they are at its start; constant where decay_to is 0.

    A group of settings (see `masque.config`): the same four in every family, and all that a resumed run may change of
    its training. Each network has a rate of its own (`lr`, `judge_lr`, …), which the schedule multiplies with a
    share."""

    decay_shape: Literal["linear", "cosine", "stairs"] = "linear"
    """How rates fall between the two steps: in a straight line, along half a cosine (Loshchilov & Hutter 2017), or in
    stairs, equal drops, the first at decay_from and each after as many steps as the first, the last at decay_to or
    after. Where both steps are the same, stairs are one drop."""
    decay_from: int = 0
    """Step from which rates fall."""
    decay_to: int = 0
    """Step at which they have fallen; 0 leaves them constant."""
    decay_factor: float = 0.0
    """What share of a rate is left then, from 0 to 1."""

    former: ClassVar[Former] = Former(REMOVED, translate)

    def __post_init__(self) -> None:
        if self.decay_shape == "stairs" and self.decay_to and not self.decay_from:
            raise SettingError("decay_shape=stairs needs decay_from, the step of the first drop.")

    def at(self, rate: float, step: int) -> float:
        """The learning rate in `step` of a network whose rate is `rate`."""
        left = self._left(step) if self.decay_to else 1.0
        return rate * (self.decay_factor + (1 - self.decay_factor) * left) if left < 1 else rate

    def _left(self, step: int) -> float:
        """How much of the fall is still to come in `step`: from 1 down to 0."""
        first, last = self.decay_from, self.decay_to
        if step < first:
            return 1.0
        if self.decay_shape == "stairs":
            return max(0.0, 1 - (step // first) / -(-last // first))
        if self.decay_shape == "cosine":
            return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - first) / max(1, last - first))))
        return max(0.0, (last - step) / max(1, last - first))


def warm_up(rate: float, step: int, steps: int) -> float:
    """`rate`, rising to it from 0 in equal parts over the first `steps` steps; at once where they are 0."""
    return rate * min(1.0, (step + 1) / steps) if steps else rate
