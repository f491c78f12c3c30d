"""Records in words."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from masque.jsonfile import JSON
from masque.studio.said import in_words


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ({"attributes": {"Smiling": 0.5, "Hair": "auburn"}}, "Smiling = 0.5, Hair = auburn"),
        ({"method": "own"}, "own pixels"),
        ({"method": "network"}, "A network painted the face"),
        ({"method": ["own", "network", "own"]}, "number 2, which a network painted"),
        ({"by": {"Smiling": "own pixels"}}, "own pixels"),
        ({"model": "rsgan", "weights": "68cd"}, "Model: rsgan, weights 68cd."),
        ({"identity_distance": {"photo": 0.05}}, "very near the person before (squared distance 0.05)"),
        ({"identity_distance": {"face": 0.52}}, "another than the person of the face photo"),
        ({"yaw": {"before": 0.22, "after": 12.0}}, "from 0° to 12°"),
        ({"layers": {"face": 0.336, "lip line": 0.0}}, "What changed: face 34%."),
        ({"changed_outside_face_percent": 5.084}, "5.1 % of the pixels outside the face changed."),
        ({"identity_distance": {"face": 0.36}}, "is at the border to the person of the face photo"),
        ({"inputs": {"face": {"photo": "a.jpg"}, "hair": {"photo": "b.jpg"}}}, "From a.jpg (face), b.jpg (hair)."),
        ({"inputs": {"photo": {"photo": "a.jpg", "face": [1, 2, 3, 4]}}}, "From a.jpg."),
        ({"faces": ["a.jpg", "b.jpg"], "formula": "a - b"}, "From a.jpg (a), b.jpg (b). Combined as a - b."),
        ({"photo": "a.jpg"}, "From a.jpg."),
        ({"edit": "morph", "frames": 60, "path": "warp"}, "bending and fading the photos, in 60 pictures."),
        ({"ageing": {"age": 38.0, "target": 58.0}}, "reads 38 years old and was taken to 58"),
    ],
)
def test_a_record_says_what_was_done(record: Mapping[str, JSON], says: str) -> None:
    assert says in " ".join(in_words(record))


def test_nothing_is_said_of_what_no_record_says() -> None:
    assert list(in_words({})) == []
    assert list(in_words({"layers": {}, "identity_distance": {}, "attributes": {}, "method": "magic"})) == []
    assert list(in_words({"inputs": [1], "faces": {}, "photo": 3, "frames": "many"})) == []


def test_what_somebody_else_wrote_is_cut_and_escaped() -> None:
    said = " ".join(in_words({"part": "x\x1b[2J" + "y" * 1000, "attributes": {"a\n": "b\n"}}))
    assert said.isprintable()
    assert len(said) < 400
    long = {"inputs": {f"photo{place}": {"photo": "x\n" * 1000} for place in range(1000)}}
    (said,) = in_words(long)
    assert said.isprintable()
    assert len(said) < 2000


def test_what_came_before_an_edit_is_said_first() -> None:
    swap = {"edit": "swap", "method": "warp", "inputs": {"face": {"photo": "anna.jpg"}, "hair": {"photo": "ben.jpg"}}}
    style = {"edit": "transfer", "inputs": {"photo": {"photo": "ben.jpg"}, "style": {"photo": "eve.jpg"}}}
    first, *_ = in_words({"edit": "edit", "earlier": {"photo": [swap, style]}, "attributes": {"Smiling": 1}})
    assert first == (
        "Before that: swap (of anna.jpg, ben.jpg), by landmarks alone; then transfer (of ben.jpg, eve.jpg)."
    )
