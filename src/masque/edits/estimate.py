"""Attributes of face frames by the trained classifier, for preparing data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from masque import modelfile
from masque.config import from_dict
from masque.faces.frame import WIDTH
from masque.faces.regions import FACE_CROP, cut_crop
from masque.image import Picture, to_tensor
from masque.models.attributes import AttributeClassifier, AttributesConfig


def attribute_estimator(folder: Path) -> Callable[[list[Picture]], list[dict[str, float]]]:
    """A function from face frames (RGB uint8 (218s,178s,3)) to the attributes in [0,1] that the model in `folder` knows.

    Raises CheckpointError when the folder holds no such model.
    """
    stored = modelfile.read(folder)
    config = from_dict(AttributesConfig, stored.config)
    classifier = AttributeClassifier(config)
    classifier.load_state_dict({name.removeprefix("classifier."): tensor for name, tensor in stored.weights.items()})
    classifier.eval()

    def estimate(frames: list[Picture]) -> list[dict[str, float]]:
        crops = [cut_crop(frame, FACE_CROP, config.size, frame.shape[1] / WIDTH) for frame in frames]
        with torch.inference_mode():
            values = classifier.estimate(to_tensor(crops))
        return [dict(zip(config.attributes, row.tolist(), strict=True)) for row in values]

    return estimate
