"""The tab Edit: sliders that begin at what the photo has, and the picture that follows them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from studio_steps import apart, download, finished, give, open_tab, panel, pixels, shown

import masque
from masque.image import Picture
from masque.provenance import verify

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    from conftest import Traffic


def test_a_smile_follows_its_slider_and_is_that_of_the_library(
    page: Page, portraits: dict[str, Path], photos: dict[str, Picture], tmp_path: Path
) -> None:
    open_tab(page, "edit")
    give(page, "Photo to edit", portraits["grace_hopper"])
    page.get_by_role("slider", name="Smile").press("End")
    panel(page, "edit").locator(".result[data-state=preview], .result[data-state=done]").wait_for()
    finished(page, "edit")
    saved = download(page, "edit", "PNG", tmp_path)
    own = masque.load().edit(photos["grace_hopper"], {"Smiling": 1.0})  # type: ignore[attr-defined]
    record = verify(saved).record
    assert apart(pixels(saved), own.picture) < 0.1
    assert record is not None
    assert record["attributes"] == {"Smiling": 1.0}  # what was not moved is not asked for


def test_sliders_begin_at_what_the_photo_has(page: Page, portraits: dict[str, Path]) -> None:
    open_tab(page, "edit")
    with page.expect_response("**/read*") as reading:
        give(page, "Photo to edit", portraits["astronaut"])
    found = reading.value.json()
    smile = page.get_by_role("slider", name="Smile")
    assert abs(float(smile.input_value()) - found["Smiling"]) < 0.011
    assert found["Smiling"] > 0.3  # the astronaut smiles
    if found["Age"] is not None:
        age = float(page.get_by_role("slider", name="Age", exact=True).input_value())
        assert abs(age - np.clip(found["Age"], 18, 90)) <= 1


def test_of_many_movements_the_newest_counts(
    page: Page, portraits: dict[str, Path], traffic: Traffic, tmp_path: Path
) -> None:
    open_tab(page, "edit")
    give(page, "Photo to edit", portraits["grace_hopper"])
    smile = page.get_by_role("slider", name="Smile")
    for value in (*np.arange(0.4, 0.9, 0.02), 0.9):
        smile.evaluate(
            "(input, value) => { input.value = value; input.dispatchEvent(new Event('input', {bubbles: true})); }",
            f"{value:.2f}",
        )
    finished(page, "edit")
    record = verify(download(page, "edit", "PNG", tmp_path)).record
    assert record is not None
    assert record["attributes"] == {"Smiling": 0.9}
    assert sum("/api/edit" in url for url in traffic.asked) <= 8  # 26 movements
    assert page.locator(".history li").count() == 1


def test_any_colour_of_hair_and_one_colour_only(
    page: Page, portraits: dict[str, Path], photos: dict[str, Picture], tmp_path: Path
) -> None:
    open_tab(page, "edit")
    give(page, "Photo to edit", portraits["astronaut"])
    page.get_by_role("button", name="auburn", exact=True).click()
    first = finished(page, "edit")
    assert "auburn" in str(verify(download(page, "edit", "PNG", tmp_path)).record)
    page.get_by_label("Any colour").fill("#3030c0")
    finished(page, "edit", [first])
    saved = download(page, "edit", "PNG", tmp_path)
    record = verify(saved).record
    assert record is not None
    assert record["attributes"] == {"Hair": "#3030c0"}
    hair = (slice(40, 70), slice(205, 235))  # on the top of the astronaut's head
    before, after = (picture[hair].astype(float).mean((0, 1)) for picture in (photos["astronaut"], pixels(saved)))
    assert after[2] - after[0] > before[2] - before[0] + 25


def test_taking_all_back_shows_the_photo(page: Page, portraits: dict[str, Path], photos: dict[str, Picture]) -> None:
    open_tab(page, "edit")
    give(page, "Photo to edit", portraits["grace_hopper"])
    smile = page.get_by_role("slider", name="Smile")
    start = smile.input_value()
    smile.press("End")
    finished(page, "edit")
    page.get_by_role("button", name="Smile: back to the photo's").click()
    panel(page, "edit").locator(".result[data-state=photo]").wait_for()
    assert smile.input_value() == start
    smile.press("End")
    finished(page, "edit")
    page.get_by_role("button", name="Reset all").click()
    panel(page, "edit").locator(".result[data-state=photo]").wait_for()
    assert smile.input_value() == start
    assert apart(shown(panel(page, "edit").locator("img.after")), photos["grace_hopper"]) < 3


def test_who_reads_young_is_aged_once_it_is_said_how_old(
    page: Page, portraits: dict[str, Path], traffic: Traffic, tmp_path: Path
) -> None:
    def young(route: Route) -> None:
        read = {**route.fetch().json(), "Age": None, "notes": ["It is not aged unless you say how old the person is."]}
        route.fulfill(json=read)

    def refusing(route: Route) -> None:
        if b'name="age"' in (route.request.post_data_buffer or b""):
            route.fallback()
        else:
            said = "This face reads 17 years old: if this is an adult, say how old with --age."
            route.fulfill(status=422, json={"error": said, "kind": "TooYoungError", "field": None})

    traffic.expected.append("422")
    box = open_tab(page, "edit")
    page.route("**/read*", young)
    give(page, "Photo to edit", portraits["grace_hopper"])
    age = page.get_by_role("slider", name="Age", exact=True)
    age.wait_for()
    assert age.get_attribute("aria-valuetext") == "not read"
    page.route("**/api/edit*", refusing)
    age.fill("70")
    alert = box.get_by_role("group", name="Age and sex").get_by_role("alert")
    alert.wait_for()
    assert str(alert.text_content()).endswith("say how old the person is, below Age.")
    assert "--" not in panel(page, "edit").inner_text()
    stated = page.get_by_label("This person is an adult, aged")
    stated.fill("17")
    stated.press("Tab")
    assert "from 18 to 120" in str(alert.text_content())
    stated.fill("30")
    stated.press("Tab")
    finished(page, "edit")
    assert alert.count() == 0
    record = verify(download(page, "edit", "PNG", tmp_path)).record
    assert record is not None
    assert record["attributes"] == {"Age": 70}
    assert "30" in str(record)
