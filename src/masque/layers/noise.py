"""Noise that belongs to a sample, not to the process that happens to draw it."""

from __future__ import annotations

import zlib

import numpy as np
import torch
from torch import Tensor


def normal(seeds: Tensor, name: str, width: int) -> Tensor:
    """Standard normal noise (B,width), float32, on the device of `seeds`; row i depends on seeds[i] and `name` only.

    seeds: (B,) int64. So a batch gets the same noise whether one process draws it or several draw their shares, and a resumed run
    the same as an uninterrupted one.
    """
    salt = zlib.crc32(name.encode())
    rows = [np.random.Generator(np.random.Philox(key=[int(s), salt])).standard_normal(width, np.float32) for s in seeds.cpu().numpy()]
    return torch.from_numpy(np.stack(rows)).to(seeds.device)


def uniform(seeds: Tensor, name: str, width: int) -> Tensor:
    """The same, uniform in [0,1)."""
    salt = zlib.crc32(name.encode())
    rows = [np.random.Generator(np.random.Philox(key=[int(s), salt])).random(width, np.float32) for s in seeds.cpu().numpy()]
    return torch.from_numpy(np.stack(rows)).to(seeds.device)
