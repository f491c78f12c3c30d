"""The two-sample test by a classifier (Lopez-Paz & Oquab 2017): can a small network that never saw anything else tell
two sets of pictures apart?

here   maps
Judge  pictures (B,3,96,96) in [-1,1]  ->  logits (B,), above 0 for the first set

It is trained anew for each test, so no editor can have learnt to please it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from masque.layers.randomness import OwnRandomness
from masque.metrics.estimates import Estimate, estimate
from masque.metrics.verification import auc

SIDE = 96
"""Side in pixels of the pictures that are told apart."""

FOLDS = 5
"""Parts of the people; each is judged by a network that learnt from the others."""

FEWEST = 10
"""Pictures that each set needs: of fewer the area says nothing."""

EPOCHS = 30
AT_ONCE = 16
RATE = 2e-3
"""Passes over the pictures, pictures of a step, and the highest learning rate of AdamW, which falls as a cosine."""


class Judge(nn.Module):
    """Five convolutions that halve, then the mean and the largest value of each map."""

    def __init__(self, widths: Sequence[int] = (24, 48, 64, 96, 96)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((3, *widths[:-1]), widths, strict=True):
            layers += [nn.Conv2d(before, after, 3, 2, 1, bias=False), nn.GroupNorm(8, after), nn.LeakyReLU(0.1)]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(2 * widths[-1], 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """(B,3,S,S) in [-1,1] -> logits (B,)."""
        maps = self.body(pictures)
        logits: Tensor = self.head(torch.cat([maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))], 1))[:, 0]
        return logits


def two_sample_auc(
    one: Tensor, other: Tensor, people: Sequence[str], other_people: Sequence[str], seed: int = 0, epochs: int = EPOCHS
) -> Estimate:
    """How well two sets of pictures can be told apart: the mean over folds of the area under the receiver operating
    curve, on people whom the judge of the fold has not seen. 0.5 is not at all, 1 always.

    one, other: (N,3,S,S) and (M,3,S,S) in [-1,1]. people, other_people: who is in each picture; an empty name is a
    person of whom there is one picture. seed: of folds, networks and order; the same seed gives the same number on one
    machine. epochs: passes of each fold. n is N + M; nothing is measured where either set has fewer than ten pictures,
    or there are fewer people than folds."""
    pictures = torch.cat([one, other])
    names = [name or f"\0{place}" for place, name in enumerate([*people, *other_people])]
    first = np.arange(len(pictures)) < len(one)
    fold = _folds(names, first, seed)
    nothing = min(len(one), len(other)) < FEWEST or len(np.unique(fold)) < FOLDS
    scores = np.full(len(pictures), np.nan)
    with _one_thread():
        for number in () if nothing else range(FOLDS):
            inside = torch.from_numpy(fold == number)
            labels = torch.from_numpy(first.astype(np.float32))
            judge = _trained(pictures[~inside], labels[~inside], seed * FOLDS + number, epochs)
            scores[fold == number] = _scores(judge, pictures[inside])
    return estimate(lambda chosen: _mean_area(scores[chosen], first[chosen], fold[chosen]), ~np.isnan(scores), names)


def _folds(names: Sequence[str], first: NDArray[np.bool_], seed: int) -> NDArray[np.int64]:
    """The fold of each picture, the same for all of a person. People with many pictures are dealt out first, each to
    the fold that has fewest of their kind, so that both sets are in all folds."""
    generator = np.random.default_rng([seed, 5])
    who = list(dict.fromkeys(names))
    counts = {name: np.zeros(2, np.int64) for name in who}
    for name, kind in zip(names, first, strict=True):
        counts[name][int(kind)] += 1
    shuffled = [who[k] for k in generator.permutation(len(who))]
    share = np.maximum(1, [(~first).sum(), first.sum()])
    held = np.zeros((FOLDS, 2))
    fold_of = {}
    for name in sorted(shuffled, key=lambda name: -int(counts[name].sum())):
        load = ((held + counts[name]) / share).max(axis=1)
        fold_of[name] = int(load.argmin())
        held[fold_of[name]] += counts[name]
    return np.array([fold_of[name] for name in names], np.int64)


def _trained(pictures: Tensor, labels: Tensor, seed: int, epochs: int) -> Judge:
    """A judge that learnt which pictures are of the first set, each seen as it is or mirrored, and moved a little."""
    generator = torch.Generator().manual_seed(seed)
    with OwnRandomness(seed):
        judge = Judge()
    steps = epochs * max(1, len(pictures) // AT_ONCE)
    optimiser = torch.optim.AdamW(judge.parameters(), RATE, weight_decay=0.05)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, steps + 1, pct_start=0.2)
    weight = (1 - labels).sum() / labels.sum()  # both sets count alike
    for _ in range(epochs):
        order = torch.randperm(len(pictures), generator=generator)
        for start in range(0, len(order) - AT_ONCE + 1, AT_ONCE) or (0,):
            chosen = order[start : start + AT_ONCE]
            batch = _varied(pictures[chosen], generator)
            loss = F.binary_cross_entropy_with_logits(judge(batch), labels[chosen], pos_weight=weight)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            rates.step()
    return judge.eval()


def _varied(pictures: Tensor, generator: torch.Generator) -> Tensor:
    mirrored = torch.rand(len(pictures), generator=generator) < 0.5
    pictures = torch.where(mirrored[:, None, None, None], pictures.flip(3), pictures)
    down, right = (int(v) for v in torch.randint(-4, 5, (2,), generator=generator))
    return torch.roll(pictures, (down, right), (2, 3))


def _scores(judge: Judge, pictures: Tensor) -> NDArray[np.float64]:
    with torch.inference_mode():
        both = [judge(part) + judge(part.flip(3)) for part in torch.split(pictures, AT_ONCE)]
    return torch.cat(both).double().numpy()


def _mean_area(scores: NDArray[np.float64], first: NDArray[np.bool_], fold: NDArray[np.int64]) -> float:
    """The mean of the folds' areas: scores of different judges do not compare. Folds that lack a set are left out."""
    areas = []
    for number in np.unique(fold):
        inside = fold == number
        if first[inside].any() and not first[inside].all():
            areas.append(auc(scores[inside], first[inside]))
    return float(np.mean(areas)) if areas else float("nan")


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread of torch's: sums of several come out in another order each time."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
