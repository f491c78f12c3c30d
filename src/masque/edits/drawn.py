"""New pictures of a person as FaceFeat-GAN's features say that pictures of a person vary, made of the photo's own
pixels as far as these bear it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from masque.edits.expression import OPEN, SMILE
from masque.edits.facefeat import FaceFeatSession
from masque.edits.own_cells import OLDER, YOUNGER, OwnCells, Variation
from masque.edits.subject import Subject
from masque.edits.turn import nearest_borne
from masque.errors import ValueRangeError
from masque.faces.shading import Slopes, light_slopes
from masque.faces.shape3d import Floats
from masque.faces.turning import RELIEF
from masque.given import seed_of, whole
from masque.image import Picture
from masque.layers.noise import uniform
from masque.models.expression import Motion
from masque.models.shape import ShapeEncoder

LEAST_PARTED = 0.15
"""How far lips may part without any smile."""

PLAIN = 100.0
"""Pixels between the eyes of the faces that features are turned into, to be read."""


def draw_own(
    session: FaceFeatSession, cells: OwnCells, subject: Subject, count: int, seed: int
) -> tuple[list[Picture], list[Variation]]:
    """Pictures of a face's person from its own pixels, with pose, expression and light drawn as features are, and a
    little age; and what each differs in.

    The features are those that the network would paint of the same seed. Where they ask for more than own pixels bear,
    the nearest that these bear is taken. subject: the face. count: how many, at least 1. Raises ValueRangeError."""
    count, seed = whole("count", count), seed_of(seed)
    if count < 1:
        raise ValueRangeError(f"{count} pictures cannot be drawn: ask for one at least.")
    assert session.own is not None
    seeds = torch.arange(count, device=session.device) + 1_000_003 * seed
    with session.inference():
        f_1, f_2 = session.model.sample_features(seeds, "synthesize")
    yaws = np.degrees(session.model.E_1.yaw(f_1).double().cpu().numpy()) / RELIEF
    mouths = shown_by_features(session.model.E_1, session.own.motion()[0], f_1)
    lights = light_of_features(session, subject, f_2)
    ages = uniform(seeds, "years", 1, session.device)[:, 0].cpu().tolist()
    varied = [
        Variation(
            nearest_borne(cells.head, float(yaw)),
            mouth_of(smile, parted),
            light,
            YOUNGER + (OLDER - YOUNGER) * age,
        )
        for yaw, (smile, parted), light, age in zip(yaws, mouths, lights, ages, strict=True)
    ]
    return [cells.picture(one) for one in varied], varied


def mouth_of(smile: float, parted: float) -> dict[str, float]:
    """What is asked of a mouth that shows so much of a smile, and is so far open, as `Motion.shown` has it.

    Lips part as far as the smile allows, since teeth that are shown without one look bared."""
    asked = float(np.clip(smile, 0, 1))
    return {SMILE: asked, OPEN: float(np.clip(parted, 0, LEAST_PARTED + (1 - LEAST_PARTED) * asked))}


def shown_by_features(E_1: ShapeEncoder, motion: Motion, f_1: Tensor) -> Floats:
    """(B,A): how much of a smile and of an open mouth features f_1 (B,E+1) say, as `Motion.shown`: the mean face with
    their expression, seen from the front, is read as a photo's landmarks are."""
    shapes = E_1.shapes
    raw = (f_1 * E_1.deviation + E_1.centre)[:, :-1].double().cpu().numpy()
    faces = shapes.mean + np.einsum("nk,kja->nja", raw, shapes.expression)
    return motion.shown(motion.fitted(PLAIN * faces[..., :2] * [1, -1]))


def light_of_features(session: FaceFeatSession, subject: Subject, f_2: Tensor) -> list[Slopes]:
    """By how much the light's slopes differ in the network's pictures of a face from that of its own features, where
    f_2 (B,F) takes the place of its own."""
    f_id, f_1, own = session.features(subject)
    count = len(f_2) + 1
    pictures = session.pictures(f_id.expand(count, -1), f_1.expand(count, -1), torch.cat([own, f_2]))
    first, *others = (light_slopes(picture, subject.landmarks) for picture in pictures)
    return [other - first for other in others]
