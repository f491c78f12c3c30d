"""Sheets: the same people and noise for the same seed, every column what it says it is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from masque import runs
from masque.data.frames import load_frames
from masque.edits.invert import Options
from masque.edits.loaded import AttributeEditor, LatentEditor, Parser, PortraitEditor, Swapper, Synthesizer
from masque.errors import DataError
from masque.faces.labels import colour_labels, overlay
from masque.faces.regions import HAIR_CROP, cut_crop
from masque.image import Picture, to_tensor
from masque.loading import load_session
from masque.models.ccagan import CCAGAN
from masque.tables.sheets import (
    SHEETS,
    ccagan_sheet,
    facefeat_sheet,
    parser_sheet,
    people,
    portrait_sheet,
    progan_sheet,
    rsgan_sheet,
)
from tiny import ParserOf

PUPPETS = ["puppets:48"]


def cells(picture: Picture, columns: int, size: int = 32) -> list[list[Picture]]:
    """The cells (S,S,3) of a sheet, by row."""
    step = size + 2
    rows = (picture.shape[0] + 2) // step
    assert picture.shape == (rows * step - 2, columns * step - 2, 3)
    return [
        [picture[r * step : r * step + size, c * step : c * step + size] for c in range(columns)] for r in range(rows)
    ]


def test_rsgan_sheet(session: Swapper):
    frames = load_frames(PUPPETS, 32, session.attributes, ("test",))
    picture, shown = rsgan_sheet(session, frames, 3)
    assert len(shown) == 4 + len(session.attributes) + 4
    rows = cells(picture, len(shown))
    chosen = people(frames, 3)
    assert len(rows) == len(chosen)
    for row, place in zip(rows, chosen, strict=True):
        assert (row[0] == cut_crop(frames.frames[place], HAIR_CROP, 32, frames.scale)).all()
        assert len({cell.tobytes() for cell in row}) == len(row)  # no column shows what another does
    again, _ = rsgan_sheet(session, frames, 3)
    assert (again == picture).all()
    other, _ = rsgan_sheet(session, frames, 4)
    assert (other != picture).any()


def test_ccagan_sheet():
    plan = runs.plan("ccagan", "tiny")
    model = CCAGAN(plan.model)
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.3)
    translator = AttributeEditor(model, "ccagan", "0" * 16)
    frames = load_frames(["puppets:160"], translator.size, translator.attributes, ("test",))
    picture, shown = ccagan_sheet(translator, frames)
    assert shown[2:] == [f"{name} flipped" for name in translator.attributes]
    for row, place in zip(cells(picture, len(shown), translator.size), people(frames, 0), strict=True):
        assert (row[0] == cut_crop(frames.frames[place], HAIR_CROP, translator.size, frames.scale)).all()
        assert all((cell != row[1]).any() for cell in row[2:])


def test_facefeat_sheet(synthesizer: Synthesizer):
    picture, shown = facefeat_sheet(synthesizer, load_frames(PUPPETS, 32, (), ("test",)))
    assert len(shown) == 7
    assert all((row[k] != row[1]).any() for row in cells(picture, 7) for k in range(2, 7))


def test_parser_sheet():
    parser = Parser(runs.build_recipe(runs.plan("parser", "tiny")).model, "parser", "0" * 16)
    frames = load_frames(PUPPETS, 32, (), ("test",))
    picture, shown = parser_sheet(parser, frames, 3)
    for row, place in zip(cells(picture, len(shown)), people(frames, 3), strict=True):
        assert (row[0] == cut_crop(frames.frames[place], HAIR_CROP, 32, frames.scale)).all()
        with parser.inference():
            labels = parser.model.shares(to_tensor(row[0])).argmax(dim=1)[0].byte().numpy()
        assert (row[2] == colour_labels(labels)).all()
        assert (row[1] == overlay(row[0], labels)).all()


def test_portrait_sheet():
    """Styles and shapes are the next person's: with one label map for all, a new shape is no change."""
    whole = np.zeros((11, 64, 64), np.float32)
    whole[1], whole[10, :20], whole[1, :20] = 1, 1, 0
    whole[8, 44:50, 24:40], whole[1, 44:50, 24:40] = 1, 0
    model = runs.build_recipe(runs.plan("portrait", "tiny")).model
    painter = PortraitEditor(model, "portrait", "0" * 16, parser=ParserOf(lambda _: whole))
    frames = load_frames(PUPPETS, 64, (), ("test",))
    picture, shown = portrait_sheet(painter, frames, 3)
    assert len(shown) == 8
    for row, place in zip(cells(picture, 8, 64), people(frames, 3), strict=True):
        own = cut_crop(frames.frames[place], HAIR_CROP, 64, frames.scale)
        assert (row[0] == own).all()
        assert (row[6] == own).all()
        assert (row[7] == own).all()
        changed = [(row[k].astype(int) - own).any(axis=2) for k in (4, 5)]
        assert changed[0][24:40].mean() > 0.5 > changed[0][:14].mean()
        assert changed[1][:14].mean() > 0.5 > changed[1][30:].mean()


def test_progan_sheet(monkeypatch):
    monkeypatch.setattr(Options, "steps", 40)
    monkeypatch.setattr(Options, "detail_steps", 20)
    generator = LatentEditor(runs.build_recipe(runs.plan("progan", "tiny")).model, "progan", "0" * 16)
    frames = load_frames(PUPPETS, 16, (), ("test",))
    picture, shown = progan_sheet(generator, frames, 3)
    rows = cells(picture, len(shown), 16)
    for row, place in zip(rows, people(frames, 3), strict=True):
        assert (row[0] == cut_crop(frames.frames[place], HAIR_CROP, 16, frames.scale)).all()
        again, far = (np.abs(row[k].astype(int) - row[0]).mean() for k in (1, 3))
        assert again < far
        assert len({cell.tobytes() for cell in row}) == len(row)
    assert (progan_sheet(generator, frames, 3)[0] == picture).all()


def test_everyone_is_shown_once():
    frames = load_frames(["puppets:96"], 32, (), ("test",))
    for seed in range(3):
        names = [frames.identities[i] for i in people(frames, seed)]
        assert len(set(names)) == len(names)
    assert people(frames, 0).tolist() != people(frames, 1).tolist()
    one = np.flatnonzero([name == frames.identities[0] for name in frames.identities])
    assert len(one) >= 1
    with pytest.raises(DataError, match="two people"):
        people(load_frames(["puppets:12"], 32, (), ("test",)), 0)


def test_every_name_is_a_family_with_that_session():
    for kind, (_, name) in SHEETS.items():
        assert isinstance(load_session(name), kind)
