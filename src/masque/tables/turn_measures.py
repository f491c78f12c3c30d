"""How far heads turn that are asked to, read by what no turn is made of: another face's shape, and perspective.

Landmarks that dlib finds anew are matched to eight points of MediaPipe's canonical face (Kartynnik et al. 2019) by
OpenCV's solvePnP. Turns themselves are made by a linear 3D model that was learnt from landmarks. Puppets of
known yaw are a second reader: one that is turned is compared with the same one rendered as it should come out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from masque.data.puppets import draw_puppet, render
from masque.edits.loaded import Synthesizer
from masque.edits.measures import squared_distance
from masque.edits.own import OwnSession
from masque.edits.turn import SEEN
from masque.faces.change import Change
from masque.faces.detect import Landmarks, eye_distance, find_faces, identity, landmarks_in, main_face
from masque.faces.frame import similarity, transform
from masque.faces.regions import HAIR_CROP, cut_crop
from masque.faces.turning import Head, find_head, turn_pixels
from masque.image import Picture, to_tensor

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


def read_yaw(landmarks: NDArray[np.floating]) -> float:
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


TURNS = (-15, -10, -5, 5, 10, 15)
"""Degrees by which heads are turned from how they are."""

SQUARE = (39, 51, 104, 104)
"""Where a face is in a hair crop: left, top, width and height in pixels of scale 1."""

PUPPETS = 4_500_000
"""Seed of the first puppet."""


class TurnRow(TypedDict):
    """What came of one turn."""

    reached: float
    """Mean degrees by which heads are read to have turned, over the degrees asked for"""
    identity: float
    """Mean squared distance of dlib's embeddings from the picture's"""


class PuppetTurns(TypedDict):
    """Puppets turned by 10 degrees on their own pixels, against those that are rendered so."""

    puppets: int
    reached: float
    """Degrees by which they are read to have turned, over those that rendered ones are read to have"""
    apart: float
    """Mean distance of their landmarks from the rendered one's, in distances between the eyes"""
    apart_before: float
    """The same of puppets that were not turned"""


class TurnReport(TypedDict):
    """What `measure_turns` returns; rows by the degrees asked for."""

    heads: int
    """Heads that own pixels can turn to either side"""
    own: dict[str, TurnRow]
    network: dict[str, TurnRow]
    puppets: PuppetTurns


@dataclass(frozen=True)
class _Face:
    """A head in its face frame."""

    frame: Picture
    head: Head
    scale: float
    size: int

    def crop(self, degrees: float) -> Picture:
        """Its hair crop (S,S,3), turned by some degrees on its own pixels."""
        size = (self.frame.shape[1], self.frame.shape[0])
        layers = (turn_pixels("turn", self.head, degrees, 0.0, size)[0],) if degrees else ()
        made: Picture = cut_crop(Change(size, layers).apply(self.frame), HAIR_CROP, self.size, self.scale)
        return made


def landmarks_of_crop(crop: Picture) -> Landmarks:
    """The landmarks (68,2) of the face in a hair crop (S,S,3), whether or not a detector finds it."""
    left, top, width, height = (round(crop.shape[0] / HAIR_CROP.side * n) for n in SQUARE)
    return landmarks_in(crop, (left, top, width, height))


def landmarks_anew(crop: Picture) -> Landmarks:
    """The landmarks (68,2) of the face that dlib finds in a hair crop (S,S,3), or at its usual place where it
    finds none: always fitted there, landmarks of heads that are turned to the left fall short."""
    found = _found(crop)
    return landmarks_of_crop(crop) if found is None else found


def measure_turns(
    session: Synthesizer,
    own: OwnSession,
    frames: Sequence[Picture],
    landmarks: Sequence[NDArray[np.floating]],
    scale: float,
    puppets: int = 20,
    progress: Callable[[int, int], None] | None = None,
) -> TurnReport:
    """How far heads turn, and how alike people stay, on the photos' own pixels and by the network.

    own: what turns own pixels. frames: face frames (H,W,3) at `scale`, each with its landmarks (68,2). puppets: how
    many are turned besides. progress: called with the heads turned and their number."""
    motion = own.motion()[0]
    points = [np.asarray(one, dtype=np.float64) for one in landmarks]
    heads = [find_head(motion.shapes, motion.fitted(one[None]), one) for one in points]
    chosen = [
        _Face(frame, head, scale, session.size)
        for frame, head in zip(frames, heads, strict=True)
        if abs(head.yaw) <= SEEN
    ]
    rows: dict[str, list[dict[int, tuple[float, float]]]] = {"own": [], "network": []}
    for done, face in enumerate(chosen):
        crop = face.crop(0)
        read = {"own": {degrees: face.crop(degrees) for degrees in TURNS}, "network": painted_turns(session, crop)}
        ahead = {"own": crop, "network": read["network"].pop(0)}
        is_of = identity(crop, landmarks_anew(crop))
        for name, pictures in read.items():
            start = read_yaw(landmarks_anew(ahead[name]))
            rows[name].append({degrees: _read(picture, start, is_of) for degrees, picture in pictures.items()})
        if progress:
            progress(done + 1, len(chosen))
    return {
        "heads": len(chosen),
        "own": _mean_rows(rows["own"]),
        "network": _mean_rows(rows["network"]),
        "puppets": turned_puppets(own, puppets),
    }


def painted_turns(session: Synthesizer, crop: Picture) -> dict[int, Picture]:
    """Degrees -> the network's picture (S,S,3) of the person on a crop (S,S,3), turned by them; 0 is as it is."""
    E_1 = session.model.E_1
    degrees = (0, *TURNS)
    with session.inference():
        f_id, f_1, f_2 = session.model.extract(to_tensor(crop).to(session.device))
        turned = torch.cat([E_1.with_yaw(f_1, E_1.yaw(f_1) + math.radians(by)) for by in degrees])
        pictures = session.pictures(f_id.expand(len(degrees), -1), turned, f_2.expand(len(degrees), -1))
    return dict(zip(degrees, pictures, strict=True))


def _read(picture: Picture, start: float, is_of: NDArray[np.float32]) -> tuple[float, float]:
    """Degrees by which the head on a crop (S,S,3) has turned from `start`, and the squared distance of its embedding
    from another (128,)."""
    found = landmarks_anew(picture)
    return read_yaw(found) - start, squared_distance(identity(picture, found), is_of)


def _mean_rows(read: Sequence[Mapping[int, tuple[float, float]]]) -> dict[str, TurnRow]:
    rows: dict[str, TurnRow] = {}
    for degrees in TURNS if read else ():
        turned, apart = np.mean([one[degrees] for one in read], axis=0).tolist()
        rows[f"{degrees:+d}"] = {"reached": turned / degrees, "identity": apart}
    return rows


def turned_puppets(own: OwnSession, count: int, degrees: float = 10.0) -> PuppetTurns:
    """Puppets that look straight ahead, turned on their own pixels, every other one to the left, against the same
    rendered with that yaw."""
    motion = own.motion()[0]
    reached, true, apart, before = [], [], [], []
    for seed in range(PUPPETS, PUPPETS + count):
        puppet, by = draw_puppet(seed), degrees * (-1) ** seed
        ahead, aside = (
            render(replace(puppet, pose=puppet.pose._replace(yaw=math.radians(yaw), pitch=0.0, roll=0.0)), 2.0).picture
            for yaw in (0.0, by)
        )
        first = _found(ahead)
        if first is None:
            continue
        size = (ahead.shape[1], ahead.shape[0])
        points = np.asarray(first, dtype=np.float64)
        head = find_head(motion.shapes, motion.fitted(points[None]), points)
        made = _found(Change(size, (turn_pixels("turn", head, by, 0.0, size)[0],)).apply(ahead))
        last = _found(aside)
        if made is None or last is None:
            continue
        reached.append((read_yaw(made) - read_yaw(first)) / by)
        true.append((read_yaw(last) - read_yaw(first)) / by)
        apart.append(_apart(made, last))
        before.append(_apart(first, last))
    if not apart:
        return {"puppets": 0, "reached": math.nan, "apart": math.nan, "apart_before": math.nan}
    return {
        "puppets": len(apart),
        "reached": float(np.mean(reached) / np.mean(true)),
        "apart": float(np.mean(apart)),
        "apart_before": float(np.mean(before)),
    }


def _found(picture: Picture) -> Landmarks | None:
    """The landmarks of the face in a picture; None where none is found."""
    faces = find_faces(picture)
    return main_face(faces).landmarks if faces else None


def _apart(one: Landmarks, other: Landmarks) -> float:
    """Mean distance of landmarks (68,2) laid over others by brows, nose, eyes and mouth, in distances between the
    eyes."""
    inner = (np.asarray(points[17:], dtype=np.float64) for points in (one, other))
    laid = transform(one, similarity(*inner))
    return float(np.linalg.norm(laid - other, axis=1).mean()) / eye_distance(other)


def as_lines(report: TurnReport) -> list[str]:
    """The report as lines of text."""
    lines = [f"{report['heads']} heads turned by    reached of it: own pixels, network   identity: own pixels, network"]
    for degrees in report["own"]:
        own, network = report["own"][degrees], report["network"][degrees]
        lines.append(
            f"{degrees:>10s} degrees {own['reached']:25.2f} {network['reached']:9.2f} "
            f"{own['identity']:24.3f} {network['identity']:9.3f}"
        )
    puppets = report["puppets"]
    lines.append(
        f"{puppets['puppets']} puppets turned by 10 degrees: {puppets['reached']:.2f} of what rendered ones turn, "
        f"landmarks {puppets['apart']:.3f} eye distances apart ({puppets['apart_before']:.3f} before)"
    )
    return lines
