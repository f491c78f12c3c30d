"""The benchmarks run and say what they measured; how fast this machine is, no test asserts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from masque.bench import swapping, training
from masque.bench.labels import as_text as labels_text
from masque.bench.labels import bench_reading
from masque.errors import SettingError
from masque.recipes.progan import stage_at


def test_training_is_timed_in_steps_in_which_all_phases_run() -> None:
    report = training.bench_training(
        "rsgan", "tiny", steps=1, turns=2, assignments=["batch_size=4", "adversarial_from=1000"]
    )
    assert json.loads(json.dumps(report)) == report
    assert (report["family"], report["size"], report["batch_size"]) == ("rsgan", 32, 4)
    for name in ("engine", "plain"):
        assert 0 < report[name]["min"] <= report[name]["median"] <= report[name]["max"]
    assert report["ratio"] > 0
    assert report["loader"] > 0
    text = training.as_text(report)
    assert f"ratio: {report['ratio']:.2f}" in text
    assert "plain eager fp32" in text


def test_an_unknown_setting() -> None:
    with pytest.raises(SettingError, match="did you mean batch_size"):
        training.bench_training("rsgan", "tiny", assignments=["batchsize=4"])


@pytest.mark.slow
def test_swaps_and_edits_are_timed_on_photos_of_the_size_asked(model_folder: Path) -> None:
    assert swapping.large_photo(1, 300).shape == (300, 300, 3)
    swap = swapping.bench_swapping(str(model_folder), 256, 1)
    edit = swapping.bench_editing(str(model_folder), 256, 1)
    assert set(swap["times"]) == {"stitch gradient", "stitch none"}
    assert set(edit["times"]) == {"edit"}
    for report in (swap, edit):
        assert all(0 < t["min"] <= t["median"] <= t["max"] for t in report["times"].values())
        assert report["peak_memory_mib"] > 50
        text = swapping.as_text(report)
        assert f"{report['job']} with rsgan (32 px) on photos of 256×256" in text
        assert "peak memory" in text


@pytest.mark.slow
def test_growth_is_timed_at_every_size() -> None:
    reports = training.bench_growth("tiny", steps=1, turns=1)
    assert list(reports) == ["4", "8", "16"]
    assert all(report["engine"]["median"] > 0 and report["ratio"] > 0 for report in reports.values())
    assert training.growth_text(reports).count("\n") == 3


def test_growth_times_the_step_at_which_a_size_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def bench(*_: object, at: int) -> dict[str, object]:
        asked.append(stage_at(4 * at, hold=20, fade=20, most=2))
        return {}

    monkeypatch.setattr(training, "bench_training", bench)
    training.bench_growth("tiny")
    assert asked == [0.0, 1.0, 2.0]


def test_label_maps_are_timed_as_programs_save_them() -> None:
    report = bench_reading(0.1, 1)
    assert (report["width"], report["height"]) == (365, 273)
    assert list(report["times"]) == ["palette.png", "rgb.png", "smoothed.png", "soft.png", "jpeg.jpg"]
    assert all(0 < time["min"] <= time["median"] <= time["max"] for time in report["times"].values())
    assert labels_text(report).startswith("label maps of 365×273\npalette.png: ")


def test_the_time_of_a_preset_counts_each_phase_as_often_as_it_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """A phase that is due in every second step, or from a step on, counts for those alone."""
    asked: list[tuple[str, int]] = []

    def timed(engine: training.Engine, phase: training.Phase, *_: object) -> float:
        asked.append((phase.name, engine.step))
        return 6.0

    monkeypatch.setattr(training, "_phase_time", timed)
    monkeypatch.setattr(training.time, "process_time", lambda: 0.0)
    monkeypatch.setattr(training.time, "perf_counter", lambda: 0.0)
    plan = training.runs.plan("progan", "tiny")
    seconds = training.time_training("progan", "tiny")
    assert {step for name, step in asked if name == "encode"} == {plan.training.encoder.encoder_since}
    assert max(step for name, step in asked if name == "judge") < plan.training.encoder.encoder_since
    smooth = plan.training.encoder.encoder_since / plan.training.penalty.r1_every
    expected = 6 * (
        2 * plan.training.encoder.encoder_since + smooth + plan.run.steps - plan.training.encoder.encoder_since
    )
    assert seconds == pytest.approx(expected)
    assert training.time_training("progan", "tiny", 5.0) is None
