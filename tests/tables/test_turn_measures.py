"""How far heads are read to be turned, by puppets whose yaw is known, and what is reported of turns."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

import masque
from masque.data.puppets import draw_puppet, render
from masque.edits.loaded import Synthesizer
from masque.tables.turn_measures import TURNS, as_lines, measure_turns, read_yaw, turned_puppets


def test_the_yaw_of_puppets_is_read_from_their_true_landmarks() -> None:
    for seed in range(4):
        puppet = draw_puppet(seed)
        read = [
            read_yaw(render(replace(puppet, pose=puppet.pose._replace(yaw=math.radians(yaw)))).landmarks)
            for yaw in (-20, 0, 20)
        ]
        assert read[0] == pytest.approx(-20, abs=5)
        assert read[1] == pytest.approx(0, abs=4)
        assert read[2] == pytest.approx(20, abs=5)


def test_turns_are_measured_on_own_pixels_and_by_the_network(synthesizer: Synthesizer) -> None:
    own = masque.load()
    made = [render(draw_puppet(seed)) for seed in (3, 6)]
    report = measure_turns(synthesizer, own, [one.picture for one in made], [one.landmarks for one in made], 1.0, 0)
    assert list(report["own"]) == list(report["network"]) == [f"{degrees:+d}" for degrees in TURNS]
    assert report["heads"] == 2
    for name, row in report["own"].items():  # who is painted by a network that has learnt nothing is nobody
        assert 0 < row["identity"] < report["network"][name]["identity"]
    assert len(as_lines(report)) == 2 + len(TURNS)


def test_puppets_that_are_turned_come_nearer_to_those_that_are_rendered_so() -> None:
    found = turned_puppets(masque.load(), 4)
    assert found["puppets"] >= 3
    assert found["apart"] < 0.7 * found["apart_before"]
    assert 0.7 < found["reached"] < 1.4
