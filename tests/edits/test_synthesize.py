"""New pictures of the same person: what each request changes and what it leaves, on a network that has learnt
nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from masque.data.puppets import draw_puppet, render
from masque.errors import ValueRangeError


@pytest.fixture(scope="module")
def photos() -> list[np.ndarray]:
    return [render(draw_puppet(seed), 1.5).picture for seed in (3, 8)]


@pytest.fixture
def asked(synthesizer, monkeypatch):
    """The features that pictures were asked for of."""
    made = []

    def paint(f_id, f_1, f_2):
        made.append((f_id.clone(), f_1.clone(), f_2.clone()))
        return torch.zeros(len(f_id), 3, 32, 32)

    monkeypatch.setattr(synthesizer.model.G_I, "forward", paint)
    return made


def test_drawn_pictures_are_of_one_person_and_belong_to_their_seed(synthesizer, photos, asked):
    sheet = synthesizer.synthesize(photos[0], 5, seed=3)
    assert sheet.picture.shape == (2 * 32 + 2, 3 * 32 + 4, 3)
    assert sheet.record["count"] == 5
    synthesizer.synthesize_pictures(photos[0], 5, seed=3)
    synthesizer.synthesize_pictures(photos[0], 5, seed=4)
    (f_id, f_1, f_2), again, other = asked
    assert torch.allclose(f_id, synthesizer.features(synthesizer.subject(photos[0]))[0].expand(5, -1))
    assert torch.equal(f_1, again[1])
    assert not torch.equal(f_1, other[1])
    assert len(torch.unique(f_2, dim=0)) == 5
    with pytest.raises(ValueRangeError, match="0 pictures cannot be drawn"):
        synthesizer.synthesize(photos[0], 0)


def test_each_request_changes_its_own_alone(synthesizer, photos, asked):
    own, other = (synthesizer.features(synthesizer.subject(photo)) for photo in photos)
    E_1 = synthesizer.model.E_1
    record = synthesizer.modify(photos[0], [-20, 0, 20]).record
    assert record["yaws"] == [-20, 0, 20]
    f_id, f_1, f_2 = asked[-1]
    assert torch.allclose(E_1.yaw(f_1), torch.tensor([-1.0, 0.0, 1.0]) * math.radians(20), atol=1e-6)
    assert torch.allclose(f_1[:, :-1], own[1][:, :-1].expand(3, -1))
    assert torch.allclose(f_2, own[2].expand(3, -1))
    synthesizer.modify(photos[0], expression_from=photos[1])
    f_id, f_1, f_2 = asked[-1]
    assert torch.allclose(f_1[:, :-1], other[1][:, :-1])
    assert torch.allclose(E_1.yaw(f_1), E_1.yaw(own[1]), atol=1e-6)
    assert torch.allclose(f_2, own[2])
    synthesizer.modify(photos[0], light_from=photos[1])
    f_id, f_1, f_2 = asked[-1]
    assert torch.allclose(f_2, other[2])
    assert torch.allclose(f_1, own[1])
    assert torch.allclose(f_id, own[0])
    for yaws in ([], [10, 61]):
        with pytest.raises(ValueRangeError, match="up to 60 degrees"):
            synthesizer.modify(photos[0], yaws)


def test_frontalized_faces_look_straight_ahead(synthesizer, photos, asked):
    made = synthesizer.frontalize(photos[0])
    assert made.picture.shape == (32, 32, 3)
    assert made.record["edit"] == "frontalize"
    assert torch.allclose(synthesizer.model.E_1.yaw(asked[-1][1]), torch.zeros(1), atol=1e-7)


def test_a_strip_goes_from_one_person_to_the_other(synthesizer, photos, asked):
    own, other = (synthesizer.features(synthesizer.subject(photo)) for photo in photos)
    strip = synthesizer.mix(*photos, steps=5)
    f_id, f_1, f_2 = asked[-1]
    assert torch.allclose(f_id[0], own[0][0])
    assert torch.allclose(f_id[-1], other[0][0])
    assert torch.allclose(f_id[2], (own[0] + other[0])[0] / 2)
    assert torch.allclose(f_1, own[1].expand(5, -1))
    assert torch.allclose(f_2, own[2].expand(5, -1))
    assert strip.picture.shape == (32, 5 * 32 + 8, 3)
    with pytest.raises(ValueRangeError, match="1 pictures has no two ends"):
        synthesizer.mix(*photos, steps=1)
