"""Changes of a photo: applied in strips, scaled, put one after another, stored."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from safetensors.numpy import save

from masque.errors import OutputError, PictureError, ValueRangeError
from masque.faces import change as change_module
from masque.faces.change import Change, Grey, Move, Pixels, Shift, change_between
from masque.faces.changefile import LAYERS, load_change, save_change
from masque.image import Picture

WIDTH, HEIGHT = 120, 90
BOX = (20, 10, 100, 80)


@pytest.fixture
def photo() -> Picture:
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.5), dtype=np.uint8)


def bump(height: int = 70, width: int = 80, x: float = 4.0, y: float = 0.0) -> Move:
    """A displacement that is greatest in the middle of BOX and 0 at its rim."""
    down, across = np.hanning(height)[:, None], np.hanning(width)[None]
    field = (down * across)[..., None] * np.array([x, y])
    return Move("bump", BOX, field.astype(np.float32))


def disc(value: int = 255) -> np.ndarray:
    matte = np.zeros((BOX[3] - BOX[1], BOX[2] - BOX[0]), np.uint8)
    cv2.circle(matte, (40, 35), 20, value, -1)
    return matte


def lighter(matte: np.ndarray | None = None) -> Shift:
    field = np.full((4, 5, 3), (0.2, 6.0, -4.0), np.float32)
    return Shift("lighter", BOX, disc() if matte is None else matte, field)


def test_a_change_without_layers_is_the_photo(photo: Picture) -> None:
    assert np.array_equal(Change((WIDTH, HEIGHT)).apply(photo), photo)


def test_pixels_come_from_where_the_move_says(photo: Picture) -> None:
    """Against scipy's spline of the same order of smoothness, sampled pixel by pixel."""
    from scipy.ndimage import map_coordinates

    move = bump()
    result = Change((WIDTH, HEIGHT), (move,)).apply(photo)
    y, x = np.mgrid[BOX[1] : BOX[3], BOX[0] : BOX[2]].astype(np.float64)
    at = [y + move.field[..., 1], x + move.field[..., 0]]
    expected = np.stack([map_coordinates(photo[..., c].astype(float), at, order=3) for c in range(3)], axis=-1)
    difference = np.abs(result[BOX[1] : BOX[3], BOX[0] : BOX[2]].astype(float) - expected)
    assert difference.mean() < 1.0
    assert difference.max() < 12
    assert np.abs(photo[BOX[1] : BOX[3], BOX[0] : BOX[2]].astype(float) - expected).mean() > 3


def test_a_shift_adds_to_light_and_colours(photo: Picture) -> None:
    lab = cv2.cvtColor(photo.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    after = cv2.cvtColor(Change((WIDTH, HEIGHT), (lighter(),)).apply(photo).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[BOX[1] : BOX[3], BOX[0] : BOX[2]] = disc() == 255
    calm = inside & (np.abs(lab[..., 1:]).max(axis=2) < 30) & (lab[..., 0] > 25) & (lab[..., 0] < 65)
    assert calm.sum() > 100
    assert np.log((after[calm, 0] + 8) / (lab[calm, 0] + 8)).mean() == pytest.approx(0.2, abs=0.01)
    assert (after - lab)[calm, 1].mean() == pytest.approx(6, abs=0.3)
    assert (after - lab)[calm, 2].mean() == pytest.approx(-4, abs=0.3)


def test_nothing_outside_the_matte_changes_by_one_bit(photo: Picture) -> None:
    result = Change((WIDTH, HEIGHT), (lighter(),)).apply(photo)
    outside = np.ones((HEIGHT, WIDTH), bool)
    outside[BOX[1] : BOX[3], BOX[0] : BOX[2]] = disc() == 0
    assert np.array_equal(result[outside], photo[outside])
    assert (result[~outside] != photo[~outside]).any()


def test_strips_show_no_seams(photo: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    change = Change((WIDTH, HEIGHT), (bump(), lighter(), bump(x=-2, y=3), lighter()))
    whole = change.apply(photo)
    monkeypatch.setattr(change_module, "STRIP", 80 * 16)
    assert np.array_equal(change.apply(photo), whole)


def test_strength_0_is_the_photo_and_1_the_change(photo: Picture) -> None:
    change = Change((WIDTH, HEIGHT), (bump(), lighter(), change_between(photo, 255 - photo, "x").layers[0]))
    assert np.array_equal(change.scaled(0).apply(photo), photo)
    assert np.array_equal(change.scaled(1).apply(photo), change.apply(photo))
    with pytest.raises(ValueRangeError, match="strength"):
        change.scaled(1.5)


def test_two_moves_resample_the_photo_once(photo: Picture) -> None:
    """There and back again leaves it sharp: resampled twice it would be blurred."""
    there = bump(x=3.4)
    size = (WIDTH, HEIGHT)
    x, y = np.meshgrid(np.arange(BOX[0], BOX[2], dtype=np.float32), np.arange(BOX[1], BOX[3], dtype=np.float32))
    points = Change(size, (there,)).move_points(np.stack([x.ravel(), y.ravel()], axis=-1))
    back = Move("back", BOX, (points - np.stack([x.ravel(), y.ravel()], axis=-1)).reshape(70, 80, 2))
    result = Change(size, (there,)).then(Change(size, (back,))).apply(photo)
    twice = Change(size, (back,)).apply(Change(size, (there,)).apply(photo))
    assert np.abs(result.astype(int) - photo).mean() < 0.5 * np.abs(twice.astype(int) - photo).mean()


def test_a_tint_goes_along_with_what_moves_after_it(photo: Picture) -> None:
    """As if the tinted picture had been moved, edges aside."""
    size = (WIDTH, HEIGHT)
    flat = np.full_like(photo, 128)
    tint, move = Change(size, (lighter(),)), Change(size, (bump(x=8),))
    together, apart = tint.then(move).apply(flat), move.apply(tint.apply(flat))
    assert np.abs(together.astype(int) - apart).mean() < 0.3
    assert np.abs(together.astype(int) - tint.apply(flat)).mean() > 0.3


def test_points_move_with_the_pixels(photo: Picture) -> None:  # noqa: ARG001
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    cv2.circle(picture, (58, 44), 3, (255, 255, 255), -1, cv2.LINE_AA)
    change = Change((WIDTH, HEIGHT), (bump(x=6, y=-3),))
    light = change.apply(picture)[..., 0].astype(float)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    centre = np.array([(x * light).sum(), (y * light).sum()]) / light.sum()
    assert np.abs(change.move_points(np.array([[58.0, 44.0]]))[0] - centre).max() < 0.35


def test_black_and_white_stays_black_and_white(photo: Picture) -> None:
    grey = np.repeat(photo[..., :1], 3, axis=2)
    result = Change((WIDTH, HEIGHT), (lighter(), Grey("grey", BOX))).apply(grey)
    assert (result != grey).any()
    assert np.ptp(result.astype(int), axis=2).max() == 0


def test_a_larger_copy_of_the_photo_is_changed_alike(photo: Picture) -> None:
    photo = np.asarray(cv2.GaussianBlur(photo, (0, 0), 3), dtype=np.uint8)
    change = Change((WIDTH, HEIGHT), (bump(), lighter()))
    large = cv2.resize(photo, (2 * WIDTH, 2 * HEIGHT), interpolation=cv2.INTER_CUBIC)
    result = change.enlarged(2 * WIDTH, 2 * HEIGHT).apply(np.asarray(large, dtype=np.uint8))
    small = cv2.resize(result, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - change.apply(photo)).mean() < 0.8
    with pytest.raises(PictureError, match="proportions"):
        change.enlarged(2 * WIDTH, HEIGHT)


def test_a_small_copy_of_a_narrow_photo_has_its_proportions() -> None:
    assert Change((140, 512)).enlarged(52, 192).size == (52, 192)
    assert Change((512, 140)).enlarged(192, 52).size == (192, 52)
    assert Change((52, 192)).enlarged(140, 512).size == (140, 512)
    with pytest.raises(PictureError, match="other proportions"):
        Change((140, 512)).enlarged(60, 192)


def test_the_change_between_two_pictures_leads_from_one_to_the_other(photo: Picture) -> None:
    edited = photo.copy()
    edited[30:40, 50:70] = 255 - edited[30:40, 50:70]
    change = change_between(photo, edited, "painted")
    assert change.layers[0].box == (50, 30, 70, 40)
    assert np.array_equal(change.apply(photo), edited)
    assert change_between(photo, photo, "painted").layers == ()


def test_changes_of_other_photos_are_refused(photo: Picture) -> None:
    with pytest.raises(PictureError, match="this one has 120×90"):
        Change((WIDTH, HEIGHT + 1)).apply(photo)
    with pytest.raises(PictureError, match="only changes of the same"):
        Change((WIDTH, HEIGHT)).then(Change((HEIGHT, WIDTH)))


def test_a_stored_change_is_the_same(photo: Picture, tmp_path: Path) -> None:
    change = Change(
        (WIDTH, HEIGHT), (bump(), lighter(), Grey("grey", BOX), *change_between(photo, 255 - photo, "x").layers)
    )
    assert {type(layer) for layer in change.layers} <= set(LAYERS.values())
    stored = load_change(save_change(tmp_path / "smile.change", change, photo), photo)
    assert np.array_equal(stored.apply(photo), change.apply(photo))
    assert np.array_equal(stored.scaled(0.5).apply(photo), change.scaled(0.5).apply(photo))


def test_a_stored_change_fits_a_larger_copy_and_no_other_photo(photo: Picture, tmp_path: Path) -> None:
    path = save_change(tmp_path / "smile.change", Change((WIDTH, HEIGHT), (bump(),)), photo)
    large = np.asarray(cv2.resize(photo, (2 * WIDTH, 2 * HEIGHT), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    assert load_change(path, large).size == (2 * WIDTH, 2 * HEIGHT)
    other = np.full_like(photo, 20)
    with pytest.raises(PictureError, match="made for another photo"):
        load_change(path, other)
    with pytest.raises(OutputError):
        save_change(tmp_path / "no" / "smile.change", Change((WIDTH, HEIGHT)), photo)


def _file(layers: object, arrays: dict[str, np.ndarray] | None = None, **about: object) -> bytes:
    thumbnail = {"photo": np.zeros((16, 16, 3), np.uint8)}
    text = json.dumps({"masque": 1, "size": [WIDTH, HEIGHT], "layers": layers, **about})
    return bytes(save({**thumbnail, **(arrays or {})}, metadata={"change": text}))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "holds no change"),
        (b"not a change at all", "holds no change"),
        (bytes(save({"photo": np.zeros(3)})), "holds no change"),
        (_file([], masque=2), "another version"),
        (_file([{"kind": "evil"}]), "evil"),
        (_file([{"kind": "grey", "name": "g", "box": [0, 0, 0, 9]}]), "no box"),
        (_file([{"kind": "grey", "name": 3, "box": [0, 0, 9, 9]}]), "name is 3"),
        (_file([{"kind": "move", "name": "m", "box": [0, 0, 9, 9]}]), "0.field"),
        (
            _file(
                [{"kind": "move", "name": "m", "box": [0, 0, 9, 9]}],
                {"0.field": np.full((2, 2, 2), np.nan, np.float32)},
            ),
            "not finite",
        ),
        (
            _file([{"kind": "move", "name": "m", "box": [0, 0, 9, 9]}], {"0.field": np.ones((2, 2, 3), np.float32)}),
            "array of float32",
        ),
        (
            _file([{"kind": "grey", "name": "g", "box": [5000, 0, 5009, 9]}]),
            "outside of the photo",
        ),
        (_file([], size=[4, 3]), "quite another size"),
        (
            _file(
                [
                    {
                        "kind": "dye",
                        "name": "d",
                        "box": [0, 0, 9, 9],
                        "kept": 0.2,
                        "detail": 1.0,
                        "blur": 900.0,
                        "strength": 1.0,
                    }
                ],
                {
                    **{f"0.{name}": np.ones((2, 2), np.uint8) for name in ("matte", "sure")},
                    **{
                        f"0.{name}": np.ones(shape, np.float32)
                        for name, shape in (("nearby", (2, 2, 4)), ("curve", (101, 3)), ("own", (1, 2)))
                    },
                },
            ),
            "numbers that no layer has",
        ),
    ],
)
def test_a_damaged_file_is_refused_in_one_sentence(content: bytes, reason: str, photo: Picture, tmp_path: Path) -> None:
    path = tmp_path / "smile.change"
    path.write_bytes(content)
    with pytest.raises(PictureError, match=reason) as caught:
        load_change(path, photo)
    assert "\n" not in str(caught.value)


def test_pixels_show_as_much_as_the_matte_says(photo: Picture) -> None:
    white = np.full((70, 80, 3), 255, np.uint8)
    result = Change((WIDTH, HEIGHT), (Pixels("white", BOX, white, np.full((70, 80), 51, np.uint8)),)).apply(photo)
    part = photo[BOX[1] : BOX[3], BOX[0] : BOX[2]].astype(float)
    assert np.abs(result[BOX[1] : BOX[3], BOX[0] : BOX[2]] - (part + 0.2 * (255 - part))).max() <= 0.5
