"""Presets end where they say: whatever changes with time has come to its end within their steps, and the documentation
tells the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from masque import runs
from masque.catalog import CATALOG
from masque.config import values_of
from masque.models.progan import side_at
from masque.recipes.progan import stage_at
from masque.train.phase import weight_at

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "train.md").read_text(encoding="utf-8")
EVERY = [(family, preset) for family, entry in CATALOG.items() if not entry.fitted for preset in entry.load("presets")]
"""Every preset of every family that is trained in steps"""


@pytest.mark.parametrize(("family", "preset"), EVERY)
def test_every_preset_can_be_trained_with_data_alone(family, preset):
    """Models that it names are there, its networks can be made, each phase has its own and each of these an optimizer.

    Networks on torch's device meta have shapes and no numbers, so that the largest costs nothing."""
    with torch.device("meta"):
        recipe = runs.build_recipe(runs.plan(family, preset))
    assert set(recipe.served) <= recipe.nets.keys()
    phases = recipe.phases()
    assert {name for phase in phases for name in phase.nets} <= recipe.nets.keys()
    assert all(phase.nets and phase.weights for phase in phases)
    for name, net in recipe.nets.items():
        assert list(recipe.optimizer(name, net.parameters()).param_groups[0]["params"])


SMALLER = {
    "rsgan": (
        *("size=32", "channels=4", "encoder_channels=4", "part_channels=4", "judge_channels=4", "widest=32"),
        *("z_appearance=16", "coarse=8", "adversarial_from=1"),
    ),
    "ccagan": ("size=32", "channels=4", "blocks=1", "halvings=4", "lead=0", "judge_steps=1", "batch_size=4"),
    "facefeat": (
        *("size=32", "channels=4", "encoder_channels=4", "id_width=4", "id_people=64", "features=16"),
        *("shape_width=4", "shape_identity=3", "shape_expression=4", "noise=8", "warm=1"),
    ),
    "parser": ("size=64", "channels=4", "fine=4"),
    "portrait": ("size=64", "channels=4", "features=8", "z=16", "blocks=1", "parser_channels=4"),
    "progan": ("size=64", "channels=64", "widest=16", "z=16", "encoder=4", "encoder_since=1"),
}
"""Networks that are made in a moment, and steps in which what a preset has beyond others takes part"""


@pytest.mark.parametrize("family", [family for family, preset in EVERY if preset == "best"])
def test_the_preset_best_starts_with_data_alone(family, tmp_path):
    plan = runs.plan(family, "best", SMALLER[family], {"steps": 2, "batch_size": 4, "precision": "32"})
    assert runs.train(plan, ["puppets:24"], tmp_path / "run", accelerator="cpu").finished
    terms = (tmp_path / "run" / "log.jsonl").read_text()
    assert {"rsgan": "compose.id_random", "progan": "paint.fool_maps"}.get(family, "") in terms
    kept = {path.name for path in (tmp_path / "run" / "teachers").glob("*")}
    assert kept == {"rsgan": {"identity"}, "progan": {"parser"}}.get(family, set())


@pytest.mark.parametrize(("family", "preset"), EVERY)
def test_whatever_changes_with_time_ends_within_the_steps(family, preset):
    plan = runs.plan(family, preset)
    steps, far = plan.run.steps, 1000 * plan.run.steps
    with torch.device("meta"):
        recipe = runs.build_recipe(plan)
    for phase in recipe.phases():
        assert phase.since < steps
        assert phase.until is None or phase.until <= steps
        assert all(weight_at(weight, steps - 1) == weight_at(weight, far) for weight in phase.weights.values())
    for name in recipe.nets:
        highest = max(recipe.learning_rate(name, step) for step in range(0, steps, max(1, steps // 100)))
        left = recipe.learning_rate(name, steps)
        # A staircase ends on its last step, a running average in a fixed share: both are where they stay for long.
        assert left == recipe.learning_rate(name, far) or left < highest / 5, name
    known = values_of(plan.training)
    assert all(
        known.get(name, 0) <= steps for name in ("decay_from", "decay_to", "encoder_since", "warm", "lead", "warm_up")
    )


@pytest.mark.parametrize("preset", CATALOG["progan"].load("presets"))
def test_a_progressive_gan_reaches_its_size_and_holds_it(preset):
    plan = runs.plan("progan", preset)
    w, batch = plan.training, plan.run.batch_size
    images = batch * (w.encoder.encoder_since or plan.run.steps)
    w = w.growth
    sizes = (plan.model.size // 4).bit_length() - 1
    assert side_at(stage_at(images - 1, w.hold, w.fade, sizes)) == plan.model.size
    there = w.hold + sizes * w.fade + (sizes - 1) * w.hold
    assert stage_at(there, w.hold, w.fade, sizes) == sizes > stage_at(there - 1, w.hold, w.fade, sizes)
    assert images - there >= w.hold  # no shorter than any size before it
    if preset in ("paper-1024", "256", "128"):
        assert images - there >= 800_000  # as long as the paper holds a size
    if preset == "paper-1024":
        assert (images, 600_000 <= w.hold <= 800_000, 600_000 <= w.fade <= 800_000) == (12_000_000, True, True)


def rows(family: str) -> dict[str, str]:
    """Preset -> what docs/train.md says of it, in the table of a family."""
    _, found, table = DOCS.partition(f"| preset of {family} |")
    told = {}
    for line in table.split("\n\n")[0].splitlines()[2:] if found else []:
        names, text = re.fullmatch(r"\| ([^|]+) \| (.+) \|", line).groups()
        told |= dict.fromkeys(re.findall(r"`([^`]+)`", names), text)
    return told


@pytest.mark.parametrize("family", [name for name in CATALOG if f"| preset of {name} |" in DOCS])
def test_the_documentation_tells_sizes_and_steps_as_they_are(family):
    told = rows(family)
    assert list(told) == [name for name in told if name in CATALOG[family].load("presets")]
    assert set(told) == set(CATALOG[family].load("presets"))
    for preset, text in told.items():
        plan = runs.plan(family, preset)
        sides, steps = re.findall(r"\b(\d+) px", text), re.findall(r"([\d,]+) steps", text)
        assert not sides or str(plan.model.size) in sides, (preset, text)
        assert not steps or int(steps[0].replace(",", "")) == plan.run.steps, (preset, text)
