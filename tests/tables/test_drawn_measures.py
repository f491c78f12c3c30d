"""Likeness and variety of new pictures, of puppets and by a network that has learnt nothing."""

from __future__ import annotations

import pytest

import masque
from masque.data.puppets import draw_puppet, render
from masque.edits.loaded import Synthesizer
from masque.tables.drawn_measures import as_lines, measure_drawn


def test_own_pixels_stay_the_person_and_vary(synthesizer: Synthesizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("masque.tables.drawn_measures.EACH", 3)
    both = Synthesizer(synthesizer.model, "facefeat", "0" * 16, own=masque.load())
    person = [render(draw_puppet(seed, 77), 1.5).picture for seed in (3, 4, 6, 8)]
    alone = [render(draw_puppet(9), 1.5).picture]  # one photo tells nothing of how somebody varies
    report = measure_drawn(both, [person, alone])
    assert report["people"] == 1
    assert 0 < report["own"]["identity"] < 0.3 < report["network"]["identity"]
    assert report["real"]["yaw"] > 1
    assert report["own"]["yaw"] > 1
    assert report["own"]["expression"] > 0
    assert len(as_lines(report)) == 4
