"""Noise that belongs to a sample, not to the process that happens to draw it."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def normal(seeds: Tensor, name: str, width: int, device: torch.device | None = None) -> Tensor:
    """Standard normal noise (B,width), float32; row i depends on seeds[i] and `name` only.

    seeds: (B,) int64, best on the CPU, where the noise is drawn: an accelerator would have to finish all it has to do
    to show them. device: where the noise is wanted; else where the seeds are. So a batch gets the same noise whether
    one process draws it or several draw their shares, and a resumed run the same as an uninterrupted one."""
    return _rows(seeds, name, device or seeds.device, lambda generator: generator.standard_normal(width, np.float32))


def uniform(seeds: Tensor, name: str, width: int, device: torch.device | None = None) -> Tensor:
    """Uniform noise in [0,1) (B,width), float32; row i depends on seeds[i] and `name` only. See `normal`."""
    return _rows(seeds, name, device or seeds.device, lambda generator: generator.random(width, np.float32))


def _rows(
    seeds: Tensor, name: str, device: torch.device, draw: Callable[[np.random.Generator], NDArray[np.float32]]
) -> Tensor:
    salt = zlib.crc32(name.encode())
    rows = [draw(np.random.Generator(np.random.Philox(key=[int(s), salt]))) for s in seeds.cpu().numpy()]
    noise = torch.from_numpy(np.stack(rows))
    if device.type == "cuda":
        # From other memory the copy would wait until the accelerator has nothing else to do.
        return noise.pin_memory().to(device, non_blocking=True)
    return noise.to(device)
