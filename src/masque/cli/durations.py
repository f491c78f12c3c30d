"""How long something may take, as users write it."""

from __future__ import annotations

import math
import re

from masque.errors import SettingError, printable


def seconds(text: str) -> float:
    """A duration such as 90, 90s, 9m, 1h30m or 2h, in seconds. Raises SettingError for anything else or for nothing."""
    match = re.fullmatch(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?", text.strip())
    if not text.strip() or match is None:
        raise SettingError(f"{printable(repr(text))} is not a duration: write 90s, 9m or 1h30m.")
    hours, minutes, rest = (float(part or 0) for part in match.groups())
    total = 3600 * hours + 60 * minutes + rest
    if not math.isfinite(total):
        raise SettingError(f"{printable(repr(text))} is longer than can be counted: write 90s, 9m or 1h30m.")
    if total <= 0:
        raise SettingError(f"{printable(repr(text))} is no time at all: write 90s, 9m or 1h30m.")
    return total
