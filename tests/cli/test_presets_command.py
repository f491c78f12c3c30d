"""`masque presets`: every preset of every family with what it asks for, and what is estimated said to be."""

from __future__ import annotations

import pytest
from command_line import masque

from masque import runs
from masque.bench import presets
from masque.catalog import CATALOG


def test_all_presets_are_listed():
    told = masque("presets", "--json").values["presets"]
    assert [(t["family"], t["preset"]) for t in told] == [(f, p) for f, entry in CATALOG.items() for p in entry.load("presets")]
    for t in told:
        plan = runs.plan(t["family"], t["preset"])
        assert (t["size"], t["steps"], t["pictures"]) == (plan.model.size, plan.run.steps, plan.run.steps * plan.run.batch_size)
        assert (t["parameters"] is None) == bool(t["note"])  # what leans on another model says which setting names it
        assert t["hours"] is None


def test_weights_and_memory_are_those_of_the_networks():
    recipe = runs.build_recipe(runs.plan("attributes", "tiny"))
    weights = sum(p.numel() for net in recipe.nets.values() for p in net.parameters())
    (tiny,) = (told for told in presets.asked("attributes") if told.preset == "tiny")
    assert (tiny.parameters, tiny.memory) == (weights, 20 * weights)  # a gradient, two moments and an average beside each


def test_time_is_measured_where_it_is_asked_for(monkeypatch):
    monkeypatch.setattr(presets, "bench_training", lambda *_: {"engine": {"median": 8.0}})
    told = masque("presets", "attributes", "--measure", "--json").values["presets"]
    assert [t["hours"] for t in told] == [pytest.approx(t["pictures"] / 8 / 3600) for t in told]
    assert "at the rate of one timed on this machine" in masque("presets", "attributes", "--measure").out


def test_the_text_says_what_is_an_estimate_and_what_is_refused():
    told = masque("presets", "progan")
    assert told.code == 0, told.err
    assert "paper-1024" in told.out
    assert "memory: an estimate, computed" in told.out
    assert "masque bench train FAMILY --preset PRESET" in told.out
    assert "did you mean progan" in masque("presets", "progam").sentence
    assert "name it" in masque("presets", "--measure").sentence
