"""FaceFeat-GAN's training: sizes of the paper, the equations by hand, ablations, and what a new run takes over."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from masque import modelfile, runs
from masque.catalog import SHIPPED
from masque.data.batches import Batches
from masque.data.frames import FrameSet, load_frames
from masque.errors import CheckpointError, DataError, SettingError
from masque.models.facefeat import FaceFeat, FaceFeatConfig, Judges, sphere
from masque.models.parser import FaceParser, ParserConfig
from masque.recipes.facefeat import FaceFeatRecipe


@pytest.fixture(scope="module")
def frames() -> FrameSet:
    return load_frames(["puppets:24"], 32, ())


@pytest.fixture
def recipe(frames) -> FaceFeatRecipe:
    made = runs.build_recipe(runs.plan("facefeat", "tiny"))
    assert isinstance(made, FaceFeatRecipe)
    made.begin(frames)
    return made


@pytest.fixture
def batch(frames):
    return Batches(frames, "train", 32, 4, 0)(0)


def test_the_papers_sizes():
    with torch.device("meta"):
        model, judges = FaceFeat(FaceFeatConfig()), Judges(FaceFeatConfig(), "linear")
    assert [tuple(layer.weight.shape) for layer in model.G_f1.layers if hasattr(layer, "weight")] == [
        (128, 64),
        (256, 128),
        (256, 256),
        (30, 256),
    ]
    assert [tuple(layer.weight.shape) for layer in judges.D_f2.layers if hasattr(layer, "weight")] == [
        (256, 256),
        (256, 256),
        (128, 256),
        (1, 128),
    ]
    assert model.G_I.first.weight.shape == (64 * 128, 256 + 30 + 256)
    assert model.E_2.head.weight.shape == (256, 64 * 5 * 128)  # BEGAN: 128 more channels at each of four halvings
    assert tuple(judges.W_id.people.shape) == (10_575, 256)
    assert len(model.G_I.blocks) == 5


def test_features_are_of_length_16_of_256():
    assert torch.allclose(sphere(torch.randn(3, 256)).norm(dim=1), torch.full((3,), 16.0))


def test_drawn_features_belong_to_their_seeds(recipe):
    seeds = torch.tensor([5, 6])
    f_1, f_2 = recipe.model.sample_features(seeds, "a")
    again, _ = recipe.model.sample_features(seeds.flip(0), "a")
    assert torch.allclose(again.flip(0), f_1, atol=1e-6)
    assert not torch.allclose(recipe.model.sample_features(seeds, "b")[0], f_1)
    assert (f_1.shape, f_2.shape) == ((2, 5), (2, 16))


def test_what_e_2_sees_has_mean_0_and_variance_1_and_is_kept_for_use(recipe, batch):
    E_2 = recipe.model.E_2.train().requires_grad_(True)
    for _ in range(200):
        seen = E_2(batch["image"])
    assert torch.allclose(seen.mean(dim=0), torch.zeros(16), atol=1e-5)
    assert torch.allclose(seen.var(dim=0, unbiased=False), torch.ones(16), atol=1e-2)
    with torch.no_grad():
        ratio = E_2.eval()(batch["image"]).var(dim=0) / seen.var(dim=0)
        alone = E_2(batch["image"][:1])
    assert torch.allclose(
        ratio, torch.full((16,), 0.75), atol=0.02
    )  # a running variance is an estimate for more than four pictures
    assert torch.allclose(alone, E_2(batch["image"])[:1], atol=1e-5)
    before = E_2.norm.mean.clone()
    E_2.train().requires_grad_(False)(batch["image"] + 1)
    assert torch.equal(E_2.norm.mean, before)  # it learns nothing in the phases of others


def test_judges_and_painter_see_differences_from_the_start():
    torch.manual_seed(0)
    plan = runs.plan("facefeat", "small")
    recipe = runs.build_recipe(plan)
    pictures = torch.rand(8, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        assert float(recipe.judges.D_I(pictures).std()) > 0.05
        features = torch.randn(8, 256), torch.randn(8, 30), torch.randn(8, 256)
        assert float(recipe.model.G_I(*features).std(dim=0).mean()) > 0.1


def test_eq_2_and_4_by_hand(recipe, batch, monkeypatch):
    monkeypatch.setattr(
        recipe.judges.D_f1, "forward", lambda f: torch.where(f[:, :1] == recipe.extraction.f_1(batch)[:, :1], 2.0, -1.0)
    )
    terms = recipe.judge_features_terms(batch)
    softplus = torch.nn.functional.softplus
    assert float(terms["f_1"]) == pytest.approx(float(softplus(torch.tensor(-2.0)) + softplus(torch.tensor(-1.0))))
    said = torch.tensor([2.0, 0.5, -1.0]).repeat_interleave(4)[:, None]  # of real, made and rebuilt pictures
    monkeypatch.setattr(recipe.judges.D_I, "forward", lambda x: said[: len(x)])
    wanted = softplus(torch.tensor(-2.0)) + 0.5 * (softplus(torch.tensor(0.5)) + softplus(torch.tensor(-1.0)))
    assert float(recipe.judge_terms(batch)["adv"]) == pytest.approx(float(wanted))


def test_r1_is_asked_for_and_is_that_of_real_pictures_and_features(frames, batch, recipe):
    assert "smooth" not in {phase.name for phase in recipe.phases()}
    smooth = runs.build_recipe(runs.plan("facefeat", "tiny", ("r1=0.5", "r1_every=4")))
    smooth.begin(frames)
    (phase,) = (phase for phase in smooth.phases() if phase.name == "smooth")
    assert (phase.nets, phase.since, phase.every) == (("D_I", "D_f1", "D_f2"), 20, 4)
    assert set(phase.weights.items()) == {("r1", 2.0), ("r1_f_1", 2.0), ("r1_f_2", 2.0)}
    smooth.judges.D_f1.layers = torch.nn.Linear(5, 1)  # whose gradient is its weight, whatever it sees
    smooth.judges.D_I.forward = lambda x: 3 * x[:, 0, 0, :1]
    terms = phase.loss(batch)
    assert float(terms["r1"].detach()) == pytest.approx(0.5 * 9)
    assert float(terms["r1_f_1"].detach()) == pytest.approx(
        0.5 * float(smooth.judges.D_f1.layers.weight.detach().square().sum())
    )
    for without, nets in (("picture", ("D_f1", "D_f2")), ("features", ("D_I",))):
        part = runs.build_recipe(runs.plan("facefeat", "tiny", ("r1=0.5", f"without={without}")))
        part.begin(frames)
        (phase,) = (phase for phase in part.phases() if phase.name == "smooth")
        assert phase.nets == nets
        assert phase.loss(batch).keys() == phase.weights.keys()


@pytest.fixture(scope="module")
def parser(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("parser")
    torch.manual_seed(1)
    config = ParserConfig(size=32, channels=4, halvings=3)
    modelfile.write(folder, "parser", dataclasses.asdict(config), FaceParser(config).state_dict(), "a parser")
    return str(folder)


def test_a_second_discriminator_sees_the_maps_of_a_parser(frames, batch, parser):
    plan = runs.plan(
        "facefeat", "tiny", (f"parser={parser}", "maps=0.5", "maps_r1=0.1", "r1_every=4", "lead=7", "beyond=picture")
    )
    made = runs.build_recipe(plan)
    made.begin(frames)
    phases = {phase.name: phase for phase in made.phases()}
    assert phases["judge"].nets == ("D_I", "D_maps")
    assert (phases["judge"].since, phases["draw"].since, phases["paint"].since) == (20, 27, 27)
    assert phases["smooth_maps"].weights == {"r1_maps": pytest.approx(0.4)}
    assert {name: weight for name, weight in phases["paint"].weights.items() if "maps" in name} == {
        "fool_maps": 0.5,
        "fool_maps_made": 0.5,
    }
    for name in ("judge", "smooth_maps", "paint"):
        assert phases[name].loss(batch).keys() == phases[name].weights.keys()
    said = iter(
        [2.0, torch.tensor([0.5, -1.0]).repeat_interleave(4)[:, None]]
    )  # of real pictures, of made and rebuilt ones
    made.maps.D_maps.forward = lambda x: x.new_zeros(len(x), 1) + next(said)
    softplus = torch.nn.functional.softplus
    wanted = softplus(torch.tensor(-2.0)) + 0.5 * (softplus(torch.tensor(0.5)) + softplus(torch.tensor(-1.0)))
    assert float(made.judge_terms(batch)["adv_maps"]) == pytest.approx(float(wanted))


def test_what_the_parser_sees_moves_the_painter_and_the_parser_stays(frames, batch, parser):
    made = runs.build_recipe(runs.plan("facefeat", "tiny", (f"parser={parser}", "beyond=picture")))
    made.begin(frames)
    terms = made.paint_terms(batch)
    for name in ("fool_maps", "fool_maps_made"):
        slope = torch.autograd.grad(terms[name], made.model.G_I.last.weight, retain_graph=True)[0]
        assert float(slope.abs().sum()) > 0
    next(phase for phase in made.phases() if phase.name == "smooth_maps").loss(batch)["r1_maps"].backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in made.maps.D_maps.parameters())
    assert all(p.grad is None for p in made.nets["P_F"].parameters())


def test_the_second_discriminator_may_judge_alone(frames, batch, parser):
    made = runs.build_recipe(runs.plan("facefeat", "tiny", (f"parser={parser}", "fool=0", "r1=0.5", "beyond=picture")))
    made.begin(frames)
    phases = {phase.name: phase for phase in made.phases()}
    assert (phases["judge"].nets, phases["smooth"].nets) == (("D_maps",), ("D_f1", "D_f2"))
    made.judges.D_I.forward = None  # which nobody asks
    for phase in phases.values():
        if phase.name not in ("tell", "see"):
            assert phase.loss(batch).keys() == phase.weights.keys()
    assert "fool" not in phases["paint"].weights
    x, seen = batch["image"], []
    made.maps.D_maps.forward = lambda pictures: seen.append(pictures) or pictures.mean(dim=(1, 2, 3))[:, None]
    with torch.no_grad():
        terms = made.judge_terms(batch)
        real, drawn, rebuilt = (part.mean(dim=(1, 2, 3)) for part in (seen[0], *seen[1].chunk(2)))
    assert torch.equal(seen[0], x)
    softplus = torch.nn.functional.softplus
    wanted = softplus(-real).mean() + 0.5 * (softplus(drawn).mean() + softplus(rebuilt).mean())
    assert float(terms["adv_maps"]) == pytest.approx(float(wanted), rel=1e-5)


def test_a_parser_that_nothing_would_ask_is_refused(parser):
    with pytest.raises(SettingError, match="leave out --set parser"):
        runs.build_recipe(runs.plan("facefeat", "tiny", (f"parser={parser}", "without=picture")))


def test_all_terms_of_a_picture_pull_as_hard_as_each_other(recipe, batch):
    recipe.model.G_I.requires_grad_(True)
    terms = recipe.paint_terms(batch)
    slopes = {}
    last = recipe.model.G_I.last.bias
    for name in ("rec", "fool", "id"):
        slopes[name] = torch.autograd.grad(terms[name], last, retain_graph=True)[0].norm()
    assert all(float(slope) > 0 for slope in slopes.values())
    # At the picture itself they are equal: tests of `balanced`. The sums over a picture, which reach the last bias, are
    # of one magnitude.
    assert float(max(slopes.values()) / min(slopes.values())) < 100


@pytest.mark.parametrize(
    ("without", "missing"),
    [
        ("id", {"paint": {"id", "id_made"}}),
        ("features", {"judge_features": {"f_1", "f_2"}, "draw": {"f_1", "f_2"}}),
        ("picture", {"judge": {"adv"}, "draw": {"picture"}, "paint": {"fool"}}),
        ("rec", {"paint": {"rec"}}),
    ],
)
def test_ablations_of_table_4(frames, batch, without, missing):
    whole = {p.name: set(p.weights) for p in runs.build_recipe(runs.plan("facefeat", "tiny")).phases()}
    recipe = runs.build_recipe(runs.plan("facefeat", "tiny", (f"without={without}",)))
    recipe.begin(frames)
    ablated = {p.name: set(p.weights) for p in recipe.phases()}
    assert {name: lost for name, terms in whole.items() if (lost := terms - ablated.get(name, set()))} == missing
    for phase in recipe.phases():
        for name in phase.nets:
            recipe.nets[name].requires_grad_(True)
        terms = phase.loss(batch)
        assert terms.keys() == phase.weights.keys()
        sum(terms.values()).backward()
        for name in phase.nets:
            assert any(p.grad is not None and p.grad.abs().max() > 0 for p in recipe.nets[name].parameters()), (
                phase.name,
                name,
            )
            recipe.nets[name].requires_grad_(False)


def test_what_is_learnt_beyond_the_paper(frames, batch):
    recipe = runs.build_recipe(runs.plan("facefeat", "tiny", ("beyond=shape,picture",)))
    recipe.begin(frames)
    (paint,) = (phase for phase in recipe.phases() if phase.name == "paint")
    assert set(paint.weights) == {"rec", "fool", "id", "id_made", "shape", "shape_made", "fool_made"}
    recipe.model.G_I.requires_grad_(True)
    terms = paint.loss(batch)
    assert terms.keys() == paint.weights.keys()
    E_1 = recipe.model.E_1
    with torch.no_grad():
        f_id = recipe.extraction.f_id(batch)
        f_1s, f_2s = recipe.model.sample_features(batch["seed"], "paint")
        off = E_1(recipe.model.G_I(f_id, f_1s, f_2s)) - f_1s
        assert float(terms["shape_made"].detach()) == pytest.approx(
            float((E_1.importance() * off.square()).mean()), rel=1e-4
        )
    for name in ("shape", "shape_made", "fool_made"):
        (slope,) = torch.autograd.grad(terms[name], recipe.model.G_I.last.bias, retain_graph=True)
        assert slope.abs().max() > 0
    for without, lost in (("id", {"id", "id_made"}), ("picture", {"fool", "fool_made"}), ("rec", {"rec"})):
        part = runs.build_recipe(runs.plan("facefeat", "tiny", ("beyond=shape,picture", f"without={without}")))
        part.begin(frames)
        (phase,) = (phase for phase in part.phases() if phase.name == "paint")
        assert set(phase.weights) == set(paint.weights) - lost
        assert phase.loss(batch).keys() == phase.weights.keys()
    with pytest.raises(SettingError, match="nothing called light to learn"):
        runs.plan("facefeat", "tiny", ("beyond=light",))


def test_e_id_and_e_1_learn_first_and_then_stay(recipe):
    due = {
        step: {net for phase in recipe.phases() if phase.due(step) for net in phase.nets} for step in (0, 19, 20, 59)
    }
    assert due[0] == due[19] == {"E_id", "W_id", "E_1"}
    assert due[20] == due[59] == {"D_f1", "D_f2", "D_I", "G_f1", "G_f2", "G_I", "E_2"}


def test_trained_extractors_are_taken_over(frames, tmp_path):
    sizes = ("view=face", "features=16", "network=resnet18", "width=4", "people=64")
    runs.train(runs.plan("identity", "tiny", sizes, {"steps": 2}), ["puppets:24"], tmp_path / "id", accelerator="cpu")
    runs.train(runs.plan("shape", "tiny", (), {"steps": 2}), ["puppets:24"], tmp_path / "shape", accelerator="cpu")
    named = (f"identity={tmp_path / 'id' / 'model'}", f"shape={tmp_path / 'shape' / 'model'}")
    recipe = runs.build_recipe(runs.plan("facefeat", "tiny", named))
    recipe.begin(frames)
    assert {net for phase in recipe.phases() if phase.due(0) for net in phase.nets}.isdisjoint({"E_id", "E_1"})
    shape = runs.build_recipe(runs.plan("shape", "tiny"))
    shape.begin(frames)
    assert torch.allclose(recipe.model.E_1.expression, shape.model.E_1.expression)
    with pytest.raises(SettingError, match="has width 4, and here it is 8"):
        runs.build_recipe(runs.plan("facefeat", "tiny", (*named, "id_width=8"))).begin(frames)
    with pytest.raises(
        SettingError, match="has size 64, and here it is 32"
    ):  # of weights that are older than some settings
        runs.build_recipe(runs.plan("facefeat", "tiny", (f"identity={SHIPPED / 'identity'}", named[1]))).begin(frames)
    with pytest.raises(CheckpointError, match="of the family shape: name one of identity"):
        runs.build_recipe(runs.plan("facefeat", "tiny", (f"identity={tmp_path / 'shape' / 'model'}", named[1]))).begin(
            frames
        )


def test_what_it_cannot_learn_from(frames, recipe):
    for people in (("",) * len(frames), tuple(map(str, range(len(frames))))):
        with pytest.raises(DataError, match="people of whom there are several pictures"):
            recipe.begin(dataclasses.replace(frames, identities=people))
    with pytest.raises(SettingError, match="more than id_people=1 people"):
        runs.build_recipe(runs.plan("facefeat", "tiny", ("id_people=1",))).begin(frames)


def test_recognition_may_be_asked_of_many_views(frames, batch):
    recipe = runs.build_recipe(runs.plan("facefeat", "tiny", ("beyond=views",)))
    recipe.begin(frames)
    x, seeds, seen = batch["image"], batch["seed"], []
    f_id = recipe.extraction.f_id(batch)
    E_id = recipe.model.E_id
    before = E_id.forward
    E_id.forward = lambda pictures, dropped=None: seen.append((pictures, dropped)) or before(pictures, dropped)
    both, wanted = torch.cat([x, x]), torch.cat([f_id, f_id])
    apart = recipe.identity_error(both, wanted, seeds)
    assert apart.shape == (8,)
    (views, dropped), changed = seen[0], []
    assert len(dropped.unique()) == 8
    for view, picture in zip(views, both, strict=True):
        straight, mirrored = ((view - other).abs().mean() for other in (picture, picture.flip(2)))
        changed.append(bool(mirrored < straight))
        assert 0 < min(straight, mirrored) < 0.3
    assert any(changed)
    assert not all(changed)
    assert torch.equal(recipe.identity_error(both, wanted, seeds), apart)
    assert not torch.allclose(recipe.identity_error(both, wanted, seeds + 1), apart)
    (paint,) = (phase for phase in recipe.phases() if phase.name == "paint")
    recipe.model.G_I.requires_grad_(True)
    assert paint.loss(batch).keys() == paint.weights.keys() == {"rec", "fool", "id", "id_made"}


def test_the_discriminators_may_lead():
    leading = runs.build_recipe(
        runs.plan("facefeat", "tiny", ("judge_lr=4e-4", "fool=0.25", "beyond=picture", "decay_from=10", "decay_to=10"))
    )
    (paint,) = (phase for phase in leading.phases() if phase.name == "paint")
    assert {name: paint.weights[name] for name in ("fool", "fool_made", "rec", "id")} == {
        "fool": 0.25,
        "fool_made": 0.25,
        "rec": 1,
        "id": 1,
    }
    assert {leading.learning_rate(name, 40) for name in ("D_I", "D_f1", "D_f2")} == {4e-4}
    assert leading.learning_rate("G_I", 25) == leading.training.lr
    assert leading.learning_rate("G_I", 40) == 0.625 * leading.training.lr
    along = runs.build_recipe(runs.plan("facefeat", "tiny"))
    assert along.learning_rate("D_I", 40) == along.learning_rate("G_I", 40)
