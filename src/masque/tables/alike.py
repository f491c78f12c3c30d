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
    """The preset of every family that `presets` does not name."""
    assignments: Sequence[str] = ()
    """Settings of all models, each as `key=value`."""
    run_changes: Mapping[str, object] | None = None
    """Run settings of all models by name, over those of the preset and the assignments."""
    time_limit: float | None = None
    """Seconds that each model is trained in this call; None for all its steps."""
    progress: Callable[[int, int, str], None] | None = None
    """Called after every step with how many steps are done of the whole table, how many it takes, and the row."""
    presets: Mapping[str, str] = field(default_factory=dict)
    """Family -> its preset, where that is not `preset`."""

    def plan(self, family: str, changes: Sequence[str] = ()) -> runs.Plan:
        """The settings of one model of the table. changes: `key=value` of this model alone. Raises SettingError and
        CheckpointError as `masque.runs.plan` does."""
        return runs.plan(family, self.presets.get(family, self.preset), [*self.assignments, *changes], self.run_changes)


def train_rows(
    rows: Mapping[str, tuple[str, str, Sequence[str]]], data: Sequence[str], out: Path, how: Alike
) -> dict[str, int]:
    """Train the models of a table under `out`; return how many steps each has.

    rows: row -> its family, the name of its run's folder in `out`, and its settings, each as `key=value`. data:
    prepared folders or `puppets:N`. A model that is trained already is taken as it is; one that was stopped goes on.
    Raises MasqueError."""
    make_folder(out)
    plans = {row: how.plan(family, changes) for row, (family, _, changes) in rows.items()}
    for row, settings in plans.items():  # what cannot be is refused before the first is trained
        runs.build_recipe(runs.with_copied_teachers(settings, out / rows[row][1]))
    steps = {}
    for number, (row, (_, folder, _)) in enumerate(rows.items()):
        settings = plans[row]

        def on_progress(step: int, row: str = row, number: int = number, most: int = settings.run.steps) -> None:
            if how.progress:
                how.progress(number * most + step, len(rows) * most, row)

        ended = runs.train(settings, data, out / folder, time_limit=how.time_limit, on_progress=on_progress)
        if ended.reason == "stopped":
            raise KeyboardInterrupt  # it is meant for the whole table, not for this model alone
        steps[row] = ended.step
    return steps


def train_equally(
    rows: Mapping[str, tuple[str, str, Sequence[str]]], data: Sequence[str], out: Path, how: Alike
) -> int:
    """Train the models of a table, as `train_rows` does, for the same number of steps each; return that number.

    Raises MasqueError; CheckpointError when they have been trained for different numbers of steps, since then no row
    compares with another.
    """
    steps = train_rows(rows, data, out, how)
    if len(set(steps.values())) > 1:
        reached = ", ".join(f"{row}: {step}" for row, step in steps.items())
        raise CheckpointError(
            f"The models have been trained for different numbers of steps ({reached}): give the same command again."
        )
    return next(iter(steps.values()))
