import cv2
import numpy as np
import pytest
from test_harmonic import ellipse, solved_directly

from masque.faces.frame import chain, identity_matrix, invert
from masque.faces.paste import add_change, feathered_square, paste, region_of, soften, stitch

TURNED = np.array([[0.55, -0.2, 10.0], [0.2, 0.55, -40.0]])
"""A photo of 320 × 400 to a crop of 128 pixels."""


def smooth_photo(seed: int = 0, height: int = 400, width: int = 320) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(50, 200, (height // 80, width // 80, 3)).astype(np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def textured_photo(seed: int = 0) -> np.ndarray:
    grain = np.random.default_rng(seed).normal(0, 12, (400, 320, 1))
    return np.clip(smooth_photo(seed) + grain, 0, 255).astype(np.uint8)


def crop_of(photo: np.ndarray, matrix: np.ndarray, size: int = 128) -> np.ndarray:
    return cv2.warpAffine(photo, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.abs(a.astype(int) - b).max(axis=2)


def disc(size: int = 128) -> np.ndarray:
    return np.where(ellipse(size, size), 255, 0).astype(np.uint8)


def covered(mask: np.ndarray, matrix: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The mask in the photo, by nearest pixels."""
    return cv2.warpAffine(mask, invert(matrix), shape[1::-1], flags=cv2.INTER_NEAREST)


def sharpness(picture: np.ndarray) -> float:
    return float(cv2.Laplacian(picture.astype(np.float32), cv2.CV_32F).var())


def test_the_feather_goes_to_zero_at_the_edges_and_is_full_in_the_middle():
    square = feathered_square(128).astype(int)
    assert max(square[0].max(), square[-1].max(), square[:, 0].max(), square[:, -1].max()) <= 1
    assert (square[16:-16, 16:-16] == 255).all()
    assert (np.diff(square[64, :64]) >= 0).all()
    assert (square == square.T).all()
    assert (square == square[::-1]).all()
    left_open = feathered_square(128, sides=(False, True, True, True))
    assert (left_open[64, :100] == 255).all()
    assert left_open[64, -1] <= 1


def test_softening_never_reaches_outside_the_old_edge():
    mask = disc()
    softened = soften(mask, 8)
    assert (softened[mask == 0] <= 2).all()
    assert softened[64, 64] == 255
    assert 20 < np.abs(np.gradient(softened.astype(float), axis=1)).max() < 60, "soft"
    assert (soften(mask, 0.2) == mask).all()
    full = np.full((64, 64), 255, np.uint8)
    assert (soften(full, 10) == 255).all(), "a mask that reaches the border stays full there"


@pytest.mark.parametrize(
    "matrix", [TURNED, np.array([[0.4, 0, 0], [0, 0.4, -10.0]]), np.array([[1.0, 0, -90], [0, 1.0, -120]])]
)
def test_pasting_a_photo_into_itself_changes_nothing(matrix):
    photo = smooth_photo()
    pasted = paste(photo, crop_of(photo, matrix), matrix, feathered_square(128))
    assert difference(pasted, photo).max() <= 1


def test_a_crop_of_whole_pixels_comes_back_exactly():
    photo = textured_photo()
    matrix = np.array([[1.0, 0, -90], [0, 1.0, -120]])
    assert (paste(photo, photo[120:248, 90:218], matrix, np.full((128, 128), 255, np.uint8)) == photo).all()


def test_paste_shows_the_painted_where_the_mask_is_full_and_the_photo_where_it_is_empty():
    photo, painted = smooth_photo(0), np.full((128, 128, 3), (200, 40, 90), np.uint8)
    before = photo.copy()
    pasted = paste(photo, painted, TURNED, disc(), match=False)
    share = covered(disc(), TURNED, photo.shape)
    middle, away = cv2.erode(share, np.ones((9, 9))) > 0, cv2.dilate(share, np.ones((9, 9))) == 0
    assert (pasted[middle] == (200, 40, 90)).all()
    assert (pasted[away] == photo[away]).all()
    assert (photo == before).all()
    # Half a mask is half of each.
    half = paste(photo, painted, TURNED, np.full((128, 128), 128, np.uint8), match=False)
    expected = photo[middle] + 128 / 255 * (np.array([200, 40, 90]) - photo[middle].astype(float))
    assert np.abs(half[middle] - expected).max() <= 0.51


def test_matching_takes_a_colour_cast_away_but_no_content():
    photo = smooth_photo()
    cast = np.clip(crop_of(photo, TURNED).astype(int) + np.array([15, -10, 5]), 0, 255).astype(np.uint8)
    assert difference(paste(photo, cast, TURNED, feathered_square(128)), photo).max() <= 2
    assert difference(paste(photo, cast, TURNED, feathered_square(128), match=False), photo).max() >= 14
    dark = np.zeros((128, 128, 3), np.uint8)
    assert paste(photo, dark, TURNED, feathered_square(128)).min() <= 24, "black stays dark"


@pytest.mark.parametrize("function", [paste, stitch])
def test_a_crop_wholly_outside_leaves_the_photo(function):
    photo = smooth_photo()
    far = np.array([[1.0, 0, 5000], [0, 1.0, 0]])
    assert (function(photo, np.zeros((128, 128, 3), np.uint8), far, disc()) == photo).all()
    assert region_of(photo, far, 128) is None
    assert (
        add_change(photo, np.zeros((128, 128, 3), np.uint8), np.full((128, 128, 3), 9, np.uint8), far, disc()) == photo
    ).all()


@pytest.mark.parametrize("function", [paste, stitch])
@pytest.mark.parametrize("shift", [(60, 80), (-250, -330), (70, -340)])
def test_a_crop_partly_outside_lands_where_it_belongs(function, shift):
    """The same as in a photo with more room, cut down."""
    photo = smooth_photo(2)
    room = cv2.copyMakeBorder(photo, 150, 150, 150, 150, cv2.BORDER_REPLICATE)
    matrix = np.array([[1.0, 0, shift[0]], [0, 1.0, shift[1]]])
    in_room = chain(np.array([[1.0, 0, -150], [0, 1.0, -150]]), matrix)
    painted = crop_of(room, in_room)
    painted[40:90, 40:90] //= 2
    options = {"match": False} if function is paste else {}
    small = function(photo, painted, matrix, disc(), **options)
    large = function(room, painted, in_room, disc(), **options)[150:-150, 150:-150]
    changed = difference(small, photo).max()
    assert changed > 20
    tolerance = 1 if function is paste else changed  # beyond the edge, stitching has nothing to meet
    assert difference(small, large).max() <= tolerance
    away = covered(cv2.dilate(disc(), np.ones((5, 5))), matrix, photo.shape) == 0
    assert (small[away] == photo[away]).all()


@pytest.mark.parametrize("side", [128, 1200])
def test_stitching_a_photo_into_itself_gives_the_photo(side):
    photo = cv2.resize(textured_photo(), (side, side))
    assert (stitch(photo, photo, identity_matrix(), disc(side)) == photo).all()


@pytest.mark.parametrize("side", [128, 1200])
@pytest.mark.parametrize("added", ["constant", "ramp", "saddle"])
def test_stitching_takes_away_whatever_is_harmonic(side, added):
    """The closed form of the Poisson equation: photo + h with Laplacian(h) = 0 gives the photo back, up to the rounding
    of h."""
    photo = cv2.resize(smooth_photo(), (side, side)) // 2 + 60
    y, x = np.mgrid[:side, :side] / (side / 2) - 1
    h = {"constant": 25 + 0 * x, "ramp": 30 * x, "saddle": 30 * (x * x - y * y)}[added]
    painted = np.rint(photo + h[..., None]).astype(np.uint8)
    assert difference(painted, photo)[disc(side) > 0].max() >= 10
    assert difference(stitch(photo, painted, identity_matrix(), disc(side)), photo).max() <= 1


def test_stitching_is_the_poisson_equation():
    """Against the system of Pérez et al. 2003 written out: Laplacian of the result = Laplacian of the source, the photo
    around it."""
    rng = np.random.default_rng(4)
    photo, painted = (cv2.GaussianBlur(rng.integers(0, 256, (96, 80, 3)).astype(np.uint8), (0, 0), s) for s in (3, 2))
    painted = cv2.copyMakeBorder(painted, 0, 0, 0, 16, cv2.BORDER_REPLICATE)
    inside = ellipse(96, 80, 0.3, 0.35)
    mask = np.zeros((96, 96), np.uint8)
    mask[:, :80][inside] = 255
    source = painted[:, :80].astype(float)
    expected = source + solved_directly(photo - source, inside)
    expected = np.where(inside[..., None], np.clip(expected, 0, 255), photo)
    assert np.abs(stitch(photo, painted, identity_matrix(), mask) - expected).max() <= 1


def test_stitching_keeps_the_sources_gradients_and_shows_no_seam():
    photo = smooth_photo(5)
    painted = np.clip(crop_of(textured_photo(6), identity_matrix(), 320).astype(int) // 2 + 40, 0, 255).astype(np.uint8)
    mask = disc(320)
    result = stitch(photo, painted, identity_matrix(), mask).astype(float)[:320]
    within = cv2.erode(mask, np.ones((21, 21))) > 0
    for axis in (0, 1):
        kept, source, old = (np.diff(p, axis=axis) for p in (result, painted.astype(float), photo[:320].astype(float)))
        here = within[:319] if axis == 0 else within[:, :319]
        assert np.corrcoef(kept[here].ravel(), source[here].ravel())[0, 1] > 0.98
    # Steps over the mask's edge are no larger than those of the grain within.
    seam = (mask[:, 1:] > 0) != (mask[:, :-1] > 0)
    step = np.abs(np.diff(result, axis=1)).mean(axis=2)
    assert step[seam].mean() < 1.3 * step[within[:, :319]].mean()
    bare = np.where(mask[..., None] > 0, painted, photo[:320]).astype(float)
    assert np.abs(np.diff(bare, axis=1)).mean(axis=2)[seam].mean() > 2 * step[seam].mean(), (
        "where plain copying shows one"
    )
    assert np.abs(np.diff(old, axis=1)).mean() < 3


@pytest.mark.parametrize("side", [128, 1200])
def test_nothing_outside_the_mask_changes_and_no_argument_either(side):
    photo, painted, mask = (
        cv2.resize(textured_photo(1), (side, side)),
        np.full((side, side, 3), 255, np.uint8),
        disc(side),
    )
    before = [a.copy() for a in (photo, painted, mask)]
    result = stitch(photo, painted, identity_matrix(), mask)
    assert (result[mask == 0] == photo[mask == 0]).all()
    assert (result[mask > 0] != photo[mask > 0]).any()
    for now, then in zip((photo, painted, mask), before, strict=True):
        assert (now == then).all()


def test_an_empty_mask_changes_nothing():
    photo = textured_photo()
    assert (stitch(photo, np.zeros((128, 128, 3), np.uint8), TURNED, np.full((128, 128), 100, np.uint8)) == photo).all()


@pytest.mark.parametrize("matrix", [TURNED, np.array([[2.5, 0, -300], [0, 2.5, -200.0]])])
def test_no_change_leaves_every_bit_of_the_photo(matrix):
    photo, painted = textured_photo(), textured_photo(9)[:128, :128]
    assert (add_change(photo, painted, painted.copy(), matrix, np.full((128, 128), 255, np.uint8)) == photo).all()


@pytest.mark.parametrize("matrix", [TURNED, np.array([[2.5, 0, -300], [0, 2.5, -200.0]])])
def test_a_constant_change_adds_that_constant_inside_the_mask(matrix):
    photo = np.clip(textured_photo(), 60, 200)
    before = np.full((128, 128, 3), 100, np.uint8)
    result = add_change(photo, before, before + np.array([20, 0, 7], np.uint8), matrix, disc())
    share = covered(disc(), matrix, photo.shape)
    middle, away = cv2.erode(share, np.ones((13, 13))) > 0, cv2.dilate(share, np.ones((13, 13))) == 0
    assert middle.any()
    assert (result[middle].astype(int) - photo[middle] == (20, 0, 7)).all()
    assert (result[away] == photo[away]).all()


def test_the_photos_own_texture_survives_a_change():
    photo = textured_photo()
    blurred = cv2.GaussianBlur(crop_of(photo, TURNED), (0, 0), 2)
    brighter = np.clip(blurred.astype(int) + 25, 0, 255).astype(np.uint8)
    mask = np.full((128, 128), 255, np.uint8)
    inside = cv2.erode(covered(mask, TURNED, photo.shape), np.ones((15, 15))) > 0
    kept, bare = add_change(photo, blurred, brighter, TURNED, mask), paste(photo, brighter, TURNED, mask)
    energy = [cv2.Laplacian(p.astype(np.float32), cv2.CV_32F)[inside].var() for p in (photo, kept, bare)]
    assert 0.9 < energy[1] / energy[0] < 1.1
    assert energy[2] < 0.1 * energy[0]
    assert abs((kept[inside].astype(int) - photo[inside]).mean() - 25) < 1.5


def test_what_is_spared_does_not_change_up_to_its_border():
    """A mask alone is blurred by enlarging, and the change around a small part runs into it."""
    photo = np.full((128, 128, 3), 100, np.uint8)
    matrix = np.array([[0.25, 0, -0.375], [0, 0.25, -0.375]])
    before = np.full((32, 32, 3), 100, np.uint8)
    after = np.full((32, 32, 3), 180, np.uint8)
    spared = np.zeros((32, 32), np.uint8)
    spared[14:18, 10:20] = 255
    after[spared > 0] = 100
    mask = np.full((32, 32), 255, np.uint8)
    blurred = add_change(photo, before, after, matrix, mask)
    kept = add_change(photo, before, after, matrix, mask, spared=spared)
    assert (blurred[57:71, 41:79] != 100).any()
    assert (kept[57:71, 41:79] == 100).all()
    assert (kept[30, 60] == 180).all()
