"""Training of the progressive GAN (Karras et al. 2017), and then of an encoder into its latents (paper, Section 4).

Karras et al.     here             who it updates, in the phase
WGAN-GP           adv, gp | fool   D | G                judge | paint
drift (A.1)       drift            D                    judge
logistic loss     adv | fool       D | G                judge | paint, in place of WGAN-GP (Goodfellow et al. 2014)
Section 4         z, again, photo  E                    encode: on pictures that the finished G makes, and on photos
extras            r1; adv_maps, r1_maps | fool_maps: see masque.recipes.extras
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from masque.config import Former, Preset, Presets, Removed, Setting, from_dict
from masque.data.batches import Batch
from masque.errors import SettingError
from masque.image import Picture, to_pictures
from masque.layers.augment import DRAWS, augment
from masque.layers.noise import normal, uniform
from masque.losses.adversarial import fake_loss, gradient_penalty, r1_penalty, real_loss
from masque.losses.matching import half_square
from masque.modelfile import ModelFile
from masque.models.progan import (
    SERVED,
    Discriminator,
    Equalized,
    ProGAN,
    ProGANConfig,
    pixel_norm,
    side_at,
    stages,
    widened,
)
from masque.recipes.extras import LazyR1, MapsJudge, ParserMaps, after_lead, lazy_r1
from masque.train.distributed import process_count
from masque.train.phase import Phase
from masque.train.rates import Schedule


@dataclass(frozen=True)
class Growth:
    """How the networks grow (Section 2 and Fig. 2 of Karras et al.)."""

    hold: int = 800_000
    """Images that each size is trained on after it is faded in."""
    fade: int = 800_000
    """Images over which a size is faded in."""
    grown: int = 0
    """Side in pixels that the networks have grown to already, in a run that begins with a model of this size: growth
    goes on from there. 0: none."""


@dataclass(frozen=True)
class EncoderTraining:
    """How E learns to find a picture's latent vector, once G is finished (the paper's Section 4)."""

    encoder_since: int = 0
    """Step from which G stays as it is and E learns; 0 is never."""
    photo: float = 1.0
    """Weight of photos made again, beside the generated pictures whose latents are known; 0 leaves photos out."""
    encoder_lr: float = 1e-3
    """Learning rate of the encoder E."""


@dataclass(frozen=True)
class ProGANTraining:
    """Section 3 and appendix A.1 of Karras et al.; images are counted, not steps."""

    adversarial: Literal["wgan-gp", "logistic"] = "wgan-gp"
    """wgan-gp: the paper's. logistic: the non-saturating loss (Goodfellow et al. 2014), with R1."""
    gp: float = 10.0
    """λ of WGAN-GP's gradient penalty, with adversarial=wgan-gp alone."""
    drift: float = 0.001
    """ε_drift: weight of E D(x)², which keeps D's scores near 0."""
    adv: float = 1.0
    """Weight of D's say in G's training; 0 leaves D out, so that D_maps judges alone."""
    augment: Literal["none", "diff"] = "none"
    """diff: DiffAugment (Zhao et al. 2020) of the pictures that are judged, for small sets."""
    growth: Growth = Growth()
    """When the networks grow to the next size."""
    encoder: EncoderTraining = EncoderTraining()
    """When and how E learns."""
    penalty: LazyR1 = LazyR1(r1=10.0)
    """R1 of D, with adversarial=logistic alone."""
    maps_judge: ParserMaps = ParserMaps()
    """D_maps, with adversarial=logistic alone."""
    lead: int = 0
    """Steps in which discriminators learn alone, so that new ones do not lead a trained G astray."""
    lr: float = 1e-3
    """Learning rate of G, and of D where `judge_lr` is 0."""
    judge_lr: float = 0.0
    """Learning rate of D where it is another one; 0 is `lr`."""
    beta2: float = 0.99
    """β₂ of Adam for G and D: how much of the mean squared gradient stays from one step to the next."""
    schedule: Schedule = Schedule()
    """Where E learns, the rates of G and D fall from decay_from to `encoder_since`, and E's along half a cosine from
    there to decay_to; it stays where that is no later."""

    former: ClassVar[Former] = Former({"beta1": Removed("it is 0, as in the paper", neutral=0.0)})


def stage_at(images: int, hold: int, fade: int, most: int, first: int = 0) -> float:
    """How far the networks have grown after so many images: `hold` at the first stage, then each size is faded in and
    held (Fig. 2)."""
    if images < hold:
        return float(first)
    grown, within = divmod(images - hold, max(1, fade + hold))
    return min(float(most), first + grown + min(1.0, within / fade if fade else 1.0))


class ProGANRecipe:
    """In every step D and then G; once G is finished, E alone."""

    served = SERVED

    def __init__(self, config: ProGANConfig, training: ProGANTraining) -> None:
        self.config, self.training = config, training
        self.model, self.D = ProGAN(config), Discriminator(config)
        self.block = config.group if training.adv else 1
        self.nets: Mapping[str, nn.Module] = {"G": self.model.G, "E": self.model.E, "D": self.D}
        self.most, self.first = stages(config.size), 0
        schedule, since = training.schedule, training.encoder.encoder_since
        self.schedule = replace(schedule, decay_to=min(since, schedule.decay_to)) if since else schedule
        later = schedule.decay_to if schedule.decay_to > since else 0
        self.encoder_schedule = replace(schedule, decay_shape="cosine", decay_from=since, decay_to=later)
        if training.growth.grown:
            self.first = stages(training.growth.grown)
            if self.first > self.most:
                grown = training.growth.grown
                raise SettingError(
                    f"grown is {grown}, beyond the size of {config.size}: set it to the side to go on from."
                )
        self.maps = MapsJudge(training.maps_judge, config.size)
        if not training.adv and not self.maps.judges:
            raise SettingError("Without D (adv=0) something else has to judge: add --set parser=parser, or a folder.")
        if self.maps.judges and training.adversarial != "logistic":
            raise SettingError(
                "A discriminator of a parser's maps learns by the logistic loss alone: add --set adversarial=logistic."
            )
        self.nets = {**self.nets, **self.maps.nets}

    def grow_from(self, start: ModelFile) -> None:
        """Take the layers of a smaller model; those of the sizes it lacks stay untrained, as does an encoder that looks
        at another size.

        Layers of a narrower one are widened, and G paints what it painted. Raises SettingError where the two differ in
        more than size and width, or `grown` is not the smaller one's size; CheckpointError where weights do not fit.
        """
        theirs = from_dict(ProGANConfig, start.config)  # which knows settings that are younger than the file
        rest, own_rest = (replace(config, size=0, seen=0, channels=0, widest=0) for config in (theirs, self.config))
        if rest != own_rest or theirs.size > self.config.size:
            raise SettingError(
                "A progressive GAN can begin with a smaller one that differs in nothing but its size and width: "
                "leave out --set of others."
            )
        if self.training.growth.grown != theirs.size:
            raise SettingError(
                f"The weights to begin with have grown to {theirs.size} px: add --set grown={theirs.size}."
            )
        own, smaller = self.model.G, ProGAN(theirs).G
        start.fill(smaller, "G")
        state = {"stage": smaller.stage}
        layers = dict(own.named_modules())
        try:
            for name, layer in smaller.named_modules():
                if isinstance(layer, Equalized):
                    state |= {
                        f"{name}.{key}": value for key, value in widened(layers[name], layer.weight, layer.bias).items()
                    }
        except ValueError as error:
            raise SettingError(
                f"The widths of the model to begin with do not divide these ({error}): choose multiples of its own."
            ) from None
        own.load_state_dict(state, strict=False)
        if (theirs.seen or theirs.size, theirs.widest) == (self.model.E.side, self.config.widest):
            start.fill(self.model.E, "E")

    def phases(self) -> Sequence[Phase]:
        """D, then G; once G is finished, E."""
        w, encoder = self.training, self.training.encoder
        until = encoder.encoder_since or None
        own = ("D",) if w.adv else ()
        adv = {"adv": 1.0} if w.adv else {}
        fool = {"fool": w.adv} if w.adv else {}
        judge, paint = {**adv, **self.maps.adv}, {**fool, **self.maps.fool}
        if w.adversarial == "wgan-gp":
            judge |= {"gp": w.gp, "drift": w.drift}
        penalties = {"r1": ("D", self.r1)} if w.adv and w.adversarial == "logistic" else {}
        encode = {"z": 1.0, "again": 1.0, **({"photo": encoder.photo} if encoder.photo else {})}
        return [
            Phase("judge", (*own, *self.maps.judges), self.judge_terms, judge, until=until),
            *lazy_r1(w.penalty, penalties, until=until),
            *self.maps.phases(self.real, w.penalty.r1_every, until=until),
            *after_lead(w.lead, [Phase("paint", ("G",), self.paint_terms, paint, until=until)]),
            *([Phase("encode", ("E",), self.encode_terms, encode, since=until)] if until else []),
        ]

    def optimizer(self, name: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Adam (A.1)."""
        w = self.training
        betas = {"E": (0.9, 0.999), "D_maps": self.maps.betas}.get(name, (0.0, w.beta2))
        return torch.optim.Adam(parameters, lr=self.learning_rate(name, 0), betas=betas, eps=1e-8, fused=True)

    def learning_rate(self, name: str, step: int) -> float:
        """Constant; at the end of its training each network's falls to 0."""
        w = self.training
        if name == "E":
            return self.encoder_schedule.at(w.encoder.encoder_lr, step)
        return self.schedule.at({"D": w.judge_lr or w.lr, "D_maps": w.maps_judge.maps_lr}.get(name, w.lr), step)

    def stage(self, batch: Batch) -> float:
        """How far the networks have grown in the step that the batch is of."""
        images = int(batch["step"][0]) * len(batch["image"]) * process_count()
        return stage_at(images, self.training.growth.hold, self.training.growth.fade, self.most, self.first)

    def real(self, batch: Batch) -> Tensor:
        """The batch's pictures at the present side; while a size is faded in, so are its details."""
        stage = self.stage(batch)
        side, share = side_at(stage), stage % 1
        x = F.interpolate(batch["image"], size=side, mode="area") if side < self.config.size else batch["image"]
        if share:
            x = torch.lerp(F.interpolate(F.avg_pool2d(x, 2), scale_factor=2, mode="nearest"), x, share)
        return x

    def latent(self, batch: Batch, name: str) -> Tensor:
        """z (B,Z) ~ N(0,I) of the batch's samples."""
        return normal(batch["seed"], name, self.config.z, batch["image"].device).to(batch["image"].dtype)

    def as_judged(self, pictures: Tensor, batch: Batch, name: str) -> Tensor:
        """Pictures (B,3,s,s) as they are judged: as they are, or changed by DiffAugment."""
        if self.training.augment == "none":
            return pictures
        return augment(pictures, uniform(batch["seed"], f"augment {name}", DRAWS, pictures.device))

    def judge_terms(self, batch: Batch) -> dict[str, Tensor]:
        """WGAN-GP with drift (A.1), or the logistic loss −log D(x) − log(1 − D(x'))."""
        x = self.real(batch)
        with torch.no_grad():
            made = self.model.G(self.latent(batch, "z"), self.stage(batch))
        real, fake = self.as_judged(x, batch, "real"), self.as_judged(made, batch, "made")
        terms = self.own_terms(x, made, real, fake, batch) if self.training.adv else {}
        return {**terms, **self.maps.adv_terms(real, fake)}

    def own_terms(self, x: Tensor, made: Tensor, real: Tensor, fake: Tensor, batch: Batch) -> dict[str, Tensor]:
        """D's own terms. x, made: real and made pictures (B,3,s,s); real, fake: the same as they are judged."""
        stage = self.stage(batch)
        on_real, on_fake = self.D(real, stage), self.D(fake, stage)
        if self.training.adversarial == "logistic":
            return {"adv": real_loss(on_real) + fake_loss(on_fake)}
        share = uniform(batch["seed"], "between", 1, x.device)[:, 0]
        return {
            "adv": on_fake.mean() - on_real.mean(),
            "gp": gradient_penalty(lambda pictures: self.D(pictures, stage), x, made, share),
            "drift": on_real.square().mean(),
        }

    def r1(self, batch: Batch) -> Tensor:
        """R1 of D on real pictures, as they are."""
        return r1_penalty(lambda pictures: self.D(pictures, self.stage(batch)), self.real(batch))

    def paint_terms(self, batch: Batch) -> dict[str, Tensor]:
        """G's loss: −E D(x') of WGAN-GP, or −log D(x')."""
        stage = self.stage(batch)
        self.model.G.stage.fill_(stage)  # what the saved generator is to be used at
        made = self.as_judged(self.model.G(self.latent(batch, "z of G"), stage), batch, "made by G")
        terms = {}
        if self.training.adv:
            score = self.D(made, stage)
            terms["fool"] = real_loss(score) if self.training.adversarial == "logistic" else -score.mean()
        return {**terms, **self.maps.fool_terms(made)}

    def encode_terms(self, batch: Batch) -> dict[str, Tensor]:
        """E on endless pictures whose z is known, and on photos, which G is to make again."""
        z = pixel_norm(self.latent(batch, "z"))
        with torch.no_grad():
            made = self.model.generate(z)
        found = self.model.E(made)
        terms = {"z": half_square(found, z), "again": half_square(self.model.generate(found), made)}
        if self.training.encoder.photo:
            x = batch["image"]
            terms["photo"] = half_square(self.model.generate(self.model.E(x)), x, batch["valid"])
        return terms

    def preview(self, batch: Batch, nets: Mapping[str, nn.Module]) -> tuple[list[Picture], int]:
        """Rows: photos, each made again from what E sees in it, and two rows of samples."""
        x, size = batch["image"], self.config.size
        G, E = nets["G"], nets["E"]
        rows = [x, G(E(x)), G(self.latent(batch, "z")), G(self.latent(batch, "z of G"))]
        return [p for row in rows for p in to_pictures(F.interpolate(row.float(), size=size, mode="nearest"))], len(x)


_AS_THEY_ARE: Mapping[str, Setting] = {"shift": 0.0, "turn": 0.0, "zoom": 0.0, "colour": 0.0}
_LOGISTIC: Mapping[str, Setting] = {"adversarial": "logistic"}

# 64 px and few channels, for two processor cores
_SMALL: Preset = {
    "model": {"size": 64, "channels": 1024, "widest": 256, "encoder": 32},
    "training": {
        **_LOGISTIC,
        "r1": 0.5,
        "hold": 20_000,
        "fade": 20_000,
        "lr": 2e-3,
        "encoder_since": 10_800,
        "decay_from": 8900,
        "decay_to": 13_800,
    },
    "run": {"steps": 13_800, "batch_size": 32, "ema": 0.998, **_AS_THEY_ARE},
}

PRESETS: Presets = {
    # Table 2 and appendix A.1: 12 million images, sixteen at a time; 1024 px are there after 9.6 million
    "paper-1024": {
        "model": {},
        "training": {"hold": 600_000, "fade": 600_000},
        "run": {"steps": 750_000, "batch_size": 16, "ema": 0.999, **_AS_THEY_ARE},
    },
    "256": {
        "model": {"size": 256, "channels": 4096},
        "training": {
            **_LOGISTIC,
            "hold": 600_000,
            "fade": 600_000,
            "encoder_since": 500_000,
            "decay_from": 470_000,
            "decay_to": 550_000,
        },
        "run": {"steps": 550_000, "batch_size": 16, "ema": 0.999, **_AS_THEY_ARE},
    },
    "128": {
        "model": {"size": 128, "channels": 2048, "widest": 256},
        "training": {
            **_LOGISTIC,
            "augment": "diff",
            "hold": 300_000,
            "fade": 300_000,
            "encoder_since": 240_000,
            "decay_from": 220_000,
            "decay_to": 270_000,
        },
        "run": {"steps": 270_000, "batch_size": 16, "ema": 0.999, **_AS_THEY_ARE},
    },
    "small": _SMALL,
    # What the shipped weights are: 128 px, judged by what the face parser that comes with Masque sees
    "best": {
        "model": {"size": 128, "channels": 2048, "widest": 256, "encoder": 32, "seen": 64},
        "training": {
            **_LOGISTIC,
            "parser": "parser",
            "adv": 0.0,
            "maps_lr": 7e-4,
            "hold": 20_000,
            "fade": 20_000,
            "lr": 1e-3,
            "encoder_since": 12_000,
            "decay_from": 9000,
            "decay_to": 17_000,
        },
        "run": {"steps": 17_000, "batch_size": 64, "ema": 0.999, **_AS_THEY_ARE},
    },
    "tiny": {
        "model": {"size": 16, "channels": 64, "widest": 16, "z": 16, "encoder": 4, "group": 2},
        "training": {
            **_LOGISTIC,
            "hold": 20,
            "fade": 20,
            "lr": 2e-3,
            "r1_every": 4,
            "encoder_since": 40,
            "encoder_lr": 1e-2,
            "decay_from": 30,
            "decay_to": 40,
        },
        "run": {"steps": 60, "batch_size": 4, "log_every": 10, "save_every": 20, "preview_every": 60},
    },
}
