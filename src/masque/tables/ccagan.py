"""What an attribute editor does and what it leaves alone: Section 4.2 of CCA-GAN, and what no editor publishes.

Held-out pictures that lack an attribute are given it (and youth is taken from the young: the paper's target is the aged
face). For each:

took_effect         share of edits after which an independent reading says so
leakage             how far each other attribute moved, on average
identity_distance   squared distance of dlib's embeddings before and after, of the first EMBEDDED of them
*_change            mean change of the pixels of hair, face and background, on a [0,1] scale
ffd, kfd            Fréchet and kernel distance of the edited pictures from real ones that have the attribute, on Masque's face features;
                    None with fewer than two, or four, pictures
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from masque.data.frames import FrameSet
from masque.data.measured import measure_attributes
from masque.data.prepared import BACKGROUND, PERSON
from masque.data.puppets import ATTRIBUTES as PUPPET_ATTRIBUTES
from masque.data.puppets import draw_puppet, render, true_edit
from masque.edits.measures import squared_distance
from masque.edits.subject import with_values, without_rivals
from masque.edits.translate import UNKNOWN, Translator
from masque.errors import DataError
from masque.faces.detect import Landmarks, identity, landmarks_near
from masque.faces.frame import WIDTH, warp
from masque.faces.regions import HAIR_CROP, hull_mask, into_frame
from masque.image import Picture, to_pictures, to_tensor
from masque.metrics.frechet import floor_in_words, frechet_distance, frechet_floor, kernel_distance
from masque.metrics.similarity import absolute_error
from masque.metrics.streaming import Spread
from masque.models.ccagan import HAIR_COLOURS

AT_ONCE = 32
EMBEDDED = 100
"""Pictures per edit whose identity is measured: dlib's embedding takes longer than all else together."""
PUPPETS = 50
"""Puppets per attribute for the error against the true edit."""

Classify = Callable[[list[Picture]], list[dict[str, float]]]
Extract = Callable[[list[Picture]], Tensor]
Embed = Callable[[Picture, Landmarks], NDArray[np.float32]]


@dataclass(frozen=True)
class Judged:
    """One held-out frame."""

    frame: Picture
    mask: NDArray[np.uint8]
    landmarks: Landmarks
    own: Mapping[str, float]
    """The attributes that the set says it has."""


def evaluate_edits(
    translator: Translator,
    frames: FrameSet,
    classify: Classify,
    extract: Extract,
    features: str,
    count: int = 200,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    distances: tuple[str, str] = ("ffd", "kfd"),
    embed: Embed | None = None,
) -> dict[str, Any]:
    """Every edit the model knows on up to `count` held-out pictures each.

    classify: face frames -> attributes in [0,1], by a network that played no part in training the editor; hair colours
    and the mouth are measured. extract: face frames -> features (N,F); features: the hash of what makes them.
    distances: what the Fréchet and the kernel distance are called on these features: fid and kid on Inception's, and on
    no others. embed: dlib's embedding of a face frame with landmarks, where who measures several models remembers it.
    Returns plain values: `edits.<attribute>` with the measures of this file. Raises DataError when an attribute is
    unknown or the same in all held-out pictures."""
    test = frames.indices("test")
    judged = [_judged(frames, int(i)) for i in test]
    generator = np.random.default_rng(seed)
    edits: dict[str, Any] = {}
    names = translator.attributes
    for number, name in enumerate(names):
        value = 1.0
        having = [k for k, j in enumerate(judged) if j.own.get(name, UNKNOWN) > 0.5]
        lacking = [k for k, j in enumerate(judged) if j.own.get(name, UNKNOWN) < 0.5]
        if name == "Young":  # the paper's target is the aged face
            having, lacking, value = lacking, having, 0.0
        if not having or not lacking:
            raise DataError(
                f"The held-out pictures all have the same {name}, or it is unknown in them: prepare or hold out others."
            )
        chosen = generator.permutation(lacking)[:count]
        real = [judged[k].frame for k in generator.permutation(having)[: len(chosen)]]
        edits[name] = _one_edit(
            translator, [judged[k] for k in chosen], name, value, classify, extract, real, distances, embed or identity
        )
        if progress:
            progress(number + 1, len(names))
    return {
        "model": translator.family, "weights": translator.weights, "size": translator.size, "data": frames.fingerprint(), "seed": seed,
        "features": features, "edits": edits, "true_edits": true_edit_error(translator, min(count, PUPPETS), seed),
    }  # fmt: skip


def _judged(frames: FrameSet, index: int) -> Judged:
    own = {
        n: float(v) for n, v in zip(frames.attribute_names, frames.attributes[index], strict=True) if not np.isnan(v)
    }
    return Judged(frames.frames[index], frames.masks[index], frames.landmarks[index], own)


def _look(frame: Picture, judged: Judged, classify: Classify) -> dict[str, float]:
    """What the independent readers see in a picture, the mouth where it now is; where no face is found, as if it had
    not moved."""
    found = landmarks_near(frame, judged.landmarks)
    landmarks = judged.landmarks if found is None else found
    return {**classify([frame])[0], **measure_attributes(frame, landmarks, judged.mask)}


def _one_edit(
    translator: Translator,
    judged: list[Judged],
    name: str,
    value: float,
    classify: Classify,
    extract: Extract,
    real: list[Picture],
    distances: tuple[str, str],
    embed: Embed,
) -> dict[str, Any]:
    names = translator.attributes
    leakage: dict[str, Spread] = {}
    spreads = {n: Spread() for n in ("identity_distance", "hair_change", "face_change", "background_change")}
    worked = 0
    made: list[Picture] = []
    for start in range(0, len(judged), AT_ONCE):
        some = judged[start : start + AT_ONCE]
        own = torch.tensor([[j.own.get(n, UNKNOWN) for n in names] for j in some], dtype=torch.float32)
        wanted = torch.cat(
            [
                without_rivals(with_values(c[None], names, {name: value}), names, {name: value}, HAIR_COLOURS)[0]
                for c in own
            ]
        )
        crops = [
            warp(j.frame, HAIR_CROP.to_crop(translator.size, j.frame.shape[1] / WIDTH), (translator.size,) * 2)
            for j in some
        ]
        with translator.inference():
            people = torch.cat([person_in(j.mask, translator.size, j.frame.shape[1] / WIDTH) for j in some])
            inputs = [x.to(translator.device) for x in (to_tensor(crops), wanted, people)]
            painted = to_pictures(translator.model.edit(*inputs))
        for one, crop, picture in zip(some, crops, painted, strict=True):
            # Both went through the network's size, so that its coarser pixels are not taken for the edit's doing.
            plain, edited = into_frame(one.frame, crop), into_frame(one.frame, picture)
            before, after = _look(plain, one, classify), _look(edited, one, classify)
            worked += abs(after.get(name, 1 - value) - value) < 0.5
            for other in (before.keys() & after.keys()) - {name}:
                leakage.setdefault(other, Spread()).update(torch.tensor([abs(after[other] - before[other])]))
            if len(made) < EMBEDDED:
                distance = squared_distance(embed(plain, one.landmarks), embed(edited, one.landmarks))
                spreads["identity_distance"].update(torch.tensor([distance]))
            for region, change in changes(one, plain, edited).items():
                if not np.isnan(change):
                    spreads[f"{region}_change"].update(torch.tensor([change]))
            made.append(edited)
    kept = min(len(real), len(made))  # the same number of real and made ones, as Section 4.2 asks
    real_features, made_features = extract(real[:kept]), extract(made[:kept])
    kernel = kernel_distance(real_features, made_features) if kept >= 4 else None
    return {
        "pictures": len(judged), "took_effect": worked / len(judged), **{n: s.compute() for n, s in spreads.items()},
        "leakage": {other: leakage[other].compute()["mean"] for other in sorted(leakage)},
        "compared": kept, distances[0]: frechet_distance(real_features, made_features) if kept >= 2 else None,
        f"{distances[0]}_floor": frechet_floor(real_features, made_features),
        distances[1]: {"mean": kernel[0], "std": kernel[1]} if kernel else None,
    }  # fmt: skip


def person_in(mask: NDArray[np.uint8], size: int, scale: float) -> Tensor:
    """Where the person is in the picture that is cut from a frame, (1,1,S,S) in {0,1}, as in training: all but the
    mask's background."""
    cut = cv2.warpAffine(
        np.asarray(mask == BACKGROUND, np.uint8), HAIR_CROP.to_crop(size, scale), (size, size), flags=cv2.INTER_NEAREST
    )
    return torch.from_numpy(1 - np.asarray(cut, np.float32))[None, None]


def changes(judged: Judged, before: Picture, edited: Picture) -> dict[str, float]:
    """Mean change, on a [0,1] scale, of the pixels of face (the hull of Section 3.2 of RSGAN), hair (the rest of the
    person above the chin) and background; NaN for a region of no pixels."""
    difference = np.abs(edited.astype(np.float32) - before).mean(axis=2) / 255
    face = hull_mask(judged.landmarks, judged.mask.shape[::-1]) > 127
    above = np.arange(judged.mask.shape[0])[:, None] < judged.landmarks[8, 1]
    regions = {"face": face, "hair": (judged.mask == PERSON) & ~face & above, "background": judged.mask == BACKGROUND}
    return {
        name: float(difference[region].mean()) if region.any() else float("nan") for name, region in regions.items()
    }


def true_edit_error(translator: Translator, puppets: int = 50, seed: int = 0) -> dict[str, Any]:
    """Edits of puppets against the puppets that really are so: mean absolute error on a [0,1] scale, beside that of
    doing nothing.

    Returns {attribute: {"edited": {mean, std}, "unchanged": {mean, std}}} for the attributes that puppets have.
    """
    scale, names = translator.size / 128, translator.attributes
    report: dict[str, Any] = {}
    for name in (n for n in names if n in PUPPET_ATTRIBUTES):
        edited, unchanged = Spread(absolute_error), Spread(absolute_error)
        for number in range(puppets):
            puppet = draw_puppet(2_000_000 + 10_000 * seed + number)
            before = render(puppet, scale)
            value = float(before.attributes[name] < 0.5)
            own = torch.tensor([[before.attributes.get(n, UNKNOWN) for n in names]], dtype=torch.float32)
            wanted = without_rivals(with_values(own, names, {name: value}), names, {name: value}, HAIR_COLOURS)[0]
            matrix, shape = HAIR_CROP.to_crop(translator.size, scale), (translator.size, translator.size)
            person = person_in(np.where(before.background > 127, BACKGROUND, PERSON), translator.size, scale)
            x, truth = (
                to_tensor(warp(r.picture, matrix, shape))
                for r in (before, render(true_edit(puppet, name, value), scale))
            )
            with translator.inference():
                made = translator.model.edit(*(v.to(translator.device) for v in (x, wanted, person))).cpu()
            edited.update(truth, made)
            unchanged.update(truth, x)
        report[name] = {"edited": edited.compute(), "unchanged": unchanged.compute()}
    return report


def farthest(edit: str, leakage: Mapping[str, float]) -> tuple[str, float]:
    """Which attribute an edit moved farthest besides its own, and how far. A hair colour moves the others: a head has
    one."""
    rivals = HAIR_COLOURS if edit in HAIR_COLOURS else ()
    return max(((other, moved) for other, moved in leakage.items() if other not in rivals), key=lambda pair: pair[1])


def in_text(value: float | Mapping[str, float] | None) -> str:
    """A number, or one with its deviation; a dash where there were too few pictures."""
    if value is None:
        return "–"
    return f"{value['mean']:.3f} ± {value['std']:.3f}" if isinstance(value, Mapping) else f"{value:.3f}"


def as_text(report: Mapping[str, Any]) -> str:
    """The report as two tables: an edit per row, and the leakage matrix."""
    edits: Mapping[str, Any] = report["edits"]
    frechet, kernel = ("fid", "kid") if all("fid" in e for e in edits.values()) else ("ffd", "kfd")
    head = "".join(f"{word:>8s}" for word in ("effect", "identity", "hair", "face", "backgr.", frechet.upper()))
    lines = [f"{report['model']}, {report['size']} px, weights {report['weights']}; features {report['features']}", "",
             f"{'edit':12s}{'pictures':>9s}{head}{kernel.upper():>16s}"]  # fmt: skip
    for name, e in edits.items():
        parts = "".join(f"{e[f'{part}_change']['mean']:8.3f}" for part in ("hair", "face", "background"))
        lines.append(f"{name:12s}{e['pictures']:9d}{100 * e['took_effect']:7.1f}%{e['identity_distance']['mean']:8.3f}{parts}"
                     f"{in_text(e[frechet]):>8s}{in_text(e[kernel]):>16s}")  # fmt: skip
    lines += ["", f"{frechet.upper()} over so few pictures:"]
    lines += [
        f"  {name:12s}{e['compared']:7d} compared; {floor_in_words(e.get(f'{frechet}_floor'))}"
        for name, e in edits.items()
    ]
    columns = sorted({other for e in edits.values() for other in e["leakage"]})
    lines += ["", "how far other attributes moved:", f"{'edit':12s}" + "".join(f"{c[:11]:>12s}" for c in columns)]
    lines += [
        f"{name:12s}" + "".join(f"{e['leakage'].get(c, float('nan')):12.3f}" for c in columns)
        for name, e in edits.items()
    ]
    lines += ["", "the farthest of them, hair colours that give way to another not counted:"]
    lines += [
        f"{name:12s}  {other} {moved:.3f}"
        for name, e in edits.items()
        for other, moved in [farthest(name, e["leakage"])]
    ]
    lines += ["", "error against the true edit, on puppets (and of doing nothing):"]
    lines += [
        f"{name:12s}{e['edited']['mean']:8.3f}   ({e['unchanged']['mean']:.3f})"
        for name, e in report["true_edits"].items()
    ]
    return "\n".join(lines)


def draw_leakage(report: Mapping[str, Any]) -> Picture:
    """The leakage matrix as a picture: an edit per row, in each cell how far another attribute moved, darker for
    farther."""
    from matplotlib.figure import Figure

    edits: Mapping[str, Any] = report["edits"]
    columns = sorted({other for e in edits.values() for other in e["leakage"]} | set(edits))
    values = np.array([[edits[row]["leakage"].get(column, np.nan) for column in columns] for row in edits])
    figure = Figure(figsize=(1.8 + 0.75 * len(columns), 1.8 + 0.5 * len(edits)), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(values, cmap="Oranges", vmin=0, vmax=0.5, aspect="auto")
    for y, x in np.ndindex(values.shape):
        axes.text(x, y, "–" if np.isnan(values[y, x]) else f"{values[y, x]:.2f}", ha="center", va="center")
    axes.set_xticks(range(len(columns)), columns, rotation=40, ha="right")
    axes.set_yticks(range(len(edits)), [f"{row} ({100 * edits[row]['took_effect']:.0f} %)" for row in edits])
    axes.set_title("how far each attribute moved, by edit (share that took effect)", fontsize=10)
    stream = BytesIO()
    figure.savefig(stream, format="png")
    with Image.open(stream) as opened:
        return np.array(opened.convert("RGB"), dtype=np.uint8)
