"""The commands around training: prepare, train, evaluate, pack, bench."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from command_line import Outcome, masque, start, wait_for

from masque import modelfile
from masque.image import write_picture
from masque.train.engine import Progress
from masque.train.state import load_state, states

SCORES = (
    "reconstruction.absolute_error",
    "reconstruction.ms_ssim",
    "swap.identity_distance",
    "swap_twice.absolute_error",
    "swap_twice.ms_ssim",
    "true_swap.absolute_error",
)
"""What the report of `evaluate swap` promises, each with mean and std."""


def train(out: Path, *more: object) -> Outcome:
    return masque(
        "train",
        "rsgan",
        "--data",
        "puppets:24",
        "--out",
        out,
        "--preset",
        "tiny",
        "--set",
        "batch_size=4",
        "--json",
        *more,
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three steps; tests that change it work on a copy."""
    out = tmp_path_factory.mktemp("runs") / "run"
    outcome = train(out, "--steps", 3)
    assert outcome.code == 0, outcome.err
    assert outcome.values["out"] == str(out)
    assert (outcome.values["step"], outcome.values["finished"], outcome.values["reason"]) == (3, True, "finished")
    return out


@pytest.fixture
def people(tmp_path: Path, puppet_files: list[Path]) -> Path:
    """Two people with two photos each, and four files that are none."""
    folder = tmp_path / "people"
    for name, files in (("ann", puppet_files[:2]), ("ben", puppet_files[2:])):
        (folder / name).mkdir(parents=True)
        for path in files:
            shutil.copy(path, folder / name)
    (folder / "ann" / "empty.jpg").write_bytes(b"")
    (folder / "ann" / "words.png").write_text("words")
    (folder / "ben" / "cut.png").write_bytes(puppet_files[0].read_bytes()[:5000])
    write_picture(folder / "ben" / "wall.png", np.full((200, 200, 3), 90, np.uint8))
    return folder


def test_a_run_is_a_model_for_the_other_commands(run: Path, puppet_files: list[Path], tmp_path: Path) -> None:
    assert masque("blend", *puppet_files[:2], "--steps", 2, "-o", tmp_path / "out.png", "--model", run).code == 0


def test_the_same_command_goes_on(run: Path, tmp_path: Path) -> None:
    out = Path(shutil.copytree(run, tmp_path / "run"))
    assert train(out, "--steps", 3).values["step"] == 3
    assert train(out, "--steps", 4).values["step"] == 4
    steps = [json.loads(line)["step"] for line in (out / "log.jsonl").read_text().splitlines()]
    assert steps == [3, 4]


def test_a_time_limit_stops_cleanly(tmp_path: Path) -> None:
    outcome = train(tmp_path / "run", "--steps", 100_000, "--time-limit", "0.5s")
    assert outcome.code == 0
    assert (outcome.values["finished"], outcome.values["reason"]) == (False, "time limit")
    assert (tmp_path / "run" / f"state-{outcome.values['step']}.ckpt").is_file()
    assert modelfile.read(tmp_path / "run").family == "rsgan"


@pytest.mark.slow
def test_several_processes_answer_and_complain_as_one(tmp_path: Path) -> None:
    """One line on stdout, nothing of libraries on stderr; and one sentence where all of them fail."""
    command = (
        "train",
        "attributes",
        "--data",
        "puppets:24",
        "--preset",
        "tiny",
        "--set",
        "batch_size=4",
        "--devices",
        2,
        "--json",
    )
    more = ("--accelerator", "cpu", "--set", "precision=bf16", "--out", tmp_path / "run")
    outcome = wait_for(start(*command, *more, "--steps", 2))
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.values["step"] == 2
    again = wait_for(start(*command, *more, "--steps", 2, "--seed", 1))
    assert (again.code, again.values["error"]) == (1, again.err.strip())
    assert again.err.count("seed = 0, not 1") == again.err.count("\n") == 1


def test_starting_counts_towards_the_time_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is imported and loaded before the first step, too: where it takes all of it, no step is made and the run can
    go on."""
    given = []
    monkeypatch.setattr(
        "masque.runs.train", lambda *_, time_limit, **__: given.append(time_limit) or Progress(0, False, "time limit")
    )
    clock = iter([100.0, 104.5])
    monkeypatch.setattr("masque.cli.train.time", SimpleNamespace(monotonic=lambda: next(clock)))
    outcome = train(tmp_path / "run", "--steps", 3, "--time-limit", "3s")
    assert (outcome.code, given, outcome.values["reason"]) == (0, [-1.5], "time limit")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rsgam", "--data", "puppets:8"], "did you mean rsgan?"),
        (["rsgan", "--data", "puppets:8", "--preset", "tinny"], "did you mean tiny?"),
        (["rsgan", "--data", "puppets:8", "--set", "batchsize=4"], "did you mean batch_size?"),
        (["rsgan", "--data", "puppets:8", "--set", "batch_size"], "key=value"),
        (["rsgan", "--data", "puppets:8", "--set", "batch_size=four"], "a whole number"),
        (["rsgan", "--data", "puppets:8", "--set", "size=33", "--preset", "tiny"], "choose a size"),
        (["rsgan", "--data", "puppets:8", "--steps", 0], "at least 1"),
        (["rsgan", "--data", "puppets:8", "--set", "seed=-1"], "at least 0"),
        (["rsgan", "--data", "puppets:8", "--time-limit", "soon"], "1h30m"),
        (["rsgan", "--data", "puppets:none"], "puppets:2000"),
        (["rsgan", "--data", "nowhere"], "not a prepared set"),
    ],
)
def test_training_that_cannot_start(tmp_path: Path, arguments: list[object], says: str) -> None:
    assert says in masque("train", *arguments, "--out", tmp_path / "run").sentence
    assert not (tmp_path / "run" / "model").exists()


def test_runs_that_may_not_be_touched(run: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert "not a run" in train(tmp_path, "--steps", 3).sentence
    assert "is a file" in train(tmp_path / "notes.txt", "--steps", 3).sentence
    assert "does not exist" in train(tmp_path / "missing" / "run", "--steps", 3).sentence
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    assert "seed = 0, not 1" in train(run, "--seed", 1).sentence
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_evaluate_writes_the_report_it_prints(run: Path, tmp_path: Path) -> None:
    outcome = masque("evaluate", run, "--data", "puppets:80", "--pairs", 3, "--report", tmp_path / "report.json")
    assert outcome.code == 0, outcome.err
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["pairs"] == 3
    assert 0 <= report["worked"] <= 1
    for score in SCORES:
        group, name = score.split(".")
        assert report[group][name].keys() == {"mean", "std", "interval"}, score
    assert f"{report['reconstruction']['absolute_error']['mean']:.3f}" in outcome.out


def test_evaluations_that_cannot_start(run: Path, tmp_path: Path) -> None:
    assert (
        "mkdir -p"
        in masque("evaluate", run, "--data", "puppets:40", "--report", tmp_path / "missing" / "r.json").sentence
    )
    assert "no model" in masque("evaluate", tmp_path / "missing", "--data", "puppets:40").sentence
    assert "not a prepared set" in masque("evaluate", run, "--data", tmp_path).sentence
    assert "No data set was named" in masque("evaluate", "attributes").sentence


def test_pack_makes_a_model_that_can_be_passed_on(run: Path, tmp_path: Path) -> None:
    (tmp_path / "card.md").write_text("# What it is\n")
    values = masque("export", run, "-o", tmp_path / "packed", "--card", tmp_path / "card.md", "--json").values
    assert values["bytes"] == (tmp_path / "packed" / "weights.safetensors").stat().st_size
    assert values["weights"] == modelfile.read(tmp_path / "packed").hash
    assert (tmp_path / "packed" / "card.md").read_text() == "# What it is\n"
    assert "not as Masque wrote it" in masque("export", run, "-o", tmp_path).sentence
    assert "card.md is a file: name a folder" in masque("export", run, "-o", tmp_path / "card.md").sentence
    assert "cannot be read" in masque("export", run, "-o", tmp_path / "other", "--card", tmp_path / "none.md").sentence
    assert not (tmp_path / "other").exists()


def test_prepare_counts_what_it_drops_and_goes_on(people: Path, tmp_path: Path) -> None:
    """One bad file never stops the rest."""
    outcome = masque(
        "prepare", people, "--out", tmp_path / "set", "--size", 32, "--held-out", 1, "--workers", 1, "--json"
    )
    assert (outcome.code, outcome.err) == (0, "")
    dropped = {"no face found": 1, "not readable as a picture": 3}
    found = {"added": 0, "anew": 0, "layout": "identities", "pictures": 8, "people": 2}
    found |= {"official_split": False, "left_out": {}, "notes": []}
    assert outcome.values == {"out": str(tmp_path / "set"), "kept": 4, "dropped": dropped, **found}
    with (tmp_path / "set" / "index.csv").open() as opened:
        rows = list(csv.DictReader(opened))
    assert [(row["identity"], row["split"]) for row in rows] == [("ann", "train")] * 2 + [("ben", "test")] * 2
    again = masque("prepare", people, "--out", tmp_path / "set", "--size", 32, "--held-out", 1, "--workers", 1)
    assert again.code == 0
    assert again.out.splitlines()[1:] == [
        "  Layout identities: 8 pictures, of 2 people; 1 of 2 people are for testing.",
        "  1 dropped: no face found",
        "  3 dropped: not readable as a picture",
    ]


def test_evaluate_measures_swaps_of_whole_photos_by_several_methods(
    puppet_files: list[Path], run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("masque.tables.swap_yardsticks.MOST_PUPPETS", 1)
    command = ["evaluate", "warp", "--photos", puppet_files[0].parent, "--pairs", 3, "--seed", 2]
    path = tmp_path / "report.json"
    text = masque(*command, "--against", run, "--report", path).out
    report = json.loads(path.read_text())
    assert list(report["methods"]) == ["warp", str(run)]
    assert (report["pairs"], report["seed"], report["data"]) == (3, 2, puppet_files[0].parent.name)
    assert report["methods"]["warp"]["measures"]["identity_distance"]["n"] > 0
    assert "share of brows cut by the mask" in text
    both = masque(*command, "--data", "puppets:20").sentence
    assert "--data and --photos are two sources" in both
    assert "leave --workers out" in masque(*command, "--workers", 2).sentence
    assert "--split is about prepared sets" in masque(*command, "--split", "train").sentence
    wrong = masque("evaluate", "warp", "--photos", tmp_path, "--against", "parser").sentence
    assert "cannot swap" in wrong


def test_prepare_takes_only_what_a_list_names(people: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("ann/puppet1.png\n\nwall.png\n")
    values = masque(
        "prepare",
        people,
        "--out",
        tmp_path / "set",
        "--size",
        32,
        "--only",
        tmp_path / "list.txt",
        "--workers",
        1,
        "--json",
    ).values
    assert (values["kept"], values["dropped"]) == (1, {"no face found": 1})


def test_preparing_that_cannot_start(people: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "list.txt").write_text("nobody.jpg")
    (tmp_path / "latin.txt").write_bytes(b"\xe9.jpg")
    for arguments, says in (
        ([tmp_path / "missing", "--out", tmp_path / "set"], "no folder"),
        ([tmp_path / "empty", "--out", tmp_path / "set"], "no picture"),
        ([people, "--out", tmp_path], "choose a new folder"),
        ([people, "--out", tmp_path / "list.txt"], "list.txt is a file: name a folder"),
        ([people, "--out", tmp_path / "set", "--only", tmp_path / "list.txt"], "names no picture in"),
        ([people, "--out", tmp_path / "set", "--only", tmp_path / "latin.txt"], "names no picture in"),
        ([people, "--out", tmp_path / "set", "--only", tmp_path / "none.txt"], "list of names"),
        ([people, "--out", tmp_path / "set", "--held-out", 2], "leaves nothing to train on"),
    ):
        assert says in masque("prepare", *arguments).sentence
    assert not (tmp_path / "set").exists()


def test_benchmarks_answer_in_json(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they measure is not asserted: that depends on the machine."""
    monkeypatch.setattr("masque.bench.training.PUPPETS", 8)
    monkeypatch.setattr("masque.bench.swapping.WARM_UPS", 0)
    training = masque("bench", "train", "rsgan", "--preset", "tiny", "--steps", 1, "--turns", 1, "--json").values
    assert {"engine", "plain", "ratio", "loader", "threads"} <= training.keys()
    swapping = masque("bench", "swap", "--model", model_folder, "--side", 256, "--turns", 1, "--json").values
    assert {"stitch gradient", "stitch none"} == swapping["times"].keys()
    assert swapping["peak_memory_mib"] > 0
    assert swapping["side"] == 256


def test_a_run_may_begin_with_a_model(run: Path, tmp_path: Path) -> None:
    """Its networks are then that model's, its discriminators its run's or new; another family's or size's model is
    refused."""
    before = modelfile.read(run)
    still = ("--steps", 1, "--seed", 1, "--set", "lr=0", "--set", "judge_lr=0")
    copy = shutil.copytree(run, tmp_path / "copy")
    modelfile.pack(copy, copy / "packed")
    judges = [load_state(states(run)[-1][1])["nets"]["D_g"]]
    for name, begun in (("run", copy), ("packed", copy / "packed")):
        assert train(tmp_path / f"from {name}", "--from", begun, *still).code == 0
        judges.append(load_state(states(tmp_path / f"from {name}")[-1][1])["nets"]["D_g"])
    own, of_run, of_packed = ([value.abs().sum().item() for value in judge.values()] for judge in judges)
    assert of_run == own != of_packed
    assert train(tmp_path / "fine", "--steps", 1, "--from", run, "--set", "lr=0").code == 0
    fine = modelfile.read(tmp_path / "fine")
    served = {name: value for name, value in before.weights.items() if not name.startswith(("prior", "C."))}
    assert all((fine.weights[name] - value).abs().max() < 1e-6 for name, value in served.items())
    assert f"began with the weights {before.hash}" in (tmp_path / "fine" / "model" / "card.md").read_text()
    assert train(tmp_path / "fine", "--steps", 2, "--from", run, "--set", "lr=0").values["step"] == 2
    assert (
        train(tmp_path / "fine", "--steps", 3, "--set", "lr=0").values["step"] == 3
    )  # what it began with is in its own state
    for more, says in (
        (("--from", run, "--set", "channels=16"), "leave out --set of their sizes"),
        (("--from", "identity"), "of the family identity: name one of rsgan"),
        (("--from", tmp_path), "There is no model in"),
        (
            ("--from", run, "--set", "spectral=true"),
            "There is no setting spectral any more: r1 holds the discriminators",
        ),
    ):
        refused = train(tmp_path / "other", "--steps", 3, *more)
        assert refused.code == 1
        assert refused.values["kind"] in ("CheckpointError", "SettingError")
        assert says in refused.err
        assert says in refused.values["error"]
    assert not (tmp_path / "other").exists()
