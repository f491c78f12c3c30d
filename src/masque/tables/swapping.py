"""Methods of swapping two faces behind one protocol, so that one evaluation measures all rows of a table: RSGAN,
autoencoders that repair a pasted face, and a landmark warp."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import masque
from masque.catalog import model_folder
from masque.data.batches import cut_regions
from masque.edits.loaded import Swapper
from masque.edits.result import Result
from masque.edits.warp import bend, match_colours, swap_by_warping
from masque.faces.detect import Landmarks, landmarks_near
from masque.faces.frame import Matrix, chain, identity_matrix, invert, transform, warp
from masque.faces.paste import stitch
from masque.faces.regions import FACE_CROP, HAIR_CROP, hull_mask
from masque.faces.shape3d import LEFT_EYE, RIGHT_EYE
from masque.image import Picture, to_pictures, to_tensor
from masque.loading import OWN, load_model, load_own
from masque.modelfile import read
from masque.models.autoencoders import Autoencoder
from masque.models.rsgan import RSGANLatents, face_region, hair_region

AT_ONCE = 32
"""Pictures in a batch of a network."""

WARP = "warp"
"""Name of the landmark warp, which has no weights."""

OWN_UNPAINTED = "own-unpainted"
"""Name of swaps on own pixels to which no network adds anything."""


Swap = Callable[[Picture, Picture], Result]
"""A face photo and a target photo, RGB uint8 (H,W,3), to the target's whole photo with the face."""


@dataclass(frozen=True)
class Sample:
    """A picture as a network takes it, and where its face lies."""

    image: Picture
    """Hair crop x, RGB uint8 (S,S,3)"""
    landmarks: Landmarks
    """(68,2) in pixels of x"""
    valid: NDArray[np.uint8]
    """(S,S), 255 where the photo has pixels"""
    regions: dict[str, NDArray[np.uint8]]
    """face_crop (S,S,3); face_hull, image_hull (S,S)"""


def sample_of(frame: Picture, mask: NDArray[np.uint8], landmarks: Landmarks, size: int) -> Sample:
    """The sample of a face frame at scale size/128.

    frame: (218s,178s,3). mask: (218s,178s), of the prepared set. landmarks: in pixels of the frame."""
    scale = size / 128
    cut = cut_regions(frame, mask, landmarks, size, scale)
    regions = {name: cut[name] for name in ("face_crop", "face_hull", "image_hull")}
    return Sample(cut["image"], transform(landmarks, HAIR_CROP.to_crop(size, scale)), cut["valid"], regions)


def sample_of_picture(picture: Picture, landmarks: Landmarks) -> Sample:
    """The sample of a picture (S,S,3) that a network painted: no frame lies around it, so its face crop is cut from the
    picture itself. landmarks: (68,2) in its pixels."""
    size = picture.shape[0]
    to_frame = invert(HAIR_CROP.to_crop(size, size / 128))
    face_matrix = chain(to_frame, FACE_CROP.to_crop(size, size / 128))
    regions = {
        "face_crop": warp(picture, face_matrix, (size, size)),
        "face_hull": hull_mask(landmarks, (size, size), face_matrix),
        "image_hull": hull_mask(landmarks, (size, size)),
    }
    return Sample(picture, landmarks, np.full((size, size), 255, np.uint8), regions)


class Method(Protocol):
    """A method of putting faces into other pictures."""

    name: str
    """Family of the model, or `warp` for the method without networks."""
    weights: str
    """The hash of its weights; empty where it has none"""
    size: int
    """Side of its pictures in pixels"""
    attributes: tuple[str, ...]
    """Names of the attributes that it needs of the data"""

    def reconstruct(self, samples: Sequence[Sample]) -> list[Picture] | None:
        """The method's reconstructions of the samples' pictures, (S,S,3) each; None for a method that has none."""
        ...

    def swap(self, faces: Sequence[Sample], hairs: Sequence[Sample]) -> list[Picture]:
        """Pictures (S,S,3) of each face on the hair of the other list."""
        ...

    def expected_landmarks(self, face: Sample, hair: Sample) -> Landmarks:
        """Where the face should lie in the swap of two samples: (68,2) in pixels."""
        ...


class RSGANMethod:
    """RSGAN: the latents of one picture's face and of another's hair, composed."""

    def __init__(self, session: Swapper) -> None:
        self.session = session
        self.name, self.weights = session.family, session.weights
        self.size, self.attributes = session.size, session.attributes

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
        pictures: list[Picture] = []
        with self.session.inference():
            for start in range(0, len(face.xf), AT_ONCE):
                f, h = (
                    RSGANLatents(*(t[start : start + AT_ONCE] for t in (z.xf, z.cf, z.xh, z.ch))) for z in (face, hair)
                )
                pictures += list(to_pictures(self.session.model.compose(RSGANLatents(f.xf, f.cf, h.xh, h.ch))))
        return pictures

    def reconstruct(self, samples: Sequence[Sample]) -> list[Picture]:
        """G(z_f(x), z_h(x))."""
        own = self.latents(samples)
        return self.paint(own, own)

    def swap(self, faces: Sequence[Sample], hairs: Sequence[Sample]) -> list[Picture]:
        """G(z_f(x1), z_h(x2))."""
        return self.paint(self.latents(faces), self.latents(hairs))

    def expected_landmarks(self, face: Sample, hair: Sample) -> Landmarks:  # noqa: ARG002
        """Where it was in its own picture: the composer does not move a face."""
        return face.landmarks


class AutoencoderMethod:
    """Section 4.1 of RSGAN's paper for networks without parts: the face within its mask is pasted into the other
    picture, eyes on eyes, and the reconstruction of the result is the swap."""

    def __init__(self, model: Autoencoder, family: str, weights: str) -> None:
        self.model = model.eval().requires_grad_(False)
        self.name, self.weights = family, weights
        self.size, self.attributes = model.config.size, model.config.attributes

    def reconstruct(self, samples: Sequence[Sample]) -> list[Picture]:
        """G(E(x))."""
        return self.repair([s.image for s in samples])

    def repair(self, pictures: Sequence[Picture]) -> list[Picture]:
        """G(E(x)) of pictures (S,S,3)."""
        made: list[Picture] = []
        with torch.inference_mode():
            for start in range(0, len(pictures), AT_ONCE):
                made += list(to_pictures(self.model.reconstruct(to_tensor(pictures[start : start + AT_ONCE]))))
        return made

    def swap(self, faces: Sequence[Sample], hairs: Sequence[Sample]) -> list[Picture]:
        """G(E(x)) of the pictures with pasted faces."""
        return self.repair([paste_face(face, hair) for face, hair in zip(faces, hairs, strict=True)])

    def expected_landmarks(self, face: Sample, hair: Sample) -> Landmarks:
        """Where it was pasted."""
        return transform(face.landmarks, align_eyes(face.landmarks, hair.landmarks))


class WarpMethod:
    """The classical swap of `masque swap --method warp`, on pictures of the networks' size. It stands in the place of
    Nirkin et al.'s method and is not theirs."""

    name, weights = WARP, ""
    attributes: tuple[str, ...] = ()

    def __init__(self, size: int) -> None:
        self.size = size

    def reconstruct(self, samples: Sequence[Sample]) -> None:  # noqa: ARG002
        """None: it leaves everything but the face as it is, so there is nothing to compare."""
        return

    def swap(self, faces: Sequence[Sample], hairs: Sequence[Sample]) -> list[Picture]:
        """The face's own pixels, warped, matched in colour and stitched in."""
        return [self._one(face, hair) for face, hair in zip(faces, hairs, strict=True)]

    def _one(self, face: Sample, hair: Sample) -> Picture:
        mask = hull_mask(hair.landmarks, (self.size, self.size))
        bent = bend(face.image, face.landmarks, hair.landmarks, hair.image.shape[:2])
        return stitch(hair.image, match_colours(bent, hair.image, mask > 127), identity_matrix(), mask)

    def expected_landmarks(self, face: Sample, hair: Sample) -> Landmarks:  # noqa: ARG002
        """Those of the other picture, onto which it warps the face."""
        return hair.landmarks


def align_eyes(landmarks: Landmarks, onto: Landmarks) -> Matrix:
    """The similarity transform (2,3) that maps the centres of both eyes to those of another face."""
    here, there = ([points[eye].mean(axis=0) for eye in (RIGHT_EYE, LEFT_EYE)] for points in (landmarks, onto))
    (a, b), (c, d) = ((complex(*first), complex(*second)) for first, second in (here, there))
    factor = (d - c) / (b - a)
    offset = c - factor * a
    return np.array([[factor.real, -factor.imag, offset.real], [factor.imag, factor.real, offset.imag]])


def paste_face(face: Sample, hair: Sample) -> Picture:
    """The hair's picture, over which the face's pixels within the hull of its landmarks are pasted, eyes on eyes."""
    size = hair.image.shape[0]
    matrix = align_eyes(face.landmarks, hair.landmarks)
    inside = hull_mask(transform(face.landmarks, matrix), (size, size)) > 127
    everywhere = np.full(face.image.shape[:2], 255, np.uint8)
    covered = warp(everywhere, matrix, (size, size), border=cv2.BORDER_CONSTANT) > 127
    moved = warp(face.image, matrix, (size, size))
    pasted: Picture = np.where((inside & covered)[..., None], moved, hair.image).astype(np.uint8)
    return pasted


def locate(picture: Picture, expected: Landmarks) -> Landmarks:
    """The landmarks (68,2) found in a painted picture; the expected ones where no face is found."""
    found = landmarks_near(picture, expected)
    return expected if found is None else found


def stitched(picture: Picture, source: Landmarks, target: Sample) -> Picture:
    """RSGAN-GD: the face of `picture` stitched into the target's picture in its gradients. source: landmarks of the
    face."""
    size = picture.shape[0]
    mask = np.maximum(hull_mask(source, (size, size)), hull_mask(target.landmarks, (size, size)))
    return stitch(target.image, picture, np.eye(2, 3), mask)


def chunks(samples: Sequence[Sample]) -> Iterator[Sequence[Sample]]:
    """`samples` in batches of AT_ONCE."""
    for start in range(0, len(samples), AT_ONCE):
        yield samples[start : start + AT_ONCE]


def hulls(samples: Sequence[Sample], name: str) -> Tensor:
    """The hulls (N,1,S,S) of samples in [0,1]: `face_hull` or `image_hull`."""
    return torch.from_numpy(np.stack([s.regions[name] for s in samples]))[:, None].float() / 255


def load_method(name: str, size: int = 128) -> Method:
    """A method by its name: the name or folder of a model of rsgan, vaegan, ali or alphagan, or `warp`, which works at
    `size` pixels. Raises CheckpointError for any other model."""
    if name == WARP:
        return WarpMethod(size)
    if read(model_folder(name)).family in ("vaegan", "ali", "alphagan"):
        model, stored = load_model(name)
        assert isinstance(model, Autoencoder)
        return AutoencoderMethod(model, stored.family, stored.hash)
    return RSGANMethod(masque.load(name, "swap"))


def load_swap(name: str) -> Swap:
    """A method of swapping whole photos by its name: `own`, `warp`, or the name or folder of a model of rsgan, each as
    `masque swap` uses it; or `own-unpainted`, for which RSGAN paints nothing of what a face does not show. Raises
    CheckpointError for any other model."""
    if name == WARP:
        return swap_by_warping
    if name in (OWN, OWN_UNPAINTED):
        editor = load_own("swap")
        editor.paint_unseen = name == OWN
        return editor.swap
    return masque.load(name, "swap").swap
