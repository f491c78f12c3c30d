"""A face made ready for ageing: its colours, its parts, and where each pixel lies on the mean face, at some 256 pixels
across the face. What is found here is smooth, and is enlarged when it is applied."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.edits.mattes import Mattes
from masque.edits.subject import Subject
from masque.faces.labels import LABELS
from masque.faces.matte import resized
from masque.faces.mean_face import HEIGHT, JAW, WIDTH, Floats, Maps, beard_zone, hull, into_frame
from masque.faces.strips import Box

AROUND = 1.0
"""How far from the nose a face is looked at, in face widths."""

DETAIL = 0.012
"""Below how many widths of the face detail is fine."""

BEARDED = (1.6, 2.8)
"""Fine detail of the beard's zone over that of the cheeks from which there is a beard, and at which it is full."""

SHADED = 0.12
"""By how much, in ln(L + 8), the beard's zone is darker than the cheeks where a beard is shaved."""


@dataclass(frozen=True)
class FaceParts:
    """A face on a grid of some 256 pixels across it; (h,w) maps of it are in [0,1]."""

    box: Box
    """The part of the photo that the grid covers."""
    width: float
    """Pixels of the grid from one side of the jaw to the other."""
    lab: Maps
    """CIELAB (h,w,3)."""
    where: Maps
    """(h,w,2): where each pixel lies on the mean face."""
    on_face: Maps
    """1 where the mean face has anything to say."""
    face: Maps
    """The face within its jaw and below its hair."""
    plain: Maps
    """Its bare skin, without eyes, brows, nostrils and lips."""
    lips: Maps
    brows: Maps
    eyes: Maps
    beard: Maps
    """Where beards grow."""
    bearded: float
    """How much of a beard there is, in [0,1]."""
    shaded: float
    """How much a shaved beard shows, in [0,1]."""
    skin: NDArray[np.float64]
    """(3,): ln(L + 8), a, b of the cheeks."""
    detail: float
    """Fine detail of the bare skin: how far ln(L + 8) is from what is around, usually. 0.005 where skin is overexposed,
    retouched or out of focus, 0.01 and more where pores are seen."""

    @property
    def light(self) -> Maps:
        """ln(L + 8), (h,w)."""
        return np.asarray(np.log(self.lab[..., 0] + 8), dtype=np.float32)

    def blurred(self, values: Maps, widths: float) -> Maps:
        """A Gaussian of (h,w). widths: its sigma, in widths of the face."""
        return blurred(values, widths * self.width)

    def pulled(self, values: NDArray[np.floating], smooth: bool = False) -> Maps:
        """A map of the mean face (H',W',…), at any size, on this face.

        smooth: by cubic splines, for what has fine lines. Where the face is smaller than the map, it is blurred first,
        or lines would be skipped."""
        scale = values.shape[1] / WIDTH
        shrinks = scale * JAW / self.width
        source = np.ascontiguousarray(values, dtype=np.float32)
        if shrinks > 1:
            source = np.asarray(cv2.GaussianBlur(source, (0, 0), 0.5 * shrinks), dtype=np.float32)
        x, y = (np.ascontiguousarray((self.where[..., axis] + 0.5) * scale - 0.5) for axis in (0, 1))
        how = cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR
        return np.asarray(cv2.remap(source, x, y, how, borderMode=cv2.BORDER_REPLICATE), dtype=np.float32)


def face_parts(subject: Subject, mattes: Mattes, mean: Floats) -> FaceParts:
    """The parts of a subject's face. mean: (90,2), the mean face."""
    box, lab, shares, hair, landmarks = _cut(subject, mattes)
    width = float(np.linalg.norm(landmarks[16] - landmarks[0]))
    size = (lab.shape[1], lab.shape[0])
    where = into_frame(mean, landmarks, size, width)
    inside = np.asarray(((where > 0) & (where < (WIDTH - 1, HEIGHT - 1))).all(axis=2), dtype=np.float32)

    def of(*names: str) -> Maps:
        return np.asarray(np.clip(sum(shares[LABELS.index(name)] for name in names), 0, 1), dtype=np.float32)

    def soft(values: Maps, widths: float) -> Maps:
        return blurred(values, widths * width)

    def pulled(values: Maps) -> Maps:
        x, y = (np.ascontiguousarray(where[..., axis]) for axis in (0, 1))
        return np.asarray(cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)

    bare = soft(np.clip(1 - 1.3 * hair, 0, 1), 0.008)
    within = bare * soft(pulled(hull(mean)) * inside, 0.03)
    outer = of("skin", "left brow", "right brow", "nose", "upper lip", "lower lip")
    inner = of("left brow", "right brow", "left eye", "right eye", "upper lip", "mouth", "lower lip")
    skin = soft(np.clip(1.6 * of("skin", "nose") - 0.5, 0, 1), 0.008) * within
    plain = skin * (1 - np.clip(1.6 * soft(inner, 0.010), 0, 1))
    beard = pulled(beard_zone(mean))
    light = np.log(lab[..., 0] + 8)
    detail = np.abs(light - soft(light, DETAIL))[plain > 0.8]
    bearded, shaded, tone = _beard(lab, plain, beard, where[..., 1], float(mean[30, 1]), width)
    return FaceParts(
        box=box,
        width=width,
        lab=lab,
        where=where,
        on_face=inside,
        face=soft(np.clip(1.6 * outer - 0.5, 0, 1), 0.006) * within,
        plain=plain,
        lips=soft(of("upper lip", "lower lip"), 0.006),
        brows=soft(of("left brow", "right brow"), 0.006),
        eyes=of("left eye", "right eye"),
        beard=beard,
        bearded=bearded,
        shaded=shaded,
        skin=tone,
        detail=float(np.median(detail)) if detail.size > 50 else 0.01,
    )


def _cut(subject: Subject, mattes: Mattes) -> tuple[Box, Maps, Maps, Maps, Floats]:
    """The part of the photo around the face, and over it CIELAB, label shares, the matte of hair and landmarks."""
    count = mattes.shares.shape[:0:-1]
    left, top, right, bottom = mattes.box
    scale = np.array(count) / (right - left, bottom - top)
    centre = subject.face.landmarks[27:36].mean(axis=0)
    reach = AROUND * mattes.face_width
    # Whole cells of the shares' grid.
    first = np.clip(np.floor((centre - reach - (left, top)) * scale), 0, np.array(count) - 1).astype(int)
    last = np.clip(np.ceil((centre + reach - (left, top)) * scale), first + 1, count).astype(int)
    corners = [round(v) for v in (*(first / scale + (left, top)), *(last / scale + (left, top)))]
    box: Box = (corners[0], corners[1], corners[2], corners[3])
    size = (int(last[0] - first[0]), int(last[1] - first[1]))
    part = np.ascontiguousarray(subject.photo[box[1] : box[3], box[0] : box[2]])
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA if size[0] <= part.shape[1] else cv2.INTER_LINEAR)
    lab = np.asarray(cv2.cvtColor(small.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB), dtype=np.float32)
    rows, columns = slice(first[1], last[1]), slice(first[0], last[0])
    hair = resized(mattes.hair.astype(np.float32) / np.float32(255), count)[rows, columns]
    to_grid = np.array(size) / (box[2] - box[0], box[3] - box[1])
    landmarks = (subject.face.landmarks.astype(np.float64) - box[:2] + 0.5) * to_grid - 0.5
    return box, lab, mattes.shares[:, rows, columns], hair, landmarks


def _beard(
    lab: Maps, plain: Maps, zone: Maps, height: Maps, nose: float, width: float
) -> tuple[float, float, NDArray[np.float64]]:
    """How much of a beard there is, how much a shaved one shows, and the cheeks' ln(L + 8), a, b.

    height: (h,w), y on the mean face, where the tip of the nose lies at `nose`."""
    light = np.log(lab[..., 0] + 8)
    detail = np.abs(light - blurred(light, DETAIL * width))
    in_zone = (zone > 0.5) & (plain > 0.5)
    cheeks = (plain > 0.8) & (zone < 0.1) & (np.abs(height - nose) < 0.2 * JAW)
    if min(in_zone.sum(), cheeks.sum()) <= 50:
        return 0.0, 0.0, np.array([float(np.median(light)), 10.0, 15.0])
    ratio = float(np.median(detail[in_zone])) / max(1e-3, float(np.median(detail[cheeks])))
    tone = np.array([np.median(channel[cheeks]) for channel in (light, lab[..., 1], lab[..., 2])])
    shade = (tone[0] - float(np.median(light[in_zone]))) / SHADED
    bearded = (ratio - BEARDED[0]) / (BEARDED[1] - BEARDED[0])
    return float(np.clip(bearded, 0, 1)), float(np.clip(shade, 0, 1)), tone


def blurred(values: NDArray[np.floating], sigma: float) -> Maps:
    """A Gaussian of (h,w); sigma in pixels."""
    plain = np.ascontiguousarray(values, dtype=np.float32)
    return np.asarray(cv2.GaussianBlur(plain, (0, 0), max(0.3, sigma)), dtype=np.float32)
