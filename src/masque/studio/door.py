"""Who may come in: a token in the link that only the person who started Studio sees, or a password."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import math
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Literal, TypeVar

from masque.errors import MasqueError

T = TypeVar("T")

FREE_TRIES = 3
"""Wrong passwords that an address may give before it has to wait."""
LONGEST_WAIT = 60.0
"""Seconds after the last wrong password, at most, in which an address is not heard."""
FORGOTTEN_AFTER = 15 * 60.0
"""Seconds after which an address's wrong passwords are forgotten."""
MOST_ADDRESSES = 1024
"""Addresses whose tries are remembered; of more, those that were silent longest are forgotten."""
TRIES_A_MINUTE = 60
"""Wrong passwords of all addresses together, above which only addresses that came in before are heard."""


class WrongPassword(MasqueError):  # noqa: N818 - what happened, which the page shows
    """A password that is not the one of this server."""

    def __init__(self) -> None:
        super().__init__("That is not the password: ask whoever started Studio for it.")


class TooManyTries(MasqueError):  # noqa: N818 - what happened, which the page shows
    """An address that gave too many wrong passwords, and is not heard for a while.

    seconds: whole seconds until it is heard again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many wrong passwords were given: try again in {seconds} seconds.")
        self.seconds = seconds


class Door:
    """Holds the token of this server, and gives it to whoever knows the password, if there is one.

    password: None where the token in the opened link is all that is needed. clock: seconds, never running back."""

    def __init__(self, password: str | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.token = secrets.token_urlsafe(32)
        self._password = None if password is None else _digest(password)
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lately: deque[float] = deque(maxlen=TRIES_A_MINUTE)
        self._known: OrderedDict[str, None] = OrderedDict()

    @property
    def needs(self) -> Literal["token", "password"]:
        """What a page has to bring: the token of the opened link, or a password that is typed in."""
        return "token" if self._password is None else "password"

    def admits(self, authorization: str | None) -> bool:
        """Whether a request with this Authorization header may come in. It takes as long for any wrong token."""
        scheme, _, given = (authorization or "").partition(" ")
        right = hmac.compare_digest(_digest(given.strip()), _digest(self.token))
        return right and scheme.lower() == "bearer"

    def login(self, password: str, address: str) -> str:
        """The token, for the right password. address: of the client, by which wrong tries are counted.

        Raises WrongPassword, and TooManyTries while an address (or too many of them) has to wait, whatever it gives."""
        client = _network(address)
        self._check_wait(client)
        if self._password is None or not hmac.compare_digest(_digest(password), self._password):
            self._count_wrong(client)
            raise WrongPassword
        self._wrong.pop(client, None)
        _remember(self._known, client, None)
        return self.token

    def _check_wait(self, client: str) -> None:
        now = self._clock()
        wrong, last = self._wrong.get(client, (0, now))
        until = last + _wait_after(wrong) if now - last < FORGOTTEN_AFTER else now
        if client not in self._known and len(self._lately) == TRIES_A_MINUTE:
            until = max(until, self._lately[0] + 60.0)
        if until > now:
            raise TooManyTries(math.ceil(until - now))

    def _count_wrong(self, client: str) -> None:
        now = self._clock()
        wrong, last = self._wrong.get(client, (0, now))
        _remember(self._wrong, client, (1 if now - last >= FORGOTTEN_AFTER else wrong + 1, now))
        self._lately.append(now)


def _wait_after(wrong: int) -> float:
    """Seconds that an address waits after so many wrong passwords: 1, 2, 4, … after the free ones."""
    return 0.0 if wrong < FREE_TRIES else min(LONGEST_WAIT, 2.0 ** min(wrong - FREE_TRIES, 16))


def _remember(held: OrderedDict[str, T], key: str, value: T) -> None:
    held[key] = value
    held.move_to_end(key)
    while len(held) > MOST_ADDRESSES:
        held.popitem(last=False)


def _digest(text: str) -> bytes:
    """Equally long for every text, so that comparing takes equally long."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _network(address: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 of an IPv6 address, of which one machine has any number
    of addresses."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
