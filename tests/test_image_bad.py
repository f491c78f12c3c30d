"""Files that are no pictures, or no longer: each ends in a PictureError of one sentence, whatever its bytes."""

from __future__ import annotations

import os
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, features

from masque import image
from masque.errors import PictureError
from masque.image import read_picture
from png_files import png

PIXELS = np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)


def encoded(kind: str, **options: object) -> bytes:
    stream = BytesIO()
    Image.fromarray(PIXELS).save(stream, kind, **options)
    return stream.getvalue()


def sentence_of(error: PictureError) -> str:
    """What the error says, which is one sentence on one line."""
    sentence = str(error)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def refusal(path: Path) -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(PictureError) as caught:
        read_picture(path)
    return sentence_of(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "0 bytes"),
        (b"These are the words of a letter, not a picture.\n" * 20, "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (b"\0" * 5000, "not a picture"),
        (encoded("JPEG")[:1500], "cut short"),
        (encoded("JPEG", progressive=True)[:1500], "cut short"),
        (encoded("PNG")[:3000], "cut short"),
        (encoded("WEBP", lossless=True)[:3000], "cut short"),
        (encoded("TIFF")[:3000], "cut short"),
        (encoded("BMP")[:3000], "cut short"),
    ],
)
def test_what_cannot_be_a_picture_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "photo.jpg").write_bytes(content)
    sentence = refusal(tmp_path / "photo.jpg")
    assert says in sentence
    assert "photo.jpg" in sentence


@pytest.mark.parametrize("kind", ["EPS", "PCX", "TGA", "ICO", "PDF"])
def test_formats_that_are_no_photos_are_not_decoded(tmp_path: Path, kind: str) -> None:
    """Pillow would hand an EPS file to Ghostscript, which runs what it says."""
    (tmp_path / "photo.jpg").write_bytes(encoded(kind))
    assert "not a picture" in refusal(tmp_path / "photo.jpg")


def test_a_folder_a_missing_file_and_a_path_through_a_file(tmp_path: Path) -> None:
    assert "folder" in refusal(tmp_path)
    assert "no file" in refusal(tmp_path / "missing.jpg")
    (tmp_path / "file").write_bytes(encoded("PNG"))
    assert "no file" in refusal(tmp_path / "file" / "photo.png")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(encoded("PNG"))
    path.chmod(0)
    assert "permissions" in refusal(path)


def test_permission_is_asked_for_when_the_system_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "photo.png").write_bytes(encoded("PNG"))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Image, "open", refuse)
    assert "permissions" in refusal(tmp_path / "photo.png")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert "no ordinary file" in refusal(tmp_path / "pipe.png")


@pytest.mark.parametrize(
    ("width", "says"), [(7100, "51 megapixels"), (12_000, "85 megapixels"), (40_000, "more than 50")]
)
def test_more_than_50_megapixels_are_refused_by_the_header(tmp_path: Path, width: int, says: str) -> None:
    """There are no pixels in the file: were they decoded first, the sentence would be that of a file that is cut
    short."""
    (tmp_path / "huge.png").write_bytes(png(width, 7053, zlib.compress(b"\0" * 10)))
    assert says in refusal(tmp_path / "huge.png")


def test_the_limit_itself_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "MAX_MEGAPIXELS", 64 * 48 / 1e6)
    (tmp_path / "photo.png").write_bytes(encoded("PNG"))
    assert np.array_equal(read_picture(tmp_path / "photo.png"), PIXELS)
    monkeypatch.setattr(image, "MAX_MEGAPIXELS", (64 * 48 - 1) / 1e6)
    assert "megapixels" in refusal(tmp_path / "photo.png")


def test_a_program_in_which_warnings_are_errors_is_told_of_the_size_too(tmp_path: Path) -> None:
    (tmp_path / "huge.png").write_bytes(png(12_000, 9_000, zlib.compress(b"\0" * 10)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "far more than 50 megapixels" in refusal(tmp_path / "huge.png")


def picture_or_refusal(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    try:
        picture = read_picture(path)
    except PictureError as error:
        sentence_of(error)
        return
    assert picture.dtype == np.uint8
    assert picture.ndim == 3
    assert picture.shape[2] == 3


EXIF = Image.Exif()
EXIF[0x0112], EXIF[0x010F] = 6, "a camera"
WHOLE = {
    "JPEG": encoded("JPEG", exif=EXIF),
    "PNG": encoded("PNG", exif=EXIF),
    "GIF": encoded("GIF"),
    "WEBP": encoded("WEBP", exif=EXIF),
    "TIFF": encoded("TIFF", exif=EXIF),
}
if features.check("avif"):
    WHOLE["AVIF"] = encoded("AVIF")
quickly = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@quickly
@given(
    content=st.binary(min_size=1, max_size=300), start=st.sampled_from([b"", *(whole[:16] for whole in WHOLE.values())])
)
def test_any_bytes_are_a_picture_or_refused(tmp_path: Path, content: bytes, start: bytes) -> None:
    picture_or_refusal(start + content, tmp_path / "any")


@pytest.mark.parametrize("kind", WHOLE)
@quickly
@given(data=st.data())
def test_any_damage_leaves_a_picture_or_is_refused(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    """Bytes overwritten, mostly in the header, and perhaps the end cut off."""
    content = bytearray(WHOLE[kind])
    places = st.integers(0, len(content) - 1) | st.integers(0, 199)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=8)):
        content[place] = value
    end = data.draw(st.just(len(content)) | st.integers(1, len(content)))
    picture_or_refusal(bytes(content[:end]), tmp_path / "damaged")
