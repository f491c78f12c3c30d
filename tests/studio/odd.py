"""What hostile requests are made of: addresses that lead nowhere, texts that are no values, files that are no photo."""

from __future__ import annotations

import io
import zlib

import numpy as np
from PIL import Image

VERBS = [
    "swap",
    "edit",
    "parse",
    "repaint",
    "transfer",
    "faces-for",
    "random",
    "blend",
    "turn",
    "frontalize",
    "synthesize",
    "mix-identity",
    "invert",
    "combine",
    "morph",
    "heatmap",
    "verify",
    "photos",
]
PHOTO_FIELDS = ("photo", "face", "hair", "style_from", "a", "b", "edited", "file", "photos", "styles", "labels")
OPTIONS = [
    "attributes",
    "age",
    "pick",
    "pick_face",
    "longest",
    "method",
    "expression",
    "part",
    "yaw",
    "pitch",
    "count",
    "seed",
    "steps",
    "size",
    "weight",
    "weights",
    "formula",
    "frames",
    "seconds",
    "path",
    "loop",
    "format",
]
READS = [
    "/api/status",
    "/api/notice",
    "/api/choices",
    "/api/examples",
    "/api/door",
    "/",
    "/docs",
    "/openapi.json",
    "/static/style.css",
    "/static/js/main.js",
    "/docs/files/swagger-ui.css",
]
ODD_TEXTS = (
    "",
    "0",
    "-1",
    "NaN",
    "Infinity",
    "1e999",
    "9" * 400,
    "null",
    "true",
    "[]",
    "{}",
    "[" * 5000,
    '{"Smiling":' * 2000,
    '{"Smiling": NaN}',
    '{"Smiling": 1e999}',
    '{"Smiling": "\\ud800"}',
    '{"Hair": "#zzzzzz"}',
    '{"__class__": 1}',
    '{"Smiling": [1, 2]}',
    "../../etc/passwd",
    "/etc/passwd",
    "C:\\Windows\\win.ini",
    "file:///etc/passwd",
    "http://169.254.169.254/",
    "<script>alert(1)</script>",
    "{{7*7}}${7*7}",
    "'; DROP TABLE photos; --",
    "%s%s%n",
    "\u202egnp.exe",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "é" * 3000,
    "a - b + c" * 50,
    "x" * 200_000,
)
ODD_PATHS = (
    "/static/../../../../etc/passwd",
    "/static/..%2f..%2f..%2fetc/passwd",
    "/static/%2e%2e/%2e%2e/app.py",
    "/static/....//app.py",
    "/static//etc/passwd",
    "/static/%00",
    "/static/%c0%ae%c0%ae/app.py",
    "/static/js",
    "/static/js/../../app.py",
    "/docs/files/../../app.py",
    "/docs/files/%2e%2e%2f%2e%2e%2f__init__.py",
    "/.git/config",
    "/.env",
    "/wp-login.php",
    "/server-status",
    "/api/photos/../status",
    "/api/photos/%2e%2e%2fstatus",
    "/api/photos/%00/picture",
    "/api/photos/%ff%fe/picture",
    "/api/photos/" + "x" * 900,
    "/api/results/a%2fb/picture",
    "/api/results/%0d%0aSet-Cookie:a=b/picture",
    "/api/jobs/%F0%9F%98%80?wait=-1",
    "/api/jobs/x?wait=1e9&seen=" + "9" * 300,
    "/api/jobs/x?wait=NaN",
    "/api/photos/x/picture?longest=NaN",
    "/api/photos/x/picture?longest=99999999999999999999",
    "/api/results/x/picture?format=exe&cell=-1",
    "/api/results/x/picture?longest=" + "1" * 4000,
    "/api/examples/../../x",
    "//evil.example/%2f..",
    "/api//status",
    "/api/./status",
    "/api/status/",
    "/api/status;a=b",
    "/%61pi/status",
    "/API/STATUS",
    "/api/photos?" + "&".join(f"a{n}={n}" for n in range(400)),
    "http://evil.example/api/status",
    "*",
)

BOMB = zlib.compress(bytes(100_000_000), 9)
PACKED = (
    b"",
    b"\0" * 100,
    zlib.compress(bytes(10)),
    BOMB,
    zlib.compress(b"\xff" * 2**18),
    zlib.compress(bytes(2**18))[:-9],
)
"""What may stand in place of packed label numbers."""


def picture(size: tuple[int, int], kind: str) -> bytes:
    """A small picture without a face."""
    stream = io.BytesIO()
    Image.fromarray(np.full((*size, 3), 127, np.uint8)).save(stream, kind)
    return stream.getvalue()


def png(width: int, height: int, rows: bytes, text: bytes = b"") -> bytes:
    """A PNG that says it has this size, whatever it holds."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"
    middle = chunk(b"iTXt", text) if text else b""
    data = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + middle + data + chunk(b"IEND", b"")
