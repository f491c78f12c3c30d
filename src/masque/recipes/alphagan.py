"""Training of α-GAN (Rosca et al. 2017, Algorithm 1): an autoencoder with a judge of pictures and another of latents.

paper           here              who it updates
λ‖x − G(ẑ)‖₁    rec               E, G
R_C(ẑ)          fool_C            E
R_D             fool              G, of pictures made again and drawn ones
                adv, code         D, C
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from masque.config import Presets
from masque.data.batches import Batch
from masque.layers.pictures import Judge
from masque.losses.adversarial import fake_loss, real_loss
from masque.losses.reconstruction import weighted_l1
from masque.models.autoencoders import AutoencoderConfig, perceptron
from masque.recipes.autoencoders import AutoencoderRecipe, AutoencoderTraining, presets
from masque.train.phase import Phase


@dataclass(frozen=True)
class AlphaGANTraining(AutoencoderTraining):
    """What α-GAN weighs."""

    rec: float = 50.0
    """λ of ‖x − G(ẑ)‖₁, which is a mean over pixels here."""


class AlphaGANRecipe(AutoencoderRecipe):
    """E and G together, then D, then C."""

    training: AlphaGANTraining

    def __init__(self, config: AutoencoderConfig, training: AlphaGANTraining) -> None:
        self.D = Judge(config.judge_channels, config.size, to=4, outputs=1, patches=False, widest=config.widest)
        self.C = perceptron(config.z, config.critic, 1)
        super().__init__(config, training, D=self.D, C=self.C)

    def phases(self) -> Sequence[Phase]:
        """Algorithm 1's updates: E and G have one total, since R_D moves G alone only by what E's latents are cut off
        from."""
        return [
            Phase(
                "autoencode", ("E", "G"), self.autoencode_terms, {"rec": self.training.rec, "fool_C": 1.0, "fool": 1.0}
            ),
            Phase("judge", ("D",), self.judge_terms, {"adv": 1.0}),
            *self.smoothing(),
            Phase("judge_latents", ("C",), self.judge_latents_terms, {"code": 1.0}),
        ]

    def autoencode_terms(self, batch: Batch) -> dict[str, Tensor]:
        """λ‖x − G(ẑ)‖₁ + R_C(ẑ) for E, λ‖x − G(ẑ)‖₁ + R_D(G(ẑ)) + R_D(G(z)) for G, each R as −log of its judge."""
        x = batch["image"]
        inferred = self.model.E(x).mean
        again = self.model.G(inferred)
        # R_D is no part of E's loss.
        to_judge = self.model.G(torch.cat([inferred.detach().to(x.dtype), self.noise(batch, "z")]))
        return {
            "rec": weighted_l1(x, again, batch["valid"]),
            "fool_C": real_loss(self.C(inferred)),
            "fool": 2 * real_loss(self.D(to_judge)),
        }

    def judge_terms(self, batch: Batch) -> dict[str, Tensor]:
        """−log D(x) − log(1 − D(G(ẑ))) − log(1 − D(G(z)))."""
        x = batch["image"]
        with torch.no_grad():
            made = self.model.G(torch.cat([self.model.E(x).mean.to(x.dtype), self.noise(batch, "z of D")]))
        logits = self.D(torch.cat([x, made.to(x.dtype)]))
        return {"adv": real_loss(logits[: len(x)]) + 2 * fake_loss(logits[len(x) :])}

    def judge_latents_terms(self, batch: Batch) -> dict[str, Tensor]:
        """−log C(z) − log(1 − C(ẑ)): a drawn latent is the real one."""
        with torch.no_grad():
            inferred = self.model.E(batch["image"]).mean
        return {"code": real_loss(self.C(self.noise(batch, "z of C"))) + fake_loss(self.C(inferred))}


PRESETS: Presets = presets({})
