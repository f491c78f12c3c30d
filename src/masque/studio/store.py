"""Photos and results in memory: whose they are, how many bytes they may take together, and how long they are held.

Nothing here is ever written to a disk."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from masque.jsonfile import JSON
from masque.studio.messages import Content, Kind, NotHeldError, TooBusyError

MOST_BYTES = 1 << 30
"""Bytes that all photos and results may take together."""

LIFETIME = 3600.0
"""Seconds after which what nobody used is forgotten."""

SHORT = 60.0
"""The same of previews, from which nothing goes on."""

GONE = "This is not held any more: give the photo again."


@dataclass
class Item:
    """A photo or a result that is held."""

    id: str
    owner: str
    kind: Kind
    name: str
    about: dict[str, JSON]
    """What is said of it: see `masque.studio.shapes`."""
    body: bytes
    shape: tuple[int, int] = (0, 0)
    faces: bytes = b""
    preview: bytes = b""
    film: bytes = b""
    needs: tuple[str, ...] = ()
    """Ids of photos without which a result cannot be used."""
    used: float = 0.0

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return len(self.body) + len(self.faces) + len(self.preview) + len(self.film)

    def content(self) -> Content:
        """It as a worker takes it."""
        return Content(self.id, self.kind, self.name, self.shape, self.body, self.faces)


@dataclass
class Store:
    """All that is held, for all clients."""

    most: int = MOST_BYTES
    lifetime: float = LIFETIME
    clock: Callable[[], float] = time.monotonic
    items: dict[str, Item] = field(default_factory=dict)
    dropped: Callable[[str], None] = lambda _: None
    """Told of each that is held no more."""

    @property
    def size(self) -> int:
        """Bytes that all of it takes."""
        return sum(item.size for item in self.items.values())

    def add(self, item: Item) -> Item:
        """Hold something; what was not used for longest makes room, of the client first that holds most. Raises
        TooBusyError for what is larger than all that may be held."""
        if item.size > self.most:
            raise TooBusyError("This is larger than all that Studio may hold: use a smaller picture.")
        self.items[item.id] = item
        self._use(item)
        self._make_room(item)
        return item

    def get(self, owner: str, key: str, kind: Kind | None = None) -> Item:
        """What a client holds under an id. Raises NotHeldError, also for what is another client's."""
        item = self.items.get(key)
        if item is None or item.owner != owner or (kind is not None and item.kind != kind):
            raise NotHeldError(GONE)
        self._use(item)
        return item

    def content(self, key: str) -> Content:
        """What is held under an id, as a worker takes it."""
        item = self.items.get(key)
        return Content(key, None) if item is None else item.content()

    def drop(self, key: str) -> None:
        """Forget something, and the results that cannot be used without it."""
        self._pop(key)
        for other in [item.id for item in self.items.values() if key in item.needs]:
            self.drop(other)

    def drop_all(self, owner: str) -> None:
        """Forget all that a client holds."""
        for item in list(self._of(owner)):
            self._pop(item.id)

    def sweep(self) -> None:
        """Forget what nobody used for a lifetime."""
        now = self.clock()
        for item in list(self.items.values()):
            if now - item.used > (self.lifetime if item.body else SHORT):
                self.drop(item.id)

    def _pop(self, key: str) -> None:
        if self.items.pop(key, None) is not None:
            self.dropped(key)

    def _use(self, item: Item) -> None:
        """Note that something is used now, and what it needs with it."""
        item.used = self.clock()
        for key in item.needs:
            if key in self.items:
                self.items[key].used = item.used

    def _of(self, owner: str) -> Iterator[Item]:
        return (item for item in self.items.values() if item.owner == owner)

    def _make_room(self, kept: Item) -> None:
        while self.size > self.most:
            held: dict[str, int] = {}
            for item in self.items.values():
                held[item.owner] = held.get(item.owner, 0) + item.size
            largest = max(held, key=lambda owner: held[owner])
            stays = {kept.id, *kept.needs}
            able = [item for item in self._of(largest) if item.id not in stays]
            able = able or [item for item in self.items.values() if item.id not in stays]
            if not able:
                self._pop(kept.id)
                raise TooBusyError("Studio holds as much as it may: try again later, or with smaller pictures.")
            self.drop(min(able, key=lambda item: item.used).id)


def new_id() -> str:
    """An id that nobody can guess."""
    return secrets.token_urlsafe(12)
