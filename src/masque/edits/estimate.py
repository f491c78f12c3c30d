"""Attributes of face frames by the trained classifier, for preparing data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from masque import modelfile
from masque.config import from_dict
from masque.faces.frame import WIDTH
from masque.faces.regions import FACE_CROP, HAIR_CROP, cut_crop
from masque.image import Picture, to_tensor
from masque.models.attributes import AttributeClassifier, AttributesConfig


def _load(folder: Path) -> tuple[AttributeClassifier, AttributesConfig, str]:
    stored = modelfile.read(folder)
    config = from_dict(AttributesConfig, stored.config)
    classifier = AttributeClassifier(config)
    classifier.load_state_dict({name.removeprefix("classifier."): tensor for name, tensor in stored.weights.items()})
    return classifier.eval().requires_grad_(False), config, stored.hash


def face_features(folder: Path) -> tuple[Callable[[list[Picture]], Tensor], str]:
    """A function from face frames (RGB uint8 (218s,178s,3)) to features (N,F), and the hash of the weights that make them.

    The features are the classifier's, of the face crop and of the whole hair crop, side by side. Raises CheckpointError.
    """
    classifier, config, weights = _load(folder)

    def extract(frames: list[Picture]) -> Tensor:
        scales = [frame.shape[1] / WIDTH for frame in frames]
        parts = [
            to_tensor([cut_crop(f, crop, config.size, scale) for f, scale in zip(frames, scales, strict=True)])
            for crop in (FACE_CROP, HAIR_CROP)
        ]
        with torch.inference_mode():
            return torch.cat([classifier.features(part) for part in parts], dim=1)

    return extract, weights


def attribute_estimator(folder: Path) -> Callable[[list[Picture]], list[dict[str, float]]]:
    """A function from face frames (RGB uint8 (218s,178s,3)) to the attributes in [0,1] that the model in `folder` knows.

    Raises CheckpointError when the folder holds no such model.
    """
    classifier, config, _ = _load(folder)

    def estimate(frames: list[Picture]) -> list[dict[str, float]]:
        crops = [cut_crop(frame, FACE_CROP, config.size, frame.shape[1] / WIDTH) for frame in frames]
        with torch.inference_mode():
            values = classifier.estimate(to_tensor(crops))
        return [dict(zip(config.attributes, row.tolist(), strict=True)) for row in values]

    return estimate
