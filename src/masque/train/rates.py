"""Learning rates as functions of the step."""

from __future__ import annotations

import math


def half_cosine(rate: float, step: int, end: int) -> float:
    """`rate` at step 0, falling along half a cosine to 0 at step `end` (Loshchilov & Hutter 2017); constant where `end`
    is 0."""
    return rate * 0.5 * (1 + math.cos(math.pi * min(1.0, step / end))) if end else rate


def linear(rate: float, step: int, decay_from: int, decay_to: int, warm_up: int = 0) -> float:
    """`rate`, rising to it from 0 over `warm_up` steps and falling to 0 again between the other two; none of it where
    they are 0."""
    if warm_up:
        rate *= min(1.0, (step + 1) / warm_up)
    if decay_from and step >= decay_from:
        rate *= max(0.0, (decay_to - step) / max(1, decay_to - decay_from))
    return rate
