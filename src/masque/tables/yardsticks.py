"""What edits are measured by that no editor was trained on: the true other picture, people's label maps, and judges.

Photos are edited whole, as `masque edit` does it by default, so that editors of every kind compare. Each number has the
pictures that it was measured on and its 95 % interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, TypedDict

from masque.data.frames import load_frames
from masque.edits.ageing_values import AGE
from masque.edits.own import HAIR
from masque.edits.result import Result
from masque.errors import UnknownAttributeError, nearest, printable
from masque.image import Picture
from masque.metrics.estimates import Estimate, in_words
from masque.tables.edit_judged import ClassifierAUC, measure_judged
from masque.tables.edit_matte import MatteMeasures, all_labelled, labelled_frames, measure_matte, own_size
from masque.tables.edit_true import TrueMeasures, measure_true, true_pairs
from masque.tables.held_out import Classify, held_out_frame

NO_LABELS = "No set has label maps drawn by people, so there is no matte: name a set with masks of parts."
"""What a report says where spill and coverage cannot be measured."""


class Editor(Protocol):
    """A loaded model that edits attributes."""

    family: str

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that an edit may name."""

    def edit(self, photo: Picture, attributes: Mapping[str, float], /) -> Result:
        """The whole photo, with attributes set to values in [0,1]."""


class TruePairs(NamedTuple):
    """Pictures of people without and with an attribute."""

    attribute: str
    pairs: Sequence[tuple[Path, Path]]


class Yardsticks(TypedDict, total=False):
    """One attribute; a part is missing where there is no data to measure it on."""

    true: TrueMeasures
    matte: MatteMeasures
    classifier_auc: ClassifierAUC
    edit_success: Estimate
    """Share of edits after which an independent reading sees the attribute"""
    refused: int
    """Faces that read too young to be edited so, which are left out"""


class YardstickReport(TypedDict):
    """What `evaluate_yardsticks` returns."""

    count: int
    """Pictures of each attribute for mattes and for judges, at most"""
    seed: int
    data: dict[str, str]
    """`judged` and `matte` -> fingerprint of the frames"""
    notes: list[str]
    """What was not measured, and why"""
    attributes: dict[str, Yardsticks]


def find_true_pairs(editor: Editor, folders: tuple[Path, Path], attribute: str) -> TruePairs:
    """The true pairs of an attribute. Raises UnknownAttributeError for one that the editor does not know, DataError
    where the pictures do not pair.

    folders: of the pictures without and with it."""
    known = edited_attributes(editor)
    if attribute not in known:
        raise UnknownAttributeError(
            f"{printable(editor.family)} does not edit {printable(attribute)}; {nearest(attribute, known)}."
        )
    return TruePairs(attribute, true_pairs(*folders))


def edited_attributes(editor: Editor) -> tuple[str, ...]:
    """The attributes of an editor that have a strength, which all but the hair's colour of choice and the age do."""
    return tuple(name for name in editor.attributes if name not in (HAIR, AGE))


def evaluate_yardsticks(
    editor: Editor,
    data: Sequence[str],
    classify: Classify,
    *,
    pairs: TruePairs | None = None,
    count: int = 200,
    seed: int = 0,
    progress: Callable[[int, int, str], None] | None = None,
) -> YardstickReport:
    """Measure each attribute of an editor by all that there is data for.

    data: prepared sets, or puppets:N; none for the true pairs alone. classify: reads attributes of a frame. pairs: as
    `find_true_pairs` returns them. count: pictures of each attribute for mattes and for judges, at most. seed: chooses
    them. progress: called with steps done, their number and what they are. Raises DataError for sets without held-out
    pictures, and for pairs without a face."""
    names = edited_attributes(editor)
    report: YardstickReport = {"count": count, "seed": seed, "data": {}, "notes": [], "attributes": {}}
    found: dict[str, Yardsticks] = {name: {} for name in names} if data else {}
    # Loaded first, so that what is wrong with the data is said before minutes of measuring.
    labelled = labelled_frames(data, names) if data else None
    frames = labelled if not data or all_labelled(data) else load_frames(data, own_size(data), names, ("test",))

    def edit(photo: Picture, asked: Mapping[str, float]) -> Picture:
        return editor.edit(photo, asked).picture

    if pairs is not None:
        measured = measure_true(edit, pairs.attribute, pairs.pairs, seed, _saying(progress, "true pairs"))
        found.setdefault(pairs.attribute, {})["true"] = measured
    if labelled is not None:
        report["data"]["matte"] = labelled.fingerprint()
        mattes = measure_matte(edit, names, labelled, count, seed, _saying(progress, "mattes"))
        for name, matte in mattes.items():
            found[name]["matte"] = matte
    elif data:
        report["notes"].append(NO_LABELS)
    if frames is not None:
        report["data"]["judged"] = frames.fingerprint()
        held_out = [held_out_frame(frames, index) for index in range(len(frames))]
        judged = measure_judged(edit, names, held_out, classify, count, seed, _saying(progress, "judges"))
        for name, verdict in judged.items():
            found[name]["classifier_auc"] = verdict["classifier_auc"]
            found[name]["edit_success"] = verdict["edit_success"]
            found[name]["refused"] = verdict["refused"]
    report["attributes"] = found
    return report


def _saying(progress: Callable[[int, int, str], None] | None, what: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, of: progress(done, of, what)


def as_text(report: YardstickReport) -> str:
    """The report as tables of text. What the classifier says of an edit stands beside what tells it from a photo."""
    found = report["attributes"]
    lines = ["measured by what no editor was trained on (value [95 % interval])"]
    for name, one in found.items():
        if "true" in one:
            lines += _true_rows(name, one["true"])
    mattes = {name: one["matte"] for name, one in found.items() if "matte" in one}
    if mattes:
        lines += ["", _head("by label maps", ("spill", "coverage", "hue spread", "coloured", "sharpness"))]
        lines += [_matte_row(name, matte) for name, matte in mattes.items()]
    judged = {name: one for name, one in found.items() if "edit_success" in one}
    if judged:
        lines += ["", _head("by judges", ("AUC edited", "AUC untouched", "edit success"))]
        lines += [
            _row(name, one["edit_success"]["n"], (*_areas(one["classifier_auc"]), one["edit_success"]))
            for name, one in judged.items()
        ]
    return "\n".join([*lines, *(["", *report["notes"]] if report["notes"] else [])])


def _head(title: str, columns: Sequence[str]) -> str:
    return f"{title:22s}{'n':>5s}" + "".join(f"{column:>24s}" for column in columns)


def _true_rows(name: str, one: TrueMeasures) -> list[str]:
    return [
        "",
        f"{name} against {one['distance']['n']} of {one['pairs']} true pictures:",
        f"  distance of the mouth to the truth   {in_words(one['distance'])} of what it was (sums); "
        f"{in_words(one['distance_each'])} (mean of pairs)",
        f"  darkest change around the lips, L*   {in_words(one['darkest'], 1)}; "
        f"of a true one {in_words(one['darkest_true'], 1)}",
        f"  … of its darkest sixteenth           {in_words(one['sector'], 1)}; "
        f"of a true one {in_words(one['sector_true'], 1)}",
        f"  skin's ΔE to the truth               {in_words(one['skin'], 2)}; before {in_words(one['skin_before'], 2)}",
        f"  sharpness around the lips            {in_words(one['sharpness'])}",
    ]


def _matte_row(name: str, one: MatteMeasures) -> str:
    return _row(
        name, one["spill"]["n"], (one["spill"], one["coverage"], one["hue_spread"], one["coloured"], one["sharpness"])
    )


def _areas(one: ClassifierAUC) -> tuple[Estimate, Estimate]:
    return one["edited"], one["untouched"]


def _row(name: str, count: int, cells: Sequence[Estimate]) -> str:
    return f"{name:22s}{count:5d}" + "".join(f"{in_words(cell):>24s}" for cell in cells)
