"""What every family of the catalog must keep, on its tiny preset. A new family gets all of this for its line in the
catalog."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from pathlib import Path

import family_runs
import pytest
import torch
from small_runs import differing, fingerprint, leaves

from masque import modelfile, runs
from masque.catalog import CATALOG, model_folder
from masque.config import from_dict
from masque.train.phase import weight_at
from masque.train.state import load_state, states
from once import made_once

FAMILIES = [name for name, entry in CATALOG.items() if not entry.fitted]
"""Those that are trained in steps; tests/train/test_fits.py has the others."""
every_family = pytest.mark.parametrize("family", FAMILIES)
FEW = ["rsgan identity=identity id=100 adversarial_from=2 adversarial_ramp=0", "portrait perceptual=1", "dcgan"]
"""What is trained by two processes whenever the tests are run, with terms that are shares of a batch."""

SPLIT = [*FAMILIES, "identity network=resnet18 width=4 softmax=margin", *FEW[:2]]
"""What the slow tests train so: a ResNet too, whose batch normalisation would see half of each batch."""


@every_family
def test_every_name_in_the_catalog_leads_somewhere(family):
    entry = CATALOG[family]
    loaded = {part: entry.load(part) for part in ("model", "model_parts", "config", "recipe", "training", "presets")}
    assert "tiny" in loaded["presets"]
    for preset in loaded["presets"]:
        assert isinstance(runs.plan(family, preset).model, loaded["config"])


@pytest.mark.parametrize("family", [name for name in FAMILIES if "best" in CATALOG[name].load("presets")])
def test_the_best_preset_is_what_ships(family):
    """So that `--from FAMILY --preset best` goes on with it."""
    shipped = modelfile.read(model_folder(family))
    assert runs.plan(family, "best", start=family).model == runs.plan(family, "best").model
    config = from_dict(CATALOG[family].load("config"), shipped.config)  # with the settings that there are no more
    assert runs.plan(family, "best").model == config


@every_family
def test_served_networks_are_those_that_edits_need(family, tiny_run):
    run = tiny_run(family)
    assert set(CATALOG[family].load("model_parts")) == set(run.engine.recipe.served) <= set(run.engine.nets)


@every_family
def test_terms_are_finite_scalars_named_as_their_weights(family, tiny_run):
    run = tiny_run(family)
    for phase in run.engine.phases:
        terms = phase.loss(run.batch(0))
        assert terms.keys() == phase.weights.keys()
        for name, term in terms.items():
            assert term.shape == (), name
            assert term.isfinite(), name


@every_family
def test_a_phase_changes_only_its_own_networks(family, tiny_run):
    run = tiny_run(family)
    batch = run.batch(0)
    for phase in run.engine.phases:
        before, kept = run.fingerprints(), fingerprint(run.engine.average.nets)
        moments = {name: copy.deepcopy(optimizer.state_dict()) for name, optimizer in run.engine.optimizers.items()}
        run.engine.run_phase(phase, batch)
        after = run.fingerprints()
        assert {name for name in after if after[name] != before[name]} == set(phase.nets)
        assert fingerprint(run.engine.average.nets) == kept
        for name, optimizer in run.engine.optimizers.items():
            assert bool(differing(moments[name], optimizer.state_dict())) is (name in phase.nets)
        assert not any(
            p.requires_grad or p.grad is not None for net in run.engine.nets.values() for p in net.parameters()
        )


@every_family
def test_together_the_phases_train_every_network(family, tiny_run):
    run = tiny_run(family)
    assert {name for phase in run.engine.phases for name in phase.nets} == set(run.engine.nets)


@pytest.mark.parametrize(("saved", "steps"), [(3, 8), pytest.param(7, 20, marks=pytest.mark.slow)])
@every_family
def test_a_saved_and_resumed_run_is_the_uninterrupted_one_bit_for_bit(family, tiny_run, saved, steps):
    """In 20 steps what is due in every sixteenth one is due after the resuming, too."""
    whole = tiny_run(family, "whole")
    whole.go(steps)
    first = tiny_run(family, "parts")
    first.go(saved)
    first.engine.save()
    second = tiny_run(family, "parts")
    torch.manual_seed(99)  # a run must not lean on the global generator
    assert second.engine.step == saved
    second.go(steps - saved)
    assert differing(whole.engine.state(), second.engine.state()) == []
    assert differing(whole.engine.state(), first.engine.state()) != []


@every_family
def test_the_seed_decides_weights_and_course(family, tiny_run):
    same, again, other = tiny_run(family, "a", seed=3), tiny_run(family, "b", seed=3), tiny_run(family, "c", seed=4)
    assert same.fingerprints() == again.fingerprints()
    first, second = same.fingerprints(), other.fingerprints()
    assert {name for name in first if first[name] == second[name]} <= {
        "prior"
    }  # running averages start from nothing, whatever the seed
    for run in (same, again, other):
        run.go(2)
    assert same.fingerprints() == again.fingerprints() != other.fingerprints()


@every_family
def test_one_batch_can_be_overfitted(family, tiny_run):
    """By what users need, while the judges stand still: against those that learn as well, no loss need fall. CCA-GAN's
    has to learn, too: as it begins, what it says of a picture hardly hangs on the picture."""
    run = tiny_run(family, "run", ema=0.5)
    batch = run.batch(0)
    phases = [phase for phase in run.engine.phases if set(phase.nets) & set(run.engine.recipe.served)]

    def loss() -> float:
        with torch.no_grad():
            return sum(
                float(weight_at(phase.weights[name], 0) * term)
                for phase in phases
                for name, term in phase.loss(batch).items()
            )

    before = loss()
    for step in range(1, 61):
        for phase in run.engine.phases if family == "ccagan" else phases:
            run.engine.run_phase(phase, batch)
        if step % 10 == 0 and loss() < 0.7 * before:
            return
    pytest.fail(f"after 60 steps the loss is {loss():.3f}, and was {before:.3f}")


@every_family
def test_previews_are_rows_of_equal_pictures(family, tiny_run):
    run = tiny_run(family)
    with torch.no_grad():
        pictures, columns = run.engine.recipe.preview(run.batch(0), dict(run.engine.average.nets.items()))
    assert len(pictures) % columns == 0
    assert {(p.shape, str(p.dtype)) for p in pictures} == {((run.plan.model.size, run.plan.model.size, 3), "uint8")}


@pytest.fixture(scope="session")
def two_processes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path]:
    """For how many steps families were trained in float64, and where: in `one` by one process, in `two` by two
    (gloo)."""
    steps: int = request.param
    families = FEW if steps == 4 else SPLIT

    def train(folder: Path) -> None:
        for way in ("one", "two"):
            (folder / way).mkdir()
        family_runs.train_all(folder / "one", 1, steps, families)
        command = [sys.executable, family_runs.__file__, str(folder / "two"), "2", str(steps), *families]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1800, check=False)
        assert done.returncode == 0, done.stderr[-3000:]

    return steps, made_once(tmp_path_factory, f"two-processes-{steps}", train)


@pytest.mark.parametrize(
    ("two_processes", "family"),
    [*((4, family) for family in FEW), *(pytest.param(18, family, marks=pytest.mark.slow) for family in SPLIT)],
    indirect=["two_processes"],
)
def test_two_processes_train_as_one(family, two_processes):
    steps, folder = two_processes
    (step_one, one), (step_two, two) = (states(folder / way / family)[-1] for way in ("one", "two"))
    assert step_one == step_two == steps
    first, second = dict(leaves(load_state(one))), dict(leaves(load_state(two)))
    assert first.keys() == second.keys()
    start = dict(leaves(load_state(states(folder / "one" / family)[0][1])["nets"], "/nets"))
    moved = 0.0
    for path, value in first.items():
        if isinstance(value, torch.Tensor):
            # Sums in another order differ in the sixteenth digit; layers that normalise enlarge that to about 1e-9 in
            # these steps, and a gradient that was not averaged would show in the second digit.
            torch.testing.assert_close(second[path], value, rtol=1e-7, atol=1e-7, msg=path)
            if path in start:
                assert value.dtype == torch.float64
                moved = max(moved, float((value - start[path]).abs().max()))
    assert moved > 1e-4 * steps  # both ran, and far enough for a difference to show
