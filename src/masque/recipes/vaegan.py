"""Training of VAE-GAN (Larsen et al. 2015, Algorithm 1): a variational autoencoder whose errors are measured where D
sees them.

paper           here              who it updates
L_prior         kl                E
L_llike^Dis_l   like              E; G, weighed by γ
L_GAN           adv | fool        D | G
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from masque.config import Presets
from masque.data.batches import Batch
from masque.losses.adversarial import fake_loss, real_loss
from masque.losses.gaussian import kl_to_standard
from masque.losses.matching import half_square
from masque.models.autoencoders import AutoencoderConfig, SimilarityJudge
from masque.recipes.autoencoders import AutoencoderRecipe, AutoencoderTraining, presets
from masque.train.phase import Phase


@dataclass(frozen=True)
class VAEGANTraining(AutoencoderTraining):
    """Weights; L_llike is a mean over features here, where the paper's is a sum over some ten thousand of them."""

    like: float = 4000.0
    """Weight of L_llike beside the divergence, in E's training."""
    kl: float = 1.0
    """Weight of L_prior, in E's training."""
    gamma: float = 20.0
    """γ: weight of L_llike beside L_GAN, in G's training."""


class VAEGANRecipe(AutoencoderRecipe):
    """E, then G, then D."""

    training: VAEGANTraining

    def __init__(self, config: AutoencoderConfig, training: VAEGANTraining) -> None:
        self.D = SimilarityJudge(config)
        super().__init__(config, training, D=self.D)

    def phases(self) -> Sequence[Phase]:
        """Algorithm 1's three updates."""
        w = self.training
        return [
            Phase("encode", ("E",), self.encode_terms, {"kl": w.kl, "like": w.like}),
            Phase("decode", ("G",), self.decode_terms, {"like": w.gamma, "fool": 1.0}),
            Phase("judge", ("D",), self.judge_terms, {"adv": 1.0}),
            *self.smoothing(),
        ]

    def feature_error(self, x: Tensor, made: Tensor) -> Tensor:
        """L_llike: −log N(Dis_l(x) | Dis_l(x̃), I), up to a constant."""
        with torch.no_grad():
            real = self.D.features(x)
        return half_square(self.D.features(made), real)

    def encode_terms(self, batch: Batch) -> dict[str, Tensor]:
        """L_prior and L_llike."""
        x = batch["image"]
        inferred = self.model.E(x)
        made = self.model.G(inferred.sample(self.noise(batch, "z")))
        return {"kl": kl_to_standard(inferred.mean, inferred.log_variance), "like": self.feature_error(x, made)}

    def make(self, batch: Batch) -> Tensor:
        """x̃ and x_p (2B,3,S,S): pictures from inferred and from drawn latents."""
        with torch.no_grad():
            z = self.model.E(batch["image"]).sample(self.noise(batch, "z"))
        pictures: Tensor = self.model.G(torch.cat([z.to(batch["image"].dtype), self.noise(batch, "z_p")]))
        return pictures

    def decode_terms(self, batch: Batch) -> dict[str, Tensor]:
        """γ L_llike − L_GAN, in its non-saturating form."""
        x, made = batch["image"], self.make(batch)
        return {"like": self.feature_error(x, made[: len(x)]), "fool": 2 * real_loss(self.D(made))}

    def judge_terms(self, batch: Batch) -> dict[str, Tensor]:
        """L_GAN: −log D(x) − log(1 − D(x̃)) − log(1 − D(x_p))."""
        x = batch["image"]
        with torch.no_grad():
            made = self.make(batch)
        logits = self.D(torch.cat([x, made.to(x.dtype)]))
        return {"adv": real_loss(logits[: len(x)]) + 2 * fake_loss(logits[len(x) :])}


PRESETS: Presets = presets({"kl": 0.25})
