"""The run's log: what is in it, what is cut off on resuming, and who notices a term that is not finite."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch

from masque.errors import OutputError, TrainingError
from masque.train import log as log_module
from masque.train.log import Log, Terms


def steps(path: Path) -> list[int]:
    return [json.loads(line)["step"] for line in path.read_text().splitlines()]


def test_entries_are_json_lines(tmp_path):
    log = Log(tmp_path, 0, tensorboard=False)
    log.write(10, {"fit.square": 0.12345678, "rate": 5.0})
    log.write(20, {"fit.square": 1.0})
    log.write(30, {"learning_rate": 1.2345678e-9, "images_per_second": 123456789.0})
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"step": 10, "fit.square": 0.123457, "rate": 5.0},
        {"step": 20, "fit.square": 1.0},
        {"step": 30, "learning_rate": 1.23457e-9, "images_per_second": 123457000.0},
    ]


@pytest.mark.parametrize(
    "last",
    [
        "[" * 50_000 + "\n",
        '{"step": NaN}\n',
        '{"step": "1"}\n',
        f'{{"step": {"9" * 400}}}\n',
        "\0\ufffd\n",
        "",
        '{"step": 25, "fi',
        '{"step": 35}\n{"st',
        "null\n",
        '{"stop": 1}',
    ],
)
def test_resuming_drops_what_comes_after_the_state_and_a_line_cut_in_two(tmp_path, last):
    path = tmp_path / "log.jsonl"
    path.write_text("".join(f'{{"step": {step}}}\n' for step in (10, 20, 30)) + last)
    log = Log(tmp_path, 20, tensorboard=False)
    assert steps(path) == [10, 20]
    log.write(30, {})
    assert steps(path) == [10, 20, 30]


def test_resuming_never_leaves_half_a_log(tmp_path, monkeypatch):
    """Killed while the log is cut: the old one has to be there still."""
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 10}\n{"step": 20}\n')

    def killed(self, text):
        self.write_bytes(text.encode()[:5])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", killed)
    with pytest.raises(KeyboardInterrupt):
        Log(tmp_path, 10, tensorboard=False)
    assert steps(path) == [10, 20]


def test_a_resumed_run_logs_every_step_once(line_engine, points, tmp_path):
    engine = line_engine(steps=20, save_every=7, log_every=2, keep=9)
    engine.fit(points)
    run = tmp_path / "run"
    (run / "state-20.ckpt").unlink()
    with (run / "log.jsonl").open("a") as opened:
        opened.write('{"step": 21, "fit.squ')
    again = line_engine(steps=20, save_every=7, log_every=2, keep=9)
    assert again.step == 14
    again.fit(points)
    assert steps(run / "log.jsonl") == list(range(2, 21, 2))


def test_terms_are_means_since_the_last_look():
    terms = Terms()
    for step, value in enumerate((1.0, 2.0, 6.0)):
        terms.add(step, "fit", {"square": torch.tensor(value)})
    terms.check()
    terms.add(3, "fit", {"square": torch.tensor(3.0)})
    terms.add(3, "lazy", {"r1": torch.tensor([0.5])})
    assert terms.take() == {"fit.square": 3.0, "lazy.r1": 0.5}
    assert terms.take() == {}


def test_the_first_bad_term_is_named():
    terms = Terms()
    terms.add(4, "fit", {"good": torch.tensor(1.0)})
    terms.add(5, "fit", {"good": torch.tensor(1.0), "bad": torch.tensor(-math.inf)})
    terms.add(6, "fit", {"good": torch.tensor(math.nan)})
    with pytest.raises(TrainingError, match=r"the term bad of phase fit became -inf in step 5; .* lower learning rate"):
        terms.check()


def test_a_bad_term_in_another_process_stops_this_one_too(monkeypatch):
    """Otherwise this process would save weights that the other's gradients have spoilt."""
    elsewhere = torch.tensor([0.0, math.nan])
    monkeypatch.setattr(log_module, "mean_over_processes", lambda values: (values + elsewhere) / 2)
    terms = Terms()
    terms.add(8, "fit", {"good": torch.tensor(1.0), "drift": torch.tensor(2.0)})
    with pytest.raises(TrainingError, match="the term drift of phase fit became nan in step 8"):
        terms.check()


@pytest.mark.parametrize("name", ["log.jsonl", "previews"])
def test_what_stands_where_a_run_writes_is_a_plain_sentence(line_engine, points, tmp_path, name):
    engine = line_engine()
    if name == "log.jsonl":
        (tmp_path / "run" / name).mkdir()
    else:
        (tmp_path / "run" / name).write_text("mine")
    with pytest.raises(OutputError, match=rf"{name}.* (could not be written|is a file)"):
        engine.fit(points, preview_batch=points(0))
