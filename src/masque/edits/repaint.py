"""Portraits by label map (portrait thesis, Section 4.4): an edited shape in the photo's own style, another's shape,
another's style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from masque.edits.grey import cells_in_tones, in_tones, said
from masque.edits.loaded import Loaded
from masque.edits.measures import inputs, measure
from masque.edits.parse import enlarged
from masque.edits.result import Result
from masque.edits.shapes import (
    HAIR,
    PARTS,
    SKIN,
    aligned,
    check_face_left,
    check_skin_left,
    check_upright,
    in_crop,
    shrunk,
    with_part,
)
from masque.edits.subject import Detail, Label, Parse, Photo, Shares, Subject
from masque.errors import CheckpointError, PictureError, ValueRangeError
from masque.faces.labels import LABELS, Labels, Source, coloured, read_labels
from masque.faces.paste import add_change, feathered_square, paste
from masque.given import check_choice
from masque.image import Picture, grid, to_pictures, to_tensor
from masque.models.portrait import COMPONENTS, LABELS_OF, Component, Portrait


class Painter(Loaded):
    """A portrait model that is ready to paint. Made by `masque.load`."""

    def __init__(
        self,
        model: Portrait,
        family: str,
        weights: str,
        device: torch.device | str = "cpu",
        parse: Parse | None = None,
        label: Label | None = None,
    ) -> None:
        """weights: the hash that records name the model by. parse: finds the parts of a face in a photo. label: the
        label map that a user was given of it to paint in; without, what `parse` sees is enlarged, which is the same for
        a parser of the painter's size alone."""
        super().__init__(model, family, weights, device, parse)
        self.model, self.label = model, label

    def shares(self, subject: Subject) -> Shares:
        """How sure each label is at each pixel of a subject (11,S,S). Raises CheckpointError without a parser."""
        if self.find_parts is None:
            raise CheckpointError(
                "No face parser comes with this installation, and repainting needs one: install Masque with its weights."
            )
        return self.find_parts(subject)

    def parts(self, subject: Subject) -> Labels:
        """The label map (S,S) of a subject. Raises CheckpointError without a parser."""
        return self.shares(subject).argmax(axis=0).astype(np.uint8)

    def written(self, subject: Subject) -> Labels:
        """The label map (H,W) of a subject's whole photo as nobody has painted in it. Raises CheckpointError without a
        parser."""
        return (
            self.label(subject)
            if self.label is not None
            else enlarged(self.shares(subject), subject.matrix, subject.photo)
        )

    def latents(self, subject: Subject, labels: Labels) -> list[Tensor]:
        """The five latents of a subject's components."""
        with self.inference():
            return self.model.components(subject.image, self._tensor(labels))

    def paint(self, latents: Sequence[Tensor], target: Tensor, labels: Labels) -> Picture:
        """The picture (S,S,3) of these latents in the shape of `labels`, before the background of a target
        (1,3,S,S)."""
        with self.inference():
            return to_pictures(self.model.paint(latents, target, self._tensor(labels)))[0]

    def _tensor(self, labels: Labels) -> Tensor:
        return torch.from_numpy(labels.astype(np.int64))[None].to(self.device)

    def repaint(self, photo: Photo, **options: Any) -> Result:
        """The photo's style in another shape: see `masque.edits.repaint.repaint`."""
        return repaint(self, photo, **options)

    def transfer(self, photo: Photo, style_from: Photo, **options: Any) -> Result:
        """Another's style in the photo's shape: see `masque.edits.repaint.transfer`."""
        return transfer(self, photo, style_from, **options)


def repaint(
    painter: Painter,
    photo: Photo,
    *,
    labels: Source | None = None,
    shape_from: Photo | None = None,
    part: str = "all",
    detail: Detail = "keep",
    pick: int | None = None,
) -> Result:
    """The photo in an edited shape: that of a label map as large as the photo, or of (a part of) another portrait
    (Section 4.4.2).

    labels: (H,W) as the photo, or a file that `masque.faces.labels.read_labels` reads; another size of the same shape
    is enlarged or reduced to it. What had to be put right is in the record's notes. shape_from: a portrait whose `part`
    (eyes, mouth, skin, hair or all) is taken. Style and background are the photo's own. detail: `keep` adds the change
    to the photo's own pixels where the parts stay what they were, and shows the network's picture where they do not;
    `network` shows it everywhere. Returns the whole photo and its record. Raises PictureError, NoFaceError,
    ValueRangeError, CheckpointError."""
    if (labels is None) == (shape_from is None):
        raise ValueRangeError("Name either a label map or a portrait to take the shape from.")
    check_choice("part", part, tuple(PARTS))
    check_choice("detail", detail, get_args(Detail))
    given, notes = read_labels(labels) if labels is not None else (None, [])
    subject = painter.subject(photo, pick)
    own, references = painter.parts(subject), {"photo": subject}
    if given is not None:
        wanted, more = in_crop(given, subject, painter.shares(subject), painter.written(subject))
        notes = [*notes, *more]
        check_face_left(own, wanted)
        check_upright(own, wanted)
    else:
        assert shape_from is not None
        references["shape"] = painter.subject(shape_from)
        wanted = with_part(own, painter.parts(references["shape"]), part)
    latents = painter.latents(subject, own)
    picture = in_tones(subject, reshaped(painter, subject, own, wanted, latents, detail))
    changed = round(100 * float((own != wanted).mean()), 2)
    record = painter.record("repaint", part=part, detail=detail, inputs=inputs(**references), notes=notes, changed_labels_percent=changed,
                            **said(subject), **measure(picture, subject, {"photo": subject}))  # fmt: skip
    return Result(picture, record)


def transfer(
    painter: Painter,
    photo: Photo,
    style_from: Photo,
    *,
    part: str = "all",
    detail: Detail = "keep",
    pick: int | None = None,
) -> Result:
    """The photo's shape with the style (colour, texture) of a part of another portrait (Section 4.4.3).

    part: eyes, mouth, skin, hair or all. detail: as in `repaint`. Returns the whole photo and its record. Raises
    PictureError (also where the other portrait does not show the part), NoFaceError, ValueRangeError, CheckpointError.
    """
    check_choice("part", part, tuple(PARTS))
    check_choice("detail", detail, get_args(Detail))
    subject, other = painter.subject(photo, pick), painter.subject(style_from)
    own, others = painter.parts(subject), painter.parts(other)
    for component in PARTS[part]:
        for name, labels in ((other.name, others), (subject.name, own)):
            if part != "all" and not np.isin(labels, LABELS_OF[component]).any():
                raise PictureError(f"No {component} can be seen in {name}: choose another photo, or another --part.")
    colour = float(not other.grey)  # the style of a coloured portrait is its colours
    picture = in_tones(subject, restyled(painter, subject, own, other, others, part, detail), colour)
    record = painter.record("transfer", part=part, detail=detail, inputs=inputs(photo=subject, style=other),
                            **said(subject, colour), **measure(picture, subject, {"photo": subject, "style": other}))  # fmt: skip
    return Result(picture, record)


def restyled(
    painter: Painter, subject: Subject, own: Labels, other: Subject, others: Labels, part: str, detail: Detail = "keep"
) -> Picture:
    """The subject's whole photo with a part in the style of the other's. own, others: their label maps (S,S)."""
    before, styles = painter.latents(subject, own), painter.latents(other, others)
    after = [styles[i] if component in PARTS[part] else before[i] for i, component in enumerate(COMPONENTS)]
    painted = painter.paint(after, subject.image, own)
    regions = [np.isin(own, LABELS_OF[component]) for component in PARTS[part]]
    share = _square(subject) * _soft(np.any(regions, axis=0))
    if detail == "network":
        return paste(subject.photo, painted, subject.matrix, np.rint(255 * share).astype(np.uint8))
    # Eyes and lips are as small as the soft edge of the skin around them is wide.
    small = [label for c in PARTS["eyes"] + PARTS["mouth"] if c not in PARTS[part] for label in LABELS_OF[c]]
    spared = np.isin(own, small)
    share[spared] = 0
    plain, photo = painter.paint(before, subject.image, own), to_pictures(subject.image)[0]
    change = smoothed(plain, painted, regions).astype(np.float32) - plain
    picture = np.asarray(np.clip(photo + share[..., None] * change, 0, 255) / 255, dtype=np.float32)
    shown = to_pictures(other.image)[0].astype(np.float32) / 255
    for group in (group for component in PARTS[part] for group in LEVELS[component]):
        inside, wanted = np.isin(own, group), np.isin(others, group)
        if min(inside.sum(), wanted.sum()) >= FEWEST:
            along = inside | np.isin(own, BROWS) if SKIN in group else inside
            # Around it, but not over what has a level of its own: lips around teeth.
            weight = share * _around(along, len(own)) * (along | ~np.any(regions, axis=0))
            picture = levelled(picture, inside, weight, shown, wanted, glossy=HAIR in group)
    toned = np.rint(255 * picture).astype(np.uint8)
    shown_in = 255 * (share > 1 / 255).astype(np.uint8)
    return add_change(subject.photo, photo, toned, subject.matrix, shown_in, spared=255 * spared.astype(np.uint8))


LEVELS: Mapping[Component, tuple[tuple[int, ...], ...]] = {
    "left eye": ((4,),), "right eye": ((5,),), "mouth": ((7, 9), (8,)), "skin": ((1, 6),), "hair": ((10,),),
}  # fmt: skip
"""Labels of a component that have one colour between them: lips take that of lips, teeth that of teeth, if there are
any. Brows, which are a few pixels of hair on skin, become lighter or darker with the skin."""

BROWS = (LABELS.index("left brow"), LABELS.index("right brow"))

FEWEST = 12
"""Pixels that a mean colour can be taken from."""

GAIN = (0.4, 2.5)
"""How much darker or lighter a part may become in proportion; what is farther is reached by a shift, or noise would be
amplified."""


def mean_colour(picture: NDArray[np.floating[Any]], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Mean CIELAB colour (3,) of a picture (H,W,3) in [0,1] where a mask (H,W) is true."""
    lab = cv2.cvtColor(picture.astype(np.float32), cv2.COLOR_RGB2LAB)
    return np.asarray(lab[inside].mean(axis=0), dtype=np.float32)


def levelled(
    picture: NDArray[np.float32],
    inside: NDArray[np.bool_],
    share: NDArray[np.float32],
    style: NDArray[np.float32],
    there: NDArray[np.bool_],
    glossy: bool = False,
) -> NDArray[np.float32]:
    """A picture (S,S,3) in [0,1] that has where `inside` (S,S) is true the mean CIELAB colour of `style` (S,S,3) where
    `there` is.

    As far as `share` (S,S) in [0,1] lets it show. How a style varies over a part is the network's to say; its level can
    be read off the style's photo. Most of the way is a gain, so that shadows stay shadows: in each channel, or where a
    part is glossy in all alike, since gloss has the light's hue and not the part's. What is missing then is a shift.
    """
    weight = share[..., None]
    gain = np.clip(style[there].mean(axis=0) / picture[inside].mean(axis=0).clip(min=0.02), *GAIN)
    if glossy:
        gain = np.clip(style[there].mean() / picture[inside].mean().clip(min=0.02), *GAIN)
    picture = np.clip(picture * (1 + weight * (gain - 1)), 0, 1, dtype=np.float32)
    asked = mean_colour(style, there)
    for _ in range(4):  # what is cut off at black and white is made up for
        lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
        lab += weight * (asked - lab[inside].mean(axis=0)) / max(0.2, float(weight[inside].mean()))
        # CIELAB and back is not quite the same colour, which what nothing is asked of must stay.
        picture = np.where(weight > 0, cv2.cvtColor(lab, cv2.COLOR_LAB2RGB).clip(0, 1), picture).astype(np.float32)
    return picture


def reshaped(
    painter: Painter, subject: Subject, own: Labels, wanted: Labels, latents: Sequence[Tensor], detail: Detail = "keep"
) -> Picture:
    """The subject's whole photo in the wanted shape. own, wanted: label maps (S,S)."""
    target = uncovered(subject, own, wanted).to(painter.device)
    after, filled = painter.paint(latents, target, wanted), to_pictures(target)[0]
    changed = (own != wanted) | given_up(own, wanted)
    if detail == "keep":
        after = in_tune(
            calmed(after, wanted), painter.paint(latents, subject.image, own), to_pictures(subject.image)[0], changed
        )
    # Beside the person there is what was there; what the network adds to it is noise.
    person = _soft(wanted > 0)[..., None]
    shown = np.rint(filled + person * (after.astype(np.float32) - filled)).astype(np.uint8)
    where = _around(changed if detail == "keep" else (own > 0) | (wanted > 0), subject.size)
    return paste(subject.photo, shown, subject.matrix, np.rint(255 * _square(subject) * where).astype(np.uint8))


def _square(subject: Subject) -> NDArray[np.float32]:
    """1 within the network's picture (S,S), falling softly to 0 at its edge."""
    return np.asarray(feathered_square(subject.size).astype(np.float32) / 255, dtype=np.float32)


def _soft(inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """A mask (S,S) with soft edges, half at its border."""
    return np.asarray(
        cv2.GaussianBlur(inside.astype(np.float32), (0, 0), max(1, len(inside) // 64) / 2), dtype=np.float32
    )


def _mean_around(values: NDArray[np.float32], inside: NDArray[np.bool_], reach: float) -> NDArray[np.float32]:
    """Of values (S,S,C), the mean around each pixel over those inside a mask (S,S) alone; `reach` is the Gaussian's σ
    in pixels."""
    weight = inside.astype(np.float32)
    total = cv2.GaussianBlur(values * weight[..., None], (0, 0), reach)
    return np.asarray(total / np.maximum(cv2.GaussianBlur(weight, (0, 0), reach), 1e-3)[..., None], dtype=np.float32)


def smoothed(before: Picture, after: Picture, regions: Sequence[NDArray[np.bool_]]) -> Picture:
    """`before` (S,S,3) with what `after` changes in each region, smoothly: colour and shade; texture is the photo's own
    to have.

    Each region is averaged by itself, so that the hair's change does not run into the skin's, and widely: where two
    heads differ in shape the network paints blotches."""
    change = after.astype(np.float32) - before
    smooth = np.zeros_like(change)
    taken = np.any(regions, axis=0)
    for region in regions:
        # A little beyond its border too, where no other region has a say: the mask's soft edge falls there.
        where = region | ((_around(region, len(region)) > 0) & ~taken)
        smooth[where] = _mean_around(change, region, len(region) / 8)[where]
    return np.asarray(np.clip(np.rint(before + smooth), 0, 255), dtype=np.uint8)


def calmed(painted: Picture, labels: Labels) -> Picture:
    """A network's picture (S,S,3) with the colour of each part smoothed within the part; its light, which has the
    texture, stays.

    What an adversarial network makes of too few pictures has specks of colour, not of light.
    """
    lab = cv2.cvtColor(painted.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    colour = np.array(lab[..., 1:], dtype=np.float32)
    for label in np.unique(labels[labels > 0]):
        inside = labels == label
        lab[..., 1:][inside] = _mean_around(colour, inside, len(labels) / 32)[inside]
    return np.asarray(np.rint(255 * cv2.cvtColor(lab, cv2.COLOR_LAB2RGB).clip(0, 1)), dtype=np.uint8)


def in_tune(after: Picture, before: Picture, photo: Picture, changed: NDArray[np.bool_]) -> Picture:
    """The network's picture (S,S,3) in the photo's tones: lighter where it paints what did not change too dark.

    before: what it makes of the photo as it is. What it gets wrong around the changed part is taken to go on, smoothly,
    within it."""
    wrong = _mean_around(photo.astype(np.float32) - before, ~changed, len(changed) / 16)
    return np.asarray(np.clip(np.rint(after + wrong), 0, 255), dtype=np.uint8)


def _around(inside: NDArray[np.bool_], size: int) -> NDArray[np.float32]:
    """1 within a mask and a little around it, falling softly to 0."""
    reach = max(1, size // 64)
    grown = cv2.dilate(inside.astype(np.float32), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    return np.asarray(cv2.GaussianBlur(grown, (0, 0), reach / 2), dtype=np.float32)


def uncovered(subject: Subject, own: Labels, wanted: Labels) -> Tensor:
    """The subject's picture (1,3,S,S) in which what the new shape no longer covers is filled from the background around
    it."""
    gone = given_up(own, wanted)
    if not gone.any():
        return subject.image
    # All of the person is unknown to the filling, or it would smear skin over the wall.
    person = cv2.dilate(((own > 0) | gone).astype(np.uint8), np.ones((5, 5), np.uint8))
    filled = cv2.inpaint(to_pictures(subject.image)[0], person, 3, cv2.INPAINT_TELEA)
    return to_tensor(np.where(gone[..., None], filled, to_pictures(subject.image)[0]).astype(np.uint8))


def given_up(own: Labels, wanted: Labels) -> NDArray[np.bool_]:
    """(S,S) what a new shape leaves to the background, and the rim around it, where strands blend into the wall."""
    gone = ((own > 0) & (wanted == 0)).astype(np.uint8)
    reach = 2 * max(1, len(own) // 64) + 1
    return np.asarray((cv2.dilate(gone, np.ones((reach, reach), np.uint8)) > 0) & (wanted == 0))


def faces_for(painter: Painter, labels: Source, styles: Sequence[Photo]) -> Result:
    """Many faces for one label map (Fig. 4.7): the map, and it in the style of each portrait, before mid-grey.

    labels: (H,W) of any size, or a file that `masque.faces.labels.read_labels` reads, with skin, both eyes and a mouth,
    by which it is aligned. styles: portraits. Returns a sheet and its record. Raises PictureError, NoFaceError,
    CheckpointError."""
    given, notes = read_labels(labels)
    shape = shrunk(given, aligned(given, painter.size), painter.size)
    check_skin_left(shape)
    wall = torch.zeros(1, 3, painter.size, painter.size, device=painter.device)
    subjects = [painter.subject(style) for style in styles]
    painted: list[Picture] = []
    for subject in subjects:
        face = calmed(painter.paint(painter.latents(subject, painter.parts(subject)), wall, shape), shape)
        painted += cells_in_tones(subject, [face])
    above = [coloured(shape), *(to_pictures(subject.image)[0] for subject in subjects)]
    below = [coloured(shape), *painted]
    sheet = grid([*above, *below], len(above))
    names = [subject.name for subject in subjects]
    given_by = inputs(**{f"style{i}": subject for i, subject in enumerate(subjects, 1)})
    return Result(sheet, painter.record("faces-for", styles=names, notes=notes, inputs=given_by))
