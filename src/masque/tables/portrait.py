"""What a portrait model paints, on held-out pictures (portrait thesis, Section 4.3.3, and what it does not measure).

Each picture is painted twice: in its own style (`same`), and in that of another picture (`other`). The fields of
`PaintingMeasures` say what is measured of each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NotRequired, TypedDict, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torchmetrics.classification import MulticlassConfusionMatrix

from masque.data.batches import Batch, Batches, collate
from masque.data.frames import FrameSet
from masque.edits.loaded import Parser, PortraitEditor
from masque.edits.measures import squared_distance
from masque.errors import DataError
from masque.faces.detect import Landmarks, identity
from masque.faces.labels import LABELS, UNKNOWN
from masque.faces.regions import into_frame
from masque.image import Picture, to_pictures
from masque.metrics.frechet import floor_in_words
from masque.metrics.similarity import absolute_error
from masque.metrics.streaming import MeanStd, Spread
from masque.models.portrait import COMPONENTS, part_mask
from masque.tables.features import Distances, Features, distances
from masque.tables.portrait_edits import FEWEST, NEAR, STILL, PaintedError, Transfer, transfers, true_errors
from masque.tables.portrait_repaints import RepaintMeasures, evaluate_repaints, in_words

AT_ONCE = 8
"""Pictures in a batch of the networks."""

FINEST = 2
"""Maps of the parser, from the finest on, whose statistics are the texture."""


class PaintingMeasures(Distances):
    """Measures of painted pictures. Errors and distances of colours are on a [0,1] scale."""

    label_agreement: float
    """Mean IoU of the label map that was asked for and what an independent parser sees in the painted picture"""
    real_label_agreement: float
    """Mean IoU of the label map that was asked for and what that parser sees in the photos themselves"""
    background_error: NotRequired[MeanStd]
    """Mean |painted − picture| outside the person"""
    error: NotRequired[MeanStd]
    """Mean |painted − picture|; of `same` alone"""
    identity_distance: NotRequired[MeanStd]
    """Squared distance of dlib's embeddings of picture and painted picture; of `same` alone"""
    style: NotRequired[dict[str, MeanStd]]
    """Component -> distance of its colours from those of the style's picture (see `colour_distance`)"""
    style_unchanged: NotRequired[dict[str, MeanStd]]
    """Component -> distance of the target's own colours from those of the style's picture"""
    features: NotRequired[dict[str, MeanStd]]
    """Component -> 1 − cosine of its texture (see `texture`) and that of the style's picture"""
    features_unchanged: NotRequired[dict[str, MeanStd]]
    """Component -> 1 − cosine of the target's own texture and that of the style's picture"""


class PortraitReport(TypedDict):
    """What `evaluate_portrait` returns."""

    model: str
    weights: str
    size: int
    data: str
    """Fingerprint of the frames"""
    features: str
    """Hash of what makes the features of FFD and KFD"""
    parser: str
    """Hash of the independent parser's weights"""
    pictures: int
    same: PaintingMeasures
    other: PaintingMeasures
    transfer: dict[str, Transfer]
    true: dict[str, PaintedError]
    repaint: dict[str, RepaintMeasures]


def evaluate_portrait(
    painter: PortraitEditor,
    parser: Parser,
    frames: FrameSet,
    features: Features,
    count: int = 100,
    puppets: int = 50,
    progress: Callable[[int, int], None] | None = None,
) -> PortraitReport:
    """Up to `count` held-out pictures, each in its own style and in that of the next one, and `puppets` puppets against
    their truth.

    parser: one that played no part in training the painter. progress: called with the pictures painted and their
    number, then with those repainted. Raises DataError with fewer than two held-out pictures."""
    chosen = frames.indices("test")[:count]
    if len(chosen) < 2:
        raise DataError(
            "Two held-out pictures with label maps are needed at least: prepare them with a larger --held-out."
        )
    batches = Batches(frames, "test", painter.size, len(chosen), seed=0)
    same, other = _Measures(parser, own_style=True), _Measures(parser, own_style=False)
    real: list[Picture] = []
    for start in range(0, len(chosen), AT_ONCE):
        places = chosen[start : start + AT_ONCE]
        target = _batch(batches, places)
        style = _batch(batches, np.roll(chosen, -1)[start : start + AT_ONCE])
        framed = [(frames.frames[i], frames.landmarks[i]) for i in places]
        for measures, source in ((same, target), (other, style)):
            measures.update(_painted(painter, target, source), target, source, framed)
        real += [frames.frames[i] for i in places]
        if progress:
            progress(min(start + AT_ONCE, len(chosen)), len(chosen))
    real_features = features.extract(real)
    return {
        "model": painter.family,
        "weights": painter.weights,
        "size": painter.size,
        "data": frames.fingerprint(),
        "features": features.hash,
        "parser": parser.weights,
        "pictures": len(chosen),
        "same": same.compute(real_features, features),
        "other": other.compute(real_features, features),
        "transfer": transfers(painter, frames, chosen),
        "true": true_errors(painter, puppets),
        "repaint": evaluate_repaints(painter, parser, frames, chosen.tolist(), progress),
    }


def _batch(batches: Batches, places: NDArray[np.int64]) -> Batch:
    """Some frames as the network takes them, without augmentation."""
    return collate([batches.sample(int(i), np.random.default_rng(0)) for i in places])


def _painted(painter: PortraitEditor, target: Batch, source: Batch) -> Tensor:
    """The target's pictures, painted by their label maps in the style of the source's (B,3,S,S)."""
    device = painter.device
    with painter.inference():
        latents = painter.model.components(source["image"].to(device), source["labels"].to(device))
        made: Tensor = painter.model.paint(latents, target["image"].to(device), target["labels"].to(device))
    return made.cpu()


class _Measures:
    """All measures of one kind of painted pictures."""

    def __init__(self, parser: Parser, own_style: bool) -> None:
        self.parser, self.own_style = parser, own_style
        self.agreement = MulticlassConfusionMatrix(len(LABELS), ignore_index=UNKNOWN)
        self.real_agreement = MulticlassConfusionMatrix(len(LABELS), ignore_index=UNKNOWN)
        self.spreads: dict[str, Spread] = {}
        """`name` or `name.component` of a measure -> its values"""
        self.painted: list[Picture] = []

    def add(self, name: str, value: float) -> None:
        """Add one value of a measure."""
        self.spreads.setdefault(name, Spread()).update(torch.tensor([value]))

    def update(self, made: Tensor, target: Batch, source: Batch, framed: Sequence[tuple[Picture, Landmarks]]) -> None:
        """Add a batch of painted pictures (B,3,S,S). framed: the targets' face frames and landmarks."""
        x, labels, valid = target["image"], target["labels"], target["valid"]
        maps = self.parse(made, target, source)
        background = valid * (labels == 0)[:, None]
        for i in range(len(made)):
            one = slice(i, i + 1)
            if background[i].any():
                self.add("background_error", float(absolute_error(made[one], x[one], background[one])))
            if self.own_style:
                self.add("error", float(absolute_error(made[one], x[one], valid[one])))
            for component in COMPONENTS:
                there, wanted = (part_mask(b["labels"][one], component)[0, 0] > 0 for b in (target, source))
                if min(there.sum(), wanted.sum()) >= FEWEST:
                    wanted_pixels = source["image"][i][:, wanted]
                    self.add(f"style.{component}", colour_distance(made[i][:, there], wanted_pixels))
                    self.add(f"style_unchanged.{component}", colour_distance(x[i][:, there], wanted_pixels))
                    made_texture, own_texture, wanted_texture = (
                        texture([m[i] for m in of], where)
                        for of, where in zip(maps, (there, there, wanted), strict=True)
                    )
                    self.add(f"features.{component}", _dissimilarity(made_texture, wanted_texture))
                    self.add(f"features_unchanged.{component}", _dissimilarity(own_texture, wanted_texture))
        for (frame, landmarks), picture in zip(framed, to_pictures(made), strict=True):
            painted = into_frame(frame, picture)
            self.painted.append(painted)
            if self.own_style:
                distance = squared_distance(identity(frame, landmarks), identity(painted, landmarks))
                self.add("identity_distance", distance)

    def parse(self, made: Tensor, target: Batch, source: Batch) -> list[Sequence[Tensor]]:
        """Compare what the parser sees in the painted pictures, and in the targets, with the label maps; return its
        finest maps of the painted pictures, the targets and the sources."""

        def resized(pictures: Tensor) -> Tensor:
            size = self.parser.size
            return functional.interpolate(pictures, size=size, mode="bilinear", antialias=True, align_corners=False)

        with torch.inference_mode():
            for pictures, agreement in ((made, self.agreement), (target["image"], self.real_agreement)):
                shares = self.parser.model.shares(resized(pictures))
                shares = functional.interpolate(shares, size=made.shape[2], mode="bilinear", align_corners=False)
                agreement.update(shares.argmax(dim=1), target["labels"])
            return [
                self.parser.model.P_F.maps(resized(pictures))[:FINEST]
                for pictures in (made, target["image"], source["image"])
            ]

    def compute(self, real: Tensor, features: Features) -> PaintingMeasures:
        """The measures of all pictures. real: features of the real pictures (N,F)."""
        groups: dict[str, object] = {}
        components: dict[str, dict[str, MeanStd]] = {}
        for name, spread in self.spreads.items():
            group, _, component = name.partition(".")
            if component:
                groups[group] = components.setdefault(group, {})
                components[group][component] = spread.compute()
            else:
                groups[group] = spread.compute()
        measures = {
            "label_agreement": mean_iou(self.agreement),
            "real_label_agreement": mean_iou(self.real_agreement),
            **groups,
            **distances(features, real, features.extract(self.painted)),
        }
        return cast("PaintingMeasures", measures)


def mean_iou(matrix: MulticlassConfusionMatrix) -> float:
    """Mean intersection over union of the labels that occur in either of two label maps."""
    counts = matrix.compute().double()
    right, union = counts.diag(), counts.sum(0) + counts.sum(1) - counts.diag()
    there = union > 0
    return float((right[there] / union[there]).mean())


def _dissimilarity(a: Tensor, b: Tensor) -> float:
    """1 − cosine of two vectors, at least 0."""
    return max(0.0, 1 - float(functional.cosine_similarity(a, b, dim=0)))


def colour_distance(a: Tensor, b: Tensor, steps: int = 64) -> float:
    """How far apart the colours of pixels (3,N) and (3,M) in [-1,1] are, on a [0,1] scale: the Wasserstein distance of
    each channel's values, by `steps` quantiles, averaged over the channels."""
    at = (torch.arange(steps, dtype=torch.float32) + 0.5) / steps
    one, other = (torch.quantile(values.float(), at, dim=1) for values in (a, b))
    return float((one - other).abs().mean() / 2)


def texture(maps: Sequence[Tensor], there: Tensor) -> Tensor:
    """Means and standard deviations of maps (C,s,s) over the pixels where `there` (S,S) is true, each map's statistics
    scaled to length 1, joined into one vector (statistics as in Huang and Belongie 2017).

    A cell of a coarser map counts by the share of its pixels that are there.
    """
    statistics = []
    for values in maps:
        weight = functional.adaptive_avg_pool2d(there[None].float(), (values.shape[1], values.shape[2]))
        weight = weight / weight.sum()
        mean = (values * weight).sum(dim=(1, 2))
        deviation = ((values - mean[:, None, None]).square() * weight).sum(dim=(1, 2)).sqrt()
        statistics.append(functional.normalize(torch.cat([mean, deviation]), dim=0))
    return torch.cat(statistics)


def as_text(report: PortraitReport) -> str:
    """The report in a few lines."""
    lines = [
        f"{report['model']}, {report['size']} px, weights {report['weights']}; {report['pictures']} held-out pictures",
        *_measures_in_text("in its own style", report["same"]),
        *_measures_in_text("in another's style", report["other"]),
    ]
    for part, moved in report["transfer"].items():
        lines.append(
            f"another's {part}: {moved['asked']['mean']:.1f} ΔE from the colour asked for "
            f"(before {moved['unchanged']['mean']:.1f}), up to {NEAR:.0f} in {100 * moved['near']:.0f} %; "
            f"no other part moved by {STILL:.0f} or more in {100 * moved['still']:.0f} % "
            f"({moved['others']['mean']:.1f} at most)"
        )
    for edit, errors in report["true"].items():
        lines.append(
            f"{edit} of puppets: {errors['painted']['mean']:.4f} from the truth "
            f"(doing nothing {errors['unchanged']['mean']:.4f})"
        )
    return "\n".join([*lines, *in_words(report["repaint"])])


def _measures_in_text(title: str, r: PaintingMeasures) -> list[str]:
    """Lines on the pictures painted in one kind of style."""
    distance = f"FID {r['fid']:.2f}" if "fid" in r else f"FFD {r['ffd']:.4f}"
    lines = [
        f"{title}: label agreement {r['label_agreement']:.3f} mean IoU (the photos' {r['real_label_agreement']:.3f}), "
        f"background error {r['background_error']['mean']:.4f}, {distance}",
        f"  the distance is of {r['compared']} pictures; {floor_in_words(r.get('fid_floor', r.get('ffd_floor')))}",
    ]
    if "error" in r:
        lines.append(f"  error {r['error']['mean']:.4f}, identity distance {r['identity_distance']['mean']:.3f}")
    for component, style in r.get("style", {}).items():
        lines.append(
            f"  {component}: colours {style['mean']:.3f} from those asked for "
            f"(the target's own {r['style_unchanged'][component]['mean']:.3f}), "
            f"texture {r['features'][component]['mean']:.4f} ({r['features_unchanged'][component]['mean']:.4f})"
        )
    return lines
