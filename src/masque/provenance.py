"""What was done to a picture, written into the picture: an XMP packet that says "made with a trained model" and carries
Masque's record.

The packet uses IPTC's digitalSourceType, which picture programs and archives read; the record beside it is Masque's
own."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from masque.container import LARGEST_TEXT, Contents, contents, gif_comment, kind_of, mp4_comment
from masque.errors import NoPictureError, OutputError, PictureError, printable
from masque.image import Picture, decoded, encoded_picture, encoding, read_picture, write_picture
from masque.jsonfile import JSON

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
NAMESPACES = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "masque": "urn:masque:record:1",
}
PROPERTIES = (("Iptc4xmpExt", "DigitalSourceType"), ("masque", "Pixels"), ("masque", "Record"))
KNOWN_NAMES = {
    "x": {"xmpmeta", "xmptk"},
    "rdf": {"RDF", "Description", "about"},
    "xmp": {"CreatorTool"},
    "Iptc4xmpExt": {"DigitalSourceType"},
    "masque": {"Pixels", "Record"},
}
"""Every name in a packet of Masque, and the one by which Adobe's library signs those that it passes on. All others
count as changed: a viewer may heed them, as it does an orientation or a thumbnail."""
LARGEST_OF_JPEG = 64_000
"""Bytes of a packet that fit into a segment of a JPEG, less what a record says beside its inputs."""
LARGEST_PACKET = LARGEST_TEXT
"""Bytes above which a packet is not parsed."""
DEEPEST = 50
"""How deep elements, or values in a record, may lie in one another: Masque's own need six."""


@dataclass(frozen=True)
class Verdict:
    """What a picture says of itself."""

    record: Mapping[str, JSON] | None
    """Masque's record, None when there is none."""
    source_type: str | None
    """IPTC's digitalSourceType, None when the picture has none."""
    unchanged: bool | None
    """Whether a viewer shows what was written with the record; None without a record, and for a film."""
    reason: str | None = field(default=None, compare=False)
    """Why `unchanged` is False, as half a sentence."""


def fingerprint(picture: NDArray[np.uint8]) -> str:
    """SHA-256 of a picture's size and pixels, in hex."""
    return hashlib.sha256(repr(picture.shape).encode() + np.ascontiguousarray(picture).tobytes()).hexdigest()


def packet(record: Mapping[str, JSON] | None, pixels: str) -> bytes:
    """The XMP packet (UTF-8) for a picture whose decoded pixels have the fingerprint `pixels`.

    record: how it was made; None for a picture that no model made, whose packet then says nothing of models."""
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items() if prefix not in ("x", "rdf"))
    source, made = "", ""
    if record is not None:
        source = f"<Iptc4xmpExt:DigitalSourceType>{SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>"
        made = f"<masque:Record>{escape(json.dumps(record, sort_keys=True))}</masque:Record>"
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="{NAMESPACES["x"]}"><rdf:RDF xmlns:rdf="{NAMESPACES["rdf"]}">'
        f'<rdf:Description rdf:about="" {spaces}>'
        f"{source}<xmp:CreatorTool>Masque</xmp:CreatorTool><masque:Pixels>{pixels}</masque:Pixels>{made}"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def write_recorded(path: str | os.PathLike[str], picture: Picture, record: Mapping[str, JSON]) -> Path:
    """Write an RGB uint8 (H,W,3) picture as PNG, JPEG or WebP with its record inside, whole or not at all. Raises
    OutputError."""
    return write_picture(path, picture, xmp=packet(record, _written_pixels(Path(path).suffix, picture)))


def recorded(picture: Picture, record: Mapping[str, JSON], kind: str = "png") -> bytes:
    """The content of a file with a picture and its record, as `write_recorded` writes it.

    picture: RGB uint8 (H,W,3). record: how it was made. kind: png, jpg or webp. Raises OutputError for another kind,
    and where the format cannot hold the picture or its record."""
    return encoded_picture(picture, kind, xmp=packet(record, _written_pixels(kind, picture)))


def write_copy(path: str | os.PathLike[str], photo: Picture) -> Path:
    """Write a photo as it was given, RGB uint8 (H,W,3), as PNG, JPEG or WebP, whole or not at all.

    It carries no record, only the fingerprint of its pixels, by which `is_copy` knows it again. Raises OutputError."""
    return write_picture(path, photo, xmp=packet(None, _written_pixels(Path(path).suffix, photo)))


def is_copy(path: Path) -> bool:
    """Whether a file is a photo that `write_copy` wrote and nobody has changed since. Raises PictureError for a picture
    that cannot be read, OSError."""
    kind = kind_of(path)
    if kind not in ("PNG", "JPEG", "WEBP"):
        return False
    held = contents(path, kind)
    if len(held.packets) != 1 or held.foreign:
        return False
    properties, foreign = _properties(held.packets[0])
    return not foreign and properties == {"Pixels": [fingerprint(read_picture(path))]}


def check_record(path: str | os.PathLike[str], record: Mapping[str, JSON]) -> None:
    """Raise OutputError where a picture file of this ending has no room for what a record will say: known before it is
    complete."""
    if encoding(Path(path))[0] == "JPEG" and len(packet(record, "0" * 64)) > LARGEST_OF_JPEG:
        raise OutputError(f"{printable(path, 300)} has no room for a record of all that goes in: name a .png file.")


def _written_pixels(kind: str, picture: Picture) -> str:
    """The fingerprint of the pixels as a reader will decode them: a lossy format changes them."""
    if kind.removeprefix(".").lower() == "png":
        return fingerprint(picture)
    with Image.open(BytesIO(encoded_picture(picture, kind))) as written:
        return fingerprint(np.array(written.convert("RGB"), dtype=np.uint8))


def note(record: Mapping[str, JSON]) -> str:
    """The comment of a film with this record."""
    return json.dumps({"DigitalSourceType": SOURCE_TYPE, "Record": record}, sort_keys=True)


def verify(source: str | os.PathLike[str] | bytes | BytesIO) -> Verdict:
    """Read back what a picture or film says of itself, whoever wrote it.

    source: a file's path, or its content.

    A picture counts as unchanged when a viewer shows what was written: its pixels have the fingerprint that stands
    beside the record, and the file holds nothing that Masque never writes and a viewer may heed (alpha, an orientation,
    a colour profile, more frames …). The record itself is not signed: anybody can write one. The kind of file is told
    by its content. Raises PictureError when the file cannot be read as a picture or film."""
    file = BytesIO(source) if isinstance(source, bytes) else source if isinstance(source, BytesIO) else Path(source)
    name = "The file" if isinstance(file, BytesIO) else printable(file, 300)
    kind = kind_of(file)
    if kind == "MP4":
        return _of_film(file, name)
    if kind == "GIF" and (comment := gif_comment(file)) is not None:
        with decoded(file):
            return _noted(comment)
    try:
        pixels = fingerprint(read_picture(file))
    except NoPictureError:
        raise PictureError(f"{name} is neither a picture nor a film that can be read: fetch it again.") from None
    if kind not in ("PNG", "JPEG", "WEBP"):
        with decoded(file) as image:
            xmp = image.info.get("xmp") or b""
        return _verdict(
            Contents((xmp,) if isinstance(xmp, bytes) else (), "a format that Masque does not write"), pixels
        )
    try:
        return _verdict(contents(file, kind), pixels)
    except OSError as error:
        raise PictureError(f"{name} cannot be read ({error.strerror}): fetch it again.") from None


def _of_film(file: Path | BytesIO, name: str) -> Verdict:
    try:
        return _noted(mp4_comment(file))
    except OSError as error:
        raise PictureError(f"{name} cannot be read ({error.strerror}): fetch it again.") from None
    except ValueError as error:
        raise PictureError(f"{name} is not a film that can be read ({error}): fetch it again.") from None


def _noted(comment: str) -> Verdict:
    try:
        values = json.loads(comment)
        record, source = values["Record"], values["DigitalSourceType"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return Verdict(None, None, None)
    return Verdict(record if isinstance(record, dict) and not _too_deep(record) else None, str(source), None)


def _verdict(held: Contents, pixels: str) -> Verdict:
    """The verdict on a picture whose decoded pixels have this fingerprint."""
    if not held.packets:
        return Verdict(None, None, None)
    properties, foreign = _properties(held.packets[0])
    texts = properties.get("Record", [])
    source = properties.get("DigitalSourceType", [None])[0]
    record = _record(texts[0]) if texts else None
    if record is None:
        return Verdict(None, source, None)
    reason = f"it holds {held.foreign}" if held.foreign else None
    if len(held.packets) > 1 or any(len(several) > 1 for several in properties.values()):
        reason = reason or "it says several things of itself"
    elif foreign or source not in (None, SOURCE_TYPE) or json.dumps(record, sort_keys=True) != texts[0]:
        reason = reason or "what it says of itself is not as Masque writes it"
    elif properties.get("Pixels") != [pixels]:
        reason = reason or "other pixels were written with this record"
    return Verdict(record, source, reason is None, reason)


def _record(text: str) -> dict[str, JSON] | None:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and not _too_deep(record) else None


def _too_deep(value: JSON) -> bool:
    """Whether values lie in one another deeper than in any record of Masque; programs that print them may fail at some
    depth."""
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
    return bool(level)


def _inside(value: JSON) -> Iterable[JSON]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _properties(xmp: bytes) -> tuple[dict[str, list[str]], bool]:
    """What a packet says under the names that matter here, and whether it says anything that Masque does not say.

    XMP allows a property as an element or as an attribute of another. A packet that is none, or declares entities, says
    nothing."""
    if len(xmp) > LARGEST_PACKET:
        return {}, True
    names = {f"{NAMESPACES[space]} {name}": name for space, name in PROPERTIES}
    known = {f"{NAMESPACES[space]} {name}" for space, names in KNOWN_NAMES.items() for name in names} | {"about"}
    found: dict[str, list[str]] = {}
    open_elements: list[tuple[str, list[str]]] = []
    foreign = False

    def note(name: str, text: str) -> None:
        nonlocal foreign
        foreign = foreign or name not in known
        if name in names and text.strip():
            found.setdefault(names[name], []).append(text.strip())

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(open_elements) > DEEPEST:
            raise ValueError
        for attribute, text in attributes.items():
            note(attribute, text)
        open_elements.append((name, []))

    def end(_name: str) -> None:
        name, texts = open_elements.pop()
        note(name, "".join(texts))

    def refuse(*_: object) -> None:
        raise ValueError

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = lambda text: open_elements[-1][1].append(text)
    parser.CommentHandler = lambda _: note("a comment", "")
    parser.StartDoctypeDeclHandler = refuse  # XMP has none, and entities can be made to grow without end
    try:
        parser.Parse(xmp.strip(b"\xef\xbb\xbf \r\n\0"), True)
    except (expat.ExpatError, ValueError, LookupError):  # the last for an encoding that is not known
        return {}, True
    return found, foreign
