"""CelebAMask-HQ's layout and its parts, on puppets laid out as the data set's authors publish it."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from masque.data.batches import Augmentation, Batches
from masque.data.frames import load_frames
from masque.data.journal import PrepareSettings
from masque.data.layouts import detect_layout, read_layout
from masque.data.parts import LABEL_OF_PART, read_parts, why_unusable
from masque.data.prepare import prepare
from masque.data.prepared import BACKGROUND, BEYOND, PERSON, open_prepared
from masque.data.puppets import Rendered, draw_puppet, render
from masque.errors import DataError
from masque.faces.labels import LABELS, OPPOSITE, UNKNOWN, Labels
from masque.image import Picture, read_picture, write_picture
from masque.loading import installed_part_estimator

PART_OF_LABEL = {number: part for part, number in reversed(LABEL_OF_PART.items()) if number}
SEEDS = (1, 3, 4, 6)


def write_masks(root: Path, number: int, made: Rendered) -> None:
    """Masks of twice the picture's size, as the data set has them; clothes have a mask and no label."""
    folder = root / "CelebAMask-HQ-mask-anno" / str(number // 2000)
    folder.mkdir(parents=True, exist_ok=True)
    inside = {PART_OF_LABEL[label]: made.labels == label for label in range(1, 11)}
    inside["cloth"] = (made.labels == 0) & (made.background < 128)
    for part, where in inside.items():
        if where.any():
            mask = cv2.resize(where.astype(np.uint8) * 255, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST).astype(
                np.uint8
            )
            write_picture(folder / f"{number:05d}_{part}.png", np.repeat(mask[..., None], 3, axis=2))


@pytest.fixture(scope="module")
def puppet_truth() -> list[Rendered]:
    return [render(draw_puppet(seed), 1.5) for seed in SEEDS]


@pytest.fixture(scope="module")
def data_set(puppet_truth: list[Rendered], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("CelebAMask-HQ")
    (root / "CelebA-HQ-img").mkdir()
    for number, made in enumerate(puppet_truth):
        write_picture(root / "CelebA-HQ-img" / f"{number}.jpg", made.picture)
        write_masks(root, number, made)
    return root


@pytest.fixture(scope="module")
def prepared(data_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("prepared") / "set"
    prepare(data_set, out, PrepareSettings(size=64, held_out=1), workers=1)
    return out


def test_the_layout_is_recognised_and_the_last_numbers_are_held_out(data_set):
    assert detect_layout(data_set) == "celebamask-hq"
    (data_set / "CelebA-HQ-img" / "10.jpg").touch()  # no masks: not a picture of the set
    found = read_layout(data_set, held_out=1)
    (data_set / "CelebA-HQ-img" / "10.jpg").unlink()
    assert [s.path.name for s in found] == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    assert [s.split for s in found] == ["train", "train", "train", "test"]
    assert found[0].parts["nose"].name == "00000_nose.png"


def test_the_persons_left_is_the_pictures_right(data_set, puppet_truth):
    labels, _ = read_parts(read_layout(data_set)[0].parts)
    assert (labels[::2, ::2] == puppet_truth[0].labels).all()
    assert LABELS[LABEL_OF_PART["l_eye"]] == "right eye"
    assert all(OPPOSITE[LABEL_OF_PART[f"l_{part}"]] == LABEL_OF_PART[f"r_{part}"] for part in ("eye", "brow", "ear"))


def test_later_parts_lie_over_earlier_ones(tmp_path):
    for part, columns in (("skin", slice(0, 9)), ("hair", slice(4, 9)), ("hat", slice(7, 9)), ("ear_r", slice(2, 3))):
        mask = np.zeros((6, 10, 3), np.uint8)
        mask[:, columns] = 255
        write_picture(tmp_path / f"{part}.png", mask)
    labels, person = read_parts(
        {part: tmp_path / f"{part}.png" for part in ("hat", "hair", "ear_r", "skin", "unheard-of")}
    )
    assert labels[0].tolist() == [1, 1, 0, 1, 10, 10, 10, 0, 0, 0]
    assert person[0].tolist() == [True] * 9 + [False]


def test_frames_labels_and_masks_agree(prepared, puppet_truth):
    opened = open_prepared(prepared)
    assert len(opened.rows) == len(SEEDS)
    for index in range(len(SEEDS)):
        labels, mask = opened.labels(index), opened.mask(index)
        assert labels.shape == mask.shape == opened.frame(index).shape[:2]
        assert ((labels == UNKNOWN) == (mask == BEYOND)).all()
        assert (mask[(labels > 0) & (labels != UNKNOWN)] == PERSON).all()
        assert (mask == BACKGROUND).any()
        for part, points in ((4, slice(36, 42)), (5, slice(42, 48)), (6, slice(27, 36))):
            inside = opened.landmarks[index, points].mean(axis=0)
            assert np.linalg.norm(np.argwhere(labels == part).mean(axis=0)[::-1] - inside) < 4
        shares = [np.bincount(made.ravel(), minlength=256)[:11] for made in (labels, puppet_truth[index].labels)]
        assert np.corrcoef(*shares)[0, 1] > 0.9


def test_batches_move_labels_with_the_picture(prepared):
    frames = load_frames([str(prepared)], 64, (), labels="any")
    still = Batches(frames, "train", 64, 3, seed=0)(0)["labels"]
    assert (still.shape, still.dtype.is_floating_point) == ((3, 64, 64), False)
    assert set(still.unique().tolist()) <= {*range(11), UNKNOWN}
    moved = Batches(
        frames, "train", 64, 3, seed=0, augmentation=Augmentation(flip=True, shift=0, turn=0, zoom=0, colour=0)
    )
    for step in range(6):
        batch, places = moved(step), Batches(frames, "train", 64, 3, seed=0)(step)
        for made, plain, picture, seen in zip(
            batch["labels"], places["labels"], batch["image"], places["image"], strict=True
        ):
            mirrored = bool((picture - seen).abs().mean() > 0.02)
            table = np.arange(256)
            table[:11] = OPPOSITE
            expected = table[plain.numpy()[:, ::-1]] if mirrored else plain.numpy()
            assert (made.numpy() == expected).mean() > (
                0.95 if mirrored else 0.9999
            )  # half a pixel beside the mirror's axis


def test_only_pictures_with_label_maps_are_taken(prepared, tmp_path):
    part = tmp_path / "part"
    shutil.copytree(prepared, part)
    (part / "labels" / "000002.png").unlink()
    assert len(load_frames([str(part)], 64, (), labels="any")) == len(SEEDS) - 1
    assert load_frames([str(part)], 64, ()).labels is None
    shutil.rmtree(part / "labels")
    with pytest.raises(DataError, match="has no label maps"):
        load_frames([str(part)], 64, (), labels="any")


def test_label_maps_are_part_of_what_a_run_was_trained_on(prepared):
    frames = load_frames([str(prepared)], 64, (), labels="any")
    before = frames.fingerprint()
    frames.labels[0, 40, 40] ^= 1
    assert frames.fingerprint() != before


def test_what_is_not_celebamask(tmp_path):
    (tmp_path / "CelebAMask-HQ-mask-anno").mkdir()
    with pytest.raises(DataError, match="CelebA-HQ-img or CelebAMask-HQ"):
        read_layout(tmp_path)
    (tmp_path / "CelebA-HQ-img").mkdir()
    with pytest.raises(DataError, match="no picture with masks"):
        read_layout(tmp_path)
    bad = tmp_path / "nose.png"
    bad.write_text("no mask")
    with pytest.raises(DataError, match=r"nose\.png"):
        read_parts({"nose": bad})
    write_picture(tmp_path / "skin.png", np.zeros((4, 4, 3), np.uint8))
    write_picture(bad, np.zeros((5, 4, 3), np.uint8))
    with pytest.raises(DataError, match="size of the picture's other masks"):
        read_parts({"skin": tmp_path / "skin.png", "nose": bad})


def test_a_damaged_mask_drops_the_picture_and_says_why(data_set, tmp_path):
    part = tmp_path / "part"
    shutil.copytree(data_set, part)
    (part / "CelebAMask-HQ-mask-anno" / "0" / "00001_hair.png").write_bytes(b"cut short")
    report = prepare(part, tmp_path / "set", PrepareSettings(size=64, held_out=1), workers=1)
    assert (report.kept, report.dropped) == (len(SEEDS) - 1, {"failed: DataError": 1})


def test_masks_that_lack_a_part_or_do_not_fit_drop_the_picture_and_say_why(data_set, tmp_path):
    part = tmp_path / "part"
    shutil.copytree(data_set, part)
    masks = part / "CelebAMask-HQ-mask-anno" / "0"
    (masks / "00000_nose.png").unlink()
    for mask in masks.glob("00001_*.png"):  # those of somebody farther to the right
        write_picture(mask, np.roll(read_picture(mask), 120, axis=1))
    (masks / "00002_hair.png").unlink(missing_ok=True)
    (masks / "00002_l_eye.png").unlink()  # bald, and one eye hidden: still a face
    report = prepare(part, tmp_path / "set", PrepareSettings(size=64, held_out=1), workers=1)
    assert (report.kept, report.dropped) == (2, {"masks without a nose": 1, "masks that do not fit the face": 1})


def test_what_makes_a_label_map_usable(prepared):
    opened = open_prepared(prepared)
    labels, landmarks = opened.labels(0), opened.landmarks[0]
    assert why_unusable(labels, landmarks) is None
    assert why_unusable(np.where(labels == 1, 0, labels), landmarks) == "masks without skin"
    assert why_unusable(np.where(np.isin(labels, (7, 8, 9)), 1, labels), landmarks) == "masks without a mouth"


def test_the_parser_says_what_is_background_where_there_are_no_masks(photo_folder, tmp_path):
    asked: list[tuple[int, ...]] = []

    def left_half(frames: list[Picture]) -> list[Labels]:
        asked.extend(frame.shape for frame in frames)
        maps = []
        for frame in frames:
            labels = np.zeros(frame.shape[:2], np.uint8)
            labels[:, : labels.shape[1] // 2] = 10
            labels[:5] = UNKNOWN
            maps.append(labels)
        return maps

    for out, label_maps in ((tmp_path / "masks", False), (tmp_path / "maps", True)):
        plain = prepare(photo_folder, tmp_path / f"{out.name}-plain", PrepareSettings(size=64, held_out=1), workers=1)
        report = prepare(
            photo_folder, out, PrepareSettings(size=64, held_out=1, label_maps=label_maps), workers=1, parse=left_half
        )
        assert report.kept == plain.kept == 4
        opened, before = open_prepared(out), open_prepared(tmp_path / f"{out.name}-plain")
        assert opened.parsed_labels == label_maps
        for index in range(4):
            mask, measured = opened.mask(index), before.mask(index)
            half = mask.shape[1] // 2
            known = measured[5:] != BEYOND
            assert (mask[5:, :half][known[:, :half]] == PERSON).all()
            assert (mask[5:, half:][known[:, half:]] == BACKGROUND).all()
            assert (mask[:5] == measured[:5]).all()
            assert ((mask == BEYOND) == (measured == BEYOND)).all()
            assert opened.has_labels(index) == label_maps
            if label_maps:
                assert ((opened.labels(index) == UNKNOWN)[5:] == ~known).all()
                assert (opened.labels(index)[:5] == UNKNOWN).all()
    assert asked == [(109, 89, 3)] * 8
    assert len(load_frames([str(tmp_path / "maps")], 64, (), labels="any")) == 4
    with pytest.raises(DataError, match="are a parser's own"):
        load_frames([str(tmp_path / "maps")], 64, (), labels="known")
    with pytest.raises(DataError, match="teach a parser nothing new"):
        load_frames([str(tmp_path / "maps"), str(tmp_path / "maps")], 64, (), labels="some known")
    assert len(load_frames([str(tmp_path / "maps"), "puppets:3"], 64, (), labels="some known")) == 7
    with pytest.raises(DataError, match="prepare it again with --label-maps"):
        load_frames([str(tmp_path / "masks")], 64, (), labels="any")
    with pytest.raises(DataError, match="No face parser comes with this installation"):
        prepare(photo_folder, tmp_path / "none", PrepareSettings(size=64, label_maps=True), workers=1)


def test_masks_of_parts_are_not_parsed(data_set, tmp_path):
    def never(frames: list[Picture]) -> list[Labels]:
        raise AssertionError(len(frames))

    prepare(data_set, tmp_path / "set", PrepareSettings(size=64, held_out=1, label_maps=True), workers=1, parse=never)
    assert not open_prepared(tmp_path / "set").parsed_labels


@pytest.mark.skipif(installed_part_estimator() is None, reason="the parser's weights were left out")
def test_the_shipped_parser_reads_frames_as_it_reads_photos(prepared):
    opened = open_prepared(prepared)
    parts = installed_part_estimator()
    assert parts is not None
    for index, labels in enumerate(parts([opened.frame(i) for i in range(len(SEEDS))])):
        assert labels.shape == opened.frame(index).shape[:2]
        assert (labels[[8, 100]] == UNKNOWN).all()  # the crop is rows 20 to 198 at full scale
        assert (labels[[12, 97]] != UNKNOWN).all()
        eyes = opened.landmarks[index, 36:48].mean(axis=0).astype(int)
        assert labels[eyes[1], eyes[0]] in (1, 6)
