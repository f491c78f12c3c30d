"""Photos of iPhones: read where pillow-heif is installed, within the limits of every picture, and else refused in a
sentence that says what to install."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from masque import decodable, image
from masque.errors import PictureError
from masque.image import ORIENTATION, UPRIGHT, Picture, read_picture
from masque.provenance import verify

pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")


@pytest.fixture(scope="module")
def small(photos: dict[str, Picture]) -> Picture:
    """A portrait that is higher than wide."""
    return np.ascontiguousarray(photos["astronaut"][:240, 120:300])


def heic(picture: Picture, **options: object) -> bytes:
    content = BytesIO()
    pillow_heif.from_pillow(Image.fromarray(picture)).save(content, quality=95, **options)
    return content.getvalue()


def test_a_photo_is_read_from_its_file_and_from_its_content(small: Picture, tmp_path: Path) -> None:
    path = tmp_path / "anna.jpg"  # the kind is told by the content
    path.write_bytes(heic(small))
    for source in (path, BytesIO(path.read_bytes())):
        read = read_picture(source)
        assert read.shape == small.shape
        assert np.abs(read.astype(int) - small).mean() < 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_camera_that_was_turned_is_turned_back_once(small: Picture, orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    read = read_picture(BytesIO(heic(small, exif=exif.tobytes())))
    upright = Image.fromarray(small)
    if orientation in UPRIGHT:
        upright = upright.transpose(UPRIGHT[orientation])
    assert read.shape[:2] == (upright.height, upright.width)
    assert np.abs(read.astype(int) - np.asarray(upright)).mean() < 4


def test_of_several_pictures_the_one_to_show_is_read(small: Picture) -> None:
    several = pillow_heif.HeifFile()
    for one in (np.zeros_like(small), small):
        several.add_from_pillow(Image.fromarray(one))
    content = BytesIO()
    several.save(content, quality=95, primary_index=1)
    assert np.abs(read_picture(content).astype(int) - small).mean() < 4


def test_no_more_pixels_than_of_any_picture(small: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    content = heic(small)

    def refuse(_: object) -> None:
        raise AssertionError("it was decoded")

    monkeypatch.setattr(image, "MAX_MEGAPIXELS", 0.04)
    monkeypatch.setattr(pillow_heif.HeifImage, "load", refuse)
    with pytest.raises(PictureError, match="megapixels and the limit"):
        read_picture(BytesIO(content))


@pytest.mark.parametrize("said", [(10, 10), (60_000, 60_000), (0, 0), (180, 241)])
def test_a_header_that_lies_about_the_size_is_refused(small: Picture, said: tuple[int, int]) -> None:
    content = heic(small)
    assert content.count(b"ispe") == 1
    place = content.index(b"ispe") + 8
    assert struct.unpack_from(">II", content, place) == (180, 240)
    with pytest.raises(PictureError):
        read_picture(BytesIO(content[:place] + struct.pack(">II", *said) + content[place + 8 :]))


def test_what_takes_long_is_refused(small: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decodable, "LONGEST", 0.0)
    with pytest.raises(PictureError, match="takes too long to decode"):
        read_picture(BytesIO(heic(small)))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_photo_that_is_cut_short_is_refused(small: Picture, share: float) -> None:
    content = heic(small)
    with pytest.raises(PictureError):
        read_picture(BytesIO(content[: round(share * len(content))]))


def test_without_pillow_heif_a_sentence_says_what_to_install(small: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    content = heic(small)
    monkeypatch.setattr(decodable, "_reads_heif", lambda: False)
    with pytest.raises(PictureError, match=r"is HEIC.*install pillow-heif, or save it as JPEG\.$"):
        read_picture(BytesIO(content))


def test_it_has_no_record(small: Picture) -> None:
    verdict = verify(heic(small))
    assert verdict.record is None
    assert verdict.unchanged is None
