"""The 3D model of the landmarks: poses by hand, faces that are known found again, and a model learnt from puppets' flat
landmarks."""

from __future__ import annotations

import numpy as np
import pytest

from masque.data.puppets import LANDMARKS, coefficients, draw_puppet, vertices
from masque.errors import DataError
from masque.faces.frame import MIRRORED
from masque.faces.shape3d import Fit, ShapeModel, angles_of, fit, read_shape_model, rotations
from masque.faces.shape_learning import learn_shapes
from robustness import mutations


def test_angles_by_hand():
    nose = np.array([0.0, 0.0, 1.0])
    yaw, pitch, roll = rotations(np.deg2rad([[30, 0, 0], [0, 20, 0], [0, 0, 10]]))
    np.testing.assert_allclose(yaw @ nose, [0.5, 0, np.sqrt(0.75)])  # to the picture's right
    assert (pitch @ nose)[1] > 0  # up
    np.testing.assert_allclose(
        roll @ [1.0, 0, 0], [np.cos(np.deg2rad(10)), np.sin(np.deg2rad(10)), 0]
    )  # counter-clockwise
    some = np.random.default_rng(0).uniform(-0.6, 0.6, (50, 3))
    np.testing.assert_allclose(angles_of(rotations(some)), some, atol=1e-12)
    assert np.array_equal(np.arange(68)[MIRRORED][MIRRORED], np.arange(68))


def puppet_faces(count: int, first: int, each: int = 4):
    """Landmarks of puppets in 3D (N,68,3), as a camera at 1 m sees them (N,68,2), who they are, and their poses
    (N,3)."""
    solid, flat, people, poses = [], [], [], []
    for number in range(count):
        puppet = draw_puppet(first + number, identity=first + number // each)
        points = rotations(np.array([puppet.pose]))[0] @ vertices(coefficients(puppet.face))[:, LANDMARKS]
        solid.append(points.T)
        flat.append((np.stack([points[0], -points[1]]) * (1000 / (1000 - points[2]))).T)
        people.append(number // each)
        poses.append(puppet.pose)
    return np.array(solid), np.array(flat), np.array(people), np.array(poses)


@pytest.fixture(scope="module")
def learnt() -> ShapeModel:
    _, flat, people, _ = puppet_faces(800, 0)
    return learn_shapes(flat, people)


def error_3d(found: Fit, model: ShapeModel, solid: np.ndarray) -> float:
    """Mean distance of landmarks, posed, from the true ones, in distances between the eyes; size and place are not
    compared."""
    got, true = (points - points.mean(axis=1, keepdims=True) for points in (found.posed(model), solid))
    size = (got * true).sum(axis=(1, 2)) / np.square(got).sum(axis=(1, 2))
    eyes = np.linalg.norm(true[:, 36:42].mean(axis=1) - true[:, 42:48].mean(axis=1), axis=1)
    return float((np.linalg.norm(size[:, None, None] * got - true, axis=2) / eyes[:, None]).mean())


def test_a_model_learnt_from_flat_landmarks_knows_depth(learnt):
    solid, flat, _, poses = puppet_faces(300, 50_000)
    found = fit(learnt, flat)
    assert np.rad2deg(np.abs(found.angles - poses)).mean(axis=0)[0] < 2.0
    assert np.percentile(np.rad2deg(np.abs(found.angles - poses)[:, 0]), 95) < 4.0
    assert error_3d(found, learnt, solid) < 0.04
    # It needs its bases for that: the mean alone is farther off.
    alone = Fit(0 * found.identity, 0 * found.expression, found.scale, found.angles, found.offset)
    assert error_3d(alone, learnt, solid) > 1.2 * error_3d(found, learnt, solid)
    assert np.abs(found.projected(learnt) - flat).mean() < 0.5  # mm; the eyes are 62 apart
    assert (learnt.identity.shape, learnt.expression.shape) == ((20, 68, 3), (29, 68, 3))


def test_a_mirrored_face_is_turned_the_other_way(learnt):
    _, flat, _, _ = puppet_faces(20, 60_000)
    there, back = fit(learnt, flat), fit(learnt, flat[:, MIRRORED] * [-1, 1])
    np.testing.assert_allclose(back.angles[:, [0, 2]], -there.angles[:, [0, 2]], atol=0.02)
    np.testing.assert_allclose(back.angles[:, 1], there.angles[:, 1], atol=0.02)


def test_people_differ_by_identity_and_pictures_by_expression(learnt):
    _, flat, people, _ = puppet_faces(200, 70_000)
    found = fit(learnt, flat)

    def within(values: np.ndarray) -> float:
        means = np.array([values[people == p].mean(axis=0) for p in people])
        return float((values - means).var() / values.var())

    assert within(found.expression) > 1.5 * within(found.identity)


def test_faces_made_by_a_model_are_found_again(learnt):
    draw = np.random.default_rng(1)
    made = Fit(
        draw.normal(0, 0.5, (40, 20)),
        draw.normal(0, 0.5, (40, 29)),
        draw.uniform(20, 90, 40),
        draw.uniform(-0.4, 0.4, (40, 3)),
        draw.uniform(-50, 50, (40, 2)),
    )
    found = fit(learnt, made.projected(learnt), rounds=60)
    assert np.rad2deg(np.abs(found.angles - made.angles)).mean() < 1.5
    np.testing.assert_allclose(found.scale, made.scale, rtol=0.05)
    assert np.abs(found.projected(learnt) - made.projected(learnt)).max() < 0.02 * made.scale.max()


def test_files(learnt, tmp_path):
    path = tmp_path / "model.npz"
    learnt.save(path)
    again = read_shape_model(path)
    np.testing.assert_allclose(again.expression, learnt.expression, atol=1e-6)
    assert again.noise == pytest.approx(learnt.noise)
    np.savez(
        path,
        mean=60 * learnt.mean,
        identity=learnt.identity[:3],
        expression=learnt.expression[:2],
        identity_deviation=np.full(3, 60.0),
    )
    in_mm = read_shape_model(path)  # another unit, and deviations of their own
    np.testing.assert_allclose(in_mm.identity, learnt.identity[:3], atol=1e-9)
    np.testing.assert_allclose(60 * in_mm.expression, learnt.expression[:2], atol=1e-9)


def test_files_that_are_no_models(learnt, tmp_path):
    def stored(**values: np.ndarray):
        good = {"mean": learnt.mean, "identity": learnt.identity, "expression": learnt.expression}
        np.savez(tmp_path / "bad.npz", **{k: v for k, v in (good | values).items() if v is not None})
        return tmp_path / "bad.npz"

    (tmp_path / "words.npz").write_text("words")
    with pytest.raises(DataError, match="is no morphable model"):
        read_shape_model(tmp_path / "words.npz")
    with pytest.raises(DataError, match="cannot be read"):
        read_shape_model(tmp_path / "missing.npz")
    with pytest.raises(DataError, match=r"mean has the shape \(53215, 3\), not \(68, 3\)"):
        read_shape_model(stored(mean=np.zeros((53215, 3))))
    with pytest.raises(DataError, match=r"noise has the shape \(3,\), not \(\)"):
        read_shape_model(stored(noise=np.ones(3)))
    with pytest.raises(DataError, match="holds no identity"):
        read_shape_model(stored(identity=None))
    with pytest.raises(DataError, match="29 bases of expression and 7 deviations"):
        read_shape_model(stored(expression_deviation=np.ones(7)))
    with pytest.raises(DataError, match="0 bases of identity"):
        read_shape_model(stored(identity=np.zeros((0, 68, 3))))
    for values in (
        {"noise": np.array(0.0)},
        {"noise": np.array(-1.0)},
        {"noise": np.array(1e-300)},
        {"identity": 1e300 * learnt.identity},
        {"mean": learnt.mean * 1e200},
        {"expression_deviation": np.full(29, 1e308)},
    ):
        with pytest.raises(DataError, match="no model of a face"):
            read_shape_model(stored(**values))
    with pytest.raises(DataError, match="nose points away"):
        read_shape_model(stored(mean=learnt.mean * [1, 1, -1]))
    with pytest.raises(DataError, match="not finite"):
        read_shape_model(stored(mean=learnt.mean * np.nan))


def test_a_damaged_model_is_refused_in_one_sentence_or_can_be_fitted(learnt, tmp_path, capfd):
    some = {
        "mean": learnt.mean,
        "identity": learnt.identity[:2],
        "expression": learnt.expression[:2],
        "noise": np.array(learnt.noise),
    }
    whole = mutations.archive({name: mutations.npy(array) for name, array in some.items()})
    path = tmp_path / "model.npz"
    for name, data in [*mutations.of_npz(some), *mutations.of_bytes(whole, 200)]:
        path.write_bytes(data)
        said = "it can be fitted"
        try:
            fit(read_shape_model(path), learnt.mean[None, :, :2] * [50, -50], rounds=1)
        except DataError as error:
            said = str(error).replace(str(path), "")
        assert mutations.is_plain(said), name
    assert capfd.readouterr() == ("", "")


def test_what_a_model_cannot_be_learnt_from():
    _, flat, people, _ = puppet_faces(120, 0)
    with pytest.raises(DataError, match="15 faces are too few"):
        learn_shapes(flat[:15], people[:15])
    for unknown in (np.full(120, -1), np.arange(120)):
        with pytest.raises(DataError, match="several pictures of several people"):
            learn_shapes(flat, unknown)
