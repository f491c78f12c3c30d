"""What a puppet is, and what the true swap, edit and style of puppets change: exactly what they say."""

from __future__ import annotations

import dataclasses
import inspect
import sys

import cv2
import numpy as np
import pytest
from still_puppets import still_puppet, with_changes

from masque.data.puppets import (
    ATTRIBUTES,
    EXPRESSION,
    HAIR_COLOURS,
    IDENTITY,
    LANDMARKS,
    Pose,
    Puppet,
    attributes_of,
    draw_puppet,
    puppets,
    render,
    true_edit,
    true_style,
    true_swap,
    vertices,
)
from masque.errors import UnknownAttributeError, ValueRangeError
from masque.faces.labels import LABELS

PERSON = ("identity", "shape", "male", "young", "beard", "skin", "lips", "iris", "brows")
"""Fields of the face that a person has in every picture."""

MOMENT = ("expression", "gaze", "glasses")
"""Fields of the face that change from picture to picture."""

HAIR = ("pigments", "bald", "bangs", "length", "volume", "sweep")

SURROUNDINGS = ("pose", "light", "clothes", "backdrop")


@pytest.fixture(autouse=True)
def _really_rendered(monkeypatch):
    """Here nothing is remembered of what was rendered before."""
    for module in (sys.modules[__name__], sys.modules["masque.data.puppets.render"]):
        monkeypatch.setattr(module, "render", inspect.unwrap(render))


def fields(puppet: Puppet) -> dict[str, object]:
    """All fields of a puppet, of its face and of its hair by name."""
    found: dict[str, object] = {}
    for holder in (puppet, puppet.face, puppet.hair):
        found |= {f.name: getattr(holder, f.name) for f in dataclasses.fields(holder)}
    return {name: value for name, value in found.items() if name not in ("face", "hair")}


def differing(a: Puppet, b: Puppet) -> set[str]:
    mine, other = fields(a), fields(b)
    return {name for name in mine if mine[name] != other[name]}


def test_every_field_is_the_persons_the_moments_or_the_hairs():
    assert sorted(fields(draw_puppet(0))) == sorted((*PERSON, *MOMENT, *HAIR, *SURROUNDINGS))


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Where two pictures differ by more than rounding, bool (H,W)."""
    return np.abs(before.astype(int) - after.astype(int)).max(axis=2) > 2


def test_an_identity_keeps_its_person_and_the_seed_varies_the_moment():
    moments = [draw_puppet(seed, identity=5) for seed in range(8)]
    for name in (*PERSON, *HAIR):
        assert len({fields(p)[name] for p in moments}) == 1, name
    for name in ("expression", "gaze", *SURROUNDINGS):
        assert len({fields(p)[name] for p in moments}) == 8, name
    assert draw_puppet(0, identity=6).face.shape != moments[0].face.shape


def numbers(value: object) -> list[float]:
    """All numbers with a point in a puppet, however deep."""
    if isinstance(value, tuple):
        return [number for part in value for number in numbers(part)]
    return [value] if isinstance(value, float) else []


def test_seeds_mean_the_same_puppets_in_every_version():
    """Every score on puppets rests on it. Sums and powers of numbers that numpy draws: the same on all processors, but
    for the last bits."""
    many = [draw_puppet(seed) for seed in range(300)]
    values = np.array([numbers(dataclasses.astuple(puppet)) for puppet in many])
    assert values.shape == (300, 74)
    assert values.mean() == pytest.approx(0.1744715712708623, rel=1e-9)
    assert np.square(values).mean() == pytest.approx(0.37781079082449226, rel=1e-9)
    assert np.abs(values).max(axis=0).sum() == pytest.approx(75.69520608537154, rel=1e-9)
    assert sum(puppet.backdrop.pattern for puppet in many) == 158686778538


def test_draws_cover_the_range_that_is_asked_for():
    many = [draw_puppet(seed) for seed in range(300)]
    yaw = np.degrees([p.pose.yaw for p in many])
    assert np.abs(yaw).max() <= 45
    assert (np.abs(yaw) > 30).mean() > 0.03
    values = dict(zip(ATTRIBUTES, np.array([list(attributes_of(p).values()) for p in many]).T, strict=True))
    for name, column in values.items():
        assert (column > 0.5).mean() > 0.02, name
        assert (column < 0.5).mean() > 0.02, name
    women = values["Male"] < 0.5
    assert (values["No_Beard"][women] == 1).all()
    assert values["Gray_Hair"][values["Young"] < 0.3].mean() > 0.5 > values["Gray_Hair"][values["Young"] > 0.7].mean()


def test_puppets_come_in_order_grouped_by_identity():
    made = list(puppets(5, per_identity=2, scale=0.5))
    groups = [m.identity for m in made]
    assert groups[0] == groups[1] != groups[2] == groups[3] != groups[4]
    for one, again in zip(made[:2], puppets(2, per_identity=2, scale=0.5), strict=True):
        assert np.array_equal(one.picture, again.picture)
    assert next(puppets(1, seed=1, scale=0.5)).identity not in groups


def test_shape_model_is_linear_with_named_directions():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 30)).astype(np.float32)
    mean = vertices(np.zeros(30, np.float32))
    assert np.allclose(vertices(a + 2 * b) - mean, (vertices(a) - mean) + 2 * (vertices(b) - mean), atol=2e-3)
    names = [*IDENTITY, *EXPRESSION]
    assert len(IDENTITY) == 20
    assert len(EXPRESSION) == 10

    def spots(name: str) -> np.ndarray:
        return vertices(np.eye(30, dtype=np.float32)[names.index(name)])[:, LANDMARKS] - mean[:, LANDMARKS]

    assert all(np.abs(vertices(np.eye(30, dtype=np.float32)[i]) - mean).max() > 0.5 for i in range(30))
    assert spots("nose length")[1, 33] < -1
    assert spots("eye spacing")[0, 36] < 0 < spots("eye spacing")[0, 45]
    assert spots("smile")[1, 48] > 2
    assert spots("brows up")[1, 19] > 2
    assert spots("mouth open")[1, 66] < -14
    assert abs(spots("mouth open")[1, 62]) < 0.5


def test_the_mouth_at_rest_is_closed_and_closed_eyes_are_shut():
    names = [*IDENTITY, *EXPRESSION]
    rest = vertices(np.zeros(30, np.float32))[:, LANDMARKS]
    assert np.allclose(rest[:2, [61, 62, 63]], rest[:2, [67, 66, 65]], atol=0.5)
    shut = vertices(np.eye(30, dtype=np.float32)[names.index("eyes closed")])[:, LANDMARKS]
    assert (rest[1, [37, 38, 43, 44]] - rest[1, [41, 40, 47, 46]] > 8).all()
    assert np.allclose(shut[1, [37, 38, 43, 44]], shut[1, [41, 40, 47, 46]], atol=0.5)


def test_swapping_a_puppet_with_itself_changes_nothing():
    for seed in range(10):
        assert true_swap(draw_puppet(seed), draw_puppet(seed)) == draw_puppet(seed)


def test_a_swap_takes_every_field_from_one_of_the_two():
    for seed in range(10):
        face, hair = draw_puppet(seed), draw_puppet(100 + seed)
        swapped, theirs, others = (fields(p) for p in (true_swap(face, hair), face, hair))
        assert {n: swapped[n] for n in (*PERSON, *MOMENT)} == {n: theirs[n] for n in (*PERSON, *MOMENT)}
        assert {n: swapped[n] for n in (*HAIR, *SURROUNDINGS)} == {n: others[n] for n in (*HAIR, *SURROUNDINGS)}


def test_swapping_back_gives_the_first_puppet():
    for seed in range(10):
        face, hair = draw_puppet(seed), draw_puppet(100 + seed)
        assert true_swap(hair, true_swap(face, hair)) == hair
        assert true_swap(true_swap(face, hair), face) == face


def test_a_swap_shows_the_parts_of_the_one_face_among_the_others_hair():
    """From the same side, so that the parts of the face lie at the same pixels as in the face's own picture."""
    for seed in (3, 7, 14):
        face, hair = still_puppet(seed), still_puppet(seed + 1)
        a, b, both = (render(p) for p in (face, hair, true_swap(face, hair)))
        parts = np.isin(a.labels, [LABELS.index(n) for n in LABELS if n not in ("background", "skin", "hair")])
        assert parts.sum() > 700
        assert np.array_equal(both.labels[parts], a.labels[parts])
        assert np.array_equal(both.landmarks, a.landmarks)
        assert not np.array_equal(both.landmarks, b.landmarks)
        # Lit as the hair's picture is: the face's own person under that light.
        relit = render(dataclasses.replace(face, light=hair.light, clothes=hair.clothes, backdrop=hair.backdrop))
        inner = cv2.erode(parts.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        assert np.abs(both.picture.astype(int) - relit.picture)[inner].max() <= 2


def test_an_edit_and_a_style_change_the_fields_that_they_name_and_no_other():
    """A picture depends on nothing but the fields."""
    changes = {
        "Smiling": {"expression"},
        "Mouth_Slightly_Open": {"expression"},
        **{name: {"pigments"} for name in HAIR_COLOURS},
        "Male": {"male"},
        "Young": {"young"},
        "Eyeglasses": {"glasses"},
        "Bald": {"bald"},
        "Bangs": {"bangs"},
        "No_Beard": {"beard"},
    }
    assert list(changes) == list(ATTRIBUTES)
    puppet = draw_puppet(14)
    for name, wanted in changes.items():
        assert differing(puppet, true_edit(puppet, name, 0.37)) == wanted
    smiling = true_edit(puppet, "Smiling", 0.37).face.expression
    assert smiling == (0.37, *puppet.face.expression[1:])
    styled = true_style(puppet, draw_puppet(15))
    assert differing(puppet, styled) == {"skin", "lips", "iris", "brows", "pigments"}
    assert not differing(draw_puppet(15), styled) & {"skin", "lips", "iris", "brows", "pigments"}


def test_a_swap_has_the_face_of_one_and_all_else_of_the_other():
    face, hair = still_puppet(14), still_puppet(10, pose=Pose(0.2, 0.0, 0.0))
    swapped = true_swap(face, hair)
    a, b, both = render(face), render(hair), render(swapped)
    assert both.identity == face.face.identity
    assert np.array_equal(both.shape, a.shape)
    assert np.array_equal(both.pose, b.pose)
    for name in ("Male", "Young", "No_Beard", "Eyeglasses", "Smiling"):
        assert both.attributes[name] == a.attributes[name]
    for name in (*HAIR_COLOURS, "Bald", "Bangs"):
        assert both.attributes[name] == b.attributes[name]
    hairs = [m.picture[m.labels == 10].astype(float) for m in (a, b, both)]
    means = [colours.mean(axis=0) for colours in hairs]
    assert np.abs(means[2] - means[1]).max() < 6 < 20 < np.abs(means[2] - means[0]).max()
    assert np.abs(hairs[2].std(axis=0) - hairs[1].std(axis=0)).max() < 6
    outside = (b.background == 255) & (both.background == 255)
    assert np.array_equal(b.picture[outside], both.picture[outside])


@pytest.mark.parametrize("attribute", ATTRIBUTES)
@pytest.mark.parametrize("value", [0.0, 0.4, 1.0])
def test_an_edit_sets_its_attribute_and_no_other(attribute, value):
    for seed in (0, 1, 7):
        before = draw_puppet(seed)
        edited = true_edit(before, attribute, value)
        old, new = attributes_of(before), attributes_of(edited)
        assert new[attribute] == pytest.approx(value)
        others = [
            name
            for name in ATTRIBUTES
            if name != attribute and not (attribute in HAIR_COLOURS and name in HAIR_COLOURS)
        ]
        assert all(old[name] == new[name] for name in others)
        assert sum(edited.hair.pigments) <= 1 + 1e-9
        if attribute in HAIR_COLOURS:
            assert all(new[name] <= old[name] for name in HAIR_COLOURS if name != attribute)


def test_full_hair_colour_leaves_nothing_of_the_others():
    blond = true_edit(draw_puppet(0), "Blond_Hair", 1.0)
    assert blond.hair.pigments == (0.0, 1.0, 0.0, 0.0)
    assert true_edit(blond, "Black_Hair", 0.25).hair.pigments == pytest.approx((0.25, 0.75, 0.0, 0.0))


@pytest.mark.parametrize(
    ("attribute", "before", "after", "where"),
    [
        ("Blond_Hair", 0.0, 1.0, ("hair",)),
        ("Black_Hair", 0.0, 1.0, ("hair",)),
        ("No_Beard", 1.0, 0.0, ("skin", "nose", "upper lip", "lower lip")),
        ("Young", 1.0, 0.0, ("skin", "nose", "left brow", "right brow")),
    ],
)
def test_an_edit_paints_only_where_it_should(attribute, before, after, where):
    puppet = still_puppet(7, beard=0.0)
    a, b = (render(true_edit(puppet, attribute, v)) for v in (before, after))
    touched = changed(a.picture, b.picture)
    allowed = np.isin(a.labels, [LABELS.index(name) for name in where]).astype(np.uint8)
    # An edge pixel shows both sides of the edge.
    allowed = cv2.dilate(allowed, np.ones((3, 3), np.uint8)) > 0
    assert touched.sum() > 150
    assert (touched & ~allowed).sum() <= 0.02 * touched.sum()
    assert np.array_equal(a.landmarks, b.landmarks)
    assert np.array_equal(a.labels, b.labels)


def test_edits_of_shape_and_hair_do_what_they_say():
    puppet = still_puppet(7, length=0.0)
    rest = render(puppet)
    smiling, opened = (render(true_edit(puppet, name, 1.0)) for name in ("Smiling", "Mouth_Slightly_Open"))

    def width(points: np.ndarray) -> float:
        return float(points[54, 0] - points[48, 0]) / float(points[45, 0] - points[36, 0])

    assert width(smiling.landmarks) > 1.08 * width(rest.landmarks)
    assert (opened.labels == 8).sum() > 60 > 4 >= (rest.labels == 8).sum()
    bald, bangs = (render(true_edit(puppet, name, 1.0)) for name in ("Bald", "Bangs"))
    assert (bald.labels == 10).sum() == 0 < (rest.labels == 10).sum()
    assert (bangs.labels == 10).sum() > 1.3 * (rest.labels == 10).sum()
    long = render(with_changes(puppet, length=1.0))
    assert (long.labels == 10)[150:].sum() > 300 + (rest.labels == 10)[150:].sum()
    glasses = render(true_edit(puppet, "Eyeglasses", 1.0))
    rows, _ = np.nonzero(changed(rest.picture, glasses.picture))
    assert len(rows) > 100
    assert abs(rows.mean() - rest.landmarks[36:48, 1].mean()) < 6
    woman, man = (render(true_edit(puppet, "Male", v)) for v in (0.0, 1.0))
    assert np.ptp(man.landmarks[4:13, 0]) > np.ptp(woman.landmarks[4:13, 0]) + 1
    assert (man.labels == 2).sum() > (woman.labels == 2).sum()


def test_wrong_attributes_and_values_are_refused_with_help():
    with pytest.raises(UnknownAttributeError, match="Smiling"):
        true_edit(draw_puppet(0), "Smilin", 1.0)
    for value in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueRangeError, match="Young"):
            true_edit(draw_puppet(0), "Young", value)


def test_a_true_style_keeps_every_outline_and_takes_the_colours():
    a, b = draw_puppet(11), draw_puppet(12)
    before, styled, other = render(a, 0.5), render(true_style(a, b), 0.5), render(b, 0.5)
    assert (styled.labels == before.labels).all()
    assert (styled.landmarks == before.landmarks).all()
    assert np.array_equal(styled.picture[before.background == 255], before.picture[before.background == 255])
    assert styled.puppet.hair.pigments == other.puppet.hair.pigments
    assert true_style(a, a) == a
    assert np.abs(styled.picture[before.labels == 1].astype(int) - before.picture[before.labels == 1]).mean() > 5
