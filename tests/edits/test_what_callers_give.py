"""Photos and numbers in every way that a program has them."""

from __future__ import annotations

import json
import warnings
from fractions import Fraction
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import masque
from masque import runs
from masque.catalog import model_folder
from masque.edits.augment import augment
from masque.edits.heatmap import heatmap
from masque.edits.invert import Options
from masque.edits.loaded import AttributeEditor, LatentEditor
from masque.edits.result import Result
from masque.edits.subject import as_photo
from masque.errors import (
    CheckpointError,
    MasqueError,
    NoFaceError,
    OutputError,
    PictureError,
    UnknownAttributeError,
    ValueRangeError,
)
from masque.film import write_film
from masque.image import read_picture, write_picture
from tiny import puppet_photo

pytestmark = pytest.mark.usefixtures("unrecognised")


@pytest.fixture(scope="module")
def photo():
    return puppet_photo(3, 240, 300)


@pytest.fixture(scope="module")
def file(photo, tmp_path_factory):
    return write_picture(tmp_path_factory.mktemp("photo") / "anna.png", photo)


@pytest.fixture(scope="module")
def latents():
    return LatentEditor(runs.build_recipe(runs.plan("progan", "tiny")).model, "progan", "0" * 16)


class Pipe:
    """A file that cannot be gone back in, as a download."""

    def __init__(self, content):
        self.stream = BytesIO(content)

    def read(self, size=-1):
        return self.stream.read(size)


def test_a_photo_is_taken_in_every_form(file, photo):
    content = file.read_bytes()
    read_on = BytesIO(content)
    read_on.read()
    with file.open("rb") as opened:
        forms = [
            file,
            str(file),
            content,
            bytearray(content),
            memoryview(content),
            opened,
            BytesIO(content),
            read_on,
            Pipe(content),
        ]
        forms += [
            Image.open(file),
            Image.open(BytesIO(content)),
            Image.fromarray(photo),
            photo,
            photo[::-1][::-1],
            photo.view(),
        ]
        for form in forms:
            assert (as_photo(form)[0] == photo).all()
    assert [as_photo(form)[1] for form in (file, str(file), Image.open(file), content)] == ["anna.png"] * 3 + [
        "the photo"
    ]
    with file.open("rb") as opened:
        assert as_photo(opened)[1] == "anna.png"
        assert (as_photo(opened)[0] == as_photo(opened)[0]).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I", "I;16", "F", "HSV"])
def test_pillow_s_pictures_are_read_as_their_files_are(mode, photo, tmp_path):
    image = Image.fromarray(photo).convert("L" if mode in ("I", "I;16", "F", "1") else "RGB")
    image = image.convert("RGB").convert(mode) if mode in ("YCbCr", "HSV", "P") else image.convert(mode)
    if mode in ("LA", "RGBA"):
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    if mode in ("YCbCr", "HSV"):  # no file has it
        assert (as_photo(image)[0] == np.asarray(image.convert("RGB"))).all()
        return
    image.save(tmp_path / "photo.tif")
    assert (as_photo(image)[0] == read_picture(tmp_path / "photo.tif")).all()


def test_a_camera_s_orientation_counts_in_a_pillow_picture(photo, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(photo).save(tmp_path / "turned.png", exif=exif)
    assert (as_photo(Image.open(tmp_path / "turned.png"))[0] == np.rot90(photo, -1)).all()


def closed(image):
    image.close()
    return image


NO_PHOTOS = {
    "nothing": lambda file: None,  # noqa: ARG005
    "a number": lambda file: 3,  # noqa: ARG005
    "a list": lambda file: [[1, 2], [3, 4]],  # noqa: ARG005
    "floats": lambda file: np.zeros((50, 50, 3)),  # noqa: ARG005
    "16 bits": lambda file: np.zeros((50, 50, 3), np.uint16),  # noqa: ARG005
    "truth values": lambda file: np.zeros((50, 50), bool),  # noqa: ARG005
    "grey alone": lambda file: np.zeros((50, 50), np.uint8),  # noqa: ARG005
    "four channels": lambda file: np.zeros((50, 50, 4), np.uint8),  # noqa: ARG005
    "five channels": lambda file: np.zeros((50, 50, 5), np.uint8),  # noqa: ARG005
    "channels first": lambda file: np.zeros((3, 50, 50), np.uint8),  # noqa: ARG005
    "a batch": lambda file: np.zeros((1, 50, 50, 3), np.uint8),  # noqa: ARG005
    "no pixels": lambda file: np.zeros((0, 50, 3), np.uint8),  # noqa: ARG005
    "one row of numbers": lambda file: np.zeros(50, np.uint8),  # noqa: ARG005
    "objects": lambda file: np.array([None, 3], dtype=object),  # noqa: ARG005
    "a tensor": lambda file: torch.zeros(50, 50, 3, dtype=torch.uint8),  # noqa: ARG005
    "no bytes": lambda file: b"",  # noqa: ARG005
    "other bytes": lambda file: b"not a picture",  # noqa: ARG005
    "half a file": lambda file: file.read_bytes()[:2000],
    "a file of text": lambda file: StringIO("text"),  # noqa: ARG005
    "a closed file": lambda file: closed(file.open("rb")),
    "a picture closed": lambda file: closed(Image.open(file)),
    "half a Pillow picture": lambda file: Image.open(BytesIO(file.read_bytes()[:2000])),
    "a Pillow picture of nothing": lambda file: Image.new("RGB", (0, 4)),  # noqa: ARG005
    "a large Pillow picture": lambda file: Image.new("1", (8000, 7000)),  # noqa: ARG005
    "a name with a zero": lambda file: "a\0b",  # noqa: ARG005
    "an empty name": lambda file: "",  # noqa: ARG005
    "a folder": lambda file: file.parent,
    "a missing file": lambda file: file.with_name("gone.png"),
    "a class": lambda file: Image.Image,  # noqa: ARG005
}


@pytest.mark.parametrize("what", NO_PHOTOS)
def test_what_is_no_photo_is_refused_in_a_sentence(what, file):
    with pytest.raises(PictureError) as failure:
        as_photo(NO_PHOTOS[what](file))
    sentence = str(failure.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 400


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 3000, 3), (3000, 1, 3)])
def test_a_tiny_array_has_no_face(session, shape):
    with pytest.raises(NoFaceError):
        session.edit(np.zeros(shape, np.uint8), {"Male": 1})


def test_edits_take_pillow_pictures_and_bytes(session, synthesizer, file, photo):
    face, content = Image.open(file), file.read_bytes()
    assert (session.swap(face, content).picture == session.swap(file, file).picture).all()
    assert (session.swap(face, photo).picture == session.swap(file, file).picture).all()
    assert (synthesizer.synthesize(face, 1).picture == synthesizer.synthesize(file, 1).picture).all()
    assert heatmap(face, content)[1]["largest"] == 0
    read_only = photo.copy()
    read_only.setflags(write=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (session.edit(read_only, {"Male": 1}).picture == session.edit(photo, {"Male": 1}).picture).all()


def plain(record):
    """The record, if JSON can hold it, without a change, as Python's own numbers."""
    assert json.loads(json.dumps(record)) == record
    return record


NUMBERS = [np.float32, np.float64, np.float16, np.int64, np.uint8, Fraction, torch.tensor, np.array, bool]


@pytest.mark.parametrize("kind", NUMBERS, ids=lambda kind: kind.__name__)
def test_values_are_any_kind_of_number(kind, session, photo):
    wanted = session.edit(photo, {"Smiling": 1.0})
    made = session.edit(photo, {"Smiling": kind(1)})
    assert (made.picture == wanted.picture).all()
    assert plain(made.record) == wanted.record


def test_every_edit_takes_numpy_s_numbers_and_its_record_is_plain(session, synthesizer, latents, photo, tmp_path):
    two, one = np.int64(2), np.int32(1)
    translator = AttributeEditor(
        runs.build_recipe(runs.plan("ccagan", "tiny")).model, "ccagan", "0" * 16, classify=lambda f: [{}] * len(f)
    )
    found = latents.find(
        photo, Options(iterations=two, detail=one, seed=np.uint8(3), rate=np.float32(0.1), starts=one), pick=one
    )
    results = [
        session.swap(photo, photo, attributes={"Male": np.float32(0.5)}, pick_face=one, pick_hair=np.uint8(1)),
        session.random(photo, "hair", count=two, seed=np.uint64(7), pick=one),
        session.blend(photo, photo, steps=two, pick_a=one),
        translator.edit(photo, {"Blond_Hair": np.float16(0.5)}, pick=one),
        synthesizer.synthesize(photo, two, one, pick=one),
        synthesizer.modify(photo, np.array([-10, 10.5], np.float32)),
        synthesizer.mix(photo, photo, two),
        latents.sample(two, one, columns=two, truncation=np.float32(0.5)),
        latents.combine([found, found], weight=np.float32(0.25)),
    ]
    for result in results:
        plain(result.record)
        result.save(tmp_path / "out.png")
    assert len(list(latents.morph([found, found], np.int16(3)))) == 3
    assert Options(iterations=np.int64(5)) == Options(iterations=5)


REFUSED = {
    "value": lambda s, y, g, p: s.edit(p, {"Smiling": "1"}),  # noqa: ARG005
    "value of none": lambda s, y, g, p: s.edit(p, {"Smiling": None}),  # noqa: ARG005
    "value of two": lambda s, y, g, p: s.edit(p, {"Smiling": np.array([1, 0])}),  # noqa: ARG005
    "value that is not finite": lambda s, _y, _g, p: s.swap(p, p, attributes={"Smiling": np.float32("nan")}),
    "values without names": lambda s, y, g, p: s.edit(p, ["Smiling"]),  # noqa: ARG005
    "count of a half": lambda s, y, g, p: s.random(p, "hair", count=2.5),  # noqa: ARG005
    "count of a truth": lambda s, y, g, p: s.random(p, "hair", count=np.bool_(True)),  # noqa: ARG005
    "seed of a text": lambda s, y, g, p: s.random(p, "hair", seed="3"),  # noqa: ARG005
    "seed below 0": lambda s, y, g, p: y.synthesize(p, 2, -1),  # noqa: ARG005
    "seed beyond all": lambda s, y, g, p: y.synthesize(p, 2, 10**30),  # noqa: ARG005
    "seed of a sample": lambda s, y, g, p: g.sample(2, seed=np.int64(-3)),  # noqa: ARG005
    "steps": lambda s, y, g, p: s.blend(p, p, steps=None),  # noqa: ARG005
    "steps of a mix": lambda s, y, g, p: y.mix(p, p, 1.5),  # noqa: ARG005
    "yaw": lambda s, y, g, p: y.modify(p, ["left"]),  # noqa: ARG005
    "yaw that is not finite": lambda s, y, g, p: y.modify(p, [float("nan")]),  # noqa: ARG005
    "columns": lambda s, y, g, p: g.sample(2, columns=0),  # noqa: ARG005
    "truncation": lambda s, y, g, p: g.sample(2, truncation="all"),  # noqa: ARG005
    "frames": lambda s, y, g, p: g.morph([], 2.0),  # noqa: ARG005
    "iterations": lambda s, y, g, p: Options(iterations=-1),  # noqa: ARG005
    "likeness": lambda s, y, g, p: Options(likeness=float("inf")),  # noqa: ARG005
    "region of nothing": lambda s, y, g, p: s.edit(p, {}, region=None),  # noqa: ARG005
    "detail of a number": lambda s, y, g, p: s.edit(p, {}, detail=1),  # noqa: ARG005
    "part of a list": lambda s, y, g, p: s.random(p, ["hair"]),  # noqa: ARG005
    "stitch of an array": lambda s, y, g, p: s.swap(p, p, stitch=np.zeros(2)),  # noqa: ARG005
    "ease": lambda s, y, g, p: g.morph([], 2, ease="quick"),  # noqa: ARG005
    "way of a morph": lambda s, y, g, p: g.interpolate([], 2, path="round"),  # noqa: ARG005
    "method": lambda s, y, g, p: Options(method="guess"),  # noqa: ARG005
    "clip": lambda s, y, g, p: Options(clip=None),  # noqa: ARG005
    "photos for latents": lambda s, y, g, p: g.combine([p, p]),  # noqa: ARG005
    "names for latents": lambda s, y, g, p: g.morph(["a.png", "b.png"], 3),  # noqa: ARG005
    "pictures of each": lambda s, y, g, p: augment(y, None, None, "5"),  # noqa: ARG005
}


@pytest.mark.parametrize("what", REFUSED)
def test_other_numbers_are_refused_in_a_sentence(what, session, synthesizer, latents, photo):
    with pytest.raises(ValueRangeError) as failure:
        REFUSED[what](session, synthesizer, latents, photo)
    assert str(failure.value).endswith(".")


@pytest.mark.parametrize("path", [None, 3, BytesIO(), ["out.png"]])
def test_what_is_no_path_is_not_written_to(path):
    with pytest.raises(OutputError, match=r"is no path: name the file to write\."):
        Result(np.zeros((8, 8, 3), np.uint8), {}).save(path)
    with pytest.raises(OutputError, match=r"is no path: name the file to write\."):
        write_film(path, [], 1, 1.0)


def test_a_path_is_written_to_in_every_form(tmp_path):
    class Own(type(tmp_path)):
        pass

    out = str(tmp_path / "out.png")
    for path in (out, np.str_(out), Own(out), out.encode()):
        assert Result(np.zeros((8, 8, 3), np.uint8), {}).save(path) == Path(out)
        write_film(path, [np.zeros((8, 8, 3), np.uint8)] * 2, np.int64(2), np.float32(1), columns=np.uint8(2))


def test_a_model_s_name_is_a_text_or_a_path():
    for name in (None, 3, ["rsgan"], 1.5):
        with pytest.raises(CheckpointError, match="names no model"):
            masque.load(name)
    assert model_folder(Path("parser")) == model_folder(np.str_("parser")) == model_folder("parser")


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b.png"])
def test_a_name_that_no_file_can_have_is_of_none(name):
    with pytest.raises(PictureError, match=r"^There is no file .*: check the name\.$") as failure:
        as_photo(name)
    assert len(str(failure.value)) < 400


def test_the_number_of_a_face_is_a_number(session, photo):
    for pick in ("1", 1.0, True):
        with pytest.raises(MasqueError, match="number of a face"):
            session.edit(photo, {"Male": 1}, pick=pick)
    with pytest.raises(UnknownAttributeError, match="names are texts"):
        session.edit(photo, {3: 1})
