"""Every way from a file into Masque, each with a small valid input."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import mutations
import numpy as np
import torch
from crafted import formulas, json_file, npy_file, npz_file, safetensors_file, state_file, text_lines
from harness import Crafted, Reader, write_input
from list_readers import list_readers
from picture_readers import SIDE, picture_readers, verify_readers
from PIL import Image

from masque import catalog, loading, modelfile, runs
from masque.config import as_dict
from masque.data.frames import load_frames
from masque.data.journal import PrepareSettings
from masque.data.prepare import prepare
from masque.data.puppets import draw_puppet, render
from masque.edits.formula import compute
from masque.edits.latents import Latent, read_latent
from masque.faces.labels import read_labels, write_labels
from masque.faces.shape3d import read_shape_model
from masque.faces.shape_learning import learn_shapes
from masque.layers.vgg import load_vgg
from masque.train.log import Log
from masque.train.state import load_state, same_run

# Inputs of many files, made once and copied


@cache
def _made(what: str) -> Path:
    """A folder with a valid input that takes a while to make."""
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="masque-robustness-"))
    if what == "prepared":
        _photos(folder / "people")
        prepare(folder / "people", folder / "set", PrepareSettings(size=32, held_out=1), workers=1)
    elif what == "run":
        runs.train(runs.plan("rsgan", "tiny", ["batch_size=2", "steps=2"]), ["puppets:8"], folder / "run")
    else:
        plan = runs.plan(what, "tiny")
        nets = runs.build_recipe(plan).nets
        served = {name: nets[name] for name in catalog.family(what).load("model_parts") if name in nets} or dict(nets)
        modelfile.write(
            folder / "model", what, as_dict(plan.model), torch.nn.ModuleDict(served).state_dict(), "# tiny, untrained\n"
        )
    return folder


def _photos(folder: Path) -> None:
    for person in range(3):
        for number in range(2):
            (folder / f"person{person}").mkdir(parents=True, exist_ok=True)
            Image.fromarray(render(draw_puppet(50 * person + number, 500 + person)).picture).save(
                folder / f"person{person}" / f"{number}.png"
            )


def copy_made(what: str, folder: Path) -> None:
    shutil.copytree(_made(what), folder, dirs_exist_ok=True)


def _load_prepared(folder: Path) -> None:
    load_frames([str(folder / "set")], 32, ("Smiling",)).fingerprint()


def prepared_readers() -> Iterator[Reader]:
    """Every file of a prepared set, and the journal of one whose preparation goes on."""
    files: dict[str, Crafted | None] = {
        "prepared.json": json_file,
        "index.csv": text_lines,
        "landmarks.npy": npy_file,
        "images/000001.jpg": None,
        "masks/000001.png": mutations.of_png,
    }
    for file, crafted in files.items():
        yield Reader(f"prepared set: {file}", f"set/{file}", partial(copy_made, "prepared"), _load_prepared, crafted)
    yield Reader(
        "prepared set: journal.jsonl",
        "set/journal.jsonl",
        partial(copy_made, "prepared"),
        lambda folder: prepare(
            _made("prepared") / "people", folder / "set", PrepareSettings(size=32, held_out=1), workers=1
        ),
        text_lines,
        writes=True,
    )


def _load_run(folder: Path) -> None:
    runs.plan_of(folder / "run")


def _same_run(folder: Path) -> None:
    plan = runs.plan("rsgan", "tiny", ["batch_size=2", "steps=2"])
    before = json.loads((_made("run") / "run" / "settings.json").read_text())
    same_run(folder / "run", before, frozenset(), plan.defaults(), plan.upgrade)


def _resume(folder: Path) -> None:
    runs.train(runs.plan("rsgan", "tiny", ["batch_size=2", "steps=2"]), ["puppets:8"], folder / "run")


def _log(folder: Path) -> None:
    Log(folder / "run", 2, tensorboard=False).close()


GOES_ON = r"[^\n]*/state-2\.ckpt [^\n]*; the run goes on from step 0\.\n"
"""What a user is told of a state that is damaged, where the run has another or begins anew."""


def run_readers() -> Iterator[Reader]:
    """Every file of a run folder."""
    build = partial(copy_made, "run")
    yield Reader("run: settings.json, looked at", "run/settings.json", build, _load_run, json_file)
    yield Reader("run: settings.json, gone on with", "run/settings.json", build, _same_run, json_file)
    yield Reader(
        "run: state, looked at",
        "run/state-2.ckpt",
        build,
        lambda folder: load_state(folder / "run" / "state-2.ckpt"),
        state_file,
    )
    yield Reader("run: state, gone on with", "run/state-2.ckpt", build, _resume, state_file, True, GOES_ON)
    yield Reader("run: log.jsonl", "run/log.jsonl", build, _log, text_lines, writes=True)


def model_readers() -> Iterator[Reader]:
    """Model folders of two families, read as edits read them."""
    for family in ("rsgan", "progan"):
        for file, crafted in (("config.json", json_file), ("weights.safetensors", safetensors_file)):
            load = lambda folder: loading.load_session(str(folder / "model"))  # noqa: E731
            yield Reader(f"model ({family}): {file}", f"model/{file}", partial(copy_made, family), load, crafted)


def _shapes(folder: Path) -> None:
    drawn = [render(draw_puppet(seed, 500 + seed // 4)).landmarks for seed in range(24)]
    learn_shapes(np.stack(drawn), np.arange(24) // 4, 3, 3).save(folder / "shape.npz")


def _latent(folder: Path) -> None:
    Latent(torch.randn(32, generator=torch.Generator().manual_seed(0)), "anna", "0" * 16).save(
        folder / "latent.safetensors"
    )


def _vgg(folder: Path) -> None:
    weights = {}
    for place in (
        0,
        2,
        5,
        7,
        10,
        12,
        14,
        16,
        19,
        21,
        23,
        25,
        28,
    ):  # where torchvision's VGG-19 has its convolutions, up to relu5_1
        inside, outside = (2 if place else 3), 2
        weights[f"features.{place}.weight"] = torch.zeros(outside, inside, 3, 3)
        weights[f"features.{place}.bias"] = torch.zeros(outside)
    from safetensors.torch import save_file

    save_file(weights, folder / "vgg.safetensors")
    torch.save(weights, folder / "vgg.pth")


def file_readers() -> Iterator[Reader]:
    """Single files: 3D models, latents, foreign weights, label maps, formulas."""
    yield Reader("3D face model", "shape.npz", _shapes, lambda folder: read_shape_model(folder / "shape.npz"), npz_file)
    yield Reader(
        "latent",
        "latent.safetensors",
        _latent,
        lambda folder: read_latent(folder / "latent.safetensors"),
        safetensors_file,
    )
    yield Reader(
        "VGG weights (safetensors)",
        "vgg.safetensors",
        _vgg,
        lambda folder: load_vgg(folder / "vgg.safetensors"),
        safetensors_file,
    )
    yield Reader("VGG weights (.pth)", "vgg.pth", _vgg, lambda folder: load_vgg(folder / "vgg.pth"))
    labels = np.zeros((SIDE, SIDE), np.uint8)
    labels[8:60, 8:56], labels[20:26, 18:28], labels[20:26, 36:46], labels[44:50, 22:42] = 1, 4, 5, 8
    yield Reader(
        "label map: palette",
        "labels.png",
        lambda folder: write_labels(folder / "labels.png", labels),
        _labels,
        mutations.of_png,
    )
    yield Reader(
        "label map: colours",
        "labels.png",
        lambda folder: write_input("labels.png", _coloured_map(labels), folder),
        _labels,
        mutations.of_png,
    )
    yield Reader(
        "formula",
        "formula.txt",
        lambda folder: write_input("formula.txt", b"(a - b + c) / 3 + 0.5*a", folder),
        _formula,
        formulas,
    )


def _labels(folder: Path) -> None:
    read_labels(folder / "labels.png")


def _coloured_map(labels: np.ndarray[Any, Any]) -> bytes:
    from masque.faces.labels import colour_labels

    stream = io.BytesIO()
    Image.fromarray(colour_labels(labels)).save(stream, "PNG")
    return stream.getvalue()


def _formula(folder: Path) -> None:
    text = (folder / "formula.txt").read_bytes().decode("utf-8", "surrogateescape")
    z = {name: torch.full((8,), 0.1) for name in "abc"}
    assert bool(compute(text, z).isfinite().all())


READERS: tuple[Reader, ...] = (
    *picture_readers(),
    *file_readers(),
    *verify_readers(),
    *list_readers(),
    *prepared_readers(),
    *model_readers(),
    *run_readers(),
)
