"""RSGAN's Table 1 (Section 4.1): identity preservation and swap consistency of a trained model, and its error against true swaps.

x1, x2          two held-out pictures of different people
reconstruction  G(z_f(x1), z_h(x1))                     against x1
swap            y = G(z_f(x1), z_h(x2))                 identity against x1
swap twice      G(z_f(y), z_h(G(z_f(x2), z_h(x1))))     against x1
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from masque.data.batches import cut_regions
from masque.data.frames import FrameSet
from masque.data.prepared import PERSON
from masque.data.puppets import draw_puppet, render, true_swap
from masque.edits.measures import squared_distance
from masque.edits.session import Session
from masque.errors import DataError, ValueRangeError
from masque.faces.detect import Landmarks, identity
from masque.faces.frame import at_scale, transform
from masque.faces.paste import stitch
from masque.faces.regions import FACE_CROP, HAIR_CROP, hull_mask
from masque.image import Picture, to_pictures, to_tensor
from masque.metrics.similarity import absolute_error, ms_ssim
from masque.metrics.streaming import Spread
from masque.models.rsgan import Latents, face_region, hair_region

AT_ONCE = 32
PUPPET_PAIRS = 200
"""Pairs for the true-swap score where the data is not puppets."""

PAPER = {
    "reconstruction.absolute_error": (0.069, 0.016), "reconstruction.ms_ssim": (0.760, 0.074), "swap.identity_distance": (1.127, 0.415),
    "swap_twice.absolute_error": (0.093, 0.020), "swap_twice.ms_ssim": (0.673, 0.087),
}  # fmt: skip
"""Table 1's row of RSGAN: average and standard deviation. Its identity distance is OpenFace's and not comparable to dlib's."""


SCORES = (
    "reconstruction.absolute_error",
    "reconstruction.ms_ssim",
    "swap.identity_distance",
    "swap.identity_distance_to_hair",
    "swap.nearer_to_face",
    "swap_gradient.identity_distance",
    "swap_twice.absolute_error",
    "swap_twice.ms_ssim",
    "swap_twice_gradient.absolute_error",
    "swap_twice_gradient.ms_ssim",
)
"""What is measured on each pair."""


@dataclass(frozen=True)
class Sample:
    """A picture as the network takes it, and where its face lies."""

    image: Picture
    """x, RGB uint8 (S,S,3)"""
    landmarks: Landmarks
    """(68,2) in pixels of x"""
    valid: NDArray[np.uint8]
    """(S,S), 255 where the photo has pixels"""
    tensors: dict[str, Tensor]
    """image, image_hull, face_crop, face_hull, each (1,·,S,S)"""


def sample_of(frame: Picture, mask: NDArray[np.uint8], landmarks: Landmarks, size: int) -> Sample:
    """The sample of a face frame at scale size/128."""
    scale = size / 128
    cut = cut_regions(frame, mask, landmarks, size, scale)
    return Sample(cut["image"], transform(landmarks, HAIR_CROP.to_crop(size, scale)), cut["valid"], _tensors(cut))


def _tensors(cut: dict[str, NDArray[np.uint8]]) -> dict[str, Tensor]:
    hulls = {name: torch.from_numpy(cut[name])[None, None].float() / 255 for name in ("image_hull", "face_hull")}
    return {"image": to_tensor(cut["image"]), "face_crop": to_tensor(cut["face_crop"]), **hulls}


def sample_again(painted: Picture, landmarks: Landmarks) -> Sample:
    """The sample of a picture that a network painted: its face crop is cut from the picture itself, all there is of it."""
    from masque.faces.frame import chain, invert, warp

    size = painted.shape[0]
    to_frame = invert(HAIR_CROP.to_crop(size, size / 128))
    face_matrix = chain(to_frame, FACE_CROP.to_crop(size, size / 128))
    cut = {
        "image": painted, "image_hull": hull_mask(landmarks, (size, size)),
        "face_crop": warp(painted, face_matrix, (size, size)), "face_hull": hull_mask(landmarks, (size, size), face_matrix),
    }  # fmt: skip
    return Sample(painted, landmarks, np.full((size, size), 255, np.uint8), _tensors(cut))


class Swapper:
    """A session, over many samples at once."""

    def __init__(self, session: Session) -> None:
        self.session, self.size = session, session.size

    def latents(self, samples: Sequence[Sample]) -> Latents:
        """The latents of the samples, (N,·)."""
        model, parts = self.session.model, []
        with self.session.inference():
            for some in chunks(samples):
                t = {name: torch.cat([s.tensors[name] for s in some]).to(self.session.device) for name in some[0].tensors}
                x_f, x_h = face_region(t["face_crop"], t["face_hull"]), hair_region(t["image"], t["image_hull"])
                parts.append(model.encode(x_f, x_h, model.estimate(t["image"])))
        return Latents(*(torch.cat([getattr(p, name) for p in parts]) for name in ("xf", "cf", "xh", "ch")))

    def paint(self, face: Latents, hair: Latents) -> list[Picture]:
        """Pictures with the faces of the one and the hair of the other."""
        painted: list[Picture] = []
        with self.session.inference():
            for start in range(0, len(face.xf), AT_ONCE):
                f, h = (Latents(*(t[start : start + AT_ONCE] for t in (z.xf, z.cf, z.xh, z.ch))) for z in (face, hair))
                painted += list(to_pictures(self.session.model.compose(Latents(f.xf, f.cf, h.xh, h.ch))))
        return painted

    def locate(self, painted: Picture, expected: Landmarks) -> Landmarks:
        """The landmarks in a painted picture, or where they were expected."""
        found = self.session.painted_landmarks(painted, expected)
        return expected if found is None else found

    def stitched(self, painted: Picture, source: Landmarks, target: Sample) -> Picture:
        """RSGAN-GD: only the face of `painted` in the target's picture."""
        mask = np.maximum(hull_mask(source, (self.size, self.size)), hull_mask(target.landmarks, (self.size, self.size)))
        return stitch(target.image, painted, np.eye(2, 3), mask)


def chunks(samples: Sequence[Sample]) -> Iterator[Sequence[Sample]]:
    """`samples` in runs of AT_ONCE."""
    for start in range(0, len(samples), AT_ONCE):
        yield samples[start : start + AT_ONCE]


def draw_pairs(identities: Sequence[str], pairs: int, seed: int) -> NDArray[np.int64]:
    """`pairs` random pairs of positions (pairs,2) whose people differ, where people are known.

    Raises DataError when there are none, ValueRangeError for a negative seed.
    """
    if len(identities) < 2 or (len(set(identities)) < 2 and identities[0]):
        raise DataError("Swapping needs pictures of at least two people in the held-out part: prepare more, or hold out more.")
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
    session: Session, frames: FrameSet, pairs: int = 1000, seed: int = 0, progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Section 4.1 over random pairs of the held-out frames of `frames`, and the true-swap error over puppets.

    Returns plain values: `pairs`, `worked` (share in whose swap a face is found where it should be), `size`, and for reconstruction, swap,
    swap_twice, swap_twice_gradient and true_swap a dictionary of {mean, std} by measure. Errors are on a [0,1] scale and leave out pixels
    that the photo did not have. The identity distance is the squared Euclidean distance of dlib's embeddings, which stands in OpenFace's
    place. Raises DataError, ValueRangeError.
    """
    if frames.scale != session.size / 128:
        raise DataError(f"The frames have scale {frames.scale:g} and the model needs {session.size / 128:g}: load them for its size.")
    test = frames.indices("test")
    drawn = draw_pairs([frames.identities[i] for i in test], pairs, seed)
    used, places = np.unique(drawn, return_inverse=True)
    places = places.reshape(drawn.shape)
    samples = [sample_of(frames.frames[i], frames.masks[i], frames.landmarks[i], session.size) for i in test[used]]
    swapper = Swapper(session)
    report = _evaluate_pairs(swapper, samples, places, progress)
    truth = true_swap_error(swapper, min(pairs, PUPPET_PAIRS), seed)
    return {
        "model": session.family,
        "weights": session.weights,
        "size": session.size,
        "data": frames.fingerprint(),
        "seed": seed,
        **report,
        **truth,
    }


def _evaluate_pairs(
    swapper: Swapper, samples: Sequence[Sample], places: NDArray[np.int64], progress: Callable[[int, int], None] | None
) -> dict[str, Any]:
    own = swapper.latents(samples)
    again = swapper.paint(own, own)
    embeddings: dict[int, NDArray[np.float32]] = {}
    scores = {name: Spread() for name in SCORES}
    worked = 0
    for start in range(0, len(places), AT_ONCE):
        some = places[start : start + AT_ONCE]
        first, second = ([samples[i] for i in some[:, k]] for k in (0, 1))
        valid = torch.stack([torch.from_numpy(s.valid)[None].float() / 255 for s in first])
        original = to_tensor([s.image for s in first])
        _compare(scores, "reconstruction", original, to_tensor([again[i] for i in some[:, 0]]), valid)
        z1, z2 = (Latents(*(t[torch.from_numpy(some[:, k])] for t in (own.xf, own.cf, own.xh, own.ch))) for k in (0, 1))
        there, back = swapper.paint(z1, z2), swapper.paint(z2, z1)
        found = [swapper.session.painted_landmarks(p, s.landmarks) for p, s in zip(there, first, strict=True)]
        marks_there = [s.landmarks if marks is None else marks for marks, s in zip(found, first, strict=True)]
        marks_back = [swapper.locate(p, s.landmarks) for p, s in zip(back, second, strict=True)]
        twice = _swap_again(swapper, there, marks_there, back, marks_back)
        _compare(scores, "swap_twice", original, to_tensor(twice), valid)
        stitched = [swapper.stitched(p, m, t) for p, m, t in zip(there, marks_there, second, strict=True)]
        stitched_back = [swapper.stitched(p, m, t) for p, m, t in zip(back, marks_back, first, strict=True)]
        twice_stitched = _swap_again_stitched(swapper, stitched, marks_there, stitched_back, marks_back)
        _compare(scores, "swap_twice_gradient", original, to_tensor(twice_stitched), valid)
        for k, (a, b) in enumerate(some):
            for i in (int(a), int(b)):
                if i not in embeddings:
                    embeddings[i] = identity(samples[i].image, samples[i].landmarks)
            _identities(
                scores, embeddings[int(a)], embeddings[int(b)], identity(there[k], marks_there[k]), identity(stitched[k], marks_there[k])
            )
        worked += sum(marks is not None for marks in found)
        if progress:
            progress(start + len(some), len(places))
    report: dict[str, Any] = {"pairs": len(places), "worked": worked / len(places)}
    for name, spread in scores.items():
        group, measure = name.split(".")
        report.setdefault(group, {})[measure] = spread.compute()
    return report


def _swap_again(
    swapper: Swapper, there: Sequence[Picture], marks_there: Sequence[Landmarks], back: Sequence[Picture], marks_back: Sequence[Landmarks]
) -> list[Picture]:
    """The faces of `there` on the hair of `back`."""
    face = swapper.latents([sample_again(p, m) for p, m in zip(there, marks_there, strict=True)])
    hair = swapper.latents([sample_again(p, m) for p, m in zip(back, marks_back, strict=True)])
    return swapper.paint(face, hair)


def _swap_again_stitched(
    swapper: Swapper, there: Sequence[Picture], marks_there: Sequence[Landmarks], back: Sequence[Picture], marks_back: Sequence[Landmarks]
) -> list[Picture]:
    painted = _swap_again(swapper, there, marks_there, back, marks_back)
    targets = [sample_again(p, m) for p, m in zip(back, marks_back, strict=True)]
    return [swapper.stitched(p, swapper.locate(p, m), t) for p, m, t in zip(painted, marks_there, targets, strict=True)]


def _compare(scores: dict[str, Spread], group: str, original: Tensor, made: Tensor, valid: Tensor) -> None:
    scores[f"{group}.absolute_error"].update(absolute_error(original, made, valid))
    scores[f"{group}.ms_ssim"].update(ms_ssim(original, made, valid))


def _identities(
    scores: dict[str, Spread],
    face: NDArray[np.float32],
    hair: NDArray[np.float32],
    swapped: NDArray[np.float32],
    stitched: NDArray[np.float32],
) -> None:
    near, far = squared_distance(swapped, face), squared_distance(swapped, hair)
    values = {"swap.identity_distance": near, "swap.identity_distance_to_hair": far, "swap.nearer_to_face": float(near < far),
              "swap_gradient.identity_distance": squared_distance(stitched, face)}  # fmt: skip
    for name, value in values.items():
        scores[name].update(torch.tensor([value]))


def true_swap_error(swapper: Swapper, pairs: int, seed: int = 0) -> dict[str, Any]:
    """Error and MS-SSIM of swaps of puppets against the puppet that really has the one's face and the other's hair."""
    scale = swapper.size / 128
    errors, similarities = Spread(absolute_error), Spread(ms_ssim)
    for start in range(0, pairs, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, pairs))
        faces = [draw_puppet(1_000_000 + 2 * (n + 10_000 * seed)) for n in numbers]
        hairs = [draw_puppet(1_000_001 + 2 * (n + 10_000 * seed)) for n in numbers]
        samples = []
        for puppets in (faces, hairs, [true_swap(f, h) for f, h in zip(faces, hairs, strict=True)]):
            made = [render(p, scale) for p in puppets]
            samples.append([sample_of(m.picture, np.full(m.picture.shape[:2], PERSON, np.uint8), m.landmarks, swapper.size) for m in made])
        swapped = swapper.paint(swapper.latents(samples[0]), swapper.latents(samples[1]))
        truth, ours = to_tensor([s.image for s in samples[2]]), to_tensor(swapped)
        errors.update(truth, ours)
        similarities.update(truth, ours)
    return {"true_swap": {"absolute_error": errors.compute(), "ms_ssim": similarities.compute(), "pairs": pairs}}


def as_text(report: dict[str, Any]) -> str:
    """The report as a table, the paper's RSGAN row beside it."""
    lines = [f"{report['pairs']} pairs at {report['size']} px, {100 * report['worked']:.1f} % worked", "",
             f"{'':38s}{'ours':>16s}   {'paper':>16s}"]  # fmt: skip
    for group in ("reconstruction", "swap", "swap_twice", "swap_gradient", "swap_twice_gradient", "true_swap"):
        for measure, value in report[group].items():
            if isinstance(value, dict):
                paper = PAPER.get(f"{group}.{measure}")
                theirs = f"{paper[0]:.3f} ± {paper[1]:.3f}" if paper else "–"
                lines.append(f"{group + ' ' + measure:38s}{value['mean']:8.3f} ± {value['std']:.3f}   {theirs:>16s}")
    lines += ["", "Identity distances: squared Euclidean, dlib's recogniser here, OpenFace in the paper; not comparable with each other.",
              f"True swaps: {report['true_swap']['pairs']} pairs of puppets."]  # fmt: skip
    return "\n".join(lines)


__all__ = ["Swapper", "as_text", "at_scale", "draw_pairs", "evaluate_swap", "sample_again", "sample_of", "true_swap_error"]
