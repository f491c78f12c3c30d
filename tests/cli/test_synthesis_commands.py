"""The commands around FaceFeat-GAN, on puppets and a tiny network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import masque

from masque.image import read_picture


@pytest.fixture(scope="module")
def facefeat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "facefeat"
    command = (
        "train",
        "facefeat",
        "--data",
        "puppets:24",
        "--out",
        run,
        "--preset",
        "tiny",
        "--steps",
        3,
        "--set",
        "warm=1",
        "--json",
    )
    assert masque(*command).values["finished"] is True
    return run


def test_new_pictures_of_a_person(facefeat: Path, puppet_files: list[Path], tmp_path: Path) -> None:
    a, b = puppet_files[1], puppet_files[2]
    for number, (shape, command) in enumerate(
        (
            ((66, 66), ("synthesize", a, "--count", 4, "--detail", "network")),
            ((32, 100), ("synthesize", a, "--pose-from", "-40..40", "--steps", 3, "--detail", "network")),
            ((32, 32), ("synthesize", a, "--expression-from", b, "--light-from", b, "--detail", "network")),
            ((32, 32), ("frontalize", a, "--detail", "network")),
            ((32, 32), ("turn", a, "--yaw", -50)),
            ((32, 134), ("mix-identity", a, b, "--steps", 4, "--detail", "network")),
            ((64, 196), ("mix-identity", a, b, "--steps", 3, "--size", 64)),
        )
    ):
        out = tmp_path / f"{number}.png"
        outcome = masque(*command, "--model", facefeat, "-o", out)
        assert outcome.code == 0, outcome.err
        assert read_picture(out).shape[:2] == shape
        assert masque("verify", out, "--json").values["record"]["model"] == "facefeat"


def test_new_pictures_are_made_of_the_photos_own_pixels(
    facefeat: Path, puppet_files: list[Path], tmp_path: Path
) -> None:
    a, b, out = puppet_files[1], puppet_files[2], tmp_path / "out.png"
    for command, method, says in (
        (("--count", 2), "own", "Made of the photo's own pixels"),
        (("--pose-from", b), "own", "Made of the photo's own pixels"),
        (("--expression-from", b), "own", "Made of the photo's own pixels"),
        (("--pose-from", "-50..0", "--steps", 2), ["network", "own"], "number 1 is the network's"),
        (("--count", 2, "--detail", "network"), "network", "Painted by the network"),
    ):
        outcome = masque("synthesize", a, *command, "--model", facefeat, "-o", out)
        assert outcome.code == 0, outcome.err
        assert says in outcome.out
        assert masque("verify", out, "--json").values["record"]["method"] == method


def test_heads_turn_on_their_photos_own_pixels(facefeat: Path, puppet_files: list[Path], tmp_path: Path) -> None:
    a, out = puppet_files[1], tmp_path / "out.png"
    for command, says in (
        (("turn", a, "--yaw", 5), "The photo's own pixels were turned"),
        (("turn", a, "--pitch", -4), "The photo's own pixels were turned"),
        (("turn", a, "--yaw", 5, "--method", "network"), "It is the network's picture"),
        (("frontalize", a), "to 0 degrees"),
    ):
        outcome = masque(*command, "--model", facefeat, "-o", out)
        assert outcome.code == 0, outcome.err
        assert says in outcome.out
        own = "network" not in command
        assert (read_picture(out).shape == read_picture(a).shape) == own
        assert masque("verify", out, "--json").values["record"]["method"] == ("own" if own else "network")


def test_what_cannot_be_drawn_ends_in_one_sentence_and_writes_nothing(
    facefeat: Path, puppet_files: list[Path], model_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    for says, command in (
        (
            "is no way to turn a head, and no photo: write it as from..to",
            ("synthesize", puppet_files[1], "--pose-from", "left"),
        ),
        ("up to 60 degrees to either side", ("synthesize", puppet_files[1], "--pose-from", "-90..90")),
        ("so name less", ("turn", puppet_files[1], "--yaw", 61)),
        ("No turn was asked for", ("turn", puppet_files[1])),
        ("cannot frontalize: name a model of facefeat", ("frontalize", puppet_files[1], "--model", model_folder)),
    ):
        outcome = masque(*command, *(() if "--model" in command else ("--model", facefeat)), "-o", out)
        assert (outcome.code, outcome.err.strip().count("\n")) == (1, 0), outcome.err
        assert says in outcome.err
        assert not out.exists()


def test_identity_folders_are_enlarged(facefeat: Path, lfw_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "more"
    outcome = masque(
        "augment", lfw_folder, "--model", facefeat, "--per-picture", 2, "--out", out, "--workers", 1, "--json"
    )
    assert outcome.code == 0, outcome.err
    counts = {"people": 6, "photos": 12, "made": 22, "without": 1, "left_out": {"not a picture by its ending": 1}}
    assert outcome.values == {"out": str(out), **counts}
    assert sum(1 for _ in out.rglob("*.jpg")) == 12
    assert (
        masque("verify", out / "Puppet_0" / "Puppet_0_0001-new2.png", "--json").values["record"]["photo"]
        == "Puppet_0_0001.jpg"
    )
    again = masque("augment", lfw_folder, "--model", facefeat, "--out", out)
    assert (again.code, again.err.strip()) == (1, f"{out} exists already: choose a new folder.")
    nowhere = masque("augment", tmp_path / "none", "--model", facefeat, "--out", tmp_path / "other")
    assert (nowhere.code, nowhere.err.strip().count("\n")) == (1, 0)
    assert "There is no folder" in nowhere.err
    assert not (tmp_path / "other").exists()


@pytest.mark.slow
def test_pictures_are_timed_and_measured(
    facefeat: Path, lfw_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("masque.bench.swapping.WARM_UPS", 0)
    timed = masque(
        "bench", "synthesize", "--model", facefeat, "--side", 256, "--count", 2, "--turns", 1, "--json"
    ).values
    assert (timed["job"], set(timed["times"])) == ("synthesize", {"synthesize 2", "synthesize 2 by the network"})
    report, sheet = tmp_path / "report.json", tmp_path / "sheet.png"
    command = ("evaluate", facefeat, "--data", "puppets:48", "--workers", 1)
    outcome = masque(*command, "--lfw", lfw_folder, "--report", report, "--picture", sheet)
    assert outcome.code == 0, outcome.err
    assert {"lfw", "templates", "similarity", "diversity", "ffd", "turns", "drawn"} <= json.loads(
        report.read_text()
    ).keys()
    assert "LFW, drawn" in outcome.out
    assert read_picture(sheet).shape == (2 * 32 + 2, 7 * 32 + 6 * 2, 3)


def test_what_cannot_be_measured(facefeat: Path, lfw_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "lfw").mkdir()
    for says, command in (
        ("Two held-out people", ("evaluate", facefeat, "--data", "puppets:24")),
        (
            "There is no pairs.txt",
            ("evaluate", facefeat, "--data", "puppets:48", "--lfw", tmp_path / "lfw"),
        ),
        (
            "--few belongs to the table of progan",
            ("table", "facefeat", "--data", "puppets:48", "--out", tmp_path / "table", "--few", 2),
        ),
        (
            "--lfw belongs to the table of facefeat",
            ("table", "progan", "--data", "puppets:8", "--out", tmp_path / "table", "--lfw", lfw_folder),
        ),
    ):
        outcome = masque(*command)
        assert (outcome.code, outcome.err.strip().count("\n")) == (1, 0), outcome.err
        assert says in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["lfw"]
