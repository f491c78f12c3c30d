"""What trained networks say of face frames: attributes and parts, for preparing data, and features, for measuring."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from masque import modelfile
from masque.config import from_dict
from masque.edits.parse import Parser, enlarged
from masque.errors import CheckpointError
from masque.faces.frame import WIDTH, invert, warp
from masque.faces.labels import UNKNOWN, Labels
from masque.faces.regions import FACE_CROP, HAIR_CROP, cut_crop
from masque.image import Picture, to_tensor
from masque.models.attributes import AttributeClassifier, AttributesConfig
from masque.models.identity import Features, IdentityConfig
from masque.models.shape import FaceShape, ShapeConfig


def _stored(folder: Path, family: str) -> modelfile.ModelFile:
    stored = modelfile.read(folder)
    if stored.family != family:
        raise CheckpointError(f"{folder} holds a model of the family {stored.family}: name one of {family}.")
    return stored


def _fill(net: nn.Module, stored: modelfile.ModelFile, prefix: str) -> None:
    """The stored weights under `prefix`, frozen."""
    try:
        net.load_state_dict({name.removeprefix(prefix): tensor for name, tensor in stored.weights.items() if name.startswith(prefix)})
    except RuntimeError as error:
        raise CheckpointError(
            f"{stored.folder} does not fit this version of Masque ({str(error).splitlines()[0].rstrip('.:')}): train it again."
        ) from None
    net.eval().requires_grad_(False)


def face_features(folder: Path) -> tuple[Callable[[list[Picture]], Tensor], str]:
    """A function from face frames (RGB uint8 (218s,178s,3)) to features (N,F) of length 1, and the hash of the weights that make them.

    Raises CheckpointError when the folder holds no model of the family identity.
    """
    stored = _stored(folder, "identity")
    config = from_dict(IdentityConfig, stored.config)
    net = Features(config)
    _fill(net, stored, "features.")

    def extract(frames: list[Picture]) -> Tensor:
        crops = [cut_crop(frame, HAIR_CROP, config.size, frame.shape[1] / WIDTH) for frame in frames]
        with torch.inference_mode():
            features: Tensor = net(to_tensor(crops))
        return features

    return extract, stored.hash


def face_shape(folder: Path) -> tuple[FaceShape, str]:
    """E_1 and the 3D model that it speaks of, frozen, and the hash of its weights. Raises CheckpointError when the folder holds none."""
    stored = _stored(folder, "shape")
    model = FaceShape(from_dict(ShapeConfig, stored.config))
    _fill(model, stored, "")
    return model, stored.hash


def picture_features(folder: Path) -> Callable[[Tensor], Tensor]:
    """The same of a network's pictures (B,3,S,S) in [-1,1], the hair crop, with gradients. Raises CheckpointError."""
    stored = _stored(folder, "identity")
    config = from_dict(IdentityConfig, stored.config)
    net = Features(config)
    _fill(net, stored, "features.")

    def extract(pictures: Tensor) -> Tensor:
        if pictures.shape[2] != config.size:
            pictures = functional.interpolate(pictures, size=config.size, mode="bilinear", antialias=True, align_corners=False)
        features: Tensor = net(pictures)
        return features

    return extract


def attribute_estimator(folder: Path) -> Callable[[list[Picture]], list[dict[str, float]]]:
    """A function from face frames (RGB uint8 (218s,178s,3)) to the attributes in [0,1] that the model in `folder` knows.

    Raises CheckpointError when the folder holds no such model.
    """
    stored = _stored(folder, "attributes")
    config = from_dict(AttributesConfig, stored.config)
    classifier = AttributeClassifier(config)
    _fill(classifier, stored, "classifier.")

    def estimate(frames: list[Picture]) -> list[dict[str, float]]:
        crops = [cut_crop(frame, FACE_CROP, config.size, frame.shape[1] / WIDTH) for frame in frames]
        with torch.inference_mode():
            values = classifier.estimate(to_tensor(crops))
        return [dict(zip(config.attributes, row.tolist(), strict=True)) for row in values]

    return estimate


def part_estimator(parser: Parser) -> Callable[[list[Picture]], list[Labels]]:
    """A function from face frames (RGB uint8 (218s,178s,3)) to their label maps (218s,178s), UNKNOWN outside the hair crop."""

    def estimate(frames: list[Picture]) -> list[Labels]:
        scales = [frame.shape[1] / WIDTH for frame in frames]
        crops = [cut_crop(frame, HAIR_CROP, parser.size, scale) for frame, scale in zip(frames, scales, strict=True)]
        with parser.inference():
            shares = parser.model.shares(to_tensor(crops).to(parser.device)).float().cpu().numpy()
        maps = []
        for frame, scale, share in zip(frames, scales, shares, strict=True):
            matrix = HAIR_CROP.to_crop(parser.size, scale)
            seen = warp(np.ones((parser.size, parser.size), np.uint8), invert(matrix), frame.shape[1::-1], border=cv2.BORDER_CONSTANT)
            maps.append(np.where(seen > 0, enlarged(share, matrix, frame), UNKNOWN).astype(np.uint8))
        return maps

    return estimate
