"""Batches: who is in them, how they are moved, and that every crop and mask of a sample agrees with the others."""

from __future__ import annotations

import dataclasses
import os

import cv2
import numpy as np
import pytest
import torch

from masque.data.batches import (
    NO_AUGMENTATION,
    Augmentation,
    Batches,
    cut_regions,
    draw_motion,
    in_floats,
    order,
    positions,
    recolour,
    workers_for,
)
from masque.data.frames import FrameSet, load_frames
from masque.data.prepared import BACKGROUND, BEYOND
from masque.faces.regions import FACE_CROP, HAIR_CROP, stretched_hull

NAMES = ("Smiling", "Male")
PICTURES = ("image", "face_crop")
MASKS = ("image_hull", "face_hull", "background", "valid", "face_valid")
FLIPPED = Augmentation(flip=True, shift=0.0, turn=0.0, zoom=0.0, colour=0.0)


@pytest.fixture(scope="module")
def frames() -> FrameSet:
    """21 puppets, one of them with an unknown attribute and a strip beyond the photo."""
    made = load_frames(["puppets:21"], 64, NAMES)
    made.attributes[2, 1] = np.nan
    made.masks[2, :, :20] = BEYOND
    return made


def test_shapes_types_and_ranges(frames):
    batch = Batches(frames, "train", 64, 5, seed=1, augmentation=Augmentation())(3)
    assert set(batch) == {
        *PICTURES,
        *MASKS,
        "landmarks",
        "frame_landmarks",
        "attributes",
        "index",
        "identity",
        "flipped",
        "step",
        "seed",
    }
    for name in PICTURES:
        assert (batch[name].shape, batch[name].dtype) == ((5, 3, 64, 64), torch.float32)
        assert -1 <= batch[name].min() < -0.2
        assert 0.2 < batch[name].max() <= 1
    for name in MASKS:
        assert (batch[name].shape, batch[name].dtype) == ((5, 1, 64, 64), torch.float32)
        assert batch[name].min() >= 0
        assert batch[name].max() <= 1
    assert (batch["attributes"].shape, batch["attributes"].dtype) == ((5, 2), torch.float32)
    assert batch["index"].dtype == batch["seed"].dtype == batch["step"].dtype == torch.int64
    assert batch["step"].tolist() == [3] * 5
    assert (batch["landmarks"].shape, batch["landmarks"].dtype) == ((5, 68, 2), torch.float32)
    inside = (batch["landmarks"] > 0) & (batch["landmarks"] < 64)
    assert inside.float().mean() > 0.9  # of pixels of the picture
    # The right eye, the person's, stays left of the left one, mirrored or not.
    assert (batch["landmarks"][:, 36:42, 0].mean(dim=1) < batch["landmarks"][:, 42:48, 0].mean(dim=1)).all()


@pytest.mark.parametrize(("count", "batch_size"), [(12, 4), (10, 4), (3, 8), (1, 2)])
def test_every_epoch_visits_every_frame_once(count, batch_size):
    epochs = 6
    steps = -(-epochs * count // batch_size)
    visited = np.concatenate([positions(5, step, batch_size, count) for step in range(steps)])[: epochs * count]
    for epoch in visited.reshape(epochs, count):
        assert sorted(epoch) == list(range(count))
    if count >= 10:
        assert len({tuple(epoch) for epoch in visited.reshape(epochs, count)}) == epochs
        assert not np.array_equal(order(5, 0, count), order(6, 0, count))


def test_a_batch_is_a_function_of_seed_and_step(frames):
    first, again = (Batches(frames, "train", 64, 4, seed=1, augmentation=Augmentation()) for _ in range(2))
    first(0)
    for name, value in first(7).items():
        assert torch.equal(value.nan_to_num(-1), again(7)[name].nan_to_num(-1)), name
    other = Batches(frames, "train", 64, 4, seed=2, augmentation=Augmentation())
    assert not torch.equal(first(7)["image"], other(7)["image"])
    assert not set(first(7)["seed"].tolist()) & set(other(7)["seed"].tolist())


@pytest.mark.parametrize("workers", [0, 2])
def test_reading_ahead_gives_the_same_batches_from_any_start(frames, workers):
    batches = Batches(frames, "train", 64, 3, seed=1, augmentation=Augmentation())
    ahead = list(batches.prefetch(4, 9, workers))
    assert len(ahead) == 5
    for step, batch in enumerate(ahead, start=4):
        assert batch["image"].dtype == torch.uint8  # what travels to an accelerator
        for name, value in in_floats(batch).items():
            assert torch.equal(value.nan_to_num(-1), batches(step)[name].nan_to_num(-1)), name
    assert list(batches.prefetch(9, 9, workers)) == list(batches.prefetch(9, 4, workers)) == []


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_in_another_thread_or_process_is_not_lost(frames, workers):
    broken = Batches(frames, "train", 64, 3, seed=1)
    broken.frames = dataclasses.replace(frames, frames=frames.frames[:1])
    with pytest.raises(IndexError):
        list(broken.prefetch(0, 20, workers))


def test_only_beside_an_accelerator_are_there_processes_unless_asked_for():
    assert workers_for(-1, accelerated=False) == 0
    assert (
        0
        <= workers_for(-1, accelerated=True, processes=2)
        <= workers_for(-1, accelerated=True)
        <= (os.cpu_count() or 1)
    )
    assert (workers_for(0, accelerated=True), workers_for(3, accelerated=False)) == (0, 3)


def test_noise_seeds_are_never_used_twice(frames):
    batches = Batches(frames, "train", 64, 6, seed=3)
    seeds = torch.cat([batches(step)["seed"] for step in range(30)])
    assert len(seeds.unique()) == 180


@pytest.mark.parametrize("world", [2, 3])
def test_shares_of_the_processes_make_the_whole_batch(frames, world):
    whole = Batches(frames, "train", 64, 6, seed=1, augmentation=Augmentation())(2)
    shares = [Batches(frames, "train", 64, 6, 1, Augmentation(), rank, world)(2) for rank in range(world)]
    for name, value in whole.items():
        assert torch.equal(torch.cat([share[name] for share in shares]).nan_to_num(-1), value.nan_to_num(-1)), name


def test_only_the_split_asked_for(frames):
    train, test = (set(Batches(frames, split, 64, 21, seed=0)(0)["index"].tolist()) for split in ("train", "test"))
    assert train == set(frames.indices("train"))
    assert test == set(frames.indices("test"))
    assert not train & test


def test_without_augmentation_crops_are_cut_where_the_paper_says():
    """Face crop at (30,70), 118²; hair crop at (0,20), 178² (Section 3.2), by cutting and resizing at a scale where
    pixels fit."""
    large = load_frames(["puppets:3"], 128, NAMES)
    batch = Batches(large, "train", 178, 3, seed=0)(0)
    faces = Batches(large, "train", 118, 3, seed=0)(0)
    for place, index in enumerate(batch["index"].tolist()):
        picture = torch.from_numpy(large.frames[index]).permute(2, 0, 1).float() / 127.5 - 1
        torch.testing.assert_close(batch["image"][place], picture[:, 20:198, 0:178])
        torch.testing.assert_close(faces["face_crop"][place], picture[:, 70:188, 30:148])
        background = torch.from_numpy((large.masks[index] == BACKGROUND).astype(np.float32))
        assert torch.equal(batch["background"][place, 0], background[20:198])
    assert torch.equal(batch["attributes"], torch.from_numpy(large.attributes[batch["index"]]))


def test_smaller_crops_show_the_same_region(frames):
    cut = cut_regions(frames.frames[0], frames.masks[0], frames.landmarks[0], 64, frames.scale)
    frame = cv2.resize(frames.frames[0], (178, 218), interpolation=cv2.INTER_LINEAR)
    for name, (left, top, side) in (("image", (0, 20, 178)), ("face_crop", (30, 70, 118))):
        expected = cv2.resize(frame[top : top + side, left : left + side], (64, 64), interpolation=cv2.INTER_AREA)
        assert np.abs(cut[name].astype(float) - expected).mean() < 4


def test_hull_masks_hold_the_stretched_hull(frames):
    """How much of each crop is inside, against the polygon's area by the shoelace formula; a border of up to a pixel
    may be drawn."""
    for index in range(5):
        cut = cut_regions(frames.frames[index], frames.masks[index], frames.landmarks[index], 64, frames.scale)
        corners = (stretched_hull(frames.landmarks[index]).astype(float) + 0.5) / frames.scale
        for name, crop in (("image_hull", HAIR_CROP), ("face_hull", FACE_CROP)):
            x, y = ((corners - (crop.left, crop.top)) * 64 / crop.side).T
            if min(x.min(), y.min()) < 1 or max(x.max(), y.max()) > 63:
                continue  # reaches beyond the crop
            area = 0.5 * abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))
            border = np.hypot(x - np.roll(x, 1), y - np.roll(y, 1)).sum()
            inside = (cut[name] / 255).sum()
            assert area - 0.1 * border < inside < area + border
            hull = np.stack([x, y], axis=1).astype(np.float32)
            depth = np.array(
                [cv2.pointPolygonTest(hull, (place % 64 + 0.5, place // 64 + 0.5), True) for place in range(64 * 64)]
            )
            assert (cut[name].ravel()[depth > 1] == 255).all()
            assert (cut[name].ravel()[depth < -2.5] == 0).all()


def test_what_the_photo_had_not_is_not_valid(frames):
    cut = cut_regions(frames.frames[2], frames.masks[2], frames.landmarks[2], 64, frames.scale)
    edge = 20 / frames.scale  # in pixels of scale 1
    for name, crop in (("valid", HAIR_CROP), ("face_valid", FACE_CROP)):
        column = (edge - crop.left) * 64 / crop.side
        assert (cut[name][:, : round(column) - 1] == 0).all()
        assert (cut[name][:, round(column) + 1 :] == 255).all()
    assert (cut["background"][:, : round(edge * 64 / 178) - 1] == 0).all()


def test_a_motion_that_leaves_the_frame_makes_that_part_invalid(frames):
    shift = np.array([[1.0, 0, 30 * frames.scale], [0, 1.0, 0]])
    cut = cut_regions(frames.frames[0], frames.masks[0], frames.landmarks[0], 64, frames.scale, shift)
    assert (cut["valid"][:, :9] == 0).all()
    assert (cut["valid"][:, 13:] == 255).all()
    assert (cut["face_valid"] == 255).all()


def test_a_flip_mirrors_everything_alike(frames):
    batches, still = (
        Batches(frames, "train", 64, 12, seed=1, augmentation=FLIPPED),
        Batches(frames, "train", 64, 12, seed=1),
    )
    moved, straight = batches(0), still(0)
    assert torch.equal(moved["index"], straight["index"])
    flips = []
    for place in range(12):
        closeness = {}
        for name in (*PICTURES, *MASKS):
            a, b = moved[name][place], straight[name][place]
            closeness[name] = tuple(bool((a - other).abs().mean() < 0.02) for other in (b, b.flip(2)))
        sides = {side for side, mirrored in closeness.values() if side != mirrored}
        assert all(side or mirrored for side, mirrored in closeness.values())
        assert len(sides) == 1  # whatever is not symmetrical is either all mirrored or all straight
        flips.append(sides == {False})
    assert 2 <= sum(flips) <= 10


def test_motions_stay_within_their_limits():
    moves = Augmentation(flip=True, shift=3.0, turn=5.0, zoom=0.04, colour=0.0)
    middle = np.array([88.5, 108.5])
    seen = []
    for seed in range(300):
        matrix, flipped = draw_motion(moves, 1.0, np.random.default_rng(seed))
        linear = matrix[:, :2] * ([-1, 1] if flipped else [1, 1])
        factor = np.sqrt(np.linalg.det(linear))
        shift = matrix[:, :2] @ middle + matrix[:, 2] - middle
        seen.append((*shift, factor, np.arctan2(linear[1, 0], linear[0, 0])))
        np.testing.assert_allclose(linear @ linear.T, factor**2 * np.eye(2), atol=1e-12)  # a similarity
        assert np.linalg.det(matrix[:, :2]) * (-1 if flipped else 1) > 0
    limits = np.array([3.0, 3.0, 0.04, np.deg2rad(5)])
    deviations = np.abs(np.array(seen) - [0, 0, 1, 0])
    assert (deviations.max(axis=0) <= limits + 1e-12).all()
    assert (deviations.max(axis=0) > 0.95 * limits).all()


def test_no_augmentation_is_no_motion_and_one_switched_off_leaves_the_others():
    matrix, flipped = draw_motion(NO_AUGMENTATION, 0.5, np.random.default_rng(0))
    np.testing.assert_allclose(matrix, np.eye(2, 3), atol=1e-12)
    assert not flipped
    all_, without = (draw_motion(Augmentation(turn=turn), 1.0, np.random.default_rng(4)) for turn in (3.0, 0.0))
    assert all_[1] == without[1]
    assert np.sqrt(abs(np.linalg.det(all_[0][:, :2]))) == pytest.approx(np.sqrt(abs(np.linalg.det(without[0][:, :2]))))


def test_colours_change_alike_in_both_crops_and_by_the_formula():
    picture = np.random.default_rng(0).integers(60, 190, (2, 8, 8, 3)).astype(np.uint8)
    cut = {"image": picture[0].copy(), "face_crop": picture[1].copy(), "valid": np.full((8, 8), 7, np.uint8)}
    brightness, contrast, saturation = 1 + 0.2 * np.random.default_rng(9).uniform(-1, 1, 3)
    recolour(cut, 0.2, np.random.default_rng(9))
    for name, before in zip(PICTURES, picture.astype(float), strict=True):
        grey = before @ [0.299, 0.587, 0.114]
        coloured = grey[..., None] + saturation * (before - grey[..., None])
        expected = 128 * brightness + contrast * (brightness * coloured - 128 * brightness)
        assert np.abs(cut[name] - expected).max() < 1
    assert (cut["valid"] == 7).all()
    cut["image"], cut["face_crop"] = picture
    recolour(cut, 0.0, np.random.default_rng(9))
    assert np.array_equal(cut["image"], picture[0])
