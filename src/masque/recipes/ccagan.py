"""CCA-GAN's training (Xu et al. 2021, Section 3.3, Eq. 5-10), which is StarGAN's with other weights.

paper            here           who it updates, in the phase
L_adv            adv | fool     D | G    judge | edit
L_cls^r, L_cls^f cls_r | cls_f  D | G    judge | edit
L_rec            rec            G        edit
beyond           gp             D        judge, with WGAN-GP alone
                 background     G        edit, off unless asked for
                 flow           G        edit, with output=flow alone
extras           r1_src, r1_cls: see masque.recipes.extras
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from masque.config import Former, Presets, Removed, from_dict
from masque.data.batches import Batch
from masque.errors import SettingError
from masque.image import Picture, to_pictures
from masque.layers.augment import LIGHTS, in_grey_light
from masque.layers.noise import uniform
from masque.layers.shares import block_of, neighbour
from masque.losses.adversarial import (
    fake_loss,
    gradient_penalty,
    hinge_fake,
    hinge_real,
    r1_penalty,
    real_loss,
)
from masque.losses.attributes import known_bce
from masque.losses.flow import unevenness
from masque.losses.precision import full
from masque.losses.reconstruction import weighted_l1
from masque.modelfile import ModelFile
from masque.models.ccagan import CCAGAN, HAIR_COLOURS, SERVED, CCAGANConfig, Generator
from masque.recipes.extras import LazyR1, after_lead, lazy_r1
from masque.train.phase import Phase
from masque.train.rates import Schedule

UNKNOWN = 0.5
"""What G gets for an unknown attribute: neither there nor absent. No classification loss asks for it."""

UNSURE = 0.2
"""Measured attributes nearer to a half than this are unknown to binary labels."""


@dataclass(frozen=True)
class CCAGANTraining:
    """Weights of Section 4.1 and the choices the paper leaves open."""

    cls: float = 1.0
    """λ_c: weight of both classification losses, L_cls^r of D and L_cls^f of G (Eq. 9, 10)."""
    rec: float = 1.0
    """λ_r: weight of L_rec (Eq. 10); 0 is the paper's variant without L_rec, which then is not computed at all."""
    adversarial: Literal["logistic", "wgan-gp", "hinge"] = "logistic"
    """logistic: Eq. 5 as printed, non-saturating for G. wgan-gp: StarGAN's as published. hinge: SAGAN's."""
    gp: float = 10.0
    """Weight of WGAN-GP's gradient penalty, with adversarial=wgan-gp alone."""
    background: float = 0.0
    """Weight of how much an edit changes of the background, which the paper leaves to L_rec; 0 leaves it out."""
    flow: float = 3.0
    """Weight of how unevenly G moves pixels, with output=flow alone; 0 leaves it out."""
    penalty: LazyR1 = LazyR1()
    """R1 of D_src and D_cls, which the paper does not have: D_cls learns a small set by heart."""
    labels: Literal["soft", "binary"] = "soft"
    """soft: attributes as they were measured, in [0,1]. binary: 0 or 1, as the paper's are, and unknown within UNSURE
    of a half; soft ones teach G to make halves."""
    targets: Literal["another", "flipped"] = "another"
    """What a picture shall have: another picture's attributes, as in the paper, or its own with any one of them
    flipped, which is what an edit asks for."""
    light: float = 0.0
    """How strong the random light is in which D_cls reads all but hair colours off a grey picture (Eq. 6, 7), so that
    tints cannot pass for attributes; 0: it reads the picture as it is."""
    judge_steps: int = 5
    """Steps of D for each one of G (Section 4.1)."""
    lead: int = 0
    """Steps in which D learns alone, so that a new D does not lead a trained G astray."""
    lr: float = 1e-4
    """Learning rate of G, and of D where `judge_lr` is 0."""
    judge_lr: float = 0.0
    """Learning rate of D where it is another one; 0 is `lr`, as in the paper."""
    beta2: float = 0.999
    """β₂ of Adam for both networks: how much of the mean squared gradient stays from one step to the next."""
    schedule: Schedule = Schedule()
    """How `lr` and `judge_lr` fall: not at all unless `decay_to` is set."""

    former: ClassVar[Former] = Former(
        {
            "certainty": Removed("Eq. 7 asks for t itself", neutral=1.0),
            "beta1": Removed("it is 0.5, as in the paper", neutral=0.5),
        },
        renamed={
            "classification_weight": "cls",
            "reconstruction_weight": "rec",
            "background_weight": "background",
            "critic_steps": "judge_steps",
        },
        choices={"adversarial": {"log": "logistic"}, "targets": {"turned": "flipped"}},
    )


class CCAGANRecipe:
    """D in every step, G in every fifth."""

    served = SERVED

    def __init__(self, config: CCAGANConfig, training: CCAGANTraining) -> None:
        if config.confined and config.paints == "whole":
            raise SettingError(
                "Only a change can be confined to the person: set paints to change or smooth, or leave out confined."
            )
        if config.output == "flow" and config.paints == "whole":
            raise SettingError(
                "With output=flow a change is added to the picture's own pixels, moved: set paints to change or smooth."
            )
        self.config, self.training = config, training
        self.model = CCAGAN(config)
        self.block = block_of(1) if training.targets == "another" else 1
        self.nets: Mapping[str, nn.Module] = {"G": self.model.G, "D": self.model.D}

    def grow_from(self, start: ModelFile) -> None:
        """Take over the G of a model that moves nothing, to which output=flow adds displacements of zero. Raises
        SettingError where the two differ in anything else, and CheckpointError where weights do not fit."""
        theirs = from_dict(CCAGANConfig, start.config)
        if replace(theirs, output="flow") != self.config:
            raise SettingError(
                "The networks of a run that begins with a model are that model's, but for output=flow, which it may "
                "be given: leave out --set of their sizes."
            )
        plain = Generator(theirs)
        start.fill(plain, "G")
        self.model.G.load_state_dict(self.model.G.state_dict() | plain.state_dict())

    def phases(self) -> Sequence[Phase]:
        """D by Eq. 9 in every step, G by Eq. 10 in every `judge_steps`-th."""
        w = self.training
        judge = {"adv": 1.0, "cls_r": w.cls, **({"gp": w.gp} if w.adversarial == "wgan-gp" else {})}
        edit = {"fool": 1.0, "cls_f": w.cls}
        edit |= {name: weight for name, weight in (("rec", w.rec), ("background", w.background)) if weight}
        edit |= {"flow": w.flow} if self.config.output == "flow" and w.flow else {}
        penalties = {"r1_src": ("D", partial(self.r1, 0)), "r1_cls": ("D", partial(self.r1, 1))}
        return [
            Phase("judge", ("D",), self.judge_terms, judge),
            *lazy_r1(w.penalty, penalties),
            *after_lead(w.lead, [Phase("edit", ("G",), self.edit_terms, edit, every=w.judge_steps)]),
        ]

    def optimizer(self, name: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:  # noqa: ARG002
        """Adam as in Section 4.1, for both networks."""
        return torch.optim.Adam(parameters, lr=self.training.lr, betas=(0.5, self.training.beta2), fused=True)

    def learning_rate(self, name: str, step: int) -> float:
        """Constant unless a schedule is asked for."""
        w = self.training
        return w.schedule.at(w.judge_lr if w.judge_lr and name == "D" else w.lr, step)

    def own_and_target(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """o and t (B,A): each picture's own attributes, and those it shall get, NaN where unknown."""
        own, names = batch["attributes"], self.config.attributes
        if self.training.labels == "binary":
            own = torch.where((own - 0.5).abs() < UNSURE, torch.nan, own.round())
        if self.training.targets == "another":
            return own, own[neighbour(len(own), 1, own.device)]
        choices = torch.stack([flip_attribute(own, names, name) for name in names])
        chosen = (uniform(batch["seed"], "target", 1, own.device)[:, 0] * len(names)).long().clamp(max=len(names) - 1)
        return own, choices[chosen, torch.arange(len(own), device=own.device)]

    def judge_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 9: L_adv as D maximises it, and L_cls^r of Eq. 6."""
        s, person = batch["image"], 1 - batch["background"]
        own, target = self.own_and_target(batch)
        with torch.no_grad():
            fake = self.model.G(s, fill_unknown(target), person)
        real_src, real_cls = self.logits(s, batch["seed"], "light of real ones")
        fake_src, _ = self.model.D(fake.to(s.dtype))
        kind = self.training.adversarial
        if kind == "wgan-gp":
            share = uniform(batch["seed"], "share", 1, s.device)[:, 0]
            return {
                "adv": full(fake_src).mean() - full(real_src).mean(),
                "cls_r": known_bce(real_cls, own),
                "gp": gradient_penalty(lambda x: self.model.D(x)[0], s, fake, share),
            }
        on_real, on_fake = (hinge_real, hinge_fake) if kind == "hinge" else (real_loss, fake_loss)
        return {"adv": on_real(real_src) + on_fake(fake_src), "cls_r": known_bce(real_cls, own)}

    def edit_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 10: L_adv as G minimises it, L_cls^f of Eq. 7 and L_rec of Eq. 8."""
        s, person = batch["image"], 1 - batch["background"]
        own, target = self.own_and_target(batch)
        made, flow = self.edited(s, fill_unknown(target), person)
        src, cls = self.logits(made, batch["seed"], "light of made ones")
        terms = {
            "fool": real_loss(src) if self.training.adversarial == "logistic" else -full(src).mean(),
            "cls_f": known_bce(cls, target),
        }
        if self.training.rec:
            terms["rec"] = weighted_l1(s, self.model.G(made, fill_unknown(own), person), batch["valid"])
        if self.training.background:
            terms["background"] = weighted_l1(s, made, batch["valid"] * batch["background"])
        if flow is not None and self.training.flow:
            terms["flow"] = unevenness(flow)
        return terms

    def edited(self, s: Tensor, t: Tensor, person: Tensor) -> tuple[Tensor, Tensor | None]:
        """G(s, t), and by how many pixels it moves each (B,2,S,S); None unless output=flow."""
        if self.config.output == "picture":
            return self.model.G(s, t, person), None
        painted, flow = self.model.G.parts(s, t, person)
        return self.model.G.joined(s, painted, flow), flow

    def logits(self, pictures: Tensor, seeds: Tensor, name: str) -> tuple[Tensor, Tensor]:
        """D's logits of pictures (B,3,S,S): D_src (B,1,s,s) of them as they are, D_cls (B,A) with `light` of two views
        of them."""
        src, cls = self.model.D(pictures)
        if self.training.light:
            draws = uniform(seeds, name, LIGHTS, pictures.device)
            unlit = self.model.D.classify(in_grey_light(pictures, draws, self.training.light))
            cls = torch.where(
                torch.tensor([n in HAIR_COLOURS for n in self.config.attributes], device=cls.device), cls, unlit
            )
        return src, cls

    def r1(self, answer: Literal[0, 1], batch: Batch) -> Tensor:
        """R1 of D_src (0) or D_cls (1); through `forward`, since compiled networks have no second derivative."""
        return r1_penalty(lambda x: self.model.D.forward(x)[answer], batch["image"])

    def preview(self, batch: Batch, nets: Mapping[str, nn.Module]) -> tuple[list[Picture], int]:
        """Rows: pictures, and each with one attribute after the other set."""
        generator = nets["G"]
        s, person = batch["image"], 1 - batch["background"]
        own, names = fill_unknown(batch["attributes"]), self.config.attributes
        rows = [s, *(generator(s, flip_attribute(own, names, name), person) for name in names)]
        return [picture for row in rows for picture in to_pictures(row)], len(s)


def fill_unknown(attributes: Tensor) -> Tensor:
    """Attributes (B,A), NaN where unknown, as G gets them: UNKNOWN in place of NaN."""
    return torch.where(attributes.isnan(), torch.full_like(attributes, UNKNOWN), attributes)


def flip_attribute(c: Tensor, names: Sequence[str], name: str) -> Tensor:
    """Attributes c (B,A) with one flipped: a hair colour becomes the only one, anything else the opposite of what it
    is."""
    changed, place = c.clone(), names.index(name)
    if name in HAIR_COLOURS:
        changed[:, [i for i, n in enumerate(names) if n in HAIR_COLOURS]] = 0.0
        changed[:, place] = 1.0
    else:
        changed[:, place] = (c[:, place] < 0.5).to(c.dtype)
    return changed


PRESETS: Presets = {
    # 128 px, batch 32, 20 epochs of CelebA's 200,000 pictures, flips, lr 1e-4 for half of them and then falling:
    # Section 4.1
    "paper": {
        "model": {},
        "training": {"decay_from": 62_500, "decay_to": 125_000},
        "run": {"steps": 125_000, "batch_size": 32, "shift": 0.0, "turn": 0.0, "zoom": 0.0, "colour": 0.0},
    },
    # StarGAN as published: the same pace, its own loss
    "stargan": {
        "model": {"attention": "none"},
        "training": {"adversarial": "wgan-gp", "rec": 10.0, "decay_from": 62_500, "decay_to": 125_000},
        "run": {"steps": 125_000, "batch_size": 32, "shift": 0.0, "turn": 0.0, "zoom": 0.0, "colour": 0.0},
    },
    # 64 px with half the width, for two processor cores: a quarter of an hour. So few steps are spent on more updates
    # of G than the paper's one in five, and G paints only the change, which at StarGAN's λ_r = 10 stays nothing for
    # hundreds of steps.
    "small": {
        "model": {"size": 64, "channels": 32, "halvings": 5, "paints": "change"},
        "training": {"rec": 3.0, "judge_steps": 2, "lr": 2e-4, "decay_from": 1_250, "decay_to": 2_500},
        "run": {"steps": 2_500, "batch_size": 16},
    },
    # What worked best of all that was tried (docs/training/ccagan.md)
    "best": {
        "model": {
            "size": 96,
            "channels": 32,
            "halvings": 5,
            "paints": "smooth",
            "confined": True,
            "judge": "apart",
            "mirrored": True,
            "attributes": (*HAIR_COLOURS, "Male", "Young", "Smiling"),
        },
        "training": {
            "cls": 2.0,
            "rec": 3.0,
            "light": 0.7,
            "r1": 0.1,
            "labels": "binary",
            "targets": "flipped",
            "judge_steps": 2,
            "lead": 250,
            "lr": 1.5e-4,
            "judge_lr": 5e-4,
            "beta2": 0.99,
            "decay_from": 5_500,
            "decay_to": 11_000,
        },
        "run": {"steps": 11_000, "batch_size": 16, "ema": 0.998},
    },
    "tiny": {
        "model": {"size": 32, "channels": 8, "blocks": 1, "halvings": 4},
        "training": {"judge_steps": 2, "lr": 1e-3},
        "run": {"steps": 200, "batch_size": 8, "log_every": 10, "save_every": 50, "preview_every": 100},
    },
}
