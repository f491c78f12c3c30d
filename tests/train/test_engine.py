"""The engine on a recipe of one straight line: the arithmetic of a step by hand, and every way in which a run can
end."""

from __future__ import annotations

import json
import math
import os
import signal
import time

import numpy as np
import pytest
import torch
from small_runs import Line, differing, squared_error

from masque import runs
from masque.errors import OutputError, SettingError, TrainingError
from masque.image import read_picture
from masque.train import engine as engine_module
from masque.train.devices import check_devices
from masque.train.engine import stopped_early
from masque.train.phase import Phase
from masque.train.state import load_state, states


def test_a_step_by_hand(line_engine, points):
    """Momentum 0.5, weight 3 − step, rate 0.1/(1+step): the engine's line against the formulas in numpy."""
    recipe = Line(weight=lambda step: 3.0 - step)
    engine = line_engine(recipe, ema=0.9)
    a, b = recipe.nets["line"].weight.item(), recipe.nets["line"].bias.item()
    averaged, speed = np.array([a, b]), np.zeros(2)
    for step in range(4):
        batch = points(step)
        engine.run_step(engine.to_device(batch))
        x, y = batch["x"].double().numpy(), batch["y"].double().numpy()
        error = a * x + b - y
        gradient = (3.0 - step) * np.array([(2 * error * x).mean(), (2 * error).mean()])
        speed = 0.5 * speed + gradient
        a, b = np.array([a, b]) - 0.1 / (1 + step) * speed
        decay = min(0.9, (1 + step) / (10 + step))
        averaged = decay * averaged + (1 - decay) * np.array([a, b])
    line, average = recipe.nets["line"], engine.average.nets["line"]
    np.testing.assert_allclose([line.weight.item(), line.bias.item()], [a, b], rtol=1e-5)
    np.testing.assert_allclose([average.weight.item(), average.bias.item()], averaged, rtol=1e-5)
    assert engine.step == 4


def test_only_the_phase_under_way_has_open_gradients(line_engine, points):
    recipe = Line()
    seen = []

    def loss(line, batch):
        seen.append([name for name, net in recipe.nets.items() if any(p.requires_grad for p in net.parameters())])
        return squared_error(line, batch)

    recipe.loss = loss
    engine = line_engine(recipe)
    engine.run_step(engine.to_device(points(0)))
    assert seen == [["line"]]
    assert not any(p.requires_grad for net in recipe.nets.values() for p in net.parameters())


def test_phases_run_when_they_are_due_and_in_order(line_engine, points):
    recipe = Line()
    calls = []
    first, lazy = (
        lambda batch, n=name: calls.append((n, int(batch["step"]))) or recipe.terms(batch) for name in ("first", "lazy")
    )
    recipe.phases = lambda: [
        Phase("lazy", ("line",), lazy, {"square": 1.0}, every=3),
        Phase("first", ("line",), first, {"square": 1.0}),
    ]
    line_engine(recipe, steps=5).fit(points)
    assert calls == [("lazy", 0), ("first", 0), ("first", 1), ("first", 2), ("lazy", 3), ("first", 3), ("first", 4)]


def test_a_term_without_a_weight_is_an_error(line_engine, points):
    recipe = Line()
    recipe.terms = lambda batch: {"square": recipe.nets["line"].weight.sum(), "extra": batch["x"].sum()}
    engine = line_engine(recipe)
    with pytest.raises(ValueError, match="terms without a weight: \\['extra'\\]"):
        engine.run_step(points(0))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_term_that_is_not_finite_stops_the_run_and_the_last_good_state_is_kept(line_engine, points, tmp_path, bad):
    engine = line_engine(Line(lambda line, batch: squared_error(line, batch) * (bad if batch["step"] == 12 else 1.0)))
    with pytest.raises(
        TrainingError, match=f"the term square of phase fit became {bad} in step 12; the last good state is kept"
    ):
        engine.fit(points)
    assert [step for step, _ in states(tmp_path / "run")] == [0, 5, 10]
    resumed = line_engine()
    assert resumed.step == 10
    assert all(p.isfinite().all() for p in resumed.nets["line"].parameters())


def test_a_rare_look_at_the_terms_saves_nothing_bad_either(line_engine, points, tmp_path):
    recipe = Line(lambda line, batch: squared_error(line, batch) * (math.nan if batch["step"] == 12 else 1.0))
    with pytest.raises(TrainingError, match="in step 12"):
        line_engine(recipe, log_every=1000, save_every=13).fit(points)
    assert [step for step, _ in states(tmp_path / "run")] == [0]


def test_a_finite_term_with_a_gradient_that_is_not_is_not_saved(line_engine, points, tmp_path):
    """The root of an error of zero has an infinite slope: step 4's term is 0, and the weights are spoilt all the
    same."""

    def loss(line, batch):
        return (0.0 * squared_error(line, batch)).sqrt() if batch["step"] == 4 else squared_error(line, batch)

    with pytest.raises(
        TrainingError, match="weights of line are no longer finite after step 4; the last good state is kept"
    ):
        line_engine(Line(loss)).fit(points)
    assert [step for step, _ in states(tmp_path / "run")] == [0]


def test_the_latest_states_stay(line_engine, points, tmp_path):
    line_engine(keep=2).fit(points)
    assert [step for step, _ in states(tmp_path / "run")] == [15, 20]


def test_a_run_cut_by_the_time_limit_goes_on_where_it_stopped(line_engine, points, monkeypatch):
    line_engine(folder="whole").fit(points)
    now = [time.monotonic()]

    def tick() -> float:
        now[0] += 1.0
        return now[0]

    monkeypatch.setattr(engine_module.time, "monotonic", tick)
    cut = line_engine(folder="cut").fit(points, time_limit=60)
    assert (cut.finished, cut.reason) == (False, "time limit")
    assert 0 < cut.step < 20
    assert stopped_early(cut) == f"Stopped after step {cut.step} (time limit); the same command goes on from there."
    engine = line_engine(folder="cut")
    assert engine.step == cut.step
    ended = engine.fit(points)
    assert (ended.finished, ended.reason, ended.step) == (True, "finished", 20)
    assert differing(engine.state(), line_engine(folder="whole").state()) == []


def test_no_time_left_still_leaves_a_full_state(line_engine, points, tmp_path):
    progress = line_engine().fit(points, time_limit=0.0)
    assert (progress.step, progress.reason) == (0, "time limit")
    assert [step for step, _ in states(tmp_path / "run")] == [0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_step_first_and_saves(line_engine, points, tmp_path, number):
    before = signal.getsignal(number)
    progress = line_engine(log_every=1).fit(
        points, on_step=lambda step, *_: os.kill(os.getpid(), number) if step == 7 else None
    )
    assert (progress.step, progress.finished, progress.reason) == (7, False, "stopped")
    assert load_state(states(tmp_path / "run")[-1][1])["step"] == 7
    assert signal.getsignal(number) is before


def test_more_steps_can_be_asked_for_later_and_fewer_change_nothing(line_engine, points):
    line_engine(folder="whole", steps=30).fit(points)
    line_engine(folder="parts", steps=20).fit(points)
    longer = line_engine(folder="parts", steps=30)
    assert longer.fit(points).step == 30
    assert differing(longer.state(), line_engine(folder="whole").state()) == []
    shorter = line_engine(folder="parts", steps=10)
    assert shorter.fit(points).finished
    assert differing(longer.state(), shorter.state()) == []


def test_on_save_and_on_step_are_told_of_every_save_and_log(line_engine, points):
    saved, logged = [], []
    engine = line_engine()
    engine.fit(
        points,
        on_step=lambda step, terms, rate: logged.append((step, set(terms), rate > 0)),
        on_save=lambda: saved.append(engine.step),
    )
    assert logged == [(step, {"fit.square"}, True) for step in range(2, 21, 2)]
    assert saved == [5, 10, 15, 20, 20]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, None])
def test_a_run_that_is_stopped_leaves_log_and_preview_of_its_last_step(
    line_engine, points, tmp_path, monkeypatch, number
):
    """Though neither was due: log and preview reach as far as the state, and the next call goes on after them."""
    now = [time.monotonic()]
    monkeypatch.setattr(engine_module.time, "monotonic", lambda: now[0])

    def end(step: int) -> None:
        now[0] += 0.001
        if step == 7 and number is not None:
            os.kill(os.getpid(), number)
        elif step == 7:
            now[0] += 1000.0

    often = {"log_every": 5, "preview_every": 100, "save_every": 100}
    progress = line_engine(**often).fit(points, preview_batch=points(0), time_limit=900, on_progress=end)
    assert (progress.step, progress.finished) == (7, False)
    run = tmp_path / "run"
    assert [json.loads(line)["step"] for line in (run / "log.jsonl").read_text().splitlines()] == [5, 7]
    assert [path.name for path in (run / "previews").iterdir()] == ["0000007.png"]
    assert states(run)[-1][0] == 7
    monkeypatch.undo()
    again = line_engine(**often)
    assert (
        again.fit(points, preview_batch=points(0), time_limit=-1.0).step == 7
    )  # nothing was done, so nothing is shown
    assert len(list((run / "previews").iterdir())) == 1
    line_engine(**often).fit(points, preview_batch=points(0))
    entries = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in entries] == [5, 7, 10, 15, 20]


def test_progress_is_told_at_every_step_and_nothing_is_looked_at_for_it(line_engine, points, monkeypatch):
    told, looked = [], []
    engine = line_engine(log_every=20, preview_every=20, save_every=20)
    check = engine.terms.check
    monkeypatch.setattr(engine.terms, "check", lambda: looked.append(engine.step) or check())
    engine.fit(points, on_progress=told.append)
    assert told == list(range(1, 21))
    assert set(looked) == {0, 20}


def test_preview_pictures_are_written_on_the_way_and_at_the_end(line_engine, points, tmp_path):
    line_engine(steps=15).fit(points, preview_batch=points(0))
    previews = sorted((tmp_path / "run" / "previews").iterdir())
    assert [p.name for p in previews] == ["0000010.png", "0000015.png"]
    picture = read_picture(previews[0])
    assert picture.shape == (2 * 4 + 2, 3 * 6 + 2 * 2, 3)
    assert (picture[:4, :6] == 200).all()


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), RuntimeError("PytorchStreamWriter failed writing file data/1")]
)
def test_a_full_disk_keeps_the_states_there_are(line_engine, points, tmp_path, monkeypatch, error):
    run = tmp_path / "run"
    line_engine(steps=10).fit(points)
    before = {path.name: path.read_bytes() for path in run.iterdir()}

    def fail(_, path):
        path.write_bytes(b"the first half")
        raise error

    monkeypatch.setattr("masque.train.state.torch.save", fail)
    with pytest.raises(
        OutputError,
        match=r"state-15.ckpt could not be written \((No space left|the disk did not take all).*\): free some space",
    ):
        line_engine().fit(points)
    monkeypatch.undo()
    after = {path.name: path.read_bytes() for path in run.iterdir()}
    changed = {"settings.json", "log.jsonl"}
    assert {name: text for name, text in after.items() if name not in changed} == {
        n: t for n, t in before.items() if n not in changed
    }
    assert line_engine().fit(points).step == 20


def test_what_a_killed_process_left_unfinished_is_neither_read_nor_kept(line_engine, points, tmp_path):
    run = tmp_path / "run"
    line_engine(steps=10).fit(points)
    (run / "model").mkdir()
    left = [
        run / ".state-15.ckpt.4711.part",
        run / ".settings.json.4711.part",
        run / "model" / ".weights.safetensors.4711.part",
    ]
    for path in left:
        path.write_bytes(b"half of it")
    assert line_engine().step == 10
    assert not any(path.exists() for path in left)


def test_tensorboard_gets_what_the_log_gets(line_engine, points, tmp_path):
    line_engine(tensorboard=True, steps=4).fit(points)
    (events,) = (tmp_path / "run" / "tensorboard").iterdir()
    written = events.read_bytes()
    assert all(name in written for name in (b"fit.square", b"learning_rate", b"images_per_second"))


def test_tensorboard_forgets_what_came_after_the_state_and_keeps_the_rest(line_engine, points, tmp_path):
    """As its own reader sees it: a run cut off after step 6 that had been shown up to step 10, and then went on to step
    8."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = tmp_path / "run"
    line_engine(tensorboard=True, steps=10, save_every=2, keep=9).fit(points)
    for step in (8, 10):
        (run / f"state-{step}.ckpt").unlink()
    line_engine(tensorboard=True, steps=8, save_every=2, keep=9).fit(points)
    seen = EventAccumulator(str(run / "tensorboard"), purge_orphaned_data=True).Reload()
    assert [event.step for event in seen.Scalars("fit.square")] == [2, 4, 6, 8]


def test_float64_runs_have_float64_weights_batches_and_averages(line_engine, points):
    engine = line_engine(precision="64")
    batch = engine.to_device(points(0))
    assert batch["x"].dtype == torch.float64
    assert batch["step"].dtype == torch.int64
    assert {p.dtype for net in (*engine.nets.values(), engine.average.nets) for p in net.parameters()} == {
        torch.float64
    }


def test_pictures_are_placed_channels_last_where_asked(line_engine):
    picture = {"image": torch.rand(2, 3, 4, 4)}
    for asked in (True, False):
        placed = line_engine(folder=str(asked), channels_last=asked).to_device(picture)["image"]
        assert placed.is_contiguous(memory_format=torch.channels_last) is asked
        assert torch.equal(placed, picture["image"])


@pytest.mark.parametrize(
    ("accelerator", "devices", "said"),
    [
        ("cuda", 1, "PyTorch finds no cuda on this machine: leave --accelerator out"),
        ("mps", 1, "PyTorch finds no mps on this machine"),
        ("tpu", 1, "There is no accelerator tpu; did you mean"),
        ("cpu", 10**9, "--devices is 1000000000 and must be from 1 to 4"),
        ("auto", 5, "--devices is 5 and must be from 1 to 4"),
        ("cpu", 0, "--devices is 0 and must be from 1 to 4"),
    ],
)
def test_devices_that_are_not_there_are_refused_before_any_work(monkeypatch, tmp_path, accelerator, devices, said):
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    plan = runs.plan("rsgan", "tiny", ["steps=1"])
    with pytest.raises(SettingError, match=said):
        runs.train(plan, ["puppets:4"], tmp_path / "run", accelerator=accelerator, devices=devices)
    assert not (tmp_path / "run").exists()


def test_devices_that_are_there_are_taken(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 8)
    for accelerator, devices in (("auto", 8), ("cuda", 1), ("cpu", 1)):
        check_devices(accelerator, devices)
