"""A phase of training: which networks it updates, from which terms, how heavily weighted, how often."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from torch import Tensor, nn
from torch.optim import Optimizer

from masque.data.batches import Batch
from masque.data.frames import FrameSet
from masque.image import Picture
from masque.modelfile import ModelFile

Weight = float | Callable[[int], float]
"""A term's weight: a number, or a function of the step."""


@dataclass(frozen=True)
class Phase:
    """One line of a paper's training algorithm."""

    name: str
    nets: tuple[str, ...]
    """What this phase updates; all other networks stay frozen, though gradients pass through them."""
    loss: Callable[[Batch], dict[str, Tensor]]
    """The unweighted scalar terms of a batch, named as in the paper."""
    weights: Mapping[str, Weight]
    every: int = 1
    """The phase is due in every so many steps."""
    turn: int = 0
    """Which of these steps: 0 is the first."""
    since: int = 0
    """First step in which the phase may be due."""
    until: int | None = None
    """First step from which it is no longer due; None is never."""

    def due(self, step: int) -> bool:
        """Whether this phase runs in `step`."""
        return step >= self.since and (self.until is None or step < self.until) and step % self.every == self.turn


class Recipe(Protocol):
    """What the engine needs to know of something trainable."""

    nets: Mapping[str, nn.Module]
    served: tuple[str, ...]
    """The networks a user needs afterwards; their averaged weights become the model."""

    def phases(self) -> Sequence[Phase]:
        """The phases in the order in which they run within a step."""
        ...

    def optimizer(self, name: str, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """The optimizer of the network `name`."""
        ...

    def learning_rate(self, name: str, step: int) -> float:
        """The learning rate of the network `name` in `step`."""
        ...

    def preview(self, batch: Batch, nets: Mapping[str, nn.Module]) -> tuple[list[Picture], int]:
        """Pictures that show the state of training on a few held-out samples, and how many stand in a row.

        nets: the averaged networks.
        """
        ...


@runtime_checkable
class Begins(Protocol):
    """A recipe that takes something from the data, or from other models, before a new run's first step."""

    def begin(self, frames: FrameSet) -> None:
        """Called once, with networks as they are initialised; what it changes in them is in every saved state. Raises
        MasqueError."""
        ...


@dataclass(frozen=True)
class Asks:
    """What has to be known of pictures to train on, or a term is 0 in every batch and teaches nothing."""

    of: Literal["people", "attributes", "labels"]
    """At least two people, or some attribute, or part of the face, of some picture"""
    weight: str = ""
    """The setting that leaves the term out where it is 0; empty where it cannot be"""


@runtime_checkable
class Asking(Recipe, Protocol):
    """A recipe that has such terms."""

    asks: Mapping[str, Asks]
    """Term -> what it asks of the data"""


@runtime_checkable
class Grows(Protocol):
    """A recipe whose networks can begin with a smaller model's."""

    def grow_from(self, start: ModelFile) -> None:
        """Take what the smaller model has. Raises MasqueError where it does not fit."""
        ...


def check_terms(phase: Phase, terms: Mapping[str, Tensor]) -> None:
    """Raise ValueError unless the loss returned exactly the terms that have a weight."""
    if terms.keys() != phase.weights.keys():
        unweighted, missing = sorted(terms.keys() - phase.weights.keys()), sorted(phase.weights.keys() - terms.keys())
        raise ValueError(f"phase {phase.name}: terms without a weight: {unweighted}; weights without a term: {missing}")


def weight_at(weight: Weight, step: int) -> float:
    """The value of a weight in `step`."""
    return weight(step) if callable(weight) else weight
