"""Training of FaceFeat-GAN (Eq. 1-5 and 7-11): E_id and E_1 first, then two competitions, over features and over
pictures.

paper          here                     who it updates
Eq. 5, 7       tell, see                E_id, E_1; until `warm`, or never where trained ones are named
Eq. 2          judge_features: f_1, f_2 D_1^f, D_2^f
Eq. 4          judge: adv               D^I
               smooth: r1, r1_f_1, r1_f_2    D^I, D_1^f, D_2^f; if asked for
Eq. 1          draw: f_1, f_2, picture  G_1^f, G_2^f
Eq. 3, 8       paint: rec, fool, id, id_made   G^I, E_2
beyond         adv_maps, r1_maps | fool_maps   D_maps | G^I, E_2: a second discriminator, which sees the maps of a face parser
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from masque import modelfile
from masque.config import Former, from_dict
from masque.data.batches import Batch
from masque.data.frames import FrameSet
from masque.errors import DataError, SettingError
from masque.faces.shape3d import fit, learn_shapes
from masque.image import Picture, to_pictures
from masque.layers.augment import DRAWS, augment
from masque.layers.noise import uniform
from masque.losses.adversarial import fake_loss, r1_penalty, real_loss
from masque.losses.identity import known_people, with_margin
from masque.losses.reconstruction import weighted_l1
from masque.models.facefeat import SERVED, FaceFeat, FaceFeatConfig, Judges, sphere
from masque.models.identity import IdentityConfig, Softmax
from masque.models.parser import MapsDiscriminator, load_unet
from masque.models.shape import Fits, ShapeConfig
from masque.train.balance import as_functions_of, balanced
from masque.train.phase import Needs, Phase
from masque.train.rates import Schedule

BEYOND = ("shape", "picture", "views")

VIEWS = (0.4, 0.2, 0.4, 0.2, 0.2)
"""How far E_id's views of a picture go, of DiffAugment's brightness, saturation, contrast and shifts: about as its
training moves them."""


@dataclass(frozen=True)
class FaceFeatTraining:
    """Section 4, and what it leaves open."""

    identity: str = ""
    """Folder of a trained model of the family identity, as E_id; without one it is trained until `warm`."""
    shape: str = ""
    """The same of the family shape, as E_1."""
    warm: int = 20_000
    """Steps in which E_id and E_1 are trained before the others, where none are named."""
    without: Literal["none", "id", "features", "picture", "rec"] = "none"
    """Table 4: (a) without φ_id, (b) without φ^f, (c) without φ^I, (d) without φ_rec."""
    beyond: tuple[str, ...] = ()
    """What G^I learns beyond Eq. 3 and 8: `shape`, to show the f_1 that it paints from, without which it may look for
    pose and expression in f_2 alone, and heads turn for nobody; `picture`, that drawn pictures fool D^I as well, which
    Eq. 1 asks of G_i^f alone; `views`, that φ_id holds for pictures mirrored, recoloured and moved, and for any part of
    what E_id sees: one that satisfies it at a single view may do so by a pattern that nobody else takes for a face."""
    softmax: Softmax = "linear"
    margin: float = 0.35
    scale: float = 64.0
    """Of E_id's training: see the family identity."""
    id_lr: float = 8e-5
    """Learning rate of E_id and E_1."""
    lr: float = 8e-5
    schedule: Schedule = Schedule("stairs", 100_000, 100_000, 0.625)
    """How `lr` falls, its steps counted from the end of `warm`: 8·10⁻⁵ and from 100,000 on 5·10⁻⁵. Other rates stay."""
    judge_lr: float = 0.0
    """Learning rate of the discriminators; 0 is that of all others. Where they fall behind, their gradients, which are
    made as large as that of φ_rec, teach noise."""
    fool: float = 1.0
    """Of φ^I in G^I's training, once its gradient is as large as that of φ_rec: less paints softer, and with less
    noise. 0 leaves D^I out of everything where there is a `parser`."""
    r1: float = 0.0
    """Weight of R1 on all three discriminators (Mescheder et al. 2018), which the paper does without: it keeps them
    from being sure of all they see, after which their gradients teach nothing."""
    r1_every: int = 16
    """R1 is due in every so many steps, and then so many times as strong (Karras et al. 2020)."""
    parser: str = ""
    """Folder of a trained face parser, by whose maps a second discriminator judges pictures. The paper has none. Choice
    22."""
    maps: float = 1.0
    """Weight of what that one says, once its gradient is as large as that of φ_rec."""
    maps_lr: float = 5e-4
    maps_r1: float = 0.02
    """Its learning rate and gradient penalty, due as `r1` is."""
    lead: int = 0
    """Steps after `warm` in which the discriminators learn alone, so that those that begin anew do not lead trained
    generators astray."""
    former: ClassVar[Former] = Former(
        {
            "augment": "D^I sees pictures as they are",
            "whiten": "D_2^f sees f_2 as it is",
            "competition": "both competitions are held; without=picture leaves out the one over pictures",
            "beta1": "it is 0.5",
        },
        neutral={"augment": "none", "whiten": False, "competition": "both", "beta1": 0.5},
    )

    def __post_init__(self) -> None:
        unknown = [name for name in self.beyond if name not in BEYOND]
        if unknown:
            raise SettingError(
                f"There is nothing called {unknown[0]} to learn beyond the paper: choose from {', '.join(BEYOND)}."
            )
        if self.parser and self.without == "picture":
            raise SettingError(
                "Where no pictures are judged (without=picture) a parser has no say: leave out --set parser."
            )


class FaceFeatRecipe:
    """E_id and E_1, and then both competitions in every step."""

    served = SERVED
    needs: Mapping[str, Needs] = {"people": Needs("people")}

    def __init__(self, config: FaceFeatConfig, training: FaceFeatTraining) -> None:
        self.config, self.training = config, training
        self.model, self.judges = FaceFeat(config), Judges(config, training.softmax)
        self.nets: Mapping[str, nn.Module] = {
            **{name: getattr(self.model, name) for name in SERVED},
            **{name: getattr(self.judges, name) for name in ("D_f1", "D_f2", "D_I", "W_id")},
        }
        self.D_maps: MapsDiscriminator | None = None
        self.alone = bool(training.parser) and not training.fool
        if training.parser:
            parser = load_unet(Path(training.parser))
            self.D_maps = MapsDiscriminator(parser, config.size)
            self.nets = {**self.nets, "D_maps": self.D_maps, "P_F": parser}
        self.warm = 0 if training.identity and training.shape else training.warm
        self.fits = Fits(self.model.E_1)
        self._known: tuple[Tensor, dict[str, Tensor]] | None = None

    def begin(self, frames: FrameSet) -> None:
        """Take over trained extractors, and learn the 3D model where none is named. Raises DataError, CheckpointError,
        SettingError."""
        chosen = frames.indices("train")
        landmarks, people = np.asarray(frames.landmarks)[chosen], frames.people()[chosen]
        known = people[people >= 0]
        if len(np.unique(known)) < 2 or len(known) == len(np.unique(known)):
            raise DataError(
                "FaceFeat-GAN learns from people of whom there are several pictures: prepare a set that says who is who."
            )
        if not self.training.identity and int(known.max()) >= self.config.id_people:
            raise SettingError(
                f"The data has more than id_people={self.config.id_people} people: set it to {int(known.max()) + 1} or more."
            )
        if self.training.identity:
            _take(
                self.model.E_id,
                self.training.identity,
                "identity",
                "features",
                self.config.identity,
                ("size", "view", "network", "width", "features"),
            )
        if self.training.shape:
            _take(
                self.model.E_1,
                self.training.shape,
                "shape",
                "E_1",
                self.config.shape,
                ("size", "width", "identity", "expression"),
            )
        else:
            shapes = learn_shapes(landmarks, people, self.config.shape_identity, self.config.shape_expression)
            self.model.E_1.know(shapes, fit(shapes, landmarks))

    def phases(self) -> Sequence[Phase]:
        """E_id and E_1; then Eq. 2, 4, 1 and 3 with 8."""
        w, since = self.training, self.warm
        phases = []
        if since and not w.identity:
            phases.append(Phase("tell", ("E_id", "W_id"), self.tell_terms, {"people": 1.0}, until=since))
        if since and not w.shape:
            phases.append(Phase("see", ("E_1",), self.see_terms, {"shape": 1.0}, until=since))
        judged = {"f_1": 1.0, "f_2": 1.0} if w.without != "features" else {}
        if judged:
            phases.append(Phase("judge_features", ("D_f1", "D_f2"), self.judge_features_terms, judged, since=since))
        seen = w.without != "picture"
        if seen:
            adv = {**({} if self.alone else {"D_I": "adv"}), **({} if self.D_maps is None else {"D_maps": "adv_maps"})}
            phases.append(Phase("judge", tuple(adv), self.judge_terms, dict.fromkeys(adv.values(), 1.0), since=since))
        if w.r1:
            names = {
                **({"D_I": "r1"} if seen and not self.alone else {}),
                **({"D_f1": "r1_f_1", "D_f2": "r1_f_2"} if judged else {}),
            }
            weights = dict.fromkeys(names.values(), w.r1 * w.r1_every)
            if names:
                phases.append(Phase("smooth", tuple(names), self.smooth_terms, weights, since=since, every=w.r1_every))
        if self.D_maps is not None:
            due = {"r1_maps": w.maps_r1 * w.r1_every}
            phases.append(Phase("smooth_maps", ("D_maps",), self.smooth_maps_terms, due, since=since, every=w.r1_every))
        since += w.lead
        if judged or seen:
            phases.append(
                Phase(
                    "draw", ("G_f1", "G_f2"), self.draw_terms, judged | ({"picture": 1.0} if seen else {}), since=since
                )
            )
        fools = (*(() if self.alone else ("fool",)), *(() if self.D_maps is None else ("fool_maps",)))
        more = {"shape": ("shape", "shape_made"), "picture": tuple(f"{name}_made" for name in fools)}
        paint = ["rec", *fools, "id", "id_made", *(name for goal in w.beyond for name in more.get(goal, ()))]
        lost = {"id": ("id", "id_made"), "picture": ("fool", "fool_made"), "rec": ("rec",)}.get(w.without, ())
        shares = {"fool": w.fool, "fool_made": w.fool, "fool_maps": w.maps, "fool_maps_made": w.maps}
        weights = {name: shares.get(name, 1.0) for name in paint if name not in lost}
        phases.append(Phase("paint", ("G_I", "E_2"), self.paint_terms, weights, since=since))
        return phases

    def optimizer(self, name: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Adam."""
        early = name in ("E_id", "W_id", "E_1")
        betas = (0.9 if early else 0.5, 0.99 if name == "D_maps" else 0.999)
        return torch.optim.Adam(
            parameters, lr=self.training.id_lr if early else self.training.lr, betas=betas, fused=True
        )

    def learning_rate(self, name: str, step: int) -> float:
        """Two rates; of E_id and E_1, and where it is asked for of the discriminators, one."""
        w = self.training
        if name in ("E_id", "W_id", "E_1"):
            return w.id_lr
        if name == "D_maps":
            return w.maps_lr
        if name.startswith("D_") and w.judge_lr:
            return w.judge_lr
        return w.schedule.at(w.lr, step - self.warm)

    def tell_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 5; unknown people count for nothing."""
        self.model.E_id.train()
        people, _ = self.judges.W_id(self.model.E_id(batch["image"], batch["seed"]))
        if self.training.softmax == "margin":
            people = with_margin(people, batch["identity"], self.training.margin, self.training.scale)
        return {"people": known_people(people, batch["identity"])}

    def see_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 7."""
        return {"shape": self.model.E_1.train().error(batch["image"], self.fits(batch))}

    def known(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """f_id and f_1 of the batch's pictures, by networks that no longer learn: seen once, though four phases of a
        step ask for them."""
        return self._seen(batch, "E_id"), self._seen(batch, "E_1")

    def _seen(self, batch: Batch, name: Literal["E_id", "E_1"]) -> Tensor:
        """One of them."""
        x = batch["image"]
        if self._known is None or self._known[0] is not x:
            self._known = x, {}
        found = self._known[1]
        if name not in found:
            net = self.nets[name].eval()
            with torch.no_grad():
                found[name] = sphere(net(x)) if name == "E_id" else net(x)
        return found[name]

    def judge_features_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 2. As it is printed it has no lower bound: log(1 − D) takes the place of −log D."""
        f_1 = self._seen(batch, "E_1")
        with torch.no_grad():
            f_2, made = sphere(self.model.E_2(batch["image"])), self.model.drawn(batch["seed"], "judge features")
        pairs = ((self.judges.D_f1, f_1, made[0]), (self.judges.D_f2, f_2, made[1]))
        return {
            name: real_loss(D(real)) + fake_loss(D(fake))
            for name, (D, real, fake) in zip(("f_1", "f_2"), pairs, strict=True)
        }

    def score(self, pictures: Tensor, count: int) -> tuple[Tensor, ...]:
        """What D^I, or D_maps where that judges alone, says of pictures (N·B,3,S,S): the logits (B,·) of each of the N =
        `count` batches that they are."""
        said: Tensor = (self.D_maps if self.alone and self.D_maps is not None else self.judges.D_I)(pictures)
        return said.chunk(count)

    def judge_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 4, likewise; λ_3 = λ_4 = ½, so that what is made counts as much as what is real."""
        x, (f_id, f_1) = batch["image"], self.known(batch)
        with torch.no_grad():
            drawn = self.model.drawn(batch["seed"], "judge")
            painted = self.paint(f_id, (drawn, (f_1, self.model.E_2(x))))
        real, made, rebuilt = self.score(torch.cat([x, painted.to(x.dtype)]), 3)
        terms = {"adv_maps" if self.alone else "adv": real_loss(real) + 0.5 * (fake_loss(made) + fake_loss(rebuilt))}
        if self.D_maps is not None and not self.alone:
            terms["adv_maps"] = real_loss(self.D_maps(x)) + fake_loss(self.D_maps(painted.to(x.dtype)))
        return terms

    def paint(self, f_id: Tensor, features: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        """G^I's pictures (N·B,3,S,S) of the same people with N pairs of f_1 and f_2."""
        firsts, seconds = zip(*features, strict=True)
        painted: Tensor = self.model.G_I(f_id.repeat(len(features), 1), torch.cat(firsts), torch.cat(seconds))
        return painted

    def smooth_terms(self, batch: Batch) -> dict[str, Tensor]:
        """R1 on real pictures and features."""
        terms = {}
        if self.training.without != "picture" and not self.alone:
            terms["r1"] = r1_penalty(self.judges.D_I, batch["image"])
        if self.training.without != "features":
            with torch.no_grad():
                f_2 = sphere(self.model.E_2(batch["image"]))
            terms["r1_f_1"] = r1_penalty(self.judges.D_f1, self._seen(batch, "E_1"))
            terms["r1_f_2"] = r1_penalty(self.judges.D_f2, f_2)
        return terms

    def smooth_maps_terms(self, batch: Batch) -> dict[str, Tensor]:
        """R1 of the discriminator that sees a parser's maps."""
        assert self.D_maps is not None
        return {"r1_maps": r1_penalty(self.D_maps, batch["image"])}

    def draw_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 1; λ_i^f makes both gradients at a feature as large as each other."""
        drawn = dict(zip(("f_1", "f_2"), self.model.drawn(batch["seed"], "draw"), strict=True))
        terms: dict[str, Tensor] = {}
        if self.training.without != "picture":
            fooled = real_loss(*self.score(self.paint(self._seen(batch, "E_id"), [(drawn["f_1"], drawn["f_2"])]), 1))
            if self.training.without == "features":
                return {"picture": fooled}
            parts = []
            seen = as_functions_of(fooled, list(drawn.values()))
            for (name, at), picture, D in zip(drawn.items(), seen, (self.judges.D_f1, self.judges.D_f2), strict=True):
                made, _ = balanced(at, {name: real_loss(D(at)), "picture": picture})
                terms[name] = made[name]
                parts.append(made["picture"])
            return {**terms, "picture": torch.stack(parts).mean() * 2 - fooled.detach()}
        return {name: real_loss(D(drawn[name])) for name, D in (("f_1", self.judges.D_f1), ("f_2", self.judges.D_f2))}

    def paint_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 3 and 8; λ_1, λ_2 and the weight of φ^I make the gradients at a picture as large as that of φ_rec."""
        w, x = self.training, batch["image"]
        f_id, f_1 = self.known(batch)
        asked = [(f_1, self.model.E_2(x))]
        if w.without != "id" or {"shape", "picture"} & set(w.beyond):
            with torch.no_grad():
                asked.append(self.model.drawn(batch["seed"], "paint"))
        # All pictures at once, made again and drawn; each network of a loss then goes through them once.
        pictures, count = self.paint(f_id, asked), len(asked)
        terms = {}
        if w.without != "rec":
            terms["rec"] = weighted_l1(x, pictures[: len(x)], batch["valid"])
        if w.without != "picture":
            names = ("fool", "fool_made") if "picture" in w.beyond else ("fool",)
            shown = pictures[: len(names) * len(x)]
            scores = self.score(shown, len(names))
            own = [name.replace("fool", "fool_maps") for name in names] if self.alone else names
            terms |= {name: real_loss(logits) for name, logits in zip(own, scores, strict=True)}
            if self.D_maps is not None and not self.alone:
                said = self.D_maps(shown).chunk(len(names))
                terms |= {
                    name.replace("fool", "fool_maps"): real_loss(logits)
                    for name, logits in zip(names, said, strict=True)
                }
        if w.without != "id":
            terms |= zip(
                ("id", "id_made"),
                self._unlike(pictures, f_id.repeat(count, 1), batch["seed"]).chunk(count),
                strict=True,
            )
        if "shape" in w.beyond:
            terms |= zip(
                ("shape", "shape_made"),
                self._askew(pictures, torch.cat([f for f, _ in asked])).chunk(count),
                strict=True,
            )
        terms = {name: term.mean() for name, term in terms.items()}
        pairs = [(name, f"{name}_made") for name in terms if f"{name}_made" in terms]
        return balanced(pictures, terms, pairs=pairs)[0]

    def _unlike(self, pictures: Tensor, f_id: Tensor, seeds: Tensor) -> Tensor:
        """φ_id (N·B,) of pictures, Eq. 11, as a mean over the entries too."""
        E_id = self.model.E_id
        if "views" not in self.training.beyond:
            return (sphere(E_id(pictures)) - f_id).square().mean(dim=1)
        count = len(pictures) // len(seeds)
        many = torch.cat([seeds * count + part for part in range(count)])  # noise of its own for each
        draws = uniform(many, "view", DRAWS + 1, pictures.device)
        mirrored = torch.where(draws[:, -1, None, None, None] < 0.5, pictures.flip(3), pictures)
        seen = augment(mirrored, 0.5 + draws.new_tensor(VIEWS) * (draws[:, :-1] - 0.5))
        return (sphere(E_id(seen, many)) - f_id).square().mean(dim=1)

    def _askew(self, pictures: Tensor, f_1: Tensor) -> Tensor:
        """How far each picture's f_1 is from the one it was painted from, (B,), as Eq. 7 measures it."""
        E_1 = self.model.E_1
        apart: Tensor = E_1.importance() * (E_1(pictures) - f_1).square()
        return apart.mean(dim=1)

    def preview(self, batch: Batch, nets: Mapping[str, nn.Module]) -> tuple[list[Picture], int]:
        """Rows: pictures, each painted again from its own features, and with two drawn ones."""
        x = batch["image"]
        f_id, f_1, f_2 = sphere(nets["E_id"](x)), nets["E_1"](x), nets["E_2"](x)
        rows = [x, nets["G_I"](f_id, f_1, f_2)]
        for number in (1, 2):
            noise = [
                2 * torch.rand(len(x), self.config.noise, generator=torch.Generator().manual_seed(number)).to(x) - 1
                for _ in range(2)
            ]
            rows.append(nets["G_I"](f_id, nets["G_f1"](noise[0]), nets["G_f2"](noise[1])))
        return [picture for row in rows for picture in to_pictures(row.clamp(-1, 1))], len(x)


def _take(
    net: nn.Module, folder: str, family: str, name: str, config: IdentityConfig | ShapeConfig, alike: Sequence[str]
) -> None:
    """The weights of another family's network `name`, which has to be of the sizes `alike`. Raises CheckpointError,
    SettingError."""
    stored = modelfile.read(Path(folder), family)
    found = from_dict(type(config), stored.config)  # which knows settings that are younger than the file
    for size in alike:
        if (its := getattr(found, size)) != (own := getattr(config, size)):
            raise SettingError(
                f"The model of {family} in {folder} has {size} {its}, and here it is {own}: they have to be the same."
            )
    stored.fill(net, name)


# 128 px and half as wide, for an accelerator; with what small sets and heads that turn need beyond the paper
_LARGE: Mapping[str, Mapping[str, Any]] = {
    "model": {
        "channels": 64, "encoder_channels": 32, "activation": "leaky", "id_network": "resnet18", "id_width": 48, "id_people": 1024,
        "shape_width": 32,
    },
    "training": {
        "warm": 6000, "softmax": "margin", "margin": 0.2, "scale": 32.0, "id_lr": 1e-3, "lr": 1e-4, "judge_lr": 4e-4,
        "decay_from": 10_000, "decay_to": 10_000, "decay_factor": 0.5, "r1": 0.3, "fool": 0.25, "beyond": ("shape", "picture", "views"),
    },
    "run": {"steps": 18_000, "batch_size": 32, "shift": 3.0, "turn": 4.0, "zoom": 0.05, "colour": 0.1, "ema": 0.999},
}  # fmt: skip

PRESETS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "paper": {
        "model": {}, "training": {},
        "run": {"steps": 220_000, "batch_size": 96, "shift": 0.0, "turn": 0.0, "zoom": 0.0, "colour": 0.0},
    },
    "128": _LARGE,
    # The same with the narrower E_1 of the weights that ship, which `--from facefeat` begins with
    "best": {**_LARGE, "model": {**_LARGE["model"], "shape_width": 24}},
    # 64 px and narrow, for two processor cores
    "small": {
        "model": {
            "size": 64, "channels": 48, "encoder_channels": 16, "activation": "leaky", "id_network": "resnet18", "id_width": 32,
            "id_people": 1024, "shape_width": 24,
        },
        "training": {
            "warm": 6000, "softmax": "margin", "margin": 0.2, "scale": 32.0, "id_lr": 1e-3, "lr": 2e-4, "r1": 0.5,
            "decay_from": 0, "decay_to": 0,
        },
        "run": {"steps": 18_000, "batch_size": 32, "shift": 3.0, "turn": 4.0, "zoom": 0.05, "colour": 0.1, "ema": 0.998},
    },
    "tiny": {
        "model": {
            "size": 32, "channels": 4, "encoder_channels": 4, "id_network": "resnet18", "id_width": 4, "id_people": 64, "features": 16,
            "shape_width": 4, "shape_identity": 3, "shape_expression": 4, "noise": 8,
        },
        "training": {"warm": 20, "id_lr": 1e-3, "lr": 2e-4, "decay_from": 0, "decay_to": 0},
        "run": {"steps": 60, "batch_size": 4, "log_every": 10, "save_every": 20, "preview_every": 60},
    },
}  # fmt: skip
