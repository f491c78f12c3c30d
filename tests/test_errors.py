"""Texts from files, as they are shown to a person."""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from masque.errors import LONGEST_QUOTE, MasqueError, PictureError, escaped, nearest, printable


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


@given(st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape")))
def test_whatever_a_failure_quotes_it_is_one_line_that_can_be_printed(text: str) -> None:
    sentence = str(PictureError(f"{text} is not a picture."))
    assert sentence.isprintable()
    sentence.encode("utf-8")
    assert escaped(sentence) == sentence
    again = pickle.loads(pickle.dumps(PictureError(f"{text} is not a picture.")))  # as processes hand it to one another
    assert (type(again), str(again)) == (PictureError, sentence)


def test_a_sentence_is_never_cut() -> None:
    assert str(MasqueError("a" * 1000 + "\n.")) == "a" * 1000 + "\\n."


def test_known_names_come_from_files_too() -> None:
    assert (
        nearest("smile", ["Smile\x1b[2J", "x" * 500])
        == "did you mean Smile\\x1b[2J? Known are: Smile\\x1b[2J, " + "x" * 79 + "…"
    )
