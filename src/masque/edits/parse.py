"""Parsing a photo: which part of the face each pixel is (portrait thesis, Section 2.2.1)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch.nn import functional

from masque.edits.subject import Photo, Shares, Subject, cut_subject, find_subject
from masque.faces.frame import Matrix, invert
from masque.faces.labels import Labels
from masque.image import Picture
from masque.models.parser import FaceParser


@dataclass(frozen=True)
class Parsed:
    """A photo and its parts."""

    photo: Picture
    labels: Labels
    """(H,W), as large as the photo; background beyond what the network saw."""


class Parser:
    """A face parser that is ready to parse. Made by `masque.load`."""

    def __init__(self, model: FaceParser, family: str, weights: str, device: torch.device | str = "cpu") -> None:
        """weights: the hash that reports name the model by."""
        self.device = torch.device(device)
        self.model = model.to(self.device).eval().requires_grad_(False)
        self.family, self.weights = family, weights

    @property
    def size(self) -> int:
        """Side of the network's pictures in pixels."""
        return self.model.config.size

    def shares(self, subject: Subject) -> Shares:
        """How sure each label is at each pixel of x, (11,S,S) summing to 1, S being the subject's size; the network works at its own."""
        own = subject if subject.size == self.size else cut_subject(subject.photo, subject.face, self.size, subject.name, self.device)
        with torch.inference_mode():
            made = self.model.shares(own.image.to(self.device))
            if own.size != subject.size:
                made = functional.interpolate(made, size=subject.size, mode="bilinear", align_corners=False, antialias=True)
            return np.asarray(made[0].cpu().numpy(), dtype=np.float32)

    def parse(self, photo: Photo, pick: int | None = None) -> Parsed:
        """The parts of one face of a photo (path, or RGB uint8 (H,W,3)), at the photo's own size. Raises PictureError, NoFaceError."""
        subject = find_subject(photo, self.size, pick, self.device)
        return Parsed(subject.photo, enlarged(self.shares(subject), subject.matrix, subject.photo.shape[:2]))


def enlarged(shares: Shares, matrix: Matrix, size: tuple[int, int]) -> Labels:
    """The surest label (H,W) at each pixel of a photo of (height, width) `size`; background beyond what `shares` (K,S,S) cover.

    matrix: photo pixels -> pixels of `shares`. Shares are interpolated, and only then decided on, so that edges are as smooth as the
    photo is fine.
    """
    side = shares.shape[1]
    back = invert(matrix)
    corners = np.array([[-0.5, -0.5], [side - 0.5, -0.5], [-0.5, side - 0.5], [side - 0.5, side - 0.5]]) @ back[:, :2].T + back[:, 2]
    low, high = np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int) + 1
    left, top = max(0, int(low[0])), max(0, int(low[1]))
    right, bottom = min(size[1], int(high[0])), min(size[0], int(high[1]))
    labels = np.zeros(size, np.uint8)
    if right <= left or bottom <= top:
        return labels
    back = back - np.array([[0, 0, left], [0, 0, top]])
    surest, part = np.zeros((bottom - top, right - left), np.float32), labels[top:bottom, left:right]
    for label, share in enumerate(shares):
        here = cv2.warpAffine(share, back, (right - left, bottom - top), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        better = here > surest
        surest[better], part[better] = here[better], label
    return labels
