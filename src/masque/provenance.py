"""What was done to a picture, written into the picture: an XMP packet that says "made with a trained model" and carries Masque's record.

The packet uses IPTC's digitalSourceType, which picture programs and archives read; the record beside it is Masque's own.
"""

from __future__ import annotations

import hashlib
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from masque.errors import PictureError
from masque.image import decoded

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
NAMESPACES = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "masque": "urn:masque:record:1",
}
PROPERTIES = (("Iptc4xmpExt", "DigitalSourceType"), ("masque", "Pixels"), ("masque", "Record"))
LARGEST_PACKET = 1_000_000
"""Bytes above which a packet is not parsed: Masque's own are a few thousand."""


@dataclass(frozen=True)
class Verdict:
    """What a picture says of itself."""

    record: Mapping[str, Any] | None
    """Masque's record, None when there is none."""
    source_type: str | None
    """IPTC's digitalSourceType, None when the picture has none."""
    unchanged: bool | None
    """Whether the pixels are those that were written with the record; None without a record, and for a film."""


def fingerprint(picture: NDArray[np.uint8]) -> str:
    """SHA-256 of a picture's size and pixels, in hex."""
    return hashlib.sha256(repr(picture.shape).encode() + np.ascontiguousarray(picture).tobytes()).hexdigest()


def packet(record: Mapping[str, Any], pixels: str) -> bytes:
    """The XMP packet (UTF-8) for a picture with this record whose decoded pixels have the fingerprint `pixels`."""
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items() if prefix not in ("x", "rdf"))
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="{NAMESPACES["x"]}"><rdf:RDF xmlns:rdf="{NAMESPACES["rdf"]}"><rdf:Description rdf:about="" {spaces}>'
        f"<Iptc4xmpExt:DigitalSourceType>{SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>"
        f"<xmp:CreatorTool>Masque</xmp:CreatorTool>"
        f"<masque:Pixels>{pixels}</masque:Pixels>"
        f"<masque:Record>{escape(json.dumps(record, sort_keys=True))}</masque:Record>"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def note(record: Mapping[str, Any]) -> str:
    """The comment of a film with this record."""
    return json.dumps({"DigitalSourceType": SOURCE_TYPE, "Record": record}, sort_keys=True)


def _noted(comment: str) -> Verdict:
    try:
        said = json.loads(comment)
        record, source = said["Record"], said["DigitalSourceType"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return Verdict(None, None, None)
    return Verdict(record if isinstance(record, dict) else None, str(source), None)


def verify(path: Path) -> Verdict:
    """Read back what a picture or film says of itself, whoever wrote it. Raises PictureError when the file cannot be read as either."""
    if path.suffix.lower() == ".mp4" and path.is_file():
        import av

        try:
            with av.open(str(path)) as film:
                return _noted(film.metadata.get("comment", ""))
        except (av.FFmpegError, UnicodeDecodeError):
            raise PictureError(f"{path} is not a film that can be read: name a picture, or an .mp4 or .gif film.") from None
    if path.suffix.lower() == ".gif":
        with decoded(path) as image:
            comment = image.info.get("comment", b"")
        return _noted(comment.decode(errors="replace") if isinstance(comment, bytes) else str(comment))
    with decoded(path) as image:
        pixels = fingerprint(np.array(image.convert("RGB"), dtype=np.uint8))
        xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    properties = _properties(xmp.encode() if isinstance(xmp, str) else xmp)
    try:
        record = json.loads(properties.get("Record", ""))
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        return Verdict(None, properties.get("DigitalSourceType"), None)
    return Verdict(record, properties.get("DigitalSourceType"), properties.get("Pixels") == pixels)


def _properties(xmp: bytes) -> dict[str, str]:
    """What a packet says under the names that matter here. XMP allows a property as an element or as an attribute of another."""
    if len(xmp) > LARGEST_PACKET:
        return {}
    try:
        tree = ElementTree.fromstring(re.sub(rb"<\?xpacket[^>]*\?>", b"", xmp).strip(b"\xef\xbb\xbf \r\n\0"))
    except (ElementTree.ParseError, ValueError, LookupError):  # the last two for an encoding that is not known
        return {}
    names = {f"{{{NAMESPACES[space]}}}{name}": name for space, name in PROPERTIES}
    found: dict[str, str] = {}
    for element in tree.iter():
        for tag, text in ((element.tag, element.text), *element.attrib.items()):
            if tag in names and text:
                found.setdefault(names[tag], text.strip())
    return found
