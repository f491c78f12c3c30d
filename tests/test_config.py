"""Settings: presets changed by name, values read from text and from JSON, durations."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masque.config import LARGEST_SEED, RunSettings, as_dict, from_dict, override, seconds
from masque.errors import SettingError, nearest


@dataclass(frozen=True)
class Every:
    """A field of each kind that a config may have."""

    number: int = 1
    share: float = 0.5
    on: bool = False
    name: str = "a"
    colour: Literal["red", "green"] = "red"
    attributes: tuple[str, ...] = ("Male",)
    limit: float | None = None


def refusal(action: object, *arguments: object) -> str:
    with pytest.raises(SettingError) as caught:
        action(*arguments)  # type: ignore[operator]
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("assignment", "field", "value"),
    [
        ("number=7", "number", 7),
        ("share=2e-4", "share", 2e-4),
        ("share=3", "share", 3.0),
        ("on=true", "on", True),
        ("on=No", "on", False),
        ("on=1", "on", True),
        ("name=x=y", "name", "x=y"),
        ("name=", "name", ""),
        ("colour=green", "colour", "green"),
        ("attributes=Male,Young", "attributes", ("Male", "Young")),
        ("attributes=", "attributes", ()),
        ("limit=2.5", "limit", 2.5),
        ("limit=none", "limit", None),
    ],
)
def test_an_assignment_changes_one_field(assignment: str, field: str, value: object) -> None:
    (changed,) = override([Every()], [assignment])
    assert getattr(changed, field) == value
    assert type(getattr(changed, field)) is type(value)
    others = {name: v for name, v in vars(changed).items() if name != field}
    assert others == {name: v for name, v in vars(Every()).items() if name != field}


@pytest.mark.parametrize(
    ("assignment", "says"),
    [
        ("number", "key=value"),
        ("number=seven", "a whole number"),
        ("number=1.5", "a whole number"),
        ("share=half", "a number"),
        ("share=nan", "a number"),
        ("share=inf", "a number"),
        ("on=perhaps", "true or false"),
        ("colour=blue", "red, green"),
        ("limit=much", "a number"),
        ("nmber=7", "did you mean number?"),
        ("zzzzzz=7", "known are: attributes, colour"),
    ],
)
def test_what_does_not_fit_is_refused_in_plain_words(assignment: str, says: str) -> None:
    assert says in refusal(override, [Every()], [assignment])


def test_each_assignment_goes_to_the_config_that_has_the_field() -> None:
    model, run = override([Every(), RunSettings()], ["number=3", "batch_size=16", "number=4"])
    assert (model.number, run.batch_size) == (4, 16)
    assert "did you mean batch_size?" in refusal(override, [Every(), RunSettings()], ["batchsize=16"])


def test_the_first_config_is_asked_first() -> None:
    @dataclass(frozen=True)
    class Other:
        number: int = 9

    assert override([Every(), Other()], ["number=3"]) == (Every(number=3), Other(number=9))


@pytest.mark.parametrize(
    "change",
    [
        {"steps": 0}, {"batch_size": -1}, {"keep": 0}, {"save_every": 0}, {"ema": 1.0}, {"ema": -0.1}, {"precision": "16"},
        {"seed": -1}, {"seed": LARGEST_SEED + 1}, {"shift": -1.0}, {"turn": -0.1}, {"zoom": 1.0}, {"colour": float("nan")},
    ],
)  # fmt: skip
def test_run_settings_outside_their_range(change: dict[str, object]) -> None:
    (name,) = change
    assert refusal(lambda: RunSettings(**change)).startswith(f"{name} is ")  # type: ignore[arg-type]


def test_configs_survive_json() -> None:
    config = Every(number=3, attributes=("Male", "Young"), limit=1.5)
    assert from_dict(Every, json.loads(json.dumps(as_dict(config)))) == config
    assert from_dict(RunSettings, as_dict(RunSettings(seed=5))) == RunSettings(seed=5)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"number": "3"}, "a whole number"),
        ({"number": True}, "a whole number"),
        ({"number": 3.5}, "a whole number"),
        ({"share": "half"}, "a number"),
        ({"on": 1}, "true or false"),
        ({"name": 3}, "a text"),
        ({"attributes": "Male"}, "a list of texts"),
        ({"attributes": [1, 2]}, "a list of texts"),
        ({"limit": "none"}, "a number or none"),
        ({"colour": "blue"}, "colour is 'blue'"),
        ({"nmber": 3}, "did you mean number?"),
    ],
)
def test_values_of_another_type_come_from_another_program(values: dict[str, object], says: str) -> None:
    assert says in refusal(from_dict, Every, values)


def test_whole_numbers_in_json_serve_as_numbers() -> None:
    assert from_dict(Every, {"share": 2}).share == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90", 90),
        ("90s", 90),
        ("9m", 540),
        ("1h30m", 5400),
        ("2h", 7200),
        ("1h0m5s", 3605),
        ("0.5h", 1800),
        (" 9m ", 540),
        ("1.5", 1.5),
    ],
)
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", " ", "m", "9x", "m9", "-9m", "9 m", "1m1h", "0", "0h0m0s", "1e3", "nan"])
def test_what_is_no_duration(text: str) -> None:
    assert "1h30m" in refusal(seconds, text)


@settings(max_examples=100, deadline=None)
@given(hours=st.integers(0, 99), minutes=st.integers(0, 999), rest=st.integers(1, 9999))
def test_durations_add_up(hours: int, minutes: int, rest: int) -> None:
    assert seconds(f"{hours}h{minutes}m{rest}s") == hours * 3600 + minutes * 60 + rest


def test_the_nearest_name_is_named_whatever_its_case() -> None:
    known = ("Smiling", "Blond_Hair", "Male")
    assert nearest("smilling", known).startswith("did you mean Smiling?")
    assert nearest("blondhair", known).startswith("did you mean Blond_Hair?")
    assert nearest("xyzzy", known) == "known are: Smiling, Blond_Hair, Male"


def test_a_duration_that_cannot_be_counted() -> None:
    for text in ("9" * 400, "9" * 400 + "h", "\x1b[2J"):
        with pytest.raises(SettingError) as caught:
            seconds(text)
        assert str(caught.value).isprintable()
