"""Who may come in: the token, the password, and what wrong tries cost."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from masque.studio.door import FORGOTTEN_AFTER, FREE_TRIES, LONGEST_WAIT, Door, TooManyTries, WrongPassword


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def wrong(door: Door, address: str = "10.0.0.1", times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(WrongPassword, match="not the password"):
            door.login("guess", address)


def test_only_the_token_opens_the_door() -> None:
    door = Door()
    assert door.admits(f"Bearer {door.token}")
    assert door.admits(f"bearer {door.token}")
    refused = (None, "", "Bearer", "Bearer ", door.token, f"Basic {door.token}", f"Bearer {door.token}x")
    assert not any(map(door.admits, refused))
    assert not door.admits(f"Bearer {door.token[:-1]}")
    assert not door.admits(f"Bearer {Door().token}")


@pytest.mark.parametrize("odd", ["Bearer \xff\xfe", "Bearer \udcff", "Bearer \0", "\x85 \x85", "Bearer " + "é" * 9999])
def test_odd_bytes_are_a_wrong_token(odd: str) -> None:
    assert not Door().admits(odd)


def test_the_token_is_new_each_time_and_too_long_to_guess() -> None:
    tokens = {Door().token for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 43  # 256 bits in base64


def test_a_page_is_told_what_it_needs() -> None:
    assert Door().needs == "token"
    assert Door("correct horse").needs == "password"


def test_the_right_password_gives_the_token() -> None:
    door = Door("correct horse")
    assert door.admits(f"Bearer {door.login('correct horse', '10.0.0.1')}")


def test_without_a_password_nobody_logs_in() -> None:
    door = Door()
    for guess in ("", "None", door.token):
        with pytest.raises(WrongPassword):
            door.login(guess, "127.0.0.1")


def test_wrong_tries_of_an_address_cost_more_and_more_time() -> None:
    clock = Clock()
    door = Door("correct horse", clock)
    wrong(door, times=FREE_TRIES)
    waits = []
    for _ in range(10):
        with pytest.raises(TooManyTries) as refused:
            door.login("correct horse", "10.0.0.1")  # the right one is not heard either: it would tell
        waits.append(refused.value.seconds)
        clock.now += refused.value.seconds
        wrong(door)
    assert waits == [min(LONGEST_WAIT, 2**n) for n in range(10)]
    assert f"{waits[-1]} seconds" in str(refused.value)
    clock.now += LONGEST_WAIT
    assert door.login("correct horse", "10.0.0.1") == door.token
    wrong(door, times=FREE_TRIES)  # who came in may err again


def test_other_addresses_do_not_wait_for_one() -> None:
    door = Door("correct horse", Clock())
    wrong(door, times=FREE_TRIES)
    assert door.login("correct horse", "10.0.0.2") == door.token


def test_wrong_tries_are_forgotten() -> None:
    clock = Clock()
    door = Door("correct horse", clock)
    wrong(door, times=FREE_TRIES)
    clock.now += FORGOTTEN_AFTER
    wrong(door, times=FREE_TRIES)


def test_many_addresses_together_are_slowed_too_but_not_those_that_came_in_before() -> None:
    clock = Clock()
    door = Door("correct horse", clock)
    door.login("correct horse", "192.168.1.5")
    heard = 0
    for number in range(5000):
        try:
            door.login("guess", f"10.{number % 250}.{number // 250}.1")
        except WrongPassword:
            heard += 1
        except TooManyTries:
            pass
    assert heard == 60
    with pytest.raises(TooManyTries):
        door.login("correct horse", "10.250.0.1")
    assert door.login("correct horse", "192.168.1.5") == door.token
    clock.now += 60
    assert door.login("correct horse", "10.250.0.1") == door.token


def test_one_machine_with_many_addresses_counts_as_one() -> None:
    door = Door("correct horse", Clock())
    for number in range(FREE_TRIES):
        wrong(door, f"2001:db8:1:2::{number:x}")
    with pytest.raises(TooManyTries):
        door.login("guess", "2001:db8:1:2:ffff::1")
    wrong(door, "2001:db8:1:3::1")
    wrong(door, "::ffff:10.0.0.9", FREE_TRIES)
    with pytest.raises(TooManyTries):
        door.login("guess", "10.0.0.9")


def test_what_is_remembered_of_addresses_is_bounded() -> None:
    clock = Clock()
    door = Door("correct horse", clock)
    for number in range(3000):
        clock.now += 2
        wrong(door, f"10.1.{number // 250}.{number % 250}")
    assert len(door._wrong) <= 1024
