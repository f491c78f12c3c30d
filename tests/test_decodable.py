"""Files that would take a decoder long, or much memory, are refused in one sentence before any pixel is decoded."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import masque.image
from masque.decodable import MOST_CHUNKS, MOST_PIECES, MOST_SCANS, SLOW, trouble_in
from masque.errors import PictureError
from masque.image import read_picture
from png_files import chunk, png
from robustness import mutations


def refusal(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(PictureError) as caught:
        read_picture(path)
    assert mutations.is_plain(str(caught.value).replace(str(path), ""))
    return str(caught.value)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("interlaced", [0, 1])
@pytest.mark.parametrize("held", [b"", zlib.compress(bytes(100_000), 9), zlib.compress(bytes(100_000), 9)[:-8]])
def test_a_png_that_holds_less_than_it_declares(tmp_path: Path, interlaced: int, held: bytes) -> None:
    assert "cut short" in refusal(tmp_path / "a.png", png(7071, 7071, held, interlaced=interlaced))


def test_a_jpeg_that_holds_less_than_it_declares(tmp_path: Path) -> None:
    data = bytearray(encoded(Image.new("RGB", (16, 16)), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", 7071, 7071)
    assert "cannot hold 7071×7071 pixels" in refusal(tmp_path / "a.jpg", bytes(data))


def test_flat_pictures_of_one_colour_are_read_however_small_their_files_are(tmp_path: Path) -> None:
    flat = Image.new("L", (4000, 3000), 7)
    for kind, options in (
        ("JPEG", {"optimize": True, "progressive": True}),
        ("PNG", {}),
        ("WEBP", {"lossless": True, "method": 0}),
        ("GIF", {}),
        ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ):
        (tmp_path / "a").write_bytes(encoded(flat, kind, **options))
        assert read_picture(tmp_path / "a").shape == (3000, 4000, 3)


def test_a_jpeg_of_many_scans(tmp_path: Path) -> None:
    whole = encoded(Image.new("RGB", (64, 64), "grey"), "JPEG", progressive=True)
    last = whole[whole.rindex(b"\xff\xda") : -2]
    few, many = (whole[:-2] + last * count + whole[-2:] for count in (10, MOST_SCANS))
    (tmp_path / "few.jpg").write_bytes(few)
    assert read_picture(tmp_path / "few.jpg").shape == (64, 64, 3)
    assert f"more than {MOST_SCANS} scans" in refusal(tmp_path / "many.jpg", many)


def test_a_thumbnails_scans_are_not_counted() -> None:
    inner = encoded(Image.new("RGB", (8, 8)), "JPEG")
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8))
    data = encoded(noise, "JPEG", progressive=True, quality=100, exif=b"Exif\0\0" + inner * 70)
    assert trouble_in(io.BytesIO(data)) is None


def test_a_png_of_many_chunks_and_a_jpeg_of_many_segments(tmp_path: Path) -> None:
    whole = zlib.compress(bytes(4))
    assert "chunks" in refusal(tmp_path / "a.png", png(1, 1, whole, chunk(b"tEXt", b"a\0b") * MOST_CHUNKS))
    jpeg = encoded(Image.new("RGB", (8, 8)), "JPEG")
    assert "segments" in refusal(tmp_path / "a.jpg", jpeg[:2] + b"\xff\xfe\x00\x02" * 10_000 + jpeg[2:])


@pytest.mark.parametrize(("order", "big"), [("<", False), (">", False), ("<", True)])
def test_a_tiff_of_many_pieces(tmp_path: Path, order: str, big: bool) -> None:
    start = b"II" if order == "<" else b"MM"
    start += struct.pack(order + "H", 43 if big else 42)
    start += struct.pack(order + ("HHQQ" if big else "IH"), *((8, 0, 16, 1) if big else (8, 1)))
    entry = struct.pack(order + ("HHQQ" if big else "HHII"), 273, 4, 5_000_000, 26)
    assert "cut into 5000000 pieces" in refusal(tmp_path / "a.tif", start + entry + bytes(64))


def test_a_picture_in_many_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(Image.new("RGB", (8, 8)), "TIFF")
    opening = Image.open

    def cut(path: object) -> Image.Image:
        opened = opening(path)  # type: ignore[arg-type]
        opened.tile = opened.tile * (MOST_PIECES + 1)  # type: ignore[attr-defined]
        return opened

    monkeypatch.setattr(masque.image.Image, "open", cut)
    assert "pieces" in refusal(tmp_path / "a.tif", data)


@pytest.mark.parametrize(("kind", "ending"), [("JPEG2000", "jp2"), ("AVIF", "avif")])
def test_large_files_in_formats_that_decode_slowly(tmp_path: Path, kind: str, ending: str) -> None:
    path, data = tmp_path / f"a.{ending}", encoded(Image.new("RGB", (64, 64), "grey"), kind)
    path.write_bytes(data)
    assert read_picture(path).shape == (64, 64, 3)
    long = data + bytes(int(4.5e6 / SLOW[kind][1]))
    assert "takes too long to decode" in refusal(path, long)


def run_lengths(width: int, height: int) -> bytes:
    rows = bytes([width, 7, 0, 0]) * height + b"\0\1"
    start = 54 + 1024
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(rows), 0, 0, 256, 256)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + header + bytes(1024) + rows


@pytest.mark.parametrize(
    ("small", "large"),
    [
        (b"P3\n2 2\n255\n" + b"9 " * 12, b"P3\n2 2\n255\n" + b"9 " * 12 + b" " * 46_000_000),
        (b"P6\n2 2\n65535\n" + bytes(24), b"P6\n1500 2000\n65535\n" + bytes(18_000_000)),
        (b"P5\n2 2\n100\n" + bytes(4), b"P5\n4000 2000\n100\n" + bytes(8_000_000)),
        (run_lengths(9, 9), run_lengths(9, 9) + bytes(13_000_000)),
    ],
    ids=["text", "16 bit", "of 100 levels", "run lengths"],
)
def test_what_pillow_decodes_in_python_may_not_be_large(tmp_path: Path, small: bytes, large: bytes) -> None:
    """50 megapixels of these took more than a minute."""
    (tmp_path / "a.ppm").write_bytes(small)
    assert read_picture(tmp_path / "a.ppm").shape[2] == 3
    assert "takes too long to decode" in refusal(tmp_path / "a.ppm", large)


def test_large_pictures_in_a_format_that_takes_much_memory(tmp_path: Path) -> None:
    assert "the limit of JPEG2000 is 36" in refusal(
        tmp_path / "a.jp2", encoded(Image.new("L", (6100, 6100)), "JPEG2000")
    )


def test_running_out_of_memory_is_not_the_files_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")

    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Image.Image, "crop", full)
    with pytest.raises(MemoryError):
        read_picture(tmp_path / "a.png")


WIDE_PICTURE = """
import resource, sys
from masque.image import read_picture
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
read_picture(sys.argv[1])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.parametrize("kind", [np.uint16, np.float32, np.uint8])
def test_memory_is_a_few_bytes_for_each_pixel(tmp_path: Path, kind: type) -> None:
    values = np.zeros((2400, 2400), kind)
    values[0, 0] = 200
    Image.fromarray(values).save(tmp_path / "a.tif")
    done = subprocess.run(
        [sys.executable, "-c", WIDE_PICTURE, str(tmp_path / "a.tif")], capture_output=True, text=True, check=True
    )
    assert (
        float(done.stdout) / (values.size / 2**20) < 18
    )  # MB a megapixel, which are bytes a pixel: 50 of them then fit into 1 GB


def test_strips_are_put_together_as_the_whole_is_turned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (23, 17, 3), dtype=np.uint8)
    monkeypatch.setattr(
        masque.image, "_strips", lambda image: ((top, min(top + 5, image.height)) for top in range(0, image.height, 5))
    )
    turned = {
        1: picture,
        2: picture[:, ::-1],
        3: picture[::-1, ::-1],
        4: picture[::-1],
        5: picture.swapaxes(0, 1),
        6: np.rot90(picture, -1),
        7: picture[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(picture),
    }
    for orientation, right in turned.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(picture).save(tmp_path / "a.png", exif=exif)
        np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), right)


def test_a_float_picture_with_numbers_that_are_not_finite_keeps_its_scale(tmp_path: Path) -> None:
    values = np.full((4, 4), 0.5, np.float32)
    values[0] = [np.nan, np.inf, -np.inf, 1.0]
    values.view(np.uint32)[0, 0] = 0x7F800001  # a NaN that processors signal
    Image.fromarray(values).save(tmp_path / "a.tif")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_picture(tmp_path / "a.tif")[:2, :, 0].tolist() == [[0, 255, 0, 255], [128] * 4]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "PPM", "JPEG2000", "AVIF"])
def test_damaged_pictures_are_read_or_refused_in_one_sentence(
    tmp_path: Path, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    small = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 30, 3), dtype=np.uint8))
    for name, data in mutations.of_bytes(encoded(small, kind), 60, seed=len(kind)):
        (tmp_path / "a").write_bytes(data)
        said = "it is a picture"
        try:
            picture = read_picture(tmp_path / "a")
            assert picture.dtype == np.uint8, name
        except PictureError as error:
            said = str(error).replace(str(tmp_path), "")
        assert mutations.is_plain(said), name
    assert capfd.readouterr() == ("", "")
