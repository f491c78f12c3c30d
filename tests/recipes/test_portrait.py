"""The portrait recipe: terms by hand where they can be, what is paired, what each phase may move, and how the rate
falls."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from masque import modelfile
from masque.config import as_dict, with_values
from masque.errors import SettingError
from masque.faces.labels import grow
from masque.losses.adversarial import fake_loss, real_loss
from masque.losses.matching import feature_matching, half_square, perceptual_distance
from masque.models.parser import FaceParser, ParserConfig
from masque.models.portrait import PortraitConfig
from masque.recipes.portrait import PortraitRecipe, PortraitTraining, with_larger_eyes_and_mouth

TINY = {"size": 64, "channels": 4, "features": 8, "z": 16, "blocks": 1}


def recipe(model: dict[str, object] | None = None, **training: object) -> PortraitRecipe:
    torch.manual_seed(0)
    return PortraitRecipe(
        PortraitConfig(**{**TINY, **(model or {})}), with_values(PortraitTraining(parser_channels=4), training)
    )


@pytest.fixture
def batch() -> dict[str, torch.Tensor]:
    g = torch.Generator().manual_seed(1)
    labels = torch.ones(2, 64, 64, dtype=torch.int64)
    labels[:, :12], labels[:, 24:28, 16:24], labels[:, 24:28, 38:46], labels[:, 44:50, 22:42] = 10, 4, 5, 8
    labels[:, :, 60:] = 0
    return {
        "image": torch.rand(2, 3, 64, 64, generator=g) * 2 - 1,
        "labels": labels,
        "valid": torch.ones(2, 1, 64, 64),
        "seed": torch.arange(2),
    }


def phase(made: PortraitRecipe, name: str):
    return next(p for p in made.phases() if p.name == name)


def test_distances_by_hand():
    a, b = torch.zeros(1, 2, 2, 2), torch.full((1, 2, 2, 2), 2.0)
    assert float(half_square(a, b)) == 2.0
    assert float(half_square(a, b, torch.tensor([1.0, 0.0])[None, None, None])) == 1.0
    assert float(feature_matching([a, b], [b, b])) == 1.0
    assert float(perceptual_distance([a, b], [b, b])) == pytest.approx(0.5)


def test_paired_and_unpaired_batches_come_in_turn():
    names = [[p.name for p in recipe().phases() if p.due(step)] for step in range(4)]
    assert names == [["parse", "judge_paired", "paired"], ["parse", "judge_unpaired", "unpaired"]] * 2


def test_only_paired_batches_compare_with_the_picture(batch):
    made = recipe(perceptual=1.0)
    assert set(phase(made, "paired").loss(batch)) == {"local", "fool", "shape", "global", "match", "perceptual"}
    assert set(phase(made, "unpaired").loss(batch)) == {"local", "fool", "shape"}
    source, labels = made.source(batch, paired=False)
    assert torch.equal(source, batch["image"].flip(0))
    assert torch.equal(labels, batch["labels"].flip(0))
    assert made.source(batch, paired=True)[0] is batch["image"]


def test_weights_are_those_of_the_thesis():
    paired = phase(recipe(), "paired").weights
    assert {name: paired[name] for name in ("local", "global", "fool", "shape")} == {
        "local": 10.0,
        "global": 1.0,
        "fool": 1.0,
        "shape": 1.0,
    }
    assert "perceptual" not in paired
    assert set(phase(recipe(), "unpaired").weights) == {"local", "fool", "shape"}


def test_local_and_global_terms_by_hand(batch):
    made = recipe()
    terms = phase(made, "paired").loss(batch)
    with torch.no_grad():
        components = made.model.embed.cut(batch["image"], batch["labels"])
        latents = made.model.embed(components)
        rebuilt = made.model.embed.rebuild(latents)
        painted = made.model.paint(latents, batch["image"], batch["labels"])
    expected = sum(0.5 * float((a - b).square().mean()) for a, b in zip(rebuilt, components, strict=True))
    assert float(terms["local"].detach()) == pytest.approx(expected, rel=1e-5)
    assert float(terms["global"].detach()) == pytest.approx(
        0.5 * float((painted - batch["image"]).square().mean()), rel=1e-5
    )


def test_what_lies_beyond_the_photo_does_not_count(batch):
    made = recipe()
    batch["valid"][:, :, :, 60:] = 0
    before = float(phase(made, "paired").loss(batch)["global"].detach())
    with torch.no_grad():
        painted = made.model.paint(
            made.model.components(batch["image"], batch["labels"]), batch["image"], batch["labels"]
        )
        squares = 0.5 * (painted - batch["image"]).square() * batch["valid"]
    assert before == pytest.approx(float(squares.mean()), rel=1e-5)


def test_the_shape_that_is_asked_for_has_grown_eyes_and_mouth(batch):
    larger = with_larger_eyes_and_mouth(batch["labels"])
    assert (larger == 8).sum() > (batch["labels"] == 8).sum()
    assert torch.equal(larger[0], torch.from_numpy(grow(batch["labels"][0].numpy().astype(np.uint8))).long())


@pytest.mark.parametrize("adversarial", ["logistic", "hinge"])
def test_judges_learn_to_tell(batch, adversarial):
    made = recipe(adversarial=adversarial, lr=1e-3)
    judge, optimizer = phase(made, "judge_paired"), made.optimizer("D", made.nets["D"].parameters())
    values = []
    for _ in range(24):
        loss = judge.loss(batch)["adv"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        values.append(float(loss.detach()))
    assert values[-1] < 0.8 * values[0]
    assert all(p.grad is None for name in ("embed", "G", "P_F") for p in made.nets[name].parameters())


def test_a_variational_embedding_draws_its_latents_and_pays_for_them(batch):
    made = recipe({"embedding": "vae"})
    one, same = (phase(made, "unpaired").loss(batch) for _ in range(2))
    other = phase(made, "unpaired").loss({**batch, "seed": batch["seed"] + 7})
    assert float(one["kl"].detach()) > 0
    assert float(one["local"].detach()) == float(same["local"].detach()) != float(other["local"].detach())


def test_patches_of_background_alone_count_for_nothing(batch):
    made = recipe(judged="person")
    batch["labels"][:] = 0
    batch["labels"][:, 20:40, 24:40] = 1
    logits = torch.zeros(2, 1, 8, 8)
    counted = made.patch_weights(logits, batch["labels"])
    assert counted[0, 0].nonzero().amin(dim=0).tolist() == [2, 3]
    assert counted[0, 0].nonzero().amax(dim=0).tolist() == [4, 4]
    assert recipe().patch_weights(logits, batch["labels"]) is None
    batch["labels"][1] = 0  # nobody in the second picture
    batch["labels"][1, :, :4] = 255
    before = phase(made, "judge_paired").loss(batch)["adv"]
    assert before.isfinite()
    assert not made.patch_weights(logits, batch["labels"])[1].any()
    elsewhere = {**batch, "image": torch.where(torch.arange(64) >= 60, -batch["image"], batch["image"])}
    assert float(phase(made, "judge_paired").loss(elsewhere)["adv"].detach()) == pytest.approx(
        float(before.detach()), abs=0.05
    )


def test_d_may_learn_more_often_than_g_and_from_other_pairs(batch):
    made = recipe(judge_steps=2, shape_unpaired=0.25)
    names = [[p.name for p in made.phases() if p.due(step)] for step in range(2)]
    assert names == [
        ["parse", "judge_paired", "judge_paired_2", "paired"],
        ["parse", "judge_unpaired", "judge_unpaired_2", "unpaired"],
    ]
    assert (phase(made, "paired").weights["shape"], phase(made, "unpaired").weights["shape"]) == (1.0, 0.25)
    four = {name: torch.cat([value, value + (name == "image")]) for name, value in batch.items()}
    assert not torch.equal(made.source(four, paired=False, shift=1)[0], made.source(four, paired=False, shift=2)[0])


def test_the_rate_falls_in_stairs_to_zero():
    made = recipe(lr=1.0, decay_from=10, decay_to=40)
    assert [made.learning_rate("G", step) for step in (0, 9, 10, 25, 39, 40, 99)] == [
        1.0,
        1.0,
        0.75,
        0.5,
        0.25,
        0.0,
        0.0,
    ]
    assert recipe(lr=0.5, judge_lr=0.1).learning_rate("G", 10**6) == 0.5
    assert recipe(lr=0.5, judge_lr=0.1).learning_rate("D", 10**6) == 0.1


def test_preview_shows_painted_and_styled_pictures(batch):
    made = recipe()
    with torch.no_grad():
        pictures, columns = made.preview(batch, made.nets)
    assert (len(pictures), columns) == (10, 2)
    assert (pictures[6] == pictures[1]).all()  # the style of the first is the second picture


@pytest.fixture(scope="module")
def parser(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("parser")
    torch.manual_seed(1)
    config = ParserConfig(size=64, channels=4, halvings=3)
    modelfile.write(folder, "parser", as_dict(config), FaceParser(config).state_dict(), "a parser")
    return str(folder)


def test_a_trained_parser_stays_as_it_is(parser, batch):
    made = recipe(parser=parser)
    assert [p.name for p in made.phases() if p.due(0)] == ["judge_paired", "paired"]
    phase(made, "paired").loss(batch)["shape"].backward()
    assert all(p.grad is None for p in made.P_F.parameters())
    assert any(p.grad is not None for p in made.model.G.parameters())


def test_a_judge_of_the_parsers_maps(parser, batch):
    made = recipe(parser=parser, maps=0.5)
    assert phase(made, "judge_paired").nets == ("D", "D_maps")
    assert phase(made, "paired").weights["fool_maps"] == phase(made, "unpaired").weights["fool_maps"] == 0.5
    with torch.no_grad():
        painted = made.model.paint(
            made.model.components(batch["image"], batch["labels"]), batch["image"], batch["labels"]
        )
        real, fake = made.maps.D_maps(batch["image"]), made.maps.D_maps(painted)
    assert real.shape == (2, 4 * 16)
    assert torch.allclose(
        phase(made, "judge_paired").loss(batch)["adv_maps"], real_loss(real) + fake_loss(fake), atol=1e-5
    )
    fooled = phase(made, "paired").loss(batch)["fool_maps"]
    assert torch.allclose(fooled, real_loss(fake), atol=1e-5)
    fooled.backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in made.model.embed.parameters())
    smooth = phase(made, "smooth_maps")
    assert (smooth.nets, smooth.every) == (("D_maps",), 16)
    assert float(smooth.loss(batch)["r1_maps"]) > 0
    with pytest.raises(SettingError, match="--set parser=parser"):
        recipe(maps=1.0)


def test_judges_may_lead():
    made = recipe(lead=4)
    assert [p.name for p in made.phases() if p.due(2)] == ["parse", "judge_paired"]
    assert [p.name for p in made.phases() if p.due(4)] == ["parse", "judge_paired", "paired"]
