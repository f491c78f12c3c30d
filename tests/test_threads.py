"""One loaded model, many threads: each call gives bit for bit what it gives alone."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import torch

import masque
from masque import runs
from masque.edits.invert import Options
from masque.edits.loaded import AttributeEditor, LatentEditor, PortraitEditor, Synthesizer
from masque.edits.morph_warp import warp_morph
from masque.edits.result import Result
from masque.edits.warp import swap_by_warping
from masque.faces.detect import find_faces
from masque.image import decoded, read_picture, write_picture
from masque.loading import installed_parser
from masque.provenance import verify
from tiny import puppet_photo, tiny_session

THREADS = 8

Call = Callable[[], object]


def plain(made: object) -> object:
    """What a call gave, so that equal means equal in every bit."""
    if isinstance(made, Result):
        return made.picture.tobytes(), json.dumps(made.record, sort_keys=True)
    return repr(made) if not isinstance(made, bytes) else made


def at_once(calls: Sequence[Call]) -> list[object]:
    """What calls give when eight threads make them, all beginning together."""
    together = threading.Barrier(THREADS)
    with ThreadPoolExecutor(THREADS, initializer=together.wait) as pool:
        return [plain(made) for made in pool.map(lambda call: call(), calls)]


def hammered(calls: Sequence[Call]) -> None:
    crowded = at_once(calls)  # first, so that whatever is made at a first use is made by several threads
    alone = [plain(call()) for call in calls]
    assert [i for i, made in enumerate(crowded) if made != alone[i]] == []


def tiny(family: str) -> torch.nn.Module:
    return runs.build_recipe(runs.plan(family, "tiny")).model  # type: ignore[attr-defined,no-any-return]


@pytest.fixture(autouse=True)
def _one_core_each():
    """Eight threads that would each wait for helpers of their own take minutes on two cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def pictures():
    return [puppet_photo(seed, 240, 300) for seed in (1, 3, 4)]


def test_faces_are_found_by_eight_threads_as_by_one(pictures):
    def found(picture: np.ndarray) -> bytes:
        return b"".join(
            repr((face.box, face.score)).encode() + face.landmarks.tobytes() for face in find_faces(picture)
        )

    hammered([lambda picture=pictures[i % 3]: found(picture) for i in range(32)])


@pytest.mark.parametrize("pairs", [[(0, 1)], pytest.param([(0, 1), (1, 0)], marks=pytest.mark.slow)], ids=len)
def test_every_edit_gives_the_same_in_eight_threads_as_alone(pictures, synthesizer, pairs):
    session, parser = tiny_session(), installed_parser()
    painter = PortraitEditor(tiny("portrait"), "portrait", "0" * 16, parser=parser)
    translator = AttributeEditor(
        tiny("ccagan"), "ccagan", "0" * 16, classify=lambda frames: [{"Male": 0.25}] * len(frames)
    )
    latents = LatentEditor(tiny("progan"), "progan", "0" * 16)
    search = Options(iterations=3, detail=2)

    def of(a: np.ndarray, b: np.ndarray) -> list[Call]:
        return [
            lambda: session.swap(a, b),
            lambda: swap_by_warping(a, b),
            lambda: session.edit(a, {"Smiling": 1.0}),
            lambda: session.random(a, "hair", count=2, seed=3),
            lambda: session.blend(a, b, steps=2),
            lambda: translator.edit(a, {"Blond_Hair": 1.0}),
            lambda: parser.parse(a).labels.tobytes(),
            lambda: painter.repaint(a, shape_from=b, part="mouth"),
            lambda: painter.transfer(a, b, part="skin"),
            lambda: latents.find(a, search).z.numpy().tobytes(),
            lambda: latents.sample(2, seed=5),
            lambda: b"".join(frame.tobytes() for frame in warp_morph([a, b], 3)),
            lambda: synthesizer.synthesize(a, 2),
        ]

    hammered([call for a, b in pairs for call in of(pictures[a], pictures[b])])


def test_eight_threads_may_save_to_one_path(tmp_path):
    out = tmp_path / "one.png"
    results = [Result(np.full((40, 40, 3), value, np.uint8), {"edit": "test", "value": value}) for value in range(40)]
    at_once([lambda result=result: str(result.save(out)) for result in results])
    assert [path.name for path in tmp_path.iterdir()] == ["one.png"]
    verdict = verify(out)
    assert verdict.unchanged
    assert (read_picture(out) == verdict.record["value"]).all()


def test_pictures_read_at_once_leave_the_program_s_warnings_as_they_were(tmp_path):
    path = write_picture(tmp_path / "grey.png", np.full((50, 50, 3), 90, np.uint8))
    before = list(warnings.filters), warnings.showwarning
    # As two threads may do it: the one that began first is done first.
    first, second = decoded(path), decoded(path)
    first.__enter__(), second.__enter__()
    first.__exit__(None, None, None), second.__exit__(None, None, None)
    assert (list(warnings.filters), warnings.showwarning) == before


@pytest.mark.slow
def test_a_model_is_loaded_by_eight_threads_as_by_one(model_folder, pictures):
    before = torch.get_rng_state()
    hammered([lambda: masque.load(str(model_folder)).blend(pictures[0], pictures[1], steps=2) for _ in range(THREADS)])
    assert torch.equal(torch.get_rng_state(), before)


COLD = """
import sys, threading
sys.path.insert(0, {tests!r})
from test_threads import at_once, plain, Options
import masque
from masque.image import read_picture
a, b = (read_picture(path) for path in sys.argv[2:])
session = masque.load(sys.argv[1])
calls = {{
    "rsgan": lambda: session.swap(a, b), "portrait": lambda: session.repaint(a, shape_from=b, part="mouth"),
    "progan": lambda: session.find(a, Options(iterations=2, detail=2)).z.numpy().tobytes(),
    "facefeat": lambda: session.synthesize(a, 2),
    "ccagan": lambda: session.edit(a, {{"Smiling": 1.0}}), "parser": lambda: session.parse(a).labels.tobytes(),
}}
crowded = at_once([calls[sys.argv[1]]] * 8)
print(sum(made != plain(calls[sys.argv[1]]()) for made in crowded))
"""


@pytest.mark.slow
@pytest.mark.parametrize("family", ["rsgan", "ccagan", "parser", "portrait", "progan", "facefeat"])
def test_the_first_eight_calls_of_a_process_may_be_at_once(family, puppet_files):
    program = COLD.format(tests=str(__file__).rpartition("/")[0])
    run = subprocess.run(
        [sys.executable, "-c", program, family, *map(str, puppet_files[:2])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout.split()) == (0, ["0"]), run.stderr


@pytest.mark.slow
@pytest.mark.real
def test_shipped_models_on_real_photos_in_eight_threads(shared_data, tmp_path):
    files = sorted((shared_data / "london" / "neutral_front").glob("*.jpg"))[:6]
    photos = [cv2.resize(read_picture(file), None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA) for file in files]
    session, translator, painter, latents = (masque.load(name) for name in ("rsgan", "ccagan", "portrait", "progan"))
    parser, synthesizer = masque.load("parser", "parse"), masque.load("facefeat", "synthesize")
    assert isinstance(synthesizer, Synthesizer)
    calls: list[Call] = []
    for i, a in enumerate(photos):
        for b in photos[i + 1 :]:
            calls += [
                lambda a=a, b=b: session.swap(a, b),
                lambda a=a, b=b: painter.repaint(a, shape_from=b, part="eyes"),
                lambda a=a, b=b: painter.transfer(a, b, part="hair"),
            ]
        calls += [
            lambda a=a: session.edit(a, {"Smiling": 1.0}),
            lambda a=a: translator.edit(a, {"Blond_Hair": 1.0}),
            lambda a=a: parser.parse(a).labels.tobytes(),
            lambda a=a: latents.find(a, Options(iterations=10, detail=5)).z.numpy().tobytes(),
            lambda a=a: synthesizer.synthesize(a, 4),
            lambda a=a: session.edit(a, {"Male": 1.0}).save(tmp_path / "one.png").name,
        ]
    hammered(calls)
