"""Which requests come past the guard, and what every answer carries."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping

import httpx
import pytest
from served import HOST, SENTENCE, TOKEN, Echo, door
from starlette.types import Message, Scope

from masque.studio.guard import Guard
from masque.studio.limits import Limits

LET_IN = {"Authorization": f"Bearer {TOKEN}", "Host": HOST}
SMALL = Limits(body=1000, body_without_token=100, bodies=1500, bodies_of_client=1200, linger=0.2)


def guarded(app: Echo, limits: Limits | None = None) -> Guard:
    return Guard(app, door(), [HOST, "localhost:7870", "[::1]:7870"], limits)


def ask(
    path: str = "/api/x",
    headers: Mapping[str, str] | list[tuple[str, str]] = LET_IN,
    *,
    method: str = "GET",
    app: Echo | None = None,
    limits: Limits | None = None,
    content: bytes | AsyncIterator[bytes] | None = None,
) -> httpx.Response:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    encoded = [(key.encode(), value.encode()) for key, value in pairs]

    async def inside() -> httpx.Response:
        transport = httpx.ASGITransport(guarded(app or Echo(), limits), raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(method, f"http://{HOST}{path}", headers=encoded, content=content)

    return asyncio.run(inside())


def refused(answer: httpx.Response, status: int) -> None:
    """An answer that says why in the one form of all failures."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    assert set(told) == SENTENCE
    assert told["error"].endswith(".")


@pytest.mark.parametrize(
    "path", ["/api/x", "/api", "/api/", "/API/x", "//api/x", "/%61pi/x", "/api/doors", "/api/door/"]
)
@pytest.mark.parametrize("authorization", [None, "Bearer x", f"Basic {TOKEN}", TOKEN, "Bearer é"])
def test_the_api_needs_the_token(path: str, authorization: str | None) -> None:
    app = Echo()
    headers = [("Host", HOST), *([("Authorization", authorization)] if authorization else [])]
    answer = ask(path, headers, app=app)
    refused(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert app.asked == 0
    assert ask(path, app=app).status_code == 200


def test_a_token_that_is_given_twice_is_none() -> None:
    refused(ask("/api/x", [*LET_IN.items(), ("Authorization", f"Bearer {TOKEN}")]), 401)


@pytest.mark.parametrize("path", ["/", "/static/js/main.js", "/docs", "/openapi.json", "/api/door", "/api/login"])
def test_the_page_and_the_door_need_none(path: str) -> None:
    assert ask(path, {"Host": HOST}).status_code == 200


@pytest.mark.parametrize("host", [HOST, "localhost:7870", "LOCALHOST:7870", "[::1]:7870"])
def test_the_names_of_this_machine_are_heeded(host: str) -> None:
    assert ask(headers={**LET_IN, "Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:7870",
        "evil.example",
        "127.0.0.1",
        "127.0.0.1:80",
        "127.0.0.1:78700",
        "127.0.0.1:7870.evil.example",
        "127.0.0.1.evil.example:7870",
        "evil.example#127.0.0.1:7870",
        "me@127.0.0.1:7870",
        "127.0.0.1:7870,evil.example",
        "localhost.:7870",
        "0.0.0.0:7870",
        "127.1:7870",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/x", "/api/door", "/static/js/main.js"])
def test_another_name_is_not(host: str, path: str) -> None:
    refused(ask(path, {**LET_IN, "Host": host}), 403)


def test_two_hosts_are_none() -> None:
    refused(ask("/", [("Host", HOST), ("Host", HOST)]), 403)


@pytest.mark.parametrize("origin", [f"http://{HOST}", "http://localhost:7870", "https://localhost:7870"])
def test_its_own_page_may_call(origin: str) -> None:
    assert ask(headers={**LET_IN, "Origin": origin}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://evil.example",
        "http://127.0.0.1",
        "http://127.0.0.1:3000",
        f"http://{HOST}.evil.example",
        f"http://{HOST}/",
        f"http://{HOST} http://evil.example",
        f"ftp://{HOST}",
        "file://",
        "chrome-extension://abc",
    ],
)
@pytest.mark.parametrize("path", ["/api/x", "/api/door", "/api/login", "/"])
def test_another_page_may_not(origin: str, path: str) -> None:
    refused(ask(path, {**LET_IN, "Origin": origin}, method="POST"), 403)


@pytest.mark.parametrize(
    ("site", "status"), [("same-origin", 200), ("none", 200), ("cross-site", 403), ("same-site", 403)]
)
def test_the_browser_says_who_calls(site: str, status: int) -> None:
    assert ask(headers={**LET_IN, "Sec-Fetch-Site": site}).status_code == status
    assert ask("/", headers={**LET_IN, "Sec-Fetch-Site": site}).status_code == 200  # a link leads here


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "CONNECT", "PROPFIND", "X" * 30])
def test_other_methods_are_not_served(method: str) -> None:
    answer = ask(method=method)
    refused(answer, 405)
    assert "POST" in answer.headers["allow"]


def test_long_addresses_are_refused() -> None:
    assert ask("/api/" + "x" * 1000).status_code == 200
    refused(ask("/api/" + "x" * 1024), 414)
    assert ask("/api/x?a=" + "x" * 4000).status_code == 200
    refused(ask("/api/x?a=" + "x" * 4100), 414)


@pytest.mark.parametrize(
    "path",
    ["/static/%2e%2e/x", "/static/..%2f..%2fetc/passwd", "/static/%00", "/static/a%5c..%5cb", "/static/%0d%0aA:b"],
)
def test_no_address_leads_out_of_a_folder(path: str) -> None:
    refused(ask(path), 404)


def test_a_body_that_is_announced_too_large_is_not_read() -> None:
    app = Echo()
    reads = 0

    async def receive() -> Message:
        nonlocal reads
        reads += 1
        return {"type": "http.request", "body": bytes(100), "more_body": True}

    sent: list[tuple[int, Message]] = []

    async def send(message: Message) -> None:
        sent.append((reads, message))

    asyncio.run(guarded(app, SMALL)(scope({"Content-Length": "1001"}), receive, send))
    assert sent[0][1]["status"] == 413
    assert (b"connection", b"close") in sent[0][1]["headers"]
    assert [before for before, _ in sent[:2]] == [0, 0]  # the whole sentence is out before anything is taken in
    assert "1000 bytes" in json.loads(sent[1][1]["body"])["error"]
    assert 100 * reads <= 2 * SMALL.body
    assert app.asked == 0


def scope(headers: Mapping[str, str] | None = None, path: str = "/api/x", client: str = "10.0.0.1") -> Scope:
    given = {**LET_IN, **(headers or {})}
    return {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "client": (client, 1),
        "headers": [(key.lower().encode(), value.encode()) for key, value in given.items()],
    }


async def pieces(size: int, piece: int = 100) -> AsyncIterator[bytes]:
    for start in range(0, size, piece):
        yield bytes(min(piece, size - start))


def test_a_chunked_body_is_counted() -> None:
    app = Echo()
    assert ask(method="POST", content=pieces(1000), limits=SMALL, app=app).json() == 1000
    refused(ask(method="POST", content=pieces(1001), limits=SMALL, app=app), 413)
    assert app.sizes == [1000]


def test_a_body_that_is_longer_than_announced_is_counted() -> None:
    headers = {**LET_IN, "Content-Length": "10"}
    refused(ask(method="POST", headers=headers, content=pieces(1001), limits=SMALL), 413)


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "9" * 400, "١٢"])
def test_an_odd_length_is_no_way_in(length: str) -> None:
    answer = ask(
        method="POST", headers=[*LET_IN.items(), ("Content-Length", length)], content=pieces(1001), limits=SMALL
    )
    refused(answer, 413)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/login"), ("GET", "/api/x"), ("DELETE", "/api/x"), ("POST", "/")]
)
def test_only_the_api_takes_photos(method: str, path: str) -> None:
    assert ask(path, method=method, content=bytes(100), limits=SMALL).json() == 100
    refused(ask(path, method=method, content=bytes(101), limits=SMALL), 413)


def test_without_the_token_no_body_is_read() -> None:
    app = Echo()
    refused(ask(headers={"Host": HOST}, method="POST", content=bytes(500), app=app, limits=SMALL), 401)
    assert app.asked == 0


def test_the_body_arrives_as_it_was_sent() -> None:
    content = bytes(range(256)) * 2000
    got = bytearray()

    async def app(_: Scope, receive: object, send: object) -> None:
        more = True
        while more:
            message = await receive()  # type: ignore[operator]
            got.extend(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b""})  # type: ignore[operator]

    async def odd_pieces() -> AsyncIterator[bytes]:
        for start, end in zip((0, 1, 7, 70_000, 300_000), (1, 7, 70_000, 300_000, len(content)), strict=True):
            yield content[start:end]

    ask(method="POST", content=odd_pieces(), app=app)  # type: ignore[arg-type]
    assert bytes(got) == content


async def conversation(
    guard: Guard, waits: list[float], piece: int, headers: Mapping[str, str] | None = None, client: str = "10.0.0.1"
) -> list[Message]:
    """What is answered to a sender that sends a piece after each wait, and then no end."""
    sent: list[Message] = []
    left = iter(waits)

    async def receive() -> Message:
        await asyncio.sleep(next(left, 1e6))
        return {"type": "http.request", "body": bytes(piece), "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    await guard(scope({"Transfer-Encoding": "chunked", **(headers or {})}, client=client), receive, send)
    return sent


@pytest.mark.parametrize(
    ("waits", "piece", "limits", "seconds"),
    [
        ([], 1, Limits(grace=0.2, rate=1000), 0.2),  # nothing comes
        ([0.02] * 1000, 1, Limits(grace=0.2, rate=1000), 0.21),  # some does, too slowly
        ([0.02] * 1000, 100, Limits(grace=0.2, rate=1000, body_time=0.5), 0.5),  # fast enough, for too long
    ],
)
def test_a_slow_sender_is_cut_off(waits: list[float], piece: int, limits: Limits, seconds: float) -> None:
    app = Echo()

    async def inside() -> float:
        begun = asyncio.get_running_loop().time()
        sent = await conversation(guarded(app, limits), waits, piece)
        assert sent[0]["status"] == 408
        assert (b"connection", b"close") in sent[0]["headers"]
        return asyncio.get_running_loop().time() - begun

    assert seconds * 0.9 <= asyncio.run(inside()) < seconds + 2
    assert app.asked == 0


def test_a_sender_that_keeps_the_rate_is_not() -> None:
    async def steady() -> AsyncIterator[bytes]:
        for _ in range(10):
            await asyncio.sleep(0.05)
            yield bytes(1000)

    assert ask(method="POST", content=steady(), limits=Limits(grace=0.15, rate=4000)).json() == 10_000


@pytest.mark.parametrize(
    ("limits", "others"),
    [
        (Limits(receiving=3, receiving_of_client=9, grace=0.5), True),
        (Limits(receiving=9, receiving_of_client=3, grace=0.5), False),
        (Limits(bodies=350, bodies_of_client=999, grace=0.5), True),
        (Limits(bodies=999, bodies_of_client=350, grace=0.5), False),
    ],
)
def test_only_so_many_bodies_are_received_at_once(limits: Limits, others: bool) -> None:
    app = Echo()
    guard = guarded(app, limits)

    async def upload(client: str) -> int:
        sent = []
        given = iter([{"type": "http.request", "body": bytes(100), "more_body": False}])

        async def receive() -> Message:
            return next(given)

        async def send(message: Message) -> None:
            sent.append(message)

        await guard(scope({"Content-Length": "100"}, client=client), receive, send)
        if sent[0]["status"] == 429:
            assert (b"retry-after", b"3") in sent[0]["headers"]
        return int(sent[0]["status"])

    async def inside() -> None:
        slow = [asyncio.ensure_future(conversation(guard, [0], 100)) for _ in range(3)]
        await asyncio.sleep(0.1)
        assert await upload("10.0.0.1") == 429
        assert await upload("10.0.0.2") == (429 if others else 200)
        assert [sent[0]["status"] for sent in await asyncio.gather(*slow)] == [408] * 3
        assert await upload("10.0.0.1") == 200

    asyncio.run(inside())
    assert not guard._intake._bytes
    assert not guard._intake._receiving


def test_a_client_that_goes_away_is_forgotten() -> None:
    app = Echo()
    guard = guarded(app)
    sent: list[Message] = []
    given = iter([{"type": "http.request", "body": bytes(100), "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Message:
        return next(given)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(guard(scope({"Content-Length": "1000"}), receive, send))
    assert sent == []
    assert app.asked == 0
    assert not guard._intake._bytes


EVERY_ANSWER = {
    "page": ("/", {"Host": HOST}, 200),
    "static": ("/static/x.js", {"Host": HOST}, 200),
    "api": ("/api/x", LET_IN, 200),
    "refused": ("/api/x", {"Host": HOST}, 401),
    "host": ("/api/x", {"Host": "evil.example"}, 403),
    "failed": ("/api/boom", LET_IN, 500),
    "open": ("/api/open", LET_IN, 200),
    "docs": ("/docs", {"Host": HOST}, 200),
}


@pytest.mark.parametrize("name", EVERY_ANSWER)
def test_every_answer_carries_what_keeps_a_browser_safe(name: str) -> None:
    path, headers, status = EVERY_ANSWER[name]
    answer = ask(path, headers)
    assert answer.status_code == status
    got = answer.headers
    assert got.get_list("x-frame-options") == ["DENY"]
    assert got["x-content-type-options"] == "nosniff"
    assert got["referrer-policy"] == "no-referrer"
    assert got["cross-origin-opener-policy"] == got["cross-origin-resource-policy"] == "same-origin"
    assert "camera=(self)" in got["permissions-policy"]
    policy = dict(part.split(" ", 1) for part in got["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert set(" ".join(policy.values()).split()) <= {"'none'", "'self'", "blob:", "data:", "'unsafe-inline'"}
    assert ("'unsafe-inline'" in policy["style-src"]) == (name == "docs")
    assert (got.get("cache-control") == "no-store") == path.startswith("/api")
    assert not [key for key in got if key.startswith("access-control")]
    assert "server" not in got


@pytest.mark.parametrize("path", ["/api/boom", "/api/html"])
def test_a_failure_tells_nobody_why(path: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "masque.studio"):
        answer = ask(path)
    refused(answer, 500)
    assert "secret" not in answer.text
    assert ("secret" in caplog.text) == (path == "/api/boom")


def test_a_failure_is_printed_nowhere_by_itself(capfd: pytest.CaptureFixture[str]) -> None:
    ask("/api/boom")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", ["websocket", "unheard-of"])
def test_nothing_but_http_is_served(kind: str) -> None:
    app, sent = Echo(), []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(guarded(app)({**scope(), "type": kind}, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]
    assert app.asked == 0
