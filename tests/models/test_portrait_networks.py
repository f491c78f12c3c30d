"""The portrait networks: the thesis's sizes, components cut and placed where they belong, variants, and what each part
may depend on."""

from __future__ import annotations

import pytest
import torch

from masque.models.portrait import (
    COMPONENTS,
    LABELS_OF,
    Discriminators,
    Portrait,
    PortraitConfig,
    cut,
    latents_of,
    one_hot,
    part_mask,
    places,
    window,
)

SMALL = {"size": 64, "channels": 4, "features": 8, "z": 16, "blocks": 1}


def network(**changes) -> Portrait:
    torch.manual_seed(0)
    return Portrait(PortraitConfig(**{**SMALL, **changes}))


@pytest.fixture
def labels() -> torch.Tensor:
    """Two label maps of 64 px: skin with eyes, brows, nose, mouth and hair; the second is shifted and has its left eye
    closed away."""
    made = torch.zeros(2, 64, 64, dtype=torch.int64)
    for i, (y, x) in enumerate(((0, 0), (3, 5))):
        made[i, 6 + y : 58, 10 + x : 54] = 1
        made[i, 2 + y : 14 + y, 10 + x : 54] = 10
        made[i, 18 + y : 20 + y, 16 + x : 26 + x], made[i, 18 + y : 20 + y, 36 + x : 46 + x] = 2, 3
        made[i, 24 + y : 28 + y, 16 + x : 24 + x], made[i, 24 + y : 28 + y, 38 + x : 46 + x] = 4, 5
        made[i, 26 + y : 38 + y, 28 + x : 34 + x] = 6
        (
            made[i, 42 + y : 44 + y, 22 + x : 42 + x],
            made[i, 44 + y : 47 + y, 22 + x : 42 + x],
            made[i, 47 + y : 50 + y, 22 + x : 42 + x],
        ) = (
            7,
            8,
            9,
        )
    made[1][made[1] == 4] = 1
    return made


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_the_thesis_sizes():
    assert [window(c, 256) for c in COMPONENTS] == [(32, 48), (32, 48), (80, 144), (256, 256), (256, 256)]
    with torch.device("meta"):
        model, critics = Portrait(PortraitConfig()), Discriminators(PortraitConfig())
        assert [tuple(d(torch.zeros(1, 512)).shape[1:]) for d in model.G.D_sub] == [
            (256, 8, 12),
            (256, 8, 12),
            (256, 20, 36),
            (256, 64, 64),
            (256, 64, 64),
        ]
        assert model.G.E_m.E_m[0](torch.zeros(1, 11, 256, 256)).shape == (1, 256, 64, 64)
        assert model.G.E_b(torch.zeros(1, 3, 256, 256)).shape == (1, 64, 256, 256)
        for local, component in zip(model.embed.local, COMPONENTS, strict=True):
            z = local.infer(torch.zeros(1, 3, *window(component, 256)))
            assert z.shape == (1, 512)
            assert local.rebuild(z).shape == (1, 3, *window(component, 256))
        full, half = critics(torch.zeros(1, 3, 256, 256), torch.zeros(1, 256, 256, dtype=torch.int64))
    assert full[0].shape[2] == 2 * half[0].shape[2] + 2
    assert sum(len(LABELS_OF[c]) for c in COMPONENTS) == 10  # every label but the background is part of one component


def test_a_window_lies_around_its_component_and_inside_the_picture(labels):
    corners, there = places(labels, "left eye")
    assert there.tolist() == [True, False]
    assert corners[0].tolist() == [24, 16]  # 8×12 around rows 24 to 27 and columns 16 to 23, in steps of 4
    corners, there = places(labels, "mouth")
    assert there.all()
    for (y, x), one in zip(corners.tolist(), labels, strict=True):
        inside = part_mask(one[None], "mouth")[0, 0, y : y + 20, x : x + 36]
        assert inside.sum() == part_mask(one[None], "mouth").sum()
    edge = torch.zeros(1, 64, 64, dtype=torch.int64)
    edge[0, 62:, 62:] = 8
    corners, _ = places(edge, "mouth")
    assert corners.tolist() == [[44, 28]]


def test_components_are_cut_by_window_or_by_mask(labels, pictures):
    eye = cut(pictures, labels, "right eye", tight=False)
    (y, x), _ = places(labels, "right eye")[0].tolist()
    assert torch.equal(eye[0], pictures[0, :, y : y + 8, x : x + 12])
    tight = cut(pictures, labels, "right eye", tight=True)
    mask = part_mask(labels, "right eye")[0, :, y : y + 8, x : x + 12]
    assert torch.equal(tight[0], eye[0] * mask)
    assert not cut(pictures, labels, "left eye", tight=False)[1].any()
    hair = cut(pictures, labels, "hair", tight=True)
    assert torch.equal(hair, pictures * (labels == 10)[:, None])
    mouth = cut(pictures, labels, "mouth", tight=True)
    assert torch.equal(mouth, cut(pictures, labels, "mouth", tight=False))


def test_features_are_placed_where_the_target_has_the_component(labels):
    model = network()
    latents = [torch.randn(2, 16, generator=torch.Generator().manual_seed(i)) for i in range(5)]
    with torch.no_grad():
        placed = model.G.place_features(latents, labels).unflatten(1, (5, 8))
        for number, component in enumerate(COMPONENTS[:3]):
            features = model.G.D_sub[number](latents[number])
            corners, there = places(labels, component)
            for b in range(2):
                y, x = (corners[b] // 4).tolist()
                height, width = features.shape[2:]
                expected = torch.zeros(8, 16, 16)
                if there[b]:
                    expected[:, y : y + height, x : x + width] = features[b]
                assert torch.equal(placed[b, number], expected)
        assert torch.equal(placed[:, 4], model.G.D_sub[4](latents[4]))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"eyes": "tight"},
        {"mask_encoder": "multi"},
        {"embedding": "vae"},
        {"background": "kept"},
        {"norm": "none"},
        {"size": 128},
    ],
)
def test_a_portrait_is_painted_alike_alone_and_in_a_batch(changes):
    model = network(**changes).double()
    size = model.config.size
    g = torch.Generator().manual_seed(3)
    x, labels = (
        torch.rand(3, 3, size, size, generator=g, dtype=torch.float64) * 2 - 1,
        torch.randint(0, 11, (3, size, size), generator=g),
    )
    with torch.no_grad():
        together = model.paint(model.components(x, labels), x, labels)
        alone = [
            model.paint(model.components(x[i : i + 1], labels[i : i + 1]), x[i : i + 1], labels[i : i + 1])
            for i in range(3)
        ]
    assert together.shape == x.shape
    assert together.abs().max() <= 1
    torch.testing.assert_close(torch.cat(alone), together, rtol=1e-9, atol=1e-9)


def test_of_the_target_only_the_background_is_seen(labels, pictures):
    model = network()
    latents = model.components(pictures, labels)
    noise = torch.rand(pictures.shape, generator=torch.Generator().manual_seed(9))
    face, background = (labels > 0)[:, None], (labels == 0)[:, None]
    with torch.no_grad():
        painted = model.paint(latents, pictures, labels)
        assert torch.equal(model.paint(latents, torch.where(face, noise, pictures), labels), painted)
        assert not torch.allclose(model.paint(latents, torch.where(background, noise, pictures), labels), painted)


@pytest.mark.parametrize("number", range(5))
def test_each_latent_is_of_its_own_component(labels, pictures, number):
    model = network(eyes="tight")
    noise = torch.rand(pictures.shape, generator=torch.Generator().manual_seed(9))
    changed = torch.where(part_mask(labels, COMPONENTS[number]) > 0, noise, pictures)
    with torch.no_grad():
        before, after = model.components(pictures, labels), model.components(changed, labels)
    moved = {i for i in range(5) if not torch.allclose(before[i], after[i])}
    # The mouth's window shows skin (and the nose's tip, and hair where it hangs in) beside the mouth.
    assert number in moved
    assert moved - {2} <= {number}


def test_unknown_pixels_are_background_to_the_mask_encoder(labels):
    unknown = labels.clone()
    unknown[:, :, :5] = 255
    plain = labels.clone()
    plain[:, :, :5] = 0
    assert torch.equal(one_hot(unknown), one_hot(plain))
    assert one_hot(labels).sum(dim=1).eq(1).all()


def test_latents_of_gaussians_are_their_means(labels, pictures):
    model = network(embedding="vae")
    inferred = model.embed(model.embed.cut(pictures, labels))
    assert all(torch.equal(z, g.mean) for z, g in zip(latents_of(inferred), inferred, strict=True))
    assert inferred[0].log_variance.shape == (2, 16)


@pytest.mark.parametrize("size", [32, 96])
def test_sizes_that_do_not_fit(size):
    with pytest.raises(ValueError, match="not a power of two from 64 on"):
        network(size=size)


def test_a_kept_background_starts_from_the_targets_own_pixels(labels, pictures):
    model = network(background="kept")
    latents = model.components(pictures, labels)
    for weights in model.G.G_b[-1].parameters():
        torch.nn.init.zeros_(weights)  # nothing learnt yet
    labels[0, :, :4] = 255  # beyond the photo
    wall = ((labels == 0) | (labels == 255))[:, None].expand_as(pictures)
    made = model.paint(latents, pictures, labels)
    assert torch.equal(made[wall], pictures[wall])
    assert not made[~wall].any()
    assert model.paint(latents, pictures + 3, labels).max() == 1
