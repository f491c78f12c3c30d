"""RSGAN's training (Natsume et al. 2018, Eq. 1-7 and Algorithm A1).

paper                    here                       who it updates (A1, lines 19-29)
L_rec-f, L_rec-h         rec_f, rec_h               separators, attribute encoders, part decoders
L_rec                    rec                        composer (and separators, if `rec_trains_separators`)
L_KL                     kl                         separators, attribute encoders
L_adv-g, L_adv-p         fool_g, fool_p | adv_g/p   composer, separators, attribute encoders | D_g, D_p
L_C, L_GC                C, GC                      C | composer, separators, attribute encoders
extras                   r1_g, r1_p; id, id_random: see masque.recipes.extras
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from masque.config import Former, Presets, Removed, Setting
from masque.data.batches import Batch
from masque.image import Picture, to_pictures
from masque.layers.noise import normal, uniform
from masque.layers.shares import block_of, neighbour
from masque.losses.adversarial import fake_loss, r1_penalty, real_loss
from masque.losses.attributes import known_bce
from masque.losses.gaussian import kl_to_standard
from masque.losses.reconstruction import weighted_l1
from masque.models.rsgan import RSGAN, SERVED, RSGANConfig, RSGANLatents, face_region, hair_region, of_whole_picture
from masque.recipes.extras import LazyR1, PersonTerms, SamePerson, after_lead, lazy_r1
from masque.train.phase import Needs, Phase, Weight
from masque.train.rates import Schedule, warm_up

DECODERS = ("decoder_face", "decoder_hair")
SHORTEST_MEMORY = 0.004
"""Least share that a batch has in the moments of the latents: they then are those of the latest 250 batches or so."""


@dataclass(frozen=True)
class Weights:
    """λ of Section 3.1, by the terms that they weigh."""

    rec: float = 4000.0
    """λ_rec of L_rec, L_rec-f and L_rec-h (Eq. 1-3)."""
    kl: float = 1.0
    """λ_KL of L_KL (Eq. 4), the divergence of the inferred latents from N(0,1)."""
    adv_g: float = 20.0
    """λ_adv-g of L_adv-g (Eq. 5), which judges whole pictures."""
    adv_p: float = 30.0
    """λ_adv-p of L_adv-p (Eq. 5), which judges patches."""
    C: float = 1.0
    """λ_C of L_C (Eq. 6), by which C learns to read attributes."""
    GC: float = 50.0
    """λ_GC of L_GC (Eq. 7), by which C's reading of made pictures trains the composer."""


@dataclass(frozen=True)
class AutoencodersFirst:
    """A start without discriminators, which the paper does not have."""

    adversarial_from: int = 0
    """Step from which there are discriminators and x̂'; before it the three autoencoders learn alone, at half the
    price: discriminators say nothing worth knowing of pictures that are still a blur."""
    adversarial_ramp: int = 0
    """Steps, from when the adversarial and attribute terms begin to move the composer, over which they rise from
    nothing to their weights."""


@dataclass(frozen=True)
class RSGANTraining:
    """Weights of Section 3.1 and the choices the paper leaves open."""

    weights: Weights = Weights()
    """λ of each loss (Section 3.1)."""
    beta: float = 0.5
    """β: how much of the background's error is taken off (Eq. 2, 3)."""
    rec_trains_separators: bool = False
    """False is Algorithm A1 to the letter (lines 20-23): L_rec moves the composer alone. Then nothing teaches the
    separators to keep what the composer needs."""
    random: Literal["prior", "mixed"] = "prior"
    """Where x̂' comes from: `prior` as in Algorithm A1, line 12; `mixed` recombines parts of other pictures too, which
    is what a swap does."""
    start: AutoencodersFirst = AutoencodersFirst()
    """How long the autoencoders learn before there are discriminators."""
    penalty: LazyR1 = LazyR1()
    """R1 of D_g and D_p, which the paper does not have."""
    lead: int = 0
    """Steps, from `adversarial_from` on, in which nothing that an edit needs learns: D_g, D_p and the part decoders,
    which begin anew beside trained networks, catch up first and do not lead those astray."""
    person: SamePerson = SamePerson()
    """Terms on x', and on x̂' where it has x's face."""
    lr: float = 2e-4
    """Learning rate of all networks but D_g, D_p and C."""
    judge_lr: float = 2e-4
    """Learning rate of D_g, D_p and C."""
    beta2: float = 0.999
    """β₂ of Adam for all networks: how much of the mean squared gradient stays from one step to the next."""
    warm_up: int = 0
    """Steps over which the learning rate rises from 0."""
    schedule: Schedule = Schedule()
    """How `lr` and `judge_lr` fall: not at all unless `decay_to` is set."""

    former: ClassVar[Former] = Former(
        {
            "spectral": Removed("r1 holds the discriminators", neutral=False),
            "beta1": Removed("it is 0.5, as in the paper", neutral=0.5),
        }
    )


@dataclass(frozen=True)
class Composed:
    """What the networks make of a batch: the pictures (B,3,S,S) of Algorithm A1, lines 3-13."""

    parts: tuple[Tensor, Tensor]
    """x'_f and x'_h: the face and the hair region, as the part decoders reconstruct them."""
    image: Tensor
    """x': the reconstructed picture, for the adversarial and attribute terms."""
    reconstruction: Tensor
    """x' for L_rec: the same picture, cut off from the separators where Algorithm A1 says so."""
    random: Tensor
    """x̂': the picture composed of random latents."""
    random_attributes: Tensor
    """The attributes c (B,A) that x̂' is to show, NaN where none are asked of it."""
    random_own: Tensor
    """(B,): 1 where x̂' has the face of x, 0 elsewhere."""
    kl: Tensor
    """L_KL of Eq. 4, a scalar."""


class RSGANRecipe:
    """One method is one line of Algorithm A1."""

    needs: Mapping[str, Needs] = {name: Needs("attributes", name) for name in ("C", "GC")}

    def __init__(self, config: RSGANConfig, training: RSGANTraining) -> None:
        self.config, self.training = config, training
        self.model = RSGAN(config)
        self.block = block_of(2) if training.random == "mixed" else 1
        self.person = PersonTerms(training.person)
        own = dict(self.model.named_children())
        self.nets: Mapping[str, nn.Module] = {**own, **self.person.nets}
        self.served = tuple(name for name in own if name in (*SERVED, "memory"))
        self.composing = tuple(name for name in own if name not in ("D_g", "D_p", "C", "prior"))
        self.last: tuple[Batch, Composed] | None = None
        self.inferred: tuple[Batch, RSGANLatents, Tensor] | None = None

    def phases(self) -> Sequence[Phase]:
        """Compose first: the pictures it makes are the ones that the discriminators then judge (Algorithm A1 makes them
        once, too)."""
        w, lead = self.training.weights, self.training.lead
        since = self.training.start.adversarial_from
        parts = {"rec_f": w.rec, "rec_h": w.rec}
        rec = {**parts, "rec": w.rec, "kl": w.kl}
        shown = {"GC": w.GC, "fool_g": w.adv_g, "fool_p": w.adv_p, **self.person.weights}
        compose = {**rec, **{name: self.rising(weight) for name, weight in shown.items()}}
        penalties = {f"r1_{of}": (f"D_{of}", partial(self.r1, self.nets[f"D_{of}"])) for of in ("g", "p")}
        remember = Phase("remember", ("prior",), self.moment_terms, {"moments": 1.0})
        return [
            *([Phase("autoencode", self.composing, self.autoencode_terms, rec, until=since)] if since else []),
            *([Phase("decode", DECODERS, self.decode_terms, parts, since=since, until=since + lead)] if lead else []),
            *after_lead(lead, [Phase("compose", self.composing, self.compose_terms, compose, since=since)]),
            Phase("judge", ("D_g", "D_p"), self.judge_terms, {"adv_g": w.adv_g, "adv_p": w.adv_p}, since=since),
            *after_lead(lead, [Phase("classify", ("C",), self.classify_terms, {"C": w.C})]),
            *([remember] if self.model.prior is not None else []),
            *lazy_r1(self.training.penalty, penalties, since=since),
        ]

    def rising(self, weight: float) -> Weight:
        """A weight that rises linearly from the composer's first adversarial step on: discriminators that are new tear
        apart autoencoders that are not."""
        first = self.training.start.adversarial_from + self.training.lead
        ramp = self.training.start.adversarial_ramp
        return (lambda step: weight * min(1.0, max(0.0, (step - first) / ramp))) if ramp and weight else weight

    def optimizer(self, name: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Adam as in Section 3.1, for every network; plain steps for the moments, which makes them running averages."""
        if name == "prior":
            return torch.optim.SGD(parameters, lr=1.0)
        return torch.optim.Adam(parameters, lr=self.training.lr, betas=(0.5, self.training.beta2), fused=True)

    def learning_rate(self, name: str, step: int) -> float:
        """Constant unless a warm-up or a decay is asked for."""
        w = self.training
        if name == "prior":
            return max(SHORTEST_MEMORY, 1 / (step + 2))
        rate = w.judge_lr if name in ("D_g", "D_p", "C") else w.lr
        return w.schedule.at(warm_up(rate, step, w.warm_up), step)

    def regions(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """x_f and x_h (B,3,S,S)."""
        return face_region(batch["face_crop"], batch["face_hull"]), hair_region(batch["image"], batch["image_hull"])

    def infer(self, batch: Batch) -> tuple[RSGANLatents, Tensor, Tensor]:
        """Algorithm A1, lines 3-8: the latents of a batch, the attributes c* (B,A) that they were inferred with, and
        their KL, a scalar."""
        model, x = self.model, batch["image"]
        with torch.no_grad():
            c = model.estimate(x)  # c*: "we use the estimated attributes c* rather than c"
        face, hair = model.separate(*self.regions(batch), c)
        inferred = {"xf": face, "cf": model.attributes_face(c), "xh": hair, "ch": model.attributes_hair(c)}
        z = RSGANLatents(*(g.sample(self.noise(batch, name, g.mean)) for name, g in inferred.items()))
        self.inferred = (batch, z.detached(), c)
        kl = torch.zeros((), device=x.device)
        if self.config.variational:
            kl = sum((kl_to_standard(g.mean, g.log_variance) for g in inferred.values()), kl)
        return z, c, kl

    def make(self, batch: Batch) -> Composed:
        """Algorithm A1, lines 3-13."""
        z, c, kl = self.infer(batch)
        image = self.model.compose(z)
        z_random, c_random, own = self.random_latents(batch, z.detached(), c)
        return Composed(
            parts=self.model.decode_parts(z),
            image=image,
            reconstruction=image if self.training.rec_trains_separators else self.model.compose(z.detached()),
            random=self.model.compose(z_random),
            random_attributes=c_random,
            random_own=own,
            kl=kl,
        )

    def noise(self, batch: Batch, name: str, like: Tensor) -> Tensor | None:
        """The reparametrisation noise of one latent; none in the non-variational variant (Section 4.2)."""
        seeds = batch["seed"]
        return normal(seeds, name, like.shape[1], like.device).to(like.dtype) if self.config.variational else None

    def random_latents(self, batch: Batch, z: RSGANLatents, c: Tensor) -> tuple[RSGANLatents, Tensor, Tensor]:
        """ẑ of Algorithm A1, line 12, the attributes that x̂' is to show (line 17), and where (B,) it has the picture's
        own face.

        `prior`: all four latents from N(0,1) (z_x from the fitted Gaussian where there is one); Eq. 7 then compares
        with the batch's c, which these latents know nothing of, so no attribute counts as known. `mixed`: each part is,
        by halves, drawn so or another picture's, and gets another picture's attributes."""
        seeds = batch["seed"]
        inferred = {"xf": z.xf, "cf": z.cf, "xh": z.xh, "ch": z.ch}
        draws = {n: normal(seeds, f"random {n}", t.shape[1], t.device) for n, t in inferred.items()}
        draws |= {"xf": self.model.draw("face", draws["xf"]), "xh": self.model.draw("hair", draws["xh"])}
        drawn = RSGANLatents(*(draws[n].to(t.dtype) for n, t in inferred.items()))
        if self.training.random == "prior":
            return drawn, torch.full_like(c, torch.nan), torch.zeros_like(c[:, 0])
        coins = uniform(seeds, "coins", 4, c.device).to(c.dtype) < 0.5
        near, far = neighbour(len(c), 1, c.device), neighbour(len(c), 2, c.device)
        c_face = torch.where(coins[:, 2:3], c[near], c)
        c_hair = torch.where(coins[:, 3:4], c[far], c)
        own_face, z_cf = self.model.with_attributes("face", z.xf, c, c_face)
        own_hair, z_ch = self.model.with_attributes("hair", z.xh[near], c[near], c_hair)
        latents = RSGANLatents(
            torch.where(coins[:, 0:1], drawn.xf, own_face), z_cf, torch.where(coins[:, 1:2], drawn.xh, own_hair), z_ch
        )
        return latents, of_whole_picture(c_face, c_hair, self.config.attributes), (~coins[:, 0]).to(c.dtype)

    def compose_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 1-5 and 7 as the separator and composer networks see them."""
        model, x = self.model, batch["image"]
        made = self.make(batch)
        self.last = (batch, made)
        both = torch.cat([made.image, made.random])
        own, random = model.C(both).chunk(2)
        return {
            **self.person.terms(x, both, made.random_own),
            **self.reconstruction_terms(batch, made.parts, made.reconstruction),
            "kl": made.kl,  # Eq. 4
            # Eq. 5, in its non-saturating form; twice the mean is the sum of both
            "fool_g": 2 * real_loss(model.D_g(both)),
            "fool_p": 2 * real_loss(model.D_p(both)),
            "GC": known_bce(own, batch["attributes"]) + known_bce(random, made.random_attributes),  # Eq. 7
        }

    def decode_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 1 and 2 alone, for part decoders beside networks that stay as they are."""
        with torch.no_grad():
            z, _, _ = self.infer(batch)
        return self.part_terms(batch, *self.model.decode_parts(z))

    def autoencode_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 1-4 alone: nothing is judged, so nothing random is painted."""
        z, _, kl = self.infer(batch)
        parts = self.model.decode_parts(z)
        image = self.model.compose(z if self.training.rec_trains_separators else z.detached())
        return {**self.reconstruction_terms(batch, parts, image), "kl": kl}

    def reconstruction_terms(self, batch: Batch, parts: tuple[Tensor, Tensor], image: Tensor) -> dict[str, Tensor]:
        """Eq. 1-3 for x'_f, x'_h and x'."""
        rec = weighted_l1(batch["image"], image, self.foreground(batch))  # Eq. 3
        return {**self.part_terms(batch, *parts), "rec": rec}

    def part_terms(self, batch: Batch, face: Tensor, hair: Tensor) -> dict[str, Tensor]:
        """Eq. 1 and 2 for x'_f and x'_h (B,3,S,S)."""
        x_f, x_h = self.regions(batch)
        return {
            "rec_f": weighted_l1(x_f, face, batch["face_valid"]),  # Eq. 1
            "rec_h": weighted_l1(x_h, hair, self.foreground(batch)),  # Eq. 2
        }

    def foreground(self, batch: Batch) -> Tensor:
        """1 − β M_BG (B,1,S,S), and 0 where the photo has no pixel."""
        return batch["valid"] * (1 - self.training.beta * batch["background"])

    def judge_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 5 as the discriminators see it, on the pictures that `compose_terms` made of this batch."""
        if self.last is None or self.last[0] is not batch:
            with torch.no_grad():
                self.last = (batch, self.make(batch))
        x, made = batch["image"], self.last[1]
        pictures = torch.cat([x, made.image.detach().to(x.dtype), made.random.detach().to(x.dtype)])
        terms = {}
        for name, D in (("adv_g", self.model.D_g), ("adv_p", self.model.D_p)):
            real, fake, random = D(pictures).chunk(3)
            terms[name] = real_loss(real) + fake_loss(fake) + fake_loss(random)
        return terms

    def classify_terms(self, batch: Batch) -> dict[str, Tensor]:
        """L_C of Eq. 6; unknown attributes count for nothing."""
        return {"C": known_bce(self.model.C(batch["image"]), batch["attributes"])}

    def moment_terms(self, batch: Batch) -> dict[str, Tensor]:
        """How far the remembered moments of the latents are from this batch's."""
        if self.inferred is None or self.inferred[0] is not batch:
            with torch.no_grad():
                self.infer(batch)
        assert self.inferred is not None
        assert self.model.prior is not None
        prior, (_, z, c) = self.model.prior, self.inferred
        return {"moments": prior.distance("face", z.xf, c) + prior.distance("hair", z.xh, c)}

    def r1(self, judge: nn.Module, batch: Batch) -> Tensor:
        """R1 of a discriminator; through `forward`, since compiled networks have no second derivative."""
        return r1_penalty(judge.forward, batch["image"])

    def preview(self, batch: Batch, nets: Mapping[str, nn.Module]) -> tuple[list[Picture], int]:
        """Rows: pictures, their reconstructions, each face on the next one's hair, random faces, random hairs."""
        model = RSGAN(self.config).to(batch["image"].device).eval()
        for name, net in model.named_children():
            if name not in ("D_g", "D_p"):  # they paint nothing
                net.load_state_dict((nets[name] if name in nets else self.nets[name]).state_dict())
        model.to(batch["image"].dtype)
        x = batch["image"]
        z = model.encode(*self.regions(batch), model.estimate(x))
        seeds = torch.arange(len(x), device=x.device)
        face = model.draw("face", normal(seeds, "face", z.xf.shape[1])).to(z.xf.dtype)
        hair = model.draw("hair", normal(seeds, "hair", z.xf.shape[1])).to(z.xf.dtype)
        swapped = RSGANLatents(z.xf.roll(1, 0), z.cf.roll(1, 0), z.xh, z.ch)
        random = RSGANLatents(face, z.cf, z.xh, z.ch), RSGANLatents(z.xf, z.cf, hair, z.ch)
        rows = [x, *(model.compose(latents) for latents in (z, swapped, *random))]
        return [picture for row in rows for picture in to_pictures(row)], len(x)


_AS_THEY_ARE: Mapping[str, Setting] = {"shift": 0.0, "turn": 0.0, "zoom": 0.0, "colour": 0.0, "flip": False}
_MIXED: Mapping[str, Setting] = {"rec_trains_separators": True, "random": "mixed"}
_TWO_CORES: Mapping[str, Setting] = {
    **{**_MIXED, "kl": 0.25, "GC": 5.0, "r1": 20.0, "adversarial_from": 3_000, "adversarial_ramp": 500},
    **{"lr": 5e-4, "warm_up": 100, "decay_from": 3_000, "decay_to": 4_000},
}
"""A training that two processor cores can do: docs/papers/rsgan.md, "Preset slim"."""

_SLIM: Mapping[str, Setting] = {
    **{"size": 128, "channels": 16, "encoder_channels": 24, "part_channels": 8, "judge_channels": 16, "widest": 256},
    **{"z_appearance": 320, "coarse": 16, "prior": "fitted"},
}
_SHORT: Mapping[str, Setting] = {"steps": 4_000, "batch_size": 32}
_SMALL: Mapping[str, Setting] = {"size": 64, "channels": 32, "part_channels": 16, "coarse": 16, "prior": "fitted"}

PRESETS: Presets = {
    # 128 px, batch 50, 120k steps, Adam 2e-4 (0.5, 0.999): Sections 3.1 and 4
    "paper": {"model": {}, "training": {}, "run": _AS_THEY_ARE},
    # 128 px with half and quarter widths
    "slim": {"model": _SLIM, "training": _TWO_CORES, "run": _SHORT},
    # What worked best of all that was tried (docs/training/rsgan.md)
    "best": {
        "model": {**_SLIM, "smooth": True},
        "training": {
            **_TWO_CORES,
            **{"kl": 0.1, "beta2": 0.99, "identity": "identity", "id": 150.0, "adv_g": 5.0, "adv_p": 5.0},
        },
        "run": _SHORT,
    },
    # slim at half the side
    "small": {"model": _SMALL, "training": _TWO_CORES, "run": _SHORT},
    # ... and in 0.6 of the steps, for the six trainings of Table 1
    "table": {
        "model": _SMALL,
        "training": {
            **_TWO_CORES,
            **{"decay_from": 1_800, "decay_to": 2_400, "adversarial_from": 1_800, "adversarial_ramp": 300},
        },
        "run": {"steps": 2_400, "batch_size": 32},
    },
    "tiny": {
        "model": {
            **{"size": 32, "channels": 8, "encoder_channels": 8, "part_channels": 8, "judge_channels": 8},
            **{"z_appearance": 16, "z_attributes": 4, "coarse": 8, "prior": "fitted"},
        },
        "training": {**_MIXED, "r1": 0.1, "adversarial_from": 4, "adversarial_ramp": 2},
        "run": {"steps": 200, "batch_size": 8, "log_every": 10, "save_every": 50, "preview_every": 100},
    },
}
