"""Whether a picture shows what Masque wrote: everything else that a viewer heeds counts as changed, and nothing takes
long."""

from __future__ import annotations

import json
import os
import re
import struct
import time
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from masque.container import LARGEST_TEXT, kind_of
from masque.edits.result import Result
from masque.errors import PictureError
from masque.film import write_film
from masque.image import check_output, read_picture, write_picture
from masque.provenance import Verdict, fingerprint, note, packet, verify
from tiny import seen

RECORD = {"edit": "swap", "model": "rsgan"}
SUFFIXES = ("png", "jpg", "webp")
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

rng = np.random.default_rng(5)
SMOOTH = np.clip(
    np.add.outer(np.arange(24) * 6, np.arange(16) * 5)[..., None] + rng.integers(0, 40, (24, 16, 3)), 0, 255
).astype(np.uint8)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("written")
    return {suffix: Result(SMOOTH, RECORD).save(folder / f"out.{suffix}").read_bytes() for suffix in SUFFIXES}


def verdict(folder: Path, content: bytes, name: str = "file.png") -> Verdict:
    (folder / name).write_bytes(content)
    return verify(folder / name)


def xmp_of(content: bytes) -> bytes:
    (found,) = re.findall(rb'<\?xpacket begin=.*<\?xpacket end="w"\?>', content, re.DOTALL)
    return found


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


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


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


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_kind_of_a_file_is_told_by_its_content(tmp_path: Path, written: dict[str, bytes], suffix: str) -> None:
    for name in ("file.mp4", "file.gif", "file", *(f"file.{other}" for other in SUFFIXES)):
        assert verdict(tmp_path, written[suffix], name).unchanged is True


def test_other_formats_carry_records_but_are_none_of_masques(tmp_path: Path, written: dict[str, bytes]) -> None:
    stream = BytesIO()
    with Image.open(BytesIO(written["png"])) as image:
        image.save(stream, "TIFF", tiffinfo={700: image.info["xmp"]})
    found = verdict(tmp_path, stream.getvalue())
    assert (found.record, found.unchanged) == (RECORD, False)


def test_pictures_of_all_sizes_are_as_masque_wrote_them(tmp_path: Path) -> None:
    """What is counted in their files fits the narrowest, the flattest, and those of several megabytes."""
    for height, width in ((1, 1), (1, 3), (9, 1), (300, 7), (700, 900)):
        pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        for suffix in SUFFIXES:
            assert verify(Result(pixels, RECORD).save(tmp_path / f"out.{suffix}")).unchanged is True, (
                height,
                width,
                suffix,
            )


def test_an_interlaced_copy_shows_the_same(tmp_path: Path, written: dict[str, bytes]) -> None:
    """Written out by hand: Pillow writes none."""
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    rows = [b"\0" + row.tobytes() for top, left, down, across in passes for row in SMOOTH[top::down, left::across]]
    png = written["png"]
    head = png[16:28] + b"\1"
    body = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp_of(png)) + chunk(b"IDAT", zlib.compress(b"".join(rows)))
    assert verdict(tmp_path, png[:8] + chunk(b"IHDR", head) + body + chunk(b"IEND", b"")).unchanged is True


RECORDED = packet(RECORD, fingerprint(SMOOTH)).decode()
TURNED = 'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"'


@pytest.mark.parametrize(
    "said",
    [
        RECORDED.replace("</masque:Record>", "</masque:Record><masque:Record>{}</masque:Record>"),
        RECORDED.replace("<masque:Pixels>", f"<masque:Pixels>{'0' * 64}</masque:Pixels><masque:Pixels>"),
        RECORDED.replace('rdf:about=""', f'rdf:about="" {TURNED}'),
        RECORDED.replace('rdf:about=""', 'rdf:about="" xmlns:tiff="adobe:ns:meta/" tiff:Orientation="6"'),
        RECORDED.replace('"edit": "swap"', '"edit": "none", "edit": "swap"'),
        RECORDED.replace('"edit": "swap"', '"edit":"swap"'),
        RECORDED.replace(fingerprint(SMOOTH), fingerprint(SMOOTH).upper()),
        RECORDED.replace(fingerprint(SMOOTH), ""),
        RECORDED.replace('rdf:about=""', 'rdf:about="" Orientation="6"'),
        RECORDED.replace("</rdf:Description>", "<xmp:Thumbnails>x</xmp:Thumbnails></rdf:Description>"),
        RECORDED.replace("</rdf:Description>", "<masque:Author>x</masque:Author></rdf:Description>"),
        RECORDED.replace("compositeWithTrainedAlgorithmicMedia", "digitalCapture"),
        RECORDED.replace("<rdf:RDF", "<!-- x --><rdf:RDF"),
    ],
    ids=[
        "two records",
        "two fingerprints",
        "turned",
        "turned by a wrong name",
        "a key twice",
        "spaces",
        "capitals",
        "no fingerprint",
        "turned by no name",
        "a thumbnail",
        "another name of Masque's",
        "taken by a camera",
        "a comment",
    ],
)
def test_a_packet_that_masque_does_not_write_counts_as_changed(tmp_path: Path, said: str) -> None:
    assert said != RECORDED
    for suffix in SUFFIXES[:1]:
        path = write_picture(tmp_path / f"out.{suffix}", SMOOTH, xmp=said.encode())
        assert (verify(path).record, verify(path).unchanged) == (RECORD, False)


def test_a_record_in_another_kind_of_text_is_none(tmp_path: Path, written: dict[str, bytes]) -> None:
    info = PngInfo()
    info.add_text("XML:com.adobe.xmp", xmp_of(written["png"]).decode("latin-1"))
    Image.fromarray(SMOOTH).save(tmp_path / "out.png", pnginfo=info)
    assert verify(tmp_path / "out.png") == Verdict(None, None, None)


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


def nested(depth: int) -> str:
    return (
        f'<x xmlns:m="urn:masque:record:1">{"<y>" * depth}<m:Record>{json.dumps(RECORD)}</m:Record>{"</y>" * depth}</x>'
    )


@pytest.mark.parametrize(
    "said",
    [
        "<?xpacket" * 110_000,
        "<?xpacket " * 99_000 + "?>",
        nested(100_000),
        "<x " + " ".join(f'a{i}=""' for i in range(80_000)) + "/>",
        "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>]><x>&b;</x>",
        '<x xmlns:m="urn:masque:record:1"><m:Record>' + '{"a":' * 400 + "1" + "}" * 400 + "</m:Record></x>",
        '<x xmlns:m="urn:masque:record:1"><m:Record>{"a": [' + "[" * 900 + "]" * 900 + "]}</m:Record></x>",
        "<x>" + "&#65;" * 190_000 + "</x>",
        "\0" * 900_000,
        " " * 900_000 + "x",
    ],
    ids=[
        "xpacket",
        "xpacket ended",
        "deep",
        "attributes",
        "entities",
        "deep objects",
        "deep lists",
        "references",
        "zeros",
        "spaces",
    ],
)
def test_a_packet_is_read_in_linear_time(tmp_path: Path, said: str) -> None:
    """It took more than a minute for one of these. The bound is far above what any of them takes, and far below what a
    square would."""
    assert len(said) < LARGEST_TEXT
    path = write_picture(tmp_path / "out.png", np.zeros((2, 2, 3), np.uint8), xmp=said.encode())
    before = time.process_time()
    assert verify(path).record is None
    assert time.process_time() - before < 20


def test_a_film_says_what_it_says_under_any_name(tmp_path: Path) -> None:
    for kind in ("mp4", "gif"):
        write_film(tmp_path / f"out.{kind}", [SMOOTH, SMOOTH[::-1].copy()], 2, 1.0, note=note(RECORD))
        content = (tmp_path / f"out.{kind}").read_bytes()
        for name in ("file.png", "file.mp4", "file.gif", "file"):
            found = verdict(tmp_path, content, name)
            assert (found.record, found.unchanged) == (RECORD, None)


@pytest.mark.parametrize(
    "content",
    [
        b"words in a file that is called a film, and no film at all",
        b"ffconcat version 1.0\nfile neighbour.mp4\n",
        b"#EXTM3U\n#EXTINF:1,\nneighbour.mp4\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
        b"1\n00:00:00,000 --> 00:00:01,000\nwords\n",
        b"\0\0\0\x18ftypisom\0\0\2\0isomiso2",
        b"\0\0\0\x10ftypisom\0\0\2\0" + struct.pack(">I4s", 8, b"moov"),
        b"\0\0\0\x10ftypisom\0\0\2\0" + struct.pack(">I4s", 8, b"free") * 60_000,
        b"\0\0\0\x10ftypisom\0\0\2\0" + struct.pack(">I4sQ", 1, b"moov", 2**63),
        b"GIF89a",
        b"GIF89a\1\0\1\0\0\0\0",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\0\0\0\0WEBP",
    ],
    ids=lambda content: repr(content[:16]),
)
@pytest.mark.parametrize("name", ["file.mp4", "file.gif", "file.png"])
def test_what_is_neither_a_picture_nor_a_film_is_refused(tmp_path: Path, content: bytes, name: str) -> None:
    write_film(tmp_path / "neighbour.mp4", [SMOOTH], 1, 1.0, note=note(RECORD))
    with pytest.raises(PictureError) as caught:
        verdict(tmp_path, content, name)
    assert name in str(caught.value)


def test_a_film_cut_anywhere_is_refused_or_says_the_same(tmp_path: Path) -> None:
    write_film(tmp_path / "out.mp4", [SMOOTH], 1, 1.0, note=note(RECORD))
    content = (tmp_path / "out.mp4").read_bytes()
    for length in range(12, len(content), 7):
        with pytest.raises(PictureError):
            verdict(tmp_path, content[:length])


def test_a_film_with_a_comment_of_megabytes_says_nothing(tmp_path: Path) -> None:
    long = note({"edit": "x" * 2 * LARGEST_TEXT})
    for kind in ("mp4", "gif"):
        write_film(tmp_path / f"out.{kind}", [SMOOTH], 1, 1.0, note=long)
        assert verify(tmp_path / f"out.{kind}") == Verdict(None, None, None)


def test_the_pixels_are_those_that_an_edit_would_read(tmp_path: Path, written: dict[str, bytes]) -> None:
    for suffix in SUFFIXES:
        (tmp_path / f"file.{suffix}").write_bytes(written[suffix])
        assert fingerprint(read_picture(tmp_path / f"file.{suffix}")).encode() in written[suffix]


def test_a_file_that_is_none_has_no_kind(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert [kind_of(path) for path in (tmp_path, tmp_path / "missing", Path("nul\0"), tmp_path / "pipe")] == [None] * 4


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(PictureError):
        verify(tmp_path / "pipe.png")
    assert check_output(tmp_path / "out.webp", like=tmp_path / "pipe.png")
