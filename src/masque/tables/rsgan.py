"""RSGAN's Table 1 (Section 4.1): identity preservation and swap consistency of a swapping method, and its error against
true swaps.

x1, x2          two held-out pictures of different people
reconstruction  the method's reconstruction of x1       compared with x1
swap            y = x1's face on x2's hair              identity compared with x1
swap twice      y's face on the hair of x2's on x1      compared with x1
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from masque.data.frames import FrameSet
from masque.data.pool import parallel_map
from masque.data.prepared import PERSON
from masque.data.puppets import Puppet, draw_puppet, render, true_swap
from masque.edits.measures import squared_distance
from masque.errors import DataError, ValueRangeError
from masque.faces.detect import Landmarks, identity, landmarks_near
from masque.image import Picture, to_tensor
from masque.metrics.similarity import absolute_error, ms_ssim
from masque.tables.rsgan_report import Summary, SwapReport
from masque.tables.swapping import AT_ONCE, Method, Sample, locate, sample_of, sample_of_picture, stitched

PUPPET_PAIRS = 200
"""Pairs of puppets for the true-swap score, at most."""

RESAMPLES = 2000
"""Bootstrap samples from which an interval is computed (Efron 1979)."""

Embedding = NDArray[np.float32]
"""dlib's embedding (128,) of a face."""

Progress = Callable[[int, int], None]
"""Called with how much is done, and of how much."""


class Embedder:
    """dlib's embeddings of pictures, computed by all cores, once for each picture."""

    def __init__(self, cache: dict[str, Embedding] | None = None, workers: int | None = None) -> None:
        """cache: embeddings that were computed before; new ones are added to it. workers: processes, one per core if
        None."""
        self.cache: dict[str, Embedding] = {} if cache is None else cache
        self.workers = workers

    def __call__(
        self, pictures: Sequence[Picture], landmarks: Sequence[Landmarks], progress: Callable[[int], None] | None = None
    ) -> list[Embedding]:
        """The embeddings of pictures whose faces lie at `landmarks`. progress: called with how many more are done."""
        keys = [_key(picture, points) for picture, points in zip(pictures, landmarks, strict=True)]
        new = {key: place for place, key in enumerate(keys) if key not in self.cache}
        jobs = [(pictures[place], landmarks[place]) for place in new.values()]
        for key, embedding in zip(new, parallel_map(_embedded, jobs, self.workers, ordered=True), strict=True):
            self.cache[key] = embedding
            if progress:
                progress(1)
        if progress:
            progress(len(keys) - len(new))
        return [self.cache[key] for key in keys]


def _key(picture: Picture, landmarks: Landmarks) -> str:
    digest = hashlib.sha256(repr((picture.shape, landmarks.dtype.str)).encode())
    digest.update(np.ascontiguousarray(picture).tobytes())
    digest.update(np.ascontiguousarray(landmarks).tobytes())
    return digest.hexdigest()


def _embedded(job: tuple[Picture, Landmarks]) -> Embedding:
    return identity(*job)


def draw_pairs(identities: Sequence[str], pairs: int, seed: int) -> NDArray[np.int64]:
    """`pairs` random pairs of positions (pairs,2) of pictures of different people.

    identities: the person of each picture, "" for an unknown one, who may be anybody. Raises DataError when there are
    fewer such pairs, ValueRangeError for a negative seed.
    """
    if len(identities) < 2 or (len(set(identities)) < 2 and identities[0]):
        raise DataError(
            "Swapping needs pictures of at least two people in the held-out part: prepare more, or hold out more."
        )
    pictures_of = Counter(identities)
    unknown = pictures_of.pop("", 0)
    possible = len(identities) ** 2 - unknown - sum(count**2 for count in pictures_of.values())
    if pairs > possible:
        raise DataError(
            f"{len(identities)} held-out pictures make {possible} pairs of different people, "
            f"and {pairs} are asked for: give --pairs {possible} or fewer, or hold out more."
        )
    if seed < 0:
        raise ValueRangeError(f"seed is {seed} and must be 0 or more.")
    generator = np.random.default_rng(seed)
    drawn: list[tuple[int, int]] = []
    while len(drawn) < pairs:
        first, second = (int(v) for v in generator.integers(len(identities), size=2))
        if first != second and (not identities[first] or identities[first] != identities[second]):
            drawn.append((first, second))
    return np.array(drawn, dtype=np.int64)


def evaluate_swap(
    method: Method,
    frames: FrameSet,
    pairs: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
    *,
    cache: dict[str, Embedding] | None = None,
    workers: int | None = None,
    split: str = "test",
) -> SwapReport:
    """Section 4.1 over random pairs of the held-out frames of `frames`, and the true-swap error over puppets.

    cache: embeddings that need not be computed again, and to which new ones are added. workers: processes that compute
    them, one per core if None. split: `train` for pairs of pictures that training sees; what differs from the held-out
    ones is then what does not generalise. Raises DataError, ValueRangeError."""
    if frames.scale != method.size / 128:
        raise DataError(
            f"The frames have scale {frames.scale:g} and the model needs {method.size / 128:g}: load them for its size."
        )
    chosen = frames.indices(split)
    drawn = draw_pairs([frames.identities[i] for i in chosen], pairs, seed)
    used, places = np.unique(drawn, return_inverse=True)
    places = places.reshape(drawn.shape)
    samples = [sample_of(frames.frames[i], frames.masks[i], frames.landmarks[i], method.size) for i in chosen[used]]
    count = _Count(3 * len(places) + len(samples), progress)
    swaps = _swap_pairs(method, samples, places, count)
    puppet_pairs = min(pairs, PUPPET_PAIRS)
    values = _measured(method, samples, places, swaps, Embedder(cache, workers), count)
    values |= _true_swaps(method, puppet_pairs, seed)
    groups: dict[str, dict[str, object]] = {}
    for name, each_value in values.items():
        group, measure = name.split(".")
        groups.setdefault(group, {})[measure] = summary(each_value, seed)
    groups["true_swap"]["pairs"] = puppet_pairs
    report = {
        "model": method.name,
        "weights": method.weights,
        "size": method.size,
        "data": frames.fingerprint(),
        "split": split,
        "seed": seed,
        "pairs": pairs,
        "worked": swaps.located / len(places),
        "seconds": swaps.seconds / (2 * len(places)),
        **groups,
    }
    return cast("SwapReport", report)


def summary(values: NDArray[np.float64], seed: int = 0) -> Summary:
    """Mean, standard deviation and interval of a measure. values: (N,), one for each pair."""
    generator = np.random.default_rng([seed, 95])
    means = [values[generator.integers(len(values), size=len(values))].mean() for _ in range(RESAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return {"mean": float(values.mean()), "std": float(values.std()), "interval": [float(low), float(high)]}


class _Count:
    """Counts steps of work, and says how many are done."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self.total = total
        self.done = 0
        self.progress = progress

    def __call__(self, more: int) -> None:
        self.done += more
        if self.progress:
            self.progress(self.done, self.total)


@dataclass
class _Swaps:
    """What a method makes of all pairs: N pictures (S,S,3) each."""

    plain: list[Picture] = field(default_factory=list)
    """First one's face on the second one's hair"""
    landmarks: list[Landmarks] = field(default_factory=list)
    """The landmarks (68,2) of the faces in `plain`"""
    stitched: list[Picture] = field(default_factory=list)
    """The faces of `plain` stitched into the second one's picture"""
    twice: list[Picture] = field(default_factory=list)
    """The faces of `plain` swapped back onto the first one's hair"""
    twice_stitched: list[Picture] = field(default_factory=list)
    """The faces of `twice` stitched into the first one's picture"""
    located: int = 0
    """Swaps in which a face is found where it should be"""
    seconds: float = 0.0
    """Seconds that all swaps in both directions took"""


def _swap_pairs(method: Method, samples: Sequence[Sample], places: NDArray[np.int64], count: _Count) -> _Swaps:
    """Swap each pair (N,2) of positions in `samples`, in both directions, and back."""
    swaps = _Swaps()
    first, second = ([samples[i] for i in places[:, side]] for side in (0, 1))
    for start in range(0, len(places), AT_ONCE):
        a, b = first[start : start + AT_ONCE], second[start : start + AT_ONCE]
        started = time.perf_counter()
        there, back = method.swap(a, b), method.swap(b, a)
        swaps.seconds += time.perf_counter() - started
        expected = [method.expected_landmarks(f, h) for f, h in zip(a, b, strict=True)]
        found = [landmarks_near(p, e) for p, e in zip(there, expected, strict=True)]
        swaps.located += sum(points is not None for points in found)
        landmarks_there = [e if points is None else points for points, e in zip(found, expected, strict=True)]
        landmarks_back = [locate(p, method.expected_landmarks(f, h)) for p, f, h in zip(back, b, a, strict=True)]
        onto = [stitched(p, points, t) for p, points, t in zip(there, landmarks_there, b, strict=True)]
        onto_back = [stitched(p, points, t) for p, points, t in zip(back, landmarks_back, a, strict=True)]
        swaps.twice += _swapped_back(method, (there, landmarks_there), (back, landmarks_back))
        swaps.twice_stitched += _swapped_back(
            method, (onto, landmarks_there), (onto_back, landmarks_back), in_gradients=True
        )
        swaps.plain += there
        swaps.stitched += onto
        swaps.landmarks += landmarks_there
        count(len(a))
    return swaps


Swapped = tuple[Sequence[Picture], Sequence[Landmarks]]
"""Swapped pictures, and the landmarks of their faces."""


def _swapped_back(method: Method, there: Swapped, back: Swapped, in_gradients: bool = False) -> list[Picture]:
    """The faces of `there` on the hair of `back`; stitched into the pictures of `back` where `in_gradients`."""
    faces, hairs = ([sample_of_picture(p, points) for p, points in zip(*both, strict=True)] for both in (there, back))
    swapped = method.swap(faces, hairs)
    if not in_gradients:
        return swapped
    return [
        stitched(p, locate(p, method.expected_landmarks(f, h)), h)
        for p, f, h in zip(swapped, faces, hairs, strict=True)
    ]


def _measured(
    method: Method,
    samples: Sequence[Sample],
    places: NDArray[np.int64],
    swaps: _Swaps,
    embed: Embedder,
    count: _Count,
) -> dict[str, NDArray[np.float64]]:
    """`group.measure` -> its value for each pair (N,)."""
    reconstructed = method.reconstruct(samples)
    own = embed([s.image for s in samples], [s.landmarks for s in samples], count)
    plain = embed(swaps.plain, swaps.landmarks, count)
    in_gradients = embed(swaps.stitched, swaps.landmarks, count)
    to_face, to_hair = ([squared_distance(plain[k], own[i]) for k, i in enumerate(places[:, side])] for side in (0, 1))
    first = [samples[i] for i in places[:, 0]]
    valid = torch.stack([torch.from_numpy(s.valid)[None].float() / 255 for s in first])
    original = to_tensor([s.image for s in first])
    values: dict[str, NDArray[np.float64]] = {}
    if reconstructed is not None:
        made = to_tensor([reconstructed[i] for i in places[:, 0]])
        values |= _compared("reconstruction", original, made, valid)
    nearer = [float(face < hair) for face, hair in zip(to_face, to_hair, strict=True)]
    stitched_to_face = [squared_distance(in_gradients[k], own[i]) for k, i in enumerate(places[:, 0])]
    return {
        **values,
        "swap.identity_distance": np.array(to_face),
        "swap.identity_distance_to_hair": np.array(to_hair),
        "swap.nearer_to_face": np.array(nearer),
        **_compared("swap_twice", original, to_tensor(swaps.twice), valid),
        "swap_gradient.identity_distance": np.array(stitched_to_face),
        **_compared("swap_twice_gradient", original, to_tensor(swaps.twice_stitched), valid),
    }


def _compared(
    group: str, original: Tensor, made: Tensor, valid: Tensor | None = None
) -> dict[str, NDArray[np.float64]]:
    """Both measures of N pairs of pictures (N,3,S,S), by `group.measure`. valid: (N,1,S,S) weights of the pixels."""
    values = {}
    for name, measure in (("absolute_error", absolute_error), ("ms_ssim", ms_ssim)):
        parts = []
        for start in range(0, len(made), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            parts.append(measure(original[some], made[some], None if valid is None else valid[some]))
        values[f"{group}.{name}"] = torch.cat(parts).double().numpy()
    return values


def _true_swaps(method: Method, pairs: int, seed: int) -> dict[str, NDArray[np.float64]]:
    """Error and MS-SSIM of swaps of puppets against the puppet that really has the one's face and the other's hair."""
    swapped: list[Picture] = []
    truth: list[Picture] = []
    for start in range(0, pairs, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, pairs))
        faces = [draw_puppet(1_000_000 + 2 * (n + 10_000 * seed)) for n in numbers]
        hairs = [draw_puppet(1_000_001 + 2 * (n + 10_000 * seed)) for n in numbers]
        true = [true_swap(face, hair) for face, hair in zip(faces, hairs, strict=True)]
        swapped += method.swap(_rendered(faces, method.size), _rendered(hairs, method.size))
        truth += [sample.image for sample in _rendered(true, method.size)]
    return _compared("true_swap", to_tensor(truth), to_tensor(swapped))


def _rendered(puppets: Sequence[Puppet], size: int) -> list[Sample]:
    """Puppets as samples, all of whose pixels are the person's."""
    made = [render(puppet, size / 128) for puppet in puppets]
    return [sample_of(m.picture, np.full(m.picture.shape[:2], PERSON, np.uint8), m.landmarks, size) for m in made]
