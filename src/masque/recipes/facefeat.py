"""Training of FaceFeat-GAN (Shen et al. 2018, Eq. 1-5 and 7-11): E_id and E_1 first, then two competitions, over
features and over pictures.

paper       here                       who it updates, in the phase
Eq. 5, 7    people, shape              E_id, W_id; E_1     tell, see: masque.recipes.facefeat_extractors
Eq. 2       f_1, f_2                   D_1^f, D_2^f        judge_features
Eq. 4       adv                        D^I                 judge
Eq. 1       f_1, f_2, picture          G_1^f, G_2^f        draw
Eq. 3, 8    rec, fool, id, id_made     G^I, E_2            paint
`beyond`    fool_made, shape, shape_made                   paint
extras      r1, r1_f_1, r1_f_2; adv_maps, r1_maps, fool_maps, fool_maps_made: see masque.recipes.extras
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeVar

import torch
from torch import Tensor, nn

from masque.config import Former, Preset, Presets, Removed, Setting
from masque.data.batches import Batch
from masque.data.frames import FrameSet
from masque.errors import SettingError
from masque.image import Picture, to_pictures
from masque.layers.augment import DRAWS, augment
from masque.layers.noise import uniform
from masque.losses.adversarial import fake_loss, r1_penalty, real_loss
from masque.losses.reconstruction import weighted_l1
from masque.models.facefeat import SERVED, FaceFeat, FaceFeatConfig, Judges, sphere
from masque.recipes.extras import LazyR1, MapsJudge, ParserMaps, Penalty, after_lead, lazy_r1
from masque.recipes.facefeat_extractors import EXTRACTING, Extraction, Extractors
from masque.train.balance import as_functions_of, balance_gradients
from masque.train.phase import Needs, Phase
from masque.train.rates import Schedule

T = TypeVar("T")

ABLATED: Mapping[str, frozenset[str]] = {
    "none": frozenset(),
    "id": frozenset({"id", "id_made"}),
    "features": frozenset({"f_1", "f_2", "r1_f_1", "r1_f_2"}),
    "picture": frozenset({"adv", "picture", "fool", "fool_made", "r1"}),
    "rec": frozenset({"rec"}),
}
"""Ablation of Table 4 -> the terms that it leaves out."""

OF_D_I = frozenset({"adv", "fool", "fool_made", "r1"})
"""Terms for which D^I is asked, apart from Eq. 1's."""

BEYOND = ("shape", "picture", "views")
"""What the setting `beyond` can list."""

VIEWS = (0.4, 0.2, 0.4, 0.2, 0.2)
"""How far E_id's views of a picture go, of DiffAugment's brightness, saturation, contrast and shifts: about as its
training moves them."""


@dataclass(frozen=True)
class FaceFeatTraining:
    """Section 4, and what it leaves open."""

    extractors: Extractors = Extractors()
    """Where E_id and E_1 come from, and how they learn (Eq. 5 and 7)."""
    without: Literal["none", "id", "features", "picture", "rec"] = "none"
    """Table 4: (a) without φ_id, (b) without φ^f, (c) without φ^I, (d) without φ_rec."""
    beyond: tuple[str, ...] = ()
    """What G^I learns beyond Eq. 3 and 8: `shape`, to show the f_1 that it paints from, without which it may look for
    pose and expression in f_2 alone, and heads turn for nobody; `picture`, that drawn pictures fool D^I as well, which
    Eq. 1 asks of G_i^f alone; `views`, that φ_id holds for pictures mirrored, recoloured and moved, and for any part of
    what E_id sees: one that satisfies it at a single view may do so by a pattern that nobody else takes for a face."""
    fool: float = 1.0
    """Weight of φ^I in G^I's training, once its gradient is as large as that of φ_rec: less paints softer, and with
    less noise. 0 leaves D^I out of everything where D_maps judges as well."""
    penalty: LazyR1 = LazyR1()
    """R1 of D^I, D_1^f and D_2^f."""
    maps_judge: ParserMaps = ParserMaps()
    """D_maps, in Eq. 3 and 4; `maps` weighs what it says once its gradient is as large as that of φ_rec."""
    lead: int = 0
    """Steps after `warm` in which the discriminators learn alone, so that new ones do not lead trained generators
    astray."""
    lr: float = 8e-5
    """Learning rate of E_2 and the generators, and of the discriminators where `judge_lr` is 0."""
    judge_lr: float = 0.0
    """Learning rate of D^I, D_1^f and D_2^f where it is one of their own. Where they fall behind, their gradients,
    which are made as large as that of φ_rec, teach noise."""
    schedule: Schedule = Schedule("stairs", 100_000, 100_000, 0.625)
    """How `lr` falls, its steps counted from the end of `warm`: 8·10⁻⁵ and from 100,000 on 5·10⁻⁵. Other rates stay."""

    former: ClassVar[Former] = Former(
        {
            "augment": Removed("D^I sees pictures as they are", neutral="none"),
            "whiten": Removed("D_2^f sees f_2 as it is", neutral=False),
            "competition": Removed(
                "both competitions are held; without=picture leaves out the one over pictures", neutral="both"
            ),
            "beta1": Removed("it is 0.5", neutral=0.5),
        }
    )

    def __post_init__(self) -> None:
        unknown = [name for name in self.beyond if name not in BEYOND]
        if unknown:
            raise SettingError(
                f"There is nothing called {unknown[0]} to learn beyond the paper: choose from {', '.join(BEYOND)}."
            )
        if self.maps_judge.parser and self.without == "picture":
            raise SettingError(
                "Where no pictures are judged (without=picture) a parser has no say: leave out --set parser."
            )


class FaceFeatRecipe:
    """E_id and E_1, and then both competitions in every step."""

    served = SERVED
    needs: Mapping[str, Needs] = {"people": Needs("people")}

    def __init__(self, config: FaceFeatConfig, training: FaceFeatTraining) -> None:
        self.config, self.training = config, training
        self.model, self.judges = FaceFeat(config), Judges(config, training.extractors.softmax)
        self.maps = MapsJudge(training.maps_judge, config.size)
        self.nets: Mapping[str, nn.Module] = {
            **{name: getattr(self.model, name) for name in SERVED},
            **{name: getattr(self.judges, name) for name in ("D_f1", "D_f2", "D_I", "W_id")},
            **self.maps.nets,
        }
        alone = self.maps.D_maps if not training.fool else None
        self.left_out = ABLATED[training.without] | (frozenset() if alone is None else OF_D_I)
        self.D_picture: nn.Module = self.judges.D_I if alone is None else alone
        """Who judges drawn pictures in Eq. 1: D^I, or D_maps where that judges alone."""
        self.extraction = Extraction(config, training.extractors, self.model.E_id, self.model.E_1, self.judges.W_id)
        self.painting = self.paint_weights()

    def begin(self, frames: FrameSet) -> None:
        """Take over trained extractors, and learn the 3D model where none is named. Raises DataError, CheckpointError,
        SettingError."""
        self.extraction.begin(frames)

    def phases(self) -> Sequence[Phase]:
        """Eq. 5 and 7 until `warm`; then Eq. 2, 4, 1 and 3 with 8 in every step."""
        w, since = self.training, self.extraction.warm
        features = self.not_ablated({"f_1": 1.0, "f_2": 1.0})
        adv = {**self.not_ablated({"adv": 1.0}), **self.maps.adv}
        judges = (*self.not_ablated({"adv": "D_I"}).values(), *self.maps.judges)
        draw = self.not_ablated({"f_1": 1.0, "f_2": 1.0, "picture": 1.0})
        generators = [
            Phase("draw", ("G_f1", "G_f2"), self.draw_terms, draw, since=since),
            Phase("paint", ("G_I", "E_2"), self.paint_terms, self.painting, since=since),
        ]
        found = [
            *self.extraction.phases(),
            Phase("judge_features", ("D_f1", "D_f2"), self.judge_features_terms, features, since=since),
            Phase("judge", judges, self.judge_terms, adv, since=since),
            *lazy_r1(w.penalty, self.penalties(), since=since),
            *self.maps.phases(lambda batch: batch["image"], w.penalty.r1_every, since=since),
            *after_lead(w.lead, generators),
        ]
        return [phase for phase in found if phase.weights]

    def not_ablated(self, terms: Mapping[str, T]) -> dict[str, T]:
        """What `terms` has by the names of terms, without those that the ablation leaves out."""
        return {name: value for name, value in terms.items() if name not in self.left_out}

    def paint_weights(self) -> dict[str, float]:
        """Of the terms of Eq. 3 and 8, and of those beyond them. A term with _made is of drawn pictures."""
        beyond, fool = self.training.beyond, {"fool": self.training.fool, **self.maps.fool}
        weights = {"rec": 1.0, **fool, "id": 1.0, "id_made": 1.0}
        if "shape" in beyond:
            weights |= {"shape": 1.0, "shape_made": 1.0}
        if "picture" in beyond:
            weights |= {f"{name}_made": weight for name, weight in fool.items()}
        return self.not_ablated(weights)

    def penalties(self) -> dict[str, Penalty]:
        """R1 of each discriminator, on real pictures and features."""
        return self.not_ablated(
            {
                "r1": ("D_I", lambda batch: r1_penalty(self.judges.D_I, batch["image"])),
                "r1_f_1": ("D_f1", lambda batch: r1_penalty(self.judges.D_f1, self.extraction.f_1(batch))),
                "r1_f_2": ("D_f2", lambda batch: r1_penalty(self.judges.D_f2, self.real_f_2(batch))),
            }
        )

    def optimizer(self, name: str, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Adam, with the usual memory of gradients for E_id and E_1, and a shorter one for what competes."""
        betas = (0.9, 0.999) if name in EXTRACTING else self.maps.betas if name == "D_maps" else (0.5, 0.999)
        return torch.optim.Adam(parameters, lr=self.learning_rate(name, 0), betas=betas, fused=True)

    def learning_rate(self, name: str, step: int) -> float:
        """A constant rate for E_id, E_1, D_maps and, where `judge_lr` is set, the discriminators; for all others `lr`,
        which falls by the schedule."""
        w = self.training
        if name in EXTRACTING:
            return w.extractors.id_lr
        if name == "D_maps":
            return w.maps_judge.maps_lr
        if name.startswith("D_") and w.judge_lr:
            return w.judge_lr
        return w.schedule.at(w.lr, step - self.extraction.warm)

    def real_f_2(self, batch: Batch) -> Tensor:
        """f_2 (B,F) of the batch's pictures, through which E_2 gets no gradient."""
        with torch.no_grad():
            return sphere(self.model.E_2(batch["image"]))

    def judge_features_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 2. As it is printed it has no lower bound: log(1 − D) takes the place of −log D."""
        f_1, f_2 = self.extraction.f_1(batch), self.real_f_2(batch)
        with torch.no_grad():
            made_1, made_2 = self.model.sample_features(batch["seed"], "judge features")
        D_1, D_2 = self.judges.D_f1, self.judges.D_f2
        return {
            "f_1": real_loss(D_1(f_1)) + fake_loss(D_1(made_1)),
            "f_2": real_loss(D_2(f_2)) + fake_loss(D_2(made_2)),
        }

    def paint(self, f_id: Tensor, features: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        """G^I's pictures (N·B,3,S,S) of the people f_id (B,F) with each of N pairs of f_1 and f_2."""
        firsts, seconds = zip(*features, strict=True)
        pictures: Tensor = self.model.G_I(f_id.repeat(len(features), 1), torch.cat(firsts), torch.cat(seconds))
        return pictures

    def judge_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 4, bounded like Eq. 2; λ_3 = λ_4 = ½, so that what is made counts as much as what is real."""
        x = batch["image"]
        with torch.no_grad():
            drawn = self.model.sample_features(batch["seed"], "judge")
            features = [drawn, (self.extraction.f_1(batch), self.model.E_2(x))]
            made = self.paint(self.extraction.f_id(batch), features).to(x.dtype)
        terms = {}
        if "adv" not in self.left_out:
            on_real, on_drawn, on_rebuilt = self.judges.D_I(torch.cat([x, made])).chunk(3)
            terms["adv"] = real_loss(on_real) + 0.5 * (fake_loss(on_drawn) + fake_loss(on_rebuilt))
        return {**terms, **self.maps.adv_terms(x, made)}

    def draw_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 1; λ_i^f makes both gradients at a feature as large as each other."""
        f_1, f_2 = self.model.sample_features(batch["seed"], "draw")
        features = {"f_1": (f_1, self.judges.D_f1), "f_2": (f_2, self.judges.D_f2)}
        if "picture" in self.left_out:
            return {name: real_loss(D(feature)) for name, (feature, D) in features.items()}
        picture = real_loss(self.D_picture(self.paint(self.extraction.f_id(batch), [(f_1, f_2)])))
        if "f_1" in self.left_out:
            return {"picture": picture}
        terms, shares = {}, []
        parts = as_functions_of(picture, [f_1, f_2])
        for (name, (feature, D)), part in zip(features.items(), parts, strict=True):
            made, _ = balance_gradients(feature, {name: real_loss(D(feature)), "picture": part})
            terms[name] = made[name]
            shares.append(made["picture"])
        return {**terms, "picture": torch.stack(shares).mean() * 2 - picture.detach()}

    def paint_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Eq. 3 and 8; λ_1, λ_2 and the weight of φ^I make the gradients at a picture as large as that of φ_rec."""
        x, f_id = batch["image"], self.extraction.f_id(batch)
        features = [(self.extraction.f_1(batch), self.model.E_2(x))]
        if any(name.endswith("_made") for name in self.painting):
            with torch.no_grad():
                features.append(self.model.sample_features(batch["seed"], "paint"))
        # All pictures at once, made again and drawn; each network of a loss then goes through them once.
        pictures = self.paint(f_id, features)
        terms = {"rec": weighted_l1(x, pictures[: len(x)], batch["valid"])} if "rec" in self.painting else {}
        for name, D in (("fool", self.judges.D_I), ("fool_maps", self.maps.D_maps)):
            if name in self.painting and D is not None:
                shown = pictures[: len(self.of_both(name)) * len(x)]
                terms |= self.by_origin(name, D(shown), real_loss)
        if "id" in self.painting:
            apart = self.identity_error(pictures, f_id.repeat(len(features), 1), batch["seed"])
            terms |= self.by_origin("id", apart, torch.mean)
        if "shape" in self.painting:
            apart = self.shape_error(pictures, torch.cat([f_1 for f_1, _ in features]))
            terms |= self.by_origin("shape", apart, torch.mean)
        pairs = [(name, f"{name}_made") for name in terms if f"{name}_made" in terms]
        return balance_gradients(pictures, terms, pairs=pairs)[0]

    def of_both(self, name: str) -> list[str]:
        """The term `name`, of pictures made again, and name_made, of drawn ones, where they are not left out."""
        return [each for each in (name, f"{name}_made") if each in self.painting]

    def by_origin(self, name: str, values: Tensor, loss: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
        """The terms `of_both(name)` from values (N·B,·) of pictures made again and then of drawn ones."""
        names = self.of_both(name)
        return {each: loss(part) for each, part in zip(names, values.chunk(len(names)), strict=True)}

    def identity_error(self, pictures: Tensor, f_id: Tensor, seeds: Tensor) -> Tensor:
        """φ_id (N·B,) of pictures (N·B,3,S,S), Eq. 11, as a mean over the entries of f_id (N·B,F) too."""
        E_id = self.model.E_id
        if "views" not in self.training.beyond:
            return (sphere(E_id(pictures)) - f_id).square().mean(dim=1)
        count = len(pictures) // len(seeds)
        many = torch.cat([seeds * count + part for part in range(count)])  # noise of its own for each
        draws = uniform(many, "view", DRAWS + 1, pictures.device)
        mirrored = torch.where(draws[:, -1, None, None, None] < 0.5, pictures.flip(3), pictures)
        views = augment(mirrored, 0.5 + draws.new_tensor(VIEWS) * (draws[:, :-1] - 0.5))
        return (sphere(E_id(views, many)) - f_id).square().mean(dim=1)

    def shape_error(self, pictures: Tensor, f_1: Tensor) -> Tensor:
        """How far each picture's f_1 is from the one it was painted from (N·B,E+1), (N·B,), as Eq. 7 measures it."""
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


LIGHT: Mapping[str, Setting] = {"activation": "leaky", "id_network": "resnet18", "id_people": 1024}
"""Networks that cost less, and E_id's softmax for the people of a small set."""

FEW_PEOPLE: Mapping[str, Setting] = {"warm": 6000, "softmax": "margin", "margin": 0.2, "scale": 32.0, "id_lr": 1e-3}
"""How E_id learns from some hundred people in place of CASIA-WebFace's ten thousand."""

MOVED: Mapping[str, Setting] = {"shift": 3.0, "turn": 4.0, "zoom": 0.05, "colour": 0.1}
CONSTANT: Mapping[str, Setting] = {"decay_from": 0, "decay_to": 0}

# 128 px and half as wide, for an accelerator; with what small sets and heads that turn need beyond the paper
_LARGE: Preset = {
    "model": {"channels": 64, "encoder_channels": 32, "id_width": 48, "shape_width": 32, **LIGHT},
    "training": {
        **FEW_PEOPLE,
        "lr": 1e-4,
        "judge_lr": 4e-4,
        "decay_from": 10_000,
        "decay_to": 10_000,
        "decay_factor": 0.5,
        "r1": 0.3,
        "fool": 0.25,
        "beyond": ("shape", "picture", "views"),
    },
    "run": {"steps": 18_000, "batch_size": 32, "ema": 0.999, **MOVED},
}

PRESETS: Presets = {
    "paper": {
        "model": {},
        "training": {},
        "run": {"steps": 220_000, "batch_size": 96, "shift": 0.0, "turn": 0.0, "zoom": 0.0, "colour": 0.0},
    },
    "128": _LARGE,
    # The same with the narrower E_1 of the weights that ship, which `--from facefeat` begins with
    "best": {**_LARGE, "model": {**_LARGE["model"], "shape_width": 24}},
    # 64 px and narrow, for two processor cores
    "small": {
        "model": {"size": 64, "channels": 48, "encoder_channels": 16, "id_width": 32, "shape_width": 24, **LIGHT},
        "training": {**FEW_PEOPLE, **CONSTANT, "lr": 2e-4, "r1": 0.5},
        "run": {"steps": 18_000, "batch_size": 32, "ema": 0.998, **MOVED},
    },
    "tiny": {
        "model": {
            "size": 32,
            "channels": 4,
            "encoder_channels": 4,
            "id_network": "resnet18",
            "id_width": 4,
            "id_people": 64,
            "features": 16,
            "shape_width": 4,
            "shape_identity": 3,
            "shape_expression": 4,
            "noise": 8,
        },
        "training": {**CONSTANT, "warm": 20, "id_lr": 1e-3, "lr": 2e-4},
        "run": {"steps": 60, "batch_size": 4, "log_every": 10, "save_every": 20, "preview_every": 60},
    },
}
