"""On which device a loaded model computes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from masque.errors import SettingError, nearest, printable

if TYPE_CHECKING:
    import torch

VARIABLE = "MASQUE_DEVICE"
"""The environment variable that names the device where no argument does."""

KINDS = ("cpu", "cuda", "mps")


def choose_device(name: str | torch.device | None = None) -> torch.device:
    """The device to compute on: `name`, else what MASQUE_DEVICE says, else the CPU.

    name: "cpu", "cuda" (the first NVIDIA GPU), "cuda:1" (the second one), … or "mps" (an Apple GPU). Raises
    SettingError for a name that is none, and for a device that this machine has not."""
    import torch

    wanted = name if name is not None else os.environ.get(VARIABLE) or "cpu"
    wanted_name = printable(wanted) or "''"
    shown = wanted_name if name is not None else f"{wanted_name} (of {VARIABLE})"
    try:
        device = torch.device(wanted)
    except (RuntimeError, TypeError):
        kind = str(wanted).partition(":")[0]
        hint = nearest(kind, KINDS) if kind not in KINDS else "devices are numbered from 0 on, such as cuda:0"
        raise SettingError(f"There is no device {shown}; {hint}.") from None
    there = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if device.type not in there:
        raise SettingError(f"Masque does not compute on {shown}: choose cpu, cuda or mps.")
    count = there[device.type]
    if not count:
        raise SettingError(f"PyTorch finds no {device.type} on this machine, so {shown} cannot be used: choose cpu.")
    if device.index is not None and not 0 <= device.index < count:
        raise SettingError(f"There is no device {shown}: this machine has {count} of {device.type}, counted from 0.")
    return device
