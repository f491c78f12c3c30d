"""A small picture with a record, and what is looked at in its files."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from masque.provenance import Verdict, verify

RECORD = {"edit": "swap", "model": "rsgan"}
SUFFIXES = ("png", "jpg", "webp")

NOISE = np.random.default_rng(5).integers(0, 40, (24, 16, 3))
SMOOTH = np.clip(np.add.outer(np.arange(24) * 6, np.arange(16) * 5)[..., None] + NOISE, 0, 255).astype(np.uint8)


def verdict(folder: Path, content: bytes, name: str = "file.png") -> Verdict:
    """What is found of a file of this name and content."""
    (folder / name).write_bytes(content)
    return verify(folder / name)


def xmp_of(content: bytes) -> bytes:
    """The packet of a picture's file."""
    (found,) = re.findall(rb'<\?xpacket begin=.*<\?xpacket end="w"\?>', content, re.DOTALL)
    return found
