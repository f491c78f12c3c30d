"""E_1's training: what it learns towards, by hand, and what a new run takes from its data."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from masque import runs
from masque.data.batches import Augmentation, Batches
from masque.data.frames import FrameSet, load_frames
from masque.errors import SettingError
from masque.faces.shape3d import fit
from masque.faces.shape_learning import learn_shapes
from masque.recipes.shape import ShapeRecipe

AS_IT_IS = Augmentation(flip=False, shift=0.0, turn=0.0, zoom=0.0, colour=0.0)


@pytest.fixture(scope="module")
def frames() -> FrameSet:
    return load_frames(["puppets:48"], 32, ())


@pytest.fixture
def recipe(frames) -> ShapeRecipe:
    made = runs.build_recipe(runs.plan("shape", "tiny"))
    assert isinstance(made, ShapeRecipe)
    made.begin(frames)
    return made


def test_features_have_mean_0_and_variance_1_over_the_data(recipe, frames):
    E_1 = recipe.model.E_1
    features = E_1.features(fit(E_1.shapes, np.asarray(frames.landmarks)[frames.indices("train")]))
    assert features.shape[1] == 5
    assert torch.allclose(features[:, :-1].mean(dim=0), torch.zeros(4), atol=1e-4)
    assert torch.allclose(features.square().mean(dim=0), torch.ones(5), atol=1e-3)


def test_yaw_is_told_and_set(recipe, frames):
    E_1 = recipe.model.E_1
    fitted = fit(E_1.shapes, np.asarray(frames.landmarks)[:6])
    features = E_1.features(fitted)
    np.testing.assert_allclose(E_1.yaw(features), fitted.angles[:, 0], atol=1e-5)
    turned = E_1.with_yaw(features, 0.3)
    assert torch.allclose(E_1.yaw(turned), torch.full((6,), 0.3))
    assert torch.equal(turned[:, :-1], features[:, :-1])
    assert torch.allclose(
        E_1.with_yaw(features, torch.zeros(6))[:, -1], torch.zeros(6)
    )  # straight ahead is 0 however the set leans


def test_what_it_learns_towards_moves_with_the_picture(recipe, frames):
    """Whatever the picture is moved, zoomed and rolled, a face has the same expression and yaw; mirrored, the other
    yaw."""
    moved = Augmentation(flip=False, shift=5.0, turn=8.0, zoom=0.1, colour=0.0)
    E_1 = recipe.model.E_1

    def features(augmentation: Augmentation) -> torch.Tensor:
        batch = Batches(frames, "train", 32, 12, 0, augmentation)(0)
        return E_1.features(fit(E_1.shapes, batch["landmarks"].double().numpy()))

    there, elsewhere = features(AS_IT_IS), features(moved)
    assert torch.allclose(there, elsewhere, atol=2e-2)
    batch = Batches(frames, "train", 32, 12, 0, Augmentation(flip=True, shift=0.0, turn=0.0, zoom=0.0, colour=0.0))(0)
    mirrored = E_1.features(fit(E_1.shapes, batch["landmarks"].double().numpy()))
    turned_over = (mirrored[:, -1] - there[:, -1]).abs() > 1e-2
    assert turned_over.any()
    assert not turned_over.all()
    assert torch.allclose(mirrored[turned_over, -1], -there[turned_over, -1], atol=0.1)


def test_each_picture_and_its_mirror_image_are_fitted_once(recipe, frames, monkeypatch):
    moved = Batches(frames, "train", 32, 12, 0, Augmentation(flip=True, shift=5.0, turn=8.0, zoom=0.1, colour=0.0))
    E_1, seen = recipe.model.E_1, []
    monkeypatch.setattr(
        "masque.models.shape.fit", lambda shapes, landmarks: seen.append(len(landmarks)) or fit(shapes, landmarks)
    )
    for step in range(30):
        batch = moved(step)
        wanted = E_1.features(fit(E_1.shapes, batch["landmarks"].double().numpy()))
        assert torch.allclose(recipe.fits(batch), wanted, atol=2e-2), step
    assert sum(seen) == len(recipe.fits.fitted) == 2 * len(frames.indices("train"))


def test_eq_7_by_hand(recipe, frames):
    batch = Batches(frames, "train", 32, 4, 0, AS_IT_IS)(0)
    E_1 = recipe.model.E_1
    true = E_1.features(fit(E_1.shapes, batch["landmarks"].double().numpy()))
    E_1.forward = lambda _: true + torch.tensor([1.0, 0.0, 0.0, 0.0, 2.0])
    weights = E_1.importance()
    assert float(weights.mean()) == pytest.approx(1.0)
    assert (weights > 0).all()
    assert float(recipe.see_terms(batch)["shape"]) == pytest.approx(float((weights[0] + 4 * weights[4]) / 5), rel=1e-4)


def test_bases_of_a_file(frames, tmp_path):
    landmarks, people = np.asarray(frames.landmarks), frames.people()
    shapes = learn_shapes(landmarks, people, 2, 6)
    shapes.save(tmp_path / "bases.npz")
    setting = f"bases={tmp_path / 'bases.npz'}"
    with pytest.raises(SettingError, match=r"2 bases of identity.*identity=2"):
        runs.build_recipe(runs.plan("shape", "tiny", (setting,))).begin(frames)
    recipe = runs.build_recipe(runs.plan("shape", "tiny", (setting, "identity=2", "expression=6")))
    recipe.begin(frames)
    np.testing.assert_allclose(recipe.model.E_1.shapes.expression, shapes.expression, atol=1e-6)


def test_a_run_that_goes_on_keeps_its_bases(tmp_path, monkeypatch):
    plan = runs.plan("shape", "tiny", ("batch_size=4",), {"steps": 2})
    runs.train(plan, ["puppets:24"], tmp_path / "run", accelerator="cpu")
    asked = []
    monkeypatch.setattr(ShapeRecipe, "begin", lambda *_: asked.append(1))
    longer = runs.plan("shape", "tiny", ("batch_size=4",), {"steps": 3})
    assert runs.train(longer, ["puppets:24"], tmp_path / "run", accelerator="cpu").step == 3
    assert not asked
