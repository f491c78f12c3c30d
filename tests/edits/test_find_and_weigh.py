"""Several photos' latents found in one batch, searches that their watcher ends, and faces combined by weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from masque import runs
from masque.edits.invert import Options
from masque.edits.latents import Latent
from masque.edits.loaded import LatentEditor
from masque.errors import ValueRangeError
from tiny import puppet_photo

QUICK = Options(method="refine", iterations=6, starts=2, detail=3)


@pytest.fixture(scope="module")
def session() -> LatentEditor:
    return LatentEditor(runs.build_recipe(runs.plan("progan", "tiny")).model, "progan", "0" * 16)


@pytest.fixture(scope="module")
def photos() -> list[np.ndarray]:
    return [puppet_photo(seed) for seed in (3, 6)]


@pytest.fixture
def three(session: LatentEditor) -> list[Latent]:
    return [
        session.latent(torch.randn(16, generator=torch.Generator().manual_seed(i)), name)
        for i, name in enumerate("xyz")
    ]


def test_a_batch_finds_the_latents_of_its_search(session: LatentEditor, photos: list[np.ndarray]) -> None:
    steps: list[int] = []
    found = session.find_all(photos, QUICK, lambda step, best, _: steps.append(step) or best.shape[0])
    subjects = [session.subject(photo) for photo in photos]
    z = session.search(subjects, QUICK).z
    assert steps == sorted(steps)
    assert len(steps) >= QUICK.all_steps
    for latent, vector, subject in zip(found, z, subjects, strict=True):
        assert latent.subject is not None
        assert torch.equal(latent.z, session.latent(vector, "").z)
        assert np.array_equal(latent.subject.photo, subject.photo)
    again = session.find_all(subjects, QUICK)
    assert all(torch.equal(a.z, b.z) for a, b in zip(found, again, strict=True))
    assert again[0].subject is subjects[0]
    assert session.find_all([], QUICK) == []


class CancelledError(Exception):
    """What a program raises that no longer wants the answer."""


@pytest.mark.parametrize("method", ["lipton", "refine", "encoder", "encoder+refine"])
@pytest.mark.parametrize("at", [0, 4, 8])
def test_whatever_a_watcher_raises_ends_the_search(
    session: LatentEditor, photos: list[np.ndarray], method: str, at: int
) -> None:
    seen: list[int] = []

    def watch(step: int, _best: torch.Tensor, _error: torch.Tensor) -> None:
        seen.append(step)
        if step >= at or method == "encoder":
            raise CancelledError

    options = Options(method=method, iterations=6, detail=6)
    if method == "lipton" and at > 6:
        return
    with pytest.raises(CancelledError):
        session.find(photos[0], options, watch=watch)
    assert seen[-1] <= at + 1
    assert not torch.is_inference_mode_enabled()
    assert not torch.is_autocast_enabled("cpu")
    assert torch.is_grad_enabled()
    assert session.find(photos[0], QUICK).subject is not None  # and the session goes on


def test_ctrl_c_leaves_no_half_found_faces(session: LatentEditor, photos: list[np.ndarray]) -> None:
    def stop(step: int, *_: torch.Tensor) -> None:
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        session.find_all(photos, QUICK, stop)


def test_weights_of_three_are_their_formula(session: LatentEditor, three: list[Latent]) -> None:
    by_weights = session.combine(three, weights=[0.2, 0.3, 0.5])
    by_formula = session.combine(three, "0.2*a + 0.3*b + 0.5*c")
    assert np.array_equal(by_weights.picture, by_formula.picture)
    assert by_weights.record["formula"] == "0.2*a + 0.3*b + 0.5*c"
    other = session.combine(three, weights=[0.5, 0.3, 0.2])
    assert not np.array_equal(other.picture, by_weights.picture)


def test_all_of_one_face_is_that_face(session: LatentEditor, three: list[Latent]) -> None:
    alone = session.combine(three, weights=(0, 1, 0))
    assert np.array_equal(alone.picture, next(session.pictures(three[1].z[None])))
    assert alone.record["formula"] == "1*b"


def test_weights_of_photos_mix_their_pixels(session: LatentEditor, photos: list[np.ndarray]) -> None:
    found = session.find_all(photos, QUICK)
    whole = session.combine(found, weights=np.array([1.0, 0.0]), size=96).picture
    assert np.array_equal(whole, session.combine(found, weight=0.0, size=96).picture)
    half = session.combine(found, weights=[0.5, 0.5], size=96).picture.astype(int)
    assert np.abs(half - session.combine(found, weight=0.5, size=96).picture).max() <= 1


def test_rounded_weights_are_taken_in_proportion(session: LatentEditor, three: list[Latent]) -> None:
    third = session.combine(three, weights=[0.333, 0.333, 0.333])
    assert np.array_equal(third.picture, session.combine(three, weights=[1 / 3] * 3).picture)


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ([0.5, 0.5], "one for each of the 3 faces"),
        ("0.2,0.3,0.5", "one for each of the 3 faces"),
        (0.5, "one for each of the 3 faces"),
        ([0.5, 0.5, 0.5], "sum to 1"),
        ([1.5, -0.5, 0.0], "from 0 on"),
        ([float("nan"), 0.5, 0.5], "a weight"),
        ([None, 0.5, 0.5], "a weight"),
    ],
)
def test_what_are_no_weights(session: LatentEditor, three: list[Latent], weights: object, says: str) -> None:
    with pytest.raises(ValueRangeError, match=says):
        session.combine(three, weights=weights)


def test_a_formula_and_weights_exclude_one_another(session: LatentEditor, three: list[Latent]) -> None:
    with pytest.raises(ValueRangeError, match="exclude one another"):
        session.combine(three, "a + b", weights=[0.2, 0.3, 0.5])
    with pytest.raises(ValueRangeError, match="From 2 to 26"):
        session.combine(three[:1], weights=[1.0])
