"""The tab Morph: one face of several, films, and strips of what lies between two."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from making_steps import serious
from studio_steps import apart, download, finished, give, open_tab, panel, pixels, shown

from masque.image import write_picture
from masque.provenance import verify

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


LONG = 180_000
"""Milliseconds that finding latents may take on a machine that is busy."""


def two_faces(page: Page, portraits: dict[str, Path]) -> Locator:
    """The tab with the two portraits in it."""
    page.set_default_timeout(LONG)
    box = open_tab(page, "morph")
    give(page, "Face a", portraits["astronaut"])
    give(page, "Face b", portraits["grace_hopper"])
    return box


def combined(page: Page, others: list[str]) -> str:
    """Have the faces found and combined; the result's id."""
    panel(page, "morph").get_by_role("button", name="Combine", exact=True).click()
    return finished(page, "morph", others)


def test_a_combination_follows_its_slider(page: Page, portraits: dict[str, Path], tmp_path: Path) -> None:
    box = two_faces(page, portraits)
    first = combined(page, [])
    halves = pixels(download(page, "morph", "PNG", tmp_path))
    slider = box.get_by_role("slider", name="From a to b")
    with page.expect_response(lambda answer: answer.url.endswith("/api/combine")) as small:
        slider.fill("0")
    assert small.value.headers["content-type"].startswith("image/")  # at once, and without a job
    finished(page, "morph", [first])
    saved = download(page, "morph", "PNG", tmp_path)
    record = verify(saved).record
    assert record is not None
    assert record["formula"] == "1*a + 0*b"
    assert record["faces"] == ["astronaut.png", "grace_hopper.png"]
    assert apart(halves, pixels(saved)) > 5
    # All of face a is that photo's own face, as it is.
    assert np.abs(shown(box.locator(".stage .after")).astype(float) - pixels(saved)).mean() < 3


def test_shares_of_three_faces_sum_to_one_and_come_back_by_undo(page: Page, portraits: dict[str, Path]) -> None:
    box = two_faces(page, portraits)
    first = combined(page, [])
    assert box.get_by_role("button", name="Combine", exact=True).is_hidden()
    box.get_by_role("button", name="Add a face").click()
    assert box.get_by_role("button", name="Combine", exact=True).is_visible()
    give(page, "Face c", portraits["astronaut"])
    second = combined(page, [first])
    sliders = [box.get_by_role("slider", name=f"Face {letter}") for letter in "abc"]
    assert [slider.get_attribute("aria-valuetext") for slider in sliders] == ["33 %"] * 3
    sliders[0].fill("1")
    sliders[2].fill("0")
    assert [slider.get_attribute("aria-valuetext") for slider in sliders] == ["67 %", "33 %", "0 %"]
    finished(page, "morph", [first, second])
    page.get_by_role("button", name="Undo").click()
    box.locator(f'.result[data-result="{second}"]').wait_for()
    assert [slider.get_attribute("aria-valuetext") for slider in sliders] == ["33 %"] * 3
    page.get_by_role("button", name="Redo").click()
    box.locator(f'.result:not([data-result="{second}"])').wait_for()
    assert [slider.get_attribute("aria-valuetext") for slider in sliders] == ["67 %", "33 %", "0 %"]
    assert "0.666667*a + 0.333333*b" in str(box.locator(".record").text_content())
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert serious(page) == []
    for slider in sliders:
        slider.fill("0")
    assert "Nothing is taken" in str(box.locator(".weights .error").text_content())
    box.get_by_role("button", name="Take face c away").click()
    assert box.get_by_role("slider", name="From a to b").is_visible()  # the latents of the two are still there


def test_faces_change_places(page: Page, portraits: dict[str, Path]) -> None:
    box = two_faces(page, portraits)
    box.get_by_role("button", name="Move face b one place forward").click()
    names = box.locator(".faces .well img").evaluate_all("images => images.map((image) => image.alt)")
    assert names == ["The photo grace_hopper.png", "The photo astronaut.png"]


def test_a_formula_is_computed_and_a_wrong_one_is_told_beside_it(page: Page, portraits: dict[str, Path]) -> None:
    box = two_faces(page, portraits)
    box.get_by_text("A formula instead").click()
    formula = box.get_by_label("Formula", exact=True)
    formula.fill("a - q")
    formula.press("Enter")
    told = box.locator(".formula .error")
    told.wait_for()
    assert "no such photo" in str(told.text_content())
    assert formula.get_attribute("aria-describedby") == told.get_attribute("id")
    formula.fill("0.3*a + 0.7*b")
    formula.press("Enter")
    finished(page, "morph")
    assert "0.3*a + 0.7*b" in str(box.locator(".record").text_content())
    assert told.count() == 0


def test_one_face_alone_is_told_at_the_place_that_is_empty(
    opened: Callable[..., Page], portraits: dict[str, Path]
) -> None:
    page = opened(viewport={"width": 390, "height": 700})
    box = open_tab(page, "morph")
    give(page, "Face a", portraits["astronaut"])
    for part, go in (("One face", "Combine"), ("Film", "Make the film"), ("Strip", "Make the strip")):
        box.get_by_text(part, exact=True).click()
        box.get_by_role("button", name=go, exact=True).and_(page.locator(":visible")).click()
        told = box.get_by_role("region", name="Face b").locator(".error")
        told.wait_for()
        at = told.bounding_box()
        assert at is not None
        assert 0 <= at["y"] < 700 - at["height"]  # the button stands far below, and yet it is seen
        assert box.get_by_role("region", name="Face a").locator(".error").count() == 0


def test_a_photo_without_a_face_is_told_at_its_place(page: Page, portraits: dict[str, Path], tmp_path: Path) -> None:
    box = two_faces(page, portraits)
    other = box.get_by_role("region", name="Face b")
    other.get_by_role("button", name="Take the photo away: Face b").click()
    give(page, "Face b", write_picture(tmp_path / "wall.png", np.full((300, 300, 3), 127, np.uint8)))
    box.get_by_role("button", name="Combine", exact=True).click()
    box.locator(".task .button[aria-busy]").wait_for(state="detached")
    assert "wall.png" in str(other.locator(".error").text_content())
    assert box.locator(".error").count() == 1


def test_finding_latents_is_told_and_can_be_cancelled(page: Page, portraits: dict[str, Path]) -> None:
    box = two_faces(page, portraits)
    for letter in "cdef":  # many, so that it takes a while anywhere
        box.get_by_role("button", name="Add a face").click()
        give(page, f"Face {letter}", portraits["astronaut" if letter in "ce" else "grace_hopper"])
    box.get_by_role("button", name="Combine", exact=True).click()
    progress = box.locator(".progress").first
    progress.get_by_text("Learning the faces").wait_for()
    assert progress.locator("progress").get_attribute("max") == "40"
    box.get_by_role("button", name="Cancel: Combine").click()
    progress.wait_for(state="detached")
    assert box.locator(".result").count() == 0
    assert box.locator(".error").count() == 0
    for letter in "fedc":
        box.get_by_role("button", name=f"Take face {letter} away").click()
    combined(page, [])  # it can be asked for again


def test_a_film_is_played_saved_and_says_that_it_is_masques(
    page: Page, portraits: dict[str, Path], tmp_path: Path
) -> None:
    box = two_faces(page, portraits)
    box.get_by_text("Film", exact=True).click()
    box.get_by_text("Warp", exact=True).click()
    box.get_by_role("slider", name="Length").fill("1.5")
    box.get_by_role("slider", name="Pictures a second").fill("12")
    assert box.get_by_text("18 pictures").is_visible()
    box.get_by_role("button", name="Make the film").click()
    video = box.locator("video")
    video.wait_for()
    assert str(video.get_attribute("src")).startswith("blob:")
    lasts = video.evaluate(
        "video => video.readyState ? video.duration : new Promise((done) => "
        "video.addEventListener('loadedmetadata', () => done(video.duration)))"
    )
    assert lasts == pytest.approx(1.5, abs=0.15)
    assert video.evaluate("video => video.loop && video.controls")
    saved = download(page, "morph", "MP4", tmp_path)
    assert saved.suffix == ".mp4"
    record = verify(saved).record
    assert record is not None
    assert record["path"] == "warp"
    assert record["frames"] == 18


def test_a_strip_opens_one_picture_which_can_be_saved(page: Page, portraits: dict[str, Path], tmp_path: Path) -> None:
    box = two_faces(page, portraits)
    box.get_by_text("Strip", exact=True).click()
    box.get_by_role("slider", name="Pictures").fill("4")
    box.get_by_role("button", name="Make the strip").and_(page.locator(":visible")).click()
    cells = box.get_by_role("button", name="Open picture")
    cells.nth(3).wait_for()
    assert cells.count() == 4
    cells.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    box.get_by_text("Picture 2 of 4").wait_for()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert serious(page) == []
    saved = download(page, "morph", "PNG", tmp_path)
    assert saved.name == "masque-blend-2.png"
    assert verify(saved).unchanged
    assert apart(shown(box.locator(".stage .after")), pixels(saved)) == 0
    box.get_by_role("button", name="All pictures").click()
    assert box.locator(".stage").count() == 0


def test_a_combination_by_keyboard_alone_on_a_phone(opened: Callable[..., Page], portraits: dict[str, Path]) -> None:
    page = opened(viewport={"width": 390, "height": 844})
    box = two_faces(page, portraits)
    box.get_by_role("button", name="Move face a one place back").focus()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Combine":
            break
    page.keyboard.press("Enter")
    first = finished(page, "morph")
    slider = box.get_by_role("slider", name="From a to b")
    slider.focus()
    page.keyboard.press("ArrowRight")
    finished(page, "morph", [first])
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
