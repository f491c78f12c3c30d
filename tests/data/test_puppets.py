import dataclasses
import math

import cv2
import numpy as np
import pytest

from masque.data import puppets as world
from masque.data.puppets import (
    ATTRIBUTES,
    HAIR_COLOURS,
    Puppet,
    draw_puppet,
    puppets,
    render,
    true_edit,
    true_style,
    true_swap,
    vertices,
)
from masque.errors import UnknownAttributeError, ValueRangeError
from masque.faces.detect import find_faces
from masque.faces.frame import TEMPLATE, at_scale, five_points, frame_size
from masque.faces.labels import LABELS

HEAD_FIELDS = (
    "shape",
    "male",
    "young",
    "beard",
    "skin",
    "lips",
    "iris",
    "brows",
    "pigments",
    "bald",
    "bangs",
    "length",
)


def frontal(seed: int = 3, **changes: object) -> Puppet:
    """A puppet that looks straight ahead with a closed mouth and bare forehead, unless `changes` says otherwise."""
    rest = {
        "pose": (0.0, 0.0, 0.0),
        "expression": (0.0,) * 10,
        "gaze": (0.0, 0.0),
        "bangs": 0.0,
        "bald": 0.0,
        "glasses": 0.0,
    }
    return dataclasses.replace(draw_puppet(seed), **(rest | changes))


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Where two pictures differ by more than rounding, bool (H,W)."""
    return np.abs(before.astype(int) - after.astype(int)).max(axis=2) > 2


def label_at(labels: np.ndarray, point: np.ndarray) -> str:
    x, y = np.rint(point).astype(int)
    return LABELS[labels[y, x]]


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_shapes_types_and_ranges(scale):
    width, height = frame_size(scale)
    for seed in range(4):
        made = render(draw_puppet(seed), scale)
        assert made.picture.shape == (height, width, 3)
        assert made.labels.shape == made.background.shape == (height, width)
        assert made.picture.dtype == made.labels.dtype == made.background.dtype == np.uint8
        assert made.labels.max() < len(LABELS) == 11
        assert made.picture.std() > 20
        assert (made.landmarks.shape, made.landmarks.dtype) == ((68, 2), np.float32)
        assert (made.shape.shape, made.shape.dtype) == ((30,), np.float32)
        assert (made.pose.shape, made.pose.dtype) == ((3,), np.float32)
        assert np.isfinite(made.landmarks).all()
        assert np.isfinite(made.shape).all()
        assert list(made.attributes) == list(ATTRIBUTES)
        assert all(isinstance(v, float) and 0.0 <= v <= 1.0 for v in made.attributes.values())
        assert (made.identity, made.puppet) == (seed, draw_puppet(seed))


def test_no_picture_has_holes_or_numbers_out_of_range():
    with np.errstate(all="raise", under="ignore"):
        for seed in range(500, 520):
            made = render(draw_puppet(seed))
            person = (made.background < 128).astype(np.uint8)
            closed = cv2.morphologyEx(person, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
            hull = cv2.convexHull(np.rint(made.landmarks[17:]).astype(np.int32))
            face = cv2.fillConvexPoly(np.zeros_like(person), hull, 1)
            assert face.sum() > 1500
            assert not ((closed > person) & (face > 0)).any()


def test_same_seed_gives_the_same_bits_and_another_seed_does_not():
    first, again, other = render(draw_puppet(11)), render(draw_puppet(11)), render(draw_puppet(12))
    for name in ("picture", "labels", "background", "landmarks", "shape", "pose"):
        assert np.array_equal(getattr(first, name), getattr(again, name))
    assert not np.array_equal(first.picture, other.picture)


def test_an_identity_keeps_its_person_and_the_seed_varies_the_moment():
    moments = [draw_puppet(seed, identity=5) for seed in range(8)]
    for name in HEAD_FIELDS:
        assert len({getattr(p, name) for p in moments}) == 1, name
    for name in ("expression", "pose", "light", "clothes", "backdrop"):
        assert len({getattr(p, name) for p in moments}) == 8, name
    assert draw_puppet(0, identity=6).shape != moments[0].shape


def test_draws_cover_the_range_that_is_asked_for():
    many = [draw_puppet(seed) for seed in range(300)]
    yaw = np.degrees([p.pose[0] for p in many])
    assert np.abs(yaw).max() <= 45
    assert (np.abs(yaw) > 30).mean() > 0.03
    values = dict(zip(ATTRIBUTES, np.array([attribute_values(p) for p in many]).T, strict=True))
    for name, column in values.items():
        assert (column > 0.5).mean() > 0.02, name
        assert (column < 0.5).mean() > 0.02, name
    women = values["Male"] < 0.5
    assert (values["No_Beard"][women] == 1).all()
    assert values["Gray_Hair"][values["Young"] < 0.3].mean() > 0.5 > values["Gray_Hair"][values["Young"] > 0.7].mean()


def attribute_values(p: Puppet) -> tuple[float, ...]:
    return (*p.expression[:2], *p.pigments, p.male, p.young, p.glasses, p.bald, p.bangs, 1 - p.beard)


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
    names = [*world.IDENTITY, *world.EXPRESSION]
    assert len(world.IDENTITY) == 20
    assert len(world.EXPRESSION) == 10

    def spots(name: str) -> np.ndarray:
        return vertices(np.eye(30, dtype=np.float32)[names.index(name)])[:, -71:-3] - mean[:, -71:-3]

    assert all(np.abs(vertices(np.eye(30, dtype=np.float32)[i]) - mean).max() > 0.5 for i in range(30))
    assert spots("nose length")[1, 33] < -1
    assert spots("eye spacing")[0, 36] < 0 < spots("eye spacing")[0, 45]
    assert spots("smile")[1, 48] > 2
    assert spots("brows up")[1, 19] > 2
    assert spots("mouth open")[1, 66] < -14
    assert abs(spots("mouth open")[1, 62]) < 0.5


def test_the_mouth_at_rest_is_closed_and_closed_eyes_are_shut():
    names = [*world.IDENTITY, *world.EXPRESSION]
    rest = vertices(np.zeros(30, np.float32))[:, -71:-3]
    assert np.allclose(rest[:2, [61, 62, 63]], rest[:2, [67, 66, 65]], atol=0.5)
    shut = vertices(np.eye(30, dtype=np.float32)[names.index("eyes closed")])[:, -71:-3]
    assert (rest[1, [37, 38, 43, 44]] - rest[1, [41, 40, 47, 46]] > 8).all()
    assert np.allclose(shut[1, [37, 38, 43, 44]], shut[1, [41, 40, 47, 46]], atol=0.5)


@pytest.mark.parametrize("pose", [(0.5, 0.0, 0.0), (-0.7, 0.2, 0.0), (0.3, -0.2, 0.25)])
def test_landmarks_are_the_projection_of_the_shape(pose):
    made = render(frontal(7, pose=pose, expression=(0.8, 0.4, *[0.1] * 8)))
    yaw, pitch, roll = pose
    x, y, z = vertices(made.shape)[:, -71:-3].astype(float) - np.array([[0], [-75], [-25]])
    x, z = math.cos(yaw) * x + math.sin(yaw) * z, math.cos(yaw) * z - math.sin(yaw) * x
    y, z = math.cos(pitch) * y + math.sin(pitch) * z, math.cos(pitch) * z - math.sin(pitch) * y
    x, y = math.cos(roll) * x - math.sin(roll) * y, math.sin(roll) * x + math.cos(roll) * y
    near = 1000 / (1000 - (z - 25))
    seen = np.stack([x * near, -(y - 75) * near], axis=1)
    # Equal up to the aligning similarity: one complex factor and a shift.
    za, zb = (p[:, 0] + 1j * p[:, 1] for p in (seen - seen.mean(axis=0), made.landmarks - made.landmarks.mean(axis=0)))
    assert np.abs(zb - za * np.vdot(za, zb) / np.vdot(za, za)).max() < 0.05


def test_yaw_pitch_and_gaze_have_the_documented_signs():
    poses = ((0.0, 0.0, 0.0), (0.4, 0.0, 0.0), (0.0, 0.25, 0.0))
    faces = [render(frontal(7, pose=pose)).landmarks for pose in poses]
    nose = [points[30] - five_points(points)[:2].mean(axis=0) for points in faces]
    assert nose[1][0] > nose[0][0] + 5
    assert nose[2][1] < nose[0][1] - 3

    def iris(gaze: float) -> float:
        made = render(frontal(7, gaze=(gaze, 0.0)), 2.0)
        dark = (made.labels == 4) & (made.picture.max(axis=2) < 110)
        return float(np.nonzero(dark)[1].mean())

    assert iris(0.3) > iris(0.0) + 2 > iris(-0.3) + 4


def test_eyes_and_mouth_lie_where_aligned_photos_have_them():
    errors = [
        np.linalg.norm(five_points(render(draw_puppet(seed)).landmarks) - TEMPLATE, axis=1).mean() for seed in range(20)
    ]
    assert np.mean(errors) < 3.5
    big = five_points(render(draw_puppet(2), 2.0).landmarks)
    assert np.allclose(big, at_scale(five_points(render(draw_puppet(2)).landmarks), 2.0), atol=0.05)


def test_labels_agree_with_landmarks():
    made = render(frontal(expression=(0.0, 0.8, *[0.0] * 8)), 2.0)
    points, labels = made.landmarks, made.labels
    assert set(np.unique(labels)) == set(range(11))
    assert label_at(labels, points[36:42].mean(axis=0)) == "left eye"
    assert label_at(labels, points[42:48].mean(axis=0)) == "right eye"
    assert label_at(labels, points[30]) == "nose"
    assert label_at(labels, points[19] + (0, 3)) == "left brow"
    assert label_at(labels, points[24] + (0, 3)) == "right brow"
    assert label_at(labels, points[[51, 62]].mean(axis=0)) == "upper lip"
    assert label_at(labels, points[[62, 66]].mean(axis=0)) == "mouth"
    assert label_at(labels, points[[57, 66]].mean(axis=0)) == "lower lip"
    assert label_at(labels, points[[8, 57]].mean(axis=0)) == "skin"
    assert label_at(labels, points[27] - (0, 110)) == "hair"
    eye = cv2.fillPoly(np.zeros_like(labels), [np.rint(points[36:42]).astype(np.int32)], 1) > 0
    both = ((labels == 4) & eye).sum() / ((labels == 4) | eye).sum()
    assert both > 0.7


def test_a_closed_mouth_shows_no_inside_and_clothes_are_not_background_of_the_photo():
    made = render(frontal())
    assert (made.labels == 8).sum() <= 4
    clothes = (made.labels == 0) & (made.background == 0)
    assert clothes[-10:].mean() > 0.3
    assert (made.background[made.labels > 0] < 255).all()
    assert made.background[:10, :20].min() == 255


def test_labels_of_two_scales_agree():
    for seed in range(3):
        small, big = render(draw_puppet(seed)), render(draw_puppet(seed), 2.0)
        assert (small.labels == big.labels[::2, ::2]).mean() > 0.97
        shrunk = cv2.resize(big.picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        assert np.abs(shrunk.astype(int) - small.picture).mean() < 3


def test_pictures_of_all_scales_share_one_pixel_convention():
    puppet = frontal(14, length=0.0)
    head = {}
    for scale in (1.0, 3.0):
        rows = slice(0, round(150 * scale))
        cover = 255.0 - render(puppet, scale).background[rows]
        y, x = np.mgrid[: cover.shape[0], : cover.shape[1]]
        head[scale] = np.array([(cover * x).sum(), (cover * y).sum()]) / cover.sum()
    assert np.allclose(at_scale(head[1.0], 3.0), head[3.0], atol=0.15)


def test_swapping_a_puppet_with_itself_changes_nothing():
    for seed in range(10):
        assert true_swap(draw_puppet(seed), draw_puppet(seed)) == draw_puppet(seed)


def test_a_swap_has_the_face_of_one_and_all_else_of_the_other():
    face, hair = frontal(14), frontal(10, pose=(0.2, 0.0, 0.0))
    swapped = true_swap(face, hair)
    a, b, both = render(face), render(hair), render(swapped)
    assert both.identity == face.identity
    assert np.array_equal(both.shape, a.shape)
    assert np.array_equal(both.pose, b.pose)
    for name in ("Male", "Young", "No_Beard", "Eyeglasses", "Smiling"):
        assert both.attributes[name] == a.attributes[name]
    for name in (*HAIR_COLOURS, "Bald", "Bangs"):
        assert both.attributes[name] == b.attributes[name]
    for name in ("light", "key", "clothes", "backdrop", "pattern", "length", "volume"):
        assert getattr(swapped, name) == getattr(hair, name)
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
        old, new = (dict(zip(ATTRIBUTES, attribute_values(p), strict=True)) for p in (before, edited))
        assert new[attribute] == pytest.approx(value)
        others = [
            name
            for name in ATTRIBUTES
            if name != attribute and not (attribute in HAIR_COLOURS and name in HAIR_COLOURS)
        ]
        assert all(old[name] == new[name] for name in others)
        assert sum(edited.pigments) <= 1 + 1e-9
        if attribute in HAIR_COLOURS:
            assert all(new[name] <= old[name] for name in HAIR_COLOURS if name != attribute)


def test_full_hair_colour_leaves_nothing_of_the_others():
    blond = true_edit(draw_puppet(0), "Blond_Hair", 1.0)
    assert blond.pigments == (0.0, 1.0, 0.0, 0.0)
    assert true_edit(blond, "Black_Hair", 0.25).pigments == pytest.approx((0.25, 0.75, 0.0, 0.0))


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
    puppet = frontal(7, beard=0.0)
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
    puppet = frontal(7, length=0.0)
    rest = render(puppet)
    smiling, opened = (render(true_edit(puppet, name, 1.0)) for name in ("Smiling", "Mouth_Slightly_Open"))

    def width(points: np.ndarray) -> float:
        return float(points[54, 0] - points[48, 0]) / float(points[45, 0] - points[36, 0])

    assert width(smiling.landmarks) > 1.08 * width(rest.landmarks)
    assert (opened.labels == 8).sum() > 60 > 4 >= (rest.labels == 8).sum()
    bald, bangs = (render(true_edit(puppet, name, 1.0)) for name in ("Bald", "Bangs"))
    assert (bald.labels == 10).sum() == 0 < (rest.labels == 10).sum()
    assert (bangs.labels == 10).sum() > 1.3 * (rest.labels == 10).sum()
    long = render(dataclasses.replace(puppet, length=1.0))
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


def test_the_z_buffer_agrees_with_a_loop_over_every_sample_and_triangle():
    rng = np.random.default_rng(1)
    width, height, count = 37, 29, 40
    values = np.concatenate([rng.uniform(-5, 42, (2, 3 * count)), rng.uniform(-90, 90, (6, 3 * count))]).astype(
        np.float32
    )
    triangles = np.arange(3 * count, dtype=np.int32).reshape(-1, 3)
    covered, won, seen = world._rasterise(values, triangles, width, height)
    expected, depths = np.full(width * height, -1), np.full(width * height, -np.inf)
    close = np.zeros(width * height, bool)  # samples on an edge or between two equal depths, where rounding decides
    y, x = np.divmod(np.arange(width * height), width)
    for number, (a, b, c) in enumerate(values[:3, t].T.astype(float) for t in triangles):
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if area >= 0:
            continue
        wb = ((x - a[0]) * (c[1] - a[1]) - (y - a[1]) * (c[0] - a[0])) / area
        wc = ((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) / area
        inside = np.minimum(np.minimum(wb, wc), 1 - wb - wc)
        depth = a[2] + wb * (b[2] - a[2]) + wc * (c[2] - a[2])
        close |= (np.abs(inside) < 1e-3) | (inside > 0) & (np.abs(depth - depths) < 1e-2)
        nearer = (inside > 0) & (depth > depths)
        expected[nearer], depths[nearer] = number, depth[nearer]
    found = np.full(width * height, -1)
    found[covered] = won
    assert (expected >= 0).mean() > 0.5
    assert np.array_equal(found[~close], expected[~close])
    assert close.mean() < 0.05
    sure = ~close[covered]
    assert np.allclose(seen[0][sure], (covered % width)[sure], atol=1e-2)
    assert np.allclose(seen[2][sure], depths[covered][sure], atol=1e-2)


def test_dlib_finds_the_faces_and_agrees_about_the_landmarks():
    near_frontal = [p for p in (draw_puppet(seed) for seed in range(60)) if abs(p.pose[0]) <= math.radians(25)][:40]
    assert len(near_frontal) >= 30
    errors = []
    for puppet in near_frontal:
        made = render(puppet)
        faces = find_faces(made.picture)
        if faces:
            errors.append(np.linalg.norm(faces[0].landmarks - made.landmarks, axis=1).mean())
    assert len(errors) >= 0.95 * len(near_frontal)
    assert np.mean(errors) <= 4


def test_a_true_style_keeps_every_outline_and_takes_the_colours():
    a, b = draw_puppet(11), draw_puppet(12)
    before, styled, other = render(a, 0.5), render(true_style(a, b), 0.5), render(b, 0.5)
    assert (styled.labels == before.labels).all()
    assert (styled.landmarks == before.landmarks).all()
    assert np.array_equal(styled.picture[before.background == 255], before.picture[before.background == 255])
    assert styled.puppet.pigments == other.puppet.pigments
    assert true_style(a, a) == a
    assert np.abs(styled.picture[before.labels == 1].astype(int) - before.picture[before.labels == 1]).mean() > 5
