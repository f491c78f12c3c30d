"""The Style tab: from two photos to the first in the style of the second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from masque import load
from masque.image import Picture

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def open_photos(page: Page, photo: Path, model: Path) -> Locator:
    """Open two photos in the Style tab; gives its panel."""
    page.get_by_role("tab", name="Style").click()
    panel = page.locator("#panel-style")
    for label, path in (("Photo to change", photo), ("Style of this photo", model)):
        panel.get_by_label(f"Choose a photo: {label}").and_(panel.locator("input")).set_input_files(path)
        panel.locator(f'.well[data-state="full"][aria-label="{label}"]').wait_for()
    return panel


def test_hair_takes_the_style_of_another_photo(
    page: Page, portraits: dict[str, Path], photos: dict[str, Picture]
) -> None:
    panel = open_photos(page, portraits["astronaut"], portraits["grace_hopper"])
    panel.get_by_role("button", name="Transfer the style").click()
    panel.get_by_text("Part: hair.").wait_for()
    panel.get_by_text("Download").click()
    with page.expect_download() as download:
        panel.get_by_role("button", name="PNG").click()
    made = np.asarray(Image.open(download.value.path()).convert("RGB"))
    expected = load("portrait").transfer(photos["astronaut"], photos["grace_hopper"], part="hair")
    np.testing.assert_array_equal(made, expected.picture)
    assert (made != photos["astronaut"]).any(axis=2).sum() > 300


def test_a_missing_photo_is_said_at_its_well(page: Page, portraits: dict[str, Path]) -> None:
    page.get_by_role("tab", name="Style").click()
    panel = page.locator("#panel-style")
    panel.get_by_role("button", name="Transfer the style").click()
    panel.get_by_label("Photo to change", exact=True).get_by_text("Choose a photo first.").wait_for()
    first = panel.get_by_label("Choose a photo: Photo to change").and_(panel.locator("input"))
    first.set_input_files(portraits["astronaut"])
    panel.locator('.well[data-state="full"]').wait_for()
    panel.get_by_role("button", name="Transfer the style").click()
    panel.get_by_label("Style of this photo", exact=True).get_by_text("Choose a photo first.").wait_for()


def test_a_phone_shows_the_result(opened: Callable[..., Page], portraits: dict[str, Path]) -> None:
    page = opened(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    panel = open_photos(page, portraits["astronaut"], portraits["grace_hopper"])
    panel.locator("label", has_text="Skin").tap()
    panel.get_by_role("button", name="Transfer the style").tap()
    panel.get_by_text("Part: skin.").wait_for()
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_tab_is_accessible(opened: Callable[..., Page], portraits: dict[str, Path], scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened(bypass_csp=True, color_scheme=scheme)
    open_photos(page, portraits["astronaut"], portraits["grace_hopper"])
    found = axe.Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
