"""Each way to show other pixels than Masque wrote, or to hide more in the file, counts as changed."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from masque.edits.result import Result
from masque.errors import PictureError
from masque.image import write_picture
from masque.provenance import Verdict, verify
from png_files import chunk
from recorded import RECORD, SMOOTH, SUFFIXES, verdict, xmp_of
from tiny import seen

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def saved_again(content: bytes, kind: str, mode: str | None = None, alpha: int | None = None, **options: Any) -> bytes:
    """What Pillow writes for the same pixels and packet."""
    stream = BytesIO()
    with Image.open(BytesIO(content)) as image:
        if kind == "PNG":
            info = options.setdefault("pnginfo", PngInfo())
            info.add_itxt("XML:com.adobe.xmp", image.info["xmp"].decode())
        else:
            options["xmp"] = image.info["xmp"]
        if alpha is not None:
            image.putalpha(alpha)
        (image.convert(mode) if mode else image).save(stream, kind, **options)
    return stream.getvalue()


def in_png(name: bytes, body: bytes, before: bytes = b"IDAT") -> Callable[[bytes], bytes]:
    """Adds a chunk before the first of another name."""

    def change(png: bytes) -> bytes:
        at = png.index(before) - 4
        return png[:at] + chunk(name, body) + png[at:]

    return change


def in_jpeg(code: int, body: bytes, before: bytes = b"\xff\xdb") -> Callable[[bytes], bytes]:
    def change(jpeg: bytes) -> bytes:
        at = jpeg.index(before)
        return jpeg[:at] + bytes([0xFF, code]) + struct.pack(">H", len(body) + 2) + body + jpeg[at:]

    return change


def in_webp(name: bytes, body: bytes, flags: int = 0) -> Callable[[bytes], bytes]:
    def change(webp: bytes) -> bytes:
        rest = (
            webp[12:20]
            + bytes([webp[20] | flags])
            + webp[21:]
            + name
            + struct.pack("<I", len(body))
            + body
            + b"\0" * (len(body) % 2)
        )
        return b"RIFF" + struct.pack("<I", len(rest) + 4) + b"WEBP" + rest

    return change


def exif(orientation: int) -> bytes:
    made = Image.Exif()
    made[0x0112] = orientation
    return made.tobytes()


def animated(kind: str, first: bytes) -> bytes:
    options: dict[str, Any] = {"save_all": True, "append_images": [Image.new("RGB", (16, 24), "red")], "duration": 50}
    return saved_again(first, kind, **options)


CHANGES: dict[str, dict[str, Callable[[bytes], bytes]]] = {
    "png": {
        "alpha": lambda b: saved_again(b, "PNG", "RGBA"),
        "grey": lambda b: saved_again(b, "PNG", "L"),
        "palette": lambda b: saved_again(b, "PNG", "P"),
        "transparent colour": in_png(b"tRNS", b"\0\1\0\2\0\3"),
        "orientation": lambda b: saved_again(b, "PNG", exif=exif(6)),
        "upright EXIF": lambda b: saved_again(b, "PNG", exif=exif(1)),
        "profile": lambda b: saved_again(b, "PNG", icc_profile=SRGB),
        "gamma": in_png(b"gAMA", struct.pack(">I", 100_000), b"iTXt"),
        "chromaticities": in_png(b"cHRM", struct.pack(">8I", *range(1, 9)), b"iTXt"),
        "sRGB": in_png(b"sRGB", b"\0", b"iTXt"),
        "code points": in_png(b"cICP", b"\x09\x10\0\1", b"iTXt"),
        "background": in_png(b"bKGD", b"\0\1\0\1\0\1"),
        "significant bits": in_png(b"sBIT", b"\1\1\1", b"iTXt"),
        "oblong pixels": in_png(b"pHYs", struct.pack(">IIB", 1, 3, 0)),
        "suggested palette": in_png(b"PLTE", b"\0\0\0"),
        "animation": lambda b: animated("PNG", b),
        "hidden animation": lambda b: saved_again(
            b, "PNG", save_all=True, default_image=True, append_images=[Image.new("RGB", (16, 24), "red")]
        ),
        "text": in_png(b"tEXt", b"Comment\0hello"),
        "time": in_png(b"tIME", b"\0" * 7),
        "private chunk": in_png(b"maSq", b"hello"),
        "second packet": lambda b: in_png(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp_of(b), b"IEND")(b),
        "another text": in_png(b"iTXt", b"Title\0\0\0\0\0hello"),
        "second picture behind it": lambda b: b + b,
        "a byte behind it": lambda b: b + b"\0",
        "a bad check sum": lambda b: b[:-4] + b"\0\0\0\0",
        "an empty part of the pixels": in_png(b"IDAT", b""),
        "bytes behind the pixels": lambda b: pixels_of_png(b, lambda packed: packed + b"hidden"),
        "more rows than the picture has": lambda b: pixels_of_png(
            b, lambda packed: zlib.compress(2 * zlib.decompress(packed))
        ),
        "pixels without their check sum": lambda b: pixels_of_png(b, lambda packed: packed[:-4]),
    },
    "jpg": {
        "compressed again": lambda b: saved_again(b, "JPEG", quality=50),
        "grey": lambda b: saved_again(b, "JPEG", "L"),
        "CMYK": lambda b: saved_again(b, "JPEG", "CMYK"),
        "orientation": lambda b: saved_again(b, "JPEG", quality="keep", exif=exif(3)),
        "profile": lambda b: saved_again(b, "JPEG", quality="keep", icc_profile=SRGB),
        "resolution": lambda b: saved_again(b, "JPEG", quality="keep", dpi=(72, 36)),
        "oblong pixels": lambda b: b.replace(b"JFIF\0\1\1\0\0\1\0\1", b"JFIF\0\1\1\0\0\1\0\2"),
        "comment": lambda b: saved_again(b, "JPEG", quality="keep", comment=b"hello"),
        "Adobe's colours": in_jpeg(0xEE, b"Adobe\0\x64\0\0\0\0\0"),
        "RGB without conversion": lambda b: b.replace(
            b"\3\1\x11\0\2\x11\1\3\x11\1", b"\3R\x11\0G\x11\1B\x11\1"
        ).replace(b"\3\1\0\2\x11\3\x11", b"\3R\0G\x11B\x11"),
        "more pictures": in_jpeg(0xE2, b"MPF\0MM\0*\0\0\0\x08\0\0\0\0\0\0"),
        "second packet": lambda b: in_jpeg(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp_of(b))(b),
        "EXIF before it": in_jpeg(0xE1, b"Exif\0\0" + exif(6)[6:], b"\xff\xe0"),
        "second picture behind it": lambda b: b + b,
        "a byte behind it": lambda b: b + b"\0",
        "progressive": lambda b: saved_again(b, "JPEG", quality="keep", progressive=True),
        "a restart mark behind the pixels": lambda b: b[:-2] + b"\xff\xd0" + b[-2:],
        "some frequencies alone": lambda b: b.replace(b"\3\x11\0\x3f\0", b"\3\x11\0\x05\0"),
        "more tables": in_jpeg(0xC4, bytes([0x10, 1, *[0] * 15, 0]), b"\xff\xda"),
    },
    "webp": {
        "compressed again": lambda b: saved_again(b, "WEBP", quality=30),
        "alpha": lambda b: saved_again(b, "WEBP", alpha=128, lossless=True, exact=True),
        "alpha in the pixels alone": lambda b: _with_alpha_bit(saved_again(b, "WEBP", lossless=True)),
        "orientation": lambda b: saved_again(b, "WEBP", lossless=True, exif=exif(6)),
        "profile": lambda b: saved_again(b, "WEBP", lossless=True, icc_profile=SRGB),
        "animation": lambda b: animated("WEBP", b),
        "EXIF chunk": in_webp(b"EXIF", exif(6), 0x08),
        "EXIF chunk without its flag": in_webp(b"EXIF", exif(6)),
        "profile chunk": in_webp(b"ICCP", SRGB, 0x20),
        "private chunk": in_webp(b"maSq", b"hello"),
        "second packet": lambda b: in_webp(b"XMP ", xmp_of(b))(b),
        "second picture behind it": lambda b: b + b,
        "bytes behind it": lambda b: b + b"\0\0",
        "another version of VP8": lambda b: in_vp8(b, 0, 0x02),
        "enlarged across": lambda b: in_vp8(b, 7, 0x40),
        "enlarged down": lambda b: in_vp8(b, 9, 0x80),
        "values that are not clamped": lambda b: in_vp8(b, 10, 0x40),
    },
}


def pixels_of_png(png: bytes, change: Callable[[bytes], bytes]) -> bytes:
    at = png.index(b"IDAT") - 4
    end = at + 12 + int.from_bytes(png[at : at + 4], "big")
    return png[:at] + chunk(b"IDAT", change(png[at + 8 : end - 4])) + png[end:]


def in_vp8(webp: bytes, place: int, bits: int) -> bytes:
    """Sets bits in the header of a lossy WebP's pixels that libwebp does not heed, and other decoders do."""
    at = webp.index(b"VP8 ") + 8 + place
    return webp[:at] + bytes([webp[at] | bits]) + webp[at + 1 :]


def _with_alpha_bit(webp: bytes) -> bytes:
    at = webp.index(b"VP8L") + 12
    return webp[:at] + bytes([webp[at] | 0x10]) + webp[at + 1 :]


@pytest.mark.parametrize(
    ("suffix", "change"), [(suffix, change) for suffix, several in CHANGES.items() for change in several]
)
def test_what_masque_never_writes_counts_as_changed(
    tmp_path: Path, written: dict[str, bytes], suffix: str, change: str
) -> None:
    changed = CHANGES[suffix][change](written[suffix])
    assert changed != written[suffix]
    found = verdict(tmp_path, changed, f"changed.{suffix}")
    assert found == Verdict(RECORD, found.source_type, False)
    assert found.reason is not None
    assert found.reason.isprintable()


@settings(max_examples=120, deadline=None, derandomize=True)
@given(data=st.data(), suffix=st.sampled_from(SUFFIXES))
def test_no_changed_byte_passes_that_changes_what_is_seen(
    tmp_path_factory: pytest.TempPathFactory, written: dict[str, bytes], data: st.DataObject, suffix: str
) -> None:
    content = bytearray(written[suffix])
    what = data.draw(st.sampled_from(("flip", "cut", "insert", "repeat")))
    at = data.draw(st.integers(0, len(content) - 1))
    if what == "flip":
        content[at] ^= 1 << data.draw(st.integers(0, 7))
    elif what == "cut":
        del content[at : at + data.draw(st.integers(1, 64))]
    elif what == "insert":
        content[at:at] = data.draw(st.binary(min_size=1, max_size=20))
    else:
        content[at:at] = content[at : at + data.draw(st.integers(1, 200))]
    path = tmp_path_factory.getbasetemp() / f"mutated.{suffix}"
    path.write_bytes(content)
    try:
        unchanged = verify(path).unchanged
    except PictureError:
        return
    if unchanged:
        assert seen(bytes(content)) == seen(written[suffix])


def test_one_bit_of_one_pixel(tmp_path: Path) -> None:
    path = Result(SMOOTH, RECORD).save(tmp_path / "out.png")
    other = SMOOTH.copy()
    other[-1, -1, 2] ^= 1
    assert verify(write_picture(tmp_path / "other.png", other, xmp=xmp_of(path.read_bytes()))).unchanged is False
