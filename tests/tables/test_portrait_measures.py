"""What a portrait model paints, measured: on a painter that gives the picture back, and on one that does not."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from torch.nn import functional

from masque import runs
from masque.data.frames import FrameSet, load_frames
from masque.data.puppets import draw_puppet, render, true_edit, true_style
from masque.edits.loaded import Parser, PortraitEditor
from masque.errors import DataError
from masque.faces.regions import HAIR_CROP, cut_crop
from masque.image import to_tensor
from masque.loading import installed_parser
from masque.models.parser import FaceParser, ParserConfig
from masque.tables import portrait_table
from masque.tables.features import Features
from masque.tables.portrait import as_text, colour_distance, evaluate_portrait, texture
from masque.tables.portrait_edits import true_errors
from masque.tables.portrait_repaints import evaluate_repaints, in_words
from masque.tables.portrait_table import MODELS, THESIS_FID
from masque.tables.repaint_measures import EDITS


@pytest.fixture(scope="module")
def frames() -> FrameSet:
    """Six puppets, all held out."""
    made = load_frames(["puppets:6"], 64, (), labels="any")
    return dataclasses.replace(made, splits=("test",) * len(made))


@pytest.fixture
def painter() -> PortraitEditor:
    return PortraitEditor(runs.build_recipe(runs.plan("portrait", "tiny")).model, "portrait", "0" * 16)


@pytest.fixture
def parser() -> Parser:
    return Parser(FaceParser(ParserConfig(size=64, channels=4, halvings=3)), "parser", "abc")


def mean_colours(pictures: list[np.ndarray]) -> torch.Tensor:
    """Six numbers a picture: its mean colour, and how its corner's colours vary."""
    values = [np.concatenate([p.mean(axis=(0, 1)), 7 * p[:50, :50].std(axis=(0, 1))]) for p in pictures]
    return torch.from_numpy(np.stack(values)).float()


def test_a_painter_that_gives_the_picture_back(frames, painter, parser, monkeypatch):
    asked = []

    def paint(_latents, target, labels):
        asked.append(labels)
        return target

    monkeypatch.setattr(painter.model, "paint", paint)
    monkeypatch.setattr(
        parser.model, "shares", lambda _: functional.one_hot(asked[-1].clamp(max=10), 11).movedim(3, 1).float()
    )
    report = evaluate_portrait(painter, parser, frames, Features(mean_colours, "features"), count=6, puppets=2)
    assert json.loads(json.dumps(report)) == report
    for kind in ("same", "other"):
        assert report[kind]["label_agreement"] == report[kind]["real_label_agreement"] == pytest.approx(1.0)
        assert report[kind]["background_error"]["mean"] == 0.0
    assert report["same"]["error"]["mean"] == 0.0
    # Through the network's size and back the frame is a little softer, and dlib sees that.
    assert report["same"]["identity_distance"]["mean"] < 0.15
    assert max(s["mean"] for s in report["same"]["style"].values()) == 0.0
    assert max(s["mean"] for s in report["same"]["features"].values()) < 1e-6
    for kind, least in (("style", 0.01), ("features", 1e-5)):
        for component, distance in report["other"][kind].items():
            assert distance["mean"] == pytest.approx(report["other"][f"{kind}_unchanged"][component]["mean"])
            assert distance["mean"] > least
    assert set(report["other"]["features"]) == set(report["other"]["style"])
    assert "label agreement 1.000" in as_text(report)
    assert set(report["transfer"]) >= {"mouth", "skin", "hair"}  # eyes are of few pixels at this size
    for part in report["transfer"]:
        moved = report["transfer"][part]
        assert 0 < moved["pairs"] <= 6
        assert moved["asked"]["mean"] < min(5.0, moved["unchanged"]["mean"])
        assert moved["still"] == 1.0
        assert moved["others"]["mean"] < 2
    assert "another's hair: " in as_text(report)
    for errors in report["true"].values():
        assert errors["painted"]["mean"] == pytest.approx(
            errors["unchanged"]["mean"], abs=1e-3
        )  # the picture it gives back is of 8 bits
        assert errors["unchanged"]["mean"] > 0.003
    assert "transfer of puppets" in as_text(report)
    assert report["repaint"] == {}  # of a painter without a parser


def test_repaints_on_own_pixels_meet_a_map_that_an_untrained_network_does_not(frames, painter, monkeypatch):
    parser = installed_parser()
    monkeypatch.setattr(painter, "parser", parser)
    found = evaluate_repaints(painter, parser, frames, frames.indices("test")[:2].tolist())
    assert set(found) == set(EDITS)
    mouth = found["mouth larger"]
    assert mouth["agreement"]["own"]["n"] == 2
    assert mouth["agreement"]["own"]["value"] > 0.2 + mouth["agreement"]["network"]["value"]
    assert any("repainted, mouth larger: label agreement" in line for line in in_words(found))


def test_an_untrained_painter(frames, painter, parser):
    report = evaluate_portrait(painter, parser, frames, Features(mean_colours, "features"), count=4, puppets=1)
    assert report["pictures"] == 4
    assert report["same"]["label_agreement"] < 0.5
    assert report["same"]["background_error"]["mean"] > 0.05
    assert report["same"]["ffd"] > 0
    assert "identity_distance" not in report["other"]
    by_inception = evaluate_portrait(
        painter, parser, frames, Features(mean_colours, "features", inception=True), count=2, puppets=1
    )
    assert by_inception["same"]["fid"] > 0
    assert "ffd" not in by_inception["same"]
    assert "FID" in as_text(by_inception)


def test_the_truth_is_what_the_puppets_really_look_like(painter, monkeypatch):
    """A painter that knows it is off by nothing but rounding; one that swaps the two puppets is not."""
    asked = iter([Truth(2), Truth(2, swapped=True)])
    for wrong in (False, True):
        truth = next(asked)
        monkeypatch.setattr(painter.model, "paint", truth)
        errors = true_errors(painter, puppets=2)
        assert (max(e["painted"]["mean"] for e in errors.values()) < 2e-3) != wrong


class Truth:
    """Says the true pictures one after the other: of each puppet repainted, then restyled."""

    def __init__(self, puppets: int, swapped: bool = False) -> None:
        self.pictures = []
        for number in range(puppets):
            a, b = (draw_puppet(3_000_000 + 2 * number + k) for k in (0, 1))
            opened = true_edit(a, "Mouth_Slightly_Open", float(a.face.expression[1] < 0.5))
            pair = [render(p, 0.5).picture for p in (opened, true_style(a, b))]
            self.pictures += pair[::-1] if swapped else pair
        self.next = iter(self.pictures)

    def __call__(self, _latents, _target, _labels):
        return to_tensor(cut_crop(next(self.next), HAIR_CROP, 64, 0.5))


def test_colours_by_hand():
    a, b = torch.zeros(3, 50), torch.zeros(3, 70)
    assert colour_distance(a, b) == 0.0
    b[0] = 0.6
    assert colour_distance(a, b) == pytest.approx(0.6 / 3 / 2)
    mixed = torch.rand(3, 500, generator=torch.Generator().manual_seed(0))
    assert colour_distance(mixed, mixed[:, torch.randperm(500)]) == pytest.approx(0.0, abs=1e-6)


def test_texture_by_hand():
    there = torch.zeros(8, 8, dtype=torch.bool)
    there[:, :5] = True  # of the third column of cells only the half
    values = torch.tensor([2.0, 4.0, 6.0, 100.0]).expand(1, 4, 4)
    weight, cells = torch.tensor([2.0, 2.0, 1.0]), torch.tensor([2.0, 4.0, 6.0])
    mean = (weight * cells).sum() / 5
    deviation = ((cells - mean).square() * weight / 5).sum().sqrt()
    wanted = functional.normalize(torch.stack([mean, deviation]), dim=0)
    assert torch.allclose(texture([values], there), wanted)
    assert torch.allclose(texture([values, 3 * values], there), torch.cat([wanted, wanted]))


def test_one_picture_is_not_enough(frames, painter, parser):
    with pytest.raises(DataError, match="Two held-out pictures"):
        evaluate_portrait(
            painter,
            parser,
            dataclasses.replace(frames, splits=("test", *["train"] * 5)),
            Features(mean_colours, "features"),
        )


def test_the_table_stands_beside_the_thesis():
    assert list(THESIS_FID) == list(MODELS)
    assert THESIS_FID["Changing the Eye mask"] < THESIS_FID["Original Paper"] < THESIS_FID["Multi Target Mask Encoder"]
    spread = {"mean": 0.1, "std": 0.0}
    kind = {"ffd": 0.5, "label_agreement": 0.7, "background_error": spread, "error": spread}
    report = {"steps": 9, "size": 64, "data": "d", "features": "f", "parser": "p", "same": kind, "other": kind}
    text = portrait_table.as_text(dict.fromkeys(MODELS, report))
    assert "| Original Paper | 26.54 | 0.5000 | 0.5000 | 0.700 | 0.1000 | 0.1000 |" in text
