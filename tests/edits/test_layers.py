"""Shares of layers that are known because they shift the lightness of boxes by as much."""

from __future__ import annotations

import numpy as np
import pytest

from masque.edits.layers import CELL, layer_shares, show_layers
from masque.errors import PictureError
from masque.faces.change import Change, Move, Shift
from masque.image import Picture


def photo(side: int) -> Picture:
    rng = np.random.default_rng(0)
    return np.repeat(rng.integers(100, 110, (side, side, 1)), 3, axis=2).astype(np.uint8)


def lighter(name: str, left: int, width: int, side: int) -> Shift:
    field = np.zeros((2, 2, 3), np.float32)
    field[..., 0] = 0.3
    return Shift(name, (left, 0, left + width, side), np.full((2, 2), 255, np.uint8), field)


@pytest.mark.parametrize("side", [200, 900])
def test_shares_are_as_large_as_what_layers_alter(side: int) -> None:
    part = side // 10
    layers = (lighter("small", 0, part, side), lighter("large", side // 2, 3 * part, side))
    shares = layer_shares(Change((side, side), layers), photo(side))
    assert list(shares) == ["small", "large"]
    assert shares["large"] == pytest.approx(3 * shares["small"], rel=0.1)
    assert sum(shares.values()) == pytest.approx(1, abs=0.002)


def test_layers_of_one_name_count_as_one_and_what_changes_nothing_has_no_share() -> None:
    still = Move("still", (0, 0, 50, 50), np.zeros((4, 4, 2), np.float32))
    layers = (lighter("hair", 0, 20, 200), still, lighter("hair", 100, 20, 200))
    assert layer_shares(Change((200, 200), layers), photo(200)) == {"hair": 1.0, "still": 0.0}
    assert layer_shares(Change((200, 200), (still,)), photo(200)) == {"still": 0.0}
    assert layer_shares(Change((200, 200)), photo(200)) == {}


def test_a_sheet_of_layers() -> None:
    layers = (lighter("small", 0, 20, 200), lighter("large", 100, 60, 200))
    change, before = Change((200, 200), layers), photo(200)
    sheet = show_layers(change, before)
    assert np.array_equal(sheet[:200, :200], before)
    assert np.array_equal(sheet[:200, -200:], change.apply(before))
    glowing = np.ptp(sheet[-200:, -200:].astype(int), axis=2) > 60
    assert glowing[:, 105:155].mean() > 0.9
    assert not glowing[:, :90].any()
    large = show_layers(Change((2000, 2000), (lighter("one", 0, 200, 2000),)), photo(2000))
    assert large.shape[1] < 2 * CELL + 40
    with pytest.raises(PictureError, match="no layers"):
        show_layers(Change((200, 200)), before)
