"""How well photos are found in a generator, how smooth morphs are, and how good samples (the paper's Sections 2, 3.2
and 3.4, in numbers).

generated.<method>  pictures that G made itself: `recovered`, the share whose every component is within 0.05 of the true latent; `alike`,
                    the share whose error no viewer sees, of a mean square of 0.001 at most; `mse` on [-1,1];
                    `iterations`; `seconds` a picture; `seconds_to_lipton` a picture, until the mean error was that of
                    lipton's at its end; `pictures`
real.<method>       held-out photos: `mse`, `ms_ssim`, `identity_distance` (dlib's, squared), `feature_distance` (Masque's, squared),
                    `seconds` a photo; `pictures`
morph.<path>        feature distance from frame to frame: `largest_step`, `mean_step`; through the latents, and the classical morph
samples             `ffd`, `kfd` of drawn faces against held-out photos, `swd` by side (sliced Wasserstein distance × 1000);
                    `truncated_ffd`, of the same at `truncation`; `ffd_floor`, of as many `real` ones from each other
                    and `made` ones from real ones, `pictures` each
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from masque.data.batches import Batches, collate
from masque.data.frames import FrameSet
from masque.edits.invert import Options, invert, recovered
from masque.edits.loaded import LatentEditor
from masque.edits.measures import squared_distance
from masque.edits.morph import times
from masque.edits.morph_warp import WarpMorph
from masque.edits.sample import TRUNCATION
from masque.errors import DataError, SettingError
from masque.faces.detect import identity
from masque.faces.frame import transform
from masque.faces.regions import HAIR_CROP, into_frame
from masque.image import Picture, to_pictures, to_tensor
from masque.metrics.frechet import floor_in_words, frechet_distance, frechet_floor, kernel_distance
from masque.metrics.similarity import ms_ssim
from masque.metrics.sliced import sliced_wasserstein
from masque.metrics.streaming import Spread
from masque.models.progan import ProGAN

METHODS: Mapping[str, Options] = {
    "lipton": Options(method="lipton"),
    "lipton, hard clipping": Options(method="lipton", clip="hard"),
    "refine": Options(method="refine", detail=0),
    "encoder": Options(method="encoder"),
    "encoder+refine, z alone": Options(method="encoder+refine", detail=0),
    "encoder+refine": Options(method="encoder+refine"),
}

INVISIBLE = Options().tolerance
"""Mean squared error on [-1,1] that a viewer does not see."""

Extract = Callable[[list[Picture]], Tensor]


def evaluate_invert(
    session: LatentEditor,
    frames: FrameSet,
    extract: Extract,
    features: str,
    *,
    generated: int = 100,
    real: int = 20,
    few: int | None = None,
    samples: int = 500,
    lipton_iterations: int = 10_000,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Everything above. extract: face frames -> features (N,F); features: the hash of what makes them.

    few: how many of the `generated` pictures, and of the `real` ones, the methods without an encoder are given, at
    most: they take minutes a picture. Raises DataError with fewer than two held-out pictures."""
    chosen = [int(i) for i in frames.indices("test")]
    if min(samples, real, generated) < 1 or samples < 2:
        raise SettingError(
            f"{samples} samples, {real} photos and {generated} generated pictures: two, one and one are the fewest."
        )
    if len(chosen) < 2:
        raise DataError("Two held-out pictures are needed at least: prepare them with a larger --held-out.")
    photos = chosen[:real]
    batches = Batches(frames, "test", session.size, len(chosen), seed=0)
    x = torch.cat([collate([batches.sample(int(i), np.random.default_rng(0))])["image"] for i in photos])
    methods = {
        name: replace(options, seed=seed, iterations=lipton_iterations if options.method == "lipton" else None)
        for name, options in METHODS.items()
        if isinstance(session.model, ProGAN) or not options.method.startswith("encoder")
    }
    jobs = 2 * len(methods) + 2
    report: dict[str, Any] = {
        "model": session.family, "weights": session.weights, "size": session.size, "data": frames.fingerprint(), "features": features,
        "generated_pictures": generated, "real_pictures": len(photos), "generated": {}, "real": {},
    }  # fmt: skip
    true = session.model.draw(torch.arange(generated) + 1_000_003 * (seed + 7), "generated")
    with torch.no_grad():
        made = session.model.generate(true.to(session.device))
    reached = None
    done = 0
    for name, options in methods.items():
        most = None if options.method.startswith("encoder") else few
        report["generated"][name] = _generated(session, made[:most], true[:most], options, reached)
        reached = report["generated"]["lipton"]["mse"] if reached is None else reached
        report["real"][name] = _real(session, x[:most], options, frames, photos[:most], extract)
        done += 2
        if progress:
            progress(done, jobs)
    report["morph"] = _morphs(session, frames, photos[:2], x[:2], list(methods.values())[-1], extract)
    report["samples"] = _samples(session, frames, chosen, samples, seed, extract)
    if progress:
        progress(jobs, jobs)
    return report


def _generated(
    session: LatentEditor, made: Tensor, true: Tensor, options: Options, reached: float | None
) -> dict[str, Any]:
    trace: list[tuple[float, float]] = []
    started = time.monotonic()
    found = invert(
        session.model,
        made,
        options,
        watch=lambda _i, _z, error: trace.append((time.monotonic() - started, float(error.mean()))),
    )
    near = found.seconds if reached is None else next((seconds for seconds, error in trace if error <= reached), None)
    return {
        "recovered": float(recovered(session.model, found.z.cpu(), true).float().mean()), "mse": float(found.error.mean()),
        "alike": float((found.error <= INVISIBLE).float().mean()), "largest_mse": float(found.error.max()), "iterations": found.iterations,
        "seconds": found.seconds / len(made), "seconds_to_lipton": near and near / len(made), "pictures": len(made),
    }  # fmt: skip


def _real(
    session: LatentEditor, x: Tensor, options: Options, frames: FrameSet, photos: Sequence[int], extract: Extract
) -> dict[str, Any]:
    started = time.monotonic()
    found = invert(session.model, x.to(session.device), options)
    seconds = time.monotonic() - started
    with torch.no_grad():
        again = session.model.generate(found.z).cpu().clamp(-1, 1)
    structure, likeness = Spread(ms_ssim), Spread()
    structure.update(x, again)
    painted = [into_frame(frames.frames[i], picture) for i, picture in zip(photos, to_pictures(again), strict=True)]
    for i, picture in zip(photos, painted, strict=True):
        distance = squared_distance(
            identity(frames.frames[i], frames.landmarks[i]), identity(picture, frames.landmarks[i])
        )
        likeness.update(torch.tensor([distance]))
    apart = (extract([frames.frames[i] for i in photos]) - extract(painted)).square().sum(dim=1)
    return {
        "mse": float(found.error.mean()), "ms_ssim": structure.compute()["mean"], "identity_distance": likeness.compute()["mean"],
        "feature_distance": float(apart.mean()), "seconds": seconds / len(x),
        "pictures": len(x),
    }  # fmt: skip


def _morphs(
    session: LatentEditor,
    frames: FrameSet,
    pair: Sequence[int],
    x: Tensor,
    options: Options,
    extract: Extract,
    count: int = 60,
) -> dict[str, Any]:
    found = invert(session.model, x.to(session.device), options)
    latents = [session.latent(z, str(i)) for i, z in enumerate(found.z)]
    matrix = HAIR_CROP.to_crop(session.size, frames.scale)
    classical = WarpMorph(list(to_pictures(x)), [transform(frames.landmarks[i], matrix) for i in pair])
    films = {
        "spherical": list(session.morph(latents, count, "spherical", "linear")),
        "linear": list(session.morph(latents, count, "linear", "linear")),
        "warp": [classical.frame(at) for at in times(2, count, "linear")],
    }
    report = {}
    for path, film in films.items():
        seen = extract([into_frame(frames.frames[pair[0]], picture) for picture in film])
        steps = (seen[1:] - seen[:-1]).norm(dim=1)
        report[path] = {"largest_step": float(steps.max()), "mean_step": float(steps.mean())}
    return report


def _samples(
    session: LatentEditor, frames: FrameSet, chosen: Sequence[int], count: int, seed: int, extract: Extract
) -> dict[str, Any]:
    number = min(count, len(chosen))
    z = session.model.draw(torch.arange(number) + 1_000_003 * (seed + 13), "samples")
    truncated = list(session.pictures(z, TRUNCATION))
    drawn = list(session.pictures(z))
    # A drawn face has no frame around it: it is compared within the mean frame's.
    around = frames.frames[chosen[0]]
    real = extract([frames.frames[i] for i in chosen[:number]])
    made, plain = (extract([into_frame(around, picture) for picture in pictures]) for pictures in (drawn, truncated))
    batches = Batches(frames, "test", session.size, len(chosen), seed=0)
    photos = torch.cat([collate([batches.sample(int(i), np.random.default_rng(0))])["image"] for i in chosen[:number]])
    kernel = kernel_distance(real, made) if number >= 4 else None
    distances = sliced_wasserstein(photos, torch.cat([to_tensor(p) for p in drawn])) if session.size >= 16 else {}
    return {
        "pictures": number, "ffd": frechet_distance(real, made), "ffd_floor": frechet_floor(real, made, seed),
        "kfd": {"mean": kernel[0], "std": kernel[1]} if kernel else None,
        "swd": {str(side): value for side, value in distances.items()}, "truncation": TRUNCATION,
        "truncated_ffd": frechet_distance(real, plain),
    }  # fmt: skip


def as_text(report: Mapping[str, Any]) -> str:
    """The report as four small tables."""
    lines = [f"{report['model']}, {report['size']} px, weights {report['weights']}; features {report['features']}", ""]
    lines.append(
        "generated pictures       count recovered  alike     mse  largest  steps  seconds a picture  to lipton's error"
    )
    for name, r in report["generated"].items():
        near = f"{r['seconds_to_lipton']:.3f}" if r["seconds_to_lipton"] is not None else "–"
        errors = f"{r['pictures']:5d} {r['recovered']:9.2f} {r['alike']:6.2f} {r['mse']:7.5f} {r['largest_mse']:8.5f}"
        lines.append(f"{name:24s} {errors} {r['iterations']:6d} {r['seconds']:18.3f} {near:>18s}")
    lines += ["", "held-out photos          count     mse  MS-SSIM  identity  features  seconds a photo"]
    for name, r in report["real"].items():
        lines.append(
            f"{name:24s} {r['pictures']:5d} {r['mse']:7.4f} {r['ms_ssim']:8.3f} {r['identity_distance']:9.3f} "
            f"{r['feature_distance']:9.3f} {r['seconds']:16.2f}"
        )
    lines += ["", "steps of a morph           largest    mean"]
    lines += [f"{path:24s} {r['largest_step']:9.4f} {r['mean_step']:7.4f}" for path, r in report["morph"].items()]
    s = report["samples"]
    levels = ", ".join(f"{side} px {value:.1f}" for side, value in s["swd"].items()) or "–"
    told = f"{s['pictures']} samples: FFD {s['ffd']:.4f}, truncated to {s['truncation']} {s['truncated_ffd']:.4f}"
    floor = floor_in_words(s.get("ffd_floor"))
    return "\n".join([*lines, "", told, f"FFD {floor}", f"sliced Wasserstein distance × 1000: {levels}"])
