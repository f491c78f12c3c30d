"""How far heads are turned, read by what no turn is made of: another face's shape, and perspective.

Landmarks that dlib finds anew are matched to eight points of MediaPipe's canonical face (Kartynnik et al. 2019) by
OpenCV's solvePnP. Turns themselves are made by a linear 3D model that was learnt from landmarks."""

from __future__ import annotations

import math

import cv2
import numpy as np

from masque.faces.detect import Landmarks

POINTS = {
    30: (0.0, -1.13, 7.48),
    36: (-4.45, 2.66, 3.17),
    39: (-1.86, 2.59, 3.76),
    42: (1.86, 2.59, 3.76),
    45: (4.45, 2.66, 3.17),
    48: (-2.46, -4.34, 4.28),
    54: (2.46, -4.34, 4.28),
    8: (0.0, -9.40, 4.26),
}
"""Landmark -> its place in the canonical face in cm: x to the picture's right, y up, z towards the viewer."""

DISTANCE = 16.0
"""How far away the camera is taken to be, in widths between the outer corners of the eyes: some 1.4 m."""


def read_yaw(landmarks: Landmarks) -> float:
    """Degrees by which a face with landmarks (68,2) is turned to the picture's right."""
    solid = np.array(list(POINTS.values())) * [1, -1, -1]  # OpenCV's cameras look along z, and y points down
    seen = np.asarray(landmarks, dtype=np.float64)[list(POINTS)]
    eyes = float(np.linalg.norm(landmarks[45] - landmarks[36]))
    focal = DISTANCE * eyes
    middle = seen.mean(axis=0)
    camera = np.array([[focal, 0, middle[0]], [0, focal, middle[1]], [0, 0, 1]])
    width = float(np.linalg.norm(solid[4] - solid[1]))
    start = np.zeros((3, 1)), np.array([[0.0], [0.0], [DISTANCE * width]])
    _, turn, _ = cv2.solvePnP(solid, seen, camera, None, *start, useExtrinsicGuess=True, flags=cv2.SOLVEPNP_ITERATIVE)
    ahead = cv2.Rodrigues(turn)[0] @ [0, 0, -1]
    return math.degrees(math.atan2(ahead[0], -ahead[2]))
