"""The tab Check: what a file says of how it was made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from studio_steps import open_tab, panel

from masque.edits.result import Result
from masque.film import write_film
from masque.provenance import note
from recorded import SMOOTH

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from conftest import Traffic

RECORD = {
    "edit": "swap",
    "model": "own",
    "masque": "0.1.0",
    "inputs": {"face": {"photo": "<img src=x onerror=stop()>"}},
}


def look_into(page: Page, file: Path) -> str:
    """Have a file checked, and return the heading of what is said."""
    box = open_tab(page, "check")
    box.locator("input[type=file]").set_input_files(file)
    heading = box.locator(".verdict h2")
    heading.wait_for()
    return str(heading.text_content())


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_a_picture_of_masque_says_how_it_was_made(page: Page, tmp_path: Path, suffix: str) -> None:
    assert look_into(page, Result(SMOOTH, RECORD).save(tmp_path / f"out.{suffix}")) == "Made by Masque"
    said = panel(page, "check")
    assert said.locator("pre").is_hidden()  # folded until somebody wants it
    said.get_by_text("The whole record").click()
    assert "<img src=x onerror=stop()>" in str(said.locator("pre").text_content())
    assert said.locator(".record img").count() == 0  # texts of a record are no part of the page


def test_a_film_of_masque_is_shown_with_its_record(page: Page, tmp_path: Path) -> None:
    write_film(tmp_path / "out.mp4", [SMOOTH, SMOOTH[::-1].copy()], 2, 1.0, note=note(RECORD))
    assert look_into(page, tmp_path / "out.mp4") == "Made by Masque"
    assert panel(page, "check").locator("video").is_visible()


def test_a_changed_picture_is_told_from_one_as_it_was_written(page: Page, tmp_path: Path) -> None:
    written = Result(SMOOTH, RECORD).save(tmp_path / "out.png")
    with Image.open(written) as opened:
        packet, changed = opened.info["XML:com.adobe.xmp"], np.array(opened)
    changed[0, 0] ^= 255
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", packet)
    Image.fromarray(changed).save(tmp_path / "changed.png", pnginfo=info)
    assert look_into(page, tmp_path / "changed.png") == "Made by Masque, and changed since"


def test_a_photo_has_no_record(page: Page, portraits: dict[str, Path]) -> None:
    assert look_into(page, portraits["astronaut"]) == "No record of Masque"


def test_a_file_that_is_no_picture_is_refused_with_a_sentence(page: Page, traffic: Traffic, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear all")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nand no more")
    traffic.expected.append("422")
    Result(SMOOTH, RECORD).save(tmp_path / "out.png")
    assert look_into(page, tmp_path / "out.png") == "Made by Masque"
    box = panel(page, "check")
    for name, said in (("letter.txt", "letter.txt is neither"), ("broken.png", "neither a picture nor a film")):
        box.locator("input[type=file]").set_input_files(tmp_path / name)
        alert = box.get_by_role("alert").filter(has_text=said)
        alert.wait_for()
        assert str(alert.text_content()).endswith(".")
        assert box.get_by_text("Made by Masque").count() == 0  # that was said of the file before
    assert sum("/api/verify" in url for url in traffic.asked) == 2  # a text is not even sent
