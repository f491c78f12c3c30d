"""Texts from files, as they are shown to a person."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from masque.errors import LONGEST_QUOTE, printable


@given(st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape")))
def test_what_is_printed_moves_no_cursor_and_stays_on_its_line(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert len(shown) <= LONGEST_QUOTE
    shown.encode("utf-8")


def test_what_can_be_printed_stays_as_it_is() -> None:
    assert printable("Zoë's photo – 1.jpg") == "Zoë's photo – 1.jpg"
    assert printable("\x1b[2Jno\nchange") == "\\x1b[2Jno\\nchange"
    assert printable("a" * 80) == "a" * 80
    assert printable("a" * 81) == "a" * 79 + "…"
    assert printable(float("nan")) == "nan"
