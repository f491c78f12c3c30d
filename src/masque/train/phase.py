"""What the engine needs to know of a training: the phases of a step, and the recipe that they are part of."""

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
"""The weight of a term in a loss: a number, or a function of the step."""


@dataclass(frozen=True)
class Phase:
    """One line of a paper's training algorithm: networks that are updated together, from one weighted sum of terms."""

    name: str
    """Under which its terms are logged, as "name.term"; unlike that of every other phase of the recipe."""
    nets: tuple[str, ...]
    """Names of the networks that this phase updates. All others stay as they are, though gradients pass through
    them."""
    loss: Callable[[Batch], dict[str, Tensor]]
    """Computes the terms of a batch: scalars without their weights, by the names that the paper gives them."""
    weights: Mapping[str, Weight]
    """Term -> its weight. These are exactly the terms that `loss` returns."""
    every: int = 1
    """The phase is due once in so many steps, from 1 on."""
    offset: int = 0
    """In which of these steps, from 0 for the first to every - 1 for the last."""
    since: int = 0
    """The first step, counted from 0, in which the phase may be due."""
    until: int | None = None
    """The step from which the phase is no longer due; None for a phase that has no end."""

    def due(self, step: int) -> bool:
        """Whether this phase runs in `step`, counted from 0."""
        return step >= self.since and (self.until is None or step < self.until) and step % self.every == self.offset


class Recipe(Protocol):
    """A paper's training: its networks, and how they learn."""

    nets: Mapping[str, nn.Module]
    """Every network that a phase updates or that a saved state has to hold, by its name."""
    served: tuple[str, ...]
    """The names of those that users need afterwards: their averaged weights become the model."""

    def phases(self) -> Sequence[Phase]:
        """The phases in the order in which they run within a step; asked for once, when the run begins or goes on."""
        ...

    def optimizer(self, name: str, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """A new optimizer of the parameters of the network `name`."""
        ...

    def learning_rate(self, name: str, step: int) -> float:
        """The learning rate of the network `name` in `step`, counted from 0."""
        ...

    def preview(self, batch: Batch, nets: Mapping[str, nn.Module]) -> tuple[list[Picture], int]:
        """Pictures that show the state of training on a few held-out samples, row by row, and how many stand in a row.

        nets: the averaged networks of `served`, by name.
        """
        ...


@runtime_checkable
class Begins(Protocol):
    """A recipe that takes something from the data, or from other models, before a new run's first step."""

    def begin(self, frames: FrameSet) -> None:
        """Called once, with the networks as they were initialised; what it changes in them is part of every saved
        state. frames: all the data of the run. Raises MasqueError where it does not fit the recipe."""
        ...


@dataclass(frozen=True)
class Needs:
    """What must be known of the pictures to train on, or a term is 0 in every batch and teaches nothing."""

    of: Literal["people", "attributes", "labels"]
    """people: who is who, of two people at least. attributes: one attribute of one picture at least. labels: some part
    of the face in one picture's label map at least."""
    weight: str = ""
    """The setting that leaves the term out where it is 0; empty where no setting does."""


@runtime_checkable
class NeedsData(Recipe, Protocol):
    """A recipe that has terms which not every data set can teach."""

    needs: Mapping[str, Needs]
    """Term -> what it needs of the data."""


@runtime_checkable
class TakesTogether(Protocol):
    """A recipe with terms that take several samples of a batch together."""

    block: int
    """How many, at most: they are of the same block of so many samples, the first of which begins the batch. 1 where no
    settings ask for such a term."""


@runtime_checkable
class Grows(Protocol):
    """A recipe whose networks can begin with those of a smaller model."""

    def grow_from(self, start: ModelFile) -> None:
        """Take over what the smaller model has. Raises SettingError where the sizes of the two do not go together, and
        CheckpointError where its weights do not fit its sizes."""
        ...


@runtime_checkable
class Fit(Protocol):
    """The recipe of a fitted family (`masque.catalog.Family.fitted`): its model is computed from the data at once,
    without gradients, and so it has neither phases nor optimizers."""

    nets: Mapping[str, nn.Module]
    """The networks by their names; their numbers are buffers."""
    served: tuple[str, ...]
    """The names of all of them."""

    def fit(self, frames: FrameSet, on_progress: Callable[[int, int], None]) -> Sequence[str]:
        """Compute the networks' numbers from pictures to train on, the same ones from the same pictures.

        frames: all the data of the run, held-out pictures too, on which the result may be measured. on_progress: called
        now and then with how much is done, and of how much. Returns lines for the model's card: what was found, from
        how many pictures. Raises DataError where the data cannot teach it."""
        ...


def check_terms(phase: Phase, terms: Mapping[str, Tensor]) -> None:
    """Raise ValueError unless a phase's loss returned exactly the terms that have a weight."""
    if terms.keys() != phase.weights.keys():
        unweighted, missing = sorted(terms.keys() - phase.weights.keys()), sorted(phase.weights.keys() - terms.keys())
        raise ValueError(f"phase {phase.name}: terms without a weight: {unweighted}; weights without a term: {missing}")


def weight_at(weight: Weight, step: int) -> float:
    """A weight as the number that it is in `step`."""
    return weight(step) if callable(weight) else weight
