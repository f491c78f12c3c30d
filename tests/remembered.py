"""Rendered puppets and the networks that come with Masque are remembered: most tests look at the same few, and to make
them anew each time would be a third of all that the tests compute."""

from __future__ import annotations

import copy
import functools
import pickle
import sys
from collections import OrderedDict

from torch import nn

from masque import loading
from masque.catalog import SHIPPED, Family
from masque.data import puppets
from masque.data.puppets import Puppet, Rendered
from masque.modelfile import ModelFile

MOST = 400
"""How many are kept, those used last."""


def remember_puppets() -> None:
    """Have `render` give copies of what it has rendered before, wherever it was or will be imported.

    What is really rendered is at its `__wrapped__`, which tests of the renderer take.
    """
    render = puppets.render
    kept: OrderedDict[bytes, Rendered] = OrderedDict()

    @functools.wraps(render)
    def remembered(puppet: Puppet, scale: float = 1.0) -> Rendered:
        key = pickle.dumps((puppet, float(scale)))
        if key not in kept:
            kept[key] = render(puppet, scale)
        kept.move_to_end(key)
        while len(kept) > MOST:
            kept.popitem(last=False)
        return copy.deepcopy(kept[key])

    for module in list(sys.modules.values()):
        if getattr(module, "render", None) is render:
            module.render = remembered  # type: ignore[attr-defined]


def remember_networks() -> None:
    """Have loading give copies of shipped networks that it has filled before; `loading.filled.__wrapped__` fills."""
    fill = loading.filled
    kept: dict[tuple[str, str], nn.Module] = {}

    @functools.wraps(fill)
    def remembered(entry: Family, stored: ModelFile) -> nn.Module:
        if stored.folder.parent != SHIPPED:
            return fill(entry, stored)
        key = stored.family, stored.hash
        if key not in kept:
            kept[key] = fill(entry, stored)
        return copy.deepcopy(kept[key])

    loading.filled = remembered
