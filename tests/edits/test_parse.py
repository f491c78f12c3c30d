"""Parsing whole photos: where the network's map lands on the photo, and what lies beyond it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

import masque
from masque.data.puppets import draw_puppet, render
from masque.edits.loaded import Parser
from masque.edits.parser import enlarged
from masque.edits.subject import find_subject
from masque.errors import CheckpointError, NoFaceError
from masque.faces.frame import transform
from masque.models.parser import FaceParser, ParserConfig


@pytest.fixture
def parser() -> Parser:
    torch.manual_seed(0)
    return Parser(FaceParser(ParserConfig(size=32, channels=8, halvings=3)), "parser", "abc")


def test_a_map_lands_where_the_crop_was_cut():
    shares = np.zeros((11, 40, 40), np.float32)
    shares[1], shares[1, 10:20, 30:36] = 1, 0
    shares[10, 10:20, 30:36] = 1
    matrix = np.array([[0.0, 0.25, -7.0], [-0.25, 0.0, 60.0]])  # a quarter of the size, and on its side
    labels = enlarged(shares, matrix, np.zeros((220, 260, 3), np.uint8))
    assert set(np.unique(labels)) == {0, 1, 10}
    rows, columns = np.nonzero(labels == 10)
    inside = transform(np.stack([columns, rows], axis=1), matrix)
    assert inside.min(axis=0) == pytest.approx((29.5, 9.5), abs=0.3)
    assert inside.max(axis=0) == pytest.approx((35.5, 19.5), abs=0.3)
    assert len(rows) == pytest.approx(10 * 6 * 16, rel=0.08)  # corners are rounded


def test_a_map_beyond_the_photo():
    shares = np.full((11, 20, 20), 1 / 11, np.float32)
    shares[3] += 0.5
    moved = np.array([[1.0, 0, 500], [0, 1.0, 0]])
    assert not enlarged(shares, moved, np.zeros((50, 50, 3), np.uint8)).any()
    partly = enlarged(shares, np.array([[1.0, 0, -40], [0, 1.0, -45]]), np.zeros((50, 50, 3), np.uint8))
    assert (partly[46:, 41:] == 3).all()
    assert not partly[:44].any()


def test_a_photo_is_parsed_at_its_own_size(parser, puppet_files):
    parsed = parser.parse(puppet_files[0])
    assert parsed.labels.shape == parsed.photo.shape[:2]
    assert parsed.labels.dtype == np.uint8


def test_truth_in_truth_out():
    """A network that knew a puppet's parts would be heard: they come out where the puppet has them."""
    made = render(draw_puppet(3), 2.0)
    subject = find_subject(made.picture, 128)
    known = cv2.warpAffine(made.labels, subject.matrix, (128, 128), flags=cv2.INTER_NEAREST)
    labels = enlarged(
        np.stack([(known == label).astype(np.float32) for label in range(11)]), subject.matrix, made.picture
    )
    inside = cv2.warpAffine(np.ones_like(made.labels), subject.matrix, (128, 128), flags=cv2.INTER_NEAREST)
    inside = enlarged(np.stack([1.0 - inside, inside]).astype(np.float32), subject.matrix, made.picture) == 1
    assert inside.mean() > 0.5
    assert (labels == made.labels)[inside].mean() > 0.97


def test_what_cannot_be_parsed(parser, model_folder):
    with pytest.raises(NoFaceError):
        parser.parse(np.zeros((200, 200, 3), np.uint8))
    with pytest.raises(CheckpointError, match="cannot parse"):
        masque.load(str(model_folder), "parse")
