"""Training of the portrait thesis (Section 3.2 and 3.3, Eq. 3.1-3.10): paired and unpaired batches in turn.

thesis      here            who it updates
L_local     local           embed (and G through the latents it shares)
L_global    global          embed, G; paired alone
L_sigmoid   fool | adv      embed, G | D
L_FM        match           embed, G; paired alone
L_P         parse           P_F
L_GP        shape           embed, G
            perceptual, kl  embed, G
            fool_maps | adv_maps, r1_maps   embed, G | D_maps
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from masque.config import Former
from masque.data.batches import Batch
from masque.errors import SettingError
from masque.faces.labels import LABELS, coloured, grow
from masque.image import Picture, to_pictures
from masque.layers.gaussian import Gaussian
from masque.layers.noise import normal
from masque.layers.precision import full
from masque.layers.shares import neighbour
from masque.layers.vgg import load_vgg
from masque.losses.adversarial import fake_loss, hinge_fake, hinge_real, mean_of, r1_penalty, real_loss
from masque.losses.gaussian import kl_to_standard
from masque.losses.matching import feature_matching, half_square, perceptual_distance
from masque.losses.parsing import label_cross_entropy
from masque.models.parser import FaceParser, MapsDiscriminator, ParserConfig, load_unet
from masque.models.portrait import COMPONENTS, SERVED, Critics, Portrait, PortraitConfig, latents_of
from masque.train.phase import Needs, Phase
from masque.train.rates import Schedule

HAIR = LABELS.index("hair")

R1_EVERY = 16


@dataclass(frozen=True)
class PortraitTraining:
    """Weights of Section 3.2.5 and the choices the thesis leaves open."""

    local: float = 10.0
    """λ_local"""
    overall: float = 1.0
    """λ_global"""
    gd: float = 1.0
    """λ_GD, before both adversarial terms"""
    match: float = 10.0
    """λ_FM, which the thesis does not say: Gu et al.'s and pix2pixHD's."""
    shape: float = 1.0
    """λ_GP"""
    shape_unpaired: float = 1.0
    """The same of unpaired pictures, where little else keeps G from patterns that please P_F."""
    judged: Literal["all", "person"] = "all"
    """Which patches D_1 and D_2 count for: person leaves out those of background alone, in which a kept background is
    always real."""
    critic_steps: int = 1
    """Steps of D for each of G."""
    perceptual: float = 0.0
    """Weight of a perceptual term (Eq. 2.12); Eq. 3.9 has none."""
    vgg: str = ""
    """File of VGG-19's weights, on whose maps the perceptual term then is (Fig. 4.5); without one, on those of P_F."""
    kl: float = 0.01
    """Weight of the divergence from N(0,1), with embedding=vae alone."""
    adversarial: Literal["log", "hinge"] = "log"
    """log: Eq. 3.3 and 3.4. hinge: as in later work."""
    parser_channels: int = 24
    """Width of P_F, which is trained along."""
    parser: str = ""
    """Folder of a trained face parser that is P_F from the start and stays as it is."""
    maps: float = 0.0
    """Weight of a third critic, which sees that parser's maps. The thesis has none. Choice 22."""
    maps_lr: float = 5e-4
    maps_r1: float = 0.02
    """Its learning rate and gradient penalty, taken every 16 steps."""
    lead: int = 0
    """Steps in which the critics learn alone, so that those that begin anew do not lead a trained G astray."""
    lr: float = 2e-4
    judge_lr: float = 2e-4
    """Learning rate of D."""
    schedule: Schedule = Schedule("stairs")
    """Section 4.3.1: drops after every ten epochs, to 0."""

    former: ClassVar[Former] = Former(
        {"free_bits": "kl weighs the whole divergence", "beta1": "it is 0.5, as in the thesis"},
        neutral={"free_bits": 0.0, "beta1": 0.5},
        renamed={"critic_lr": "judge_lr"},
    )


class PortraitRecipe:
    """P_F in every step; in even steps D and G on pictures that are their own target, in odd ones on two different
    ones."""

    served = SERVED
    needs: Mapping[str, Needs] = {"parse": Needs("labels"), "local": Needs("labels")}

    def __init__(self, config: PortraitConfig, training: PortraitTraining) -> None:
        self.config, self.training = config, training
        self.model, self.critics = Portrait(config), Critics(config)
        halvings = round(np.log2(config.size / 8))
        if training.parser:
            self.parser = load_unet(Path(training.parser))
        else:
            self.parser = FaceParser(ParserConfig(config.size, training.parser_channels, halvings, fine=16)).P_F
        self.nets: Mapping[str, nn.Module] = {
            "embed": self.model.embed,
            "G": self.model.G,
            "D": self.critics,
            "P_F": self.parser,
        }
        self.D_maps: MapsDiscriminator | None = None
        if training.maps:
            if not training.parser:
                raise SettingError(
                    "maps weighs a critic that sees a trained parser's maps: name it with --set parser=parser, or a folder."
                )
            self.D_maps = MapsDiscriminator(self.parser, config.size)
            self.nets = {**self.nets, "D_maps": self.D_maps}
        self.vgg = load_vgg(Path(training.vgg)) if training.vgg else None

    def phases(self) -> Sequence[Phase]:
        """Eq. 3.7, 3.3 and 3.9 or 3.10."""
        w = self.training
        both = {"local": w.local, "fool": w.gd} | ({"kl": w.kl} if self.config.embedding == "vae" else {})
        both |= {"fool_maps": w.maps} if self.D_maps is not None else {}
        unpaired = {**both, "shape": w.shape_unpaired}
        paired = {**both, "shape": w.shape, "global": w.overall, "match": w.gd * w.match}
        paired |= {"perceptual": w.perceptual} if w.perceptual else {}
        phases = [] if w.parser else [Phase("parse", ("P_F",), self.parse_terms, {"parse": 1.0})]
        judges, adv = (
            (("D",), {"adv": 1.0}) if self.D_maps is None else (("D", "D_maps"), {"adv": 1.0, "adv_maps": 1.0})
        )
        for offset, (name, weights) in enumerate((("paired", paired), ("unpaired", unpaired))):
            for number in range(1, w.critic_steps + 1):
                judge = partial(self.judge_terms, paired=name == "paired", shift=number)
                again = f"_{number}" if number > 1 else ""
                phases.append(Phase(f"judge_{name}{again}", judges, judge, adv, every=2, offset=offset))
            paint = partial(self.paint_terms, paired=name == "paired")
            phases.append(Phase(name, ("embed", "G"), paint, weights, every=2, offset=offset, since=w.lead))
        if self.D_maps is not None:
            phases.append(
                Phase("smooth", ("D_maps",), self.smooth_terms, {"r1_maps": R1_EVERY * w.maps_r1}, every=R1_EVERY)
            )
        return phases

    def optimizer(self, name: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Adam (Section 4.3.1); of D_maps with the shorter memory that it has in other families."""
        return torch.optim.Adam(
            parameters,
            lr=self.training.lr,
            betas=(0.5, 0.99 if name == "D_maps" else 0.999),
            fused=True,
        )

    def learning_rate(self, name: str, step: int) -> float:
        """In stairs down to 0, or constant."""
        w = self.training
        return w.schedule.at({"D": w.judge_lr, "D_maps": w.maps_lr}.get(name, w.lr), step)

    def parse_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 3.7, L_P: P_F learns from the real pictures."""
        return {"parse": label_cross_entropy(self.parser(batch["image"]), batch["labels"])}

    def source(self, batch: Batch, paired: bool, shift: int = 1) -> tuple[Tensor, Tensor]:
        """x^s and m^s: the batch itself, or another picture of it for each (Section 3.3)."""
        x, labels = batch["image"], batch["labels"]
        if paired:
            return x, labels
        other = neighbour(len(x), shift, x.device)
        return x[other], labels[other]

    def drawn(self, inferred: Sequence[Gaussian | Tensor], seeds: Tensor) -> list[Tensor]:
        """The five latents; of Gaussians, a sample that belongs to its picture."""
        return [
            known.sample(normal(seeds, component, known.mean.shape[1], known.mean.device).to(known.mean.dtype))
            if isinstance(known, Gaussian)
            else known
            for component, known in zip(COMPONENTS, inferred, strict=True)
        ]

    def counted(self, logits: Tensor, labels: Tensor) -> Tensor | None:
        """(B,1,s,s) in {0,1}: the patches that D counts for; None for all."""
        if self.training.judged == "all":
            return None
        person = ((labels > 0) & (labels <= HAIR))[:, None].to(logits.dtype)
        return functional.adaptive_max_pool2d(person, logits.shape[2:])

    def judge_terms(self, batch: Batch, paired: bool, shift: int = 1) -> dict[str, Tensor]:
        """Eq. 3.3, over both scales. The minus between its terms is a slip: D is to call made pictures made."""
        x, labels = batch["image"], batch["labels"]
        with torch.no_grad():
            components = self.model.embed.cut(*self.source(batch, paired, shift))
            made = self.model.G(self.drawn(self.model.embed(components), batch["seed"]), x, labels)
        on_real, on_fake = (hinge_real, hinge_fake) if self.training.adversarial == "hinge" else (real_loss, fake_loss)
        real, fake = self.critics(x, labels), self.critics(made.to(x.dtype), labels)
        parts = [
            on_real(a, self.counted(a, labels)) + on_fake(b, self.counted(b, labels))
            for (a, _), (b, _) in zip(real, fake, strict=True)
        ]
        terms = {"adv": torch.stack(parts).mean()}
        if self.D_maps is not None:
            terms["adv_maps"] = real_loss(self.D_maps(x)) + fake_loss(self.D_maps(made.to(x.dtype)))
        return terms

    def smooth_terms(self, batch: Batch) -> dict[str, Tensor]:
        """R1 of the critic that sees P_F's maps."""
        assert self.D_maps is not None
        return {"r1_maps": r1_penalty(self.D_maps, batch["image"])}

    def paint_terms(self, batch: Batch, paired: bool) -> dict[str, Tensor]:
        """Eq. 3.9 on paired, Eq. 3.10 on unpaired pictures."""
        w, x, labels = self.training, batch["image"], batch["labels"]
        components = self.model.embed.cut(*self.source(batch, paired))
        inferred = self.model.embed(components)
        latents = self.drawn(inferred, batch["seed"])
        made = self.model.G(latents, x, labels)
        judged = self.critics(made, labels)
        rebuilt = self.model.embed.rebuild(latents)
        terms = {
            "local": torch.stack(
                [half_square(a, b) for a, b in zip(rebuilt, components, strict=True)]
            ).sum(),  # Eq. 3.1
            "fool": torch.stack(
                [self._fool(logits, self.counted(logits, labels)) for logits, _ in judged]
            ).mean(),  # Eq. 3.4
            "shape": label_cross_entropy(self.parser(made), grown(labels)),  # Eq. 3.8
        }
        if self.D_maps is not None:
            terms["fool_maps"] = real_loss(self.D_maps(made))
        if self.config.embedding == "vae":
            costs = [kl_to_standard(g.mean, g.log_variance) for g in inferred if isinstance(g, Gaussian)]
            terms["kl"] = torch.stack(costs).mean()
        if paired:
            with torch.no_grad():
                real = self.critics(x, labels)
            terms["global"] = half_square(made, x, batch["valid"])  # Eq. 3.2
            terms["match"] = torch.stack(
                [feature_matching(a, b) for (_, a), (_, b) in zip(judged, real, strict=True)]
            ).mean()  # Eq. 3.5
            if w.perceptual:
                seen_by = self.vgg.to(x.device) if self.vgg else self.parser
                terms["perceptual"] = perceptual_distance(seen_by.maps(made), seen_by.maps(x))
        return terms

    def _fool(self, logits: Tensor, weight: Tensor | None) -> Tensor:
        return mean_of(-full(logits), weight) if self.training.adversarial == "hinge" else real_loss(logits, weight)

    def preview(self, batch: Batch, nets: Mapping[str, nn.Module]) -> tuple[list[Picture], int]:
        """Rows: pictures, their label maps, each painted again, whose style comes next, and each in that style."""
        x, labels = batch["image"], batch["labels"]
        latents = latents_of(nets["embed"](self.model.embed.cut(x, labels)))
        other = neighbour(len(x), 1, x.device)
        painted, styled = nets["G"](latents, x, labels), nets["G"]([z[other] for z in latents], x, labels)
        known = torch.where(labels > 10, torch.zeros_like(labels), labels).byte().cpu().numpy()
        rows = [list(to_pictures(row)) for row in (x, painted, x[other], styled)]
        rows.insert(1, [coloured(one) for one in known])
        return [picture for row in rows for picture in row], len(x)


def grown(labels: Tensor) -> Tensor:
    """Label maps (B,S,S) with eyes and mouth enlarged by a tenth (Section 4.2.2), which is what L_GP asks for."""
    larger = np.stack([grow(one) for one in labels.to(torch.uint8).cpu().numpy()])
    return torch.from_numpy(larger).long().to(labels.device)


# 128 px, narrow, for two processor cores
_SMALL: Mapping[str, Mapping[str, Any]] = {
    "model": {
        "size": 128, "channels": 16, "features": 64, "z": 256, "blocks": 6, "eyes": "tight", "norm": "none", "background": "kept",
    },
    "training": {
        "perceptual": 1.0, "overall": 20.0, "shape_unpaired": 0.3, "judged": "person", "critic_steps": 2, "lr": 5e-4, "judge_lr": 5e-4,
        "decay_from": 500, "decay_to": 5000,
    },
    "run": {"steps": 5000, "batch_size": 16, "shift": 4.0, "turn": 6.0, "zoom": 0.08, "colour": 0.1},
}  # fmt: skip

PRESETS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    # Section 4.3.1: 55 epochs of 28,000 pictures
    "paper": {
        "model": {}, "training": {"decay_from": 23_000, "decay_to": 128_000},
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
}  # fmt: skip
