"""The tab New pictures: drawn ones, turned ones, and ones with what another photo shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from making_steps import serious
from studio_steps import apart, download, finished, give, open_tab, panel, pixels, shown, use_in

import masque
from masque.image import Picture
from masque.provenance import verify

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

PHOTO = "Photo of the person"
LONG = 180_000
"""Milliseconds that a first picture may take, models and all, on a machine that is busy."""


def one_person(page: Page, file: Path, part: str) -> Locator:
    """The tab with a portrait in it, opened at one of its parts."""
    page.set_default_timeout(LONG)
    box = open_tab(page, "new")
    give(page, PHOTO, file)
    box.get_by_text(part, exact=True).first.click()
    return box


def press(box: Locator, name: str) -> None:
    """Press the button of a name that is seen."""
    box.get_by_role("button", name=name, exact=True).and_(box.page.locator(":visible")).click()


def test_a_drawn_picture_is_opened_and_used_in_another_tab(
    page: Page, portraits: dict[str, Path], tmp_path: Path
) -> None:
    box = one_person(page, portraits["astronaut"], "Draw")
    box.get_by_role("slider", name="Pictures").and_(page.locator(":visible")).fill("6")
    press(box, "Draw")
    cells = box.get_by_role("button", name="Open picture")
    cells.nth(5).wait_for()
    first = finished(page, "new")
    cells.nth(3).click()
    box.get_by_text("Picture 4 of 6").wait_for()
    opened = shown(box.locator(".stage .after"))
    assert apart(opened, pixels(download(page, "new", "PNG", tmp_path))) == 0
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert serious(page) == []
    press(box, "Draw others")
    finished(page, "new", [first])
    page.get_by_role("button", name="Undo").click()  # the first sheet again
    cells.nth(3).click()
    box.get_by_text("Picture 4 of 6").wait_for()
    use_in(page, "new", "Edit")
    well = page.get_by_role("region", name="Photo to edit", exact=True)
    well.locator(".photo img").wait_for()
    assert apart(shown(well.locator(".photo img")), opened) < 3  # shown as JPEG there
    page.get_by_role("slider", name="Smile").press("End")
    finished(page, "edit")


def test_a_turned_head_is_that_of_the_library(
    page: Page, portraits: dict[str, Path], photos: dict[str, Picture], tmp_path: Path
) -> None:
    box = one_person(page, portraits["astronaut"], "Turn")
    side = box.get_by_role("slider", name="To the side")
    with page.expect_response(lambda answer: answer.url.endswith("/api/turn")) as small:
        side.fill("12")
    assert small.value.headers["content-type"].startswith("image/")
    first = finished(page, "new")
    saved = download(page, "new", "PNG", tmp_path)
    own = masque.load().turn(photos["astronaut"], 12.0)  # type: ignore[attr-defined]
    assert apart(pixels(saved), own.picture) < 0.1
    assert apart(pixels(saved), photos["astronaut"]) > 0.5
    assert box.get_by_role("slider", name="Before and after").is_visible()
    press(box, "What changed")
    second = finished(page, "new", [first])
    hot = pixels(download(page, "new", "PNG", tmp_path)).astype(int)
    coloured = np.abs(hot - hot.mean(axis=2, keepdims=True)).max(axis=2) > 12
    changed = np.abs(own.picture.astype(int) - photos["astronaut"]).max(axis=2) > 24
    assert coloured[changed].mean() > 0.9  # grey is what stays
    assert coloured.mean() < 0.3
    box.get_by_role("slider", name="Up or down").fill("-5")
    finished(page, "new", [first, second])
    record = verify(download(page, "new", "PNG", tmp_path)).record
    assert record is not None
    assert record["method"] == "own"
    assert record["pitch"] == pytest.approx(-5, abs=1)


def test_far_turns_are_the_networks_and_say_so(page: Page, portraits: dict[str, Path]) -> None:
    box = one_person(page, portraits["astronaut"], "Turn")
    side, up = box.get_by_role("slider", name="To the side"), box.get_by_role("slider", name="Up or down")
    side.fill("5")
    first = finished(page, "new")
    assert "network" not in str(side.get_attribute("aria-valuetext"))
    assert up.is_enabled()
    assert float(str(side.get_attribute("max"))) < 45  # own pixels alone, unless more is asked for
    assert float(str(side.get_attribute("max"))) >= 12
    box.get_by_label("Farther, painted by the network").check()
    side.fill("45")
    assert side.get_attribute("aria-valuetext") == "45° right, by the network"
    assert up.is_disabled()
    second = finished(page, "new", [first])
    assert "A network painted the face." in str(box.locator(".record").text_content())
    assert not box.get_by_role("slider", name="Before and after").is_visible()  # it shows the face alone
    press(box, "Look straight ahead")
    finished(page, "new", [first, second])
    assert box.get_by_role("slider", name="Before and after").is_visible()


def test_an_expression_is_borrowed_and_what_lacks_is_told_beside_it(page: Page, portraits: dict[str, Path]) -> None:
    box = one_person(page, portraits["astronaut"], "Borrow")
    press(box, "Borrow")
    other = page.get_by_role("region", name="Photo to borrow from", exact=True)
    other.locator(".error").wait_for()
    give(page, "Photo to borrow from", portraits["grace_hopper"])
    box.get_by_label("Expression", exact=True).uncheck()
    press(box, "Borrow")
    group = box.get_by_role("group", name="What is borrowed")
    group.locator(".error").wait_for()
    assert other.locator(".error").count() == 0
    box.get_by_label("Light", exact=True).check()
    with page.expect_request("**/api/synthesize?job=true") as asked:
        press(box, "Borrow")
    sent = asked.value.post_data_buffer or b""
    assert b'name="light_from"' in sent
    assert b'name="expression_from"' not in sent
    finished(page, "new")
    assert group.locator(".error").count() == 0


def test_a_photo_that_is_missing_is_told_at_its_well(page: Page) -> None:
    box = open_tab(page, "new")
    press(box, "Draw")
    page.get_by_role("region", name=PHOTO, exact=True).locator(".error").wait_for()


def test_random_hair_by_keyboard_alone_on_a_phone(opened: Callable[..., Page], portraits: dict[str, Path]) -> None:
    page = opened(viewport={"width": 390, "height": 844})
    box = one_person(page, portraits["astronaut"], "Draw")
    box.get_by_label("Draw", exact=True).focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Draw":
            break
    page.keyboard.press("Enter")
    finished(page, "new")
    assert panel(page, "new").get_by_role("button", name="Open picture").count() == 9  # the photo's own is the first
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
