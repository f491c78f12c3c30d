"""Precision of numbers under autocast, and attributes that have to be finite."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from masque.errors import ValueRangeError


def full(values: Tensor) -> Tensor:
    """`values` in fp32 where autocast made them narrower; fp64 stays fp64."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def has_bf16(device: str) -> bool:
    """Whether a device of this kind ("cpu", "cuda", …; "auto" is the best one here) computes faster in bf16 than in
    fp32."""
    if device != "cpu" and torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    # oneDNN computes bf16 on any CPU with AVX-512, but only these instructions make it faster.
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def finite_attributes(attributes: Tensor, net: nn.Module) -> Tensor:
    """`attributes` (B,A) for the network `net`. Raises ValueRangeError where the network is not in training and one of
    them is NaN or infinite, which would spoil a whole picture; training itself replaces unknown ones."""
    if not net.training and not bool(attributes.isfinite().all()):
        raise ValueRangeError(
            "An attribute given to the network is NaN or infinite: give a number in [0,1], 0.5 where it is unknown."
        )
    return attributes
