"""What may be asked of a face's age and sex."""

from __future__ import annotations

import pytest

from masque.edits.ageing_values import FRESHER, asked_ageing, checked_stated, checked_years
from masque.errors import ValueRangeError


@pytest.mark.parametrize(
    ("value", "meant"),
    [(62, 62.0), ("62", 62.0), (" +20 ", "+20"), ("-10.5", "-10.5"), ("+0", "+0"), (18, 18.0), (80.0, 80.0)],
)
def test_years_and_years_more_are_told_apart(value: object, meant: object) -> None:
    assert checked_years(value) == meant
    assert type(checked_years(value)) is type(meant)


@pytest.mark.parametrize(
    "value", [17, 81, "150", "old", "", None, float("nan"), "+nan", "+61", "-61", "--5", True, [30]]
)
def test_other_values_are_refused_in_words(value: object) -> None:
    with pytest.raises(ValueRangeError, match=r"[aA]ge"):
        checked_years(value)


def test_only_an_adults_age_can_be_stated() -> None:
    assert checked_stated(None) is None
    assert checked_stated(18) == 18.0
    for age in (17.9, 0, -3, 121, float("inf"), "x"):
        with pytest.raises(ValueRangeError, match="age"):
            checked_stated(age)


def test_targets_are_within_the_ages_that_are_known() -> None:
    def target(years: float, **values: float | str) -> float:
        return asked_ageing(values, years, 0.0)[0].target

    assert target(40, Age="+20") == 60
    assert target(40, Age=62.0) == 62
    assert target(40, Young=0.0) == 75
    assert target(40, Young=1.0) == 20
    assert target(40, Young=0.5) == 40
    assert target(40, Young=0.25) == 57.5
    assert target(25, Young=1.0) == 18
    assert target(75, Age="+20") == 80
    # Older than what is known: it can only stay.
    assert target(95, Young=0.0) == target(95, Age="-5") == 80


def test_notes_say_what_is_held_and_what_younger_means() -> None:
    _, notes = asked_ageing({"Age": "+30"}, 70, 0.0)
    assert "taken for 80" in notes[0]
    assert asked_ageing({"Age": "-10"}, 50, 0.0)[1] == [FRESHER]
    assert asked_ageing({"Age": "+10"}, 50, 0.0)[1] == []
    assert "already" in asked_ageing({"Male": 1.0}, 50, 1.0)[1][0]


def test_sex_is_changed_by_what_the_face_lacks() -> None:
    assert asked_ageing({"Male": 1.0}, 40, 0.25)[0].more_male == 0.75
    assert asked_ageing({"Male": 0.0}, 40, 0.25)[0].more_male == -0.25
    assert asked_ageing({"Age": "+1"}, 40, 0.25)[0].more_male == 0
