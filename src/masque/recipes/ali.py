"""Training of ALI (Dumoulin et al. 2016, Algorithm 1): E and G are made alike through pairs of a picture and a latent
alone.

D tells (x, ẑ), ẑ ~ E(x), from (x̃, z), x̃ = G(z), z ~ N(0,I); nothing else asks for a picture to come back as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from masque.config import Presets
from masque.data.batches import Batch
from masque.losses.adversarial import fake_loss, real_loss
from masque.models.autoencoders import AutoencoderConfig, PairJudge
from masque.recipes.autoencoders import AutoencoderRecipe, AutoencoderTraining, presets
from masque.train.phase import Phase


@dataclass(frozen=True)
class ALITraining(AutoencoderTraining):
    """Nothing but rates: both losses weigh 1."""


class ALIRecipe(AutoencoderRecipe):
    """D, then E and G."""

    def __init__(self, config: AutoencoderConfig, training: ALITraining) -> None:
        self.D = PairJudge(config)
        super().__init__(config, training, D=self.D)

    def phases(self) -> Sequence[Phase]:
        """Algorithm 1's two updates."""
        return [
            Phase("judge", ("D",), self.judge_terms, {"adv": 1.0}),
            *self.smoothing(),
            Phase("fool", ("E", "G"), self.fool_terms, {"seen": 1.0, "painted": 1.0}),
        ]

    def pair_logits(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """D's logits of (x, ẑ) and of (x̃, z)."""
        x, z = batch["image"], self.noise(batch, "z")
        inferred = self.model.E(x).sample(self.noise(batch, "ẑ")).to(x.dtype)
        logits: Tensor = self.D(torch.cat([x, self.model.G(z).to(x.dtype)]), torch.cat([inferred, z]))
        return logits[: len(x)], logits[len(x) :]

    def judge_terms(self, batch: Batch) -> dict[str, Tensor]:
        """−log D(x, ẑ) − log(1 − D(x̃, z))."""
        of_encoder, of_generator = self.pair_logits(batch)  # E and G are frozen here
        return {"adv": real_loss(of_encoder) + fake_loss(of_generator)}

    def fool_terms(self, batch: Batch) -> dict[str, Tensor]:
        """−log(1 − D(x, ẑ)) − log D(x̃, z)."""
        of_encoder, of_generator = self.pair_logits(batch)
        return {"seen": fake_loss(of_encoder), "painted": real_loss(of_generator)}

    def score(self, pictures: Tensor, batch: Batch) -> Tensor:
        """D's logits of pictures, each paired with the latent ẑ that E infers from the batch's picture."""
        with torch.no_grad():
            z = self.model.E(batch["image"]).sample(self.noise(batch, "ẑ"))
        logits: Tensor = self.D(pictures, z.to(pictures.dtype))
        return logits


# RSGAN's 5·10⁻⁴ is too much where nothing but a discriminator holds E to its pictures: E diverged after 1,400 steps
# (docs/papers/rsgan.md, "Runs that diverged").
PRESETS: Presets = presets({"lr": 2e-4})
