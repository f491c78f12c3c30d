"""Repainting by label map, on puppets whose parts are known: shapes, styles, what is shown of the network and what of
the photo."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from masque import runs
from masque.data.puppets import draw_puppet, render
from masque.edits import repaint as module
from masque.edits.faces_for import faces_for
from masque.edits.loaded import PortraitEditor
from masque.edits.parser import enlarged
from masque.edits.repaint import fill_background, repaint
from masque.edits.subject import Subject, find_subject
from masque.edits.transfer import transfer
from masque.errors import CheckpointError, PictureError, ValueRangeError
from masque.faces.frame import transform
from masque.faces.label_edits import align_labels, edited_labels_in_crop, painted_pixels, replace_part, resample_labels
from masque.faces.labels import colour_labels, write_labels
from masque.faces.masks import newly_background
from masque.faces.tones import correct_tones, mean_lab, smooth_colours
from masque.image import to_pictures, write_picture
from masque.loading import installed_parser
from tiny import ParserOf

SEEDS = {"one.png": 3, "two.png": 8}


@pytest.fixture(scope="module")
def truth():
    return {name: render(draw_puppet(seed), 1.5) for name, seed in SEEDS.items()}


@pytest.fixture(scope="module")
def files(truth, tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("photos")
    return {name: write_picture(folder / name, made.picture) for name, made in truth.items()}


@pytest.fixture
def painter(truth) -> PortraitEditor:
    """An untrained network, and a parser that knows the truth."""

    def parse(subject: Subject) -> np.ndarray:
        parts = cv2.warpAffine(truth[subject.name].labels, subject.matrix, (subject.size,) * 2, flags=cv2.INTER_NEAREST)
        return np.stack([(parts == label).astype(np.float32) for label in range(11)])

    return PortraitEditor(
        runs.build_recipe(runs.plan("portrait", "tiny")).model, "portrait", "0" * 16, parser=ParserOf(parse)
    )


def paint_by_label(painter: PortraitEditor, monkeypatch) -> list[list[torch.Tensor]]:
    """Let the network paint each pixel in 20 times its label; what latents it was given."""
    given = []

    def paint(latents, _target, labels):
        given.append(list(latents))
        return np.repeat((20 * labels)[..., None], 3, axis=2).astype(np.uint8)

    monkeypatch.setattr(painter, "paint", paint)
    return given


def test_a_part_of_another_shape():
    own, other = np.ones((6, 9), np.uint8), np.zeros((6, 9), np.uint8)
    own[0], own[2, 2:4], own[4, 3:6] = 10, 4, 8
    other[1:, 1:8], other[3, 1:3], other[4, 2:8] = 1, 4, 7
    mouth = replace_part(own, other, "mouth")
    assert mouth[4].tolist() == [1, 1, 7, 7, 7, 7, 7, 7, 1]
    assert (mouth[:4] == own[:4]).all()
    eyes = replace_part(own, other, "eyes")
    assert (eyes[2].tolist(), eyes[3].tolist()) == ([1] * 9, [1, 4, 4, 1, 1, 1, 1, 1, 1])
    assert (replace_part(own, other, "all") == other).all()
    hair = replace_part(own, other, "hair")
    assert not (hair == 10).any()  # bald: and above the other's head there is wall
    assert (hair[0] == 0).all()
    other[0:2] = 10
    assert replace_part(own, other, "hair")[:2].tolist() == [[10] * 9] * 2
    skin = replace_part(own, other, "skin")
    assert (skin[2, 2:4] == 4).all()
    assert (skin[4, 3:6] == 8).all()
    assert skin[5].tolist() == [0, 1, 1, 1, 1, 1, 1, 1, 0]
    assert (skin[0] == 10).all()


def test_a_whole_photos_label_map_in_the_crop(painter, files, truth):
    subject = painter.subject(files["one.png"])
    labels = truth["one.png"].labels
    shares, written = painter.shares(subject), painter.labels(subject)
    seen, notes = edited_labels_in_crop(labels, written, shares, subject.matrix)
    assert ((seen == painter.crop_labels(subject)).mean() > 0.95, notes) == (True, [])
    larger = cv2.resize(labels, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST).astype(np.uint8)
    again, notes = edited_labels_in_crop(larger, written, shares, subject.matrix)
    assert (again == seen).mean() > 0.98
    height, width = labels.shape
    assert notes == [f"The label map of {2 * width}×{2 * height} pixels was brought to the photo's {width}×{height}."]


def test_what_a_map_takes_away_leaves_no_specks(files, truth):
    """The parser's word along a soft edge does not outlast the label itself."""
    subject = find_subject(files["one.png"], 64)
    parts = resample_labels(truth["one.png"].labels, subject.matrix, 64)
    soft = np.stack([(parts == label).astype(np.float32) for label in range(11)])
    wall = cv2.erode((parts == 0).astype(np.uint8), np.ones((3, 3), np.uint8))
    row, column = np.argwhere(wall[2:-2, 2:-2])[0] + 2
    soft[[0, 10], row, column] = 0.3, 0.7  # a strand thinner than a pixel
    whole = enlarged(soft, subject.matrix, subject.photo)
    bald, _ = edited_labels_in_crop(np.where(whole == 10, 0, whole).astype(np.uint8), whole, soft, subject.matrix)
    assert (soft.argmax(axis=0)[1:-1, 1:-1] == 10).any()
    assert not (bald[1:-1, 1:-1] == 10).any()
    assert (edited_labels_in_crop(whole, whole, soft, subject.matrix)[0] == soft.argmax(axis=0)).all()


def test_a_label_map_is_aligned_by_its_eyes_and_mouth(files, truth):
    subject = find_subject(files["two.png"], 128)
    matrix = align_labels(truth["two.png"].labels, 128)
    points = subject.face.landmarks[[36, 45, 48, 54, 30]]
    assert np.linalg.norm(transform(points, matrix) - transform(points, subject.matrix), axis=1).max() < 4
    with pytest.raises(PictureError, match="has no left eye"):
        align_labels(np.ones((9, 9), np.uint8), 64)


def test_what_a_smaller_shape_uncovers_is_filled_from_the_wall(painter, files):
    subject = painter.subject(files["one.png"])
    own = painter.crop_labels(subject)
    assert fill_background(subject, own, own) is subject.image
    wanted = np.where(own == 10, 0, own).astype(np.uint8)
    before, after = (
        to_pictures(subject.image)[0].astype(int),
        to_pictures(fill_background(subject, own, wanted))[0].astype(int),
    )
    gone, rim = (own == 10) & (wanted == 0), newly_background(own, wanted)
    assert (rim >= gone).all()
    assert rim.sum() > gone.sum()
    assert not rim[wanted > 0].any()
    assert (after[~rim] == before[~rim]).all()
    wall = before[own == 0]
    assert (
        np.abs(after[gone].mean(axis=0) - wall.mean(axis=0)).max()
        < np.abs(before[gone].mean(axis=0) - wall.mean(axis=0)).max()
    )


def test_an_unchanged_shape_changes_nothing(painter, files, truth):
    subject = painter.subject(files["one.png"])
    picture = repaint(painter, files["one.png"], shape_from=files["one.png"]).picture
    assert (picture == subject.photo).all()
    assert not (
        repaint(painter, files["one.png"], shape_from=files["one.png"], detail="network").picture == subject.photo
    ).all()
    assert truth["one.png"].picture.shape == picture.shape


SOFT_WAYS = {
    "as it is": lambda painted: painted,
    "smoothed": lambda painted: cv2.GaussianBlur(painted, (3, 3), 0),
    "twice as large": lambda painted: cv2.resize(painted, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC),
}


@pytest.mark.parametrize("way", SOFT_WAYS)
def test_a_map_that_nobody_painted_in_changes_nothing(truth, way):
    """Though the parser sees more than the painter's pixels hold, and a program moves edges by a pixel when it
    saves."""
    parser, photo = installed_parser(), cv2.resize(truth["one.png"].picture, (178, 218), interpolation=cv2.INTER_AREA)
    model = runs.build_recipe(runs.plan("portrait", "tiny")).model
    painter = PortraitEditor(model, "portrait", "0" * 16, parser=parser)
    assert painter.size < parser.size
    result = repaint(painter, photo, labels=SOFT_WAYS[way](colour_labels(parser.parse(photo).labels)))
    assert (result.picture == photo).all()


def test_what_is_painted_and_what_an_edge_does_by_itself():
    written = np.zeros((20, 20), np.uint8)
    written[:, 10:] = 1
    moved, drawn = written.copy(), written.copy()
    moved[5:9, 9], moved[12, 10] = 1, 0
    assert not painted_pixels(moved, written).any()
    drawn[5:9, 7:10], drawn[15, 3] = 1, 4  # an edge that was moved by three pixels, and a dot
    assert (painted_pixels(drawn, written) == (drawn != written)).all()
    assert not painted_pixels(drawn, written, reach=3)[:12].any()
    assert painted_pixels(drawn, written, reach=3)[15, 3]


def test_the_network_paints_what_the_photo_has_nowhere_and_nothing_beside_the_face_changes(
    painter, files, truth, monkeypatch
):
    paint_by_label(painter, monkeypatch)
    monkeypatch.setattr(module, "correct_tones", lambda after, *_: after)  # these are no tones that a photo could have
    photo, labels = truth["two.png"].picture, painter.labels(painter.subject(files["two.png"]))
    edited = labels.copy()
    rows, columns = np.nonzero(np.isin(labels, (7, 8, 9)))
    edited[rows.min() - 6 : rows.max() + 6, columns.min() : columns.max()] = 8  # a huge open mouth
    result = repaint(painter, files["two.png"], labels=edited)
    beside = cv2.dilate(np.isin(labels, range(1, 10)).astype(np.uint8), np.ones((5, 5))) == 0
    assert (result.picture[beside] == photo[beside]).all()
    middle = cv2.erode(((edited == 8) & (labels == 1)).astype(np.uint8), np.ones((7, 7))) > 0
    assert middle.sum() > 20
    assert np.abs(result.picture[middle].astype(int) - 160).mean() < 20
    assert result.record["changed_labels_percent"] > 0
    assert set(result.record["layers"]) == {"parts", "sharpness", "network"}
    assert (result.change.apply(photo) == result.picture).all()


def test_a_part_that_moves_is_the_photos_own_pixels(painter, files, truth):
    """Brows that are asked for higher are these brows, higher: their dark pixels lie where the map has them."""
    photo, labels = truth["one.png"].picture, painter.labels(painter.subject(files["one.png"]))
    brows = np.isin(labels, (2, 3))
    edited = np.where(brows, 1, labels)
    edited[:-5][brows[5:]] = labels[5:][brows[5:]]
    result = repaint(painter, files["one.png"], labels=edited.astype(np.uint8))
    assert set(result.record["layers"]) == {"parts", "sharpness"}
    light = cv2.cvtColor(result.picture, cv2.COLOR_RGB2GRAY).astype(float)
    own = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(float)
    raised = np.isin(edited, (2, 3))
    core = cv2.erode(brows.astype(np.uint8), np.ones((3, 3))) > 0
    higher = np.zeros_like(core)
    higher[:-5] = core[5:]
    assert abs(light[higher].mean() - own[core].mean()) < 6
    left = brows & ~cv2.dilate(raised.astype(np.uint8), np.ones((3, 3))).astype(bool)
    assert light[left].mean() > own[left].mean() + 20  # skin where the brows were


def test_a_part_that_goes_leaves_the_skin_around_it(painter, files, truth):
    photo, labels = truth["one.png"].picture, painter.labels(painter.subject(files["one.png"]))
    brows = np.isin(labels, (2, 3))
    made = repaint(painter, files["one.png"], labels=np.where(brows, 1, labels).astype(np.uint8)).picture
    around = (cv2.dilate(brows.astype(np.uint8), np.ones((21, 21))) > 0) & (labels == 1)
    around &= cv2.dilate(np.isin(labels, range(2, 11)).astype(np.uint8), np.ones((7, 7))) == 0
    wanted = mean_lab(photo / 255, around)
    core = cv2.erode(brows.astype(np.uint8), np.ones((3, 3))) > 0
    before, after = (np.linalg.norm(mean_lab(one / 255, core) - wanted) for one in (photo, made))
    assert after < min(5, 0.35 * before)


def test_hair_that_is_taken_off_shows_scalp_and_wall_in_their_colours(painter, files, truth):
    photo, labels = truth["one.png"].picture, painter.labels(painter.subject(files["one.png"]))
    face = np.isin(labels, range(1, 10))
    rows, columns = np.nonzero(face)
    y, x = np.mgrid[: labels.shape[0], : labels.shape[1]]
    head = (x > columns.min() + 8) & (x < columns.max() - 8) & (y > rows.min() - 12) & (y < rows.mean())
    bald = np.where(labels == 10, np.where(head, 1, 0), labels).astype(np.uint8)
    result = repaint(painter, files["one.png"], labels=bald)
    picture = result.picture / 255
    scalp = cv2.erode(((labels == 10) & (bald == 1)).astype(np.uint8), np.ones((5, 5))) > 0
    wall = cv2.erode(((labels == 10) & (bald == 0)).astype(np.uint8), np.ones((9, 9))) > 0
    skin, hair = mean_lab(photo / 255, labels == 1), mean_lab(photo / 255, labels == 10)
    for inside, like in ((scalp, skin), (wall, mean_lab(photo / 255, labels == 0))):
        assert inside.sum() > 50
        there = mean_lab(picture, inside)
        assert np.linalg.norm(there - like) < 0.6 * np.linalg.norm(there - hair)
    assert "uncovered" in result.record["layers"]


def test_hair_that_grows_is_the_photos_own_hair(painter, files, truth):
    photo, labels = truth["one.png"].picture, painter.labels(painter.subject(files["one.png"]))
    hair = labels == 10
    grown = cv2.dilate(hair.astype(np.uint8), np.ones((15, 15))) > 0
    edited = np.where(grown & (labels == 0), 10, labels).astype(np.uint8)
    result = repaint(painter, files["one.png"], labels=edited)
    new = cv2.erode(((edited == 10) & (labels == 0)).astype(np.uint8), np.ones((3, 3))) > 0
    wanted, wall = mean_lab(photo / 255, hair), mean_lab(photo / 255, labels == 0)
    made = mean_lab(result.picture / 255, new)
    assert np.linalg.norm(made - wanted) < 0.35 * np.linalg.norm(wall - wanted)
    assert set(result.record["layers"]) == {"hair"}


def test_what_the_network_paints_anew_is_in_the_photos_tones():
    photo = np.tile(np.linspace(60, 180, 64, dtype=np.uint8)[None, :, None], (64, 1, 3))
    changed = np.zeros((64, 64), np.bool_)
    changed[24:40, 24:40] = True
    dark = np.clip(photo.astype(int) - 20, 0, 255).astype(np.uint8)
    dark[..., 2] += 5
    before, after = dark.copy(), dark.copy()
    before[changed] = 0  # the old part: what was wrong there says nothing of the new one
    after[changed] = (90, 90, 95)
    tuned = correct_tones(after, before, photo, changed)
    assert np.abs(tuned[changed].astype(int) - 110).max() <= 1
    assert np.abs(tuned.astype(int) - photo)[~changed].max() <= 1
    assert (correct_tones(after, photo, photo, changed) == after).all()
    assert (correct_tones(after, before, photo, np.ones_like(changed)) == after).all()  # nothing is left to tune by


def test_colour_is_calmed_within_a_part_and_light_stays():
    labels = np.full((64, 64), 10, np.uint8)
    labels[:, 32:] = 1
    painted = np.full((64, 64, 3), (120, 90, 60), np.uint8)
    painted[:, 32:] = (200, 160, 140)
    specks = painted.copy()
    specks[::8, ::8] = (60, 120, 90)
    calm = smooth_colours(specks, labels)
    assert np.abs(calm.astype(int) - painted)[8:-8, 40:-8].mean() < 4
    before, after = (cv2.cvtColor(p, cv2.COLOR_RGB2LAB).astype(int) for p in (specks, calm))
    assert np.abs(before[..., 0] - after[..., 0]).max() <= 3
    assert after[..., 1:].std(axis=(0, 1)).max() < before[..., 1:].std(axis=(0, 1)).max()
    assert np.abs(smooth_colours(painted, labels).astype(int) - painted).max() <= 2
    labels[:, 32:], labels[:, 48:] = 7, 8  # lips beside teeth keep their colour, though they are one component
    painted[:, 32:], painted[:, 48:] = (190, 60, 70), (240, 235, 225)
    assert np.abs(smooth_colours(painted, labels).astype(int) - painted).max() <= 2


def test_a_new_shape_leaves_every_other_pixel_as_it_was(painter, files):
    subject = painter.subject(files["one.png"])
    photo, labels = subject.photo, enlarged(painter.shares(subject), subject.matrix, subject.photo)
    edited = np.where(np.isin(labels, (7, 8, 9)), 1, labels).astype(np.uint8)  # no mouth at all
    made = repaint(painter, files["one.png"], labels=edited).picture
    near = cv2.dilate((edited != labels).astype(np.uint8), np.ones((41, 41))) > 0
    assert (made[~near] == photo[~near]).all()
    assert (made != photo).any()


def test_the_network_alone_shows_the_style_of_one_part(painter, files, truth, monkeypatch):
    subjects = [painter.subject(files[name]) for name in ("one.png", "two.png")]
    own, other = (painter.latents(s, painter.crop_labels(s)) for s in subjects)
    given = paint_by_label(painter, monkeypatch)
    result = transfer(painter, files["one.png"], files["two.png"], part="hair", detail="network")
    (latents,) = given
    assert [torch.equal(a, b) for a, b in zip(latents, own, strict=True)] == [True, True, True, True, False]
    assert torch.equal(latents[4], other[4])
    assert (result.record["edit"], result.record["part"]) == ("transfer", "hair")
    given.clear()
    transfer(painter, files["one.png"], files["two.png"], part="eyes", detail="network")
    assert [torch.equal(a, b) for a, b in zip(given[0], other, strict=True)] == [True, True, False, False, False]
    photo, mouth = truth["one.png"].picture, np.isin(truth["one.png"].labels, (7, 8, 9))
    near = cv2.dilate(mouth.astype(np.uint8), np.ones((25, 25))) > 0
    made = transfer(painter, files["one.png"], files["two.png"], part="mouth", detail="network").picture
    assert (made[~near] == photo[~near]).all()
    assert np.abs(made[mouth].astype(int) - photo[mouth]).mean() > 10


def test_the_style_of_a_part_stays_within_it(painter, files, truth):
    photo, labels = truth["one.png"].picture, truth["one.png"].labels
    for part, parts in (("mouth", (7, 8, 9)), ("hair", (10,)), ("eyes", (4, 5))):
        result = transfer(painter, files["one.png"], files["two.png"], part=part)
        inside = np.isin(labels, parts)
        near = cv2.dilate(inside.astype(np.uint8), np.ones((35, 35))) > 0
        assert (result.picture[~near] == photo[~near]).all()
        assert (result.change.apply(photo) == result.picture).all()
        assert set(result.record["layers"]) <= {"lips", "teeth", "hair", "iris", "white"}


def test_a_part_in_anothers_style_has_its_colour_and_the_rest_keeps_its_own(painter, files, truth):
    """Lips take the colour of lips."""
    before, style = (truth[name].picture / 255 for name in ("one.png", "two.png"))
    own, other = truth["one.png"].labels, truth["two.png"].labels
    for part, group in (("hair", (10,)), ("skin", (1, 6)), ("mouth", (7, 9))):
        after = transfer(painter, files["one.png"], files["two.png"], part=part).picture / 255
        asked = mean_lab(style, np.isin(other, group))
        inside = np.isin(own, group)
        far, near = (np.linalg.norm(mean_lab(p, inside) - asked) for p in (before, after))
        assert near < max(5.0, 0.4 * far)
        for rest in ((4,), (5,), (7, 8, 9), (10,), (1, 2, 3, 6)):
            if not set(rest) & set(group) and not (part == "skin" and 7 in rest):  # lips follow the skin
                kept = np.isin(own, rest)
                assert np.linalg.norm(mean_lab(after, kept) - mean_lab(before, kept)) < 2


def test_lids_and_lips_follow_the_skin_and_the_inside_of_eyes_does_not(painter, files, truth, monkeypatch):
    dark = cv2.convertScaleAbs(truth["two.png"].picture, alpha=0.45)
    write_picture(files["two.png"].with_name("dark.png"), dark)
    monkeypatch.setitem(truth, "dark.png", truth["two.png"])
    after = transfer(painter, files["one.png"], files["two.png"].with_name("dark.png"), part="skin").picture / 255
    before, labels = truth["one.png"].picture / 255, truth["one.png"].labels

    def darker(inside: np.ndarray) -> float:
        return float(mean_lab(after, inside)[0] / mean_lab(before, inside)[0])

    skin = darker(labels == 1)
    assert skin < 0.8
    lids = (cv2.dilate(np.isin(labels, (4, 5)).astype(np.uint8), np.ones((9, 9))) > 0) & (labels == 1)
    assert darker(lids) == pytest.approx(skin, abs=0.1)
    assert darker(np.isin(labels, (7, 9))) == pytest.approx(skin, abs=0.15)
    eyes = cv2.erode(np.isin(labels, (4, 5)).astype(np.uint8), np.ones((5, 5))) > 0
    assert darker(eyes) > 0.95


def test_brows_become_darker_with_the_skin(painter, files, truth, monkeypatch):
    dark = cv2.convertScaleAbs(truth["two.png"].picture, alpha=0.4)
    write_picture(files["two.png"].with_name("dark.png"), dark)
    monkeypatch.setitem(truth, "dark.png", truth["two.png"])
    after = transfer(painter, files["one.png"], files["two.png"].with_name("dark.png"), part="skin").picture / 255
    before, labels = truth["one.png"].picture / 255, truth["one.png"].labels
    for part in (2, 3):
        assert mean_lab(after, labels == part)[0] < 0.85 * mean_lab(before, labels == part)[0]


def test_faces_need_a_list_of_styles(painter, files, truth):
    one = next(iter(files.values()))
    for styles in ([], (), str(one), one, one.read_bytes(), np.zeros((8, 8, 3), np.uint8)):
        with pytest.raises(ValueRangeError, match="list of portraits"):
            faces_for(painter, truth["one.png"].labels, styles)


def test_many_faces_for_one_map(painter, files, truth):
    result = faces_for(painter, truth["one.png"].labels, list(files.values()))
    assert result.picture.shape == (2 * 64 + 2, 3 * 64 + 4, 3)
    assert result.record["styles"] == list(SEEDS)


def test_a_map_may_be_a_file_or_whole_numbers_of_any_kind(painter, files, truth, tmp_path):
    labels = truth["one.png"].labels
    labels = np.where(np.isin(labels, (7, 8, 9)), 1, labels)
    path = write_labels(tmp_path / "map.png", labels.astype(np.uint8))
    pictures = [
        repaint(painter, files["one.png"], labels=given).picture
        for given in (labels.astype(np.uint8), labels, path, str(path))
    ]
    assert all((picture == pictures[0]).all() for picture in pictures)
    assert faces_for(painter, write_labels(path, truth["one.png"].labels), list(files.values())).record["notes"] == []


def test_what_cannot_be_repainted(painter, files, truth, tmp_path, monkeypatch):
    one, two = files["one.png"], files["two.png"]
    with pytest.raises(ValueRangeError, match="either a label map or a portrait"):
        repaint(painter, one)
    with pytest.raises(ValueRangeError, match="no part ears"):
        repaint(painter, one, shape_from=two, part="ears")
    with pytest.raises(PictureError, match="no face where the photo has one"):
        repaint(painter, one, labels=np.zeros_like(truth["one.png"].labels))
    with pytest.raises(PictureError, match="turned or mirrored against the photo"):
        repaint(painter, one, labels=truth["one.png"].labels[:, ::-1])
    with pytest.raises(PictureError, match="which is another ratio of sides"):
        repaint(painter, one, labels=truth["one.png"].labels[:-20])
    with pytest.raises(PictureError, match="There is no file"):
        repaint(painter, one, labels=tmp_path / "none.png")
    bald = truth["two.png"].labels.copy()
    monkeypatch.setitem(truth, "two.png", type("Bald", (), {"labels": np.where(bald == 10, 1, bald)}))
    with pytest.raises(PictureError, match=r"No hair can be seen in two\.png"):
        transfer(painter, one, two, part="hair")
    with pytest.raises(CheckpointError, match="No face parser comes with"):
        repaint(PortraitEditor(painter.model, "portrait", "0" * 16), one, shape_from=two)
    assert list(tmp_path.iterdir()) == []
