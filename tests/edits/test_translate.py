"""Editing photos by translation: hair colours that exclude one another, what the record says, and that only the change
is added."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import masque
from masque import modelfile, runs
from masque.config import as_dict
from masque.edits.ccagan import paint_edits
from masque.edits.loaded import AttributeEditor
from masque.edits.sheet import CELL
from masque.edits.subject import exclude_rivals
from masque.errors import NoFaceError, UnknownAttributeError, ValueRangeError
from masque.models.ccagan import HAIR_COLOURS

pytestmark = pytest.mark.usefixtures("unrecognised")


NAMES = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")


@pytest.fixture(scope="module")
def translator():
    recipe = runs.build_recipe(runs.plan("ccagan", "tiny"))
    return AttributeEditor(
        recipe.model, "ccagan", "0" * 16, classify=lambda frames: [{"Male": 0.25, "Young": 0.75}] * len(frames)
    )


@pytest.fixture(scope="module")
def photo(photos):
    return np.ascontiguousarray(photos["astronaut"][:300, 80:380])


def told_to(translator, monkeypatch):
    """The attributes that the generator is told from here on, a row per picture; it paints the mean of them as grey."""
    told = []

    def edit(s, t, _person):
        told.append(t[0].tolist())
        return torch.full_like(s, 2 * float(t.mean()) - 1)

    monkeypatch.setattr(translator.model, "edit", edit)
    return told


def test_what_the_generator_is_told(translator, photo, monkeypatch):
    told = told_to(translator, monkeypatch)
    result = translator.edit(photo, {"Blond_Hair": 0.9, "Young": 0.0})
    own, wanted = (dict(zip(NAMES, row, strict=True)) for row in told)
    assert (own["Male"], own["Young"]) == (0.25, 0.75)  # the classifier's word
    assert own["Brown_Hair"] > 0.3 > own["Black_Hair"]  # the astronaut's hair
    assert (wanted["Blond_Hair"], wanted["Young"], wanted["Male"]) == (pytest.approx(0.9), 0, 0.25)
    assert wanted["Brown_Hair"] == pytest.approx(0.1)
    assert result.record["also"] == {"Brown_Hair": 0.1} | ({"Black_Hair": 0.1} if own["Black_Hair"] > 0.1 else {})
    assert result.record["attributes"] == {"Blond_Hair": 0.9, "Young": 0.0}
    assert result.record["estimated"] == {name: round(value, 3) for name, value in own.items()}


def test_only_the_change_is_added_to_the_photo(translator, photo, monkeypatch):
    told = told_to(translator, monkeypatch)
    result = translator.edit(photo, {"Male": 1.0})
    levels = 255 * (np.mean(told[1]) - np.mean(told[0]))
    changed = result.picture.astype(int) - photo
    inner = changed[100:140, 120:160][(photo[100:140, 120:160] < 200).all(axis=2)]  # where nothing is cut off at white
    assert np.abs(inner - levels).max() <= 2
    assert (translator.edit(photo, {"Male": 0.25}).picture == photo).all()
    bare = translator.edit(photo, {"Male": 1.0}, detail="network").picture
    assert bare[100:140, 120:160].std(axis=(0, 1)).max() < photo[100:140, 120:160].std(axis=(0, 1)).min() / 5


def test_a_sheet_shows_every_attribute_once(translator, photo, monkeypatch):
    told = told_to(translator, monkeypatch)
    result = translator.sheet(photo)
    assert result.picture.shape == (CELL, 6 * (CELL + 2) - 2, 3)
    assert result.record["shown"] == ["the photo", "Black_Hair=1", "Blond_Hair=1", "Brown_Hair=1", "Male=1", "Young=0"]
    assert len(told) == 6
    for number, name in enumerate(NAMES):
        assert told[1 + number][number] == (0.0 if name == "Young" else 1.0)
        if name in HAIR_COLOURS:
            assert [told[1 + number][i] for i, n in enumerate(NAMES) if n in HAIR_COLOURS and n != name] == [0, 0]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"Brown_Hair": 1.0}, {"Black_Hair": 0.0, "Blond_Hair": 0.0}),
        ({"Brown_Hair": 0.6}, {"Black_Hair": 0.4}),
        ({"Male": 1.0}, {}),
        ({"Brown_Hair": 0.0}, {}),
        ({"Brown_Hair": 1.0, "Black_Hair": 0.0, "Blond_Hair": 0.0}, {}),
    ],
)
def test_rivals_are_taken_back_as_far_as_one_is_given(asked, expected):
    c = torch.tensor([[0.9, 0.2, 0.5, 1.0, 0.0]])
    changed, taken = exclude_rivals(c, NAMES, asked, HAIR_COLOURS)
    assert taken == expected
    for place, name in enumerate(NAMES):
        assert float(changed[0, place]) == pytest.approx(taken.get(name, float(c[0, place])))
    again = exclude_rivals(c, NAMES, asked, tuple(reversed(HAIR_COLOURS)))[1]
    assert list(again) == list(taken), "a record's order is that of the attributes"


@pytest.mark.parametrize(
    ("attributes", "error", "says"),
    [
        ({"Blond_Hair": 1.0, "Black_Hair": 1.0}, ValueRangeError, "Blond_Hair=1 and Black_Hair=1 exclude one another"),
        (
            {"Smiling": 1.0},
            UnknownAttributeError,
            "knows no attribute Smiling; known are: Black_Hair, Blond_Hair, Brown_Hair, Male, Young",
        ),
        ({"Blond_Hair": 1.5}, ValueRangeError, "exclude one another|outside"),
        ({"Male": -0.1}, ValueRangeError, "outside"),
    ],
)
def test_what_cannot_be_asked(translator, photo, attributes, error, says):
    with pytest.raises(error, match=says):
        translator.edit(photo, attributes)


def test_a_photo_without_a_face(translator):
    with pytest.raises(NoFaceError):
        translator.sheet(np.full((200, 200, 3), 90, np.uint8))


def test_a_trained_folder_loads(tmp_path, photo):
    plan = runs.plan("ccagan", "tiny")
    recipe = runs.build_recipe(plan)
    weights = torch.nn.ModuleDict({"G": recipe.nets["G"]}).state_dict()
    modelfile.write(tmp_path / "model", "ccagan", as_dict(plan.model), weights, "# tiny, untrained\n")
    loaded = masque.load(tmp_path / "model", "sheet")
    assert loaded.attributes == NAMES
    subject = loaded.subject(photo)
    own = loaded.estimate(subject)
    with torch.no_grad():
        expected = recipe.model.eval().edit(subject.image, own, torch.ones(1, 1, 1, 1))
    assert (
        abs(torch.from_numpy(loaded.translate(subject, [own])[0]).permute(2, 0, 1) / 127.5 - 1 - expected[0]).max()
        < 1 / 127
    )


def test_with_a_parser_a_hair_colour_shows_in_the_hair_alone_and_the_rest_elsewhere(translator, photo, monkeypatch):
    """The network paints each picture in one grey: 100 for blond, 40 more for a man."""
    names = translator.attributes
    hair, man = names.index("Blond_Hair"), names.index("Male")

    def translate(_subject, attributes, _shares):
        return [
            np.full((translator.size, translator.size, 3), 100 * float(c[0, hair]) + 40 * float(c[0, man]), np.uint8)
            for c in attributes
        ]

    monkeypatch.setattr(translator, "translate", translate)
    subject = translator.subject(photo)
    shares = np.zeros((11, translator.size, translator.size), np.float32)
    shares[10, :8], shares[1, 8:] = 1, 1
    own = torch.zeros(1, len(names))
    wanted = own.clone()
    wanted[0, [hair, man]] = 1.0
    before, after = paint_edits(translator, subject, own, [wanted], shares)
    assert (before == 0).all()
    assert (after[:8] == 140).all()
    assert (after[8:] == 40).all()
    assert (paint_edits(translator, subject, own, [wanted], None)[1] == 140).all()
