"""Draws requests that nobody of good will sends, by a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass

from odd import BOMB, ODD_PATHS, ODD_TEXTS, OPTIONS, PACKED, PHOTO_FIELDS, READS, VERBS, picture, png

HOLDER = "holder"
"""The client whose photo is edited: another one's may be forgotten by the way."""


@dataclass(frozen=True)
class Sent:
    """A request as it goes over the wire."""

    kind: str
    content: bytes
    silent: bool = False
    """Whether its sender falls silent before the end, and only waits."""


@dataclass
class Attacker:
    """Draws requests to a server. bases: good pictures' files, which are broken."""

    seed: int
    port: int
    token: str
    bases: list[bytes]
    held: str = ""
    """The id of a photo that the client `HOLDER` holds."""

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.kinds: tuple[tuple[int, Callable[[], Sent]], ...] = (
            (10, self.stranger),
            (10, self.foreign),
            (14, self.odd_path),
            (8, self.odd_headers),
            (8, self.odd_size),
            (14, self.broken_multipart),
            (14, self.broken_photo),
            (12, self.odd_fields),
            (4, self.odd_login),
            (4, self.garbage),
            (6, self.odd_method),
            (2, self.silent),
            (1, self.odd_edit),
        )

    def draw(self) -> Sent:
        """One request."""
        weights, makers = zip(*self.kinds, strict=True)
        return self.random.choices(makers, weights)[0]()

    def _request(
        self,
        kind: str,
        path: str,
        body: bytes = b"",
        method: str = "GET",
        headers: dict[str, str] | None = None,
        more: bytes = b"",
    ) -> Sent:
        given = {
            "Host": f"127.0.0.1:{self.port}",
            "Authorization": f"Bearer {self.token}",
            "X-Masque-Client": "hostile",
            "Connection": "close",
            **({"Content-Length": str(len(body))} if body or method == "POST" else {}),
            **(headers or {}),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value != "-")
        head = f"{method} {path} HTTP/1.1\r\n{lines}".encode("utf-8", "surrogatepass")
        return Sent(kind, head + more + b"\r\n" + body)

    def _form(self, fields: list[tuple[str, str | None, bytes]], boundary: str = "xyz") -> tuple[bytes, dict[str, str]]:
        """A multipart body: fields are name, file name, content."""
        body = bytearray()
        for name, file, content in fields:
            of_file = "" if file is None else f'; filename="{file}"\r\nContent-Type: image/png'
            line = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{of_file}\r\n\r\n'
            body += line.encode("utf-8", "surrogatepass") + content + b"\r\n"
        body += f"--{boundary}--\r\n".encode()
        return bytes(body), {"Content-Type": f"multipart/form-data; boundary={boundary}"}

    def stranger(self) -> Sent:
        """Without the token, or with a wrong one."""
        path = "/api/" + self.random.choice([*VERBS, "status", "photos/x", "jobs/x", "notice"])
        wrong = ["-", "", "Bearer", "Bearer x", f"Basic {self.token}", "Bearer " + "x" * 8000, f"Bearer {self.token}x"]
        body = bytes(self.random.choice([0, 10, 100_000]))
        method = self.random.choice(["GET", "POST", "DELETE"])
        return self._request("stranger", path, body, method, {"Authorization": self.random.choice(wrong)})

    def foreign(self) -> Sent:
        """From another page, or under another name."""
        hosts = ["evil.example", "127.0.0.1", f"evil.example:{self.port}", "127.0.0.1:1", "", "[::]", "a" * 5000]
        origins = ["null", "http://evil.example", "http://127.0.0.1:1", "", "x" * 3000]
        headers = self.random.choice(
            [
                {"Host": self.random.choice(hosts)},
                {"Origin": self.random.choice(origins)},
                {"Sec-Fetch-Site": self.random.choice(["cross-site", "same-site", "x"])},
            ]
        )
        return self._request("foreign", self.random.choice([*READS, "/api/photos"]), headers=headers)

    def odd_path(self) -> Sent:
        """An address that leads nowhere, or should not."""
        path = self.random.choice(ODD_PATHS)
        if self.random.random() < 0.3:
            path = "/" + "".join(self.random.choice("/.%\\~;:@&=+$,?!*'()[]ab0ä") for _ in range(40))
            path = path.encode("utf-8").decode("latin-1") if self.random.random() < 0.5 else path
        return self._request("path", path, method=self.random.choice(["GET", "GET", "POST", "DELETE", "HEAD"]))

    def odd_headers(self) -> Sent:
        """Headers that are too many, too long, double, or no headers."""
        odd = [
            b"A: b\r\n" * 500,
            b"A: " + b"x" * 50_000 + b"\r\n",
            b"A: \x00\r\n",
            b"A\x01: b\r\n",
            b": b\r\n",
            b"A b\r\n",
            b" folded\r\n",
            b"Content-Length: 5\r\nContent-Length: 6\r\n",
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            b"Transfer-Encoding: gzip, chunked\r\n",
            b"Expect: 200-ok\r\n",
            b"Range: bytes=0-,0-,0-,0-\r\n",
            b"Range: bytes=-99999999999999999999\r\n",
            b"If-None-Match: " + b'"a",' * 1000 + b"\r\n",
            b"If-Modified-Since: Mon, 99 Foo 99999 99:99:99 GMT\r\n",
            b"X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: evil.example\r\n",
            b"X-Masque-Client: " + b"\xff" * 100 + b"\r\n",
            b"Accept: " + b"a/b;q=9," * 1000 + b"\r\n",
            b"Upgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n",
            b"Upgrade: h2c\r\nHTTP2-Settings: AAAA\r\n",
            b"Cookie: " + b"a=b;" * 2000 + b"\r\n",
            b"\xff\xfe: \xff\r\n",
        ]
        client = self.random.choice(["x" * 65, "../../x", "a b", "é", "", "hostile"])
        headers = {"X-Masque-Client": client} if self.random.random() < 0.3 else {}
        return self._request("headers", self.random.choice(READS), headers=headers, more=self.random.choice(odd))

    def odd_size(self) -> Sent:
        """A body that is not what it says."""
        path = "/api/" + self.random.choice(["photos", "verify", "edit", "login", "status"])
        length = self.random.choice(["-1", "1e3", "99999999999999999999", "70000000", "0x10", "+5", "5, 5", " 5"])
        if self.random.random() < 0.5:
            return self._request("size", path, b"abcde", "POST", {"Content-Length": length})
        chunks = self.random.choice(
            [b"zz\r\n", b"5\r\nabc", b"-5\r\nabcde\r\n", b"f" * 40 + b"\r\n", b"5;" + b"a" * 20_000, b"0\r\n\r\n"]
        )
        sent = self._request("size", path, chunks, "POST", {"Content-Length": "-", "Transfer-Encoding": "chunked"})
        return Sent(sent.kind, sent.content, silent=True)

    def broken_multipart(self) -> Sent:
        """A form that breaks its own rules."""
        good, headers = self._form([("photo", "a.png", self.random.choice(self.bases)), ("attributes", None, b"{}")])
        way = self.random.randrange(12)
        names = [
            '../../x"; a="b',
            "a\0b.png",
            "\u202egnp.png",
            "x" * 5000,
            "<img src=x onerror=alert(1)>.png",
            "",
            "..",
        ]
        if way == 0:
            good = good[: self.random.randrange(len(good))]
        elif way == 1:
            headers = {"Content-Type": "multipart/form-data"}
        elif way == 2:
            headers = {"Content-Type": f"multipart/form-data; boundary={'y' * 300}"}
        elif way == 3:
            headers = {"Content-Type": 'multipart/form-data; boundary="\\"'}
        elif way == 4:
            good = good.replace(b"form-data", b"attachment").replace(b'name="photo"', b"")
        elif way == 5:
            good, headers = self._form([(f"f{n}", None, b"x") for n in range(2000)])
        elif way == 6:
            good, headers = self._form([("photo", self.random.choice(names), self.random.choice(self.bases))])
        elif way == 7:
            good, headers = self._form([("photo", "a.png", self.random.choice(self.bases)[:500])] * 30)
        elif way == 8:
            good, headers = self._form([("photo", None, b"x" * 2_000_000)])
        elif way == 9:
            good = good.replace(b"\r\n", b"\n")
        elif way == 10:
            good = b"--xyz\r\n" + b"A: b\r\n" * 3000 + b"\r\n\r\n--xyz--"
        else:
            headers = {
                "Content-Type": self.random.choice(["application/json", "text/plain; charset=utf-99", "", "x/y/z"])
            }
        path = "/api/" + self.random.choice(["photos", "edit", "verify", "parse", "swap", "login"])
        return self._request("multipart", path, good, "POST", headers)

    def broken_photo(self) -> Sent:
        """A good form around what is no photo."""
        content = self._broken()
        verb = self.random.choice(["photos", "photos", "verify", "parse", "heatmap", "repaint"])
        name = {"verify": "file"}.get(verb, "photo")
        fields: list[tuple[str, str | None, bytes]] = [(name, "a.png", content)]
        if verb == "heatmap":
            fields.append(("edited", "b.png", self._broken()))
        if verb == "repaint":
            fields.append(("labels", "b.png", self._broken()))
        body, headers = self._form(fields)
        if self.random.random() < 0.3:
            body = body.replace(b"image/png", b"application/x-masque-labels")
        return self._request("photo", f"/api/{verb}", body, "POST", headers)

    def _broken(self) -> bytes:
        base = bytearray(self.random.choice(self.bases))
        way = self.random.randrange(9)
        if way == 0:
            return bytes(base[: self.random.randrange(len(base))])
        if way == 1:
            for _ in range(self.random.randrange(1, 200)):
                base[self.random.randrange(len(base))] = self.random.randrange(256)
            return bytes(base)
        if way == 2:
            start = self.random.randrange(len(base))
            return bytes(base[:start] + base[start : start + 500] * 20 + base[start:])
        if way == 3:
            return self.random.randbytes(self.random.choice([0, 1, 20, 5000]))
        if way == 4:
            return png(60_000, 60_000, bytes(1000))
        if way == 5:
            return BOMB
        if way == 6:
            return self.random.choice(
                [
                    b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
                    b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file\n",
                    b"GIF89a" + b"\xff" * 40,
                    b"RIFF\xff\xff\xff\xffWEBPVP8 ",
                    b"II*\0\x08\0\0\0\xff\xff" + b"\xff" * 100,
                    b"\0\0\0\x18ftypmp42" + b"\xff" * 400,
                    b"\0\0\0\x18ftypheic" + b"\xff" * 400,
                    b"8BPS\0\1" + b"\0" * 100,
                    b"\xff\xd8\xff\xe1\xff\xff" + b"Exif\0\0" + b"\xff" * 5000,
                ]
            )
        if way == 7:
            return png(4, 4, b"\0" * 52, text=b"XML:com.adobe.xmp\0\0\0\0\0<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>")
        return picture(
            (self.random.randrange(1, 60), self.random.randrange(1, 60)), self.random.choice(["PNG", "GIF", "BMP"])
        )

    def odd_fields(self) -> Sent:
        """Options that are out of range, or of another kind; ids of what nobody holds."""
        verb = self.random.choice(VERBS)
        fields: list[tuple[str, str | None, bytes]] = [
            (name, None, self.random.choice(ODD_TEXTS).encode("utf-8", "surrogatepass"))
            for name in self.random.sample(OPTIONS, 4)
        ]
        for name in self.random.sample(PHOTO_FIELDS, 4):
            text = self.random.choice(ODD_TEXTS[:-1]).encode("utf-8", "surrogatepass")
            fields.append((name, None, text))
        body, headers = self._form(fields)
        headers["Accept"] = self.random.choice(["*/*", "application/json", "text/html"])
        query = self.random.choice(["", "?job=true", "?job=maybe", "?job=true&job=false"])
        return self._request("fields", f"/api/{verb}{query}", body, "POST", headers)

    def odd_edit(self) -> Sent:
        """Of a good photo, with options or a label map that cannot be used."""
        verb = self.random.choice([verb for verb in VERBS if verb not in ("photos", "verify")])
        fields: list[tuple[str, str | None, bytes]] = [
            (name, None, self.held.encode()) for name in PHOTO_FIELDS if name not in ("file", "labels")
        ]
        for name in self.random.sample(OPTIONS, self.random.randrange(1, 4)):
            fields.append((name, None, self.random.choice(ODD_TEXTS).encode("utf-8", "surrogatepass")))
        packed = self.random.choice(PACKED)
        fields.append(("labels", "labels.png", self.random.choice([packed, self._broken()])))
        body, headers = self._form(fields)
        if self.random.random() < 0.7:
            body = body.replace(b"image/png", b"application/x-masque-labels")
        query = (
            "" if verb in ("edit", "parse", "repaint", "turn", "heatmap") else "?job=true"
        )  # others may take minutes
        headers["X-Masque-Client"] = HOLDER
        return self._request("edit", f"/api/{verb}{query}", body, "POST", headers)

    def odd_login(self) -> Sent:
        """At the door."""
        body = self.random.choice(
            [
                b"",
                b"{}",
                b'{"password": ""}',
                b'{"password": 5}',
                b'{"password": "guess"}',
                b'{"password": ' + b"[" * 900,
                json.dumps({"password": "x" * 3000}).encode(),
                b'{"password": "\\ud800"}',
                b"\xff\xfe",
                bytes(10_000),
            ]
        )
        headers = {
            "Content-Type": self.random.choice(["application/json", "text/plain", "application/x-www-form-urlencoded"])
        }
        return self._request("login", "/api/login", body, "POST", {**headers, "Authorization": "-"})

    def garbage(self) -> Sent:
        """No request at all."""
        return Sent("garbage", self.random.randbytes(self.random.randrange(1, 400)) + b"\r\n\r\n")

    def odd_method(self) -> Sent:
        """A method that is not served there."""
        method = self.random.choice(
            ["PUT", "PATCH", "TRACE", "OPTIONS", "CONNECT", "PROPFIND", "G" * 200, "POST", "HEAD"]
        )
        return self._request("method", self.random.choice(READS), method=method)

    def silent(self) -> Sent:
        """Falls silent in the middle."""
        whole = self.broken_photo().content
        return Sent("silent", whole[: self.random.randrange(1, len(whole))], silent=True)
