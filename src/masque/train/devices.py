"""On what a training runs: the devices of this machine, and the Fabric that places networks and batches on them."""

from __future__ import annotations

import os
from typing import Literal

import torch
from lightning_fabric import Fabric

from masque.config import RunSettings
from masque.errors import SettingError, nearest, printable
from masque.layers.precision import has_bf16
from masque.quiet import quieten_fabric

PRECISIONS: dict[str, Literal["bf16-mixed", "32-true", "64-true"]] = {
    "bf16": "bf16-mixed",
    "32": "32-true",
    "64": "64-true",
}
"""The setting `precision` -> Fabric's name for it."""


def check_devices(accelerator: str, devices: int) -> None:
    """Raise SettingError where this machine has no such accelerator, or not so many devices of it."""
    there = {
        "cpu": max(2, os.cpu_count() or 1),
        "cuda": torch.cuda.device_count(),
        "mps": int(torch.backends.mps.is_available()),
    }
    if accelerator != "auto" and accelerator not in there:
        raise SettingError(
            f"There is no accelerator {printable(accelerator)}; {nearest(accelerator, ('auto', *there))}."
        )
    kind = accelerator if accelerator != "auto" else next(name for name in ("cuda", "mps", "cpu") if there[name])
    if not there[kind]:
        raise SettingError(
            f"PyTorch finds no {kind} on this machine: leave --accelerator out, or install another PyTorch."
        )
    if not 1 <= devices <= there[kind]:
        raise SettingError(f"--devices is {devices} and must be from 1 to {there[kind]} on this machine ({kind}).")


def make_fabric(settings: RunSettings, accelerator: str = "auto", devices: int = 1) -> Fabric:
    """A Fabric for these settings, which prints nothing; it launches `devices` processes when there are several."""
    precision = settings.precision
    if precision == "auto":
        precision = "bf16" if has_bf16(accelerator) else "32"
    quieten_fabric()
    strategy = "ddp" if devices > 1 else "auto"
    fabric = Fabric(accelerator=accelerator, devices=devices, precision=PRECISIONS[precision], strategy=strategy)
    if fabric.device.type == "cuda":
        torch.set_float32_matmul_precision("high")
    return fabric
