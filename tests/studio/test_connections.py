"""Connections to the real server, by sockets: slow ones, broken ones, too many."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from served import SENTENCE, Echo, all_of, connected, exchange, head, serving, status_of

from masque.studio import connections
from masque.studio.limits import Limits

QUICK = Limits(head_time=0.4, grace=0.4, idle=1.0, connections=6, connections_of_client=6, linger=0.5)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Echo, int]]:
    app = Echo()
    with serving(app, QUICK) as port:
        yield app, port


def told(answer: bytes) -> dict[str, object]:
    body = answer.partition(b"\r\n\r\n")[2]
    value = json.loads(body)
    assert set(value) == SENTENCE
    return dict(value)


def test_requests_come_one_after_another_on_a_connection(server: tuple[Echo, int]) -> None:
    _, port = server
    with connected(port) as connection:
        for size in (0, 5, 100_000):
            connection.sendall(head(port, "POST", "/api/x", f"Content-Length: {size}") + bytes(size))
            answer = b""
            while not answer.endswith(b"0\r\n\r\n"):
                answer += connection.recv(65536)
            assert status_of(answer) == 200
            time.sleep(0.5)  # longer than the time for a head: none has begun


def test_requests_sent_at_once_are_answered_in_turn(server: tuple[Echo, int]) -> None:
    _, port = server
    answer = exchange(port, head(port, "GET") * 3 + head(port, "GET", "/api/x", "Connection: close"))
    assert answer.count(b"HTTP/1.1 200") == 4


@pytest.mark.parametrize("sent", [b"", b"GET", b"GET / HTTP/1.1\r\nHost: x", b"POST /api/x HTTP/1.1\r\nA: b\r\n"])
def test_a_head_that_does_not_come_ends_the_connection(server: tuple[Echo, int], sent: bytes) -> None:
    _, port = server
    begun = time.monotonic()
    answer = exchange(port, sent)
    assert 0.3 < time.monotonic() - begun < 3
    if sent:
        assert status_of(answer) == 408
        assert told(answer)["kind"] == "TooSlow"
    else:
        assert answer == b""  # a browser that connected ahead would take a word for an answer


def test_a_head_that_trickles_in_ends_it_too(server: tuple[Echo, int]) -> None:
    _, port = server
    begun = time.monotonic()
    with connected(port) as connection:
        connection.settimeout(0.05)
        answer = b""
        for byte in head(port, "GET", "/api/x", "A: " + "b" * 200):
            try:
                connection.sendall(bytes([byte]))
                answer += connection.recv(65536)
            except TimeoutError:
                continue
            except ConnectionError:
                break
            if answer:
                break
    assert status_of(answer) == 408
    assert time.monotonic() - begun < 3


def test_a_second_head_on_a_connection_has_its_time_too(server: tuple[Echo, int]) -> None:
    _, port = server
    with connected(port) as connection:
        connection.sendall(head(port, "GET") + b"GET /api/x HTT")
        begun = time.monotonic()
        answer = all_of(connection)
    assert answer.startswith(b"HTTP/1.1 200")
    assert time.monotonic() - begun < 3


def test_a_body_that_does_not_come_is_cut_off(server: tuple[Echo, int]) -> None:
    app, port = server
    before = app.asked
    begun = time.monotonic()
    answer = exchange(port, head(port, "POST", "/api/x", "Content-Length: 1000") + b"abc")
    assert status_of(answer) == 408
    assert time.monotonic() - begun < 3
    assert app.asked == before


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a browser that speaks TLS
        b"hello\r\n\r\n",
        b"\r\n",
        b"GET / HTTP/x\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",  # without a host
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nA: \x00\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused_in_the_form_of_all_failures(server: tuple[Echo, int], sent: bytes) -> None:
    _, port = server
    answer = exchange(port, sent)
    assert status_of(answer) in (400, 501)
    assert told(answer)["kind"] == "Request"
    assert b"content-security-policy" in answer


@pytest.mark.parametrize(
    "chunk", [b"zz\r\n", b"5\r\nabc", b"-1\r\n", b"ffffffffffffffffffffff\r\n", b"5\r\nabcdefgh\r\n"]
)
def test_a_broken_chunk_reaches_no_application(server: tuple[Echo, int], chunk: bytes) -> None:
    app, port = server
    before = app.asked
    answer = exchange(port, head(port, "POST", "/api/x", "Transfer-Encoding: chunked") + chunk)
    assert status_of(answer) in (400, 408)
    assert app.asked == before


@pytest.mark.parametrize("how", ["Content-Length: 90000000", "Transfer-Encoding: chunked"])
def test_a_refused_sender_can_read_why_while_it_still_sends(how: str) -> None:
    piece = b"10000\r\n" + bytes(65536) + b"\r\n" if how.startswith("Transfer") else bytes(65536)
    with serving(Echo()) as port, connected(port) as connection:
        connection.sendall(head(port, "POST", "/api/x", how))
        for _ in range(1200):  # 75 MB
            connection.sendall(piece)
        answer = connection.recv(65536)
    assert status_of(answer) == 413


def test_who_asks_before_sending_is_told_at_once() -> None:
    with serving(Echo()) as port, connected(port) as connection:
        begun = time.monotonic()
        connection.sendall(head(port, "POST", "/api/x", "Content-Length: 90000000", "Expect: 100-continue"))
        assert status_of(all_of(connection)) == 413
        assert time.monotonic() - begun < 1.5


def test_only_so_many_connections_are_open_at_once(server: tuple[Echo, int]) -> None:
    _, port = server
    with ExitStack() as held:
        for _ in range(6):
            held.enter_context(connected(port)).sendall(b"GET ")
        answer = exchange(port, head(port, "GET"))
        assert status_of(answer) == 503
        assert told(answer)["kind"] == "TooBusy"
        assert b"retry-after: 3" in answer
    time.sleep(0.5)
    assert status_of(exchange(port, head(port, "GET", "/api/x", "Connection: close"))) == 200


def test_who_does_not_fetch_the_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "WATCH", 0.3)
    with serving(Echo()) as port, connected(port) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(head(port, "GET", "/api/large"))
        time.sleep(1.5)
        assert len(all_of(connection)) < 2**20


def test_who_fetches_it_steadily_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "WATCH", 0.3)
    with serving(Echo()) as port, connected(port) as connection:
        connection.sendall(head(port, "GET", "/api/large", "Connection: close"))
        size = 0
        while piece := connection.recv(2**20):
            size += len(piece)
            time.sleep(0.02)
        assert size > 20 * 2**20


@pytest.mark.parametrize("upgrade", ["websocket", "h2c"])
def test_nothing_is_upgraded(server: tuple[Echo, int], upgrade: str) -> None:
    _, port = server
    more = ("Connection: Upgrade", f"Upgrade: {upgrade}", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAA")
    with connected(port) as connection:
        connection.sendall(head(port, "GET", "/api/x", *more))
        assert status_of(connection.recv(65536)) in (200, 400, 403)
