"""Runs Studio's server: on this machine alone, or on a network behind a password."""

from __future__ import annotations

import errno
import ipaddress
import logging
import os
import socket
import stat
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from masque.errors import SettingError, printable
from masque.studio.connections import protocol
from masque.studio.door import Door
from masque.studio.guard import Guard
from masque.studio.limits import Limits

SHORTEST_PASSWORD = 8
LONGEST_PASSWORD = 1024
LOGGERS = ("uvicorn", "uvicorn.error", "asyncio", "masque.studio")

Say = Callable[[str], None]


def serve(
    app: ASGIApp,
    host: str,
    port: int,
    door: Door,
    *,
    say: Say,
    warn: Say,
    opened: Say | None = None,
    open_browser: bool = True,
    verbose: bool = False,
    limits: Limits | None = None,
) -> None:
    """Serve `app` behind its guard until Ctrl-C.

    host: a name or address of this machine. port: 0 takes one that is free. say, warn: write a sentence for the person
    who started it, the second one of what to be careful with. opened: gets the link in place of a sentence with it,
    once it listens. verbose: tell what fails inside on stderr.

    Raises SettingError where it cannot listen there, or would without a password."""
    limits = limits or Limits()
    listener = listen(host, port, door)
    with listener:
        port = listener.getsockname()[1]
        guard = Guard(app, door, allowed_hosts(host, port), limits)
        server = uvicorn.Server(configured(guard, limits))
        address = f"http://{_shown(host)}:{port}/"
        link = f"{address}#token={door.token}" if door.needs == "token" else address
        if not is_loopback(host):
            warn(
                f"Note: {address} is not encrypted, and everybody who knows the password may use this machine: "
                "open it only in a network that you trust."
            )
        if opened is None:
            say(f"Masque Studio is at {link} (Ctrl-C stops it)")
        else:
            opened(link)
        if open_browser:
            threading.Thread(target=_open, args=(link,), daemon=True).start()
        _keep_no_core()
        with _logging(verbose), suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
    say("Stopped; no photo was kept.")


def configured(app: ASGIApp, limits: Limits) -> uvicorn.Config:
    """uvicorn's settings: it believes no proxy, tells nothing of itself, and logs no request."""
    return uvicorn.Config(
        app,
        http=protocol(limits),
        loop="asyncio",
        ws="none",
        interface="asgi3",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        h11_max_incomplete_event_size=limits.head,
        timeout_keep_alive=round(limits.idle),
        timeout_graceful_shutdown=1,
    )


def listen(host: str, port: int, door: Door) -> socket.socket:
    """A socket on which the server may listen. Raises SettingError where it may not, or cannot."""
    if not is_loopback(host) and door.needs != "password":
        raise SettingError(
            f"On {printable(host)} others could use Studio too: put a password of at least {SHORTEST_PASSWORD} "
            "characters in a file and name it with --password-file."
        )
    if not 0 <= port <= 65535:
        raise SettingError(f"{port} is no port: --port takes 1 to 65535, or 0 for any that is free.")
    try:
        family, kind, number, _, place = socket.getaddrinfo(
            "127.0.0.1" if host.lower() == "localhost" else host, port, type=socket.SOCK_STREAM
        )[0]
    except (OSError, UnicodeError):
        raise SettingError(
            f"{printable(host)} is no address of this machine: leave --host out, or give 0.0.0.0."
        ) from None
    listener = socket.socket(family, kind, number)
    try:
        if os.name == "posix":  # elsewhere it would let two programs share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise SettingError(_why_not(host, port, error)) from None
    return listener


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken by another program: give another with --port (0 takes any that is free)."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"Port {port} may not be used by ordinary programs: give one above 1023 with --port."
    return f"{printable(host)} is no address of this machine: leave --host out, or give 0.0.0.0."


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine reach this address."""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def allowed_hosts(host: str, port: int) -> frozenset[str]:
    """What a Host header may say, with the port: names and addresses under which this machine is meant."""
    names = {"127.0.0.1", "localhost", "[::1]", _shown(host)}
    if not is_loopback(host):
        names |= {*_own_names(), *map(_bracketed, _own_addresses())}
    with_port = {f"{name}:{port}".lower() for name in names}
    return frozenset(with_port | ({name.lower() for name in names} if port == 80 else set()))


def _own_names() -> Iterator[str]:
    name = socket.gethostname()
    yield from (name, name.partition(".")[0], f"{name.partition('.')[0]}.local")


def _own_addresses() -> Iterator[str]:
    import psutil

    for addresses in psutil.net_if_addrs().values():
        for address in addresses:
            if address.family in (socket.AF_INET, socket.AF_INET6):
                yield address.address.partition("%")[0]


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _shown(host: str) -> str:
    """The host as it stands in a link; of all addresses, this machine's name."""
    if host in ("0.0.0.0", "::", ""):
        return socket.gethostname()
    return "127.0.0.1" if host.lower() == "localhost" else _bracketed(host)


def read_password(path: Path, warn: Say) -> str:
    """The first line of a file. Raises SettingError where it is no password; warns where others may read it."""
    try:
        with path.open("rb") as file:
            mode, line = os.fstat(file.fileno()).st_mode, file.readline(LONGEST_PASSWORD + 2)
        password = line.decode("utf-8").rstrip("\r\n")
    except OSError as error:
        raise SettingError(f"{printable(path)} cannot be read ({error.strerror}): check --password-file.") from None
    except UnicodeDecodeError:
        raise SettingError(f"{printable(path)} holds no text: write the password in its first line.") from None
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise SettingError(
            f"The first line of {printable(path)} must be a password of {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} "
            "characters: write a longer one."
        )
    if os.name == "posix" and stat.S_ISREG(mode) and mode & 0o077:
        warn(f"Note: others on this machine may read {printable(path)}: chmod 600 keeps them from it.")
    return password


def _open(link: str) -> None:
    """Open the link in a browser, where there is one: it stands on the terminal as well."""
    with suppress(Exception):
        webbrowser.open(link)


def _keep_no_core() -> None:
    """A crash of this program, or of one that it starts, leaves no copy of its memory on the disk: it holds photos."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@contextmanager
def _logging(verbose: bool) -> Iterator[None]:
    """What fails inside is told on stderr only to those who ask: paths of this machine stand in it."""
    handler = logging.StreamHandler(sys.stderr) if verbose else logging.NullHandler()
    before = [(logger := logging.getLogger(name), logger.propagate) for name in LOGGERS]
    for logger, _ in before:
        logger.addHandler(handler)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, propagates in before:
            logger.removeHandler(handler)
            logger.propagate = propagates
