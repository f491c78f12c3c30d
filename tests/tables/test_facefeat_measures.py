"""What FaceFeat-GAN's measures are: by hand on made-up embeddings, and all of them on puppets and a network that has
learnt nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from masque.data.frames import FrameSet, load_frames
from masque.data.lfw import read_pairs
from masque.data.puppets import Pose, draw_puppet, render
from masque.data.templates import FaceInPicture, Split, split_people
from masque.errors import DataError
from masque.faces.detect import find_faces
from masque.tables import facefeat as module
from masque.tables.facefeat import (
    Benchmarks,
    PictureGenerator,
    diversity,
    draw_sheet,
    embedding_of_crop,
    evaluate_facefeat,
    lfw_scores,
    similarities,
    template_scores,
)
from masque.tables.facefeat_report import as_text
from masque.tables.features import Features


@pytest.fixture(scope="module")
def frames() -> FrameSet:
    return load_frames(["puppets:48"], 32, (), ("test",))


def extract(pictures: list[np.ndarray]) -> torch.Tensor:
    return torch.stack([torch.from_numpy(p).float().mean(dim=(0, 1)) for p in pictures])


def test_similarities_by_hand():
    real = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0], [1.0, 0.0]], dtype=np.float32)
    drawn = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], dtype=np.float32)
    found = similarities(real, drawn, np.array([4, 4, 5, -1]))
    half = np.sqrt(0.5)
    assert found == {"drawn": pytest.approx(2 / 4), "ceiling": pytest.approx(0.0), "floor": pytest.approx(half)}


def test_templates_by_hand():
    """Real embeddings name the person; drawn ones are all alike."""
    people = np.repeat(np.arange(6), 10)
    real, drawn = np.eye(6, dtype=np.float32)[people], np.full((60, 6), 1.0, np.float32)
    table = template_scores(real, drawn, split_people(people, splits=2))
    assert table["0"] == {
        **dict.fromkeys(("far_01", "far_001", "rank_1", "rank_5"), 1.0),
        **dict.fromkeys(("far_01_std", "far_001_std", "rank_1_std", "rank_5_std"), 0.0),
    }
    assert table["80"]["rank_1"] == 1.0  # one real picture of five still tells
    assert (table["100"]["rank_1"], table["100"]["far_01"]) == (0.0, 0.0)  # nobody is nearer than anybody
    # Of templates of two pictures a share of 50 % is one; the mean of [1,0] and [0,1] ties with both people.
    split = Split(
        (np.array([0, 1]), np.array([2, 3]), np.array([0, 1])),
        np.array([0, 1, 0]),
        np.array([[2, 0], [2, 1]]),
        np.array([0, 1]),
        np.array([2]),
    )
    a, b = (
        np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32),
        np.array([[0, 1], [0, 1], [1, 0], [1, 0]], np.float32),
    )
    assert [template_scores(a, b, [split])[share]["rank_1"] for share in ("0", "20", "50", "100")] == [
        1.0,
        1.0,
        0.0,
        1.0,
    ]


def test_diversity_is_the_variance_of_what_is_drawn(synthesizer, monkeypatch):
    def drawn(seeds, _name):
        noise = torch.randn(len(seeds), 5, generator=torch.Generator().manual_seed(int(seeds[0])))
        return 2 * noise, torch.ones(len(seeds), 15)

    monkeypatch.setattr(synthesizer.model, "sample_features", drawn)
    found = diversity(synthesizer)
    assert found["f_1"] == pytest.approx(4.0, rel=0.1)
    assert found["f_2"] == 0.0
    assert found["all"] == pytest.approx(found["f_1"] / 4)


@pytest.mark.parametrize("share", [1.0, 0.0])
def test_heads_that_turn_as_asked_and_heads_that_do_not(synthesizer, frames, monkeypatch, share):
    """Puppets, whose yaw is known, in place of what the network paints."""
    E_1 = synthesizer.model.E_1
    crops = [module.cut_crop(f, module.HAIR_CROP, 32, frames.scale) for f in frames.frames[:3]]

    def painted(_f_id, f_1, _f_2):
        yaw = share * float(E_1.yaw(f_1)[0])
        made = []
        for seed in (3, 4, 5):
            turned = render(replace(draw_puppet(seed), pose=Pose(yaw, 0.0, 0.0)), 0.5).picture
            made.append(module.cut_crop(turned, module.HAIR_CROP, 64, 0.5))
        return made

    monkeypatch.setattr(synthesizer, "pictures", painted)
    assert module.yaw_followed(synthesizer, crops) == pytest.approx(share, abs=0.25)


def test_what_is_drawn_depends_on_the_number_alone(synthesizer, frames):
    crops = [module.cut_crop(f, module.HAIR_CROP, 32, frames.scale) for f in frames.frames[:3]]
    together = PictureGenerator(synthesizer, 0, 1).generate(crops, 7)
    alone = PictureGenerator(synthesizer, 0, 1).generate(crops[1:2], 8)[0]
    assert np.abs(together[1].astype(int) - alone).max() <= 1
    assert (PictureGenerator(synthesizer, 1, 1).generate(crops, 7)[0] != together[0]).any()


def test_the_judge_knows_puppets_again_at_the_network_s_size(lfw_folder):
    pairs = read_pairs(lfw_folder)
    crops = {}
    for number, seen, _ in module.aligned_faces(pairs.pictures, 0.5, 1):
        crops[number] = module.cut_crop(seen.frame, module.HAIR_CROP, 64, 0.5)
    points = [embedding_of_crop(crops[i]) for i in range(len(crops))]
    apart = np.array([np.square(points[a] - points[b]).sum() for a, b in pairs.sides])
    assert apart[pairs.same].mean() < 0.7 * apart[~pairs.same].mean()


def test_all_of_it(synthesizer, frames, lfw_folder, puppet_files):
    pairs, told = read_pairs(lfw_folder), []
    faces = []
    for path in puppet_files[:3]:
        (face,) = find_faces(module.read_picture(path))
        faces.append(FaceInPicture(path, face.box))
    nowhere = FaceInPicture(puppet_files[3], (2, 2, 30, 30))
    split = Split(
        tuple(np.array([i]) for i in (0, 1, 2, 3)),
        np.array([0, 1, 0, 1]),
        np.array([[0, 1], [0, 2]]),
        np.array([0, 1]),
        np.array([2, 3]),
    )
    report = evaluate_facefeat(
        synthesizer,
        frames,
        Features(extract, "f"),
        Benchmarks(pairs, ([*faces, nowhere], [split])),
        workers=1,
        progress=lambda *at: told.append(at),
    )
    assert (report["pictures"], report["people"], report["size"]) == (8, 2, 32)
    s = report["similarity"]
    assert s["ceiling"] > s["floor"]
    assert s["centred"]["ceiling"] > s["centred"]["floor"]
    assert set(report["templates"]) == set(report["ijba"]) == {"0", "20", "50", "80", "100"}
    assert report["templates"]["0"]["rank_1"] == 1.0
    assert (report["lfw"]["pairs"], report["lfw"]["pictures"], report["lfw"]["centred"]) == (12, 12, 1)
    assert report["lfw"]["photos"]["accuracy"] > 0.9
    assert report["ffd"] > 0
    assert set(report["swd"]) == {"32", "16"}
    assert all(far > 0 for far in report["swd"].values())
    assert abs(report["yaw"]["followed"]) < 0.5  # of a network that has learnt nothing
    assert {what: (done, most) for done, most, what in told} == {
        "held-out people": (16, 16),
        "IJB-A": (8, 8),
        "LFW": (36, 36),
    }
    text = as_text(report)
    assert "LFW, as they are" in text
    assert "100 % drawn" in text
    few = evaluate_facefeat(synthesizer, frames, Features(extract, "f"), count=8, workers=1)
    assert "lfw" not in few
    assert few["diversity"] == report["diversity"]
    with pytest.raises(DataError, match="Two held-out people"):
        evaluate_facefeat(synthesizer, frames, Features(extract, "f"), count=4, workers=1)


@pytest.mark.slow
def test_generated_lfw_is_judged_by_what_was_drawn(synthesizer, lfw_folder, monkeypatch):
    """A painter that paints what it was shown is as good as the real pictures."""
    shown = []
    monkeypatch.setattr(PictureGenerator, "generate", lambda _self, crops, _first: shown.extend(crops) or list(crops))
    scores = lfw_scores(PictureGenerator(synthesizer, 0, 1), read_pairs(lfw_folder))
    assert len(shown) == 12
    assert scores["generated"] == scores["real"]


def test_the_sheet_has_a_row_for_each_person(synthesizer, frames):
    sheet = draw_sheet(synthesizer, frames)
    assert sheet.shape == (2 * 32 + 2, 7 * 32 + 6 * 2, 3)
    assert (sheet != draw_sheet(synthesizer, frames, seed=1)).any()
