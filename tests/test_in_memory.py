"""What is written to files is there as bytes too, and is read from bytes: for programs that keep nothing on disk."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from masque.edits.result import Result
from masque.errors import OutputError, PictureError, ValueRangeError
from masque.faces.labels import encode_labels, read_labels, write_labels
from masque.film import encode_film, write_film
from masque.image import encoded_picture, write_picture
from masque.provenance import note, recorded, verify, write_recorded
from recorded import RECORD, SMOOTH, SUFFIXES

FRAMES = [np.full((16, 24, 3), level, np.uint8) for level in (0, 80, 160)]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_bytes_are_those_of_the_file(tmp_path: Path, suffix: str) -> None:
    plain, with_record = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    write_picture(plain, SMOOTH)
    write_recorded(with_record, SMOOTH, RECORD)
    assert encoded_picture(SMOOTH, suffix) == encoded_picture(SMOOTH, f".{suffix}") == plain.read_bytes()
    assert recorded(SMOOTH, RECORD, suffix) == Result(SMOOTH, RECORD).encoded(suffix) == with_record.read_bytes()


def test_another_kind_is_refused() -> None:
    with pytest.raises(OutputError, match=r"\.png, \.jpg or \.webp"):
        encoded_picture(SMOOTH, "tiff")
    with pytest.raises(OutputError, match="no kind of film"):
        encode_film(FRAMES, 3, 1.0, "avi")
    with pytest.raises(ValueRangeError, match="cannot last"):
        encode_film(FRAMES, 3, 0.0, "gif")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_record_is_verified_from_bytes(suffix: str) -> None:
    content = recorded(SMOOTH, RECORD, suffix)
    for source in (content, BytesIO(content)):
        verdict = verify(source)
        assert verdict.record == RECORD
        assert verdict.unchanged is True
    other = recorded(255 - SMOOTH, RECORD, suffix)
    assert verify(other).unchanged is True
    assert verify(encoded_picture(SMOOTH, suffix)).record is None


def test_a_changed_picture_is_known_from_bytes() -> None:
    content = recorded(SMOOTH, RECORD, "png")
    with Image.open(BytesIO(content)) as image:
        pixels, xmp = np.array(image), image.info["xmp"]
    pixels[0, 0, 0] ^= 255
    verdict = verify(encoded_picture(pixels, "png", xmp=xmp))
    assert verdict.record == RECORD
    assert verdict.unchanged is False


@pytest.mark.parametrize("kind", ["mp4", "gif"])
def test_films_in_memory(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    write_film(path, FRAMES, 3, 1.0, note=note(RECORD))
    content = encode_film(FRAMES, 3, 1.0, kind, note(RECORD))
    assert content == path.read_bytes()
    assert verify(content).record == verify(path).record == RECORD


def test_what_is_no_picture_is_refused_from_bytes() -> None:
    with pytest.raises(PictureError, match=r"^The file is neither a picture nor a film"):
        verify(b"hello, this is a text")
    with pytest.raises(PictureError, match="empty"):
        verify(b"")


def test_label_maps_in_memory(tmp_path: Path) -> None:
    labels = (np.arange(60 * 40).reshape(60, 40) % 11).astype(np.uint8)
    path = write_labels(tmp_path / "labels.png", labels)
    assert encode_labels(labels) == path.read_bytes()
    for source in (path.read_bytes(), BytesIO(path.read_bytes())):
        read, notes = read_labels(source)
        assert np.array_equal(read, labels)
        assert not notes
    with pytest.raises(PictureError, match="not a picture"):
        read_labels(b"no picture at all")


def test_deep_grey_in_several_channels_is_read_from_bytes(tmp_path: Path) -> None:
    import cv2

    labels = (np.arange(64).reshape(8, 8) % 11).astype(np.uint16)
    path = tmp_path / "deep.png"
    cv2.imwrite(str(path), np.repeat(labels[..., None], 3, axis=2))
    assert np.array_equal(read_labels(path)[0], labels)
    assert np.array_equal(read_labels(path.read_bytes())[0], labels)
