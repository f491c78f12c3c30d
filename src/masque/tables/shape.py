"""How well E_1 sees expression and yaw (FaceFeat-GAN, Section 3.1), and how well the 3D model fits, on held-out
pictures and on puppets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from masque.data.frames import FrameSet
from masque.data.puppets import draw_puppet, render
from masque.errors import DataError
from masque.faces.frame import WIDTH
from masque.faces.regions import HAIR_CROP, cut_crop
from masque.faces.shape3d import LEFT_EYE, RIGHT_EYE, fit
from masque.image import Picture, to_tensor
from masque.models.shape import FaceShape

AT_ONCE = 64
"""Pictures in a batch of the network."""


class Predictions(TypedDict):
    """E_1 against the 3D model fitted to the landmarks of held-out pictures."""

    yaw_error: float
    """Mean |yaw by E_1 − yaw of the fit|, degrees"""
    expression: float
    """Mean correlation of the expression's coefficients by E_1 with those of the fit, each weighed by its W_3d"""


class FitError(TypedDict):
    """The 3D model against the landmarks."""

    landmark_error: float
    """Mean distance of the fitted model's landmarks from the picture's, in distances between the eyes"""


class YawMeasure(TypedDict):
    """Against the yaw with which puppets were drawn."""

    yaw_error: float
    """Mean absolute error, degrees"""


class PuppetYaw(YawMeasure):
    """E_1's error, and beside it that of the fit to the puppets' landmarks."""

    pictures: int
    fit: YawMeasure


class ShapeReport(TypedDict):
    """What `evaluate_shape` returns."""

    model: str
    weights: str
    size: int
    data: str
    """Fingerprint of the frames"""
    pictures: int
    seen: Predictions
    fit: FitError
    puppets: PuppetYaw


def evaluate_shape(
    model: FaceShape,
    weights: str,
    frames: FrameSet,
    puppets: int = 100,
    progress: Callable[[int, int], None] | None = None,
) -> ShapeReport:
    """All held-out pictures, and `puppets` puppets.

    weights: the hash of the model. progress: called with the pictures seen and their number. Raises DataError when
    fewer than three are held out."""
    chosen = frames.indices("test")
    if len(chosen) < 3:
        raise DataError("Three held-out pictures are needed at least: prepare them with a larger --held-out.")
    E_1, landmarks = model.E_1, np.asarray(frames.landmarks)[chosen]
    found = _predicted(model, [frames.frames[i] for i in chosen], progress)
    fitted = fit(E_1.shapes, landmarks)
    true = E_1.features(fitted)
    weight = E_1.importance()[:-1]
    likeness = torch.stack(
        [torch.corrcoef(torch.stack([a, b]))[0, 1] for a, b in zip(found.T[:-1], true.T[:-1], strict=True)]
    )
    eyes = np.linalg.norm(landmarks[:, LEFT_EYE].mean(axis=1) - landmarks[:, RIGHT_EYE].mean(axis=1), axis=1)
    apart = np.linalg.norm(fitted.projected(E_1.shapes) - landmarks, axis=2).mean(axis=1) / eyes
    rendered = [render(draw_puppet(4_000_000 + number), frames.scale) for number in range(puppets)]
    poses = np.array([made.pose[0] for made in rendered])
    predicted_yaw = E_1.yaw(_predicted(model, [made.picture for made in rendered])).numpy()
    fitted_yaw = fit(E_1.shapes, np.array([made.landmarks for made in rendered])).angles[:, 0]
    return {
        "model": "shape",
        "weights": weights,
        "size": model.config.size,
        "data": frames.fingerprint(),
        "pictures": len(chosen),
        "seen": {
            "yaw_error": _degrees(E_1.yaw(found).numpy() - fitted.angles[:, 0]),
            "expression": float((weight * likeness.nan_to_num()).sum() / weight.sum()),
        },
        "fit": {"landmark_error": float(apart.mean())},
        "puppets": {
            "pictures": puppets,
            "yaw_error": _degrees(predicted_yaw - poses),
            "fit": {"yaw_error": _degrees(fitted_yaw - poses)},
        },
    }


def _degrees(apart: NDArray[np.float32 | np.float64]) -> float:
    """Mean of absolute differences in radians, in degrees."""
    return float(np.rad2deg(np.abs(apart)).mean())


def _predicted(model: FaceShape, frames: list[Picture], progress: Callable[[int, int], None] | None = None) -> Tensor:
    """f_1 (N,E+1) of face frames."""
    made = []
    for start in range(0, len(frames), AT_ONCE):
        some = frames[start : start + AT_ONCE]
        crops = [cut_crop(frame, HAIR_CROP, model.config.size, frame.shape[1] / WIDTH) for frame in some]
        with torch.inference_mode():
            made.append(model.E_1(to_tensor(crops)))
        if progress:
            progress(start + len(some), len(frames))
    return torch.cat(made)


def as_text(report: ShapeReport) -> str:
    """The report in a few lines of text."""
    seen, puppets, apart = report["seen"], report["puppets"], report["fit"]["landmark_error"]
    return "\n".join(
        [
            f"{report['pictures']} held-out pictures, {report['size']} px, weights {report['weights']}",
            f"yaw {seen['yaw_error']:.1f}° from that of the landmarks, "
            f"expression correlates with theirs by {seen['expression']:.2f}",
            f"the 3D model's landmarks: {100 * apart:.1f} % of the distance between the eyes from the picture's",
            f"{puppets['pictures']} puppets: yaw {puppets['yaw_error']:.1f}° from the truth, "
            f"by their landmarks {puppets['fit']['yaw_error']:.1f}°",
        ]
    )
