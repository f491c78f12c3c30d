"""Measuring a trained model: one command, which finds out by the model's family what there is to measure."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from masque.cli import measuring
from masque.cli.measuring import Measured
from masque.cli.options import MEASURE, Ijba, Json, Lfw, Overwrite, SeedOrNone, Trained, Workers
from masque.cli.overwriting import check_replaceable
from masque.cli.show import Bar, answer

WARP = "warp"
"""What swaps without a model: a face bent by its landmarks."""

OWN = "own"
"""What edits the photo's own pixels, and is no model either."""


@dataclass(frozen=True)
class Task:
    """One kind of measurement."""

    families: tuple[str, ...]
    """Families whose models the task measures where none is named."""
    measure: Callable[..., Measured]
    """Takes the model, progress, and its options, which are its keyword parameters: those without a default must be
    given."""
    fewest: Mapping[str, int] = field(default_factory=dict)
    """Options that must be larger than others have them: the least number of each that is taken."""
    also: tuple[str, ...] = ()
    """Families whose models it measures where --task names it: another task is what these are for."""
    either: tuple[str, ...] = ()
    """Options of which one must be given."""


TASKS: Mapping[str, Task] = {
    "swap": Task(("rsgan", "vaegan", "ali", "alphagan", WARP), measuring.swap, also=(OWN,), either=("data", "photos")),
    "edits": Task(("ccagan", OWN), measuring.edits, also=("rsgan",)),
    "attributes": Task(("attributes",), measuring.attributes),
    "identity": Task(("identity",), measuring.identity, {"pairs": 20}),
    "shape": Task(("shape",), measuring.shape),
    "parser": Task(("parser",), measuring.parser),
    "portrait": Task(("portrait",), measuring.portrait, {"count": 2}),
    "invert": Task(("progan", "dcgan"), measuring.invert),
    "facefeat": Task(("facefeat",), measuring.facefeat, {"count": 4}),
}
"""Name -> what is measured."""

TaskName = Literal["swap", "edits", "attributes", "identity", "shape", "parser", "portrait", "invert", "facefeat"]


TaskData: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--data", help="A prepared set, or puppets:N. May be repeated. All tasks but attributes."),
]
TaskOption: TypeAlias = Annotated[
    TaskName | None, typer.Option("--task", help="What is measured; what the model's family does if not given.")
]
TaskPairs: TypeAlias = Annotated[
    int | None,
    typer.Option("--pairs", help="swap (1000; whole photos 100), identity (3000): random held-out pairs.", min=1),
]
SwappedPhotos: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--photos",
        help="swap: a folder of portraits, whose names up to an underscore say who it is; they are swapped whole.",
    ),
]
Against: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--against",
        help="swap: another method for the same pairs of whole photos: own, warp, or an rsgan. May be repeated.",
    ),
]
Split: TypeAlias = Annotated[
    Literal["test", "train"] | None,
    typer.Option("--split", help="swap (test): held-out pictures, or those that training sees."),
]
Count: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--count", help="edits (200 an attribute), portrait (100), facefeat (all): held-out pictures, at most.", min=1
    ),
]
Puppets: TypeAlias = Annotated[
    int | None, typer.Option("--puppets", help="shape (100): puppets, whose yaw is known.", min=1)
]
Generated: TypeAlias = Annotated[
    int | None, typer.Option("--generated", help="invert (100): generated pictures to find again.", min=1)
]
Real: TypeAlias = Annotated[
    int | None, typer.Option("--real", help="invert (20): held-out photos to find, at most.", min=2)
]
Few: TypeAlias = Annotated[
    int | None,
    typer.Option(
        "--few",
        help="invert (all): pictures of either kind, at most, for methods without an encoder, which take minutes each.",
        min=2,
    ),
]
Samples: TypeAlias = Annotated[
    int | None,
    typer.Option("--samples", help="invert (500): drawn faces to compare with held-out photos, at most.", min=2),
]
Lipton: TypeAlias = Annotated[
    int | None, typer.Option("--lipton", help="invert (10000): iterations of gradient descent.", min=1)
]
Inception: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--inception",
        help="edits, portrait: NVIDIA's inception-2015-12-05.pt, which gives FID and KID in place of FFD and KFD.",
    ),
]
London: TypeAlias = Annotated[
    Path | None, typer.Option("--london", help="attributes: Face Research Lab London Set, for Smiling.")
]
CelebAMask: TypeAlias = Annotated[
    Path | None, typer.Option("--celebamask", help="attributes: CelebAMask-HQ, for Mouth_Slightly_Open.")
]
Sfhq: TypeAlias = Annotated[
    Path | None, typer.Option("--sfhq", help="attributes: SFHQ with labels.csv, for hair colours.")
]
UTKFace: TypeAlias = Annotated[Path | None, typer.Option("--utkface", help="attributes: UTKFace, for Male and Young.")]
TruePairs: TypeAlias = Annotated[
    tuple[Path, Path] | None,
    typer.Option("--true-pairs", help="edits: two folders of the same people, without and with --attribute."),
]
PairsAttribute: TypeAlias = Annotated[
    str | None,
    typer.Option("--attribute", help="edits: what the true pairs differ in, such as Smiling."),
]
Report: TypeAlias = Annotated[
    Path | None, typer.Option("--report", help="Where to write the report, as a file of JSON.")
]
PictureOut: TypeAlias = Annotated[
    Path | None,
    typer.Option("--picture", help="edits: where to draw the leakage matrix; facefeat: a sheet. .png, .jpg or .webp."),
]


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command(rich_help_panel=MEASURE)(evaluate)


def evaluate(
    model: Trained,
    data: TaskData = None,
    task: TaskOption = None,
    photos: SwappedPhotos = None,
    against: Against = None,
    pairs: TaskPairs = None,
    split: Split = None,
    count: Count = None,
    puppets: Puppets = None,
    generated: Generated = None,
    real: Real = None,
    few: Few = None,
    samples: Samples = None,
    lipton: Lipton = None,
    inception: Inception = None,
    lfw: Lfw = None,
    ijba: Ijba = None,
    london: London = None,
    celebamask: CelebAMask = None,
    sfhq: Sfhq = None,
    utkface: UTKFace = None,
    true_pairs: TruePairs = None,
    attribute: PairsAttribute = None,
    report: Report = None,
    picture: PictureOut = None,
    seed: SeedOrNone = None,
    workers: Workers = None,
    overwrite: Overwrite = None,
    as_json: Json = False,
) -> None:
    """Measure a trained model on held-out people. Its family says what: swaps, edits, latents and so on.

    Example: masque evaluate run --data prepared --pairs 1000 --report report.json
    """
    given = {name: value for name, value in locals().items() if name not in ABOUT_ALL and value not in (None, [])}
    if picture is not None:
        given["picture"] = True
    _check_places(report, picture, overwrite)
    name = task or task_of(model)
    check_options(name, given)
    if task is not None:
        _check_family(model, task)
    with Bar("Measuring") as bar:
        measured = TASKS[name].measure(model, bar.update, **given)
    from masque.tables.written import keep_report

    check_replaceable(overwrite, report, picture)
    if report is not None:
        keep_report(report, measured.report)
    if picture is not None and measured.picture is not None:
        measured.picture.save(picture)
    answer(measured.text, measured.report, as_json)


ABOUT_ALL = frozenset({"model", "task", "report", "overwrite", "as_json"})
"""Parameters of `evaluate` that are none of a task's."""


def _check_places(report: Path | None, picture: Path | None, overwrite: bool | None) -> None:
    """Raise OutputError, before minutes of measuring, where no report or picture can be written."""
    from masque.image import check_output
    from masque.output import check_apart, check_folder_of

    if report is not None:
        check_folder_of(report)
    if picture is not None:
        check_output(picture)
    check_apart(report, picture)
    check_replaceable(overwrite, report, picture)


def tasks_of(family: str) -> list[str]:
    """What can be measured of a family's models."""
    return [name for name, task in TASKS.items() if family in (*task.families, *task.also)]


def family_of(model: str) -> str:
    """The family of a model by its name or folder; `warp` and `own` have no weights. Raises CheckpointError."""
    from masque import modelfile
    from masque.catalog import model_folder

    return model if model in (WARP, OWN) else modelfile.read(model_folder(model)).family


def task_of(model: str) -> str:
    """The one thing that is measured of a model. Raises CheckpointError where there is no such model, SettingError
    where nothing is measured of its family, or several things."""
    from masque.errors import SettingError, printable

    family = family_of(model)
    names = [name for name, task in TASKS.items() if family in task.families]
    if not names:
        raise SettingError(f"Nothing is measured of a model of the family {printable(family)}: name another model.")
    if len(names) > 1:
        raise SettingError(
            f"Of {printable(family)}, several things are measured: choose by --task {' or '.join(names)}."
        )
    return names[0]


def _check_family(model: str, task: str) -> None:
    from masque.errors import CheckpointError, printable

    family = family_of(model)
    if task not in tasks_of(family):
        able = (*TASKS[task].families, *TASKS[task].also)
        raise CheckpointError(
            f"{printable(model)} holds a model of the family {printable(family)}: name one of {' or '.join(able)}."
        )


def check_options(task: str, given: Mapping[str, object]) -> None:
    """Raise typer.BadParameter for an option that the task does not take, and for one that it needs."""
    parameters = inspect.signature(TASKS[task].measure).parameters.values()
    takes = {p.name: p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
    for name in given.keys() - takes.keys():
        others = [other for other, it in TASKS.items() if name in inspect.signature(it.measure).parameters]
        raise typer.BadParameter(f"--{name} belongs to {' and '.join(others)}, and {task} is measured: leave it out")
    for name, fewest in TASKS[task].fewest.items():
        value = given.get(name)
        if isinstance(value, int) and value < fewest:
            raise typer.BadParameter(f"--{name} is {value}, and {task} takes {fewest} at least")
    either = TASKS[task].either
    if either and not any(name in given for name in either):
        raise typer.BadParameter(f"{task} is measured on data: give it by --{' or --'.join(either)}")
    for name, parameter in takes.items():
        if parameter.default is inspect.Parameter.empty and name not in given:
            raise typer.BadParameter(f"{task} is measured on data: give it by --{name}")
