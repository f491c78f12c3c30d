"""Partners within a batch."""

from __future__ import annotations

import pytest
import torch

from masque.layers.shares import block_of, neighbour


@pytest.mark.parametrize("distance", [1, 2])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 50])
def test_neighbour_is_an_involution_within_blocks(count, distance):
    other = neighbour(count, distance, torch.device("cpu")).tolist()
    assert [other[place] for place in other] == list(range(count))
    assert all(place // (2 * distance) == there // (2 * distance) for place, there in enumerate(other))
    assert all(abs(place - there) in (0, distance) for place, there in enumerate(other))
    alone = count % (2 * distance)
    assert sum(place != there for place, there in enumerate(other)) == count - (
        alone if alone <= distance else 2 * distance - alone
    )


@pytest.mark.parametrize("distance", range(1, 9))
def test_shares_of_whole_blocks_have_the_neighbours_of_the_whole_batch(distance):
    block, device = block_of(distance), torch.device("cpu")
    for share in (block, 3 * block):
        first = neighbour(share, distance, device)
        assert torch.equal(neighbour(2 * share, distance, device), torch.cat([first, first + share]))
    half = neighbour(block // 2, distance, device)
    assert not torch.equal(neighbour(block, distance, device), torch.cat([half, half + block // 2]))
