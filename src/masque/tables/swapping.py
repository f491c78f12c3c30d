"""Ways to swap two faces, all of the same shape, so that one measurement does for a table: RSGAN, autoencoders that
repair, and a warp."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from masque.catalog import load_model, load_session, model_folder
from masque.data.batches import cut_regions
from masque.edits.session import Session
from masque.edits.warp import bend, match_colours
from masque.errors import CheckpointError
from masque.faces.detect import Landmarks, landmarks_near
from masque.faces.frame import Matrix, chain, identity_matrix, invert, transform, warp
from masque.faces.paste import stitch
from masque.faces.regions import FACE_CROP, HAIR_CROP, hull_mask
from masque.faces.shape3d import LEFT_EYE, RIGHT_EYE
from masque.image import Picture, to_pictures, to_tensor
from masque.modelfile import read
from masque.models.autoencoders import Autoencoder
from masque.models.rsgan import RSGANLatents, face_region, hair_region

AT_ONCE = 32

WARP = "warp"
"""The name of the way that has no weights."""


@dataclass(frozen=True)
class Sample:
    """A picture as a network takes it, and where its face lies."""

    image: Picture
    """x, RGB uint8 (S,S,3)"""
    landmarks: Landmarks
    """(68,2) in pixels of x"""
    valid: NDArray[np.uint8]
    """(S,S), 255 where the photo has pixels"""
    regions: dict[str, NDArray[np.uint8]]
    """face_crop (S,S,3); face_hull, image_hull (S,S)"""


def sample_of(frame: Picture, mask: NDArray[np.uint8], landmarks: Landmarks, size: int) -> Sample:
    """The sample of a face frame at scale size/128."""
    scale = size / 128
    cut = cut_regions(frame, mask, landmarks, size, scale)
    regions = {name: cut[name] for name in ("face_crop", "face_hull", "image_hull")}
    return Sample(cut["image"], transform(landmarks, HAIR_CROP.to_crop(size, scale)), cut["valid"], regions)


def sample_again(painted: Picture, landmarks: Landmarks) -> Sample:
    """The sample of a picture that a network painted: its face crop is cut from the picture itself, all there is of
    it."""
    size = painted.shape[0]
    to_frame = invert(HAIR_CROP.to_crop(size, size / 128))
    face_matrix = chain(to_frame, FACE_CROP.to_crop(size, size / 128))
    regions = {
        "face_crop": warp(painted, face_matrix, (size, size)), "face_hull": hull_mask(landmarks, (size, size), face_matrix),
        "image_hull": hull_mask(landmarks, (size, size)),
    }  # fmt: skip
    return Sample(painted, landmarks, np.full((size, size), 255, np.uint8), regions)


class Method(Protocol):
    """A way to put faces into other pictures."""

    name: str
    weights: str
    """The hash of its weights; empty where it has none."""
    size: int
    attributes: tuple[str, ...]

    def again(self, samples: Sequence[Sample]) -> list[Picture] | None:
        """The samples as it makes them again; None where it makes only faces anew."""
        ...

    def swap(self, faces: Sequence[Sample], hairs: Sequence[Sample]) -> list[Picture]:
        """The faces of the one on the hair of the other, (S,S,3) each."""
        ...

    def expected(self, face: Sample, hair: Sample) -> Landmarks:
        """Where the face should lie in their swap."""
        ...


class Separated:
    """RSGAN."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.name, self.weights, self.size, self.attributes = (
            session.family,
            session.weights,
            session.size,
            session.attributes,
        )

    def latents(self, samples: Sequence[Sample]) -> RSGANLatents:
        """The latents of the samples, (N,·)."""
        model, parts = self.session.model, []
        with self.session.inference():
            for some in chunks(samples):
                x, crop = (
                    to_tensor(p).to(self.session.device)
                    for p in ([s.image for s in some], [s.regions["face_crop"] for s in some])
                )
                face, hair = (hulls(some, name).to(self.session.device) for name in ("face_hull", "image_hull"))
                parts.append(model.encode(face_region(crop, face), hair_region(x, hair), model.estimate(x)))
        return RSGANLatents(*(torch.cat([getattr(p, name) for p in parts]) for name in ("xf", "cf", "xh", "ch")))

    def paint(self, face: RSGANLatents, hair: RSGANLatents) -> list[Picture]:
        """Pictures with the faces of the one and the hair of the other."""
        painted: list[Picture] = []
        with self.session.inference():
            for start in range(0, len(face.xf), AT_ONCE):
                f, h = (
                    RSGANLatents(*(t[start : start + AT_ONCE] for t in (z.xf, z.cf, z.xh, z.ch))) for z in (face, hair)
                )
                painted += list(to_pictures(self.session.model.compose(RSGANLatents(f.xf, f.cf, h.xh, h.ch))))
        return painted

    def again(self, samples: Sequence[Sample]) -> list[Picture]:
        """G(z_f(x), z_h(x))."""
        own = self.latents(samples)
        return self.paint(own, own)

    def swap(self, faces: Sequence[Sample], hairs: Sequence[Sample]) -> list[Picture]:
        """G(z_f(x1), z_h(x2))."""
        return self.paint(self.latents(faces), self.latents(hairs))

    def expected(self, face: Sample, hair: Sample) -> Landmarks:  # noqa: ARG002
        """The composer paints a face where it was."""
        return face.landmarks


class Repaired:
    """Section 4.1 of RSGAN's paper for networks that know no parts: the face within its mask is laid on the other
    picture, eyes on eyes, and what they make of that picture again is the swap."""

    def __init__(self, model: Autoencoder, family: str, weights: str) -> None:
        self.model, self.name, self.weights = model.eval().requires_grad_(False), family, weights
        self.size, self.attributes = model.config.size, model.config.attributes

    def again(self, samples: Sequence[Sample]) -> list[Picture]:
        """G(E(x))."""
        return self.repair([s.image for s in samples])

    def repair(self, pictures: Sequence[Picture]) -> list[Picture]:
        """The pictures as they come back."""
        made: list[Picture] = []
        with torch.inference_mode():
            for start in range(0, len(pictures), AT_ONCE):
                made += list(to_pictures(self.model.again(to_tensor(pictures[start : start + AT_ONCE]))))
        return made

    def swap(self, faces: Sequence[Sample], hairs: Sequence[Sample]) -> list[Picture]:
        """G(E(x)) of the pasted pictures."""
        return self.repair([lay_on(face, hair) for face, hair in zip(faces, hairs, strict=True)])

    def expected(self, face: Sample, hair: Sample) -> Landmarks:
        """Where it was laid."""
        return transform(face.landmarks, eyes_on_eyes(face.landmarks, hair.landmarks))


class Warped:
    """The classical swap of `masque swap --method warp`, on the pictures that the networks take. It stands in Nirkin et
    al.'s place and is not theirs."""

    name, weights = WARP, ""
    attributes: tuple[str, ...] = ()

    def __init__(self, size: int) -> None:
        self.size = size

    def again(self, samples: Sequence[Sample]) -> None:  # noqa: ARG002
        """It leaves all but the face as it is, so there is nothing to compare."""
        return

    def swap(self, faces: Sequence[Sample], hairs: Sequence[Sample]) -> list[Picture]:
        """The face's own pixels, bent, coloured and stitched in."""
        return [self._one(face, hair) for face, hair in zip(faces, hairs, strict=True)]

    def _one(self, face: Sample, hair: Sample) -> Picture:
        mask = hull_mask(hair.landmarks, (self.size, self.size))
        bent = bend(face.image, face.landmarks, hair.landmarks, hair.image.shape[:2])
        return stitch(hair.image, match_colours(bent, hair.image, mask > 127), identity_matrix(), mask)

    def expected(self, face: Sample, hair: Sample) -> Landmarks:  # noqa: ARG002
        """It bends the face onto the other's landmarks."""
        return hair.landmarks


def eyes_on_eyes(landmarks: Landmarks, onto: Landmarks) -> Matrix:
    """The similarity that brings the middles of both eyes to those of another face."""
    here, there = ([points[eye].mean(axis=0) for eye in (RIGHT_EYE, LEFT_EYE)] for points in (landmarks, onto))
    (a, b), (c, d) = ((complex(*first), complex(*second)) for first, second in (here, there))
    factor = (d - c) / (b - a)
    offset = c - factor * a
    return np.array([[factor.real, -factor.imag, offset.real], [factor.imag, factor.real, offset.imag]])


def lay_on(face: Sample, hair: Sample) -> Picture:
    """The hair's picture with the face's pixels within the hull of its landmarks laid over it, eyes on eyes."""
    size = hair.image.shape[0]
    matrix = eyes_on_eyes(face.landmarks, hair.landmarks)
    inside = hull_mask(transform(face.landmarks, matrix), (size, size)) > 127
    known = warp(np.full(face.image.shape[:2], 255, np.uint8), matrix, (size, size), border=cv2.BORDER_CONSTANT) > 127
    laid: Picture = np.where((inside & known)[..., None], warp(face.image, matrix, (size, size)), hair.image).astype(
        np.uint8
    )
    return laid


def locate(painted: Picture, expected: Landmarks) -> Landmarks:
    """The landmarks in a painted picture, or where they were expected."""
    found = landmarks_near(painted, expected)
    return expected if found is None else found


def stitched(painted: Picture, source: Landmarks, target: Sample) -> Picture:
    """RSGAN-GD: only the face of `painted` in the target's picture."""
    size = painted.shape[0]
    mask = np.maximum(hull_mask(source, (size, size)), hull_mask(target.landmarks, (size, size)))
    return stitch(target.image, painted, np.eye(2, 3), mask)


def chunks(samples: Sequence[Sample]) -> Iterator[Sequence[Sample]]:
    """`samples` in runs of AT_ONCE."""
    for start in range(0, len(samples), AT_ONCE):
        yield samples[start : start + AT_ONCE]


def hulls(samples: Sequence[Sample], name: str) -> Tensor:
    """The hulls (N,1,S,S) of samples in [0,1]: `face_hull` or `image_hull`."""
    return torch.from_numpy(np.stack([s.regions[name] for s in samples]))[:, None].float() / 255


def load_method(name: str, size: int = 128) -> Method:
    """A way to swap by its name: a model of rsgan, vaegan, ali or alphagan, or `warp`, at `size` pixels. Raises
    CheckpointError."""
    if name == WARP:
        return Warped(size)
    folder = model_folder(name)
    if read(folder).family in ("vaegan", "ali", "alphagan"):
        model, stored = load_model(name)
        assert isinstance(model, Autoencoder)
        return Repaired(model, stored.family, stored.hash)
    session = load_session(name, "swap")
    if not isinstance(session, Session):
        raise CheckpointError(f"{folder} swaps no faces: name a model of rsgan, vaegan, ali or alphagan.")
    return Separated(session)
