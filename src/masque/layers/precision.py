"""The least precision for what autocast should not narrow."""

from __future__ import annotations

import torch
from torch import Tensor


def full(values: Tensor) -> Tensor:
    """`values` in fp32 where autocast made them narrower; fp64 stays fp64."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
