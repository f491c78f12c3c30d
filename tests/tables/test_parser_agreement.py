"""Agreement of a face parser with label maps: by hand, and on a parser that knows the truth."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional

from masque.data.batches import Batches
from masque.data.frames import FrameSet, load_frames
from masque.data.prepared import BACKGROUND, BEYOND, PERSON
from masque.edits.loaded import Parser
from masque.errors import DataError
from masque.faces.labels import LABELS, UNKNOWN
from masque.models.parser import FaceParser, ParserConfig
from masque.tables import parser as module
from masque.tables.parser import as_text, evaluate_parser

CONFIG = ParserConfig(size=32, channels=8, halvings=3)


@pytest.fixture
def frames() -> FrameSet:
    """20 puppets of which all are held out."""
    made = load_frames(["puppets:20"], 32, (), labels="any")
    return dataclasses.replace(made, splits=("test",) * len(made))


@pytest.fixture
def parser() -> Parser:
    torch.manual_seed(0)
    return Parser(FaceParser(CONFIG), "parser", "abc")


def answers(parser: Parser, labels: torch.Tensor) -> None:
    """Let the network say these labels (N,S,S), picture after picture, as often as it is asked."""
    coming = itertools.cycle(labels)
    parser.model.shares = lambda pictures: (
        functional.one_hot(torch.stack([next(coming) for _ in pictures]), 11).movedim(3, 1).float()
    )


def true_labels(frames: FrameSet) -> torch.Tensor:
    batches = Batches(frames, "test", 32, len(frames), seed=0)
    return torch.stack(
        [torch.from_numpy(batches.sample(i, np.random.default_rng(0))["labels"]).long() for i in range(len(frames))]
    )


def test_a_parser_that_knows_the_truth_agrees_with_it(frames, parser):
    answers(parser, true_labels(frames))
    report = evaluate_parser(parser, frames)
    assert (report["mean_iou"], report["accuracy"], report["pictures"]) == (1.0, 1.0, 20)
    assert set(report["iou"]) <= set(LABELS)
    assert "mean IoU 1.000, pixel accuracy 1.000" in as_text(report)
    # Of a puppet only its shirt has no label and is no background.
    assert 0.7 < report["person"]["parser"] < 1
    assert 0.5 < report["person"]["clustering"] < 1


def test_person_and_background_by_hand(frames, parser, monkeypatch):
    frames.masks[:, :, :44], frames.masks[:, :, 44:], frames.masks[:, :, :4] = BACKGROUND, PERSON, BEYOND
    labels = torch.zeros(20, 32, 32, dtype=torch.int64)
    labels[:, :, 16:] = 1
    answers(parser, labels)
    monkeypatch.setattr(module, "background_mask", lambda frame, *_: np.zeros(frame.shape[:2], np.uint8))
    person = evaluate_parser(parser, frames)["person"]
    width = frames.masks.shape[2]
    assert person["parser"] == pytest.approx(1 - abs(width / 2 - 44) / (width - 4), abs=0.02)
    assert person["clustering"] == pytest.approx((width - 44) / (width - 4))


def test_by_hand(frames, parser):
    frames.labels[:, :10] = UNKNOWN
    true = true_labels(frames)
    said = torch.where(true == 10, 1, true)  # hair is taken for skin
    said[true == UNKNOWN] = 6  # what is said where nobody knows counts for nothing
    answers(parser, said)
    report = evaluate_parser(parser, frames)
    known, hair, skin = (true != UNKNOWN).sum().item(), (true == 10).sum().item(), (true == 1).sum().item()
    assert hair > 0
    assert report["accuracy"] == pytest.approx(1 - hair / known)
    assert report["iou"]["hair"] == 0.0
    assert report["iou"]["skin"] == pytest.approx(skin / (skin + hair))
    assert report["iou"]["nose"] == 1.0
    assert report["mean_iou"] == pytest.approx(sum(report["iou"].values()) / len(report["iou"]))


def test_nothing_held_out(frames, parser):
    with pytest.raises(DataError, match="held out"):
        evaluate_parser(parser, dataclasses.replace(frames, splits=("train",) * len(frames)))
