"""The values of RSGAN's terms: Eq. 1-7 by hand, unknown attributes, and where x̂' comes from."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from scipy import stats
from torch.nn import functional as F

from masque import modelfile, runs
from masque.catalog import SHIPPED
from masque.config import as_dict
from masque.errors import CheckpointError, SettingError
from masque.models.identity import Features
from masque.models.rsgan import ATTRIBUTES, RSGANLatents, of_whole_picture


def fixed(shape: tuple[int, ...], value: float):
    """A network that answers the same whatever it gets."""
    return lambda x: torch.full((len(x), *shape), value)


def test_reconstruction_terms_by_hand(make_recipe, batch):
    """Pictures of constant brightness on a 2-row world: each row's part in Eq. 1-3 can be counted."""
    recipe = make_recipe(beta=0.5)
    for name, value in (("image", 0.6), ("face_crop", 0.2)):
        batch[name] = torch.full_like(batch[name], value)
    batch["face_hull"], batch["image_hull"] = torch.zeros(4, 1, 32, 32), torch.zeros(4, 1, 32, 32)
    batch["face_hull"][:, :, :8] = 1.0  # a quarter of the face crop is face
    batch["image_hull"][:, :, :8] = 1.0
    batch["face_valid"] = torch.ones(4, 1, 32, 32)
    batch["face_valid"][..., :16] = 0.0  # and half of it was beyond the photo
    batch["background"], batch["valid"] = torch.zeros(4, 1, 32, 32), torch.ones(4, 1, 32, 32)
    batch["background"][:, :, 16:] = 1.0  # the lower half is background,
    batch["valid"][:, :, 24:] = 0.0  # of which the lower half is beyond the photo
    recipe.model.decoder_face.forward = fixed((3, 32, 32), 0.0)
    recipe.model.decoder_hair.forward = fixed((3, 32, 32), 0.0)
    recipe.model.composer.forward = fixed((3, 32, 32), 0.5)
    terms = recipe.compose_terms(batch)
    assert terms["rec_f"].item() == pytest.approx(0.2 * 0.25 * 0.5)  # Eq. 1
    assert terms["rec_h"].item() == pytest.approx(
        0.6 * (0.25 + 0.5 * 0.25)
    )  # Eq. 2: quarters hidden, seen, halved, beyond
    assert terms["rec"].item() == pytest.approx(0.1 * (0.5 + 0.5 * 0.25))  # Eq. 3


def test_adversarial_and_attribute_terms_are_sums_over_both_made_pictures(make_recipe, batch):
    recipe = make_recipe(random="mixed")
    terms = recipe.compose_terms(batch)
    made, model = recipe.last[1], recipe.model
    for name, judge in (("g", model.D_g), ("p", model.D_p)):
        x, first, second = (judge(picture).sigmoid() for picture in (batch["image"], made.image, made.random))
        torch.testing.assert_close(terms[f"fool_{name}"], -first.log().mean() - second.log().mean())
        expected = -x.log().mean() - (1 - first).log().mean() - (1 - second).log().mean()  # Eq. 5 as printed
        torch.testing.assert_close(recipe.judge_terms(batch)[f"adv_{name}"], expected)
    known = ~made.random_attributes.isnan()
    random = (
        F.binary_cross_entropy(model.C(made.random).sigmoid()[known], made.random_attributes[known], reduction="sum")
        / 4
    )
    own = F.binary_cross_entropy(model.C(made.image).sigmoid(), batch["attributes"], reduction="none").sum(dim=1).mean()
    torch.testing.assert_close(terms["GC"], own + random)  # Eq. 7


def test_unknown_attributes_pull_at_nothing(make_recipe, batch):
    recipe = make_recipe(random="mixed")
    batch["attributes"] = torch.full((4, 8), torch.nan)
    assert recipe.classify_terms(batch)["C"] == 0
    assert all(term.isfinite() for term in recipe.compose_terms(batch).values())
    batch["attributes"][:, 2] = 1.0
    expected = -recipe.model.estimate(batch["image"])[:, 2].log().mean()
    torch.testing.assert_close(recipe.classify_terms(batch)["C"], expected)


def test_encoders_get_the_estimated_attributes(make_recipe, batch):
    recipe = make_recipe()
    seen = []
    recipe.model.attributes_face.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    recipe.compose_terms(batch)
    assert torch.equal(seen[0], recipe.model.estimate(batch["image"]))
    assert not seen[0].requires_grad


def test_the_judges_see_the_very_pictures_that_were_composed(make_recipe, batch):
    recipe = make_recipe()
    seen = []
    recipe.compose_terms(batch)
    made = recipe.last[1]
    with torch.no_grad():
        for parameter in recipe.model.composer.parameters():
            parameter.zero_()  # whoever composed again would now get grey
    recipe.model.D_p.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    recipe.judge_terms(batch)
    assert torch.equal(seen[0], torch.cat([batch["image"], made.image, made.random]))
    assert made.image.std() > 0
    assert not seen[0].requires_grad
    other = dict(batch)  # another batch object: its pictures have to be made
    recipe.judge_terms(other)
    assert not seen[1][4:].any()


def test_prior_latents_are_standard_normal_and_have_no_attributes(make_recipe, batch):
    recipe = make_recipe({"z_appearance": 16, "z_attributes": 8})
    count = 800
    z = RSGANLatents(*(torch.full((count, n), 100.0) for n in (16, 8, 16, 8)))
    drawn, attributes, _ = recipe.random_latents({**batch, "seed": torch.arange(count)}, z, torch.rand(count, 8))
    assert attributes.isnan().all()
    for one in (drawn.xf, drawn.cf, drawn.xh, drawn.ch):
        assert stats.kstest(one.numpy().astype(float).ravel(), "norm").pvalue > 0.01
    assert not torch.isclose(drawn.xf, drawn.xh).any()
    assert not torch.isclose(drawn.cf, drawn.ch).any()
    own = recipe.noise({**batch, "seed": torch.arange(count)}, "xf", z.xf)
    assert abs(torch.corrcoef(torch.stack([own.flatten(), drawn.xf.flatten()]))[0, 1]) < 0.05


def test_mixed_latents_take_other_pictures_parts(make_recipe, batch):
    recipe = make_recipe({"z_appearance": 2, "z_attributes": 2}, random="mixed")
    count = 400
    own = torch.arange(1000.0, 1000.0 + count)[:, None].expand(-1, 2)  # no draw from N(0,1) comes near these
    z = RSGANLatents(own, own, own, own)
    c = torch.zeros(count, 8)
    c[torch.arange(count), torch.arange(count) % 8] = 1.0
    mixed, attributes, _ = recipe.random_latents({**batch, "seed": torch.arange(count)}, z, c)
    face, hair = mixed.xf[:, 0] > 500, mixed.xh[:, 0] > 500
    near, far = torch.arange(count) ^ 1, torch.arange(count) ^ 2
    assert torch.equal(mixed.xf[face], z.xf[face])  # its own face, or a drawn one,
    assert torch.equal(mixed.xh[hair], z.xh[near][hair])  # with another picture's hair, or a drawn one
    for part in (face, hair, face & hair, ~face & ~hair):
        assert 0.1 < part.float().mean() < 0.7
    # The face's attributes are its own or the near one's, the hair's its own or the far one's.
    for asked, other, encoder in (
        (mixed.cf, near, recipe.model.attributes_face),
        (mixed.ch, far, recipe.model.attributes_hair),
    ):
        mine, theirs = (torch.isclose(asked, encoder(given).mean).all(dim=1) for given in (c, c[other]))
        assert (mine | theirs).all()
        assert 0.3 < mine.float().mean() < 0.7
    assert (attributes.isnan() | (attributes == 0) | (attributes == 1)).all()


def test_what_a_mixed_picture_was_of_whole_picture():
    names = ("Smiling", "Blond_Hair", "Male")
    face = torch.tensor([[1.0, 0.0, 1.0], [0.2, 0.9, 0.5], [0.0, 1.0, 1.0]])
    hair = torch.tensor([[0.0, 1.0, 0.0], [0.7, 0.1, 0.7], [1.0, 0.0, 1.0]])
    expected = torch.tensor([[1.0, 1.0, torch.nan], [0.2, 0.1, 0.6], [0.0, 0.0, 1.0]])
    torch.testing.assert_close(of_whole_picture(face, hair, names), expected, equal_nan=True)


def test_the_preview_has_five_rows_and_changes_nothing(make_recipe, batch):
    recipe = make_recipe({"lstm": True})
    before = {name: value.clone() for name, value in recipe.model.state_dict().items()}
    averaged = make_recipe({"lstm": True})
    with torch.no_grad():
        for parameter in averaged.model.parameters():
            parameter.mul_(1.1)
        pictures, columns = recipe.preview(batch, {name: averaged.nets[name] for name in recipe.served})
        c = averaged.model.estimate(batch["image"])
        x_f, x_h = batch["face_crop"] * batch["face_hull"], batch["image"] * (1 - batch["image_hull"])
        expected = averaged.model.compose(averaged.model.encode(x_f, x_h, c))
    assert (len(pictures), columns) == (20, 4)
    for shown, wanted in zip(pictures[4:8], expected, strict=True):
        assert abs(torch.from_numpy(shown).permute(2, 0, 1).float() / 127.5 - 1 - wanted).max() < 1 / 127
    assert all(torch.equal(value, before[name]) for name, value in recipe.model.state_dict().items())


def test_all_attributes_have_a_column(make_recipe, batch):
    assert make_recipe().model.C(batch["image"]).shape == (4, len(ATTRIBUTES))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained E_id of 16 px."""
    plan = runs.plan("identity", "tiny", ("size=16",))
    folder = tmp_path_factory.mktemp("people")
    features = Features(plan.model)
    modelfile.write(
        folder,
        "identity",
        as_dict(plan.model),
        {f"features.{n}": t for n, t in features.state_dict().items()},
        "# untrained\n",
    )
    return folder


def test_the_person_is_told_where_x_hat_has_the_pictures_face(make_recipe, batch, people):
    recipe = make_recipe(identity=str(people), id=2.0, random="mixed")
    compose = next(phase for phase in recipe.phases() if phase.name == "compose")
    assert compose.weights["id"] == compose.weights["id_random"] == 2.0
    assert "E_id" not in compose.nets
    assert not {"E_id"} & set(recipe.served)
    terms = recipe.compose_terms(batch)
    made = recipe.last[1]
    x, E_id = batch["image"], recipe.person.E_id.eval()
    wanted = E_id(F.interpolate(x, size=16, mode="bilinear", antialias=True, align_corners=False))
    for name, pictures, counted in (
        ("id", made.image, torch.ones(len(x))),
        ("id_random", made.random, made.random_own),
    ):
        seen = E_id(F.interpolate(pictures, size=16, mode="bilinear", antialias=True, align_corners=False))
        assert terms[name].item() == pytest.approx(
            (counted * (1 - (seen * wanted).sum(1)).detach()).sum().item() / max(1.0, counted.sum().item()), abs=1e-5
        )
    assert set(made.random_own.tolist()) <= {0.0, 1.0}
    assert recipe.person.terms(x, torch.cat([x, x]), torch.ones(len(x)))["id"].item() == pytest.approx(0.0, abs=1e-6)
    (terms["id"] + terms["id_random"]).backward()
    for name, net in recipe.nets.items():
        moved = any(p.grad is not None and p.grad.abs().max() > 0 for p in net.parameters())
        assert moved is (name == "composer" or name.startswith(("separator", "attributes"))), name


def test_own_faces_are_those_that_are_not_drawn(make_recipe, batch):
    recipe = make_recipe(random="mixed")
    z, c, _ = recipe.infer(batch)
    latents, _, own = recipe.random_latents(batch, z, c)
    # whatever attributes it was asked for, z_x of an own face moves only as the prior says; without one it stays
    same = (latents.xf == z.xf).all(dim=1)
    assert recipe.model.prior is None
    assert same.tolist() == own.bool().tolist()
    _, _, none = make_recipe(random="prior").random_latents(batch, z, c)
    assert not none.any()


def test_what_tells_people_must_be_a_model_of_identity_and_weigh_something(make_recipe, people, tmp_path):
    assert make_recipe(identity=str(people)).person.E_id is None  # weighed by nothing
    with pytest.raises(SettingError, match=r"id weighs .* name one"):
        make_recipe(id=1.0)
    with pytest.raises(CheckpointError, match="name one of identity"):
        make_recipe(identity=str(SHIPPED / "attributes"), id=1.0)
    with pytest.raises(CheckpointError, match="There is no model"):
        make_recipe(identity=str(tmp_path), id=1.0)
