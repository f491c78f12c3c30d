"""What recipes borrow: off without a trace, and each part of it once."""

from __future__ import annotations

import pytest
import torch

from masque import modelfile
from masque.config import as_dict
from masque.errors import CheckpointError, SettingError
from masque.losses.adversarial import fake_loss, real_loss
from masque.models.parser import FaceParser, ParserConfig
from masque.recipes.extras import LazyR1, MapsJudge, ParserMaps, PersonTerms, SamePerson, after_lead, lazy_r1
from masque.train.phase import Phase


@pytest.fixture(scope="module")
def parser(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("parser")
    torch.manual_seed(1)
    config = ParserConfig(size=32, channels=4, halvings=3)
    modelfile.write(folder, "parser", as_dict(config), FaceParser(config).state_dict(), "a parser")
    return str(folder)


def pictures(seed: int) -> torch.Tensor:
    return torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_an_extra_that_is_off_leaves_no_trace(parser):
    x = pictures(0)
    for settings in (ParserMaps(), ParserMaps(parser=parser, maps=0.0)):
        maps = MapsJudge(settings, 32)
        assert (dict(maps.nets), maps.judges, dict(maps.adv), dict(maps.fool)) == ({}, (), {}, {})
        assert maps.adv_terms(x, x) == maps.fool_terms(x) == {}
        assert maps.phases(lambda batch: batch["image"], 4) == []
    person = PersonTerms(SamePerson())
    assert (dict(person.nets), dict(person.weights), person.terms(x, x, x)) == ({}, {}, {})
    assert lazy_r1(LazyR1(), {"r1": ("D", lambda batch: batch["image"].sum())}) == []
    assert lazy_r1(LazyR1(r1=1.0), {}) == []


def test_a_judge_of_maps_has_what_its_recipes_take_from_it(parser):
    maps, x, made = MapsJudge(ParserMaps(parser=parser, maps=0.5, maps_r1=0.1), 32), pictures(0), pictures(1)
    assert set(maps.nets) == {"D_maps", "P_F"}
    assert (maps.judges, dict(maps.adv), dict(maps.fool)) == (("D_maps",), {"adv_maps": 1.0}, {"fool_maps": 0.5})
    with torch.no_grad():
        real, fake = maps.D_maps(x), maps.D_maps(made)
    torch.testing.assert_close(maps.adv_terms(x, made)["adv_maps"].detach(), real_loss(real) + fake_loss(fake))
    torch.testing.assert_close(maps.fool_terms(made)["fool_maps"].detach(), real_loss(fake))
    (phase,) = maps.phases(lambda batch: batch["image"], 4, since=8, until=20)
    assert (phase.name, phase.nets, phase.weights) == ("smooth_maps", ("D_maps",), {"r1_maps": pytest.approx(0.4)})
    assert [step for step in range(30) if phase.due(step)] == [8, 12, 16]
    phase.loss({"image": x})["r1_maps"].backward()
    assert all(p.grad is None for p in maps.P_F.parameters())
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in maps.D_maps.parameters())


def test_lazy_r1_weighs_as_much_as_if_it_were_in_every_step():
    penalties = {
        "r1": ("D", lambda batch: batch["image"].sum()),
        "r1_patches": ("D_p", lambda batch: batch["image"].mean()),
        "r1_classes": ("D", lambda batch: batch["image"].max()),
    }
    (phase,) = lazy_r1(LazyR1(r1=0.5, r1_every=4), penalties, since=3, until=40)
    assert phase.nets == ("D", "D_p")
    assert phase.loss({"image": torch.tensor([1.0, 3.0])}) == {"r1": 4.0, "r1_patches": 2.0, "r1_classes": 3.0}
    due = [step for step in range(100) if phase.due(step)]
    assert due == [4, 8, 12, 16, 20, 24, 28, 32, 36]
    assert all(weight == 0.5 * 4 for weight in phase.weights.values())


def test_a_lead_moves_the_phases_of_generators_alone():
    paint = Phase("paint", ("G",), lambda _: {}, {}, every=2, since=10, until=30)
    (later,) = after_lead(5, [paint])
    assert [step for step in range(40) if later.due(step)] == [16, 18, 20, 22, 24, 26, 28]
    assert after_lead(0, [paint]) == [paint]


def test_models_that_extras_name_are_checked(parser, tmp_path):
    with pytest.raises(SettingError, match="name one, such as --set identity=identity"):
        PersonTerms(SamePerson(id=1.0))
    with pytest.raises(CheckpointError, match="name one of identity"):
        PersonTerms(SamePerson(identity=parser, id=1.0))
    with pytest.raises(CheckpointError, match="There is no model"):
        MapsJudge(ParserMaps(parser=str(tmp_path)), 32)
