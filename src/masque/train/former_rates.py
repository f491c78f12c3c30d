"""Settings by which learning rates fell in earlier versions, each family's in its own way, as those of `Schedule`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeAlias

from masque.config import Removed
from masque.jsonfile import JSON

ONE_DROP = Removed(
    "give decay_shape=stairs, decay_from and decay_to, which both are the step of the drop, and decay_factor, the "
    "share of lr from there on; decay_to=0 leaves the rate constant"
)

REMOVED = {
    "decay_every": Removed(
        "give decay_shape=stairs, decay_from, the steps to the first drop and from each to the next, and decay_to; "
        "decay_to=0 leaves the rate constant"
    ),
    "settle": Removed("give decay_from, the step from which the rates of G and D fall, and decay_to"),
    "late_from": ONE_DROP,
    "late_lr": ONE_DROP,
}
"""Former setting -> what to give instead."""

Fall: TypeAlias = tuple[str, int, int, float]
"""decay_shape, decay_from, decay_to and decay_factor."""

CONSTANT: Fall = ("linear", 0, 0, 0.0)


def translate(values: dict[str, JSON]) -> None:
    """Say in the settings of `Schedule` how the rates of an earlier version's training fell, where they can say it
    exactly. `values`, of the whole training, are changed in place; those of this version stay as they are."""
    if "decay_shape" in values:
        return
    made = None
    if "decay_every" in values:
        made = _stairs(values)
    elif "settle" in values:
        made = _settling(values)
    elif "late_from" in values:
        made = _dropping(values)
    elif "decay_from" in values:
        made = _falling(values)
    if made is not None:
        for name in REMOVED:
            values.pop(name, None)
        values.update(zip(("decay_shape", "decay_from", "decay_to", "decay_factor"), made, strict=True))


def _step(values: Mapping[str, JSON], name: str) -> int | None:
    """A setting that counts steps; None where it is missing or counts none."""
    value = values.get(name, 0)
    return value if type(value) is int and value >= 0 else None


def _stairs(values: Mapping[str, JSON]) -> Fall | None:
    """portrait: `decay_every` steps between drops that reach 0 at `decay_to`."""
    every, last = _step(values, "decay_every"), _step(values, "decay_to")
    if every is None or last is None or (every and not last):
        return None
    return ("stairs", every, last, 0.0) if every else CONSTANT


def _settling(values: Mapping[str, JSON]) -> Fall | None:
    """progan: the rates of G and D fell over `settle` steps before `encoder_since`, or before `decay_to` where no
    encoder learns; the encoder's, from `encoder_since` to `decay_to`, falls as it did."""
    settle, since, last = (_step(values, name) for name in ("settle", "encoder_since", "decay_to"))
    if settle is None or since is None or last is None:
        return None
    end = since or last
    if not settle or not end:  # G and D had one rate
        return ("linear", since, last, 0.0) if last > since > 0 else CONSTANT
    # Where they had begun to fall before the first step, nothing says so now.
    return ("linear", end - settle, max(last, since), 0.0) if settle <= end else None


def _dropping(values: Mapping[str, JSON]) -> Fall | None:
    """identity, facefeat: `late_lr` in place of `lr` from `late_from` on; of identity, all along half a cosine to
    `decay_to`."""
    since, last = _step(values, "late_from"), _step(values, "decay_to")
    if since is None or last is None:
        return None
    if not since:
        return ("cosine", 0, last, 0.0) if last else CONSTANT
    factor = _factor(values.get("lr"), values.get("late_lr"))
    return None if last or factor is None else ("stairs", since, since, factor)


def _factor(rate: JSON, late: JSON) -> float | None:
    """The number from 0 to 1 that makes `late` of `rate` to the last bit; None where there is none."""
    if not isinstance(rate, int | float) or not isinstance(late, int | float) or not 0 <= late <= rate or not rate:
        return None
    near = late / rate
    tried = (near, math.nextafter(near, 0.0), math.nextafter(near, 1.0))
    return next((factor for factor in tried if rate * factor == late), None)


def _falling(values: Mapping[str, JSON]) -> Fall | None:
    """rsgan, ccagan and the autoencoders: in a straight line from `decay_from` to 0 at `decay_to`; constant where
    `decay_from` was 0."""
    first, last = _step(values, "decay_from"), _step(values, "decay_to")
    if first is None or last is None:
        return None
    return ("linear", first, last or first, 0.0) if first else CONSTANT
