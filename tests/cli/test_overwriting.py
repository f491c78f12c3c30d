"""What a command replaces: what is still as Masque wrote it, what it is told to, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import masque
from PIL import Image

from masque import modelfile
from masque.cli.overwriting import as_written, check_replaceable
from masque.edits.latents import Latent
from masque.edits.result import Result
from masque.errors import OutputError
from masque.faces.labels import write_labels
from masque.film import write_film
from masque.image import write_picture
from masque.provenance import note, verify, write_copy
from masque.tables.written import keep_report, write_listed, write_table

RECORD = {"edit": "swap", "model": "rsgan"}
PICTURE = np.full((16, 16, 3), 90, np.uint8)


def picture(path: Path) -> Path:
    return Result(PICTURE, RECORD).save(path)


def film(path: Path) -> Path:
    write_film(path, [PICTURE, PICTURE + 9], 2, 1.0, note=note(RECORD))
    return path


def report(path: Path) -> Path:
    keep_report(path, {"pairs": 3, "error": float("nan"), "rows": {1: [1.5, None]}})
    return path


def latent(path: Path) -> Path:
    return Latent(torch.zeros(4), "a.png", "0123", False).save(path)


def label_map(path: Path) -> Path:
    return write_labels(path, np.ones((16, 16), np.uint8), RECORD)


def model(path: Path) -> Path:
    modelfile.write(path, "rsgan", {"size": 16}, {"x": torch.zeros(1)}, "# card\n")
    return path


def page(path: Path) -> Path:
    path.write_text("<!doctype html><html lang=en><meta charset=utf-8><title>Masque</title><h1>Masque</h1></html>")
    return path


OURS: dict[str, Callable[[Path], Path]] = {
    "a.png": picture,
    "a.jpg": picture,
    "a.webp": picture,
    "copy.png": lambda path: write_copy(path, PICTURE),
    "copy.jpg": lambda path: write_copy(path, PICTURE),
    "copy.webp": lambda path: write_copy(path, PICTURE),
    "a.gif": film,
    "a.mp4": film,
    "a.json": report,
    "a.safetensors": latent,
    "labels.png": label_map,
    "model": model,
    "described": model,
    "index.html": page,
}


@pytest.mark.parametrize("name", OURS)
def test_what_masque_wrote_may_be_replaced(tmp_path: Path, name: str) -> None:
    path = OURS[name](tmp_path / name)
    assert as_written(path)
    check_replaceable(None, path)
    check_replaceable(True, path)
    with pytest.raises(OutputError, match="--no-overwrite keeps"):
        check_replaceable(False, path)


def painted(path: Path) -> None:
    with Image.open(path) as opened:
        pixels = np.asarray(opened).copy()
        palette, info = opened.getpalette(), dict(opened.info)
    pixels[3:9] = 2
    changed = Image.fromarray(pixels)
    if palette:
        changed.putpalette(palette)
    changed.save(path, **({"xmp": info["xmp"]} if "xmp" in info else {}))


def edited(path: Path) -> None:
    path.write_text(path.read_text().replace('"pairs": 3', '"pairs": 4'))


CHANGES = {
    "a.png": painted,
    "a.jpg": painted,
    "copy.png": painted,
    "copy.jpg": painted,
    "labels.png": painted,
    "a.json": edited,
    "a.safetensors": lambda path: path.write_bytes(b"\x10" + bytes(7) + b'{"a": {"b": 1}}  '),
    "index.html": lambda path: path.write_text("<title>My page</title>"),
    "model": lambda path: (path / "config.json").write_text("{}"),
    "described": lambda path: (path / "card.md").write_text("# what I know of it\n"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_changed_since_is_not_replaced(tmp_path: Path, name: str) -> None:
    path = OURS[name](tmp_path / name)
    CHANGES[name](path)
    assert not as_written(path)
    with pytest.raises(OutputError, match="give --overwrite"):
        check_replaceable(None, path)
    check_replaceable(True, path)


def test_a_copy_of_a_photo_claims_nothing(tmp_path: Path) -> None:
    verdict = verify(write_copy(tmp_path / "copy.jpg", PICTURE))
    assert (verdict.record, verdict.source_type) == (None, None)


FOREIGN = {
    "photo.jpg": b"\xff\xd8\xff\xe0 no picture",
    "empty.png": b"",
    "notes.json": b'{"pairs": 3}',
    "list.json": b"[1, 2]",
    "deep.json": b"[" * 100_000,
    "weights.safetensors": b"\xff" * 64,
    "index.html": b"<title>Mine</title>",
    "song.mp4": b"\0\0\0\x10ftypisom\0\0\2\0",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_anothers_is_not_replaced(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(FOREIGN[name])
    assert not as_written(path)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "thesis.txt").touch()
    assert not as_written(folder)


def test_what_is_not_there_is_written_and_a_link_is_followed(tmp_path: Path) -> None:
    write_picture(tmp_path / "photo.png", PICTURE)
    (tmp_path / "link.png").symlink_to("photo.png")
    (tmp_path / "nowhere.png").symlink_to("missing.png")
    for overwrite in (None, True, False):
        check_replaceable(overwrite, None, tmp_path / "new.png", tmp_path / "nowhere.png", tmp_path / ("x" * 300))
    with pytest.raises(OutputError, match=r"link\.png is there already"):
        check_replaceable(None, tmp_path / "link.png")


COMMANDS = [
    ("swap", "a.png", "b.png", "-o", "out.png"),
    ("edit", "a.png", "--set", "Male=1", "-o", "out.png"),
    ("random", "a.png", "-o", "out.png"),
    ("blend", "a.png", "b.png", "-o", "out.png"),
    ("heatmap", "a.png", "b.png", "-o", "out.png"),
    ("parse", "a.png", "-o", "out.png"),
    ("parse", "a.png", "-o", "labels.png", "--overlay", "out.png"),
    ("repaint", "a.png", "--shape-from", "b.png", "-o", "out.png"),
    ("transfer", "a.png", "--style-from", "b.png", "-o", "out.png"),
    ("faces-for", "a.png", "--styles", ".", "-o", "out.png"),
    ("sample", "-o", "out.png"),
    ("invert", "a.png", "-o", "out.safetensors"),
    ("invert", "a.png", "--picture", "out.png"),
    ("invert", "a.png", "--film", "out.png"),
    ("combine", "a.png", "b.png", "-o", "out.png"),
    ("morph", "a.png", "b.png", "-o", "out.mp4"),
    ("synthesize", "a.png", "-o", "out.png"),
    ("frontalize", "a.png", "-o", "out.png"),
    ("mix-identity", "a.png", "b.png", "-o", "out.png"),
    ("sheet", "rsgan", "--data", "puppets:2", "-o", "out.png"),
    ("evaluate", "ccagan", "--data", "puppets:2", "--picture", "out.png"),
    ("evaluate", "rsgan", "--data", "puppets:2", "--report", "out.json"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_looks_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """No model is loaded and no photo read; with --overwrite, both are about to be."""

    class BeganError(Exception):
        pass

    def begin(*_: object, **__: object) -> None:
        raise BeganError

    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png"):
        write_picture(name, PICTURE)
    out = Path(command[-1])
    out.write_bytes(b"mine")
    for place in (
        "masque.load",
        "masque.edits.heatmap.heatmap",
        "masque.cli.evaluate.family_of",
        "masque.tables.sheets.draw",
    ):
        monkeypatch.setattr(place, begin)
    monkeypatch.setattr("masque.faces.labels.read_labels", begin)
    assert "give --overwrite" in masque(*command).sentence
    assert "--no-overwrite keeps" in masque(*command, "--no-overwrite").sentence
    assert out.read_bytes() == b"mine"
    with pytest.raises(BeganError):
        masque(*command, "--overwrite")


def test_a_file_that_appears_during_the_work_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = write_picture(tmp_path / "a.png", np.zeros((64, 64, 3), np.uint8))

    def slow(*_: object) -> tuple[np.ndarray, dict[str, float]]:
        (tmp_path / "heat.png").write_bytes(b"mine")
        return PICTURE, {"visibly_changed_percent": 0.0, "mean": 0.0, "largest": 0.0}

    monkeypatch.setattr("masque.edits.heatmap.heatmap", slow)
    assert "give --overwrite" in masque("heatmap", photo, photo, "-o", tmp_path / "heat.png").sentence
    assert (tmp_path / "heat.png").read_bytes() == b"mine"


def test_the_same_command_again_replaces_its_own_result(tmp_path: Path) -> None:
    photo = write_picture(tmp_path / "a.png", np.zeros((64, 64, 3), np.uint8))
    out = tmp_path / "heat.png"
    for _ in range(2):
        assert masque("heatmap", photo, photo, "-o", out).code == 0
    painted(out)
    assert "give --overwrite" in masque("heatmap", photo, photo, "-o", out).sentence
    assert masque("heatmap", photo, photo, "-o", out, "--overwrite").code == 0
    assert (
        json.loads(masque("heatmap", photo, photo, "-o", out, "--no-overwrite", "--json").out)["kind"] == "OutputError"
    )


@pytest.mark.parametrize("name", ["table.md", "tables.md"])
def test_a_folder_with_a_table_of_somebody_elses(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    command = ("table", "rsgan") if name == "table.md" else ("tables",)
    command = (*command, "--data", "puppets:8", "-o", str(tmp_path))
    assert f"{name} is there already and is not as Masque wrote it" in masque(*command).sentence
    assert "--no-overwrite keeps" in masque(*command, "--no-overwrite").sentence
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


@pytest.mark.parametrize(
    ("family", "name"),
    [("rsgan", "swaps.png"), ("rsgan", "ali.json"), ("facefeat", "whole.png"), ("progan", "table.json")],
)
def test_a_table_looks_at_every_file_that_it_writes(tmp_path: Path, family: str, name: str) -> None:
    (tmp_path / name).write_text("mine")
    assert name in masque("table", family, "--data", "puppets:8", "-o", tmp_path).sentence
    (tmp_path / family).mkdir()
    (tmp_path / name).rename(tmp_path / family / name)
    assert name in masque("tables", "--data", "puppets:8", "-o", tmp_path).sentence


def test_a_table_is_replaced_until_somebody_writes_into_it(tmp_path: Path) -> None:
    write_table(tmp_path, {"row": {"error": 0.5}}, "| row | 0.5 |\n")
    write_listed(tmp_path / "tables.md", "# rsgan\n")
    names = ("checksums.json", "table.json", "table.md", "tables.md")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    check_replaceable(None, *(tmp_path / name for name in names))
    with (tmp_path / "table.md").open("a") as opened:
        opened.write("Our best row.\n")
    assert [name for name in names if not as_written(tmp_path / name)] == ["table.md"]
    write_table(tmp_path, {"row": {"error": 0.4}}, "| row | 0.4 |\n")
    (tmp_path / "checksums.json").write_text("{}")
    assert not any(as_written(tmp_path / name) for name in names)
