"""Training of the portrait thesis (Section 3.2 and 3.3, Eq. 3.1-3.10): paired and unpaired batches in turn.

thesis      here            who it updates, in the phase
L_P         parse           P_F                  parse
L_sigmoid   adv | fool      D | embed, G         judge_paired, judge_unpaired | paired, unpaired
L_local     local           embed (and G through the latents it shares)
L_GP        shape           embed, G
L_global    global          embed, G             paired alone
L_FM        match           embed, G             paired alone
Eq. 2.12    perceptual      embed, G             paired alone, off unless asked for
Section 4.5.3  kl           embed, G             with embedding=vae
extras      adv_maps, r1_maps | fool_maps: see masque.recipes.extras
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from masque.config import Former, Preset, Presets, Removed
from masque.data.batches import Batch
from masque.errors import SettingError
from masque.faces.labels import LABELS, colour_labels, grow
from masque.image import Picture, to_pictures
from masque.layers.gaussian import Gaussian
from masque.layers.noise import normal
from masque.layers.precision import full
from masque.layers.shares import block_of, neighbour
from masque.layers.vgg import load_vgg
from masque.losses.adversarial import R1_EVERY, fake_loss, hinge_fake, hinge_real, mean_of, real_loss
from masque.losses.gaussian import kl_to_standard
from masque.losses.matching import feature_matching, half_square, perceptual_distance
from masque.losses.parsing import label_cross_entropy
from masque.models.parser import ParserConfig, UNet
from masque.models.portrait import COMPONENTS, SERVED, Discriminators, Portrait, PortraitConfig, latents_of
from masque.recipes.extras import MapsJudge, ParserMaps, after_lead
from masque.train.distributed import mean_over_processes
from masque.train.phase import Needs, Phase
from masque.train.rates import Schedule

HAIR = LABELS.index("hair")


@dataclass(frozen=True)
class Weights:
    """λ of Section 3.2.5, and those of the terms that are not in it."""

    local: float = 10.0
    """λ_local of L_local (Eq. 3.1), by which each face part's autoencoder reconstructs it."""
    overall: float = 1.0
    """λ_global of L_global (Eq. 3.2), on paired pictures."""
    gd: float = 1.0
    """λ_GD of L_GD, before the adversarial term of G and L_FM."""
    match: float = 10.0
    """λ_FM of L_FM (Eq. 3.5), on paired pictures. The thesis does not give it: it is Gu et al.'s and pix2pixHD's."""
    shape: float = 1.0
    """λ_GP of L_GP (Eq. 3.8), on paired pictures."""
    shape_unpaired: float = 1.0
    """λ_GP on unpaired pictures, where little else keeps G from patterns that please P_F."""
    kl: float = 0.01
    """Weight of the divergence of the latents from N(0,1), with embedding=vae alone (Section 4.5.3)."""


@dataclass(frozen=True)
class Perceptual:
    """The perceptual term of Eq. 2.12, by which Fig. 4.5 measures; Eq. 3.9 has none."""

    perceptual: float = 0.0
    """Weight of the term, on paired pictures; 0 leaves it out."""
    vgg: str = ""
    """File of VGG-19's weights, whose maps are compared (Fig. 4.5); without one, P_F's are."""


@dataclass(frozen=True)
class PortraitTraining:
    """Weights of Section 3.2.5 and the choices the thesis leaves open."""

    weights: Weights = Weights()
    """λ of each loss (Section 3.2.5)."""
    extra: Perceptual = Perceptual()
    """The perceptual term, which is off unless it is given a weight."""
    judged: Literal["all", "person"] = "all"
    """Which patches D_1 and D_2 count for: person leaves out those of background alone, in which a kept background is
    always real."""
    judge_steps: int = 1
    """Steps of D for each step of G."""
    adversarial: Literal["logistic", "hinge"] = "logistic"
    """logistic: Eq. 3.3 and 3.4. hinge: as in later work (Lim & Ye 2017)."""
    parser_channels: int = 24
    """Width of P_F's finest map, where P_F is trained along."""
    maps_judge: ParserMaps = ParserMaps(maps=0.0)
    """A `parser` is P_F from the start and stays as it is; with `maps` D_maps sees its maps."""
    lead: int = 0
    """Steps in which discriminators learn alone, so that new ones do not lead a trained G astray."""
    lr: float = 2e-4
    """Learning rate of embed, G and P_F (Section 4.3.1)."""
    judge_lr: float = 2e-4
    """Learning rate of D, the discriminators D_1 and D_2 of both scales."""
    schedule: Schedule = Schedule("stairs")
    """Section 4.3.1: drops after every ten epochs, to 0."""

    former: ClassVar[Former] = Former(
        {
            "free_bits": Removed("kl weighs the whole divergence", neutral=0.0),
            "beta1": Removed("it is 0.5, as in the thesis", neutral=0.5),
        },
        renamed={"critic_lr": "judge_lr", "critic_steps": "judge_steps"},
        choices={"adversarial": {"log": "logistic"}},
    )


class PortraitRecipe:
    """P_F in every step; in even steps D and G on pictures that are their own target, in odd ones on two different
    ones."""

    served = SERVED
    needs: Mapping[str, Needs] = {"parse": Needs("labels"), "local": Needs("labels")}

    def __init__(self, config: PortraitConfig, training: PortraitTraining) -> None:
        self.config, self.training = config, training
        self.model, self.D = Portrait(config), Discriminators(config)
        self.block = block_of(training.judge_steps)
        self.maps = MapsJudge(training.maps_judge, config.size)
        if training.maps_judge.maps and not self.maps.judges:
            raise SettingError(
                "maps weighs a judge that sees a trained parser's maps: name it with --set parser=parser, or a folder."
            )
        self.P_F = self._untrained_parser() if self.maps.P_F is None else self.maps.P_F
        self.nets: Mapping[str, nn.Module] = {
            "embed": self.model.embed,
            "G": self.model.G,
            "D": self.D,
            "P_F": self.P_F,
            **self.maps.nets,
        }
        self.vgg = load_vgg(Path(training.extra.vgg)) if training.extra.vgg else None

    def _untrained_parser(self) -> UNet:
        halvings = round(math.log2(self.config.size / 8))
        return UNet(ParserConfig(self.config.size, self.training.parser_channels, halvings, fine=16))

    def phases(self) -> Sequence[Phase]:
        """P_F in every step; D and then G on paired pictures in even steps, on unpaired ones in odd steps."""
        parse = Phase("parse", ("P_F",), self.parse_terms, {"parse": 1.0})
        return [
            *([] if self.maps.P_F is not None else [parse]),
            *self.turn("paired", 0),
            *self.turn("unpaired", 1),
            *self.maps.phases(lambda batch: batch["image"], R1_EVERY),
        ]

    def turn(self, kind: Literal["paired", "unpaired"], offset: int) -> list[Phase]:
        """D, `judge_steps` times, and G once, in every second step: the first where `offset` is 0."""
        w, paired = self.training, kind == "paired"
        adv = {"adv": 1.0, **self.maps.adv}
        judges = [
            Phase(
                f"judge_{kind}_{number}" if number > 1 else f"judge_{kind}",
                ("D", *self.maps.judges),
                partial(self.judge_terms, paired=paired, shift=number),
                adv,
                every=2,
                offset=offset,
            )
            for number in range(1, w.judge_steps + 1)
        ]
        paint = partial(self.paint_terms, paired=paired)
        painting = Phase(kind, ("embed", "G"), paint, self.weights(paired), every=2, offset=offset)
        return [*judges, *after_lead(w.lead, [painting])]

    def weights(self, paired: bool) -> dict[str, float]:
        """λ of Eq. 3.9, of paired pictures, or of Eq. 3.10."""
        w, extra = self.training.weights, self.training.extra
        both = {"local": w.local, "fool": w.gd, **({"kl": w.kl} if self.config.embedding == "vae" else {})}
        both |= self.maps.fool
        if not paired:
            return {**both, "shape": w.shape_unpaired}
        perceptual = {"perceptual": extra.perceptual} if extra.perceptual else {}
        return {**both, "shape": w.shape, "global": w.overall, "match": w.gd * w.match, **perceptual}

    def optimizer(self, name: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Adam (Section 4.3.1); of D_maps with the shorter memory that it has in other families."""
        return torch.optim.Adam(
            parameters,
            lr=self.training.lr,
            betas=self.maps.betas if name == "D_maps" else (0.5, 0.999),
            fused=True,
        )

    def learning_rate(self, name: str, step: int) -> float:
        """Each network's own rate, which falls by the schedule."""
        w = self.training
        return w.schedule.at({"D": w.judge_lr, "D_maps": w.maps_judge.maps_lr}.get(name, w.lr), step)

    def parse_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 3.7, L_P: P_F learns from the real pictures."""
        return {"parse": label_cross_entropy(self.P_F(batch["image"]), batch["labels"])}

    def source(self, batch: Batch, paired: bool, shift: int = 1) -> tuple[Tensor, Tensor]:
        """x^s and m^s: the batch itself, or another picture of it for each (Section 3.3)."""
        x, labels = batch["image"], batch["labels"]
        if paired:
            return x, labels
        other = neighbour(len(x), shift, x.device)
        return x[other], labels[other]

    def sampled(self, inferred: Sequence[Gaussian | Tensor], seeds: Tensor) -> list[Tensor]:
        """The five latents (B,Z); of Gaussians, a sample that belongs to its picture's seed."""
        return [
            z.sample(normal(seeds, component, z.mean.shape[1], z.mean.device).to(z.mean.dtype))
            if isinstance(z, Gaussian)
            else z
            for component, z in zip(COMPONENTS, inferred, strict=True)
        ]

    def patch_weights(self, logits: Tensor, labels: Tensor) -> Tensor | None:
        """(B,1,s,s) in {0,1}: the patches that D counts for, of its logits (B,1,s,s); None for all."""
        if self.training.judged == "all":
            return None
        person = ((labels > 0) & (labels <= HAIR))[:, None].to(logits.dtype)
        return functional.adaptive_max_pool2d(person, logits.shape[2:])

    def judge_terms(self, batch: Batch, paired: bool, shift: int = 1) -> dict[str, Tensor]:
        """Eq. 3.3, over both scales. The minus between its terms is a slip: D is to call made pictures made."""
        x, labels = batch["image"], batch["labels"]
        with torch.no_grad():
            components = self.model.embed.cut(*self.source(batch, paired, shift))
            made = self.model.G(self.sampled(self.model.embed(components), batch["seed"]), x, labels).to(x.dtype)
        on_real, on_fake = (hinge_real, hinge_fake) if self.training.adversarial == "hinge" else (real_loss, fake_loss)
        parts = [
            on_real(real, self.patch_weights(real, labels)) + on_fake(fake, self.patch_weights(fake, labels))
            for (real, _), (fake, _) in zip(self.D(x, labels), self.D(made, labels), strict=True)
        ]
        return {"adv": torch.stack(parts).mean(), **self.maps.adv_terms(x, made)}

    def paint_terms(self, batch: Batch, paired: bool) -> dict[str, Tensor]:
        """Eq. 3.9 on paired, Eq. 3.10 on unpaired pictures."""
        x, labels = batch["image"], batch["labels"]
        components = self.model.embed.cut(*self.source(batch, paired))
        inferred = self.model.embed(components)
        latents = self.sampled(inferred, batch["seed"])
        made = self.model.G(latents, x, labels)
        on_made = self.D(made, labels)
        rebuilt = self.model.embed.rebuild(latents)
        local = [half_square(a, b) for a, b in zip(rebuilt, components, strict=True)]
        terms = {
            "local": torch.stack(local).sum(),  # Eq. 3.1
            "fool": torch.stack([self.fool(logits, labels) for logits, _ in on_made]).mean(),  # Eq. 3.4
            "shape": label_cross_entropy(self.P_F(made), with_larger_eyes_and_mouth(labels)),  # Eq. 3.8
            **self.maps.fool_terms(made),
        }
        if self.config.embedding == "vae":
            costs = [kl_to_standard(z.mean, z.log_variance) for z in inferred if isinstance(z, Gaussian)]
            terms["kl"] = torch.stack(costs).mean()
        return {**terms, **self.paired_terms(batch, made, [maps for _, maps in on_made])} if paired else terms

    def fool(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Eq. 3.4 at one scale, non-saturating: −log D, or the hinge loss's −D."""
        weight = self.patch_weights(logits, labels)
        return mean_of(-full(logits), weight) if self.training.adversarial == "hinge" else real_loss(logits, weight)

    def paired_terms(self, batch: Batch, made: Tensor, maps: Sequence[Sequence[Tensor]]) -> dict[str, Tensor]:
        """What Eq. 3.9 has beside Eq. 3.10, where the target is the picture itself.

        made: G's pictures (B,3,S,S). maps: D_1's and D_2's of them."""
        x, labels = batch["image"], batch["labels"]
        with torch.no_grad():
            real = [maps for _, maps in self.D(x, labels)]
        terms = {
            "global": half_square(made, x, batch["valid"]),  # Eq. 3.2
            "match": torch.stack([feature_matching(a, b) for a, b in zip(maps, real, strict=True)]).mean(),  # Eq. 3.5
        }
        if self.training.extra.perceptual:
            network = self.vgg.to(x.device) if self.vgg else self.P_F
            made_maps, own_maps = network.maps(made), network.maps(x)
            terms["perceptual"] = perceptual_distance(made_maps, own_maps, mean_over_processes)  # Eq. 2.12
        return terms

    def preview(self, batch: Batch, nets: Mapping[str, nn.Module]) -> tuple[list[Picture], int]:
        """Rows: pictures, their label maps, each painted again, whose style comes next, and each in that style."""
        x, labels = batch["image"], batch["labels"]
        latents = latents_of(nets["embed"](self.model.embed.cut(x, labels)))
        other = neighbour(len(x), 1, x.device)
        painted, styled = nets["G"](latents, x, labels), nets["G"]([z[other] for z in latents], x, labels)
        shown = torch.where(labels > HAIR, torch.zeros_like(labels), labels).byte().cpu().numpy()
        rows = [list(to_pictures(row)) for row in (x, painted, x[other], styled)]
        rows.insert(1, [colour_labels(one) for one in shown])
        return [picture for row in rows for picture in row], len(x)


def with_larger_eyes_and_mouth(labels: Tensor) -> Tensor:
    """Label maps (B,S,S) with eyes and mouth enlarged by a tenth (Section 4.2.2), which is what L_GP asks for."""
    larger = np.stack([grow(one) for one in labels.to(torch.uint8).cpu().numpy()])
    return torch.from_numpy(larger).long().to(labels.device)


# 128 px, narrow, for two processor cores
_SMALL: Preset = {
    "model": {
        "size": 128,
        "channels": 16,
        "features": 64,
        "z": 256,
        "blocks": 6,
        "eyes": "tight",
        "norm": "none",
        "background": "kept",
    },
    "training": {
        "perceptual": 1.0,
        "overall": 20.0,
        "shape_unpaired": 0.3,
        "judged": "person",
        "judge_steps": 2,
        "lr": 5e-4,
        "judge_lr": 5e-4,
        "decay_from": 500,
        "decay_to": 5000,
    },
    "run": {"steps": 5000, "batch_size": 16, "shift": 4.0, "turn": 6.0, "zoom": 0.08, "colour": 0.1},
}

PRESETS: Presets = {
    # Section 4.3.1: 55 epochs of 28,000 pictures
    "paper": {
        "model": {},
        "training": {"decay_from": 23_000, "decay_to": 128_000},
        "run": {"steps": 128_000, "batch_size": 12, "shift": 0.0, "turn": 0.0, "zoom": 0.0, "colour": 0.0},
    },
    "small": _SMALL,
    # What the shipped weights are: nothing that was tried is better
    "best": _SMALL,
    "tiny": {
        "model": {"size": 64, "channels": 4, "features": 8, "z": 16, "blocks": 1},
        "training": {"parser_channels": 4, "lr": 1e-3, "judge_lr": 1e-3},
        "run": {"steps": 60, "batch_size": 4, "log_every": 10, "save_every": 20, "preview_every": 60},
    },
}
