"""Training of DCGAN (Radford et al. 2015, Section 4): D, then G, with the non-saturating loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from masque.config import Former, Presets, Removed, Setting
from masque.data.batches import Batch
from masque.image import Picture, to_pictures
from masque.losses.adversarial import fake_loss, real_loss
from masque.models.dcgan import DCGAN, SERVED, DCGANConfig, Discriminator
from masque.train.phase import Phase
from masque.train.rates import Schedule


@dataclass(frozen=True)
class DCGANTraining:
    """How D and G are trained (Section 4)."""

    lr: float = 2e-4
    """Learning rate of D and G."""
    schedule: Schedule = Schedule()
    """How `lr` falls: not at all unless `decay_to` is set."""

    former: ClassVar[Former] = Former({"beta1": Removed("it is 0.5, as in the paper", neutral=0.5)})


class DCGANRecipe:
    """D, then G."""

    served = SERVED

    def __init__(self, config: DCGANConfig, training: DCGANTraining) -> None:
        self.config, self.training = config, training
        self.model, self.D = DCGAN(config), Discriminator(config)
        self.nets: Mapping[str, nn.Module] = {"G": self.model.G, "D": self.D}

    def phases(self) -> Sequence[Phase]:
        """Algorithm 1 of Goodfellow et al. 2014."""
        return [
            Phase("judge", ("D",), self.judge_terms, {"adv": 1.0}),
            Phase("paint", ("G",), self.paint_terms, {"fool": 1.0}),
        ]

    def optimizer(self, name: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:  # noqa: ARG002
        """Adam."""
        return torch.optim.Adam(parameters, lr=self.training.lr, betas=(0.5, 0.999), fused=True)

    def learning_rate(self, name: str, step: int) -> float:  # noqa: ARG002
        """Constant unless a schedule is asked for."""
        return self.training.schedule.at(self.training.lr, step)

    def latent(self, batch: Batch, name: str) -> Tensor:
        """z (B,Z) of the batch's samples."""
        return self.model.draw(batch["seed"], name, batch["image"].device).to(batch["image"].dtype)

    def judge_terms(self, batch: Batch) -> dict[str, Tensor]:
        """−log D(x) − log(1 − D(G(z))); real and made pictures are normalised apart, as the authors found best."""
        with torch.no_grad():
            made = self.model.G(self.latent(batch, "z"))
        return {"adv": real_loss(self.D(batch["image"])) + fake_loss(self.D(made))}

    def paint_terms(self, batch: Batch) -> dict[str, Tensor]:
        """−log D(G(z))."""
        return {"fool": real_loss(self.D(self.model.G(self.latent(batch, "z of G"))))}

    def preview(self, batch: Batch, nets: Mapping[str, nn.Module]) -> tuple[list[Picture], int]:
        """Rows: photos, two rows of samples."""
        rows = [batch["image"], nets["G"](self.latent(batch, "z")), nets["G"](self.latent(batch, "z of G"))]
        return [picture for row in rows for picture in to_pictures(row)], len(batch["image"])


_AS_THEY_ARE: Mapping[str, Setting] = {"shift": 0.0, "turn": 0.0, "zoom": 0.0, "colour": 0.0}

PRESETS: Presets = {
    "paper": {"model": {}, "training": {}, "run": {"steps": 60_000, "batch_size": 128, **_AS_THEY_ARE}},
    "small": {
        "model": {"channels": 32, "critic": 16},
        "training": {},
        "run": {"steps": 12_000, "batch_size": 32, "ema": 0.99, **_AS_THEY_ARE},
    },
    "tiny": {
        "model": {"size": 16, "channels": 8, "critic": 8, "z": 8},
        "training": {"lr": 1e-3},
        "run": {"steps": 60, "batch_size": 4, "log_every": 10, "save_every": 20, "preview_every": 60},
    },
}
