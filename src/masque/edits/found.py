"""What has been found of a face once and is needed again: the next edit of it computes its change alone."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

Value = TypeVar("Value")
Number = TypeVar("Number", bound=np.generic)


class Found:
    """Values that were found of one face of one photo, kept for as long as the face is.

    Several threads may ask at once: each value is found by the first of them, and the others wait for it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._locks: dict[Hashable, Lock] = {}
        self._values: dict[Hashable, object] = {}

    def once(self, key: Hashable, find: Callable[[], Value]) -> Value:
        """The value of a key, found at the first call.

        key: what it is and all that it depends on beside the face, such as the hash of a network's weights. find: finds
        it; where it raises, nothing is kept."""
        with self._lock:
            lock = self._locks.setdefault(key, Lock())
        with lock:
            if key not in self._values:
                self._values[key] = find()
            return cast(Value, self._values[key])

    def knows(self, key: Hashable) -> bool:
        """Whether the value of a key was found."""
        return key in self._values

    def __reduce__(self) -> tuple[type[Found], tuple[()]]:
        """A copy for another process is empty: what it needs is found there."""
        return Found, ()


def kept(values: NDArray[Number]) -> NDArray[Number]:
    """An array that is handed to several edits, of which none may write into it."""
    values.flags.writeable = False
    return values
