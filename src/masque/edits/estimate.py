"""What trained networks say of face frames: attributes and parts, for preparing data, and features, for measuring."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from masque import modelfile
from masque.config import from_dict
from masque.edits.parser import ParserSession, enlarged
from masque.faces.frame import WIDTH, invert, warp
from masque.faces.labels import UNKNOWN, Labels
from masque.faces.regions import FACE_CROP, HAIR_CROP, cut_crop
from masque.image import Picture, to_tensor
from masque.layers.randomness import OwnRandomness
from masque.models.attributes import AttributeClassifier, AttributesConfig
from masque.models.identity import load_features
from masque.models.shape import FaceShape, ShapeConfig


def face_features(folder: Path) -> tuple[Callable[[list[Picture]], Tensor], str]:
    """A function from face frames (RGB uint8 (218s,178s,3)) to features (N,F) of length 1, and the hash of the weights
    that make them.

    Raises CheckpointError when the folder holds no model of the family identity.
    """
    net, stored = load_features(folder)

    def extract(frames: list[Picture]) -> Tensor:
        crops = [cut_crop(frame, HAIR_CROP, net.size, frame.shape[1] / WIDTH) for frame in frames]
        with torch.inference_mode():
            features: Tensor = net(to_tensor(crops))
        return features

    return extract, stored.hash


def face_shape(folder: Path) -> tuple[FaceShape, str]:
    """E_1 and the 3D model that it speaks of, frozen, and the hash of its weights. Raises CheckpointError when the
    folder holds none."""
    stored = modelfile.read(folder, "shape")
    with OwnRandomness():
        model = FaceShape(from_dict(ShapeConfig, stored.config))
    stored.fill(model)
    return model.eval().requires_grad_(False), stored.hash


def picture_features(folder: Path, device: torch.device | str = "cpu") -> Callable[[Tensor], Tensor]:
    """A function from a network's pictures (B,3,S,S) in [-1,1], the hair crop, to features (B,F) of length 1, with
    gradients; on `device`, where the pictures must be.

    Raises CheckpointError when the folder holds no model of the family identity."""
    return load_features(folder)[0].to(device).of_any_size


def attribute_estimator(
    folder: Path, device: torch.device | str = "cpu"
) -> Callable[[list[Picture]], list[dict[str, float]]]:
    """A function from face frames (RGB uint8 (218s,178s,3)) to the attributes in [0,1] that the model in `folder`
    knows. device: where it computes.

    Raises CheckpointError when the folder holds no such model.
    """
    stored = modelfile.read(folder, "attributes")
    config = from_dict(AttributesConfig, stored.config)
    with OwnRandomness():
        classifier = AttributeClassifier(config)
    stored.fill(classifier, "classifier")
    classifier.to(device).eval().requires_grad_(False)

    def estimate(frames: list[Picture]) -> list[dict[str, float]]:
        crops = [cut_crop(frame, FACE_CROP, config.size, frame.shape[1] / WIDTH) for frame in frames]
        with torch.inference_mode():
            values = classifier.estimate(to_tensor(crops).to(device))
        return [dict(zip(config.attributes, row.tolist(), strict=True)) for row in values]

    return estimate


def part_estimator(parser: ParserSession) -> Callable[[list[Picture]], list[Labels]]:
    """A function from face frames (RGB uint8 (218s,178s,3)) to their label maps (218s,178s), UNKNOWN outside the hair
    crop."""

    def estimate(frames: list[Picture]) -> list[Labels]:
        scales = [frame.shape[1] / WIDTH for frame in frames]
        crops = [cut_crop(frame, HAIR_CROP, parser.size, scale) for frame, scale in zip(frames, scales, strict=True)]
        with parser.inference():
            shares = parser.model.shares(to_tensor(crops).to(parser.device)).float().cpu().numpy()
        maps = []
        for frame, scale, share in zip(frames, scales, shares, strict=True):
            matrix = HAIR_CROP.to_crop(parser.size, scale)
            covered = warp(
                np.ones((parser.size, parser.size), np.uint8),
                invert(matrix),
                frame.shape[1::-1],
                border=cv2.BORDER_CONSTANT,
            )
            maps.append(np.where(covered > 0, enlarged(share, matrix, frame), UNKNOWN).astype(np.uint8))
        return maps

    return estimate
