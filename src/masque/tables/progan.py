"""How well a generator finds photos again, how smooth its morphs are, and how good its samples (the paper's Sections 2,
3.2 and 3.4, in numbers). The fields of `InvertReport` say what is measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor

from masque.data.batches import Batches, collate
from masque.data.frames import FrameSet
from masque.edits.invert import Options, invert, is_recovered
from masque.edits.loaded import LatentEditor
from masque.edits.measures import squared_distance
from masque.edits.morph import frame_positions
from masque.edits.morph_warp import WarpMorph
from masque.edits.sample import TRUNCATION
from masque.errors import DataError, SettingError
from masque.faces.detect import identity
from masque.faces.frame import transform
from masque.faces.regions import HAIR_CROP, into_frame
from masque.image import to_pictures, to_tensor
from masque.metrics.frechet import FrechetFloor, floor_in_words, frechet_distance, frechet_floor, kernel_distance
from masque.metrics.similarity import ms_ssim
from masque.metrics.sliced import SMALLEST, sliced_wasserstein
from masque.metrics.streaming import MeanStd, Spread
from masque.models.progan import ProGAN
from masque.tables.features import Features, as_mean_std

METHODS: Mapping[str, Options] = {
    "lipton": Options(method="lipton"),
    "lipton, hard clipping": Options(method="lipton", clip="hard"),
    "refine": Options(method="refine", detail=0),
    "encoder": Options(method="encoder"),
    "encoder+refine, z alone": Options(method="encoder+refine", detail=0),
    "encoder+refine": Options(method="encoder+refine"),
}
"""Name in the report -> how a latent is searched. Those that begin with an encoder are for generators that have one."""

INVISIBLE = Options().tolerance
"""Mean squared error on [-1,1] that a viewer does not see."""

MORPH_FRAMES = 60
"""Frames of the morphs whose steps are measured."""


class FoundAgain(TypedDict):
    """Pictures that the generator made itself, searched by one method. Errors are mean squares on [-1,1]."""

    recovered: float
    """Share of the pictures of whose latent every component is within 0.05 of the true one"""
    mse: float
    alike: float
    """Share of the pictures with an error up to `INVISIBLE`"""
    largest_mse: float
    iterations: int
    seconds: float
    """Seconds that the search takes per picture"""
    seconds_to_lipton: float | None
    """Seconds per picture until the mean error was what `lipton` ended with; None where it never was"""
    pictures: int


class PhotosFound(TypedDict):
    """Held-out photos, searched by one method."""

    mse: float
    """Mean squared error on [-1,1]"""
    ms_ssim: float
    identity_distance: float
    """Squared distance of dlib's embeddings of photo and found picture"""
    feature_distance: float
    """Squared distance of the face features of photo and found picture"""
    seconds: float
    """Seconds that the search takes per photo"""
    pictures: int


class Steps(TypedDict):
    """Feature distances between neighbouring frames of a morph."""

    largest_step: float
    """The largest of the distances"""
    mean_step: float
    """The mean of the distances"""


class SampleMeasures(TypedDict):
    """Sampled faces against as many held-out photos."""

    pictures: int
    ffd: float
    ffd_floor: FrechetFloor | None
    kfd: MeanStd | None
    """None with fewer than four pictures"""
    swd: dict[str, float]
    """Side in pixels -> sliced Wasserstein distance × 1000"""
    truncation: float
    truncated_ffd: float
    """FFD of the same samples, truncated"""


class InvertReport(TypedDict):
    """What `evaluate_invert` returns."""

    model: str
    weights: str
    size: int
    data: str
    """Fingerprint of the frames"""
    features: str
    """Hash of what makes the features of FFD, KFD and feature distances"""
    generated_pictures: int
    real_pictures: int
    generated: dict[str, FoundAgain]
    """Method -> how well the latents of generated pictures are found"""
    real: dict[str, PhotosFound]
    """Method -> how well photos are found"""
    morph: dict[str, Steps]
    """Path -> how even a morph is: `spherical` and `linear` through the latents, and the classical `warp`"""
    samples: SampleMeasures


@dataclass(frozen=True)
class Counts:
    """How much is measured."""

    generated: int = 100
    """Generated pictures to find again"""
    real: int = 20
    """Held-out photos to find, at most"""
    few: int | None = None
    """Pictures of either kind, at most, for methods without an encoder, which take minutes each; None for all"""
    samples: int = 500
    """Samples to compare with held-out photos, at most"""
    lipton_iterations: int = 10_000
    """Iterations of gradient descent"""


def evaluate_invert(
    session: LatentEditor,
    frames: FrameSet,
    features: Features,
    counts: Counts = Counts(),
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> InvertReport:
    """Everything of `InvertReport`. progress: called with the searches done and their number.

    Raises SettingError for counts below what can be measured, DataError with fewer than two held-out pictures."""
    chosen = [int(i) for i in frames.indices("test")]
    _check(counts)
    if len(chosen) < 2:
        raise DataError("Two held-out pictures are needed at least: prepare them with a larger --held-out.")
    photos = chosen[: counts.real]
    x = _crops(frames, session.size, photos)
    methods = _methods_for(session, counts, seed)
    true = session.model.draw(torch.arange(counts.generated) + 1_000_003 * (seed + 7), "generated")
    with torch.no_grad():
        made = session.model.generate(true.to(session.device))
    jobs = 2 * len(methods) + 2
    found_again: dict[str, FoundAgain] = {}
    found: dict[str, PhotosFound] = {}
    for name, options in methods.items():
        most = None if options.method.startswith("encoder") else counts.few
        lipton = found_again["lipton"]["mse"] if found_again else None
        found_again[name] = _find_again(session, made[:most], true[:most], options, lipton)
        found[name] = _find_photos(session, x[:most], options, frames, photos[:most], features)
        if progress:
            progress(2 * len(found), jobs)
    report: InvertReport = {
        "model": session.family,
        "weights": session.weights,
        "size": session.size,
        "data": frames.fingerprint(),
        "features": features.hash,
        "generated_pictures": counts.generated,
        "real_pictures": len(photos),
        "generated": found_again,
        "real": found,
        "morph": _morphs(session, frames, photos[:2], x[:2], list(methods.values())[-1], features),
        "samples": _samples(session, frames, chosen[: counts.samples], seed, features),
    }
    if progress:
        progress(jobs, jobs)
    return report


def _check(counts: Counts) -> None:
    """Raise SettingError for counts below what can be measured."""
    if min(counts.samples, counts.real, counts.generated) < 1 or counts.samples < 2:
        raise SettingError(
            f"{counts.samples} samples, {counts.real} photos and {counts.generated} generated pictures: "
            "two, one and one are the fewest."
        )


def _methods_for(session: LatentEditor, counts: Counts, seed: int) -> dict[str, Options]:
    """The methods that the generator allows."""
    return {
        name: replace(options, seed=seed, iterations=counts.lipton_iterations if options.method == "lipton" else None)
        for name, options in METHODS.items()
        if isinstance(session.model, ProGAN) or not options.method.startswith("encoder")
    }


def _crops(frames: FrameSet, size: int, places: Sequence[int]) -> Tensor:
    """Frames as the network takes them (N,3,S,S), without augmentation."""
    batches = Batches(frames, "test", size, len(frames.indices("test")), seed=0)
    return torch.cat([collate([batches.sample(i, np.random.default_rng(0))])["image"] for i in places])


def _find_again(
    session: LatentEditor, made: Tensor, true: Tensor, options: Options, lipton_error: float | None
) -> FoundAgain:
    """Search generated pictures (N,3,S,S) whose latents are `true`. lipton_error: the mean error that `lipton` ended
    with; None for that method itself."""
    trace: list[tuple[float, float]] = []
    started = time.monotonic()

    def watch(_iteration: int, _z: Tensor, error: Tensor) -> None:
        trace.append((time.monotonic() - started, float(error.mean())))

    found = invert(session.model, made, options, watch=watch)
    reached: float | None = found.seconds
    if lipton_error is not None:
        reached = next((seconds for seconds, error in trace if error <= lipton_error), None)
    return {
        "recovered": float(is_recovered(session.model, found.z.cpu(), true).float().mean()),
        "mse": float(found.error.mean()),
        "alike": float((found.error <= INVISIBLE).float().mean()),
        "largest_mse": float(found.error.max()),
        "iterations": found.iterations,
        "seconds": found.seconds / len(made),
        "seconds_to_lipton": reached and reached / len(made),
        "pictures": len(made),
    }


def _find_photos(
    session: LatentEditor, x: Tensor, options: Options, frames: FrameSet, photos: Sequence[int], features: Features
) -> PhotosFound:
    """Search photos: the hair crops x (N,3,S,S) of the frames at positions `photos`."""
    started = time.monotonic()
    found = invert(session.model, x.to(session.device), options)
    seconds = time.monotonic() - started
    with torch.no_grad():
        again = session.model.generate(found.z).cpu().clamp(-1, 1)
    structure, likeness = Spread(ms_ssim), Spread()
    structure.update(x, again)
    painted = [into_frame(frames.frames[i], picture) for i, picture in zip(photos, to_pictures(again), strict=True)]
    for i, picture in zip(photos, painted, strict=True):
        own, made = (identity(p, frames.landmarks[i]) for p in (frames.frames[i], picture))
        likeness.update(torch.tensor([squared_distance(own, made)]))
    apart = features.extract([frames.frames[i] for i in photos]) - features.extract(painted)
    return {
        "mse": float(found.error.mean()),
        "ms_ssim": structure.compute()["mean"],
        "identity_distance": likeness.compute()["mean"],
        "feature_distance": float(apart.square().sum(dim=1).mean()),
        "seconds": seconds / len(x),
        "pictures": len(x),
    }


def _morphs(
    session: LatentEditor, frames: FrameSet, pair: Sequence[int], x: Tensor, options: Options, features: Features
) -> dict[str, Steps]:
    """Morphs from one photo to another: their hair crops x (2,3,S,S), of the frames at positions `pair`."""
    found = invert(session.model, x.to(session.device), options)
    latents = [session.latent(z, str(i)) for i, z in enumerate(found.z)]
    matrix = HAIR_CROP.to_crop(session.size, frames.scale)
    classical = WarpMorph(list(to_pictures(x)), [transform(frames.landmarks[i], matrix) for i in pair])
    films = {
        "spherical": list(session.morph(latents, MORPH_FRAMES, "spherical", "linear")),
        "linear": list(session.morph(latents, MORPH_FRAMES, "linear", "linear")),
        "warp": [classical.frame(at) for at in frame_positions(2, MORPH_FRAMES, "linear")],
    }
    report: dict[str, Steps] = {}
    for path, film in films.items():
        points = features.extract([into_frame(frames.frames[pair[0]], picture) for picture in film])
        steps = (points[1:] - points[:-1]).norm(dim=1)
        report[path] = {"largest_step": float(steps.max()), "mean_step": float(steps.mean())}
    return report


def _samples(
    session: LatentEditor, frames: FrameSet, chosen: Sequence[int], seed: int, features: Features
) -> SampleMeasures:
    """Measures of as many samples of the generator as there are frames at the positions `chosen`."""
    number = len(chosen)
    z = session.model.draw(torch.arange(number) + 1_000_003 * (seed + 13), "samples")
    truncated = list(session.pictures(z, TRUNCATION))
    drawn = list(session.pictures(z))
    # A sampled face has no frame around it: all are pasted into the same photo's frame.
    around = frames.frames[chosen[0]]
    real = features.extract([frames.frames[i] for i in chosen])
    made, plain = (
        features.extract([into_frame(around, picture) for picture in pictures]) for pictures in (drawn, truncated)
    )
    swd: Mapping[int, float] = {}
    if session.size >= SMALLEST:
        swd = sliced_wasserstein(
            _crops(frames, session.size, chosen), torch.cat([to_tensor(picture) for picture in drawn])
        )
    return {
        "pictures": number,
        "ffd": frechet_distance(real, made),
        "ffd_floor": frechet_floor(real, made, seed),
        "kfd": as_mean_std(kernel_distance(real, made)) if number >= 4 else None,
        "swd": {str(side): value for side, value in swd.items()},
        "truncation": TRUNCATION,
        "truncated_ffd": frechet_distance(real, plain),
    }


def as_text(report: InvertReport) -> str:
    """The report as four small tables of text."""
    lines = [f"{report['model']}, {report['size']} px, weights {report['weights']}; features {report['features']}", ""]
    lines.append(
        "generated pictures       count recovered  alike     mse  largest  steps  seconds a picture  to lipton's error"
    )
    for name, r in report["generated"].items():
        near = f"{r['seconds_to_lipton']:.3f}" if r["seconds_to_lipton"] is not None else "–"
        errors = f"{r['pictures']:5d} {r['recovered']:9.2f} {r['alike']:6.2f} {r['mse']:7.5f} {r['largest_mse']:8.5f}"
        lines.append(f"{name:24s} {errors} {r['iterations']:6d} {r['seconds']:18.3f} {near:>18s}")
    lines += ["", "held-out photos          count     mse  MS-SSIM  identity  features  seconds a photo"]
    for name, p in report["real"].items():
        lines.append(
            f"{name:24s} {p['pictures']:5d} {p['mse']:7.4f} {p['ms_ssim']:8.3f} {p['identity_distance']:9.3f} "
            f"{p['feature_distance']:9.3f} {p['seconds']:16.2f}"
        )
    lines += ["", "steps of a morph           largest    mean"]
    for path, steps in report["morph"].items():
        lines.append(f"{path:24s} {steps['largest_step']:9.4f} {steps['mean_step']:7.4f}")
    s = report["samples"]
    levels = ", ".join(f"{side} px {value:.1f}" for side, value in s["swd"].items()) or "–"
    distances = f"{s['pictures']} samples: FFD {s['ffd']:.4f}, truncated to {s['truncation']} {s['truncated_ffd']:.4f}"
    floor = floor_in_words(s.get("ffd_floor"))
    return "\n".join([*lines, "", distances, f"FFD {floor}", f"sliced Wasserstein distance × 1000: {levels}"])
