"""What the real server lets in, and what it says of what it refuses."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from real import Real, real_server

from masque.image import Picture

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    with real_server(tmp_path_factory.mktemp("home")) as real:
        yield real


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    home = tmp_path_factory.mktemp("home")
    file = home / "password.txt"
    file.write_text(PASSWORD)
    file.chmod(0o600)
    with real_server(home, "--host", "0.0.0.0", "--password-file", str(file)) as real:
        yield real


def sent(server: Real, content: bytes, name: str = "a.png") -> httpx.Response:
    with server.client() as client:
        return client.post("/api/photos", files={"photo": (name, content)})


def file_of(image: Image.Image, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


def every_address(server: Real) -> list[tuple[str, str]]:
    """(method, path) of the whole API, as it describes itself."""
    described = httpx.get(f"{server.address}/openapi.json").json()["paths"]
    return [(method, path) for path, methods in described.items() for method in methods]


def test_every_call_but_the_door_needs_the_token(server: Real) -> None:
    addresses = every_address(server)
    assert len(addresses) > 30
    open_to_all = {"/api/door": 200, "/api/login": 422}
    with httpx.Client(base_url=server.address) as client:
        for method, path in addresses:
            for headers in ({}, {"Authorization": "Bearer x"}, {"Cookie": f"token={server.token}"}):
                answer = client.request(method, path.replace("{", "").replace("}", ""), headers=headers)
                assert answer.status_code == open_to_all.get(path, 401), (method, path, answer.text)


def test_no_call_takes_a_path_a_model_or_a_folder(server: Real) -> None:
    described = httpx.get(f"{server.address}/openapi.json").json()
    names = {name for schema in described["components"]["schemas"].values() for name in schema.get("properties", {})}
    parameters = {
        parameter["name"]
        for methods in described["paths"].values()
        for one in methods.values()
        for parameter in one.get("parameters", [])
    }
    forbidden = {"file_name", "filename", "folder", "directory", "model", "weights_path", "url", "output", "device"}
    assert not forbidden & (names | parameters)


def test_another_name_or_page_is_refused_by_the_real_server_too(server: Real) -> None:
    with server.client() as client:
        assert client.get("/api/status").status_code == 200
        assert client.get("/api/status", headers={"Host": f"evil.example:{server.port}"}).status_code == 403
        assert client.get("/api/status", headers={"Origin": "http://evil.example"}).status_code == 403
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize(
    "path", ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "js/../../app.py", "/etc/passwd", "js", "..\\app.py", "%00"]
)
def test_only_the_pages_own_files_are_served(server: Real, path: str) -> None:
    for folder in ("static", "docs/files"):
        with server.client() as client:
            # Sent as it is written here: a client would tidy it up.
            request = client.build_request("GET", "/")
            request.url = httpx.URL(f"{server.address}/", path=f"/{folder}/x")
            request.extensions["target"] = f"/{folder}/{path}".encode()
            answer = client.send(request)
        assert answer.status_code == 404, answer.text
        assert set(answer.json()) == {"error", "kind", "field"}


def test_a_file_above_the_limit_is_refused(server: Real) -> None:
    for size in (31, 70):
        answer = sent(server, bytes(size * 2**20))
        assert answer.status_code == 413, answer.text
        assert "make" in answer.json()["error"]


def test_two_large_photos_fit_into_a_request(server: Real) -> None:
    with server.client() as client:
        large = bytes(30 * 2**20 - 1000)
        answer = client.post("/api/swap", files={"face": ("a.png", large), "hair": ("b.png", large)})
    assert answer.status_code == 422, answer.text  # no pictures, but no word of their size
    assert answer.json()["field"] == "face"


@pytest.mark.parametrize(
    ("picture", "says"),
    [
        (lambda: file_of(Image.new("L", (8000, 6500)), "PNG"), "52 megapixels and the limit is 50"),
        (lambda: b"hello", "not a picture"),
        (lambda: b"", "0 bytes"),
        (lambda: file_of(Image.new("RGB", (300, 300)))[:200], "cut short"),
    ],
)
def test_what_is_no_photo_is_said_as_on_the_command_line(server: Real, picture: object, says: str) -> None:
    answer = sent(server, picture())  # type: ignore[operator]
    assert answer.status_code == 422
    assert says in answer.json()["error"]


@pytest.mark.parametrize(
    "name", ["<script>.png", "a\u202egnp.exe", "../../etc/passwd", "x" * 3000, "\x1b[31m.png", " "]
)
def test_a_files_name_is_shown_and_nothing_else(server: Real, name: str) -> None:
    server.wait_until_ready()
    taken = sent(server, file_of(Image.fromarray(np.full((64, 64, 3), 90, np.uint8))), name)
    assert taken.status_code == 201, taken.text
    shown = taken.json()["name"]
    assert shown.isprintable()
    assert 0 < len(shown) <= 80
    assert "/" not in shown


def test_what_one_client_holds_another_does_not_see(server: Real, photos: dict[str, Picture]) -> None:
    server.wait_until_ready()
    with server.client("anna") as anna, server.client("ben") as ben:
        photo = file_of(Image.fromarray(photos["astronaut"][::2, ::2]))
        key = anna.post("/api/photos", files={"photo": ("a.png", photo)}).json()["id"]
        assert anna.get(f"/api/photos/{key}").status_code == 200
        for method, path in (
            ("GET", f"/api/photos/{key}"),
            ("GET", f"/api/photos/{key}/picture"),
            ("POST", f"/api/photos/{key}/read"),
            ("DELETE", f"/api/photos/{key}"),
            ("GET", f"/api/results/{key}/picture"),
        ):
            assert ben.request(method, path).status_code == 404
        assert ben.post("/api/parse", data={"photo": key}).status_code == 404
        assert anna.delete("/api/photos").status_code == 204
        assert anna.get(f"/api/photos/{key}").status_code == 404


def test_on_a_network_the_password_opens_the_door(locked: Real) -> None:
    address = locked.address
    assert locked.token == ""
    assert any("not encrypted" in line for line in locked.heard)
    assert httpx.get(f"{address}/api/door").json()["needs"] == "password"
    right = httpx.post(f"{address}/api/login", json={"password": PASSWORD})
    token = right.json()["token"]
    assert httpx.get(f"{address}/api/status", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    for _ in range(3):
        wrong = httpx.post(f"{address}/api/login", json={"password": "guess"})
        assert (wrong.status_code, wrong.json()["kind"]) == (401, "WrongPassword")
    slowed = httpx.post(f"{address}/api/login", json={"password": PASSWORD})
    assert slowed.status_code == 429
    assert int(slowed.headers["retry-after"]) >= 1
    assert PASSWORD not in "".join(locked.heard)


def test_the_token_stands_in_no_answer(server: Real) -> None:
    with server.client() as client:
        for path in ("/", "/docs", "/openapi.json", "/api/door", "/api/status", "/api/notice", "/static/js/main.js"):
            answer = client.get(path)
            assert answer.status_code == 200
            assert server.token not in answer.text
            assert str(Path(__file__).resolve().parents[2]) not in answer.text
