"""What the trainings of VAE-GAN, ALI and α-GAN share: networks, optimizers, rates, previews, and the sizes of their
presets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from masque.config import Former, Presets, Removed, Setting
from masque.data.batches import Batch
from masque.image import Picture, to_pictures
from masque.layers.noise import normal
from masque.losses.adversarial import r1_penalty
from masque.models.autoencoders import SERVED, Autoencoder, AutoencoderConfig
from masque.recipes.extras import LazyR1, lazy_r1
from masque.train.phase import Phase
from masque.train.rates import Schedule, warm_up


@dataclass(frozen=True)
class AutoencoderTraining:
    """Optimizers, as RSGAN's: the same rates give a table its meaning."""

    lr: float = 2e-4
    """Learning rate of E and G."""
    judge_lr: float = 2e-4
    """Learning rate of D and C."""
    beta2: float = 0.999
    """β₂ of Adam for all networks: how much of the mean squared gradient stays from one step to the next."""
    warm_up: int = 0
    """Steps over which the learning rate rises from 0."""
    schedule: Schedule = Schedule()
    """How `lr` and `judge_lr` fall: not at all unless `decay_to` is set."""
    penalty: LazyR1 = LazyR1()
    """R1 of D, which the papers do not have."""

    former: ClassVar[Former] = Former({"beta1": Removed("it is 0.5, as RSGAN's", neutral=0.5)})


class AutoencoderRecipe:
    """E and G, whose averages are served, and what judges them."""

    served = SERVED
    judging: ClassVar[tuple[str, ...]] = ("D", "C")

    def __init__(self, config: AutoencoderConfig, training: AutoencoderTraining, **judges: nn.Module) -> None:
        self.config, self.training = config, training
        self.model = Autoencoder(config)
        self.nets: Mapping[str, nn.Module] = {"E": self.model.E, "G": self.model.G, **judges}

    def smoothing(self) -> list[Phase]:
        """R1 of D, where it is asked for."""
        return lazy_r1(self.training.penalty, {"r1": ("D", self.r1)})

    def optimizer(self, name: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:  # noqa: ARG002
        """Adam."""
        return torch.optim.Adam(parameters, lr=self.training.lr, betas=(0.5, self.training.beta2), fused=True)

    def learning_rate(self, name: str, step: int) -> float:
        """Constant unless a warm-up or a decay is asked for."""
        w = self.training
        rate = w.judge_lr if name in self.judging else w.lr
        return w.schedule.at(warm_up(rate, step, w.warm_up), step)

    def noise(self, batch: Batch, name: str) -> Tensor:
        """(B,Z) ~ N(0,I) of the batch's samples."""
        x = batch["image"]
        return normal(batch["seed"], name, self.config.z, x.device).to(x.dtype)

    def score(self, pictures: Tensor, batch: Batch) -> Tensor:  # noqa: ARG002
        """D's logits of real pictures, whose gradient R1 measures."""
        logits: Tensor = self.nets["D"](pictures)
        return logits

    def r1(self, batch: Batch) -> Tensor:
        """R1 of D on real pictures."""
        return r1_penalty(lambda pictures: self.score(pictures, batch), batch["image"])

    def preview(self, batch: Batch, nets: Mapping[str, nn.Module]) -> tuple[list[Picture], int]:
        """Rows: pictures, each made again, and samples."""
        x = batch["image"]
        rows = [x, nets["G"](nets["E"](x).mean), nets["G"](self.noise(batch, "sample"))]
        return [picture for row in rows for picture in to_pictures(row)], len(x)


_AS_THEY_ARE: Mapping[str, Setting] = {"shift": 0.0, "turn": 0.0, "zoom": 0.0, "colour": 0.0, "flip": False}
_SLIM: Mapping[str, Setting] = {
    "channels": 32,
    "encoder_channels": 32,
    "judge_channels": 32,
    "widest": 288,
    "z": 672,
    "coarse": 16,
}
_SMALL: Mapping[str, Setting] = {
    "size": 64,
    "channels": 48,
    "encoder_channels": 56,
    "judge_channels": 48,
    "widest": 480,
    "coarse": 16,
}
_TINY: Mapping[str, Setting] = {
    "size": 32,
    "channels": 12,
    "encoder_channels": 14,
    "judge_channels": 14,
    "z": 40,
    "coarse": 8,
    "critic": 32,
}
_RATES: Mapping[str, Setting] = {"lr": 5e-4, "warm_up": 100, "decay_from": 3_000, "decay_to": 4_000, "r1": 1.0}
"""RSGAN's, whose r1 of 20 stands beside 20 times the adversarial loss."""


def presets(own: Mapping[str, Setting]) -> Presets:
    """RSGAN's presets, with as many parameters. own: what one training sets in all but the preset `paper`."""
    short: Mapping[str, Setting] = {"steps": 4_000, "batch_size": 32}
    return {
        "paper": {"model": {}, "training": {}, "run": _AS_THEY_ARE},
        "slim": {"model": _SLIM, "training": {**_RATES, **own}, "run": short},
        "small": {"model": _SMALL, "training": {**_RATES, **own}, "run": short},
        "table": {
            "model": _SMALL,
            "training": {**_RATES, "decay_from": 1_800, "decay_to": 2_400, **own},
            "run": {"steps": 2_400, "batch_size": 32},
        },
        "tiny": {
            "model": _TINY,
            "training": own,
            "run": {"steps": 200, "batch_size": 8, "log_every": 10, "save_every": 50, "preview_every": 100},
        },
    }
