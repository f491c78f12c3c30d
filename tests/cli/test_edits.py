"""The commands that edit, from photo to photo, on the two public-domain portraits and an untrained network."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from command_line import masque
from PIL import Image

from masque import catalog
from masque.edits.invert import Options
from masque.edits.loaded import Swapper
from masque.faces.detect import SURE_FROM, Face, face_at, find_faces
from masque.image import Picture, read_picture, write_picture

MADE_BY_AI = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"


@pytest.fixture(scope="module")
def portraits(tmp_path_factory: pytest.TempPathFactory, photos: dict[str, Picture]) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("portraits")
    first, second = (write_picture(folder / f"{name}.png", photo) for name, photo in photos.items())
    return first, second


@pytest.fixture(scope="module")
def couple(tmp_path_factory: pytest.TempPathFactory, photos: dict[str, Picture]) -> Path:
    """Both portraits side by side."""
    left, right = photos.values()
    height = max(len(left), len(right))
    padded = [np.pad(photo, ((0, height - len(photo)), (0, 0), (0, 0)), mode="edge") for photo in (left, right)]
    return write_picture(tmp_path_factory.mktemp("couple") / "couple.png", np.hstack(padded))


def verified(path: Path) -> dict[str, object]:
    """The record of a file, as `masque verify` reads it back unchanged."""
    values = masque("verify", path, "--json").values
    assert values["unchanged"] is True
    assert values["source_type"] == MADE_BY_AI
    record = values["record"]
    assert isinstance(record, dict)
    return record


def test_swap_gives_the_whole_second_photo_back(
    portraits: tuple[Path, Path], model_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    outcome = masque("swap", *portraits, "-o", out, "--model", model_folder, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    before, after = read_picture(portraits[1]), read_picture(out)
    assert after.shape == before.shape
    assert not np.array_equal(before, after)
    assert np.array_equal(before[450:], after[450:])
    record = verified(out)
    assert outcome.values == {"out": str(out), **record}
    assert (record["edit"], record["stitch"]) == ("swap", "gradient")
    assert {key: value["photo"] for key, value in record["inputs"].items()} == {
        "face": "astronaut.png",
        "hair": "grace_hopper.png",
    }
    assert record["identity_distance"].keys() == {"face", "hair"}


def test_swap_and_edit_in_one_pass_into_lossy_formats(
    puppet_files: list[Path], model_folder: Path, tmp_path: Path
) -> None:
    plain, male = tmp_path / "plain.jpg", tmp_path / "male.webp"
    options = ("--model", model_folder, "--stitch", "none")
    assert masque("swap", *puppet_files[:2], "-o", plain, *options).code == 0
    assert masque("swap", *puppet_files[:2], "-o", male, *options, "--set", "Male=1", "--set", "Young=0").code == 0
    assert verified(plain)["attributes"] == {}
    assert verified(male)["attributes"] == {"Male": 1.0, "Young": 0.0}
    assert read_picture(plain).shape == read_picture(male).shape == read_picture(puppet_files[1]).shape


@pytest.mark.parametrize(("region", "detail"), [("face", "keep"), ("hair", "network"), ("both", "keep")])
def test_edit(puppet_files: list[Path], model_folder: Path, tmp_path: Path, region: str, detail: str) -> None:
    out = tmp_path / "out.png"
    options = (
        "--set",
        "Smiling=1",
        "--set",
        "Blond_Hair=0.8",
        "--region",
        region,
        "--detail",
        detail,
        "-o",
        out,
        "--model",
        model_folder,
    )
    outcome = masque("edit", puppet_files[0], *options)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"Wrote {out}.")
    assert read_picture(out).shape == read_picture(puppet_files[0]).shape
    record = verified(out)
    assert (record["edit"], record["region"], record["detail"]) == ("edit", region, detail)
    assert record["attributes"] == {"Smiling": 1.0, "Blond_Hair": 0.8}


def test_random(puppet_files: list[Path], model_folder: Path, tmp_path: Path) -> None:
    sheets = []
    for name, seed in (("a", 1), ("again", 1), ("other", 2)):
        out = tmp_path / f"{name}.png"
        outcome = masque(
            "random",
            puppet_files[0],
            "--part",
            "face",
            "--count",
            5,
            "--seed",
            seed,
            "-o",
            out,
            "--model",
            model_folder,
        )
        assert outcome.code == 0
        sheets.append(read_picture(out))
    assert sheets[0].shape == (2 * 258 - 2, 5 * 258 - 2, 3)
    assert np.array_equal(sheets[0], sheets[1])
    assert not np.array_equal(sheets[0], sheets[2])
    assert verified(tmp_path / "other.png")["seed"] == 2


def test_blend_into_its_usual_file(
    puppet_files: list[Path], model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ("--part", "hair", "--steps", 3, "--size", 128, "--model", model_folder, "--json")
    outcome = masque("blend", *puppet_files[:2], *options)
    assert (outcome.values["steps"], outcome.values["out"]) == (3, "strip.png")
    out = tmp_path / "strip.png"
    strip = read_picture(out)
    assert strip.shape == (128, 3 * 130 - 2, 3)
    assert not np.array_equal(strip[:, :128], strip[:, -128:])
    assert (verified(out)["part"], verified(out)["detail"]) == ("hair", "keep")
    outcome = masque("blend", *puppet_files[:2], "--steps", 3, "--detail", "network", "--model", model_folder)
    assert (outcome.code, read_picture(out).shape) == (0, (256, 3 * 258 - 2, 3))


def test_an_output_may_overwrite_its_input(puppet_files: list[Path], model_folder: Path, tmp_path: Path) -> None:
    photo = write_picture(tmp_path / "photo.png", read_picture(puppet_files[0]))
    command = ("edit", photo, "--set", "Male=1", "-o", photo, "--model", model_folder)
    assert "--overwrite" in masque(*command).sentence
    assert masque(*command, "--overwrite").code == 0
    assert verified(photo)["edit"] == "edit"
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]


def test_faces_lists_both_people(couple: Path) -> None:
    values = masque("faces", couple, "--json").values
    people = [face for face in values["faces"] if face["score"] > 1]
    assert [face["number"] for face in values["faces"]] == list(range(1, len(values["faces"]) + 1))
    assert len(people) == 2
    assert sorted(face["left"] > 512 for face in people) == [False, True]
    assert all(face["usable"] for face in people)
    text = masque("faces", couple).out
    assert len(text.splitlines()) == len(values["faces"])
    assert text.count("taken unless another is picked") == 1


def test_faces_and_every_edit_take_the_same_face(
    photos: dict[str, Picture], session: Swapper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small face that the detector is sure of, and a large find that it is not sure of."""
    photo = photos["astronaut"]
    sure = find_faces(photo)[0]
    found = [sure, Face((20, 20, 2 * sure.size, 2 * sure.size), SURE_FROM - 0.01, 2 * sure.landmarks)]
    users = ("faces.detect", "edits.subject", "data.prepare", "data.lfw", "tables.attributes", "tables.facefeat")
    # All are imported before the first is changed: one that is imported later would keep the changed function for good.
    for module in [import_module(f"masque.{user}") for user in users]:
        monkeypatch.setattr(module, "find_faces", lambda _photo: found)
    path = write_picture(tmp_path / "two.png", photo)
    rows = masque("faces", path, "--json").values["faces"]
    assert [row["taken"] for row in rows] == [True, False]
    assert [("taken" in line) for line in masque("faces", path).out.splitlines()] == [True, False]
    assert session.subject(path).face is sure
    assert session.edit(path, {"Male": 1}).record["inputs"]["photo"]["face"] == list(sure.box)
    assert face_at(found, *map(float, sure.landmarks[30])) is sure


def test_of_two_equal_faces_one_is_taken(photos: dict[str, Picture], tmp_path: Path) -> None:
    twins = write_picture(tmp_path / "twins.png", np.hstack([photos["astronaut"]] * 2))
    lines = masque("faces", twins).out.splitlines()
    assert len(lines) >= 2
    assert sum("taken unless another is picked" in line for line in lines) == 1


@pytest.mark.parametrize("number", [1, 2])
def test_pick_takes_the_face_of_that_number(couple: Path, model_folder: Path, tmp_path: Path, number: int) -> None:
    face = masque("faces", couple, "--json").values["faces"][number - 1]
    out = tmp_path / "out.png"
    masque(
        "edit", couple, "--set", "Male=1", "--detail", "network", "--pick", number, "-o", out, "--model", model_folder
    )
    record = verified(out)
    assert record["inputs"]["photo"]["face"] == [face[key] for key in ("left", "top", "width", "height")]
    changed = (read_picture(couple) != read_picture(out)).any(axis=2)
    there, elsewhere = (
        (changed[:, 512:], changed[:, :512]) if face["left"] >= 512 else (changed[:, :512], changed[:, 512:])
    )
    assert there.any()
    assert elsewhere.sum() < 0.01 * there.sum()


def test_verify_says_when_pixels_were_changed_after_masque(
    puppet_files: list[Path], model_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    masque("edit", puppet_files[0], "--set", "Male=1", "-o", out, "--model", model_folder)
    said = masque("verify", out)
    assert said.code == 0
    assert "Made by Masque (edit with rsgan); its pixels are as Masque wrote them." in said.out
    assert json.loads(said.out.split("\n", 1)[1]) == verified(out)
    with Image.open(out) as written:
        pixels, xmp = np.array(written), written.info["xmp"]
    pixels[0, 0] ^= 255
    write_picture(out, pixels, xmp=xmp)
    changed = masque("verify", out)
    assert changed.code == 0
    assert "changed since Masque wrote them" in changed.out


@pytest.mark.slow
def test_demo_makes_a_page_and_says_where(model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # With all its steps the search for two latents takes minutes; that it finds them is tested where it stands.
    monkeypatch.setattr(Options, "steps", 1)
    monkeypatch.setattr(Options, "detail_steps", 1)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "broken.jpg").write_text("words")
    outcome = masque("demo", "--folder", tmp_path, "--model", model_folder)
    assert outcome.code == 0
    assert outcome.out == f"The pictures are in {tmp_path / 'index.html'}\n"
    assert outcome.err.startswith("Left out: ")
    assert outcome.err.count("\n") == 1
    assert "broken.jpg" in outcome.err
    for name in (
        "swap-astronaut-on-grace_hopper.jpg",
        "grace_hopper-smile.jpg",
        "astronaut-blond.jpg",
        "astronaut-hair.jpg",
    ):
        assert verified(tmp_path / "out" / name)["model"] == "rsgan"
    assert "swap-astronaut-on-grace_hopper.jpg" in (tmp_path / "index.html").read_text()


def test_swap_by_warping_needs_no_weights(puppet_files: list[Path], tmp_path: Path) -> None:
    outcome = masque("swap", puppet_files[0], puppet_files[1], "--method", "warp", "-o", tmp_path / "out.png")
    assert outcome.code == 0, outcome.err
    assert verified(tmp_path / "out.png")["model"] == "warp"
    refused = masque(
        "swap", puppet_files[0], puppet_files[1], "--method", "warp", "--set", "Male=1", "-o", tmp_path / "other.png"
    )
    assert refused.code == 2
    assert "takes no --set" in refused.err
    assert not (tmp_path / "other.png").exists()


def test_without_weights_swap_warps_and_says_so(
    puppet_files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "SHIPPED", tmp_path / "none")
    outcome = masque("swap", puppet_files[0], puppet_files[1], "-o", tmp_path / "out.png")
    assert outcome.code == 0, outcome.err
    assert "No weights of parser and expression" in outcome.out
    assert "--method warp" in outcome.out
    assert verified(tmp_path / "out.png")["model"] == "warp"
    for asked, family in (
        ("--method=network", "rsgan"),
        ("--set=Male=1", "expression"),
        ("--method=own", "expression"),
    ):
        refused = masque("swap", puppet_files[0], puppet_files[1], asked, "-o", tmp_path / "other.png")
        assert refused.code == 1
        assert f"masque train {family}" in refused.err
        assert not (tmp_path / "other.png").exists()
