"""What several recipes borrow and no paper of theirs has. Each is off unless its settings ask for it, and then a recipe
has no network, phase or term of it.

extra                            settings                        what a recipe gains
a judge of a face parser's maps  parser, maps, maps_lr, maps_r1  D_maps; terms adv_maps, fool_maps; phase smooth_maps
lazy R1                          r1, r1_every                    phase smooth, with a term for each discriminator
a lead of the discriminators     lead                            the generator's phases begin later
the same person                  identity, id                    E_id; terms id, id_random
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from masque.data.batches import Batch
from masque.errors import SettingError
from masque.losses.adversarial import R1_EVERY, fake_loss, r1_penalty, real_loss
from masque.models.identity import Features, load_features
from masque.models.parser import MapsDiscriminator, UNet, load_unet
from masque.train.distributed import mean_over_processes, process_count
from masque.train.phase import Phase


@dataclass(frozen=True)
class LazyR1:
    """R1 (Mescheder et al. 2018): half the squared gradient of a discriminator at real data, which keeps it from being
    sure of all that it sees, after which its own gradients teach a generator nothing."""

    r1: float = 0.0
    """Weight of R1; 0 leaves it out."""
    r1_every: int = R1_EVERY
    """R1 is computed in every so many steps, and weighs so many times as much there (Karras et al. 2020)."""


Penalty = tuple[str, Callable[[Batch], Tensor]]
"""The name of a discriminator, and its R1 on a batch (a scalar)."""


def lazy_r1(
    settings: LazyR1, penalties: Mapping[str, Penalty], since: int = 0, until: int | None = None
) -> list[Phase]:
    """The phase `smooth` of R1, or none where its weight is 0 or there are no penalties.

    penalties: term -> penalty. since, until: the first step in which the phase may be due, and in which it no longer
    is."""
    return _smoothing("smooth", settings.r1, settings.r1_every, penalties, since, until)


def _smoothing(
    name: str, weight: float, every: int, penalties: Mapping[str, Penalty], since: int, until: int | None
) -> list[Phase]:
    if not weight or not penalties:
        return []

    def terms(batch: Batch) -> dict[str, Tensor]:
        return {term: penalty(batch) for term, (_, penalty) in penalties.items()}

    nets = tuple(dict.fromkeys(net for net, _ in penalties.values()))
    return [Phase(name, nets, terms, dict.fromkeys(penalties, weight * every), every, since=since, until=until)]


def after_lead(lead: int, phases: Sequence[Phase]) -> list[Phase]:
    """The phases of generators, begun `lead` steps later: discriminators that begin anew learn alone until then, so
    that they do not lead trained generators astray."""
    return [replace(phase, since=phase.since + lead) for phase in phases]


@dataclass(frozen=True)
class ParserMaps:
    """Settings of the judge of a face parser's maps."""

    parser: str = ""
    """A trained model of the family parser, which stays as it is: `parser`, which ships, or a folder."""
    maps: float = 1.0
    """Weight of what D_maps says in the generator's training; 0 leaves D_maps out."""
    maps_lr: float = 5e-4
    """Learning rate of D_maps."""
    maps_r1: float = 0.02
    """Weight of R1 on D_maps. Its gradients pass through the parser's and are larger than another discriminator's."""


class MapsJudge:
    """D_maps, a second discriminator of pictures, which sees the maps of a face parser P_F (after Sauer et al. 2021).

    One that begins with nothing has to find out first where hair, eyes and lips are. Without it all of `nets`,
    `judges`, `adv`, `fool` and what the methods return are empty."""

    betas = (0.5, 0.99)
    """β₁ and β₂ of D_maps's Adam."""

    def __init__(self, settings: ParserMaps, size: int) -> None:
        """size: side of the pictures that D_maps sees; others are scaled to it. Raises CheckpointError where the folder
        holds no parser."""
        self.settings = settings
        self.P_F: UNet | None = load_unet(Path(settings.parser)) if settings.parser else None
        self.D_maps = MapsDiscriminator(self.P_F, size) if self.P_F is not None and settings.maps else None
        has_judge = self.D_maps is not None
        self.judges: tuple[str, ...] = ("D_maps",) if has_judge else ()
        """What the phase that trains discriminators of pictures trains besides."""
        self.adv: Mapping[str, float] = {"adv_maps": 1.0} if has_judge else {}
        """The weight of what that phase computes besides."""
        self.fool: Mapping[str, float] = {"fool_maps": settings.maps} if has_judge else {}
        """The weight of what the phase that trains the generator computes besides."""

    @property
    def nets(self) -> Mapping[str, nn.Module]:
        """The networks that a recipe has besides: D_maps, and P_F, which is frozen."""
        return {} if self.D_maps is None or self.P_F is None else {"D_maps": self.D_maps, "P_F": self.P_F}

    def adv_terms(self, real: Tensor, made: Tensor) -> dict[str, Tensor]:
        """−log D_maps(x) − log(1 − D_maps(x')) of real and made pictures (B,3,S,S)."""
        return {} if self.D_maps is None else {"adv_maps": real_loss(self.D_maps(real)) + fake_loss(self.D_maps(made))}

    def fool_terms(self, made: Tensor) -> dict[str, Tensor]:
        """−log D_maps(x') of made pictures (B,3,S,S)."""
        return {} if self.D_maps is None else {"fool_maps": real_loss(self.D_maps(made))}

    def phases(
        self, real: Callable[[Batch], Tensor], every: int, since: int = 0, until: int | None = None
    ) -> list[Phase]:
        """The phase `smooth_maps`: R1 of D_maps on `real(batch)`, in every `every`-th step."""
        if self.D_maps is None:
            return []
        penalty = partial(_penalty, self.D_maps, real)
        return _smoothing("smooth_maps", self.settings.maps_r1, every, {"r1_maps": ("D_maps", penalty)}, since, until)


def _penalty(judge: nn.Module, real: Callable[[Batch], Tensor], batch: Batch) -> Tensor:
    return r1_penalty(judge, real(batch))


@dataclass(frozen=True)
class SamePerson:
    """Settings of the terms by which a face stays the same person's."""

    identity: str = ""
    """A trained model of the family identity, whose E_id tells people: `identity`, which ships, or a folder."""
    id: float = 0.0
    """Weight of both terms; 0 leaves them out."""


class PersonTerms:
    """1 − cos(E_id(x'), E_id(x)) by a frozen E_id, of pictures that a network makes of real ones. Without it `nets`,
    `weights` and what `terms` returns are empty."""

    def __init__(self, settings: SamePerson) -> None:
        """Raises CheckpointError where the folder holds no model of the family identity, and SettingError where the
        terms have a weight and no model is named."""
        if settings.id and not settings.identity:
            raise SettingError(
                "id weighs what a model of the family identity says of the person: "
                "name one, such as --set identity=identity."
            )
        self.E_id: Features | None = load_features(Path(settings.identity))[0] if settings.id else None
        self.nets: Mapping[str, nn.Module] = {} if self.E_id is None else {"E_id": self.E_id}
        self.weights: Mapping[str, float] = {} if self.E_id is None else {"id": settings.id, "id_random": settings.id}

    def terms(self, x: Tensor, both: Tensor, own: Tensor) -> dict[str, Tensor]:
        """How far the faces of x' and x̂' are from the people of x (B,3,S,S).

        both: x' and x̂' (2B,3,S,S). own: (B,) 1 where x̂' shall have x's face, 0 where it has another."""
        if self.E_id is None:
            return {}
        E_id = self.E_id.eval()
        with torch.no_grad():
            real = E_id.of_any_size(x)
        distances = 1 - (E_id.of_any_size(both) * torch.cat([real, real])).sum(dim=1)
        same, random = distances.chunk(2)
        # Of the whole batch, however many processes share it: the mean of their terms is then that of one.
        count = mean_over_processes(own.sum()).clamp(min=1 / process_count())
        return {"id": same.mean(), "id_random": (own * random).sum() / count}
