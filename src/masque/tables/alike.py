"""Training the models of a table: each with the same settings apart from its own, so that its rows can be compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from masque import runs
from masque.errors import CheckpointError
from masque.output import make_folder


@dataclass(frozen=True)
class Alike:
    """How all models of a table are trained."""

    preset: str = "small"
    assignments: Sequence[str] = ()
    """`key=value`, for all of them"""
    run_changes: Mapping[str, object] | None = None
    time_limit: float | None = None
    """Seconds of each model's training in this call"""
    progress: Callable[[int, int, str], None] | None = None
    """Told how much is done, of how much, and of which row"""
    presets: Mapping[str, str] = field(default_factory=dict)
    """Family -> its preset, where that is another"""

    def plan(self, family: str, changes: Sequence[str] = ()) -> runs.Plan:
        """The settings of one model, which sets `changes` beside. Raises as `masque.runs.plan` does."""
        return runs.plan(family, self.presets.get(family, self.preset), [*self.assignments, *changes], self.run_changes)


def train_rows(
    rows: Mapping[str, tuple[str, str, Sequence[str]]], data: Sequence[str], out: Path, how: Alike
) -> dict[str, int]:
    """Train the models of a table under `out`; return how many steps each has.

    rows: row -> its family, the folder of its run, and what it sets. A model that is trained already is taken as it is;
    one that was stopped goes on. Raises MasqueError."""
    make_folder(out)
    plans = {row: how.plan(family, changes) for row, (family, _, changes) in rows.items()}
    for row, settings in plans.items():
        runs.build_recipe(
            runs.with_kept_teachers(settings, out / rows[row][1])
        )  # what cannot be is refused before the first is trained
    steps = {}
    for number, (row, (_, folder, _)) in enumerate(rows.items()):
        settings = plans[row]

        def on_progress(step: int, row: str = row, number: int = number, most: int = settings.run.steps) -> None:
            if how.progress:
                how.progress(number * most + step, len(rows) * most, row)

        made = runs.train(settings, data, out / folder, time_limit=how.time_limit, on_progress=on_progress)
        if made.reason == "stopped":
            raise KeyboardInterrupt  # it is meant for the whole table, not for this model alone
        steps[row] = made.step
    return steps


def train_equally(
    rows: Mapping[str, tuple[str, str, Sequence[str]]], data: Sequence[str], out: Path, how: Alike
) -> int:
    """The same for rows of one budget; return how many steps all have.

    Raises MasqueError; CheckpointError when they have different steps, since then no row compares with another.
    """
    steps = train_rows(rows, data, out, how)
    if len(set(steps.values())) > 1:
        reached = ", ".join(f"{row}: {step}" for row, step in steps.items())
        raise CheckpointError(
            f"The models have been trained for different numbers of steps ({reached}): give the same command again."
        )
    return next(iter(steps.values()))
