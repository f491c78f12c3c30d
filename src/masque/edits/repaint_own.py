"""A photo repainted by a label map on its own pixels: what moved or grew is bent along, what is uncovered is filled
from the photo, and only what the photo has nowhere is painted by the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.edits.expression import cheeks_of
from masque.edits.subject import Subject
from masque.faces.added import Added
from masque.faces.change import Change, Grey, Layer, Move, Pixels
from masque.faces.continued import copied, places_to_copy
from masque.faces.frame import warp
from masque.faces.grown_hair import grow_hair
from masque.faces.harmonic import fill_smoothly
from masque.faces.label_shapes import FACE, HAIR, Bending, bend_to, carried
from masque.faces.labels import LABELS, Labels
from masque.faces.lips import draw_line, show_teeth
from masque.faces.matte import mean_nearby, refine_along_strands, resized
from masque.faces.opened_mouth import above_dark, seam_between, seam_of_gap
from masque.faces.outlines import disc
from masque.faces.paste import into_region, region_of
from masque.faces.skin_match import to_lab
from masque.faces.strips import Box
from masque.faces.uncovered import grain_of, scalp, widened
from masque.image import Picture

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

ACROSS = 256
"""Pixels across the face at which shapes are compared and fields solved."""

WALL_ACROSS = 64
"""The same for what goes on behind the head."""

SKIN = (LABELS.index("skin"), LABELS.index("nose"))
MOUTH_INSIDE = LABELS.index("mouth")

SLIVER = 0.012
"""Half the width, in face widths, of slivers between two maps that are edges drawn another way."""

RIM = 0.03
"""How far beyond a part that goes, in face widths, what replaces it is shown."""

SEEN = 3.0
"""One over the share of a hole's area that must be seen of a wall for pieces of it to be copied."""

FINE = 1.0
"""Standard deviation in pixels of the Gaussian that leaves of a picture what is not fine detail."""

LOST, GAIN = 2.0, (-0.4, 0.9)
"""How much fine detail is lost, as a share, in proportion to how much larger something is made; and the least and the
most by which it is changed to make up for that."""

FOLDED = "The parts would press the face flat where they are asked to be: they go {:.0f} % of the way there."

Paint = Callable[[], Picture]
"""What the network makes of the subject's crop (S,S,3) in the shape that is wanted."""


@dataclass
class Canvas:
    """The part of a photo that is repainted, while its layers are made."""

    subject: Subject
    box: Box
    own: Labels
    """(h,w) over the box, small: the parts as they are,"""
    wanted: Labels
    """(h,w): and as they are to be."""
    face_width: float
    """Pixels of the small maps across the face."""
    eyes: NDArray[np.float64]
    """(x,y) between the eyes, in pixels of the small maps."""
    layers: list[Layer] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def scale(self) -> float:
        """Pixels of the small maps per pixel of the photo."""
        return self.own.shape[1] / (self.box[2] - self.box[0])

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the box in photo pixels."""
        return self.box[2] - self.box[0], self.box[3] - self.box[1]

    def change(self) -> Change:
        """The layers so far."""
        photo = self.subject.photo
        return Change((photo.shape[1], photo.shape[0]), tuple(self.layers))

    def seen(self) -> Picture:
        """The box as the layers so far leave it."""
        left, top, right, bottom = self.box
        return np.ascontiguousarray(self.change().apply(self.subject.photo)[top:bottom, left:right])

    def small(self, picture: Picture) -> Picture:
        """A picture of the box, as large as the small maps."""
        size = (self.own.shape[1], self.own.shape[0])
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)

    def lay(self, name: str, picture: Floats, alpha: Floats) -> None:
        """Lay pixels (H,W,3), in levels, over the box."""
        matte = np.rint(255 * np.clip(alpha, 0, 1)).astype(np.uint8)
        if not matte.any():
            return
        x, y, width, height = cv2.boundingRect((matte > 0).astype(np.uint8))
        rows, columns = slice(y, y + height), slice(x, x + width)
        box = (self.box[0] + x, self.box[1] + y, self.box[0] + x + width, self.box[1] + y + height)
        pixels = np.clip(np.rint(picture[rows, columns]), 0, 255).astype(np.uint8)
        self.layers.append(Pixels(name, box, pixels, np.ascontiguousarray(matte[rows, columns])))


def canvas_of(subject: Subject, own: Labels, wanted: Labels) -> Canvas:
    """The canvas of a subject. own, wanted: label maps (H,W) of the whole photo."""
    box = region_of(subject.photo, subject.matrix, subject.size)
    assert box is not None  # the face lies in the photo
    landmarks = subject.face.landmarks
    face_width = float(np.linalg.norm(landmarks[16] - landmarks[0]))
    scale = min(1.0, ACROSS / face_width)
    left, top, right, bottom = box
    size = max(8, round((right - left) * scale)), max(8, round((bottom - top) * scale))
    mine, asked = (labels_at(one[top:bottom, left:right], size) for one in (own, wanted))
    scale = size[0] / (right - left)
    eyes = (landmarks[36:48].mean(axis=0) - [left, top] + 0.5) * scale - 0.5
    return Canvas(subject, box, mine, asked, face_width * scale, np.asarray(eyes, dtype=np.float64))


def labels_at(labels: Labels, size: tuple[int, int]) -> Labels:
    """A label map (H,W) at `size` (width, height): of each pixel the label that covers most of it."""
    if labels.shape[1::-1] == size:
        return labels
    there = np.unique(labels)
    shares = [cv2.resize((labels == one).astype(np.float32), size, interpolation=cv2.INTER_AREA) for one in there]
    return there[np.argmax(shares, axis=0)].astype(np.uint8)


def repaint_own(canvas: Canvas, paint: Paint, teeth: NDArray[np.floating] | None = None) -> Change:
    """The change that gives a canvas the shape that is wanted, in layers.

    paint: what the network makes of the shape. teeth: (48,192), as `show_teeth` takes them; without any the network
    paints the inside of a mouth that opens."""
    if (canvas.own == canvas.wanted).all():
        return canvas.change()
    bending = bend_to(canvas.own, canvas.wanted, canvas.face_width)
    if bending.moved:
        canvas.layers.append(Move("parts", canvas.box, (bending.field / canvas.scale).astype(np.float32)))
        _sharpen(canvas, bending.field)
        if bending.share < 0.99:
            canvas.notes.append(FOLDED.format(100 * bending.share))
    moved = carried(canvas.own, bending.field)
    if (moved != canvas.wanted).any():
        seen = canvas.seen()
        hair = cache(lambda: _hair_matte(canvas, seen, moved))
        _uncover(canvas, seen, moved, hair)
        _grow(canvas, moved, hair)
    _add_missing(canvas, moved, bending, paint, teeth)
    return canvas.change()


def _sharpen(canvas: Canvas, shift: Floats) -> None:
    """Give what was enlarged the photo's sharpness again, and take from what was made smaller what it has too much."""
    across, down = (np.gradient(shift[..., i]) for i in (0, 1))
    area = (1 + across[1]) * (1 + down[0]) - across[0] * down[1]
    larger = np.sqrt(1 / np.clip(area, 0.1, 10))
    gain = np.clip(LOST * (larger - 1), *GAIN).astype(np.float32)
    gain[np.abs(gain) < 0.02] = 0
    gain = cv2.GaussianBlur(gain, (0, 0), max(1.0, 0.01 * canvas.face_width))
    if np.abs(gain).max() < 0.02:
        return
    seen = canvas.seen().astype(np.float32)
    fine = cv2.transform(seen - cv2.GaussianBlur(seen, (0, 0), FINE), np.full((1, 3), 1 / 3))
    difference = np.rint(resized(gain, canvas.size) * fine).astype(np.int16)
    canvas.layers.append(Added("sharpness", canvas.box, 1.0, np.repeat(difference[..., None], 3, axis=2)))


def _hair_matte(canvas: Canvas, seen: Picture, labels: Labels) -> Floats:
    """How much of each pixel (H,W) of the box is hair."""
    share = cv2.GaussianBlur((labels == HAIR).astype(np.float32), (0, 0), 0.012 * canvas.face_width)
    return refine_along_strands(
        seen.astype(np.float32) / np.float32(255), share.astype(np.float32), canvas.face_width / canvas.scale
    )


def _opened(mask: Mask, reach: float) -> Mask:
    """A mask without its slivers."""
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc(reach)) > 0)


def _soft(canvas: Canvas, mask: Mask, sigma: float) -> Floats:
    """A mask (h,w) at the photo's size, (H,W), with an edge of so many photo pixels."""
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(1.0, 0.008 * canvas.face_width))
    up = cv2.GaussianBlur(resized(soft.astype(np.float32), canvas.size), (0, 0), 0.5)
    slope = max(1.0, 0.008 * canvas.face_width) / canvas.scale / sigma
    return np.clip((up - 0.5) * np.float32(max(1.0, slope)) + 0.5, 0, 1).astype(np.float32)


def _uncover(canvas: Canvas, seen: Picture, moved: Labels, hair: Callable[[], Floats]) -> None:
    """Fill what is no longer hair, or no longer a part of the face."""
    width = canvas.face_width
    bare = np.isin(canvas.wanted, SKIN)
    gone = _opened((moved == HAIR) & (canvas.wanted != HAIR), SLIVER * width)
    lost = _opened(~np.isin(moved, (0, HAIR, *SKIN)) & bare, SLIVER * width) & ~_carried_parts(canvas, moved)
    if not (gone | lost).any():
        return
    lab = to_lab(canvas.small(seen))
    alpha = np.maximum(_soft(canvas, widened(gone | lost, RIM * width), RIM * width / canvas.scale), 0)
    if gone.any():
        # Strands that stand off from hair that is gone go with it.
        strands = widened(gone, 3 * RIM * width) & ~np.isin(moved, FACE)
        near = _soft(canvas, strands, 2 * RIM * width / canvas.scale)
        alpha = np.maximum(alpha, near * np.clip(4 * hair() - 0.4, 0, 1))
    features = ~np.isin(moved, (0, HAIR, *SKIN)) & (moved == canvas.wanted)
    kept = widened(features, RIM * width) & ~gone | (moved == HAIR) & (canvas.wanted == HAIR)
    alpha = alpha * (1 - _soft(canvas, kept, 1.5))
    skin = np.isin(moved, SKIN)
    head = np.isin(canvas.wanted, FACE)
    smooth = scalp(lab, skin, moved == HAIR, head, canvas.eyes, width)
    if lost.any():
        smooth = _over_lost(canvas, lab, smooth, lost, skin)
    full = to_lab(seen)
    like = resized(skin.astype(np.float32), canvas.size) > 0.9
    over = resized(smooth, canvas.size)
    over[..., 0] += grain_of(full[..., 0], like)
    result = _rgb(over)
    behind = _soft(canvas, ~head, 1.5)[..., None]
    if (behind[..., 0] * alpha).max() > 0:
        result = result + behind * (_behind(canvas, seen, moved) - result)
    canvas.lay("uncovered", result, alpha)


def _over_lost(canvas: Canvas, lab: Floats, smooth: Floats, lost: Mask, skin: Mask) -> Floats:
    """A picture (h,w,3) of skin that has, where a part of the face is lost, the colour of the skin around it."""
    around = skin & ~widened(lost, RIM * canvas.face_width)
    local = mean_nearby(lab, around.astype(np.float32), canvas.face_width)
    near = widened(lost, 2 * RIM * canvas.face_width).astype(np.float32)
    share = cv2.GaussianBlur(near, (0, 0), 0.5 * RIM * canvas.face_width)[..., None]
    return np.asarray(smooth + share * (local - smooth), dtype=np.float32)


def _carried_parts(canvas: Canvas, moved: Labels) -> Mask:
    """What has moved as far as it is asked, and a little around it: its rim is no part that is left behind."""
    near = widened(canvas.wanted == moved, SLIVER * canvas.face_width)
    return near & ~np.isin(canvas.wanted, SKIN)


def _behind(canvas: Canvas, seen: Picture, moved: Labels) -> Floats:
    """What is behind the head, (H,W,3) in levels: pieces of what is seen around it."""
    small = canvas.small(seen)
    shrink = min(1.0, WALL_ACROSS / canvas.face_width)
    size = max(8, round(small.shape[1] * shrink)), max(8, round(small.shape[0] * shrink))
    tiny = cv2.resize(small, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    person = widened(moved > 0, 0.05 * canvas.face_width)
    hole = cv2.resize(person.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.02
    shift = places_to_copy(tiny, hole, ~hole)
    if shift is None:
        canvas.notes.append("Hardly anything is seen beside the head: the wall behind it is a smooth guess.")
        filled = fill_smoothly(tiny, hole)
        return resized(filled, canvas.size)
    known = (~hole).astype(np.float32)
    coarse = mean_nearby(tiny, known, canvas.face_width * shrink)
    fine = seen - resized(coarse, canvas.size)
    # Where little of the wall is seen, pieces of it repeat: then it is only as smooth as it goes on, with its grain.
    share = np.float32(np.clip(SEEN * known.sum() / hole.sum() - 1, 0, 1))
    light = to_lab(seen)[..., 0]
    grain = grain_of(light, resized(known, canvas.size) > 0.99)[..., None] * np.float32(2.55)
    pieces = share * copied(fine, shift) if share > 0 else np.float32(0)
    return resized(coarse, canvas.size) + pieces + (1 - share) * grain


def _grow(canvas: Canvas, moved: Labels, hair: Callable[[], Floats]) -> None:
    """Let hair grow where it is asked for."""
    asked = _opened((canvas.wanted == HAIR) & (moved != HAIR), SLIVER * canvas.face_width)
    if not asked.any():
        return
    growth = grow_hair(moved == HAIR, (moved == HAIR) | asked, canvas.face_width)
    if growth is None:
        return
    if growth.short:
        canvas.notes.append("Hair grows only as far as there is hair nearby to draw from.")
    seen = canvas.seen()
    shift = resized(growth.source, canvas.size) / np.float32(canvas.scale)
    y, x = np.mgrid[0 : canvas.size[1], 0 : canvas.size[0]].astype(np.float32)
    at = x + shift[..., 0], y + shift[..., 1]
    strands = cv2.remap(seen, *at, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.remap(hair(), *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = alpha * resized(growth.where, canvas.size)
    canvas.lay("hair", strands.astype(np.float32), alpha)


def _add_missing(
    canvas: Canvas, moved: Labels, bending: Bending, paint: Paint, teeth: NDArray[np.floating] | None
) -> None:
    """What the photo has nowhere: teeth, and all else as the network paints it, smooth and with the photo's grain."""
    names = {LABELS.index(name) for name in bending.missing if name in LABELS}
    if "lips" in bending.moved:
        if not (canvas.wanted == MOUTH_INSIDE).any():
            if bending.share == 1:
                _close_lips(canvas)
        elif teeth is not None and teeth.any() and _show_teeth(canvas, teeth):
            names -= {MOUTH_INSIDE}
    missing = np.isin(canvas.wanted, sorted(names)) & (moved != canvas.wanted)
    if HAIR in canvas.wanted and not (moved == HAIR).any():
        missing |= canvas.wanted == HAIR
    missing = _opened(missing, 1)
    if not missing.any():
        return
    seen = canvas.seen()
    subject = canvas.subject
    painted = paint()
    back, size = into_region(subject.matrix, canvas.box)
    over = warp(cv2.GaussianBlur(painted, (0, 0), 0.7), back, size).astype(np.float32)
    lab = to_lab(seen)
    skin = resized(np.isin(moved, SKIN).astype(np.float32), canvas.size) > 0.9
    smooth = to_lab(over)
    smooth[..., 0] += grain_of(lab[..., 0], skin)
    canvas.lay("network", _rgb(smooth), _soft(canvas, missing, 1.5))


def _show_teeth(canvas: Canvas, teeth: NDArray[np.floating]) -> bool:
    """Show teeth in the gap that is asked for; whether it is large enough for any."""
    at = np.argwhere(canvas.wanted == MOUTH_INSIDE)[:, ::-1]
    if not len(at):
        return False
    points = (at + 0.5) / canvas.scale - 0.5 + np.array(canvas.box[:2])
    found = seam_of_gap(points, canvas.subject.face.landmarks)
    if found is None:
        return False
    seam, half = found
    layer = show_teeth("teeth", seam, half, half, above_dark(teeth, 2 * half / seam.width), cheeks_of(canvas.subject))
    canvas.layers.append(layer)
    if canvas.subject.grey:
        canvas.layers.append(Grey("black and white", layer.box))
    return True


def _close_lips(canvas: Canvas) -> None:
    """Draw the line between lips that were closed."""
    upper, lower = (canvas.wanted == LABELS.index(name) for name in ("upper lip", "lower lip"))
    at = np.argwhere(upper[:-1] & lower[1:])[:, ::-1]
    if not len(at):
        return
    points = (at + np.array([0.5, 1.0])) / canvas.scale - 0.5 + np.array(canvas.box[:2])
    seam = seam_between(points, canvas.subject.face.landmarks)
    if seam is not None:
        layer = draw_line("lip line", seam, cheeks_of(canvas.subject))
        canvas.layers += [layer, Grey("black and white", layer.box)] if canvas.subject.grey else [layer]


def _rgb(lab: Floats) -> Floats:
    return np.asarray(255 * np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1), dtype=np.float32)
