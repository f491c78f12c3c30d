"""New pictures of the same person: what each request changes and what it leaves, on a network that has learnt nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from masque import runs
from masque.data.frames import load_frames
from masque.data.puppets import draw_puppet, render
from masque.edits.synthesize import Synthesizer
from masque.errors import ValueRangeError


@pytest.fixture(scope="module")
def session() -> Synthesizer:
    recipe = runs.build_recipe(runs.plan("facefeat", "tiny"))
    recipe.begin(load_frames(["puppets:24"], 32, ()))
    return Synthesizer(recipe.model, "facefeat", "0" * 16)


@pytest.fixture(scope="module")
def photos() -> list[np.ndarray]:
    return [render(draw_puppet(seed), 1.5).picture for seed in (3, 8)]


@pytest.fixture
def asked(session, monkeypatch):
    """The features that pictures were asked for of."""
    made = []

    def paint(f_id, f_1, f_2):
        made.append((f_id.clone(), f_1.clone(), f_2.clone()))
        return torch.zeros(len(f_id), 3, 32, 32)

    monkeypatch.setattr(session.model.G_I, "forward", paint)
    return made


def test_drawn_pictures_are_of_one_person_and_belong_to_their_seed(session, photos, asked):
    sheet = session.synthesize(photos[0], 5, seed=3)
    assert sheet.picture.shape == (2 * 32 + 2, 3 * 32 + 4, 3)
    assert sheet.record["count"] == 5
    session.drawn(photos[0], 5, seed=3)
    session.drawn(photos[0], 5, seed=4)
    (f_id, f_1, f_2), again, other = asked
    assert torch.allclose(f_id, session.features(session.subject(photos[0]))[0].expand(5, -1))
    assert torch.equal(f_1, again[1])
    assert not torch.equal(f_1, other[1])
    assert len(torch.unique(f_2, dim=0)) == 5
    with pytest.raises(ValueRangeError, match="0 pictures cannot be drawn"):
        session.synthesize(photos[0], 0)


def test_each_request_changes_its_own_alone(session, photos, asked):
    own, other = (session.features(session.subject(photo)) for photo in photos)
    E_1 = session.model.E_1
    record = session.changed(photos[0], [-20, 0, 20]).record
    assert record["yaws"] == [-20, 0, 20]
    f_id, f_1, f_2 = asked[-1]
    assert torch.allclose(E_1.yaw(f_1), torch.tensor([-1.0, 0.0, 1.0]) * math.radians(20), atol=1e-6)
    assert torch.allclose(f_1[:, :-1], own[1][:, :-1].expand(3, -1))
    assert torch.allclose(f_2, own[2].expand(3, -1))
    session.changed(photos[0], expression_from=photos[1])
    f_id, f_1, f_2 = asked[-1]
    assert torch.allclose(f_1[:, :-1], other[1][:, :-1])
    assert torch.allclose(E_1.yaw(f_1), E_1.yaw(own[1]), atol=1e-6)
    assert torch.allclose(f_2, own[2])
    session.changed(photos[0], light_from=photos[1])
    f_id, f_1, f_2 = asked[-1]
    assert torch.allclose(f_2, other[2])
    assert torch.allclose(f_1, own[1])
    assert torch.allclose(f_id, own[0])
    for yaws in ([], [10, 61]):
        with pytest.raises(ValueRangeError, match="up to 60 degrees"):
            session.changed(photos[0], yaws)


def test_frontalized_faces_look_straight_ahead(session, photos, asked):
    made = session.frontalize(photos[0])
    assert made.picture.shape == (32, 32, 3)
    assert made.record["edit"] == "frontalize"
    assert torch.allclose(session.model.E_1.yaw(asked[-1][1]), torch.zeros(1), atol=1e-7)


def test_a_strip_goes_from_one_person_to_the_other(session, photos, asked):
    own, other = (session.features(session.subject(photo)) for photo in photos)
    strip = session.mix(*photos, steps=5)
    f_id, f_1, f_2 = asked[-1]
    assert torch.allclose(f_id[0], own[0][0])
    assert torch.allclose(f_id[-1], other[0][0])
    assert torch.allclose(f_id[2], (own[0] + other[0])[0] / 2)
    assert torch.allclose(f_1, own[1].expand(5, -1))
    assert torch.allclose(f_2, own[2].expand(5, -1))
    assert strip.picture.shape == (32, 5 * 32 + 8, 3)
    with pytest.raises(ValueRangeError, match="1 pictures has no two ends"):
        session.mix(*photos, steps=1)
