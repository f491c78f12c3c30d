"""What Masque itself keeps and reads again later: results of tables, maps of prepared sets, cards and settings of
models; and Inception."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from crafted import json_file, npz_file, safetensors_file, text_lines
from harness import Reader
from readers import copy_made

from masque import modelfile, runs
from masque.data.prepared import open_prepared, write_maps
from masque.edits.apply import apply_change_file
from masque.faces.added import Added
from masque.faces.change import Change, Grey, Move, Pixels, Shift
from masque.faces.changefile import save_change
from masque.faces.dye import HairColour, dye
from masque.faces.greying import greying
from masque.metrics.inception import load_inception
from masque.tables.rsgan_table import EMBEDDINGS, read_embeddings, write_embeddings
from masque.tables.written import keep_report, kept_report

REPORT = {"pairs": 4, "swap": {"identity_distance": {"mean": 0.25, "interval": [0.1, 0.5]}}, "steps": None}


class Inception(torch.nn.Module):
    """What stands in for it: the mean of each channel as features."""

    def forward(self, pictures: torch.Tensor, return_features: bool) -> torch.Tensor:
        """Features (N,3)."""
        assert return_features
        return pictures.float().mean((2, 3))


def _inception(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that this format is no longer torch's favourite
        torch.jit.script(Inception()).save(str(folder / "inception.pt"))  # type: ignore[no-untyped-call]


def _features(folder: Path) -> None:
    extract, _ = load_inception(folder / "inception.pt")
    assert bool(extract([np.zeros((8, 8, 3), np.uint8)]).isfinite().all())


def _report(folder: Path) -> None:
    """Whatever is believed is what was written."""
    assert kept_report(folder / "rsgan.json", {"pairs": 4}) in (None, REPORT)


def _embeddings(folder: Path) -> None:
    write_embeddings(folder, {f"{i:064x}": np.full(128, i / 8, np.float32) for i in range(3)})


def _known(folder: Path) -> None:
    for key, value in read_embeddings(folder).items():
        assert len(key) == 64
        assert value.shape == (128,)
        assert np.isfinite(value).all()


def _with_labels(folder: Path) -> None:
    copy_made("prepared", folder)
    sides = open_prepared(folder / "set").frame(0).shape[:2]
    write_maps(folder / "set", "000001", np.zeros(sides, np.uint8), np.ones(sides, np.uint8))


def _kept_labels(folder: Path) -> None:
    assert open_prepared(folder / "set").labels(0).max() <= 10


CHANGED = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (48, 64, 3)).astype(np.uint8), (0, 0), 2)


def _change(folder: Path) -> None:
    """One with every kind of layer."""
    matte = np.full((8, 8), 200, np.uint8)
    hair = dye("hair", CHANGED, (0, 0, 64, 48), np.full((48, 64), 255, np.uint8), 40.0, HairColour(60, 5, 24))
    light = np.linspace(20, 70, 32 * 32, dtype=np.float32).reshape(32, 32)
    grey = greying("grey hair", light, (8, 8, 40, 40), np.full((8, 8), 255, np.uint8), 40.0, np.zeros((2, 2)), 0.6)
    assert hair is not None
    assert grey is not None
    layers = (
        Move("move", (8, 8, 40, 40), np.ones((4, 4, 2), np.float32)),
        Shift("shift", (8, 8, 40, 40), matte, np.ones((2, 2, 3), np.float32)),
        hair,
        Pixels("pixels", (8, 8, 16, 16), np.zeros((8, 8, 3), np.uint8), matte),
        grey,
        Added("added", (8, 8, 16, 16), 1.0, np.full((8, 8, 3), -9, np.int16)),
        Grey("grey", (0, 0, 64, 48)),
    )
    save_change(folder / "a.change", Change((64, 48), layers), CHANGED)


def _changed(folder: Path) -> None:
    """Whatever is read can be applied."""
    assert apply_change_file(folder / "a.change", CHANGED, 0.5).picture.shape == CHANGED.shape


def kept_readers() -> Iterator[Reader]:
    """Each with the file that it reads."""
    yield Reader(
        "table: report", "rsgan.json", lambda folder: keep_report(folder / "rsgan.json", REPORT), _report, json_file
    )
    yield Reader("apply: change", "a.change", _change, _changed, safetensors_file)
    yield Reader("table: embeddings", EMBEDDINGS, _embeddings, _known, npz_file)
    yield Reader("Inception", "inception.pt", _inception, _features)
    yield Reader("prepared set: labels/000001.png", "set/labels/000001.png", _with_labels, _kept_labels)
    packed = lambda folder: modelfile.pack(folder / "model", folder / "packed")  # noqa: E731
    yield Reader("pack: card.md", "model/card.md", partial(copy_made, "rsgan"), packed, text_lines)
    begun = lambda folder: runs.plan("rsgan", "tiny", start=str(folder / "run"))  # noqa: E731
    yield Reader("train --from: config.json", "run/model/config.json", partial(copy_made, "run"), begun, json_file)


KEPT_READERS: tuple[Reader, ...] = tuple(kept_readers())
