"""What is read of pictures and films under any name: their records, whether they are as Masque wrote them, and nothing
takes long."""

from __future__ import annotations

import json
import os
import struct
import time
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from masque.container import LARGEST_TEXT, kind_of
from masque.edits.result import Result
from masque.errors import PictureError
from masque.film import write_film
from masque.image import check_output, read_picture, write_picture
from masque.provenance import Verdict, fingerprint, note, packet, verify
from png_files import chunk, png
from recorded import RECORD, SMOOTH, SUFFIXES, verdict, xmp_of


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
    rng = np.random.default_rng(5)
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
    xmp = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp_of(written["png"]))
    height, width, _ = SMOOTH.shape
    copy = png(width, height, zlib.compress(b"".join(rows)), xmp, interlaced=1)
    assert verdict(tmp_path, copy).unchanged is True


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
    path = write_picture(tmp_path / "out.png", SMOOTH, xmp=said.encode())
    assert (verify(path).record, verify(path).unchanged) == (RECORD, False)


def test_a_record_in_another_kind_of_text_is_none(tmp_path: Path, written: dict[str, bytes]) -> None:
    info = PngInfo()
    info.add_text("XML:com.adobe.xmp", xmp_of(written["png"]).decode("latin-1"))
    Image.fromarray(SMOOTH).save(tmp_path / "out.png", pnginfo=info)
    assert verify(tmp_path / "out.png") == Verdict(None, None, None)


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
