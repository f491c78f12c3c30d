"""The mattes of a head: where they lie, what they never hold, what they cost."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
import pytest
import torch

import masque
from masque.data.puppets import draw_puppet, render
from masque.edits.loaded import Parser
from masque.edits.mattes import HAIR, find_mattes
from masque.edits.subject import Subject, cut_subject, find_subject
from masque.faces.detect import Face
from masque.faces.labels import LABELS
from masque.models.parser import FaceParser, ParserConfig


def sees(monkeypatch: pytest.MonkeyPatch, labels: np.ndarray) -> Parser:
    """A parser that sees these labels of the photo, through the looks that it is asked for."""
    weights = hashlib.sha256(labels.tobytes()).hexdigest()  # what is found of a face is kept by them
    parser = Parser(FaceParser(ParserConfig(size=128, channels=8, halvings=3)), "parser", weights)

    def looked(_parser: Parser, _photo: np.ndarray, looks: list[np.ndarray]) -> np.ndarray:
        through = [cv2.warpAffine(labels, look, (128, 128), flags=cv2.INTER_NEAREST) for look in looks]
        return np.stack([np.stack([(seen == label) for label in range(11)]) for seen in through]).astype(np.float32)

    monkeypatch.setattr("masque.edits.mattes._looked", looked)
    return parser


@pytest.fixture(scope="module")
def puppet():
    made = render(draw_puppet(3), 3.0)
    return made, cut_subject(made.picture, Face((0, 0, 300, 300), 1.0, made.landmarks), 128)


def whole(subject: Subject, matte: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """A matte over its box as (H,W) of the whole photo, in [0,1]."""
    left, top, right, bottom = box
    photo = np.zeros(subject.photo.shape[:2], np.float32)
    photo[top:bottom, left:right] = cv2.resize(matte, (right - left, bottom - top)) / np.float32(255)
    return photo


def test_truth_in_truth_out(monkeypatch, puppet):
    made, subject = puppet
    found = find_mattes(sees(monkeypatch, made.labels), subject)
    hair = whole(subject, found.hair, found.box)
    sure = cv2.erode((made.labels == HAIR).astype(np.uint8), np.ones((13, 13))) > 0
    away = cv2.dilate((made.labels == HAIR).astype(np.uint8), np.ones((13, 13))) == 0
    assert (hair[sure] > 0.9).mean() > 0.97
    assert (hair[away] > 0.1).mean() < 0.01
    assert found.shares.sum(axis=0) == pytest.approx(1, abs=1e-4)
    assert found.hair_seen > 0.2


def test_brows_eyes_and_lips_are_never_hair(monkeypatch, puppet):
    made, subject = puppet
    found = find_mattes(sees(monkeypatch, made.labels), subject)
    hair, skin = whole(subject, found.hair, found.box), whole(subject, found.skin, found.box)
    inner = ~np.isin(made.labels, [LABELS.index(name) for name in ("background", "skin", "nose", "hair")])
    assert inner.sum() > 1000
    assert hair[inner].max() < 0.05
    assert skin[cv2.erode(inner.astype(np.uint8), np.ones((7, 7))) > 0].mean() < 0.3


def test_a_bald_head_has_no_hair(monkeypatch, puppet):
    made, subject = puppet
    bald = np.where(made.labels == HAIR, LABELS.index("skin"), made.labels).astype(np.uint8)
    found = find_mattes(sees(monkeypatch, bald), subject)
    assert found.hair.max() == 0
    assert found.hair_seen == 0


def with_hair_below(made, subject: Subject, start: int, colour: tuple[int, ...] | None = None):
    """The puppet with hair at the left from row `start` down to far below the crop, in its own hair's colour, or below
    the puppet's picture in another; and its labels."""
    picture = cv2.copyMakeBorder(made.picture, 0, 200, 0, 0, cv2.BORDER_REPLICATE)
    labels = cv2.copyMakeBorder(made.labels, 0, 200, 0, 0, cv2.BORDER_CONSTANT, value=0)
    own = np.median(made.picture[made.labels == HAIR], axis=0)
    labels[start:, :150] = HAIR
    picture[start:, :150] = own
    picture[made.picture.shape[0] :, :150] = own if colour is None else colour
    return cut_subject(picture, subject.face, 128), labels


def test_long_hair_beyond_the_crop_is_seen(monkeypatch, puppet):
    made, subject = puppet
    taller, labels = with_hair_below(made, subject, 250)
    found = find_mattes(sees(monkeypatch, labels), taller)
    assert whole(taller, found.hair, found.box)[-120:-80, 40:100].mean() > 0.9


def test_what_a_parser_takes_for_hair_far_from_the_face_is_none_in_another_colour(monkeypatch, puppet):
    made, subject = puppet
    taller, labels = with_hair_below(made, subject, 250, (30, 160, 60))
    found = find_mattes(sees(monkeypatch, labels), taller)
    assert whole(taller, found.hair, found.box)[-120:-80, 40:100].mean() < 0.1


def test_hair_that_does_not_hang_together_with_the_head_is_somebody_elses(monkeypatch, puppet):
    made, subject = puppet
    taller, labels = with_hair_below(made, subject, made.picture.shape[0] + 20)
    found = find_mattes(sees(monkeypatch, labels), taller)
    assert whole(taller, found.hair, found.box)[-120:-80, 40:100].mean() < 0.1


def test_large_photos_have_mattes_of_2048_pixels(monkeypatch):
    made = render(draw_puppet(3), 2.0)
    photo = cv2.resize(made.picture, None, fx=6, fy=6, interpolation=cv2.INTER_CUBIC)
    labels = cv2.resize(made.labels, None, fx=6, fy=6, interpolation=cv2.INTER_NEAREST)
    face = Face((0, 0, 1000, 1000), 1.0, (made.landmarks + np.float32(0.5)) * 6 - np.float32(0.5))
    subject = cut_subject(photo, face, 128)
    found = find_mattes(sees(monkeypatch, labels), subject)
    assert max(found.hair.shape) == 2048
    assert found.hair.shape == found.skin.shape
    across = found.face_width * found.shares.shape[2] / (found.box[2] - found.box[0])
    assert across == pytest.approx(256, rel=0.01)


def test_the_shipped_parser_on_a_photo(photos):
    """The astronaut's brown hair, not her suit or the flag behind her."""
    torch.manual_seed(0)
    subject = find_subject(photos["astronaut"], 128)
    found = find_mattes(masque.load("parser"), subject)
    hair = whole(subject, found.hair, found.box)
    assert 0.4 < found.hair_seen < 2
    assert hair[60, 220] > 0.95  # above the forehead
    assert hair[120, 225] < 0.05  # the nose
    assert hair[300:].mean() < 0.02  # the suit
