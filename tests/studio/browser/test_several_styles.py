"""The tab Style: the shape of one face in the styles of several portraits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from making_steps import serious
from studio_steps import finished, give, open_tab

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_a_sheet_of_several_styles(page: Page, portraits: dict[str, Path]) -> None:
    page.set_default_timeout(180_000)
    box = open_tab(page, "style")
    box.get_by_text("Several styles at once").click()
    go = box.get_by_role("button", name="Paint the sheet")
    go.click()
    page.get_by_role("region", name="Photo to change", exact=True).locator(".error").wait_for()
    give(page, "Photo to change", portraits["astronaut"])
    go.click()
    page.get_by_role("region", name="Style a", exact=True).locator(".error").wait_for()
    give(page, "Style a", portraits["grace_hopper"])
    box.get_by_role("button", name="Add a portrait").click()
    give(page, "Style b", portraits["astronaut"])
    with page.expect_request("**/api/faces-for?job=true") as asked:
        go.click()
    assert (asked.value.post_data or "").count('name="styles"') == 2
    finished(page, "style")
    assert (
        box.get_by_role("button", name="Open picture").count() == 6
    )  # the map and two portraits, and below them faces
    assert serious(page) == []
