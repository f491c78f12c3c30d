"""A smile given or taken, and lips parted or closed, on the photo's own pixels: landmarks move as those of people do,
the photo is bent after them, and where lips part teeth are shown.

Jaw and hair stay, so that no face becomes wider."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from masque.data.measured import smiling
from masque.edits.subject import Subject
from masque.faces.bend import bend, face_axes, turned
from masque.faces.change import Change, Grey, Layer
from masque.faces.lips import draw_line, find_seam, part_lips, show_teeth, shown_gap
from masque.jsonfile import JSON
from masque.models.expression import Motion

SMILE, OPEN = "Smiling", "Mouth_Slightly_Open"
"""The attributes."""

MOVED = range(31, 68)
"""Landmarks that move: from the base of the nose on, without brows and jaw."""

BORNE = 0.6
"""How much of the learnt smile is given at full strength: more stretches the corners of a mouth until it shows."""

PARTED = 0.75
"""How much of the learnt opening of a mouth is given at full strength."""

PARTS_FROM = 0.4
"""The strength of a smile from which on lips part; a fainter one keeps them together."""

PARTED_BY_SMILE = 0.65
"""How far a full smile parts them, 1 for a full opening: some people show their teeth then, and others do not."""

CLOSED = 0.05
"""Up to how far apart, in widths of the mouth, lips are seen as closed."""

MOST_CLOSED = 0.14
"""How much nearer to each other lips are brought at most, in widths of the mouth: where more goes, lips bulge."""

CHEEK, UPPER_CHEEK = (0.04, -0.06), (0.0, -0.045)
"""How far a full smile takes points on the cheek beside the mouth and below the eye, which have no landmark, in widths
of the mouth outward and down."""

MOST_TURNED = 0.35
"""How far the nose may lie from the middle between the sides of the jaw, in half face widths, for a full change; it
fades to nothing at twice that."""

INNER = ((61, 67, 50, 58), (62, 66, 51, 57), (63, 65, 52, 56))
"""Inner edge of the upper and of the lower lip, and the outer edges beside them."""

THINNER = 0.8
"""How much of what lips lose in thickness by a smile is kept where they stay together."""

NEXT = 0.6
"""How much of the way that closes the lips is gone by the points between their middle and the corners."""

UNSEEN = (60.0, 12.0, 14.0)
"""CIELAB of a cheek that the photo does not show."""

TURNED = "The face is turned too far for a full change of its mouth: it is made at less strength."
TURNED_AWAY = "The face is turned too far for a change of its mouth: it is left as it is."
OPEN_ALREADY = "The mouth is open already, and is left as open as it is."
TOO_OPEN = "The mouth is open too wide to be closed: it is closed as far as that looks natural."
NO_TEETH = "No teeth come with this model of expressions, so the lips stay together."


def change_expression(
    motion: Motion, subject: Subject, done: Change, asked: Mapping[str, float]
) -> tuple[Change, dict[str, JSON]]:
    """The change by which a face smiles and opens its mouth as much as is asked, and what the record says of it.

    motion: how faces move. done: earlier changes of the photo, after which this one comes. asked: Smiling and
    Mouth_Slightly_Open in [0,1], one or both; where only a smile is asked for, the lips part with it. How much a face
    smiles already is read off its landmarks, so that a broad smile is not doubled. A head that is turned gets less, and
    the record says so under `note`."""
    size = (subject.photo.shape[1], subject.photo.shape[0])
    first = np.asarray(subject.face.landmarks, dtype=np.float64)
    points = np.asarray(done.move_points(first), dtype=np.float64)
    held = float(np.clip(2 - turned(points) / MOST_TURNED, 0, 1))
    smile = held * _smile(subject, asked[SMILE]) if SMILE in asked else 0.0
    bent = _smiling(motion, points, smile, size)
    gap = shown_gap(first)
    if gap < CLOSED:
        wanted = asked[OPEN] * held if OPEN in asked else _parted_by(smile)
        parting, notes = _parting(motion, subject, done.then(bent), wanted)
    else:
        wanted = 1 - held * (1 - asked[OPEN]) if OPEN in asked else 1 + min(0.0, smile)
        parting, notes = _closing(motion, subject, done.then(bent), wanted)
        if asked.get(OPEN) and not parting.layers:
            notes.append(OPEN_ALREADY)
    values: dict[str, JSON] = {"smile": round(smile, 3)} if SMILE in asked else {}
    if parting.layers:
        values["lips"] = "parted" if gap < CLOSED else "closer"
    if held < 1:
        notes.insert(0, TURNED if held else TURNED_AWAY)
    if notes:
        values["note"] = " ".join(notes)
    return bent.then(parting), values


def read_expression(motion: Motion, subject: Subject) -> dict[str, float]:
    """How much a face smiles and how far its mouth is open, each in [0,1] and by its attribute, on the scale of
    `change_expression`: asked for as much, that changes nothing."""
    points = np.asarray(subject.face.landmarks, dtype=np.float64)
    gap = shown_gap(points)
    return {SMILE: _smiles(subject), OPEN: gap / _widest(motion, points) if gap >= CLOSED else 0.0}


def _smiles(subject: Subject) -> float:
    return float(np.clip(2 * smiling(subject.frame.landmarks) - 1, 0, 1))


def _smile(subject: Subject, asked: float) -> float:
    """How much of a smile is to be given, or taken if below 0."""
    return asked - _smiles(subject)


def _parted_by(smile: float) -> float:
    """How far a smile parts the lips, 1 for a full opening."""
    return PARTED_BY_SMILE * float(np.clip((smile - PARTS_FROM) / (1 - PARTS_FROM), 0, 1))


def _smiling(motion: Motion, points: NDArray[np.float64], smile: float, size: tuple[int, int]) -> Change:
    """The bending of a face by which it smiles more, lips together."""
    if smile == 0:
        return Change(size)
    across, down = face_axes(points)
    axes = np.stack([across, down])
    mouth = float(np.linalg.norm(points[54] - points[48]))
    full = motion.displacements(motion.fitted(points[None]), _amounts(motion, SMILE))[0]
    shifts = np.zeros_like(points)
    shifts[MOVED] = BORNE * mouth * (closed_smile(full @ axes.T / mouth) @ axes)[MOVED]
    shifts[[36, 39, 42, 45]] = 0  # the corners of the eyes hold the lids
    cheeks = np.stack(
        [
            0.45 * points[48] + 0.3 * points[3] + 0.25 * points[31],
            0.45 * points[54] + 0.3 * points[13] + 0.25 * points[35],
            0.5 * points[41] + 0.2 * points[31] + 0.3 * points[2],
            0.5 * points[46] + 0.2 * points[35] + 0.3 * points[14],
        ]
    )
    sides = _room(points)
    moved = np.stack(
        [
            sign * side * cheek[0] * across + cheek[1] * down
            for cheek in (CHEEK, UPPER_CHEEK)
            for sign, side in zip((-1, 1), sides, strict=True)
        ]
    )
    layer = bend(
        "smile",
        np.concatenate([points, cheeks]),
        smile * np.concatenate([shifts, mouth * moved]),
        points[27:36].mean(axis=0),
        float(np.linalg.norm(points[16] - points[0])),
    )
    return Change(size, (layer,))


def closed_smile(smile: NDArray[np.float64]) -> NDArray[np.float64]:
    """A smile (68,2) whose lips stay together, as bending needs it, since it can show no teeth: the inner edges go
    where the middle between them goes."""
    closed = smile.copy()
    for upper, lower, above, below in INNER:
        closed[[upper, lower]] = (smile[upper] + smile[lower]) / 2
        closed[above] = closed[upper] + THINNER * (smile[above] - smile[upper])
        closed[below] = closed[lower] + THINNER * (smile[below] - smile[lower])
    for near, middle in ((49, 50), (53, 52), (59, 58), (55, 56)):  # else the lips would have a kink there
        closed[near] += (closed[middle] - smile[middle]) * NEXT
    return closed


def _parting(motion: Motion, subject: Subject, done: Change, wanted: float) -> tuple[Change, list[str]]:
    """What parts closed lips after the changes `done`, and notes on what could not be done.

    wanted: how far, 1 for a full opening."""
    none = Change(done.size)
    if wanted == 0:
        return none, []
    if not bool(motion.teeth.any()):
        return none, [NO_TEETH]
    first = np.asarray(subject.face.landmarks, dtype=np.float64)
    above, below = (PARTED * wanted * part for part in _full_opening(motion, first))
    if above + below < 1:
        return none, []
    seam = find_seam(subject.photo, first).moved(done.move_points)
    teeth = show_teeth("teeth", seam, above, below, motion.teeth.double().cpu().numpy(), cheeks_of(subject))
    moved = part_lips("lips", seam, above, below)
    grey = (Grey("black and white", teeth.box),) if subject.grey else ()
    return Change(done.size, (moved, teeth, *grey)), []


def _closing(motion: Motion, subject: Subject, done: Change, wanted: float) -> tuple[Change, list[str]]:
    """What brings parted lips together after the changes `done`, as far as they are farther apart than is wanted: 0
    closes them, and 1 leaves them, however wide the mouth is open."""
    none = Change(done.size)
    first = np.asarray(subject.face.landmarks, dtype=np.float64)
    mouth = float(np.linalg.norm(first[54] - first[48]))
    gap = shown_gap(first)
    left = wanted * _widest(motion, first)
    if left > gap - CLOSED / 2:
        return none, []
    notes = [TOO_OPEN] if left < gap - MOST_CLOSED - CLOSED / 2 else []
    left = max(left, gap - MOST_CLOSED)
    seam = find_seam(subject.photo, first, parted=True).moved(done.move_points)
    # A little more, since where the sides of the gap meet pixels between them are seen.
    half = -((gap - left) * mouth / 2 + 0.01 * mouth)
    layers: list[Layer] = [part_lips("lips", seam, half, half)]
    if left < CLOSED:
        layers.append(draw_line("lip line", seam, cheeks_of(subject)))
        layers += [Grey("black and white", layers[1].box)] if subject.grey else []
    return Change(done.size, tuple(layers)), notes


def _widest(motion: Motion, points: NDArray[np.float64]) -> float:
    """How far lips are apart at all of an opening, in widths of the mouth: as far as they are where that is more."""
    mouth = float(np.linalg.norm(points[54] - points[48]))
    return max(shown_gap(points), sum(_full_opening(motion, points)) * PARTED / mouth)


def _full_opening(motion: Motion, points: NDArray[np.float64]) -> tuple[float, float]:
    """By how many pixels the upper lip of a face goes up and the lower one down when its mouth opens."""
    _, down = face_axes(points)
    moved = motion.displacements(motion.fitted(points[None]), _amounts(motion, OPEN))[0] @ down
    return max(0.0, -float(moved[[61, 62, 63]].mean())), max(0.0, float(moved[[65, 66, 67]].mean()))


def _amounts(motion: Motion, name: str) -> list[float]:
    return [float(one == name) for one in motion.attributes]


def cheeks_of(subject: Subject) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """CIELAB of the cheeks at the picture's left and right, each (3,)."""
    picture, points = subject.frame.picture, np.asarray(subject.frame.landmarks, dtype=np.float64)
    lab = cv2.cvtColor(picture.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
    radius = max(2, round(0.06 * float(np.linalg.norm(points[16] - points[0]))))
    found = []
    for jaw, nose, lid in ((2, 31, 41), (14, 35, 46)):
        x, y = 0.4 * points[jaw] + 0.3 * points[nose] + 0.3 * points[lid]
        inside = np.zeros(picture.shape[:2], dtype=np.uint8)
        cv2.circle(inside, (round(float(x)), round(float(y))), radius, 1, -1)
        colour = np.median(lab[inside > 0], axis=0) if inside.any() else UNSEEN
        found.append(np.asarray(colour, dtype=np.float64))
    return found[0], found[1]


def _room(points: NDArray[np.float64]) -> tuple[float, float]:
    """How wide each half of the mouth looks, 1 for a face seen from the front: what turns away moves less."""
    across, _ = face_axes(points)
    middle = points[51] @ across
    halves = np.array([middle - points[48] @ across, points[54] @ across - middle])
    shares = np.clip(2 * halves / max(1e-6, float(halves.sum())), 0.3, 1.2)
    return float(shares[0]), float(shares[1])
