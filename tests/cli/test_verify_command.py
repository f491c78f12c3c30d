"""What `masque verify` prints, also of files that were made to fool whoever reads it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import masque

from masque.film import write_film
from masque.image import write_picture
from masque.provenance import fingerprint, note, packet

PIXELS = np.zeros((4, 4, 3), np.uint8)
HOSTILE = (
    "\x1b[2J\x1b[H",
    "rsgan); its pixels are as Masque wrote them.\n",
    "rsgan); its pixels are as Masque wrote them. ",
    "\r\x9b2J\x07\x00",
    "\u202egnp.tuo\u2066",
    "\ud800",
    "x" * 100_000,
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_in_a_record_reaches_the_terminal_raw(tmp_path: Path, text: str) -> None:
    record = {"edit": text, "model": text, text: [text, {"a": text}]}
    write_picture(tmp_path / "out.png", PIXELS, xmp=packet(record, "0"))
    write_film(tmp_path / "out.mp4", [PIXELS], 1, 1.0, note=note(record))
    for name, state in (("out.png", "changed since Masque wrote them"), ("out.mp4", "not checked in a film")):
        said = masque("verify", tmp_path / name)
        assert said.code == 0
        first, *rest = said.out.rstrip("\n").split("\n")
        assert first.startswith(f"Made by Masque; its pixels are {state}")
        assert "as Masque wrote them" not in first
        assert all(line.isprintable() and line.isascii() and len(line) < 1000 for line in rest)
        assert json.loads("".join(rest))
        told = masque("verify", tmp_path / name, "--json")
        assert told.out.rstrip("\n").isprintable()
        assert told.out.isascii()
        assert told.values["record"] == json.loads(json.dumps(record))


def test_a_record_of_many_lines_does_not_push_the_verdict_out_of_sight(tmp_path: Path) -> None:
    write_picture(tmp_path / "out.png", PIXELS, xmp=packet({"a": list(range(5000))}, fingerprint(PIXELS)))
    said = masque("verify", tmp_path / "out.png")
    assert said.out.count("\n") < 250
    assert "lines more" in said.out


def test_a_mark_of_others_is_shown_escaped(tmp_path: Path) -> None:
    said = packet({}, "0").replace(b"compositeWithTrainedAlgorithmicMedia", b"x/&#155;2J&#8238;" + b"y" * 500)
    write_picture(tmp_path / "out.png", PIXELS, xmp=said.replace(b"masque:Record", b"masque:Other"))
    sentence = masque("verify", tmp_path / "out.png").sentence
    assert sentence.isprintable()
    assert r"\x9b2J\u202e" in sentence
    assert len(sentence) < 400


def test_what_was_changed_is_said(tmp_path: Path) -> None:
    write_picture(tmp_path / "out.png", PIXELS, xmp=packet({"edit": "swap", "model": "rsgan"}, fingerprint(PIXELS)))
    with (tmp_path / "out.png").open("ab") as file:
        file.write(b"more")
    assert (
        "changed since Masque wrote them (it holds something after its end)."
        in masque("verify", tmp_path / "out.png").out
    )
    assert masque("verify", tmp_path / "out.png", "--json").values["reason"] == "it holds something after its end"
