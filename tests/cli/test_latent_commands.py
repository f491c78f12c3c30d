"""The commands on latents, on an untrained generator: what they write, what they say, and how they fail."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
import torch
from command_line import masque

from masque import modelfile, runs
from masque.config import as_dict
from masque.data.puppets import draw_puppet, render
from masque.edits import invert
from masque.edits.latents import read_latent
from masque.film import write_film
from masque.image import read_picture, write_picture
from masque.models.progan import SERVED
from masque.provenance import verify


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "progan"
    plan = runs.plan("progan", "tiny")
    nets = runs.build_recipe(plan).nets
    weights = torch.nn.ModuleDict({name: nets[name] for name in SERVED}).state_dict()
    modelfile.write(folder, "progan", as_dict(plan.model), weights, "# tiny, untrained\n")
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("photos")
    return [write_picture(folder / f"{seed}.png", render(draw_puppet(seed), 1.5).picture) for seed in (3, 8)]


def test_faces_are_drawn(generator, tmp_path):
    out = tmp_path / "sheet.png"
    outcome = masque(
        "sample", "--model", generator, "--count", 4, "--seed", 2, "--truncation", 0.8, "-o", out, "--json"
    )
    assert outcome.code == 0, outcome.err
    assert read_picture(out).shape == (34, 34, 3)
    record = verify(out).record
    assert (record["edit"], record["count"], record["seed"], record["truncation"]) == ("sample", 4, 2, 0.8)


def test_a_photos_latent_its_picture_and_the_film_of_the_search(generator, photos, tmp_path):
    out, picture, film = tmp_path / "a.safetensors", tmp_path / "a.png", tmp_path / "steps.gif"
    options = ("--model", generator, "--method", "refine", "--iterations", 20, "--detail-iterations", 5)
    outcome = masque("invert", photos[0], "-o", out, "--picture", picture, "--film", film, "--json", *options)
    assert outcome.code == 0, outcome.err
    answer = json.loads(outcome.out)
    assert (answer["iterations"], answer["method"], answer["interrupted"]) == (20 + 5 + 3 * 5, "refine", False)
    assert answer["mse"] > 0
    assert read_latent(out).name == "3.png"
    assert read_picture(picture).shape == (16, 16, 3)
    assert verify(film).record["edit"] == verify(picture).record["edit"] == "invert"
    again = masque("combine", out, out, "--weight", 0, "-o", tmp_path / "same.png", "--model", generator)
    assert again.code == 0, again.err
    assert (read_picture(tmp_path / "same.png") == read_picture(picture)).all()


def test_photos_folders_and_latents_combine(generator, photos, tmp_path):
    options = ("--model", generator, "--method", "encoder")
    out = tmp_path / "out.png"
    outcome = masque("combine", *photos, "--weight", 0.25, "-o", out, *options)
    assert outcome.code == 0, outcome.err
    assert "0.75*a + 0.25*b" in outcome.out
    three = masque("combine", *photos, photos[0], "--weights", "0.2,0.3,0.5", "-o", out, "--json", *options)
    assert three.values["formula"] == "0.2*a + 0.3*b + 0.5*c"
    for weights, says in (("0.2,0.3", "one for each of the 3 faces"), ("0.2,0.3,0.9", "sum to 1")):
        assert says in masque("combine", *photos, photos[0], "--weights", weights, "-o", out, *options).sentence
    wrong = masque("combine", *photos, "--weights", "half,half", "-o", out, *options)
    assert wrong.code == 2
    assert "numbers with commas between" in wrong.err
    both = masque(
        "combine", photos[0].parent, photos[0], photos[1], "--formula", "2*a - b - c + a", "-o", out, *options, "--json"
    )
    assert both.code == 0, both.err
    assert json.loads(both.out)["faces"] == [photos[0].parent.name, "3.png", "8.png"]


@pytest.mark.parametrize("path", ["spherical", "linear", "warp"])
def test_a_morph_is_a_film(generator, photos, tmp_path, path):
    out = tmp_path / "morph.mp4"
    outcome = masque(
        "morph",
        *photos,
        "--frames",
        6,
        "--seconds",
        1,
        "-o",
        out,
        "--path",
        path,
        "--loop",
        "--model",
        generator,
        "--method",
        "encoder",
        "--json",
    )
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["frames"] == 6
    verdict = verify(out)
    assert (verdict.record["edit"], verdict.record["path"], verdict.record["faces"]) == (
        "morph",
        path,
        ["3.png", "8.png"],
    )
    assert verdict.source_type.endswith("compositeWithTrainedAlgorithmicMedia")
    said = masque("verify", out)
    assert said.code == 0
    assert "Made by Masque (morph with" in said.out
    assert "not checked in a film" in said.out
    import av

    with av.open(str(out)) as film:
        assert sum(1 for _ in film.decode(video=0)) == 6


def test_a_morph_as_a_sheet_and_films_of_others(generator, photos, tmp_path):
    sheet = tmp_path / "sheet.png"
    command = ("morph", *photos, "--frames", 5, "-o", sheet, "--model", generator, "--method", "encoder")
    assert masque(*command, "--detail", "network").code == 0
    assert read_picture(sheet).shape == (2 * 16 + 2, 3 * 16 + 4, 3)
    assert masque(*command, "--size", 64).code == 0
    assert read_picture(sheet).shape == (2 * 64 + 2, 3 * 64 + 4, 3)
    assert verify(sheet).record["detail"] == "keep"
    assert verify(sheet).unchanged
    write_film(tmp_path / "other.mp4", iter([read_picture(sheet)] * 2), 2, 1.0)
    write_film(tmp_path / "other.gif", iter([read_picture(sheet)] * 2), 2, 1.0)
    assert verify(tmp_path / "other.mp4").record is verify(tmp_path / "other.gif").record is None
    (tmp_path / "words.mp4").write_text("words")
    bad = masque("verify", tmp_path / "words.mp4")
    assert (bad.code, bad.err.count("\n")) == (1, 1)
    assert "neither a picture nor a film" in bad.err


def test_stopping_a_search_keeps_the_best_so_far(generator, photos, tmp_path, monkeypatch):
    out, steps, plain = tmp_path / "a.safetensors", [], invert.clip_components

    def clipped(*arguments: object) -> torch.Tensor:
        steps.append(1)
        if len(steps) == 5:
            signal.raise_signal(signal.SIGINT)  # Ctrl-C in the middle of the fifth step
        return plain(*arguments)

    monkeypatch.setattr(invert, "clip_components", clipped)
    said = masque(
        "invert", photos[0], "-o", out, "--model", generator, "--method", "lipton", "--iterations", 10**6, "--json"
    )
    assert said.code == 0, said.err
    assert said.values["interrupted"]
    assert len(steps) == 5
    assert read_latent(out).z.shape == (16,)


def test_what_cannot_be_done_ends_in_one_sentence_and_writes_nothing(generator, photos, model_folder, tmp_path):
    wall = write_picture(tmp_path / "wall.png", read_picture(photos[0])[:60, :60])
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.iterdir())
    model = ("--model", generator, "--method", "encoder")
    out = ("-o", tmp_path / "out.png")
    cases = [
        (("combine", *photos, "--formula", "a - c", *out, *model), "names c, and there is no such photo"),
        (("combine", *photos, "--formula", "a -", *out, *model), "cannot be read"),
        (("combine", photos[0], *out, *model), "two faces are combined, not 1"),
        (("combine", photos[0], tmp_path / "empty", *out, *model), "There is no picture in "),
        (("combine", photos[0], wall, *out, *model), "No face was found"),
        (("combine", photos[0], tmp_path / "no.safetensors", *out, *model), "holds no latent"),
        (("morph", *photos, "--frames", 0, "-o", tmp_path / "m.mp4", *model), "frames"),
        (("morph", photos[0], "-o", tmp_path / "m.mp4", *model), "two faces at least"),
        (("morph", *photos, "-o", tmp_path / "m.avi", *model), ".mp4"),
        (("invert", wall, "-o", tmp_path / "w.safetensors", *model), "No face was found"),
        (("invert", photos[0], "-o", tmp_path / "w.png", *model), "end it in .safetensors"),
        (("invert", photos[0], "-o", tmp_path / "w.safetensors", "--model", model_folder), "cannot invert"),
        (("sample", "--model", model_folder, *out), "cannot sample"),
    ]
    for arguments, sentence in cases:
        outcome = masque(*arguments)
        assert outcome.code == 1, arguments
        assert sentence in outcome.err
        assert outcome.err.count("\n") == 1
        assert sorted(tmp_path.iterdir()) == before


def test_a_combination_that_no_faces_allow_is_refused_before_they_are_sought(photos, tmp_path, monkeypatch):
    def load(*_: str) -> None:
        raise AssertionError("a model was loaded for nothing")

    monkeypatch.setattr("masque.load", load)
    for more, says in (
        (("--formula", "a*1e400 + b"), "too large"),
        (("--formula", "a - c"), "no such photo"),
        (("--formula", "a +"), "cannot be read"),
        (("--formula", "1 + 2"), "names no photo"),
        (("--weight", "1.5"), "outside [0, 1]"),
        (("--weight", "nan"), "finite"),
    ):
        assert says in masque("combine", *photos, *more, "-o", tmp_path / "out.png").sentence
    assert "not 3" in masque("combine", *photos, photos[0], "-o", tmp_path / "out.png").sentence
    assert list(tmp_path.iterdir()) == []


def test_a_morph_without_a_network_takes_no_device(tmp_path: Path) -> None:
    refused = masque("morph", "a.png", "b.png", "--path", "warp", "--device", "cpu", "--out", tmp_path / "morph.gif")
    assert refused.code == 2
    assert "takes no --device" in refused.err
    for option in (("--size", 64), ("--detail", "network")):
        refused = masque("morph", "a.png", "b.png", "--path", "warp", *option, "--out", tmp_path / "morph.gif")
        assert refused.code == 2
        assert "takes no --size and no --detail" in refused.err


@pytest.mark.parametrize(
    ("given", "steps"),
    [
        ((), (40, 0)),
        (("--iterations", 3, "--detail-iterations", 2), (3, 2)),
        (("--method", "refine"), (400, 0)),
        (("--detail", "network"), (150, 450)),
        (("--formula", "2*a - b"), (150, 450)),
        (("--formula", "a + 2*b"), (40, 0)),
    ],
)
def test_of_what_is_shown_coarsely_no_detail_is_sought(generator, photos, tmp_path, monkeypatch, given, steps):
    asked = []

    def search(_session: object, _subjects: object, options: invert.Options, _watch: object) -> None:
        asked.append((options.steps, options.detail_steps))
        raise KeyboardInterrupt

    monkeypatch.setattr("masque.edits.latents.LatentSession.search", search)
    for command in ("combine", "morph") if "--formula" not in given else ("combine",):
        out = tmp_path / ("out.png" if command == "combine" else "out.mp4")
        assert masque(command, *photos, "-o", out, "--model", generator, *given).code == 130
    assert set(asked) == {steps}
