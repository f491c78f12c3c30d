"""Settings: presets changed by name, values read from text and from JSON, durations."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masque.catalog import CATALOG
from masque.cli.durations import seconds
from masque.config import (
    LARGEST_SEED,
    Former,
    Removed,
    RunSettings,
    as_dict,
    from_dict,
    override,
    settings_of,
    values_of,
    with_values,
)
from masque.errors import SettingError, nearest
from masque.jsonfile import JSON


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
    (made,) = override((Every(),), [assignment])
    assert getattr(made, field) == value
    assert type(getattr(made, field)) is type(value)
    others = {name: v for name, v in vars(made).items() if name != field}
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
    assert says in refusal(override, (Every(),), [assignment])


def test_each_assignment_goes_to_the_config_that_has_the_field() -> None:
    model, run = override((Every(), RunSettings()), ["number=3", "batch_size=16", "number=4"])
    assert (model.number, run.batch_size) == (4, 16)
    assert "did you mean batch_size?" in refusal(override, (Every(), RunSettings()), ["batchsize=16"])


def test_the_first_config_is_asked_first() -> None:
    @dataclass(frozen=True)
    class Other:
        number: int = 9

    assert override((Every(), Other()), ["number=3"]) == (Every(number=3), Other(number=9))


@pytest.mark.parametrize(
    "change",
    [
        {"steps": 0},
        {"batch_size": -1},
        {"keep": 0},
        {"save_every": 0},
        {"ema": 1.0},
        {"ema": -0.1},
        {"precision": "16"},
        {"seed": -1},
        {"seed": LARGEST_SEED + 1},
        {"shift": -1.0},
        {"turn": -0.1},
        {"zoom": 1.0},
        {"colour": float("nan")},
    ],
)
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


@dataclass(frozen=True)
class Fall:
    """A group of settings."""

    decay_from: int = 0
    decay_to: int = 10
    former: ClassVar[Former] = Former(
        {"settle": Removed("decay_from says where the fall begins")}, lambda values: unsettled(values)
    )

    def __post_init__(self) -> None:
        if self.decay_to < self.decay_from:
            raise SettingError("decay_to is before decay_from.")


def unsettled(values: dict[str, JSON]) -> None:
    """An older version said how long the fall takes."""
    if isinstance(values.get("settle"), int) and isinstance(values.get("decay_to"), int):
        values["decay_from"] = values["decay_to"] - values.pop("settle")  # type: ignore[operator]


@dataclass(frozen=True)
class Grouped:
    """A config with a group whose defaults are its own."""

    number: int = 1
    fall: Fall = Fall(decay_to=20)
    name: str = "a"
    former: ClassVar[Former] = Former(
        {"title": Removed("name says it"), "fast": Removed("it always is", neutral=True)},
        renamed={"count": "number"},
        choices={"name": {"first": "a"}},
    )


def test_groups_are_flat_for_the_user() -> None:
    config = Grouped(fall=Fall(3, 9))
    assert values_of(config) == {"number": 1, "decay_from": 3, "decay_to": 9, "name": "a"}
    assert settings_of(Grouped) == {"number": int, "decay_from": int, "decay_to": int, "name": str}
    assert as_dict(config) == values_of(config)
    assert from_dict(Grouped, json.loads(json.dumps(as_dict(config)))) == config
    assert from_dict(Grouped, {"decay_from": 4}) == Grouped(fall=Fall(4, 20))
    assert override((config, RunSettings()), ["decay_to=12", "name=b"])[0] == Grouped(1, Fall(3, 12), "b")
    assert with_values(config, {"decay_from": 30, "decay_to": 40, "number": 2}) == Grouped(2, Fall(30, 40))
    assert with_values(config, {}) == config


def test_what_does_not_fit_in_a_group_is_refused_as_anywhere() -> None:
    for action, arguments, says in (
        (override, ((Grouped(),), ["decay_from=x"]), "a whole number"),
        (override, ((Grouped(),), ["decay_form=1"]), "did you mean decay_from?"),
        (override, ((Grouped(),), ["decay_from=-1"]), "decay_from is -1 and must be at least 0"),
        (override, ((Grouped(),), ["decay_from=21"]), "decay_to is before decay_from"),
        (override, ((Grouped(),), ["fall=1"]), "There is no setting fall"),
        (from_dict, (Grouped, {"decay_from": "3"}), "a whole number"),
        (from_dict, (Grouped, {"fall": {"decay_from": 3}}), "There is no setting fall"),
    ):
        assert says in refusal(action, *arguments)
    with pytest.raises(TypeError, match="Grouped has no setting fell"):
        with_values(Grouped(), {"fell": 1})


def test_former_settings_are_translated_or_answered_with_what_replaced_them() -> None:
    assert from_dict(Grouped, {"decay_to": 9, "settle": 4}) == Grouped(fall=Fall(5, 9))
    assert refusal(from_dict, Grouped, {"settle": "long", "decay_to": 9}) == (
        "There is no setting settle any more: decay_from says where the fall begins."
    )
    assert refusal(override, (RunSettings(), Grouped()), ["title=b"]) == (
        "There is no setting title any more: name says it."
    )
    assert refusal(override, (Grouped(),), ["settle=4"]).startswith("There is no setting settle any more")
    assert from_dict(Grouped, {"count": 4, "fast": True, "name": "first"}) == Grouped(4)
    assert refusal(from_dict, Grouped, {"fast": False}) == "There is no setting fast any more: it always is."
    assert refusal(override, (Grouped(),), ["count=4"]) == "There is no setting count any more: its name is number."


@pytest.mark.parametrize("family", CATALOG)
def test_a_name_is_one_setting_of_a_family(family: str) -> None:
    kinds = (CATALOG[family].load("config"), CATALOG[family].load("training"), RunSettings)
    names = [name for kind in kinds for name in settings_of(kind)]
    assert len(set(names)) == len(names)


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
