"""RSGAN's Table 1 (Section 4.1): identity preservation and swap consistency of a way to swap, and its error against
true swaps.

x1, x2          two held-out pictures of different people
reconstruction  x1 as the way makes it again            against x1
swap            y = x1's face on x2's hair              identity against x1
swap twice      y's face on the hair of x2's on x1      against x1
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from masque.data.frames import FrameSet
from masque.data.pool import each
from masque.data.prepared import PERSON
from masque.data.puppets import draw_puppet, render, true_swap
from masque.edits.measures import squared_distance
from masque.errors import DataError, ValueRangeError
from masque.faces.detect import Landmarks, identity, landmarks_near
from masque.image import Picture, to_tensor
from masque.metrics.similarity import absolute_error, ms_ssim
from masque.tables.swapping import AT_ONCE, Method, Sample, locate, sample_again, sample_of, stitched

PUPPET_PAIRS = 200
"""Pairs for the true-swap score where the data is not puppets."""

RESAMPLES = 2000
"""Draws of the pairs by which an interval is found (Efron 1979)."""

PAPER = {
    "reconstruction.absolute_error": (0.069, 0.016), "reconstruction.ms_ssim": (0.760, 0.074), "swap.identity_distance": (1.127, 0.415),
    "swap_twice.absolute_error": (0.093, 0.020), "swap_twice.ms_ssim": (0.673, 0.087),
}  # fmt: skip
"""Table 1's row of RSGAN: average and standard deviation. Its identity distance is OpenFace's and not comparable to
dlib's."""

GROUPS = ("reconstruction", "swap", "swap_twice", "swap_gradient", "swap_twice_gradient", "true_swap")
"""Of measures, in the order in which they are told."""

Embedding = NDArray[np.float32]

Known = dict[str, Embedding]
"""dlib's embeddings by what they are of: see `Judge`."""


class Judge:
    """dlib's embeddings, by all cores, each picture's once."""

    def __init__(self, known: Known | None = None, workers: int | None = None) -> None:
        """known: embeddings that are there already; new ones are added to it."""
        self.known: Known = {} if known is None else known
        self.workers = workers

    def __call__(
        self, pictures: Sequence[Picture], landmarks: Sequence[Landmarks], progress: Callable[[int], None] | None = None
    ) -> list[Embedding]:
        """The embeddings (128,) of pictures whose faces lie at `landmarks`. progress: told how many more are done."""
        keys = [_key(picture, points) for picture, points in zip(pictures, landmarks, strict=True)]
        new = {key: place for place, key in enumerate(keys) if key not in self.known}
        found = each(
            _embedded, [(pictures[place], landmarks[place]) for place in new.values()], self.workers, ordered=True
        )
        for key, embedding in zip(new, found, strict=True):
            self.known[key] = embedding
            if progress:
                progress(1)
        if progress:
            progress(len(keys) - len(new))
        return [self.known[key] for key in keys]


def _key(picture: Picture, landmarks: Landmarks) -> str:
    digest = hashlib.sha256(repr((picture.shape, landmarks.dtype.str)).encode())
    digest.update(np.ascontiguousarray(picture).tobytes())
    digest.update(np.ascontiguousarray(landmarks).tobytes())
    return digest.hexdigest()


def _embedded(job: tuple[Picture, Landmarks]) -> Embedding:
    return identity(*job)


def draw_pairs(identities: Sequence[str], pairs: int, seed: int) -> NDArray[np.int64]:
    """`pairs` random pairs of positions (pairs,2) whose people differ, where people are known.

    Raises DataError when there are none or fewer than asked for, ValueRangeError for a negative seed.
    """
    if len(identities) < 2 or (len(set(identities)) < 2 and identities[0]):
        raise DataError(
            "Swapping needs pictures of at least two people in the held-out part: prepare more, or hold out more."
        )
    known = Counter(identities)
    unknown = known.pop("", 0)
    possible = len(identities) ** 2 - unknown - sum(count**2 for count in known.values())
    if pairs > possible:
        raise DataError(
            f"{len(identities)} held-out pictures make {possible} pairs of different people, and {pairs} are asked for: give --pairs "
            f"{possible} or fewer, or hold out more."
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
    progress: Callable[[int, int], None] | None = None,
    *,
    known: Known | None = None,
    workers: int | None = None,
    split: str = "test",
) -> dict[str, Any]:
    """Section 4.1 over random pairs of the held-out frames of `frames`, and the true-swap error over puppets.

    known: embeddings that need not be found again, and to which new ones are added. workers: processes that judge, one
    per core if None. split: train for pairs of pictures that training sees, so that the distance to the held-out ones
    is what is not generalised.

    Returns plain values: `pairs`, `worked` (share in whose swap a face is found where it should be), `size`, `seconds`
    (of one swap of several at once), and for reconstruction (where there is one), swap, swap_twice, swap_gradient,
    swap_twice_gradient and true_swap a dictionary of {mean, std, interval} by measure; interval is the bootstrap's 95 %
    of the mean. Errors are on a [0,1] scale and leave out pixels that the photo did not have. The identity distance is
    the squared Euclidean distance of dlib's embeddings, which stands in OpenFace's place. Raises DataError,
    ValueRangeError."""
    if frames.scale != method.size / 128:
        raise DataError(
            f"The frames have scale {frames.scale:g} and the model needs {method.size / 128:g}: load them for its size."
        )
    test = frames.indices(split)
    drawn = draw_pairs([frames.identities[i] for i in test], pairs, seed)
    used, places = np.unique(drawn, return_inverse=True)
    places = places.reshape(drawn.shape)
    samples = [sample_of(frames.frames[i], frames.masks[i], frames.landmarks[i], method.size) for i in test[used]]
    found = _evaluate_pairs(method, samples, places, Judge(known, workers), progress)
    values = {**found["values"], **_true_swaps(method, min(pairs, PUPPET_PAIRS), seed)}
    report: dict[str, Any] = {
        "model": method.name, "weights": method.weights, "size": method.size, "data": frames.fingerprint(), "split": split, "seed": seed,
        "pairs": pairs, "worked": found["worked"], "seconds": found["seconds"],
    }  # fmt: skip
    for name, each_value in values.items():
        group, measure = name.split(".")
        report.setdefault(group, {})[measure] = summary(each_value, seed)
    report["true_swap"]["pairs"] = min(pairs, PUPPET_PAIRS)
    return report


def summary(values: NDArray[np.float64], seed: int = 0) -> dict[str, Any]:
    """Mean, standard deviation (over all samples, not an estimate for more) and the bootstrap's 95 % interval of the
    mean."""
    generator = np.random.default_rng([seed, 95])
    means = [values[generator.integers(len(values), size=len(values))].mean() for _ in range(RESAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return {"mean": float(values.mean()), "std": float(values.std()), "interval": [float(low), float(high)]}


def _evaluate_pairs(
    method: Method,
    samples: Sequence[Sample],
    places: NDArray[np.int64],
    judge: Judge,
    progress: Callable[[int, int], None] | None,
) -> dict[str, Any]:
    first, second = ([samples[i] for i in places[:, k]] for k in (0, 1))
    total, done = 3 * len(places) + len(samples), 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        if progress:
            progress(done, total)

    again = method.again(samples)
    twice: list[Picture] = []
    twice_stitched: list[Picture] = []
    bare: list[Picture] = []
    whole: list[Picture] = []
    marks: list[Landmarks] = []
    worked, spent = 0, 0.0
    for start in range(0, len(places), AT_ONCE):
        a, b = first[start : start + AT_ONCE], second[start : start + AT_ONCE]
        begun = time.perf_counter()
        there, back = method.swap(a, b), method.swap(b, a)
        spent += time.perf_counter() - begun
        expected = [method.expected(f, h) for f, h in zip(a, b, strict=True)]
        found = [landmarks_near(p, e) for p, e in zip(there, expected, strict=True)]
        worked += sum(m is not None for m in found)
        marks_there = [e if m is None else m for m, e in zip(found, expected, strict=True)]
        marks_back = [locate(p, method.expected(f, h)) for p, f, h in zip(back, b, a, strict=True)]
        twice += _twice(method, there, marks_there, back, marks_back)
        onto = [stitched(p, m, t) for p, m, t in zip(there, marks_there, b, strict=True)]
        onto_back = [stitched(p, m, t) for p, m, t in zip(back, marks_back, a, strict=True)]
        twice_stitched += _twice(method, onto, marks_there, onto_back, marks_back, stitch=True)
        bare, whole, marks = bare + there, whole + onto, marks + marks_there
        more(len(a))
    own = judge([s.image for s in samples], [s.landmarks for s in samples], more)
    seen, seen_whole = judge(bare, marks, more), judge(whole, marks, more)
    near, far = ([squared_distance(seen[k], own[i]) for k, i in enumerate(places[:, side])] for side in (0, 1))
    values: dict[str, NDArray[np.float64]] = {}
    valid = torch.stack([torch.from_numpy(s.valid)[None].float() / 255 for s in first])
    original = to_tensor([s.image for s in first])
    if again is not None:
        values |= _compared("reconstruction", original, to_tensor([again[i] for i in places[:, 0]]), valid)
    values |= {
        "swap.identity_distance": np.array(near), "swap.identity_distance_to_hair": np.array(far),
        "swap.nearer_to_face": np.array([float(n < f) for n, f in zip(near, far, strict=True)]),
        **_compared("swap_twice", original, to_tensor(twice), valid),
        "swap_gradient.identity_distance": np.array([squared_distance(seen_whole[k], own[i]) for k, i in enumerate(places[:, 0])]),
        **_compared("swap_twice_gradient", original, to_tensor(twice_stitched), valid),
    }  # fmt: skip
    return {"values": values, "worked": worked / len(places), "seconds": spent / (2 * len(places))}


def _twice(
    method: Method, there: Sequence[Picture], marks_there: Sequence[Landmarks], back: Sequence[Picture], marks_back: Sequence[Landmarks],
    stitch: bool = False,
) -> list[Picture]:  # fmt: skip
    """The faces of `there` on the hair of `back`."""
    faces, hairs = (
        [sample_again(p, m) for p, m in zip(*both, strict=True)] for both in ((there, marks_there), (back, marks_back))
    )
    painted = method.swap(faces, hairs)
    if not stitch:
        return painted
    return [stitched(p, locate(p, method.expected(f, h)), h) for p, f, h in zip(painted, faces, hairs, strict=True)]


def _compared(
    group: str, original: Tensor, made: Tensor, valid: Tensor | None = None
) -> dict[str, NDArray[np.float64]]:
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
    scale = method.size / 128
    swapped: list[Picture] = []
    truth: list[Picture] = []
    for start in range(0, pairs, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, pairs))
        faces = [draw_puppet(1_000_000 + 2 * (n + 10_000 * seed)) for n in numbers]
        hairs = [draw_puppet(1_000_001 + 2 * (n + 10_000 * seed)) for n in numbers]
        samples = []
        for puppets in (faces, hairs, [true_swap(f, h) for f, h in zip(faces, hairs, strict=True)]):
            made = [render(p, scale) for p in puppets]
            samples.append(
                [
                    sample_of(m.picture, np.full(m.picture.shape[:2], PERSON, np.uint8), m.landmarks, method.size)
                    for m in made
                ]
            )
        swapped += method.swap(samples[0], samples[1])
        truth += [s.image for s in samples[2]]
    return _compared("true_swap", to_tensor(truth), to_tensor(swapped))


def as_text(report: Mapping[str, Any]) -> str:
    """The report as a table, the paper's RSGAN row beside it."""
    lines = [f"{report['pairs']} pairs at {report['size']} px, {100 * report['worked']:.1f} % worked", "",
             f"{'':38s}{'ours':>16s}   {'95 % of the mean':>18s}   {'paper':>16s}"]  # fmt: skip
    for group in GROUPS:
        for measure, value in report.get(group, {}).items():
            if isinstance(value, dict):
                paper = PAPER.get(f"{group}.{measure}")
                theirs = f"{paper[0]:.3f} ± {paper[1]:.3f}" if paper else "–"
                low, high = value["interval"]
                between = f"{low:.4f} to {high:.4f}"
                lines.append(
                    f"{group + ' ' + measure:38s}{value['mean']:8.3f} ± {value['std']:.3f}   {between:>18s}   {theirs:>16s}"
                )
    lines += ["", "Identity distances: squared Euclidean, dlib's recogniser here, OpenFace in the paper; not comparable with each other.",
              f"True swaps: {report['true_swap']['pairs']} pairs of puppets. A swap takes {1000 * report['seconds']:.0f} ms."]  # fmt: skip
    return "\n".join(lines)
