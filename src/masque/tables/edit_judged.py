"""Edits before judges: a classifier of attributes that no editor was trained by, and one that learns anew what tells
edited pictures from real ones.

The first can be pleased by what no person takes for the attribute, so it is never quoted without the second."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict

import numpy as np
from torch import Tensor

from masque.errors import NoFaceError, TooYoungError
from masque.faces.frame import WIDTH, warp
from masque.faces.regions import HAIR_CROP
from masque.image import Picture, to_tensor
from masque.metrics.estimates import NOTHING, Estimate, estimate_mean
from masque.metrics.two_sample import SIDE, two_sample_auc
from masque.tables.edit_true import Edit
from masque.tables.held_out import Classify, HeldOut, asked_value, having_and_lacking, read_frame


class ClassifierAUC(TypedDict):
    """Areas under the curve of a network trained to tell pictures from real ones that have the attribute: 0.5 where it
    cannot, 1 where it always can."""

    edited: Estimate
    """Of the edited pictures"""
    untouched: Estimate
    """Of the same pictures before: the most that there is to see"""


class JudgedMeasures(TypedDict):
    """One edit, over held-out pictures that lack the attribute."""

    classifier_auc: ClassifierAUC
    edit_success: Estimate
    """Share of edits after which an independent reading sees the attribute"""
    refused: int
    """Faces that read too young to be edited so, which are left out"""


def measure_judged(
    edit: Edit,
    attributes: Sequence[str],
    held_out: Sequence[HeldOut],
    classify: Classify,
    count: int,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, JudgedMeasures]:
    """Attribute -> what judges say of its edit, on up to `count` of the pictures that lack it, beside as many real ones
    that have it.

    classify: reads attributes of a frame. seed: chooses the pictures, and begins the network and the bootstrap.
    progress: called with attributes done and their number. Pictures in which the editor finds no face are left out."""
    measured: dict[str, JudgedMeasures] = {}
    for number, name in enumerate(attributes, start=1):
        generator = np.random.default_rng([seed, number])
        having, lacking = having_and_lacking(held_out, name, asked_value(name))
        asked = [held_out[k] for k in generator.permutation(lacking)[:count]]
        real = [held_out[k] for k in generator.permutation(having)[:count]]
        measured[name] = _judged(edit, name, asked, real, classify, seed)
        if progress:
            progress(number, len(attributes))
    return measured


def _judged(
    edit: Edit, name: str, asked: Sequence[HeldOut], real: Sequence[HeldOut], classify: Classify, seed: int
) -> JudgedMeasures:
    value = asked_value(name)
    edited, untouched, people, success = [], [], [], []
    refused = 0
    for one in asked:
        try:
            made = edit(one.frame, {name: value})
        except NoFaceError:
            continue
        except TooYoungError:
            refused += 1
            continue
        seen = read_frame(made, one, classify).get(name, 1 - value)
        success.append(float(abs(seen - value) < 0.5))
        edited.append(_crop(made))
        untouched.append(_crop(one.frame))
        people.append(one.person)
    others = [one.person for one in real]
    shown = _tensor([_crop(one.frame) for one in real])

    def area(pictures: list[Picture]) -> Estimate:
        if not pictures or not real:
            return NOTHING
        return two_sample_auc(_tensor(pictures), shown, people, others, seed)

    return {
        "classifier_auc": {"edited": area(edited), "untouched": area(untouched)},
        "edit_success": estimate_mean(success, people, seed),
        "refused": refused,
    }


def _crop(frame: Picture) -> Picture:
    """The hair crop (96,96,3) of a frame."""
    return warp(frame, HAIR_CROP.to_crop(SIDE, frame.shape[1] / WIDTH), (SIDE, SIDE))


def _tensor(crops: list[Picture]) -> Tensor:
    return to_tensor(np.stack(crops)) if crops else Tensor()
