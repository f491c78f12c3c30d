"""A loaded face parser (portrait thesis, Section 2.2.1): how sure it is of each part at each pixel of a face."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
import torch
from torch.nn import functional

from masque.edits.found import kept
from masque.edits.session import Session
from masque.edits.subject import Shares, Subject, cut_again, undyed
from masque.faces.frame import Matrix
from masque.faces.labels import Labels
from masque.faces.paste import into_region, region_of
from masque.image import Picture
from masque.layers.precision import has_bf16
from masque.models.parser import FaceParser


class ParserSession(Session):
    """A loaded face parser: what its verb (parse), and every edit that keeps to parts of a face, are made of."""

    def __init__(self, model: FaceParser, family: str, weights: str, device: torch.device | str = "cpu") -> None:
        """Take a model and put it on a device: the parameters are those of `Session`."""
        super().__init__(model, model.config.size, family, weights, device)
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model = model

    @contextmanager
    def inference(self) -> Iterator[None]:
        """No gradients; in bf16 where that is faster; label maps are as good by it (docs/training/parser.md)."""
        kind = self.device.type
        with torch.inference_mode(), torch.autocast(kind, torch.bfloat16, enabled=has_bf16(kind)):
            yield

    def shares(self, subject: Subject) -> Shares:
        """How sure each label is at each pixel of a face's crop, (11,S,S) summing to 1, at the subject's size; not to
        be written into.

        subject: the face, cut for a network of any size."""
        return subject.found.once(("shares", subject.size, *self.key), lambda: kept(self._seen(subject)))

    def labels(self, subject: Subject) -> Labels:
        """The label map (H,W) of a face's whole photo, as fine as the network sees it; not to be written into.

        subject: the face, cut for a network of any size."""

        def find() -> Labels:
            own = cut_again(subject, self.size, self.device)
            return kept(enlarged(self.shares(own), own.matrix, own.photo))

        return subject.found.once(("labels", *self.key), find)

    @property
    def key(self) -> tuple[str, str]:
        """What decides, beside the face, what is found of it: the weights' hash, and where it is computed."""
        return self.weights, str(self.device)

    def _seen(self, subject: Subject) -> Shares:
        own = cut_again(undyed(subject), self.size, self.device)
        with self.inference():
            shares = self.model.shares(own.image.to(self.device))
            if own.size != subject.size:
                shares = functional.interpolate(
                    shares, size=subject.size, mode="bilinear", align_corners=False, antialias=True
                )
            return np.asarray(shares[0].cpu().numpy(), dtype=np.float32)


def enlarged(shares: Shares, matrix: Matrix, photo: Picture) -> Labels:
    """The surest label (H,W) at each pixel of a photo; background beyond what `shares` (K,S,S) cover.

    matrix: photo pixels -> pixels of `shares`. Shares are interpolated, and only then decided on, so that edges are as
    smooth as the photo is fine."""
    labels = np.zeros(photo.shape[:2], np.uint8)
    region = region_of(photo, matrix, shares.shape[1])
    if region is None:
        return labels
    back, size = into_region(matrix, region)
    left, top, right, bottom = region
    surest, part = np.zeros((bottom - top, right - left), np.float32), labels[top:bottom, left:right]
    for label, share in enumerate(shares):
        here = cv2.warpAffine(share, back, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        better = here > surest
        surest[better], part[better] = here[better], label
    return labels
