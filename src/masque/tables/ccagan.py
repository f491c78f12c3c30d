"""What an attribute editor does and what it leaves alone: Section 4.2 of CCA-GAN's paper, and leakage into other
attributes, which no editor publishes.

Held-out pictures that lack an attribute are given it; in place of giving youth, it is taken from the young, since the
paper's target is the aged face. The fields of `EditMeasures` say what is measured of each edit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from typing import Literal, TypedDict

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from masque.data.frames import FrameSet
from masque.data.prepared import BACKGROUND, PERSON
from masque.data.puppets import ATTRIBUTES as PUPPET_ATTRIBUTES
from masque.data.puppets import draw_puppet, render, true_edit
from masque.edits.ccagan import UNKNOWN
from masque.edits.loaded import AttributeEditor
from masque.edits.measures import squared_distance
from masque.edits.subject import exclude_rivals, set_attributes
from masque.errors import DataError
from masque.faces.detect import Landmarks, identity
from masque.faces.frame import WIDTH, warp
from masque.faces.regions import HAIR_CROP, hull_mask, into_frame
from masque.image import Picture, to_pictures, to_tensor
from masque.metrics.frechet import floor_in_words
from masque.metrics.similarity import absolute_error
from masque.metrics.streaming import MeanStd, Spread
from masque.models.ccagan import HAIR_COLOURS
from masque.tables.features import Distances, Features, distances
from masque.tables.held_out import Classify, HeldOut, asked_value, having_and_lacking, held_out_frame, read_frame

AT_ONCE = 32
"""Pictures in a batch of the generator."""

EMBEDDED = 100
"""Pictures of each edit whose identity is measured: dlib's embedding takes longer than all else together."""

PUPPETS = 50
"""Puppets of each attribute for the error against the true edit, at most."""

Embed = Callable[[Picture, Landmarks], NDArray[np.float32]]
"""A face frame and its landmarks to dlib's embedding (128,)."""


class EditMeasures(Distances):
    """One edit, over up to `count` held-out pictures. Changes of pixels are means on a [0,1] scale."""

    pictures: int
    edit_success: float
    """Share of edits after which an independent reading sees the attribute"""
    identity_distance: MeanStd
    """Squared distance of dlib's embeddings before and after, of the first `EMBEDDED` pictures"""
    hair_change: MeanStd
    face_change: MeanStd
    background_change: MeanStd
    leakage: dict[str, float]
    """Other attribute -> how far it moved on average, in [0,1]"""


class TrueError(TypedDict):
    """Mean absolute error against the true pictures, on a [0,1] scale."""

    edited: MeanStd
    """Error of the edited pictures"""
    unchanged: MeanStd
    """Error of the pictures as they were"""


class EditReport(TypedDict):
    """What `evaluate_edits` returns."""

    model: str
    weights: str
    size: int
    data: str
    """Fingerprint of the frames"""
    seed: int
    features: str
    """Hash of what makes the features of FFD and KFD"""
    edits: dict[str, EditMeasures]
    true_edits: dict[str, TrueError]
    """For the attributes that puppets have"""


def evaluate_edits(
    translator: AttributeEditor,
    frames: FrameSet,
    classify: Classify,
    features: Features,
    count: int = 200,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    embed: Embed | None = None,
) -> EditReport:
    """Measure every edit that the model knows on up to `count` held-out pictures each.

    classify: hair colours and the mouth are measured instead. progress: called with the edits done and their number.
    embed: dlib's embedding if None; who measures several models may pass one that remembers. Raises DataError when an
    attribute is unknown or the same in all held-out pictures."""
    held_out = [held_out_frame(frames, int(i)) for i in frames.indices("test")]
    generator = np.random.default_rng(seed)
    edits: dict[str, EditMeasures] = {}
    for number, name in enumerate(translator.attributes):
        value = asked_value(name)
        having, lacking = _having_and_lacking(held_out, name, value)
        chosen = generator.permutation(lacking)[:count]
        real = [held_out[k].frame for k in generator.permutation(having)[: len(chosen)]]
        measures = _Measures(name, value, classify, embed or identity)
        for start in range(0, len(chosen), AT_ONCE):
            batch = [held_out[k] for k in chosen[start : start + AT_ONCE]]
            measures.update(batch, *_edited_crops(translator, batch, name, value))
        edits[name] = measures.compute(real, features)
        if progress:
            progress(number + 1, len(translator.attributes))
    return {
        "model": translator.family,
        "weights": translator.weights,
        "size": translator.size,
        "data": frames.fingerprint(),
        "seed": seed,
        "features": features.hash,
        "edits": edits,
        "true_edits": true_edit_error(translator, min(count, PUPPETS), seed),
    }


def _having_and_lacking(held_out: Sequence[HeldOut], name: str, value: float) -> tuple[list[int], list[int]]:
    """As `having_and_lacking`; raises DataError when there are none of either."""
    having, lacking = having_and_lacking(held_out, name, value)
    if not having or not lacking:
        raise DataError(
            f"The held-out pictures all have the same {name}, or it is unknown in them: prepare or hold out others."
        )
    return having, lacking


def _target(own: Tensor, names: Sequence[str], name: str, value: float) -> Tensor:
    """Attributes (1,A) that ask for an edit: the picture's own, one of them set, its rival hair colours taken back."""
    return exclude_rivals(set_attributes(own, names, {name: value}), names, {name: value}, HAIR_COLOURS)[0]


def _edited_crops(
    translator: AttributeEditor, batch: Sequence[HeldOut], name: str, value: float
) -> tuple[list[Picture], list[Picture]]:
    """The hair crops (S,S,3) of some frames, and what the generator makes of them with one attribute set."""
    size, names = translator.size, translator.attributes
    own = torch.tensor([[one.attributes.get(n, UNKNOWN) for n in names] for one in batch], dtype=torch.float32)
    wanted = torch.cat([_target(c[None], names, name, value) for c in own])
    crops, people = [], []
    for one in batch:
        scale = one.frame.shape[1] / WIDTH
        crops.append(warp(one.frame, HAIR_CROP.to_crop(size, scale), (size, size)))
        people.append(person_in(one.mask, size, scale))
    with translator.inference():
        inputs = [x.to(translator.device) for x in (to_tensor(crops), wanted, torch.cat(people))]
        return crops, list(to_pictures(translator.model.edit(*inputs)))


class _Measures:
    """Everything that is measured of one edit."""

    def __init__(self, name: str, value: float, classify: Classify, embed: Embed) -> None:
        self.name, self.value = name, value
        self.classify, self.embed = classify, embed
        self.leakage: dict[str, Spread] = {}
        self.identity_distance = Spread()
        self.changes = {"hair": Spread(), "face": Spread(), "background": Spread()}
        self.effective = 0
        self.edited: list[Picture] = []

    def update(self, batch: Sequence[HeldOut], crops: Sequence[Picture], painted: Sequence[Picture]) -> None:
        """Add frames, their crops (S,S,3) and the edited crops."""
        for one, crop, picture in zip(batch, crops, painted, strict=True):
            # Both went through the network's size, so that its coarser pixels do not count as changes by the edit.
            plain, edited = into_frame(one.frame, crop), into_frame(one.frame, picture)
            before, after = (read_frame(p, one, self.classify) for p in (plain, edited))
            self.effective += abs(after.get(self.name, 1 - self.value) - self.value) < 0.5
            for other in (before.keys() & after.keys()) - {self.name}:
                self.leakage.setdefault(other, Spread()).update(torch.tensor([abs(after[other] - before[other])]))
            if len(self.edited) < EMBEDDED:
                distance = squared_distance(self.embed(plain, one.landmarks), self.embed(edited, one.landmarks))
                self.identity_distance.update(torch.tensor([distance]))
            for region, change in changes(one, plain, edited).items():
                if not np.isnan(change):
                    self.changes[region].update(torch.tensor([change]))
            self.edited.append(edited)

    def compute(self, real: list[Picture], features: Features) -> EditMeasures:
        """The measures. real: frames that have the attribute; as many of them as of edited ones are compared, as
        Section 4.2 asks."""
        kept = min(len(real), len(self.edited))
        return {
            "pictures": len(self.edited),
            "edit_success": self.effective / len(self.edited),
            "identity_distance": self.identity_distance.compute(),
            "hair_change": self.changes["hair"].compute(),
            "face_change": self.changes["face"].compute(),
            "background_change": self.changes["background"].compute(),
            "leakage": {other: self.leakage[other].compute()["mean"] for other in sorted(self.leakage)},
            **distances(features, features.extract(real[:kept]), features.extract(self.edited[:kept])),
        }


def person_in(mask: NDArray[np.uint8], size: int, scale: float) -> Tensor:
    """Where the person is in the hair crop of a frame, (1,1,S,S) in {0,1}, as in training: everywhere but in the mask's
    background. scale: of the frame, in units of CelebA's 178 pixels."""
    background = np.asarray(mask == BACKGROUND, np.uint8)
    cut = cv2.warpAffine(background, HAIR_CROP.to_crop(size, scale), (size, size), flags=cv2.INTER_NEAREST)
    return torch.from_numpy(1 - np.asarray(cut, np.float32))[None, None]


def changes(held_out: HeldOut, before: Picture, edited: Picture) -> dict[str, float]:
    """Mean change, on a [0,1] scale, of the pixels of face (the hull of Section 3.2 of RSGAN), hair (the rest of the
    person above the chin) and background; NaN for a region of no pixels."""
    mask, landmarks = held_out.mask, held_out.landmarks
    difference = np.abs(edited.astype(np.float32) - before).mean(axis=2) / 255
    face = hull_mask(landmarks, mask.shape[::-1]) > 127
    above_chin = np.arange(mask.shape[0])[:, None] < landmarks[8, 1]
    regions = {"face": face, "hair": (mask == PERSON) & ~face & above_chin, "background": mask == BACKGROUND}
    return {
        name: float(difference[region].mean()) if region.any() else float("nan") for name, region in regions.items()
    }


def true_edit_error(translator: AttributeEditor, puppets: int = 50, seed: int = 0) -> dict[str, TrueError]:
    """Edits of puppets against puppets drawn with the attribute, for each attribute that puppets have."""
    scale, names = translator.size / 128, translator.attributes
    matrix, shape = HAIR_CROP.to_crop(translator.size, scale), (translator.size, translator.size)
    report: dict[str, TrueError] = {}
    for name in (n for n in names if n in PUPPET_ATTRIBUTES):
        edited, unchanged = Spread(absolute_error), Spread(absolute_error)
        for number in range(puppets):
            puppet = draw_puppet(2_000_000 + 10_000 * seed + number)
            before = render(puppet, scale)
            value = float(before.attributes[name] < 0.5)
            after = render(true_edit(puppet, name, value), scale)
            own = torch.tensor([[before.attributes.get(n, UNKNOWN) for n in names]], dtype=torch.float32)
            person = person_in(np.where(before.background > 127, BACKGROUND, PERSON), translator.size, scale)
            x, truth = (to_tensor(warp(made.picture, matrix, shape)) for made in (before, after))
            with translator.inference():
                inputs = [v.to(translator.device) for v in (x, _target(own, names, name, value), person)]
                made = translator.model.edit(*inputs).cpu()
            edited.update(truth, made)
            unchanged.update(truth, x)
        report[name] = {"edited": edited.compute(), "unchanged": unchanged.compute()}
    return report


def farthest(edit: str, leakage: Mapping[str, float]) -> tuple[str, float]:
    """The attribute that an edit moved farthest besides its own, and how far. Between hair colours nothing counts,
    since one gives way to another."""
    rivals = HAIR_COLOURS if edit in HAIR_COLOURS else ()
    return max(((other, moved) for other, moved in leakage.items() if other not in rivals), key=lambda pair: pair[1])


def in_text(value: float | MeanStd | None) -> str:
    """A number, or one with its deviation; a dash where there were too few pictures."""
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else f"{value['mean']:.3f} ± {value['std']:.3f}"


def as_text(report: EditReport) -> str:
    """The report as tables of text: an edit per row, then the pictures compared, leakage and errors on puppets."""
    edits = report["edits"]
    frechet: Literal["fid", "ffd"] = "fid" if all("fid" in e for e in edits.values()) else "ffd"
    kernel: Literal["kid", "kfd"] = "kid" if frechet == "fid" else "kfd"
    floor: Literal["fid_floor", "ffd_floor"] = "fid_floor" if frechet == "fid" else "ffd_floor"
    head = "".join(f"{word:>8s}" for word in ("success", "identity", "hair", "face", "backgr.", frechet.upper()))
    lines = [
        f"{report['model']}, {report['size']} px, weights {report['weights']}; features {report['features']}",
        "",
        f"{'edit':12s}{'pictures':>9s}{head}{kernel.upper():>16s}",
    ]
    for name, e in edits.items():
        changed = "".join(f"{e[part]['mean']:8.3f}" for part in CHANGES)
        effect = f"{100 * e['edit_success']:7.1f}%{e['identity_distance']['mean']:8.3f}"
        far = f"{in_text(e[frechet]):>8s}{in_text(e[kernel]):>16s}"
        lines.append(f"{name:12s}{e['pictures']:9d}{effect}{changed}{far}")
    lines += ["", f"{frechet.upper()} over so few pictures:"]
    lines += [f"  {name:12s}{e['compared']:7d} compared; {floor_in_words(e.get(floor))}" for name, e in edits.items()]
    lines += ["", "how far other attributes moved:", *_leakage_rows(edits)]
    lines += ["", "the farthest of them, hair colours that give way to another not counted:"]
    for name, e in edits.items():
        other, moved = farthest(name, e["leakage"])
        lines.append(f"{name:12s}  {other} {moved:.3f}")
    lines += ["", "error against the true edit, on puppets (and of doing nothing):"]
    for name, error in report["true_edits"].items():
        lines.append(f"{name:12s}{error['edited']['mean']:8.3f}   ({error['unchanged']['mean']:.3f})")
    return "\n".join(lines)


CHANGES: tuple[Literal["hair_change", "face_change", "background_change"], ...] = (
    "hair_change",
    "face_change",
    "background_change",
)
"""Changes of pixels in the order of the text's columns."""


def _leakage_rows(edits: Mapping[str, EditMeasures]) -> list[str]:
    """The leakage matrix, a head and a line per edit; NaN where an attribute was not measured."""
    columns = sorted({other for e in edits.values() for other in e["leakage"]})
    head = f"{'edit':12s}" + "".join(f"{column[:11]:>12s}" for column in columns)
    rows = [
        f"{name:12s}" + "".join(f"{e['leakage'].get(column, float('nan')):12.3f}" for column in columns)
        for name, e in edits.items()
    ]
    return [head, *rows]


def draw_leakage(report: EditReport) -> Picture:
    """The leakage matrix as a picture: an edit per row, in each cell how far another attribute moved, darker for
    farther."""
    from matplotlib.figure import Figure

    edits = report["edits"]
    columns = sorted({other for e in edits.values() for other in e["leakage"]} | set(edits))
    values = np.array([[edits[row]["leakage"].get(column, np.nan) for column in columns] for row in edits])
    figure = Figure(figsize=(1.8 + 0.75 * len(columns), 1.8 + 0.5 * len(edits)), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(values, cmap="Oranges", vmin=0, vmax=0.5, aspect="auto")
    for y, x in np.ndindex(values.shape):
        axes.text(x, y, "–" if np.isnan(values[y, x]) else f"{values[y, x]:.2f}", ha="center", va="center")
    axes.set_xticks(range(len(columns)), columns, rotation=40, ha="right")
    axes.set_yticks(range(len(edits)), [f"{row} ({100 * edits[row]['edit_success']:.0f} %)" for row in edits])
    axes.set_title("how far each attribute moved, by edit (share that a classifier takes for it)", fontsize=10)
    stream = BytesIO()
    figure.savefig(stream, format="png")
    with Image.open(stream) as opened:
        return np.array(opened.convert("RGB"), dtype=np.uint8)
