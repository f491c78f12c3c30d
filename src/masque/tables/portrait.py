"""What a portrait model paints, on held-out pictures (portrait thesis, Section 4.3.3 and Table 4.1, and what it does
not measure).

Each picture is painted twice: in its own style (`same`), and in that of another one (`other`).

label_agreement    mean IoU of the asked label map and what an independent parser sees in the painted picture
background_error   mean |painted − picture| outside the person, on a [0,1] scale
style.<component>  distance of the component's colours from those of the picture that the style is of: mean over the three channels of the
                   distance of the sorted values (Wasserstein), on a [0,1] scale; beside it `style_unchanged`, that of
                   the target's own
features.<component>  the same of texture: 1 − cosine between means and deviations, over the component, of the independent parser's two
                   finest maps (statistics as in Huang and Belongie 2017); beside it `features_unchanged`
identity_distance  squared distance of dlib's embeddings of picture and painted picture; of `same` alone
error              mean |painted − picture|; of `same` alone
true               mean |painted − truth| of puppets, whose repainted and restyled pictures are known, beside that of doing nothing
ffd, kfd           Fréchet and kernel distance of the painted pictures from the real ones, on Masque's face features
ffd_floor          the first of as many `real` ones from each other and `made` ones from real ones, `pictures` each
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torchmetrics.classification import MulticlassConfusionMatrix

from masque.catalog import load_session, model_folder
from masque.data.batches import Batch, Batches, collate
from masque.data.frames import FrameSet, load_frames
from masque.data.puppets import Rendered, draw_puppet, render, true_edit, true_style
from masque.edits.estimate import face_features
from masque.edits.measures import squared_distance
from masque.edits.parse import Parser
from masque.edits.repaint import LEVELS, Painter, mean_colour, restyled
from masque.edits.shapes import PARTS, shrunk
from masque.edits.subject import cut_subject
from masque.errors import DataError
from masque.faces.detect import Face, identity
from masque.faces.frame import warp
from masque.faces.labels import LABELS, UNKNOWN, Labels
from masque.faces.regions import HAIR_CROP, into_frame
from masque.image import Picture, to_pictures, to_tensor
from masque.metrics.frechet import floor_in_words, frechet_distance, frechet_floor, kernel_distance
from masque.metrics.similarity import absolute_error
from masque.metrics.streaming import Spread
from masque.models.portrait import COMPONENTS, LABELS_OF, part_mask
from masque.tables.alike import Alike, train_equally
from masque.tables.written import write_table

AT_ONCE = 8
FEWEST = 30
"""Pixels that a component needs for its colours and texture to be compared."""

FINEST = 2
"""Maps of the parser, from the finest, whose statistics are the texture."""

MODELS: Mapping[str, tuple[str, Sequence[str]]] = {
    "Original Paper": ("window", ("eyes=window",)),
    "Changing the Eye mask": ("tight", ("eyes=tight",)),
    "Multi Target Mask Encoder": ("multi", ("eyes=window", "mask_encoder=multi")),
}
"""Row of Table 4.1 -> the folder of its run, and what it sets."""

THESIS_FID = {"Original Paper": 26.54, "Changing the Eye mask": 26.04, "Multi Target Mask Encoder": 28.48}

Extract = Callable[[list[Picture]], Tensor]


def evaluate_portrait(
    painter: Painter,
    parser: Parser,
    frames: FrameSet,
    extract: Extract,
    features: str,
    count: int = 100,
    puppets: int = 50,
    distances: tuple[str, str] = ("ffd", "kfd"),
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Up to `count` held-out pictures, each in its own style and in that of the next one, and `puppets` puppets against
    their truth.

    parser: one that played no part in training the painter. extract: face frames -> features (N,F); features: the hash
    of what makes them. distances: what the Fréchet and the kernel distance are called on these features: fid and kid on
    Inception's, and on no others. Raises DataError with fewer than two held-out pictures."""
    chosen = frames.indices("test")[:count]
    if len(chosen) < 2:
        raise DataError(
            "Two held-out pictures with label maps are needed at least: prepare them with a larger --held-out."
        )
    batches = Batches(frames, "test", painter.size, len(chosen), seed=0)
    kinds = {kind: _Measures() for kind in ("same", "other")}
    real: list[Picture] = []
    for start in range(0, len(chosen), AT_ONCE):
        places = chosen[start : start + AT_ONCE]
        styles = np.roll(chosen, -1)[start : start + AT_ONCE]
        batch, style = (
            collate([batches.sample(int(i), np.random.default_rng(0)) for i in some]) for some in (places, styles)
        )
        for kind, source in (("same", batch), ("other", style)):
            with painter.inference():
                latents = painter.model.components(
                    source["image"].to(painter.device), source["labels"].to(painter.device)
                )
                made = painter.model.paint(
                    latents, batch["image"].to(painter.device), batch["labels"].to(painter.device)
                ).cpu()
            kinds[kind].update(
                made, batch, source, parser, [(frames.frames[i], frames.landmarks[i]) for i in places], kind == "same"
            )
        real += [frames.frames[i] for i in places]
        if progress:
            progress(min(start + AT_ONCE, len(chosen)), len(chosen))
    report = {kind: measures.compute(extract(real), extract, distances) for kind, measures in kinds.items()}
    report["transfer"] = transfers(painter, frames, chosen)
    report["true"] = true_errors(painter, puppets)
    return {
        "model": painter.family, "weights": painter.weights, "size": painter.size, "data": frames.fingerprint(), "features": features,
        "parser": parser.weights, "pictures": len(chosen), **report,
    }  # fmt: skip


class _Measures:
    """All measures of one kind of painted pictures."""

    def __init__(self) -> None:
        self.agreement, self.real_agreement = (
            MulticlassConfusionMatrix(len(LABELS), ignore_index=UNKNOWN) for _ in range(2)
        )
        self.spreads: dict[str, Spread] = {}
        self.painted: list[Picture] = []

    def note(self, name: str, value: float) -> None:
        self.spreads.setdefault(name, Spread()).update(torch.tensor([value]))

    def update(
        self,
        made: Tensor,
        target: Batch,
        source: Batch,
        parser: Parser,
        framed: Sequence[tuple[Picture, NDArray[np.float32]]],
        own: bool,
    ) -> None:
        """Take in a batch of painted pictures (B,3,S,S)."""
        x, labels, valid = target["image"], target["labels"], target["valid"]
        with torch.inference_mode():
            resized: dict[str, Any] = {
                "size": parser.size,
                "mode": "bilinear",
                "antialias": True,
                "align_corners": False,
            }
            for pictures, agreement in ((made, self.agreement), (x, self.real_agreement)):
                shares = parser.model.shares(functional.interpolate(pictures, **resized))
                shares = functional.interpolate(shares, size=made.shape[2], mode="bilinear", align_corners=False)
                agreement.update(shares.argmax(dim=1), labels)
            maps = [
                parser.model.P_F.maps(functional.interpolate(b, **resized))[:FINEST] for b in (made, x, source["image"])
            ]
        wall = valid * (labels == 0)[:, None]
        for i in range(len(made)):
            if wall[i].any():
                self.note("background_error", float(absolute_error(made[i : i + 1], x[i : i + 1], wall[i : i + 1])))
            if own:
                self.note("error", float(absolute_error(made[i : i + 1], x[i : i + 1], valid[i : i + 1])))
            for component in COMPONENTS:
                there, wanted = (part_mask(b["labels"][i : i + 1], component)[0, 0] > 0 for b in (target, source))
                if min(there.sum(), wanted.sum()) >= FEWEST:
                    asked = source["image"][i][:, wanted]
                    self.note(f"style.{component}", colour_distance(made[i][:, there], asked))
                    self.note(f"style_unchanged.{component}", colour_distance(x[i][:, there], asked))
                    made_look, own_look, look = (
                        texture([m[i] for m in of], where)
                        for of, where in zip(maps, (there, there, wanted), strict=True)
                    )
                    self.note(
                        f"features.{component}",
                        max(0.0, 1 - float(functional.cosine_similarity(made_look, look, dim=0))),
                    )
                    self.note(
                        f"features_unchanged.{component}",
                        max(0.0, 1 - float(functional.cosine_similarity(own_look, look, dim=0))),
                    )
        for (frame, landmarks), picture in zip(framed, to_pictures(made), strict=True):
            painted = into_frame(frame, picture)
            self.painted.append(painted)
            if own:
                self.note(
                    "identity_distance", squared_distance(identity(frame, landmarks), identity(painted, landmarks))
                )

    def compute(self, real: Tensor, extract: Extract, distances: tuple[str, str]) -> dict[str, Any]:
        """Plain values. real: features of the real pictures (N,F)."""
        result: dict[str, Any] = {}
        for name, matrix in (("label_agreement", self.agreement), ("real_label_agreement", self.real_agreement)):
            counts = matrix.compute().double()
            right, union = counts.diag(), counts.sum(0) + counts.sum(1) - counts.diag()
            there = union > 0
            result[name] = float((right[there] / union[there]).mean())
        for name, spread in self.spreads.items():
            group, _, component = name.partition(".")
            if component:
                result.setdefault(group, {})[component] = spread.compute()
            else:
                result[group] = spread.compute()
        made = extract(self.painted)
        kernel = kernel_distance(real, made) if len(real) >= 4 else None
        return {
            **result, "compared": len(made), distances[0]: frechet_distance(real, made), f"{distances[0]}_floor": frechet_floor(real, made),
            distances[1]: {"mean": kernel[0], "std": kernel[1]} if kernel else None,
        }  # fmt: skip


NEAR, STILL = 5.0, 2.0
"""ΔE up to which a part has the colour that was asked for, and below which another has kept its own."""


def transfers(painter: Painter, frames: FrameSet, chosen: NDArray[np.int64]) -> dict[str, Any]:
    """What `masque transfer --part` does to colours: each of the chosen frames in the style of the next one, part by
    part.

    Distances are ΔE (CIE 1976) of mean colours in CIELAB over the frames' label maps; those of a part are of what has
    one colour in it, lips to lips and teeth to teeth, by its pixels. What either shows less than 30 pixels of is left
    out.

    Returns {part: {"pairs", "asked", "unchanged", "others", "near", "still"}}: how far the part then is from the
    style's, how far it was before, the most that any other part or the background moved, each {mean, std}; and the
    share of pairs with an `asked` up to 5, with `others` below 2."""
    assert frames.labels is not None
    regions = {
        **{part: [n for c in PARTS[part] for n in LABELS_OF[c]] for part in PARTS if part != "all"},
        "background": [0],
    }
    seen, maps = [], []
    for i in chosen:
        face = Face((0, 0, frames.frames.shape[2], frames.frames.shape[1]), 1.0, frames.landmarks[i])
        seen.append(cut_subject(frames.frames[i], face, painter.size, device=painter.device))
        maps.append(shrunk(frames.labels[i], seen[-1].matrix, painter.size))
    spreads = {
        part: {name: Spread() for name in ("asked", "unchanged", "others", "near", "still")}
        for part in regions
        if part in PARTS
    }
    for a, b in zip(range(len(chosen)), np.roll(range(len(chosen)), -1), strict=True):
        before, style, labels, others = (
            frames.frames[chosen[a]],
            frames.frames[chosen[b]],
            frames.labels[chosen[a]],
            frames.labels[chosen[b]],
        )
        for part, spread in spreads.items():
            groups = [(np.isin(labels, group), np.isin(others, group)) for c in PARTS[part] for group in LEVELS[c]]
            shown = [(mine, theirs) for mine, theirs in groups if min(mine.sum(), theirs.sum()) >= FEWEST]
            if not shown:
                continue
            after = restyled(painter, seen[a], maps[a], seen[b], maps[b], part)
            sizes = [int(mine.sum()) for mine, _ in shown]
            near, far = (
                float(np.average([_apart(picture, mine, style, theirs) for mine, theirs in shown], weights=sizes))
                for picture in (after, before)
            )
            kept = [
                inside
                for other, of in regions.items()
                if other != part and (inside := np.isin(labels, of)).sum() >= FEWEST
            ]
            moved = max(_apart(after, inside, before, inside) for inside in kept)
            values = {
                "asked": near,
                "unchanged": far,
                "others": moved,
                "near": float(near <= NEAR),
                "still": float(moved < STILL),
            }
            for name, value in values.items():
                spread[name].update(torch.tensor([value]))
    report: dict[str, Any] = {}
    for part, spread in spreads.items():
        if not int(spread["asked"].count):
            continue
        made = {name: one.compute() for name, one in spread.items()}
        report[part] = {
            "pairs": int(spread["asked"].count), **{name: made[name] for name in ("asked", "unchanged", "others")},
            "near": made["near"]["mean"], "still": made["still"]["mean"],
        }  # fmt: skip
    return report


def _apart(one: Picture, here: NDArray[np.bool_], other: Picture, there: NDArray[np.bool_]) -> float:
    """ΔE of the mean colour of one picture (H,W,3), where `here` is true, and of another's, where `there` is."""
    a, b = (mean_colour(p / 255, inside) for p, inside in ((one, here), (other, there)))
    return float(np.linalg.norm(a - b))


EDIT = "Mouth_Slightly_Open"
"""What is repainted of a puppet: a change of shape that leaves every colour as it is."""


def true_errors(painter: Painter, puppets: int = 50, seed: int = 0) -> dict[str, Any]:
    """Puppets repainted and restyled, against the puppets that really are so: mean absolute error on a [0,1] scale.

    repaint: with the label map of the same puppet, its mouth opened or closed; transfer: in another one's colours,
    under its own light. Returns {edit: {"painted": {mean, std}, "unchanged": {mean, std}}}, `unchanged` being the error
    of doing nothing."""
    scale = painter.size / 128
    report: dict[str, Any] = {}
    matrix, shape = HAIR_CROP.to_crop(painter.size, scale), (painter.size, painter.size)

    def seen(made: Rendered) -> tuple[Tensor, Labels]:
        return to_tensor(warp(made.picture, matrix, shape)), shrunk(made.labels, matrix, painter.size)

    def latents(x: Tensor, labels: Labels) -> list[Tensor]:
        with painter.inference():
            return painter.model.components(
                x.to(painter.device), torch.from_numpy(labels.astype(np.int64))[None].to(painter.device)
            )

    spreads = {
        (edit, kind): Spread(absolute_error) for edit in ("repaint", "transfer") for kind in ("painted", "unchanged")
    }
    for number in range(puppets):
        puppet = draw_puppet(3_000_000 + 2 * number + 10_000 * seed)
        other = replace(draw_puppet(3_000_001 + 2 * number + 10_000 * seed), light=puppet.light, key=puppet.key)
        before, labels = seen(render(puppet, scale))
        after = true_edit(puppet, EDIT, float(puppet.expression[1] < 0.5))
        styled, _ = seen(render(true_style(puppet, other), scale))
        opened, wanted = seen(render(after, scale))
        restyled = ("transfer", styled, labels, seen(render(other, scale)))
        for edit, truth, asked, source in (("repaint", opened, wanted, (before, labels)), restyled):
            made = to_tensor(painter.paint(latents(*source), before.to(painter.device), asked))
            spreads[edit, "painted"].update(truth, made)
            spreads[edit, "unchanged"].update(truth, before)
    for (edit, kind), spread in spreads.items():
        report.setdefault(edit, {})[kind] = spread.compute()
    return report


def colour_distance(a: Tensor, b: Tensor, steps: int = 64) -> float:
    """How far apart the colours of pixels (3,N) and (3,M) in [-1,1] are: Wasserstein distance per channel, averaged, on
    [0,1]."""
    at = (torch.arange(steps, dtype=torch.float32) + 0.5) / steps
    one, other = (torch.quantile(values.float(), at, dim=1) for values in (a, b))
    return float((one - other).abs().mean() / 2)


def texture(maps: Sequence[Tensor], there: Tensor) -> Tensor:
    """Means and standard deviations of maps (C,s,s) over the pixels where `there` (S,S) is true, one after the other,
    each map at length 1.

    A cell counts for the share of it that is there.
    """
    statistics = []
    for values in maps:
        weight = functional.adaptive_avg_pool2d(there[None].float(), (values.shape[1], values.shape[2]))
        weight = weight / weight.sum()
        mean = (values * weight).sum(dim=(1, 2))
        deviation = ((values - mean[:, None, None]).square() * weight).sum(dim=(1, 2)).sqrt()
        statistics.append(functional.normalize(torch.cat([mean, deviation]), dim=0))
    return torch.cat(statistics)


def table(
    data: Sequence[str],
    out: Path,
    how: Alike,
    *,
    count: int = 100,
) -> dict[str, Any]:
    """Table 4.1: train the three models under `out` (see `masque.tables.alike.train_equally`), measure them alike,
    write table.json and table.md.

    Returns {row: report of `evaluate_portrait`, with its steps}. Raises MasqueError.
    """
    # First, so that what is missing is missed before an hour of training.
    extract, features = face_features(model_folder("identity"))
    parser = load_session("parser", "parse")
    assert isinstance(parser, Parser)
    rows = {row: ("portrait", *model) for row, model in MODELS.items()}
    steps = train_equally(rows, data, out, how)
    reports: dict[str, Any] = {}
    for row, (folder, _) in MODELS.items():
        painter = load_session(str(out / folder), "repaint")
        assert isinstance(painter, Painter)
        frames = load_frames(data, painter.size, (), ("test",), labels="any")
        reports[row] = {"steps": steps, **evaluate_portrait(painter, parser, frames, extract, features, count)}
    return write_table(out, reports, table_text(reports))


def table_text(reports: Mapping[str, Any]) -> str:
    """Table 4.1 as Markdown, the thesis's FID beside our FFD."""
    first = next(iter(reports.values()))
    lines = [
        f"{first['steps']} steps, {first['size']} px, data {first['data']}, features {first['features']}, parser {first['parser']}", "",
        "| Experiment Method | FID of the thesis | FFD, other styles | FFD, own style | label agreement | background error | error |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for row, report in reports.items():
        same, other = report["same"], report["other"]
        lines.append(
            f"| {row} | {THESIS_FID[row]:.2f} | {other['ffd']:.4f} | {same['ffd']:.4f} | {other['label_agreement']:.3f} "
            f"| {other['background_error']['mean']:.4f} | {same['error']['mean']:.4f} |"
        )
    return "\n".join([*lines, ""])


def as_text(report: Mapping[str, Any]) -> str:
    """The report in a few lines."""
    lines = [
        f"{report['model']}, {report['size']} px, weights {report['weights']}; {report['pictures']} held-out pictures"
    ]
    for kind, title in (("same", "in its own style"), ("other", "in another's style")):
        r = report[kind]
        lines.append(
            f"{title}: label agreement {r['label_agreement']:.3f} mean IoU (the photos' {r['real_label_agreement']:.3f}), "
            f"background error {r['background_error']['mean']:.4f}, "
            + (f"FID {r['fid']:.2f}" if "fid" in r else f"FFD {r['ffd']:.4f}")
        )
        lines.append(
            f"  the distance is of {r['compared']} pictures; {floor_in_words(r.get('fid_floor', r.get('ffd_floor')))}"
        )
        if "error" in r:
            lines.append(f"  error {r['error']['mean']:.4f}, identity distance {r['identity_distance']['mean']:.3f}")
        for component, distance in r.get("style", {}).items():
            unchanged = r["style_unchanged"][component]
            lines.append(
                f"  {component}: colours {distance['mean']:.3f} from those asked for (the target's own {unchanged['mean']:.3f}), "
                f"texture {r['features'][component]['mean']:.4f} ({r['features_unchanged'][component]['mean']:.4f})"
            )
    for part, r in report["transfer"].items():
        lines.append(
            f"another's {part}: {r['asked']['mean']:.1f} ΔE from the colour asked for (before {r['unchanged']['mean']:.1f}), "
            f"up to {NEAR:.0f} in {100 * r['near']:.0f} %; no other part moved by {STILL:.0f} or more in {100 * r['still']:.0f} % "
            f"({r['others']['mean']:.1f} at most)"
        )
    for edit, errors in report["true"].items():
        lines.append(
            f"{edit} of puppets: {errors['painted']['mean']:.4f} from the truth (doing nothing {errors['unchanged']['mean']:.4f})"
        )
    return "\n".join(lines)
