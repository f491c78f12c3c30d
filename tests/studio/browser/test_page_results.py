"""What can be done with results: look closely, undo, chain, cancel, download."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from studio_steps import download, finished, give, open_tab, panel, pixels, use_in

from masque.image import Picture
from masque.provenance import verify

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Page, Route

    from conftest import Traffic


def test_undo_and_redo_go_back_and_forth(page: Page, portraits: dict[str, Path]) -> None:
    open_tab(page, "edit")
    give(page, "Photo to edit", portraits["grace_hopper"])
    smile = page.get_by_role("slider", name="Smile")
    smile.press("End")
    first = finished(page, "edit")
    smile.press("Home")
    second = finished(page, "edit", [first])
    page.keyboard.press("Control+z")
    assert finished(page, "edit", [second]) == first
    assert smile.input_value() == "1"  # the slider goes back with its picture
    page.get_by_role("button", name="Undo").click()
    panel(page, "edit").locator(".result[data-state=photo]").wait_for()
    page.keyboard.press("Control+y")
    assert finished(page, "edit") == first
    page.get_by_role("button", name="Redo").click()
    assert finished(page, "edit", [first]) == second
    assert page.locator(".history li").count() == 2
    page.get_by_role("button", name="Result 1: Edit").click()
    assert finished(page, "edit", [second]) == first
    assert page.locator(".history [aria-current=true]").count() == 1


def test_an_edit_goes_on_as_a_swap(page: Page, portraits: dict[str, Path], tmp_path: Path) -> None:
    open_tab(page, "edit")
    give(page, "Photo to edit", portraits["astronaut"])
    page.get_by_role("slider", name="Smile").press("Home")
    edited = finished(page, "edit")
    panel(page, "edit").get_by_role("button", name="Zoom in").click()
    assert panel(page, "edit").locator(".stage.near").count() == 1
    use_in(page, "edit", "Swap")
    page.wait_for_selector("#tab-swap:focus")
    assert page.get_by_role("tab", selected=True).get_attribute("id") == "tab-swap"
    give(page, "Into which photo", portraits["grace_hopper"])
    with page.expect_request("**/api/swap*") as asking:
        page.get_by_role("button", name="Swap", exact=True).click()
    assert f'name="face"\r\n\r\n{edited}\r\n'.encode() in (asking.value.post_data_buffer or b"")
    swapped = finished(page, "swap")
    use_in(page, "swap", "Edit")
    page.get_by_role("button", name="auburn", exact=True).click()
    assert panel(page, "edit").locator(".stage.near").count() == 0  # another picture is shown whole
    finished(page, "edit", [edited, swapped])
    record = verify(download(page, "edit", "PNG", tmp_path)).record
    assert record is not None
    assert record["edit"] == "edit"
    assert page.locator(".history li").count() == 3


def test_a_job_that_waits_says_so_is_started_once_and_can_be_cancelled(page: Page, portraits: dict[str, Path]) -> None:
    give(page, "Whose face", portraits["astronaut"])
    give(page, "Into which photo", portraits["grace_hopper"])
    started: list[str] = []
    job = {"id": "first", "verb": "swap", "state": "waiting", "place": 2, "doing": None, "done": 0, "of": 0}
    job |= {"seconds": 0.0, "version": 1, "error": None, "result": None}

    def start(route: Route) -> None:
        started.append(route.request.url)
        route.fulfill(status=202, json=job)

    def follow(route: Route) -> None:
        if route.request.method == "DELETE":
            route.fulfill(json={**job, "state": "cancelled"})  # the question for its state stays without an answer

    page.route("**/api/swap?job=true", start)
    page.route("**/api/jobs/**", follow)
    go = page.get_by_role("button", name="Swap", exact=True)
    for _ in range(3):
        go.click(force=True)
    line = panel(page, "swap").locator(".progress")
    line.get_by_text("Waiting; 2 pictures before this one.").wait_for()
    assert go.get_attribute("aria-busy") == "true"
    with page.expect_request(lambda request: request.method == "DELETE" and request.url.endswith("/api/jobs/first")):
        line.get_by_role("button", name="Cancel: Swap").click()
    line.wait_for(state="detached")
    assert len(started) == 1
    assert panel(page, "swap").get_by_role("alert").count() == 0  # to cancel is no failure
    go.click()
    line.wait_for()
    assert len(started) == 2  # and then it can be started again


def test_an_older_result_is_not_offered_while_a_newer_is_made(page: Page, portraits: dict[str, Path]) -> None:
    box = open_tab(page, "edit")
    give(page, "Photo to edit", portraits["grace_hopper"])
    smile = page.get_by_role("slider", name="Smile")
    smile.press("End")
    first = finished(page, "edit")

    def slowly(route: Route) -> None:
        page.wait_for_timeout(1500)
        route.fallback()

    page.route("**/api/edit?job=true", slowly)
    smile.press("Home")
    box.locator(".result[data-state=preview]").wait_for()
    download_button = box.locator("summary", has_text="Download")
    assert download_button.get_attribute("aria-disabled") == "true"
    download_button.click(force=True)
    assert box.locator(".menu[open]").count() == 0
    finished(page, "edit", [first])
    download_button.click()
    assert box.locator(".menu[open]").count() == 1


def test_undo_after_a_reset_gives_all_back(page: Page, portraits: dict[str, Path]) -> None:
    box = open_tab(page, "edit")
    give(page, "Photo to edit", portraits["grace_hopper"])
    smile, mouth = (page.get_by_role("slider", name=name) for name in ("Smile", "Open mouth"))
    smile.press("End")
    first = finished(page, "edit")
    mouth.press("End")
    page.get_by_role("button", name="Reset all").click()  # before the full size of both is made
    box.locator(".result[data-state=photo]").wait_for()
    page.get_by_role("button", name="Undo").click()
    both = finished(page, "edit", [first])
    assert (smile.input_value(), mouth.input_value()) == ("1", "1")
    page.get_by_role("button", name="Reset all").click()
    box.locator(".result[data-state=photo]").wait_for()
    assert smile.input_value() != "1"
    page.keyboard.press("Control+z")
    assert finished(page, "edit") == both
    assert (smile.input_value(), mouth.input_value()) == ("1", "1")


def test_leaving_asks_while_a_result_was_not_downloaded(page: Page, portraits: dict[str, Path], tmp_path: Path) -> None:
    asked: list[str] = []

    def accept(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", accept)
    open_tab(page, "edit")
    give(page, "Photo to edit", portraits["grace_hopper"])
    page.get_by_role("slider", name="Smile").press("End")
    finished(page, "edit")
    download(page, "edit", "PNG", tmp_path)
    page.reload()
    assert asked == []
    open_tab(page, "edit")
    give(page, "Photo to edit", portraits["grace_hopper"])
    page.get_by_role("slider", name="Smile").press("End")
    finished(page, "edit")
    page.reload()
    assert asked == ["beforeunload"]


@pytest.mark.parametrize(("kind", "suffix", "format_"), [("JPEG", ".jpg", "JPEG"), ("WebP", ".webp", "WEBP")])
def test_a_result_is_downloaded_with_its_record(
    page: Page, portraits: dict[str, Path], tmp_path: Path, kind: str, suffix: str, format_: str
) -> None:
    open_tab(page, "edit")
    give(page, "Photo to edit", portraits["grace_hopper"])
    page.get_by_role("slider", name="Smile").press("End")
    finished(page, "edit")
    saved = download(page, "edit", kind, tmp_path)
    assert saved.suffix == suffix
    with Image.open(saved) as opened:
        assert opened.format == format_
        assert opened.size == (512, 600)
    verdict = verify(saved)
    assert verdict.unchanged
    assert verdict.record is not None


def test_zoom_goes_to_the_pixels_of_the_full_size(
    page: Page, photos: dict[str, Picture], traffic: Traffic, tmp_path: Path
) -> None:
    Image.fromarray(photos["grace_hopper"]).resize((2048, 2400)).save(tmp_path / "large.jpg", quality=90)
    open_tab(page, "edit")
    give(page, "Photo to edit", tmp_path / "large.jpg")
    page.get_by_role("slider", name="Smile").press("End")
    made = finished(page, "edit")
    picture = panel(page, "edit").locator("img.after")
    assert picture.evaluate("async (image) => { await image.decode(); return image.naturalHeight; }") == 1600
    full = [url for url in traffic.asked if f"/results/{made}/picture" in url and "longest" not in url]
    assert full == []  # nothing large is loaded until somebody looks closer
    page.get_by_role("button", name="Pixels").click()
    assert panel(page, "edit").locator(".scale").text_content() == "100 %"
    page.wait_for_timeout(4000)
    assert picture.evaluate("(image) => image.naturalHeight") == 2400
    page.get_by_role("button", name="Face", exact=True).click()
    face = panel(page, "edit").locator(".face").bounding_box()
    small = panel(page, "edit").locator(".photo").bounding_box()
    near = picture.bounding_box()
    window = panel(page, "edit").locator(".stage").bounding_box()
    assert None not in (face, small, near, window)
    middle = near["x"] + (face["x"] + face["width"] / 2 - small["x"]) / small["width"] * near["width"]
    assert abs(middle - window["x"] - window["width"] / 2) < 5  # the face is in the middle
    assert near["width"] > 1.1 * window["width"]
    page.get_by_role("button", name="Fit").click()
    stage = panel(page, "edit").locator(".stage")
    box = stage.bounding_box()
    assert box is not None
    before = picture.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.wheel(0, -500)
    page.wait_for_timeout(200)
    after = picture.bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] > 2 * before["width"]
    page.mouse.down()
    page.mouse.move(box["x"] + 20, box["y"] + 30)
    page.mouse.up()
    moved = picture.bounding_box()
    assert moved is not None
    assert abs(moved["x"] - after["x"] + 40) < 2


def test_the_divider_shows_before_and_after(page: Page, portraits: dict[str, Path], tmp_path: Path) -> None:
    open_tab(page, "edit")
    give(page, "Photo to edit", portraits["grace_hopper"])
    page.get_by_role("slider", name="Smile").press("End")
    finished(page, "edit")
    saved = pixels(download(page, "edit", "PNG", tmp_path))
    assert saved.shape == (600, 512, 3)
    divider = page.get_by_role("slider", name="Before and after")
    stage = panel(page, "edit").locator(".stage").bounding_box()
    assert stage is not None
    page.mouse.move(stage["x"] + 25, stage["y"] + stage["height"] / 2)
    page.mouse.down()
    page.mouse.move(stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2, steps=4)
    page.mouse.up()
    assert abs(int(str(divider.get_attribute("aria-valuenow"))) - 50) <= 1
    divider.press("ArrowRight")
    assert abs(int(str(divider.get_attribute("aria-valuenow"))) - 55) <= 1
    assert "before" in str(divider.get_attribute("aria-valuetext"))
