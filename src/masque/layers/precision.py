"""What numbers must be: wide enough, where autocast would narrow them, and known, where somebody gives them by hand."""

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


def known(attributes: Tensor, net: nn.Module) -> Tensor:
    """The same attributes, given to a network: outside of training, which says itself what stands for an unknown one,
    all finite.

    Otherwise one NaN would spoil a whole picture without a word. Raises ValueRangeError.
    """
    if not net.training and not bool(attributes.isfinite().all()):
        raise ValueRangeError(
            "An attribute given to the network is NaN or infinite: give a number in [0,1], 0.5 where it is unknown."
        )
    return attributes
