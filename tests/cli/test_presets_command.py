"""`masque presets`: every preset of every family with what it asks for, and what is estimated said to be."""

from __future__ import annotations

from typing import Any

import pytest
from command_line import masque

from masque import runs
from masque.bench import presets
from masque.catalog import CATALOG


@pytest.fixture(scope="module")
def listed() -> list[dict[str, Any]]:
    """Every preset of every family, for which the networks of all are built."""
    return masque("presets", "--json").values["presets"]


def test_all_presets_are_listed(listed):
    assert [(t["family"], t["preset"]) for t in listed] == [
        (f, p) for f, entry in CATALOG.items() for p in entry.load("presets")
    ]
    for t in listed:
        plan = runs.plan(t["family"], t["preset"])
        assert (t["size"], t["steps"], t["pictures"]) == (
            plan.model.size,
            plan.run.steps,
            plan.run.steps * plan.run.batch_size,
        )
        assert t["parameters"] is not None or t["note"]  # what leans on another model says which setting names it


def test_weights_and_memory_are_those_of_the_networks():
    recipe = runs.build_recipe(runs.plan("attributes", "tiny"))
    weights = sum(p.numel() for net in recipe.nets.values() for p in net.parameters())
    (tiny,) = (cost for cost in presets.preset_costs("attributes") if cost.preset == "tiny")
    assert (tiny.parameters, tiny.memory) == (
        weights,
        20 * weights,
    )  # a gradient, two moments and an average beside each


def test_time_is_measured_where_it_is_asked_for(monkeypatch):
    monkeypatch.setattr(presets, "time_training", lambda _family, preset, _most: None if preset == "small" else 7200.0)
    told = masque("presets", "attributes", "--measure", "--json").values
    assert {t["preset"]: t["hours"] for t in told["presets"]} == {"small": None, "tiny": 2.0}
    assert "Not measured: a phase of one step takes more than" in told["presets"][0]["note"]
    assert told["machine"] == presets.machine()
    assert "that were timed here" in masque("presets", "attributes", "--measure").out


def test_every_preset_has_a_time_or_the_reason_why_it_has_none(listed):
    """As it is now: whoever changes what a preset asks for measures it again."""
    for t in listed:
        assert (t["hours"] is None) == bool(t["note"]), f"measure {t['family']} {t['preset']} again: {presets.COMMAND}"
        assert t["hours"] is None or t["hours"] > 0


def test_what_was_measured_of_another_preset_is_not_told(monkeypatch):
    changed = [t | {"steps": t["steps"] + 1} for t in presets.shipped()["presets"]]
    monkeypatch.setattr(presets, "shipped", lambda: {"machine": "a machine", "date": "a day", "presets": changed})
    assert [t.hours for t in presets.preset_costs("attributes")] == [None, None]


def test_the_text_says_what_is_an_estimate_and_what_is_refused():
    told = masque("presets", "progan")
    assert told.code == 0, told.err
    assert "paper-1024" in told.out
    assert "memory: an estimate, computed" in told.out
    assert (
        f"that were timed on {presets.shipped()['machine']}, {presets.shipped()['date']}, by `{presets.COMMAND}`"
        in told.out
    )
    assert "did you mean progan" in masque("presets", "progam").sentence
