"""New pictures of the same person: what each request changes and what it leaves, on a network that has learnt
nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage import data

import masque
from masque.data.puppets import draw_puppet, render
from masque.edits.loaded import Synthesizer
from masque.edits.own_cells import OwnCells, Variation
from masque.errors import ValueRangeError
from masque.faces.crop import cut_head
from masque.faces.frame import chain, scale_of, warp_photo, zoom
from masque.samples import sample_photos


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
    strip = synthesizer.mix(*photos, steps=5, detail="network")
    f_id, f_1, f_2 = asked[-1]
    assert torch.allclose(f_id[0], own[0][0])
    assert torch.allclose(f_id[-1], other[0][0])
    assert torch.allclose(f_id[2], (own[0] + other[0])[0] / 2)
    assert torch.allclose(f_1, own[1].expand(5, -1))
    assert torch.allclose(f_2, own[2].expand(5, -1))
    assert strip.picture.shape == (32, 5 * 32 + 8, 3)
    with pytest.raises(ValueRangeError, match="1 pictures has no two ends"):
        synthesizer.mix(*photos, steps=1)


def test_a_strip_of_own_pixels_begins_with_the_photo_and_changes_its_face(synthesizer, photos):
    strip = synthesizer.mix(*photos, steps=3, size=200).picture
    assert strip.shape == (200, 3 * 200 + 4, 3)
    first, middle, last = (strip[:, at : at + 200].astype(int) for at in (0, 202, 404))
    subject = synthesizer.subject(photos[0])
    assert (first == cut_head(subject.photo, subject.face.landmarks, 200).picture).all()
    steps = [np.abs(picture - first)[90:150, 70:130].mean() for picture in (middle, last)]
    assert 2 < steps[0] < steps[1]


@pytest.fixture(scope="module")
def both(synthesizer):
    """A synthesizer that has the photo's own pixels, too, by the weights that come with Masque."""
    return Synthesizer(synthesizer.model, "facefeat", "0" * 16, own=masque.load())


@pytest.fixture(scope="module")
def portrait():
    return np.ascontiguousarray(data.astronaut())


def test_own_pixels_are_drawn_as_large_as_the_photos_face(both, synthesizer, portrait):
    made = both.synthesize(portrait, 3, seed=5)
    subject = both.subject(portrait)
    side = round(subject.size / scale_of(subject.matrix))
    assert made.picture.shape == (2 * side + 2, 2 * side + 2, 3)
    assert made.record["method"] == "own"
    drawn = made.record["drawn"]
    assert len({one["yaw"] for one in drawn}) == len({one["Smiling"] for one in drawn}) == 3
    again = both.synthesize_pictures(portrait, 3, seed=5)
    assert np.array_equal(made.picture[:side, :side], again[0])
    network = both.synthesize(portrait, 3, seed=5, detail="network")
    assert np.array_equal(network.picture, synthesizer.synthesize(portrait, 3, seed=5).picture)
    assert network.record["method"] == "network"


def test_a_variation_of_nothing_is_the_photos_crop(both, portrait):
    subject = both.subject(portrait)
    cells = OwnCells(both.own, subject)
    whole = warp_photo(portrait, chain(subject.matrix, zoom(cells.side / subject.size)), (cells.side, cells.side), 1.0)[
        0
    ]
    assert np.abs(cells.picture(Variation()).astype(int) - whole).max() <= 1


def test_of_a_photo_that_ends_close_to_the_head_a_cell_shows_no_more_than_the_photo(both, portrait):
    """The photo is cut off at the hair, and its last six rows are blue: a cell that reached beyond them would show
    more blue, as what lies beyond is made up of them."""
    close = np.ascontiguousarray(portrait[30:320, 80:400])
    close[:6] = (0, 0, 255)
    wide, near = (OwnCells(both.own, both.subject(photo)) for photo in (portrait, close))
    assert near.side < 0.97 * wide.side
    blue = np.abs(near.picture(Variation()).astype(int) - (0, 0, 255)).max(axis=2) < 60
    assert 0 < blue.any(axis=1).sum() <= 6 + 0.05 * near.side
    assert near.enlarged(np.full((32, 32, 3), 7, np.uint8)).shape == (near.side, near.side, 3)


def test_light_from_a_photo_that_is_lit_from_a_side(both, portrait):
    """Its right half is darkened: so is that of whoever gets its light, and colours of skin stay."""
    shade = np.interp(np.arange(portrait.shape[1]), [170, 280], [1.2, 0.6])[None, :, None]
    shaded = np.clip(portrait * shade, 0, 255).astype(np.uint8)
    plain = both.modify(portrait, light_from=portrait)
    lit = both.modify(portrait, light_from=shaded)
    assert lit.record["method"] == "own"
    ratio = lit.picture.astype(float).mean(axis=2) / np.maximum(1, plain.picture.astype(float).mean(axis=2))
    side = len(ratio)
    rows = slice(int(0.4 * side), int(0.6 * side))
    assert ratio[rows, int(0.35 * side)].mean() > 1.04
    assert ratio[rows, int(0.62 * side)].mean() < 0.96


def test_a_pose_is_taken_from_a_photo_and_far_ones_are_the_networks(both, portrait):
    aside = both.own.turn(portrait, 12.0)
    taken = both.modify(portrait, pose_from=aside)
    assert taken.record["method"] == "own"
    assert abs(taken.record["yaws"][0] - 12) < 4
    strip = both.modify(portrait, [-40.0, 0.0, 40.0])
    assert strip.record["method"] == ["network", "own", "network"]
    side = strip.picture.shape[0]
    assert strip.picture.shape == (side, 3 * side + 4, 3)
    with pytest.raises(ValueRangeError, match="exclude one another"):
        both.modify(portrait, [3.0], pose_from=aside)


def test_own_pixels_of_a_grey_photo_stay_grey(both, portrait):
    grey = np.repeat(portrait.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    for picture in both.synthesize_pictures(grey, 2, seed=1):
        assert (picture == picture[..., :1]).all()


def test_a_strip_of_own_pixels_ends_with_the_other_person_in_the_first_photo(both, photos_of_people):
    first, second = photos_of_people
    strip = both.mix(first, second, steps=2, size=256).picture
    start, end = (np.ascontiguousarray(strip[:, at : at + 256]) for at in (0, 258))
    wanted = both.subject(second).embedding
    apart = [float(np.square(both.subject(one).embedding - wanted).sum()) for one in (start, end)]
    assert apart[1] < 0.36 < apart[0]  # as dlib tells people apart
    corner = np.abs(end.astype(int) - start)[:30, :50]
    assert corner.mean() < 2


@pytest.fixture(scope="module")
def photos_of_people():
    """Two public-domain portraits."""
    return tuple(sample_photos().values())
