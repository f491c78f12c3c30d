"""Photos and results in memory: whose, how many bytes, how long."""

from __future__ import annotations

from dataclasses import replace

import pytest

from masque.studio.messages import NotHeldError, TooBusyError
from masque.studio.store import Item, Store


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def item(key: str, owner: str = "anna", size: int = 10, needs: tuple[str, ...] = ()) -> Item:
    return Item(key, owner, "result" if needs else "photo", key, {}, b"x" * size, needs=needs)


def test_what_is_held_is_given_to_its_owner_alone() -> None:
    store = Store()
    store.add(item("a"))
    assert store.get("anna", "a").body == b"x" * 10
    with pytest.raises(NotHeldError):
        store.get("ben", "a")
    with pytest.raises(NotHeldError):
        store.get("anna", "a", "result")
    with pytest.raises(NotHeldError):
        store.get("anna", "b")


def test_what_was_not_used_for_longest_makes_room() -> None:
    store = Store(most=30, clock=Clock())
    for key in "abc":
        store.add(item(key))
    store.get("anna", "a")
    store.add(item("d"))
    assert set(store.items) == {"a", "c", "d"}
    assert store.size == 30


def test_a_client_that_holds_most_makes_room_for_others() -> None:
    store = Store(most=40, clock=Clock())
    store.add(item("ben's", "ben"))
    for key in "abc":
        store.add(item(key))
    store.add(item("ben's second", "ben"))
    assert set(store.items) == {"ben's", "b", "c", "ben's second"}


def test_a_photo_stays_as_long_as_what_was_made_of_it_is_used() -> None:
    store = Store(most=30, clock=Clock())
    store.add(item("photo"))
    store.add(item("other"))
    store.add(item("edit", needs=("photo",)))
    store.add(item("next"))
    assert "photo" in store.items
    assert "other" not in store.items


def test_what_was_made_of_a_photo_goes_with_it() -> None:
    store = Store()
    store.add(item("photo"))
    store.add(item("edit", needs=("photo",)))
    store.add(item("edit of the edit", needs=("photo",)))
    store.drop("photo")
    assert not store.items


def test_what_is_larger_than_all_that_may_be_held_is_refused() -> None:
    store = Store(most=30)
    with pytest.raises(TooBusyError, match="larger"):
        store.add(item("a", size=31))
    assert not store.items


def test_nothing_that_a_new_result_needs_makes_room_for_it() -> None:
    store = Store(most=30, clock=Clock())
    store.add(item("photo", size=20))
    with pytest.raises(TooBusyError):
        store.add(item("edit", size=20, needs=("photo",)))
    assert set(store.items) == {"photo"}


def test_what_nobody_uses_is_forgotten_after_its_lifetime() -> None:
    clock = Clock()
    store = Store(lifetime=100, clock=clock)
    store.add(item("a"))
    store.add(item("b"))
    clock.now = 90
    store.get("anna", "b")
    clock.now = 120
    store.sweep()
    assert set(store.items) == {"b"}


def test_a_client_can_have_all_of_its_own_forgotten() -> None:
    store = Store()
    store.add(item("a"))
    store.add(item("edit", needs=("a",)))
    store.add(item("ben's", "ben"))
    store.drop_all("anna")
    assert set(store.items) == {"ben's"}


def test_a_worker_is_told_what_is_not_held_any_more() -> None:
    store = Store()
    store.add(replace(item("a"), shape=(2, 5)))
    assert store.content("a").shape == (2, 5)
    assert store.content("a").kind == "photo"
    assert store.content("b").kind is None


def test_a_preview_is_forgotten_sooner() -> None:
    clock = Clock()
    store = Store(clock=clock)
    store.add(item("photo"))
    store.add(replace(item("preview"), body=b"", preview=b"x"))
    clock.now = 100
    store.sweep()
    assert set(store.items) == {"photo"}
