"""Each yardstick of swaps on pictures whose flaw is known: it says how large the flaw is, and that there is none."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from masque.data.puppets import Puppet, draw_puppet, render
from masque.data.puppets.truth import true_edit
from masque.faces.change import Change, Pixels
from masque.faces.detect import Face
from masque.faces.labels import LABELS
from masque.loading import load_model
from masque.metrics.colours import lab_of
from masque.tables.edit_true import filled
from masque.tables.swap_measures import expression_distance, seam, sharpness, skin_step
from masque.tables.swap_parts import beard, beard_shares, both_seen, brow_area, brow_shares, cut_share
from masque.tables.swap_seen import Seen, shown_share

SCALE = 2.0


def seen(puppet: Puppet, picture: np.ndarray | None = None, labels: np.ndarray | None = None) -> Seen:
    """A puppet as yardsticks look at it, with its true landmarks and label map; or another picture or map of it."""
    made = render(puppet, SCALE)
    known = made.labels if labels is None else labels
    parser = SimpleNamespace(size=64, labels=lambda _: known)
    return Seen(made.picture if picture is None else picture, Face((0, 0, 80, 80), 1.0, made.landmarks), parser)


@pytest.fixture(scope="module")
def person() -> Seen:
    """One whose skin has grain, as photos have."""
    plain = seen(draw_puppet(3))
    grain = np.random.default_rng(0).normal(0, 4, (*plain.photo.shape[:2], 1))
    return seen(draw_puppet(3), np.clip(plain.photo + grain, 0, 255).astype(np.uint8))


def cheeks(one: Seen) -> np.ndarray:
    """A mask (H,W) in [0,1] whose rim runs over skin."""
    mask = np.zeros(one.photo.shape[:2], np.uint8)
    for middle in (one.landmarks[[1, 31]].mean(axis=0), one.landmarks[[15, 35]].mean(axis=0)):
        cv2.circle(mask, tuple(int(v) for v in middle), int(0.13 * one.width), (1,), -1)
    return mask.astype(np.float32)


def with_picture(one: Seen, picture: np.ndarray) -> Seen:
    return Seen(np.clip(np.rint(picture), 0, 255).astype(np.uint8), one.face, one.parser)


def test_a_step_at_the_rim_is_a_seam_and_a_soft_one_hardly(person: Seen) -> None:
    mask = cheeks(person)
    assert seam(person, person, mask) == 1
    hard = with_picture(person, person.photo - 25 * mask[..., None])
    soft = with_picture(person, person.photo - 25 * cv2.GaussianBlur(mask, (0, 0), 0.08 * person.width)[..., None])
    assert seam(hard, person, mask) > 3
    assert seam(soft, person, mask) == pytest.approx(1, abs=0.15)


def test_a_step_elsewhere_is_no_seam(person: Seen) -> None:
    everything = filled(person.size, [person.landmarks[:27]]).astype(np.float32)
    inner = with_picture(person, person.photo - 25 * cheeks(person)[..., None])
    assert seam(inner, person, everything) == pytest.approx(1, abs=0.05)
    assert np.isnan(seam(inner, person, np.zeros_like(everything)))


def test_sharpness_is_that_of_the_grain(person: Seen) -> None:
    face = filled(person.size, [person.landmarks[:27]]).astype(np.float32)
    plain = render(draw_puppet(3), SCALE).picture.astype(np.float32)
    twice = with_picture(person, plain + 2 * (person.photo - plain))
    half = with_picture(person, plain + 0.5 * (person.photo - plain))
    assert sharpness(person, person, face) == 1
    assert sharpness(twice, person, face) == pytest.approx(2, rel=0.15)
    assert sharpness(half, person, face) == pytest.approx(0.5, rel=0.15)
    blurred = with_picture(person, cv2.GaussianBlur(person.photo, (0, 0), 2))
    assert sharpness(blurred, person, face) < 0.5


def test_only_the_swapped_part_counts_for_sharpness(person: Seen) -> None:
    face = filled(person.size, [person.landmarks[:27]]).astype(np.float32)
    blurred = cv2.GaussianBlur(person.photo, (0, 0), 2)
    outside = with_picture(person, np.where(face[..., None] > 0, person.photo, blurred))
    assert sharpness(outside, person, face) == pytest.approx(1, abs=0.02)


def test_the_step_of_skin_is_how_far_the_face_is_tinted(person: Seen) -> None:
    face = cv2.GaussianBlur(filled(person.size, [person.landmarks[:27]]).astype(np.float32), (0, 0), 2)[..., None]
    lab = lab_of(person.photo)
    neck, own = np.array([10.0, 0.0, 0.0]), skin_step(person)

    def tinted(by: np.ndarray) -> Seen:
        rgb = cv2.cvtColor((lab + face * by).astype(np.float32), cv2.COLOR_LAB2RGB)
        return with_picture(person, 255 * rgb)

    found = [skin_step(tinted(sign * neck)) for sign in (1, -1)]
    # Two points ten from the face's colour, on either side of it: the lengths of a triangle's medians (Apollonius).
    assert sum(value**2 for value in found) == pytest.approx(2 * (own**2 + 100), rel=0.1)


def test_brows_that_are_taken_or_left_whole_are_not_cut(person: Seen) -> None:
    nothing, everything = (np.full(person.photo.shape[:2], share, np.float32) for share in (0, 1))
    for mask in (nothing, everything):
        brows = brow_shares(person, person, person, mask)
        assert cut_share(*(part for pair in brows.values() for part in pair)) == 0
        assert not any(both_seen(*pair) for pair in brows.values())


def test_a_mask_that_ends_within_a_brow_cuts_it_and_shows_two(person: Seen) -> None:
    """All of the left brow and half of the right one are the swap's, of the face's brows and of the target's."""
    right = person.labels == LABELS.index("right brow")
    middle = int(np.median(np.nonzero(right)[1]))
    mask = (np.arange(person.size[0])[None] < middle).astype(np.float32).repeat(person.size[1], axis=0)
    brows = brow_shares(person, person, person, mask)
    share = right.sum() / (right.sum() + (person.labels == LABELS.index("left brow")).sum())
    assert cut_share(*(part for pair in brows.values() for part in pair)) == pytest.approx(share / 2, abs=0.03)
    assert not both_seen(*brows["left"])
    assert both_seen(*brows["right"])


def test_a_brow_that_the_targets_hair_hides_is_not_cut(person: Seen) -> None:
    """Hair hangs over half of the right brow, and the mask leaves it there."""
    right = person.labels == LABELS.index("right brow")
    hidden = np.arange(person.size[0])[None] >= int(np.median(np.nonzero(right)[1]))
    hair = seen(draw_puppet(3), labels=np.where(hidden, LABELS.index("hair"), person.labels).astype(np.uint8))
    mask = (~hidden).astype(np.float32).repeat(person.size[1], axis=0)
    assert brow_shares(person, person, person, mask)["right"][0].cut > 0.4 * right.sum()
    own, old = brow_shares(person, hair, person, mask)["right"]
    assert own.cut == old.cut == 0


def test_a_mask_that_half_shows_a_brow_cuts_it(person: Seen) -> None:
    half = np.full(person.photo.shape[:2], 0.5, np.float32)
    brows = brow_shares(person, person, person, half)
    assert cut_share(*(part for pair in brows.values() for part in pair)) == pytest.approx(0.5)


def test_brows_are_followed_to_where_the_result_has_them(person: Seen) -> None:
    """A face that lies 30 pixels farther right and is half as large has its brows there."""
    matrix = np.array([[0.5, 0, 30], [0, 0.5, 0]])
    there = person.landmarks @ matrix[:, :2].T + matrix[:, 2]
    small = Seen(person.photo, replace(person.face, landmarks=there.astype(np.float32)), person.parser)
    left = cv2.warpAffine((person.labels == LABELS.index("left brow")).astype(np.float32), matrix, person.size)
    own, _ = brow_shares(person, person, small, left)["left"]
    assert own.share > 0.9


def test_the_area_of_brows_counts_what_is_missing_and_what_is_too_much(person: Seen) -> None:
    puppet, labels = draw_puppet(3), person.labels.copy()
    one = np.where(labels == LABELS.index("left brow"), LABELS.index("skin"), labels).astype(np.uint8)
    gone = (labels == LABELS.index("left brow")).sum() / np.isin(labels, (2, 3)).sum()
    assert brow_area(person, person) == 1
    assert brow_area(person, seen(puppet, labels=one)) == pytest.approx(1 - gone)
    up = np.roll(np.isin(labels, (2, 3)), -12, axis=0)  # other brows above these
    assert brow_area(person, seen(puppet, labels=np.where(up, 2, labels).astype(np.uint8))) > 1.5


def test_beards_are_found_and_cut_where_the_mask_ends_at_the_lips() -> None:
    for number in range(4):
        shaven, bearded = (seen(true_edit(draw_puppet(number), "No_Beard", value)) for value in (1.0, 0.0))
        assert beard(shaven) is None
        region = beard(bearded)
        assert region is not None
        rows = np.arange(bearded.size[1])[:, None] < np.median(np.nonzero(region)[0])
        upper = rows.repeat(bearded.size[0], axis=1).astype(np.float32)
        assert cut_share(*beard_shares(shaven, bearded, bearded, upper)) == pytest.approx(0.5, abs=0.05)
        assert cut_share(*beard_shares(bearded, shaven, shaven, np.ones_like(upper))) == 0
        assert np.isnan(cut_share(*beard_shares(shaven, shaven, shaven, upper)))


def test_a_turn_is_no_expression_and_a_smile_is() -> None:
    shapes = load_model("expression", "expression")[0].motion.shapes
    turns, smiles = [], []
    for number in range(5):
        puppet = draw_puppet(number)
        front, turned = (replace(puppet, pose=puppet.pose._replace(yaw=yaw, pitch=0.0)) for yaw in (0.0, 0.2))
        smiling = true_edit(true_edit(front, "Smiling", 1.0), "Mouth_Slightly_Open", 1.0)
        closed = true_edit(true_edit(front, "Smiling", 0.0), "Mouth_Slightly_Open", 0.0)
        points = [render(one).landmarks for one in (front, turned, closed, smiling)]
        assert expression_distance(shapes, points[0], 1.7 * points[0] + 5) < 1e-3
        turns.append(expression_distance(shapes, points[0], points[1]))
        smiles.append(expression_distance(shapes, points[2], points[3]))
    assert np.mean(turns) < 0.4 * np.mean(smiles)


def test_what_is_the_swaps_is_the_painted_layers_matte() -> None:
    photo = np.full((40, 60, 3), 100, np.uint8)
    matte = np.full((10, 20), 128, np.uint8)
    layer = Pixels("swap", (5, 6, 25, 16), np.full((10, 20, 3), 200, np.uint8), matte)
    shown = shown_share(photo, photo, Change((60, 40), (layer,)))
    assert shown[6:16, 5:25] == pytest.approx(128 / 255)
    assert shown.sum() == pytest.approx(200 * 128 / 255)


def test_without_painted_layers_it_is_what_differs_and_pinholes_count() -> None:
    photo = np.full((60, 60, 3), 100, np.uint8)
    result = photo.copy()
    result[10:50, 10:50] = 140
    result[20, 20] = result[30, 30] = 100  # alike by chance
    result[:5, :5] = 101  # rounding
    shown = shown_share(result, photo, None)
    assert shown.sum() == 40 * 40
    ring = result.copy()
    ring[20:40, 20:40] = 100  # that is a hole
    assert shown_share(ring, photo, None).sum() == 40 * 40 - 20 * 20
