"""The schedule of learning rates by hand, and the settings by which rates fell in earlier versions."""

from __future__ import annotations

import math

import pytest

from masque import runs
from masque.catalog import CATALOG
from masque.config import RESUMABLE, as_dict, from_dict, settings_of
from masque.errors import SettingError
from masque.train.rates import Schedule, warm_up


def rates(schedule: Schedule, *steps: int, rate: float = 2.0) -> list[float]:
    return [schedule.at(rate, step) for step in steps]


def test_a_rate_is_constant_unless_a_fall_is_asked_for():
    for shape in ("linear", "cosine", "stairs"):
        assert rates(Schedule(shape), 0, 1, 10**6) == [2.0, 2.0, 2.0]
        assert rates(Schedule(shape, decay_from=5), 0, 5, 10**6) == [2.0, 2.0, 2.0]


def test_a_line():
    assert rates(Schedule("linear", 10, 20), 0, 10, 12, 15, 20, 99) == pytest.approx([2, 2, 1.6, 1, 0, 0])
    assert rates(Schedule("linear", 10, 20, 0.5), 9, 10, 15, 20, 99) == [2, 2, 1.5, 1, 1]
    assert rates(Schedule("linear", 0, 4), 0, 1, 2, 4) == [2, 1.5, 1, 0]
    assert rates(Schedule("linear", 7, 7), 6, 7, 8) == [2, 0, 0]


def test_half_a_cosine():
    assert rates(Schedule("cosine", 0, 10), 0, 5, 10, 99) == pytest.approx([2, 1, 0, 0])
    assert rates(Schedule("cosine", 0, 10), 1)[0] == 2 * 0.5 * (1 + math.cos(math.pi / 10))
    assert rates(Schedule("cosine", 10, 20, 0.5), 3, 10, 15, 20, 99) == pytest.approx([2, 2, 1.5, 1, 1])


def test_stairs():
    assert rates(Schedule("stairs", 10, 40), 0, 9, 10, 25, 39, 40, 99) == [2, 2, 1.5, 1, 0.5, 0, 0]
    assert rates(Schedule("stairs", 10, 31, 0.5), 9, 10, 39, 40) == [
        2,
        1.75,
        1.25,
        1,
    ]  # the last drop is after decay_to
    assert rates(Schedule("stairs", 100_000, 100_000, 0.625), 99_999, 100_000, 10**6, rate=8e-5) == [8e-5, 5e-5, 5e-5]
    with pytest.raises(SettingError, match="needs decay_from"):
        Schedule("stairs", 0, 10)


def test_a_warm_up():
    assert [warm_up(2.0, step, 4) for step in (0, 1, 3, 4, 99)] == [0.5, 1.0, 2.0, 2.0, 2.0]
    assert warm_up(2.0, 0, 0) == 2.0


FOUR = ("decay_shape", "decay_from", "decay_to", "decay_factor")


@pytest.mark.parametrize("family", [name for name, entry in CATALOG.items() if not entry.fitted])
def test_every_family_has_the_same_four_settings_and_resuming_may_change_them(family):
    training = CATALOG[family].load("training")
    assert [name for name in settings_of(training) if name.startswith("decay_")] == list(FOUR)
    assert RESUMABLE & settings_of(training).keys() == set(FOUR)


def former(family: str, **values: object) -> dict[str, object]:
    """The settings of a training as an earlier version wrote them."""
    now = as_dict(runs.plan(family, "tiny").training)
    kept = {name: value for name, value in now.items() if name not in FOUR}
    if family == "portrait":
        kept["critic_lr"] = kept.pop("judge_lr")
    return {**kept, **values}


LINEAR, COSINE, STAIRS = "linear", "cosine", "stairs"


@pytest.mark.parametrize(
    ("family", "then", "now"),
    [
        ("rsgan", {"decay_from": 30, "decay_to": 40}, Schedule(LINEAR, 30, 40)),
        ("rsgan", {"decay_from": 0, "decay_to": 40}, Schedule()),
        ("ccagan", {"decay_from": 30, "decay_to": 0}, Schedule(LINEAR, 30, 30)),
        ("vaegan", {"decay_from": 30, "decay_to": 40}, Schedule(LINEAR, 30, 40)),
        ("parser", {"decay_to": 40}, Schedule(COSINE, 0, 40)),
        ("attributes", {"decay_to": 40}, Schedule(COSINE, 0, 40)),
        ("dcgan", {}, Schedule()),
        ("portrait", {"decay_every": 10, "decay_to": 35}, Schedule(STAIRS, 10, 35)),
        ("portrait", {"decay_every": 0, "decay_to": 35}, Schedule()),
        ("progan", {"settle": 10, "encoder_since": 40, "decay_to": 90}, Schedule(LINEAR, 30, 90)),
        ("progan", {"settle": 10, "encoder_since": 40, "decay_to": 0}, Schedule(LINEAR, 30, 40)),
        ("progan", {"settle": 10, "encoder_since": 0, "decay_to": 90}, Schedule(LINEAR, 80, 90)),
        ("progan", {"settle": 0, "encoder_since": 40, "decay_to": 90}, Schedule(LINEAR, 40, 90)),
        ("progan", {"settle": 0, "encoder_since": 40, "decay_to": 0}, Schedule()),
        ("progan", {"settle": 10, "encoder_since": 0, "decay_to": 0}, Schedule()),
        ("identity", {"lr": 8e-5, "late_lr": 5e-5, "late_from": 9, "decay_to": 0}, Schedule(STAIRS, 9, 9, 0.625)),
        ("identity", {"late_lr": 5e-5, "late_from": 0, "decay_to": 30}, Schedule(COSINE, 0, 30)),
        ("identity", {"late_lr": 5e-5, "late_from": 0, "decay_to": 0}, Schedule()),
        ("facefeat", {"lr": 1e-4, "late_lr": 5e-5, "late_from": 9}, Schedule(STAIRS, 9, 9, 0.5)),
        ("facefeat", {"late_lr": 5e-5, "late_from": 0}, Schedule()),
    ],
)
def test_runs_of_earlier_versions_fall_as_they_did(family, then, now):
    training = from_dict(CATALOG[family].load("training"), former(family, **then))
    assert training.schedule == now
    if family == "portrait":
        assert training.judge_lr == former(family)["critic_lr"]


@pytest.mark.parametrize(
    ("family", "then", "says"),
    [
        ("identity", {"late_lr": 5e-5, "late_from": 9, "decay_to": 30}, "late_from any more: give decay_shape=stairs"),
        ("facefeat", {"lr": 1e-4, "late_lr": 2e-4, "late_from": 9}, "late_from any more: give decay_shape=stairs"),
        ("facefeat", {"lr": 1e-4, "late_lr": "x", "late_from": 9}, "late_from any more: give decay_shape=stairs"),
        ("portrait", {"decay_every": 10, "decay_to": 0}, "decay_every any more: give decay_shape=stairs"),
        ("progan", {"settle": 50, "encoder_since": 40, "decay_to": 0}, "settle any more: give decay_from"),
        ("progan", {"settle": "long", "encoder_since": 40, "decay_to": 0}, "settle any more: give decay_from"),
    ],
)
def test_what_no_setting_says_exactly_is_refused_with_what_replaced_it(family, then, says):
    with pytest.raises(SettingError) as caught:
        from_dict(CATALOG[family].load("training"), former(family, **then))
    assert f"There is no setting {says}" in str(caught.value)


@pytest.mark.parametrize(
    ("family", "name", "instead"),
    [
        ("facefeat", "late_lr", "decay_factor"),
        ("identity", "late_from", "decay_from"),
        ("progan", "settle", "decay_from"),
        ("portrait", "decay_every", "decay_shape=stairs"),
        ("portrait", "critic_lr", "judge_lr"),
    ],
)
def test_a_former_setting_is_answered_with_what_replaced_it(family, name, instead):
    with pytest.raises(SettingError, match=rf"There is no setting {name} any more: .*{instead}"):
        runs.plan(family, "tiny", [f"{name}=10"])
