import cv2
import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg

from masque.faces.harmonic import SOLVED_AT, fill_smoothly


def ellipse(height: int, width: int, across: float = 0.35, down: float = 0.4) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, (width // 2 + 1, height // 2), (int(across * width), int(down * height)), 15, 0, 360, 1, -1)
    return mask > 0


def solved_directly(known: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Laplace's equation as one sparse system."""
    number = np.full(inside.shape, -1)
    number[inside] = np.arange(inside.sum())
    rows, columns, values, right = [], [], [], np.zeros((int(inside.sum()), known.shape[2]))
    for k, (y, x) in enumerate(np.argwhere(inside)):
        around = [(y + dy, x + dx) for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0))]
        around = [(v, u) for v, u in around if 0 <= v < inside.shape[0] and 0 <= u < inside.shape[1]]
        for v, u in [(y, x), *around]:
            if inside[v, u]:
                rows.append(k)
                columns.append(number[v, u])
                values.append(len(around) if (v, u) == (y, x) else -1.0)
            else:
                right[k] += known[v, u]
    system = scipy.sparse.csc_matrix((values, (rows, columns)))
    filled = known.astype(float).copy()
    filled[inside] = scipy.sparse.linalg.splu(system).solve(right)
    return filled


@pytest.mark.parametrize("shape", [(20, 24), (64, 50), (131, 128), (200, 170)])
def test_it_is_what_a_direct_solver_finds(shape):
    rng = np.random.default_rng(0)
    inside = ellipse(*shape)
    smooth = 40 * cv2.GaussianBlur(rng.normal(size=(*shape, 3)), (0, 0), 4) * 8
    for known in (smooth, rng.uniform(-60, 60, (*shape, 3))):
        ours = fill_smoothly(known.astype(np.float32), inside)
        assert np.abs(ours - solved_directly(known, inside)).max() < 0.5
        assert (ours[~inside] == known.astype(np.float32)[~inside]).all()


def test_any_shape_will_do():
    rng = np.random.default_rng(1)
    known = rng.uniform(-50, 50, (60, 80, 2))
    ring = ellipse(60, 80) & ~ellipse(60, 80, 0.15, 0.2)
    specks = rng.random((60, 80)) < 0.5
    at_the_edge = np.zeros((60, 80), bool)
    at_the_edge[20:, 30:60] = True
    for inside in (ring, specks, at_the_edge):
        assert np.abs(fill_smoothly(known.astype(np.float32), inside) - solved_directly(known, inside)).max() < 1.0


# Functions whose mean over the four neighbours is their value: nothing but they may come out between their own values.
HARMONIC = {
    "constant": lambda x, y: 30 + 0 * (x + y),
    "ramp": lambda x, y: 20 * x - 35 * y,
    "saddle": lambda x, y: 25 * (x * x - y * y) + 10 * x * y,
    "cubic": lambda x, y: 25 * (x**3 - 3 * x * y * y),
}


@pytest.mark.parametrize("name", HARMONIC)
@pytest.mark.parametrize("side", [40, 150, SOLVED_AT + 1, 1000])
def test_harmonic_functions_come_back(name, side):
    y, x = np.mgrid[:side, :side] / (side / 2) - 1
    known = HARMONIC[name](x, y)[..., None].astype(np.float32)
    inside = ellipse(side, side)
    assert np.abs(fill_smoothly(np.where(inside[..., None], 99, known), inside) - known).max() < 0.5


def test_values_stay_between_those_around():
    """The maximum principle."""
    rng = np.random.default_rng(2)
    known = rng.uniform(10, 90, (120, 120, 3)).astype(np.float32)
    inside = ellipse(120, 120)
    filled = fill_smoothly(known, inside)[inside]
    assert filled.min() >= 9.5
    assert filled.max() <= 90.5


def test_nothing_and_everything_inside():
    known = np.random.default_rng(3).uniform(0, 9, (10, 12, 3)).astype(np.float32)
    assert (fill_smoothly(known, np.zeros((10, 12), bool)) == known).all()
    assert np.allclose(fill_smoothly(known, np.ones((10, 12), bool)), known.mean(axis=(0, 1)))
    before = known.copy()
    fill_smoothly(known, ellipse(10, 12))
    assert (known == before).all(), "the argument is not touched"
