"""What may be asked of a face's age and sex, and what that means for the face at hand."""

from __future__ import annotations

from collections.abc import Mapping

from masque.edits.ageing_tint import Asked
from masque.errors import ValueRangeError, printable
from masque.given import number
from masque.models.ageing import OLDEST, YOUNGEST

AGE, YOUNG, MALE = "Age", "Young", "Male"
"""Years, or years more or less; and CelebA's attributes."""

OLDER, YOUNGER = 35.0, 20.0
"""By how many years Young = 0 makes a face older, and Young = 1 younger; at 0.5 it stays as it is."""

MOST = 60.0
"""Years that may be added or taken."""

ADULT, OLDEST_STATED = 18.0, 120.0
"""Ages of people that may be stated."""

SAME_AGE, SAME_SEX = 0.6, 0.0051
"""Years, and shares of `Male`, up to which a face is as old, or as male, as is asked: what was read of it, rounded,
then changes nothing."""

HELD = "Ages from {first:.0f} to {last:.0f} are known, so {asked:.0f} is taken for {held:.0f}."
FRESHER = "Younger is fresher skin and a fuller shape: the face does not lose as many years as are asked."
ALREADY = "The face reads as asked already: it is left as it is."


def checked_years(value: object) -> float | str:
    """The value of `Age`: years as a float, or a text with its sign, such as "+20" or "-5". Raises ValueRangeError.

    value: the same, or years as a text."""
    text = value.strip() if isinstance(value, str) else ""
    try:
        years = float(text) if text else number(AGE, value)
    except ValueError:
        years = float("nan")
    if text.startswith(("+", "-")):
        if abs(years) <= MOST:
            return f"{years:+g}"
        raise ValueRangeError(
            f"Age = {printable(text, 40)} is outside -{MOST:.0f} to +{MOST:.0f}: say how many years are added or taken."
        )
    if YOUNGEST <= years <= OLDEST:
        return years
    raise ValueRangeError(
        f"Age = {printable(value, 40)} is neither {YOUNGEST:.0f} to {OLDEST:.0f} years nor years to add or take, such "
        "as +20 or -10."
    )


def checked_stated(age: object) -> float | None:
    """How old the person is said to be, in years; None where it is not said. Raises ValueRangeError for an age under
    18: only adults are aged."""
    if age is None:
        return None
    years = number("age", age)
    if not ADULT <= years <= OLDEST_STATED:
        raise ValueRangeError(
            f"age = {years:g} is outside {ADULT:.0f} to {OLDEST_STATED:.0f}: only an adult's age can be stated."
        )
    return years


def asked_ageing(values: Mapping[str, float | str], years: float, male: float) -> tuple[Asked, list[str]]:
    """What values of Age, Young and Male ask of a face, and what is to be said of it.

    years, male: the age of the face, and how male it looks, in [0,1]."""
    wanted = years
    if AGE in values:
        value = values[AGE]
        wanted = years + float(value) if isinstance(value, str) else value
        if not isinstance(value, str) and abs(value - min(max(years, YOUNGEST), OLDEST)) <= SAME_AGE:
            wanted = years
    elif YOUNG in values:
        share = 1 - 2 * float(values[YOUNG])
        wanted = years + share * (OLDER if share > 0 else YOUNGER)
    own = min(max(years, YOUNGEST), OLDEST)
    target = min(max(wanted, YOUNGEST), OLDEST) if wanted != years else own
    if (wanted > years) != (target > own):  # older than the oldest, or younger than the youngest
        target = own
    more_male = float(values[MALE]) - male if MALE in values else 0.0
    more_male = more_male if abs(more_male) > SAME_SEX else 0.0
    notes = []
    if AGE in values and abs(wanted - target) >= 1:
        notes.append(HELD.format(first=YOUNGEST, last=OLDEST, asked=wanted, held=target))
    if target < own:
        notes.append(FRESHER)
    if target == own and not more_male:
        notes.append(ALREADY)
    return Asked(own, target, male, more_male), notes
