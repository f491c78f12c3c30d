"""How the server starts, where it may listen, and how it stops."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from served import Echo, all_of, connected, exchange, head, status_of

from masque.errors import SettingError
from masque.studio.door import Door
from masque.studio.serve import allowed_hosts, is_loopback, listen, read_password, serve

HERE = Path(__file__).resolve().parent
PASSWORD = "correct horse"


def test_a_port_that_is_taken_is_said_with_what_to_do() -> None:
    with listen("127.0.0.1", 0, Door()) as taken, pytest.raises(SettingError, match=r"taken .* --port \(0 takes"):
        listen("127.0.0.1", taken.getsockname()[1], Door())


def test_a_port_is_free_again_at_once() -> None:
    with listen("127.0.0.1", 0, Door()) as first:
        port = first.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as asking:
            first.accept()[0].close()
            asking.recv(1)
    with listen("127.0.0.1", port, Door()):
        pass


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "example.org", "", "127.0.0.1.example.org"])
def test_others_come_in_only_by_a_password(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(SettingError, match="--password-file"):
        listen(host, 0, Door())


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "::1"])
def test_this_machine_needs_none(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    ("host", "port", "says"),
    [
        ("no.such.host.invalid", 0, "is no address of this machine"),
        ("203.0.113.7", 0, "is no address of this machine"),
        ("127.0.0.1", -1, "is no port"),
        ("127.0.0.1", 65536, "is no port"),
        ("\x1b[31m", 0, "is no address of this machine"),
    ],
)
def test_where_it_cannot_listen_it_says_so(host: str, port: int, says: str) -> None:
    with pytest.raises(SettingError, match=says) as refused:
        listen(host, port, Door(PASSWORD))
    assert "\x1b" not in str(refused.value)


def test_names_that_are_heeded_on_this_machine_alone() -> None:
    assert allowed_hosts("127.0.0.1", 7865) == {"127.0.0.1:7865", "localhost:7865", "[::1]:7865"}
    assert "127.0.0.2:7865" in allowed_hosts("127.0.0.2", 7865)
    assert {"localhost", "127.0.0.1"} < allowed_hosts("127.0.0.1", 80)  # browsers leave it out


def test_names_that_are_heeded_on_a_network() -> None:
    names = allowed_hosts("0.0.0.0", 7865)
    assert {f"{socket.gethostname()}:7865".lower(), "127.0.0.1:7865"} <= names
    assert all(name.endswith(":7865") and "%" not in name for name in names)
    assert "0.0.0.0:7865" not in names


def password_file(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "password"
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("content", [b"correct horse", b"correct horse\n", b"correct horse\r\nmore\n"])
def test_the_password_is_the_first_line(tmp_path: Path, content: bytes) -> None:
    warned: list[str] = []
    assert read_password(password_file(tmp_path, content), warned.append) == PASSWORD
    assert warned == []


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606])
def test_a_password_that_others_may_read_is_warned_of(tmp_path: Path, mode: int) -> None:
    warned: list[str] = []
    read_password(password_file(tmp_path, b"correct horse", mode), warned.append)
    assert len(warned) == 1
    assert "chmod 600" in warned[0]
    assert PASSWORD not in warned[0]


@pytest.mark.parametrize("content", [b"", b"\n", b"short\n", b"1234567", b"\xff" * 20, b"x" * 5000])
def test_what_is_no_password_is_said(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SettingError, match="first line"):
        read_password(password_file(tmp_path, content), print)


@pytest.mark.parametrize("name", ["missing", ".", "a/b"])
def test_a_password_file_that_cannot_be_read_is_said(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingError, match="--password-file"):
        read_password(tmp_path / name, print)


def test_a_password_from_a_pipe_will_do() -> None:
    read, write = os.pipe()
    os.write(write, b"correct horse\n")
    os.close(write)
    assert read_password(Path(f"/dev/fd/{read}"), print) == PASSWORD
    os.close(read)


STARTED = """
import sys
sys.path.insert(0, {here!r})
from served import Echo, door
from masque.studio.serve import serve
say = lambda sentence: print(sentence, flush=True)
warn = lambda sentence: print(sentence, file=sys.stderr, flush=True)
serve(Echo(), {host!r}, 0, door({password!r}), say=say, warn=warn, open_browser=False, verbose={verbose})
"""


@contextmanager
def started(
    host: str = "127.0.0.1", password: str | None = None, verbose: bool = False
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server in a process of its own, and its port."""
    source = STARTED.format(here=str(HERE), host=host, password=password, verbose=verbose)
    process = subprocess.Popen(
        [sys.executable, "-c", source], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        link = process.stdout.readline()
        yield process, int(link.split(" is at http://")[1].split(":")[1].split("/")[0])
    finally:
        process.kill()
        process.communicate()


def test_the_link_is_said_and_opens_the_door() -> None:
    with started() as (process, port):
        assert status_of(exchange(port, head(port, "GET", "/api/x", "Connection: close"))) == 200
        process.send_signal(signal.SIGINT)
        said, warned = process.communicate(timeout=5)
    assert said == "Stopped; no photo was kept.\n"
    assert warned == ""
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_within_two_seconds_whatever_is_going_on(number: signal.Signals) -> None:
    with (
        started(verbose=True) as (process, port),
        connected(port) as asking,
        connected(port) as sending,
        connected(port),
    ):
        asking.sendall(head(port, "GET", "/api/slow"))
        sending.sendall(head(port, "POST", "/api/x", "Content-Length: 1000") + b"abc")
        time.sleep(0.3)
        begun = time.monotonic()
        process.send_signal(number)
        _, warned = process.communicate(timeout=10)
        assert time.monotonic() - begun < 2
        for waited in (asking, sending):
            answer = all_of(waited)
            assert status_of(answer) == 503
            assert b"Studio was stopped" in answer
    assert "Traceback" not in warned
    assert process.returncode == (0 if number == signal.SIGINT else -number)


@pytest.mark.parametrize("verbose", [True, False])
def test_what_fails_is_told_only_to_those_who_ask(verbose: bool) -> None:
    with started(verbose=verbose) as (process, port):
        assert status_of(exchange(port, head(port, "GET", "/api/boom", "Connection: close"))) == 500
        exchange(port, head(port, "GET", "/api/late", "Connection: close"))
        exchange(port, b"no request\r\n\r\n")
        process.send_signal(signal.SIGINT)
        _, warned = process.communicate(timeout=5)
    assert ("secret of /src/masque" in warned) == verbose
    assert verbose or warned == ""


def test_with_a_password_the_link_holds_no_token_and_a_warning_is_given() -> None:
    with started("0.0.0.0", PASSWORD) as (process, port):
        answer = exchange(port, head(port, "GET", "/api/x", "Connection: close"))
        assert status_of(answer) == 200
        process.send_signal(signal.SIGINT)
        _, warned = process.communicate(timeout=5)
    assert warned.count("\n") == 1
    assert "not encrypted" in warned
    assert f":{port}/" in warned


def test_the_browser_is_opened_and_may_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def fails(link: str) -> bool:
        opened.append(link)
        while signal.getsignal(signal.SIGINT) in (signal.default_int_handler, signal.SIG_IGN):  # it is not up yet
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)
        raise RuntimeError

    monkeypatch.setattr(webbrowser, "open", fails)
    door, said = Door(), list[str]()
    serve(Echo(), "127.0.0.1", 0, door, say=said.append, warn=said.append)
    assert opened[0] in said[0]
    assert opened[0].endswith(f"/#token={door.token}")
    assert said[1] == "Stopped; no photo was kept."


def test_the_server_starts_without_what_decodes_and_computes() -> None:
    source = """
import sys
import masque.studio.app, masque.studio.serve, masque.studio.state
print(sorted({"torch", "numpy", "cv2", "matplotlib", "scipy", "masque.image"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
