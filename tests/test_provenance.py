"""What is written into a picture, read back by Masque and by a parser that knows nothing of Masque."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import masque
from masque.edits.result import Result
from masque.errors import OutputError, PictureError
from masque.image import Picture, write_picture
from masque.provenance import LARGEST_PACKET, Verdict, check_record, fingerprint, packet, verify

RECORD = {
    "edit": "swap",
    "model": "rsgan",
    "seed": 3,
    "inputs": {"face": {"photo": "Zoë & <Ben>.jpg", "face": [1, 2, 3, 4]}},
}
NOTHING = Verdict(None, None, None)
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
MADE_BY_AI = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""As the IPTC's news codes spell it; written out here, so that a slip in the source does not pass."""


@pytest.fixture
def picture() -> Picture:
    return np.random.default_rng(0).integers(0, 256, (40, 32, 3), dtype=np.uint8)


def with_xmp(path: Path, xmp: str) -> Path:
    """A PNG with this packet."""
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp)
    Image.new("RGB", (8, 8)).save(path, pnginfo=info)
    return path


def record_element(text: str) -> str:
    return f'<x xmlns:m="urn:masque:record:1"><m:Record>{text}</m:Record></x>'


@pytest.mark.parametrize("suffix", ["png", "jpg", "jpeg", "webp"])
def test_a_record_comes_back_from_every_format(tmp_path: Path, picture: Picture, suffix: str) -> None:
    path = Result(picture, RECORD).save(tmp_path / f"out.{suffix}")
    assert verify(path) == Verdict(RECORD, MADE_BY_AI, True)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_any_xmp_reader_finds_the_source_type(tmp_path: Path, picture: Picture, suffix: str) -> None:
    """As ISO 16684 has it: the packet lies in the file as plain bytes, and the property is the description's child."""
    content = Result(picture, RECORD).save(tmp_path / f"out.{suffix}").read_bytes()
    (found,) = re.findall(
        rb"<\?xpacket begin=.*?\?>(<x:xmpmeta.*</x:xmpmeta>)<\?xpacket end=\"w\"\?>", content, re.DOTALL
    )
    description = ElementTree.fromstring(found).find(f"{RDF}RDF/{RDF}Description")
    assert description is not None
    assert [e.text for e in description.findall(f"{IPTC}DigitalSourceType")] == [MADE_BY_AI]
    assert description.get(f"{RDF}about") == ""


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_a_changed_pixel_is_noticed(tmp_path: Path, picture: Picture, suffix: str) -> None:
    path = Result(picture, RECORD).save(tmp_path / f"out.{suffix}")
    with Image.open(path) as written:
        pixels, xmp = np.array(written), written.info["xmp"]
    pixels[20, 16] ^= 64
    changed = write_picture(tmp_path / f"changed.{suffix}", pixels, xmp=xmp)
    assert verify(changed) == Verdict(RECORD, MADE_BY_AI, False)


def test_a_jpeg_that_is_compressed_again_has_other_pixels(tmp_path: Path, picture: Picture) -> None:
    path = Result(picture, RECORD).save(tmp_path / "out.jpg")
    with Image.open(path) as written:
        written.save(tmp_path / "again.jpg", quality=60, xmp=written.info["xmp"])
    assert verify(tmp_path / "again.jpg").unchanged is False


def test_a_lossless_copy_has_the_same_pixels(tmp_path: Path, picture: Picture) -> None:
    path = Result(picture, RECORD).save(tmp_path / "out.png")
    with Image.open(path) as written:
        written.save(tmp_path / "copy.webp", lossless=True, xmp=written.info["xmp"])
    assert verify(tmp_path / "copy.webp").unchanged is True


def test_the_fingerprint_is_sha256_of_size_and_pixels(picture: Picture) -> None:
    assert fingerprint(picture) == hashlib.sha256(b"(40, 32, 3)" + bytes(picture.ravel().tolist())).hexdigest()
    assert fingerprint(picture) != fingerprint(picture.reshape(32, 40, 3))
    assert fingerprint(picture[:, ::-1]) == fingerprint(picture[:, ::-1].copy())


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "tif", "bmp"])
def test_a_picture_without_a_record_says_nothing(tmp_path: Path, picture: Picture, suffix: str) -> None:
    Image.fromarray(picture).save(tmp_path / f"plain.{suffix}")
    assert verify(tmp_path / f"plain.{suffix}") == NOTHING


def test_a_picture_that_another_program_marked(tmp_path: Path) -> None:
    """Adobe's programs write simple properties as attributes of the description."""
    packet_of_others = (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF[1:-1]}"><rdf:Description rdf:about="" '
        f'xmlns:Iptc4xmpExt="{IPTC[1:-1]}" Iptc4xmpExt:DigitalSourceType="{MADE_BY_AI}"/></rdf:RDF></x:xmpmeta>'
    )
    assert verify(with_xmp(tmp_path / "other.png", packet_of_others)) == Verdict(None, MADE_BY_AI, None)


def test_a_record_that_another_program_moved_into_attributes(tmp_path: Path, picture: Picture) -> None:
    attributes = f'm:Pixels="{fingerprint(picture)}" m:Record="{{&quot;edit&quot;: &quot;swap&quot;}}"'
    moved = f'<r:Description xmlns:r="{RDF[1:-1]}" xmlns:m="urn:masque:record:1" {attributes}/>'
    path = write_picture(tmp_path / "moved.png", picture, xmp=moved.encode())
    assert verify(path) == Verdict({"edit": "swap"}, None, True)


@pytest.mark.parametrize(
    "xmp",
    [
        "",
        "not xml at all",
        "<x>cut sho",
        "<a>" * 100_000,
        '<?xml version="1.0" encoding="bogus"?><x/>',
        '<?xml version="1.0" encoding="shift_jis"?><x/>',
        record_element("no json"),
        record_element("[1, 2]"),
        record_element("3"),
        record_element("null"),
        record_element("[" * 100_000),
        record_element("9" * 10_000),
        record_element('{"edit": "swap"}' + " " * LARGEST_PACKET),
        '<!DOCTYPE x [<!ENTITY a "' + "z" * 50_000 + '">]>' + record_element('{"a": "' + "&a;" * 150_000 + '"}'),
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>' + record_element('{"a": "&a;"}'),
    ],
    ids=lambda text: text[:24] or "empty",
)
def test_a_hostile_packet_says_nothing(tmp_path: Path, xmp: str) -> None:
    assert verify(with_xmp(tmp_path / "hostile.png", xmp)) == NOTHING


def test_a_record_without_a_fingerprint_does_not_vouch_for_the_pixels(tmp_path: Path) -> None:
    assert verify(with_xmp(tmp_path / "claimed.png", record_element('{"edit": "swap"}'))) == Verdict(
        {"edit": "swap"}, None, False
    )


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    record=st.dictionaries(
        st.text(), st.text() | st.integers() | st.booleans() | st.none() | st.lists(st.text()), max_size=5
    )
)
def test_any_record_survives_its_packet(tmp_path: Path, record: dict[str, object]) -> None:
    """Whatever people call their files: quotes, angle brackets, control characters."""
    pixels = np.zeros((2, 2, 3), np.uint8)
    path = write_picture(tmp_path / "out.png", pixels, xmp=packet(record, fingerprint(pixels)))
    assert verify(path) == Verdict(json.loads(json.dumps(record)), MADE_BY_AI, True)


@pytest.mark.parametrize("content", [b"", b"words", Image.new("RGB", (64, 64)).tobytes()])
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "out.png").write_bytes(content)
    with pytest.raises(PictureError, match=r"out\.png"):
        verify(tmp_path / "out.png")


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path, says in ((tmp_path / "missing.png", "no file"), (tmp_path, "folder")):
        with pytest.raises(PictureError, match=says):
            verify(path)


def test_a_result_is_not_saved_under_an_unknown_ending(tmp_path: Path, picture: Picture) -> None:
    with pytest.raises(OutputError, match=r"\.png, \.jpg or \.webp"):
        Result(picture, RECORD).save(tmp_path / "out.bmp")


WRITE = ("write_picture", "write_copy", "encoded_picture")
WITHOUT = {
    "film.py": "a sheet of frames; commands write theirs with a record",
    "provenance.py": "decoded again at once, to know what a viewer will show",
    "gallery/page.py": "a person's own photo beside its edits: nothing was made",
}
"""Where a picture is written that carries no record, and why."""


def test_every_picture_that_is_made_carries_a_record() -> None:
    package = Path(masque.__file__).parent
    without = {}
    for path in package.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            writes = isinstance(call, ast.Call) and getattr(call.func, "id", "") in WRITE
            if writes and not call.keywords:
                name = path.relative_to(package).as_posix()
                without[name] = without.get(name, 0) + 1
    assert without == dict.fromkeys(WITHOUT, 1)


def test_a_record_that_no_jpeg_can_hold_is_refused_before_the_work(tmp_path: Path, picture: Picture) -> None:
    for count in (10, 400, 4000):
        record = {"styles": [f"portrait{i:05d}.jpg" for i in range(count)], **RECORD}
        said = None
        try:
            check_record(tmp_path / "out.jpg", record)
        except OutputError as error:
            said = str(error)
        assert (said is None) == (count < 4000)
        if said is None:
            assert verify(Result(picture, record).save(tmp_path / "out.jpg")).unchanged is True
        check_record(tmp_path / "out.png", record)
