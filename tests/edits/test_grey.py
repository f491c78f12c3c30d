"""A black-and-white photo comes back black and white from every edit, unless a colour was asked for."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from masque import runs
from masque.edits.augment import augment
from masque.edits.faces_for import faces_for
from masque.edits.grey import requested_colour
from masque.edits.invert import Options
from masque.edits.latents import read_latent
from masque.edits.loaded import AttributeEditor, LatentEditor, PhotoEditor, PortraitEditor
from masque.edits.warp import swap_by_warping
from masque.faces.labels import LABELS
from masque.faces.tones import fade, is_grey
from masque.image import Picture, read_picture, write_picture
from masque.loading import installed_parser
from tiny import puppet_photo, tiny_session

pytestmark = pytest.mark.usefixtures("unrecognised")


def in_grey(picture: Picture) -> Picture:
    return np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def spread(picture: Picture) -> np.ndarray:
    return picture.max(axis=2) - picture.min(axis=2)


@pytest.fixture(scope="module")
def colour() -> Picture:
    return puppet_photo(3, 240, 300)


@pytest.fixture(scope="module")
def grey() -> Picture:
    return in_grey(puppet_photo(1, 240, 300))


@pytest.fixture(scope="module")
def parser():
    return installed_parser()


@pytest.fixture(scope="module")
def loaded(parser, synthesizer):
    """Untrained networks, which paint in all colours."""

    def tiny(family):
        return runs.build_recipe(runs.plan(family, "tiny")).model

    rsgan = tiny_session()
    rsgan.parser = parser
    translator = AttributeEditor(
        tiny("ccagan"),
        "ccagan",
        "0" * 16,
        classify=lambda frames: [{"Male": 0.25, "Young": 0.75}] * len(frames),
        parser=parser,
    )
    painter = PortraitEditor(tiny("portrait"), "portrait", "0" * 16, parser=parser)
    return rsgan, translator, painter, LatentEditor(tiny("progan"), "progan", "0" * 16), synthesizer


UNASKED: dict[str, Callable] = {
    "swap": lambda m, g, c: m[0].swap(c, g),
    "swap, whole crop": lambda m, g, c: m[0].swap(c, g, stitch="none"),
    "swap, network": lambda m, g, c: m[0].swap(c, g, stitch="none", detail="network"),
    "swap, a colour of hair that is not shown": lambda m, g, c: m[0].swap(c, g, attributes={"Blond_Hair": 1}),
    "warp": lambda m, g, c: swap_by_warping(c, g),  # noqa: ARG005
    "edit": lambda m, g, c: m[0].edit(g, {"Smiling": 1}),  # noqa: ARG005
    "edit, network": lambda m, g, c: m[0].edit(g, {"Smiling": 1}, detail="network"),  # noqa: ARG005
    "edit, black hair": lambda m, g, c: m[0].edit(g, {"Black_Hair": 1, "Blond_Hair": 0}),  # noqa: ARG005
    "random hair": lambda m, g, c: m[0].random(g, "hair", count=2),  # noqa: ARG005
    "random face": lambda m, g, c: m[0].random(g, "face", count=2),  # noqa: ARG005
    "blend": lambda m, g, c: m[0].blend(g, g[:, ::-1], steps=3),  # noqa: ARG005
    "blend, a part of a coloured one": lambda m, g, c: m[0].blend(g, c, part="face", steps=3),
    "translate": lambda m, g, c: m[1].edit(g, {"Male": 1}),  # noqa: ARG005
    "translate, network": lambda m, g, c: m[1].edit(g, {"Young": 0}, detail="network"),  # noqa: ARG005
    "repaint": lambda m, g, c: m[2].repaint(g, shape_from=c, part="mouth"),
    "repaint, network": lambda m, g, c: m[2].repaint(g, shape_from=c, detail="network"),
    "transfer from a grey one": lambda m, g, c: m[2].transfer(g, in_grey(c), part="skin"),
    "synthesize": lambda m, g, c: m[4].synthesize(g, 2),  # noqa: ARG005
    "another's expression": lambda m, g, c: m[4].modify(g, expression_from=c),
    "turned": lambda m, g, c: m[4].modify(g, [-20.0, 20.0]),  # noqa: ARG005
    "frontalize": lambda m, g, c: m[4].frontalize(g),  # noqa: ARG005
    "mix": lambda m, g, c: m[4].mix(g, c, 3),
    "mix, network": lambda m, g, c: m[4].mix(g, c, 3, detail="network"),
    "blend, network": lambda m, g, c: m[0].blend(g, c, part="hair", steps=3, detail="network"),
}

ASKED: dict[str, Callable] = {
    "swap, hair": lambda m, g, c: m[0].swap(c, g, stitch="none", attributes={"Blond_Hair": 1}),
    "edit, blond hair": lambda m, g, c: m[0].edit(g, {"Blond_Hair": 1, "Smiling": 1}),  # noqa: ARG005
    "translate, brown hair": lambda m, g, c: m[1].edit(g, {"Brown_Hair": 0.5}, detail="network"),  # noqa: ARG005
    "transfer": lambda m, g, c: m[2].transfer(g, c, part="skin"),
    "light": lambda m, g, c: m[4].modify(g, light_from=c),
    "blend": lambda m, g, c: m[0].blend(g, c, steps=3),
    "sheet": lambda m, g, c: m[1].sheet(g, detail="network"),  # noqa: ARG005
}


@pytest.mark.parametrize("edit", UNASKED)
def test_no_colour_comes_from_nowhere(edit, loaded, grey, colour):
    result = UNASKED[edit](loaded, grey, colour)
    assert int(spread(result.picture).max()) == 0
    assert result.record["black_and_white"] == "kept"


@pytest.mark.parametrize("edit", ASKED)
def test_a_colour_comes_that_was_asked_for(edit, loaded, grey, colour):
    result = ASKED[edit](loaded, grey, colour)
    assert int(spread(result.picture).max()) > 5
    assert result.record["black_and_white"] == "coloured as asked"


def test_a_coloured_photo_keeps_its_colours_and_its_record_says_nothing_of_it(loaded, grey, colour):
    for result in (
        loaded[0].swap(grey, colour),
        loaded[0].edit(colour, {"Smiling": 1}),
        loaded[2].transfer(colour, grey, part="skin"),
    ):
        assert "black_and_white" not in result.record
        assert spread(result.picture).mean() > 5


def test_a_hair_colour_shows_in_the_hair_alone(loaded, parser, grey):
    result = loaded[0].edit(grey, {"Blond_Hair": 1}, detail="network")
    labels = parser.parse(grey).labels
    assert (
        spread(result.picture)[labels == LABELS.index("hair")].mean()
        > 4 * spread(result.picture)[labels == LABELS.index("nose")].mean()
    )


def test_what_the_edit_does_not_change_of_a_noisy_grey_photo_stays_bit_for_bit(loaded, grey):
    noise = np.random.default_rng(0).integers(-2, 3, grey.shape)
    noisy = np.clip(grey.astype(int) + noise, 0, 255).astype(np.uint8)
    result = loaded[0].edit(noisy, {"Smiling": 1})
    changed = (result.picture != noisy).any(axis=2)
    assert 0 < changed.mean() < 1
    assert int(spread(result.picture)[changed].max()) == 0


def test_latents_know_that_their_photos_are_grey(loaded, grey, colour, tmp_path):
    latents, search = loaded[3], Options(iterations=2, detail=2)
    found = latents.find(grey, search)
    one = read_latent(found.save(tmp_path / "one.safetensors"))
    two = latents.find(colour, search)
    assert (one.grey, two.grey, latents.average([one, one], "both").grey, latents.average([one, two], "both").grey) == (
        True,
        False,
        True,
        False,
    )
    # A latent from a file has no photo: its own picture is passed. One that was found has.
    alone = latents.combine([one, one])
    assert (int(spread(alone.picture).max()), alone.record["black_and_white"]) == (0, "kept")
    assert int(spread(latents.combine([one, two]).picture).max()) > 0
    frames = [int(spread(frame).max()) for frame in latents.morph([one, two], 3)]
    assert frames[0] == 0 < frames[1] < frames[2]
    plain = next(iter(latents.pictures(two.z[None])))
    networks = list(latents.morph([one, two], 3, detail="network"))
    assert (networks[-1] == plain).all()
    assert [int(spread(frame).max()) > 0 for frame in networks] == [False, True, True]
    assert max(int(spread(frame).max()) for frame in latents.morph([one, one], 2, loop=True)) == 0


def test_faces_for_a_label_map_have_the_tones_of_their_styles(loaded, parser, grey, colour):
    sheet = faces_for(loaded[2], parser.parse(colour).labels, [grey, colour]).picture
    size = loaded[2].size
    assert int(spread(sheet[-size:, size + 2 : 2 * size + 2]).max()) == 0
    assert int(spread(sheet[-size:, -size:]).max()) > 0


def test_new_pictures_of_a_person_are_grey_where_the_photo_is(loaded, grey, colour, tmp_path):
    for name, photo in (("anna", grey), ("ben", colour)):
        (tmp_path / "people" / name).mkdir(parents=True)
        for number in range(2):
            write_picture(tmp_path / "people" / name / f"{number}.png", photo)
    augment(loaded[4], tmp_path / "people", tmp_path / "more", per_picture=1, workers=1)
    for name, wanted in (("anna", True), ("ben", False)):
        (new,) = (tmp_path / "more" / name).glob("0*new1*")
        assert (int(spread(read_picture(new)).max()) == 0) == wanted


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "PNG"])
def test_grey_is_seen_in_any_file(kind, grey, colour):
    for picture, wanted in ((grey, True), (colour, False)):
        for mode in ("RGB", "L") if wanted and kind != "WEBP" else ("RGB",):
            stream = BytesIO()
            Image.fromarray(picture).convert(mode).save(stream, kind)
            assert is_grey(np.asarray(Image.open(stream).convert("RGB"))) == wanted


def test_noise_is_no_colour_and_dim_light_is_no_grey(grey, colour):
    for level in (2, 4, 8):
        noise = np.random.default_rng(level).normal(0, level, grey.shape)
        assert is_grey(np.clip(np.rint(grey + noise), 0, 255).astype(np.uint8))
    for light in (0.5, 0.25, 0.15):
        assert not is_grey((light * colour).astype(np.uint8))
        assert is_grey((light * grey).astype(np.uint8))
        assert not is_grey((255 - light * (255 - colour.astype(float))).astype(np.uint8))  # snow


def test_a_tinted_picture_is_not_black_and_white(grey):
    assert not is_grey(np.clip(grey * np.array([1.07, 1.0, 0.82]), 0, 255).astype(np.uint8))


def test_fading_takes_colour_and_leaves_light(colour):
    assert (fade(colour, 1.0) == colour).all()
    assert (fade(colour, 0.0) == in_grey(colour)).all()
    half = fade(colour, 0.5).astype(int)
    assert np.abs(half - (colour.astype(int) + in_grey(colour)) / 2).max() <= 0.5
    left = np.zeros(colour.shape[:2], np.float32)
    left[:, :100] = 1
    assert (fade(colour, left)[:, :100] == colour[:, :100]).all()
    assert (fade(colour, left)[:, 100:] == in_grey(colour)[:, 100:]).all()


def test_which_attributes_ask_for_a_colour():
    shares = np.zeros((11, 4, 4), np.float32)
    shares[LABELS.index("hair"), :2] = 1
    hair = shares[LABELS.index("hair")]
    assert (requested_colour({"Blond_Hair": 0.3}, shares) == hair).all()
    assert (requested_colour({"Wearing_Lipstick": 1}, shares) == 1 - hair).all()
    assert requested_colour({"Wearing_Lipstick": 1, "Brown_Hair": 1}, shares) == 1
    assert requested_colour({"Blond_Hair": 1}, None) == 1
    assert requested_colour({"Blond_Hair": 0, "Black_Hair": 1, "Gray_Hair": 1, "Smiling": 1}, shares) == 0


def test_dyeing_the_hair_of_a_grey_photo_says_that_no_colour_comes(photo: Picture, editor: PhotoEditor) -> None:
    made = editor.edit(in_grey(photo), {"Hair": "red"})
    assert any("black and white" in note for note in made.texts("notes"))
    assert not any("black and white" in note for note in editor.edit(photo, {"Hair": "red"}).texts("notes"))
