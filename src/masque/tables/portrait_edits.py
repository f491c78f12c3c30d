"""What the edits of the portrait networks do to colours, and how far they are from the truth on puppets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from masque.data.frames import FrameSet
from masque.data.puppets import Rendered, attributes_of, draw_puppet, render, true_edit, true_style
from masque.edits.loaded import PortraitEditor
from masque.edits.mattes import mattes_of_shares
from masque.edits.portrait import PARTS, Part
from masque.edits.subject import Subject, cut_subject
from masque.edits.transfer import COLOUR_GROUPS, STYLED
from masque.edits.transfer_own import Portrayed, restyle_own
from masque.errors import DataError
from masque.faces.detect import Face
from masque.faces.frame import chain, warp
from masque.faces.label_edits import PART_LABELS, label_coverage, resample_labels
from masque.faces.labels import Labels
from masque.faces.regions import HAIR_CROP
from masque.faces.tones import mean_lab
from masque.image import Picture, to_tensor
from masque.metrics.similarity import absolute_error
from masque.metrics.streaming import MeanStd, Spread

FEWEST = 30
"""Pixels that a part needs in both pictures for its colours and texture to be compared."""

NEAR = 5.0
"""ΔE up to which a part counts as having the colour of the style's."""

STILL = 2.0
"""ΔE below which another part counts as having kept its own colour."""

FOLLOWS: Mapping[str, tuple[str, ...]] = {"skin": ("mouth",)}
"""Parts that are to change with another: lips with the skin around them."""

PARTS_ACROSS = 256
"""Side in pixels of the hair crop in which the true parts of a frame are given to an edit."""

MOUTH_EDIT = "Mouth_Slightly_Open"
"""The attribute by which puppets are repainted: a change of shape that leaves every colour as it is."""

REGIONS: Mapping[str, tuple[int, ...]] = {**PART_LABELS, "background": (0,)}
"""Part of the face, or the background -> its labels."""


class Transfer(TypedDict):
    """What a transfer of one part's style does. Distances are ΔE (CIE 1976) of mean colours in CIELAB."""

    pairs: int
    """Pairs of pictures that both show the part"""
    asked: MeanStd
    """Distance of the part's colour from the style's, after the edit"""
    unchanged: MeanStd
    """Distance of the part's colour from the style's, before the edit"""
    others: MeanStd
    """The most that any other part, or the background, moved; of skin but for the mouth, whose lips follow it"""
    near: float
    """Share of pairs with `asked` up to `NEAR`"""
    still: float
    """Share of pairs with `others` below `STILL`"""


class PaintedError(TypedDict):
    """Mean absolute error against the true pictures, on a [0,1] scale."""

    painted: MeanStd
    """Error of the painted pictures"""
    unchanged: MeanStd
    """Error of the pictures as they were"""


@dataclass(frozen=True)
class _Frame:
    """A face frame as a photo that an edit gets."""

    picture: Picture
    """The frame's pixels, (H,W,3)"""
    labels: Labels
    """The label map (H,W) of the frame"""
    subject: Subject
    """The face in it, as the network takes it"""


def transfers(painter: PortraitEditor, frames: FrameSet, chosen: NDArray[np.int64]) -> dict[str, Transfer]:
    """What `masque transfer --part` does to colours: each of the chosen frames in the style of the next one, part by
    part.

    Colours of a part are those of what has one colour in it, lips by lips and teeth by teeth, weighed by pixels. Parts
    of which either picture shows fewer than `FEWEST` pixels are left out. Raises DataError for frames without label
    maps."""
    if frames.labels is None:
        raise DataError("Styles are measured by label maps, which these frames lack: prepare the set with label maps.")
    shown = [_as_photo(painter, frames, frames.labels, int(i)) for i in chosen]
    parts: list[Part] = [part for part in PARTS if part in REGIONS]
    found: dict[str, list[tuple[float, float, float]]] = {part: [] for part in parts}
    for target, style in zip(shown, [*shown[1:], shown[0]], strict=True):
        for part in parts:
            distances = _transferred(target, style, part)
            if distances is not None:
                found[part].append(distances)
    return {part: _summarised(values) for part, values in found.items() if values}


def _as_photo(
    painter: PortraitEditor, frames: FrameSet, labels: Sequence[Labels] | NDArray[np.uint8], index: int
) -> _Frame:
    picture = frames.frames[index]
    face = Face((0, 0, picture.shape[1], picture.shape[0]), 1.0, frames.landmarks[index])
    subject = cut_subject(picture, face, painter.size, device=painter.device)
    return _Frame(picture, labels[index], subject)


def _portrayed(frame: _Frame) -> Portrayed:
    """A frame as an edit takes it, with its true parts."""
    matrix = chain(frame.subject.frame.matrix, HAIR_CROP.to_crop(PARTS_ACROSS, frame.subject.frame.scale))
    return Portrayed(frame.subject, mattes_of_shares(frame.subject, label_coverage(frame.labels, matrix, PARTS_ACROSS)))


def _transferred(target: _Frame, style: _Frame, part: Part) -> tuple[float, float, float] | None:
    """`asked`, `unchanged` and `others` of one pair, in ΔE; None where either hardly shows the part."""
    groups = [
        (np.isin(target.labels, group), np.isin(style.labels, group))
        for component in PARTS[part]
        for group in COLOUR_GROUPS[component]
    ]
    shown = [(mine, theirs) for mine, theirs in groups if min(mine.sum(), theirs.sum()) >= FEWEST]
    if not shown:
        return None
    change = restyle_own(_portrayed(target), _portrayed(style), STYLED[part])
    after = change.apply(target.picture)
    sizes = [int(mine.sum()) for mine, _ in shown]
    asked, unchanged = (
        float(
            np.average(
                [_colour_distance(picture, mine, style.picture, theirs) for mine, theirs in shown], weights=sizes
            )
        )
        for picture in (after, target.picture)
    )
    still = [other for other in REGIONS if other not in (part, *FOLLOWS.get(part, ()))]
    elsewhere = [np.isin(target.labels, REGIONS[other]) for other in still]
    others = max(
        _colour_distance(after, inside, target.picture, inside) for inside in elsewhere if inside.sum() >= FEWEST
    )
    return asked, unchanged, others


def _summarised(values: Sequence[tuple[float, float, float]]) -> Transfer:
    """The summary of `asked`, `unchanged` and `others` over pairs."""
    asked, unchanged, others = (Spread() for _ in range(3))
    for near, far, moved in values:
        asked.update(torch.tensor([near]))
        unchanged.update(torch.tensor([far]))
        others.update(torch.tensor([moved]))
    return {
        "pairs": len(values),
        "asked": asked.compute(),
        "unchanged": unchanged.compute(),
        "others": others.compute(),
        "near": sum(near <= NEAR for near, _, _ in values) / len(values),
        "still": sum(moved < STILL for _, _, moved in values) / len(values),
    }


def _colour_distance(one: Picture, here: NDArray[np.bool_], other: Picture, there: NDArray[np.bool_]) -> float:
    """ΔE of the mean colour of one picture (H,W,3), where `here` is true, and of another's, where `there` is."""
    a, b = (mean_lab(picture / 255, inside) for picture, inside in ((one, here), (other, there)))
    return float(np.linalg.norm(a - b))


def true_errors(painter: PortraitEditor, puppets: int = 50, seed: int = 0) -> dict[str, PaintedError]:
    """Puppets edited by the network, against puppets drawn so: {"repaint", "transfer"}.

    repaint: with the label map of the same puppet, its mouth opened or closed. transfer: in another puppet's colours,
    under its own light."""
    edits = _PuppetEdits(painter)
    painted = {edit: Spread(absolute_error) for edit in ("repaint", "transfer")}
    unchanged = {edit: Spread(absolute_error) for edit in painted}
    for number in range(puppets):
        for edit, before, truth, made in edits.of_puppet(number, seed):
            painted[edit].update(truth, made)
            unchanged[edit].update(truth, before)
    return {
        edit: {"painted": spread.compute(), "unchanged": unchanged[edit].compute()} for edit, spread in painted.items()
    }


class _PuppetEdits:
    """A puppet repainted and restyled by the network."""

    def __init__(self, painter: PortraitEditor) -> None:
        self.painter = painter
        self.scale = painter.size / 128
        self.matrix = HAIR_CROP.to_crop(painter.size, self.scale)

    def of_puppet(self, number: int, seed: int) -> list[tuple[str, Tensor, Tensor, Tensor]]:
        """For each edit its name, the puppet before it, the true result and the network's, all (1,3,S,S)."""
        puppet = draw_puppet(3_000_000 + 2 * number + 10_000 * seed)
        other = replace(draw_puppet(3_000_001 + 2 * number + 10_000 * seed), light=puppet.light)
        before, labels = self.crop(render(puppet, self.scale))
        opened, opened_labels = self.crop(
            render(true_edit(puppet, MOUTH_EDIT, float(attributes_of(puppet)[MOUTH_EDIT] < 0.5)), self.scale)
        )
        styled, _ = self.crop(render(true_style(puppet, other), self.scale))
        source = self.crop(render(other, self.scale))
        repainted = self.paint(self.latents(before, labels), before, opened_labels)
        restyled_puppet = self.paint(self.latents(*source), before, labels)
        return [("repaint", before, opened, repainted), ("transfer", before, styled, restyled_puppet)]

    def crop(self, made: Rendered) -> tuple[Tensor, Labels]:
        """The hair crop (1,3,S,S) of a puppet and its label map (S,S)."""
        size = self.painter.size
        return to_tensor(warp(made.picture, self.matrix, (size, size))), resample_labels(made.labels, self.matrix, size)

    def latents(self, x: Tensor, labels: Labels) -> list[Tensor]:
        """The latents of the components of one picture."""
        with self.painter.inference():
            return self.painter.model.components(
                x.to(self.painter.device), torch.from_numpy(labels.astype(np.int64))[None].to(self.painter.device)
            )

    def paint(self, latents: list[Tensor], x: Tensor, labels: Labels) -> Tensor:
        """What the network paints into a picture (1,3,S,S) by a label map."""
        return to_tensor(self.painter.paint(latents, x.to(self.painter.device), labels))
