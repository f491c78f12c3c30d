"""What goes wrong for users: each time exit code 1, one plain sentence that says what to do, and nothing written."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from command_line import masque

import masque as package
from masque import provenance
from masque.image import Picture, write_picture


@pytest.fixture(scope="module")
def photo(puppet_files: list[Path]) -> Path:
    return puppet_files[0]


@pytest.fixture
def out(tmp_path: Path) -> Iterator[Path]:
    """Where a picture would go; checks afterwards that nothing did."""
    (tmp_path / "out").mkdir()
    yield tmp_path / "out" / "out.png"
    assert list((tmp_path / "out").iterdir()) == []


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody may load a model before it is known that there is something to do."""

    def load(*_: str) -> None:
        raise AssertionError("the model was loaded before the arguments were looked at")

    monkeypatch.setattr(package, "load", load)


@pytest.mark.parametrize(
    ("assignment", "says"),
    [
        ("Smilling=1", "did you mean Smiling?"),
        ("blond_hair=1", "did you mean Blond_Hair?"),
        ("Hat=1", "nown are: Smiling, "),
        ("Smiling=1.5", "outside [0, 1]"),
        ("Smiling=-0.1", "outside [0, 1]"),
        ("Smiling=nan", "outside [0, 1]"),
        ("Smiling=inf", "outside [0, 1]"),
    ],
)
def test_attributes_that_the_model_does_not_take(
    photo: Path, out: Path, model_folder: Path, assignment: str, says: str
) -> None:
    assert says in masque("edit", photo, "--set", assignment, "-o", out, "--model", model_folder).sentence
    assert says in masque("swap", photo, photo, "--set", assignment, "-o", out, "--model", model_folder).sentence


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("assignment", ["Smiling", "=1", "Smiling=", "Smiling=much", "Smiling:1", ""])
def test_assignments_that_are_none(photo: Path, out: Path, assignment: str) -> None:
    assert "not of the form Name=value" in masque("edit", photo, "--set", assignment, "-o", out).sentence


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("assignment", ["hair=auburn", "AGE=+20"])
def test_a_name_in_another_case_is_said_to_be_near(photo: Path, out: Path, assignment: str) -> None:
    name = assignment.partition("=")[0].title()
    assert f"did you mean {name}?" in masque("edit", photo, "--set", assignment, "-o", out).sentence


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "command",
    [["swap", "a.png", "b.png"], ["edit", "a.png", "--set", "Male=1"], ["random", "a.png"], ["blend", "a", "b"]],
)
def test_places_where_no_picture_can_go(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "folder.png").mkdir()
    for name, says in (
        ("missing/out.png", "mkdir -p"),
        ("out.bmp", ".png, .jpg or .webp"),
        ("out", ".png"),
        ("folder.png", "is a folder"),
    ):
        assert says in masque(*command, "-o", tmp_path / name).sentence
    assert list(tmp_path.iterdir()) == [tmp_path / "folder.png"]


@pytest.mark.parametrize("position", [0, 1])
def test_photos_that_are_none(photo: Path, out: Path, model_folder: Path, tmp_path: Path, position: int) -> None:
    whole = photo.read_bytes()
    for name, content, says in (
        ("empty.jpg", b"", "0 bytes"),
        ("cut.png", whole[:9000], "cut short"),
        ("text.jpg", b"words " * 99, "not a picture"),
    ):
        (tmp_path / name).write_bytes(content)
        photos = [photo, photo]
        photos[position] = tmp_path / name
        sentence = masque("swap", *photos, "-o", out, "--model", model_folder).sentence
        assert says in sentence
        assert name in sentence
    assert (
        "no file"
        in masque("edit", tmp_path / "missing.jpg", "--set", "Male=1", "-o", out, "--model", model_folder).sentence
    )
    assert "is a folder" in masque("random", tmp_path, "-o", out, "--model", model_folder).sentence


@pytest.mark.parametrize("shape", [(200, 200), (1, 1), (1, 3000), (3000, 2)])
def test_no_face(out: Path, model_folder: Path, tmp_path: Path, shape: tuple[int, int]) -> None:
    wall = write_picture(tmp_path / "wall.png", np.full((*shape, 3), 90, np.uint8))
    assert "No face was found in wall.png" in masque("faces", wall).sentence
    assert (
        "No face was found in wall.png"
        in masque("edit", wall, "--set", "Male=1", "-o", out, "--model", model_folder).sentence
    )


def test_a_face_below_40_pixels(out: Path, model_folder: Path, tmp_path: Path, photos: dict[str, Picture]) -> None:
    small = cv2.resize(photos["astronaut"], None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    path = write_picture(tmp_path / "small.png", small)
    assert (
        "pixels wide and 40 are needed"
        in masque("edit", path, "--set", "Male=1", "-o", out, "--model", model_folder).sentence
    )
    outcome = masque("faces", path, "--json")
    assert "40 pixels wide" in outcome.sentence
    assert outcome.values["faces"]
    assert all(face["width"] < 40 and not face["usable"] for face in outcome.values["faces"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["edit", "--set", "Male=1", "--pick", 9], "no face number 9"),
        (["edit", "--set", "Male=1", "--pick", 0], "counted from 1"),
        (["random", "--count", 0], "from 1 to 64"),
        (["random", "--count", 65], "from 1 to 64"),
    ],
)
def test_numbers_outside_their_range(
    photo: Path, out: Path, model_folder: Path, arguments: list[object], says: str
) -> None:
    assert says in masque(*arguments, photo, "-o", out, "--model", model_folder).sentence


@pytest.mark.parametrize("steps", [1, 65])
def test_steps_outside_their_range(photo: Path, out: Path, model_folder: Path, steps: int) -> None:
    assert (
        "from 2 to 64" in masque("blend", photo, photo, "--steps", steps, "-o", out, "--model", model_folder).sentence
    )


@pytest.mark.parametrize(
    "damage", ["missing", "foreign", "newer", "damaged", "other family", "no weights", "other shape"]
)
def test_models_that_cannot_be_used(photo: Path, out: Path, model_folder: Path, tmp_path: Path, damage: str) -> None:
    folder = Path(shutil.copytree(model_folder, tmp_path / "model"))
    config = json.loads((folder / "config.json").read_text())
    if damage == "missing":
        folder = tmp_path / "nowhere"
    elif damage == "foreign":
        (folder / "config.json").write_text('{"architectures": ["UNet"]}')
    elif damage == "newer":
        (folder / "config.json").write_text(json.dumps({**config, "masque": 99}))
    elif damage == "damaged":
        (folder / "weights.safetensors").write_bytes((folder / "weights.safetensors").read_bytes()[:-100])
    elif damage == "other family":
        (folder / "config.json").write_text(json.dumps({**config, "family": "attributes"}))
    elif damage == "no weights":
        (folder / "weights.safetensors").unlink()
    else:
        (folder / "config.json").write_text(json.dumps({**config, "config": {**config["config"], "size": 64}}))
    says = {
        "missing": "no model",
        "foreign": "not written by Masque",
        "newer": "update Masque",
        "damaged": "is damaged",
        "other family": "cannot swap: name a model of rsgan",
        "no weights": "no model in",
        "other shape": "of another shape",
    }
    assert says[damage] in masque("swap", photo, photo, "-o", out, "--model", folder).sentence


def test_verify_of_what_has_no_record(photo: Path, tmp_path: Path) -> None:
    assert "no record of Masque" in masque("verify", photo).sentence
    (tmp_path / "words.png").write_text("words")
    assert "neither a picture" in masque("verify", tmp_path / "words.png", "--json").sentence
    kind = "<i:DigitalSourceType>http://a/b/digitalCapture</i:DigitalSourceType>"
    marked = f'<x xmlns:i="{provenance.NAMESPACES["Iptc4xmpExt"]}">{kind}</x>'
    other = write_picture(tmp_path / "other.png", np.zeros((8, 8, 3), np.uint8), xmp=marked.encode())
    assert "though it is marked as digitalCapture" in masque("verify", other).sentence


def test_a_demonstration_that_has_no_place(tmp_path: Path, model_folder: Path) -> None:
    (tmp_path / "file").write_text("mine")
    assert "is a file: name a folder" in masque("demo", "--folder", tmp_path / "file", "--model", model_folder).sentence
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (MemoryError(), "not enough memory"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full"),
        (OSError(errno.EROFS, "Read-only file system", "/mnt/run"), "/mnt/run: Read-only file system"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "quota of the disk is used up"),
    ],
)
def test_what_the_system_refuses_in_the_middle(
    photo: Path, out: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, says: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(package, "load", fail)
    assert says in masque("swap", photo, photo, "-o", out).sentence


def test_ctrl_c_is_130_and_a_sentence(photo: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(package, "load", interrupted)
    outcome = masque("swap", photo, photo, "-o", out)
    assert (outcome.code, outcome.out) == (130, "")
    assert outcome.err == "Stopped; whatever was finished is kept and nothing is half written.\n"


def test_names_and_letters_that_the_terminal_cannot_show(photo: Path, tmp_path: Path, model_folder: Path) -> None:
    assert r"\xd7" in masque("faces", photo, encoding="koi8-r").out
    latin = tmp_path / "caf\udce9"  # the byte E9, as Python hands on a name that is not UTF-8
    outcome = masque("export", model_folder, "-o", latin)
    assert outcome.code == 0
    assert r"caf\udce9" in outcome.out


@pytest.mark.usefixtures("impatient")
def test_values_that_no_attribute_has_are_refused_before_a_model_is_loaded(photo: Path, out: Path) -> None:
    assert "outside [0, 1]" in masque("edit", photo, "--set", "Smiling=-1", "-o", out).sentence
    assert "outside [0, 1]" in masque("swap", photo, photo, "--set", "Male=2", "-o", out).sentence
