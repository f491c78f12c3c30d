"""Learning rates as functions of the step."""

from __future__ import annotations

import math


def half_cosine(rate: float, step: int, end: int) -> float:
    """`rate` at step 0, falling along half a cosine to 0 at step `end` (Loshchilov & Hutter 2017); constant where `end` is 0."""
    return rate * 0.5 * (1 + math.cos(math.pi * min(1.0, step / end))) if end else rate
