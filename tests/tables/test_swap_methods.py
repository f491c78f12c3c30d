"""Ways to swap: where each puts a face, what it leaves alone, and how they are measured."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from masque import runs
from masque.data.puppets import draw_puppet, render
from masque.errors import CheckpointError, DataError
from masque.faces.regions import hull_mask
from masque.loading import load_session
from masque.models.autoencoders import Autoencoder, AutoencoderConfig
from masque.tables import rsgan
from masque.tables.rsgan import Embedder, evaluate_swap, summary
from masque.tables.swapping import (
    AutoencoderMethod,
    RSGANMethod,
    Sample,
    WarpMethod,
    align_eyes,
    load_method,
    load_swap,
    paste_face,
    sample_of,
)

SIZE = 64


def sample(seed: int) -> Sample:
    made = render(draw_puppet(seed), SIZE / 128)
    return sample_of(made.picture, np.zeros(made.picture.shape[:2], np.uint8), made.landmarks, SIZE)


def eyes(landmarks: np.ndarray) -> np.ndarray:
    return np.stack([landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)])


class Copies(Autoencoder):
    """Makes every picture again as it was."""

    def reconstruct(self, picture: torch.Tensor) -> torch.Tensor:
        return picture


@pytest.fixture(scope="module")
def repaired() -> AutoencoderMethod:
    return AutoencoderMethod(
        Copies(AutoencoderConfig(size=SIZE, channels=4, encoder_channels=4, z=8, widest=16)), "alphagan", ""
    )


def test_a_face_is_laid_on_eyes_on_eyes():
    face, hair = sample(3), sample(8)
    moved = AutoencoderMethod.expected_landmarks(None, face, hair)
    np.testing.assert_allclose(eyes(moved), eyes(hair.landmarks), atol=1e-3)
    matrix = align_eyes(face.landmarks, hair.landmarks)
    assert matrix[0, 0] == pytest.approx(matrix[1, 1])
    assert matrix[0, 1] == pytest.approx(-matrix[1, 0])
    laid = paste_face(face, hair)
    inside = hull_mask(moved, (SIZE, SIZE)) > 127
    assert np.array_equal(laid[~inside], hair.image[~inside])
    assert (laid[inside] != hair.image[inside]).any()
    assert np.array_equal(paste_face(hair, hair), hair.image)


def test_an_autoencoder_repairs_what_was_laid_on(repaired):
    face, hair = sample(3), sample(8)
    (swapped,) = repaired.swap([face], [hair])
    assert np.array_equal(swapped, paste_face(face, hair))
    assert np.array_equal(repaired.reconstruct([hair])[0], hair.image)


def test_the_warp_leaves_all_but_the_face_alone():
    face, hair = sample(3), sample(8)
    method = WarpMethod(SIZE)
    (swapped,) = method.swap([face], [hair])
    outside = hull_mask(hair.landmarks, (SIZE, SIZE)) <= 127
    assert np.array_equal(swapped[outside], hair.image[outside])
    assert (swapped != hair.image).any()
    assert method.reconstruct([face]) is None
    assert method.expected_landmarks(face, hair) is hair.landmarks


def test_rsgan_paints_the_face_where_it_was():
    method = load_method("rsgan")
    assert isinstance(method, RSGANMethod)
    made = [render(draw_puppet(seed)) for seed in (3, 8)]
    face, hair = (sample_of(m.picture, np.zeros(m.picture.shape[:2], np.uint8), m.landmarks, 128) for m in made)
    assert method.expected_landmarks(face, hair) is face.landmarks
    again, other = method.reconstruct([face, hair]), method.swap([face, hair], [face, hair])
    assert all(np.array_equal(a, b) for a, b in zip(again, other, strict=True))
    session = load_session("rsgan", "swap")
    assert (method.size, method.weights) == (session.size, session.weights)


def test_pairs_are_of_different_people_and_no_more_than_there_are():
    people = ["a", "a", "b", "", ""]  # unknown ones may be anybody but the picture itself
    drawn = rsgan.draw_pairs(people, 18, 0)
    assert all(i != j and (not people[i] or people[i] != people[j]) for i, j in drawn)
    possible = sum(i != j and (not people[i] or people[i] != people[j]) for i in range(5) for j in range(5))
    with pytest.raises(DataError, match=rf"\b{possible} pairs of different people.*\b19\b"):
        rsgan.draw_pairs(people, 19, 0)
    for few in ([], ["a"], ["a", "a"]):
        with pytest.raises(DataError, match="at least two people"):
            rsgan.draw_pairs(few, 1, 0)


def test_what_swaps_nothing_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="cannot swap"):
        load_method("identity")
    runs.train(
        runs.plan("ali", "tiny", (), {"steps": 1, "batch_size": 2}), ["puppets:12"], tmp_path / "ali", accelerator="cpu"
    )
    assert isinstance(load_method(str(tmp_path / "ali")), AutoencoderMethod)


def test_each_picture_is_judged_once(monkeypatch):
    seen = []

    def embedded(job):
        seen.append(job)
        return np.full(128, float(job[0].mean()), np.float32)

    monkeypatch.setattr(rsgan, "_embedded", embedded)
    judge, told = Embedder(workers=1), []
    a, b = sample(3), sample(8)
    first = judge([a.image, b.image, a.image], [a.landmarks, b.landmarks, a.landmarks], told.append)
    assert (len(seen), sum(told)) == (2, 3)
    assert np.array_equal(first[0], first[2])
    again = Embedder(judge.cache, workers=1)([b.image], [b.landmarks])
    assert len(seen) == 2
    assert np.array_equal(again[0], first[1])
    Embedder(judge.cache, workers=1)([b.image], [b.landmarks + 1])  # the face lies elsewhere
    assert len(seen) == 3


def test_an_interval_is_of_the_mean_and_always_the_same():
    values = np.random.default_rng(0).normal(3.0, 2.0, 400)
    made = summary(values)
    assert (made["mean"], made["std"]) == (pytest.approx(values.mean()), pytest.approx(values.std()))
    low, high = made["interval"]
    assert (low, high) == (
        pytest.approx(values.mean() - 1.96 * 0.1, abs=0.03),
        pytest.approx(values.mean() + 1.96 * 0.1, abs=0.03),
    )
    assert summary(values) == made


def test_a_perfect_way_to_swap_scores_as_one(monkeypatch):
    """With pictures that come back as they are, swapped onto their own kind, all errors are nothing."""
    frames = runs.load_frames(["puppets:48"], SIZE, ())

    class Same(AutoencoderMethod):
        def swap(self, faces, hairs):  # noqa: ARG002
            return [face.image for face in faces]

        def expected_landmarks(self, face, hair):  # noqa: ARG002
            return face.landmarks

    monkeypatch.setattr(rsgan, "_embedded", lambda job: np.full(128, float(job[0].mean()) / 255, np.float32))
    monkeypatch.setattr(rsgan, "PUPPET_PAIRS", 6)
    method = Same(Copies(AutoencoderConfig(size=SIZE, channels=4, encoder_channels=4, z=8, widest=16)), "alphagan", "")
    report = evaluate_swap(method, frames, 6, workers=1)
    for group in ("reconstruction", "swap_twice"):
        assert report[group]["absolute_error"]["mean"] == pytest.approx(0, abs=1e-6)
        assert report[group]["ms_ssim"]["mean"] == pytest.approx(1, abs=1e-4)
    assert report["swap"]["identity_distance"]["mean"] == 0
    assert report["swap"]["nearer_to_face"]["mean"] == 1
    assert report["true_swap"]["absolute_error"]["mean"] > 0.01
    assert report["pairs"] == 6
    assert 0 < report["seconds"] < 1
    with pytest.raises(DataError, match="held-out pictures make"):
        evaluate_swap(method, frames, 40, workers=1)
    assert evaluate_swap(method, frames, 40, workers=1, split="train")["split"] == "train"
    with pytest.raises(DataError, match="load them for its size"):
        evaluate_swap(WarpMethod(32), frames, 2)


def test_swaps_on_own_pixels_are_measured_with_and_without_what_rsgan_paints() -> None:
    with_paint, without = (load_swap(name) for name in ("own", "own-unpainted"))
    assert with_paint.__self__.paint_unseen  # type: ignore[attr-defined]
    assert not without.__self__.paint_unseen  # type: ignore[attr-defined]
