"""Whatever happens to a file on its way: each reader reads it, or refuses it in one plain sentence.

Nothing is printed, and nothing takes long or a gigabyte. `tried.py` beside this file tries more of the same and counts.
"""

from __future__ import annotations

from pathlib import Path

import mutations
import pytest
from harness import READ, REFUSED, Bench, Reader
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kept_readers import KEPT_READERS
from readers import READERS

QUICK = 8
LONG = 1500
"""Damaged files for each reader in `make test`, and in `make test-all`."""

SLOW_READERS = ("gone on with", "journal", "CelebA: list_attr")
"""Readers that do more than read: a quick run tries fewer on them."""


@pytest.fixture(scope="module")
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A reader, once it has read its valid input."""
    reader: Reader = request.param
    return Bench(reader, tmp_path_factory.mktemp("bench"))


every_reader = pytest.mark.parametrize("bench", READERS + KEPT_READERS, ids=lambda reader: reader.name, indirect=True)


def examine(bench: Bench, examples: int) -> None:
    """Try `examples` damaged files of each kind: any bytes changed, and damage that is made for the kind of file."""
    crafted = bench.crafted()
    several = settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )

    @several
    @given(seed=st.integers(0, 2**31))
    def bytes_changed(seed: int) -> None:
        ((name, data),) = mutations.of_bytes(bench.valid, 1, seed)
        assert bench.ending(data) in (READ, REFUSED), name

    @several
    @given(which=st.integers(0, max(0, len(crafted) - 1)))
    def made_for_it(which: int) -> None:
        name, make = crafted[which]
        assert bench.ending(make()) in (READ, REFUSED), name

    bytes_changed()
    if crafted:
        made_for_it()


@every_reader
def test_damaged_files_are_read_or_refused_in_one_sentence(bench: Bench) -> None:
    examine(bench, QUICK // 4 if any(name in bench.reader.name for name in SLOW_READERS) else QUICK)


@pytest.mark.slow
@every_reader
def test_many_damaged_files(bench: Bench) -> None:
    examine(bench, LONG // 10 if any(name in bench.reader.name for name in SLOW_READERS) else LONG)


@every_reader
def test_files_that_hold_nothing_or_something_else(bench: Bench, puppet_files: list[Path]) -> None:
    for name, data in (
        ("nothing", b""),
        ("one byte", b"\0"),
        ("a text", b"Dear reader,\n"),
        ("a picture", puppet_files[0].read_bytes()),
    ):
        assert bench.ending(data) in (READ, REFUSED), name
