"""Pictures of every tab, of the two public-domain portraits, for docs/studio.md and to be looked at:

MASQUE_SCREENSHOTS=FOLDER python -m pytest tests/studio/browser/test_screenshots.py"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from studio_steps import TABS, download, finished, give, open_tab, panel

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from conftest import Traffic

FOLDER = os.environ.get("MASQUE_SCREENSHOTS")

MANNERS: Mapping[str, Mapping[str, object]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
"""How the page is looked at, by name."""

pytestmark = pytest.mark.skipif(not FOLDER, reason="MASQUE_SCREENSHOTS names no folder")


def swap(page: Page, portraits: Mapping[str, Path], _: Path) -> None:
    """The astronaut's face in the other portrait, half compared."""
    give(page, "Whose face", portraits["astronaut"])
    give(page, "Into which photo", portraits["grace_hopper"])
    page.get_by_role("button", name="Swap", exact=True).click()
    finished(page, "swap")
    divide(page)


def edit(page: Page, portraits: Mapping[str, Path], _: Path) -> None:
    """Auburn hair and a broader smile."""
    give(page, "Photo to edit", portraits["astronaut"])
    page.get_by_role("button", name="auburn", exact=True).click()
    page.get_by_role("slider", name="Smile").press("End")
    finished(page, "edit")
    divide(page)


def paint(page: Page, portraits: Mapping[str, Path], _: Path) -> None:
    """The label map over a portrait."""
    give(page, "Photo to paint in", portraits["grace_hopper"], gone=True)
    panel(page, "paint").locator('.paint[data-state="painting"]').wait_for()


def style(page: Page, portraits: Mapping[str, Path], _: Path) -> None:
    """Hair in the style of the other portrait's."""
    give(page, "Photo to change", portraits["astronaut"])
    give(page, "Style of this photo", portraits["grace_hopper"])
    page.get_by_role("button", name="Transfer the style").click()
    finished(page, "style")
    divide(page)


def morph(page: Page, portraits: Mapping[str, Path], _: Path) -> None:
    """A film between both, by landmarks."""
    for letter, photo in zip("ab", ("astronaut", "grace_hopper"), strict=True):
        give(page, f"Face {letter}", portraits[photo])
    panel(page, "morph").get_by_text("Film", exact=True).click()
    panel(page, "morph").get_by_text("Warp", exact=True).click()
    page.get_by_role("button", name="Make the film").click()
    panel(page, "morph").locator(".result[data-state=done]").wait_for(timeout=120_000)


def new(page: Page, portraits: Mapping[str, Path], _: Path) -> None:
    """Other pictures of a person."""
    give(page, "Photo of the person", portraits["astronaut"])
    page.get_by_role("button", name="Draw", exact=True).click()
    panel(page, "new").locator(".result[data-state=done]").wait_for(timeout=120_000)


def check(page: Page, portraits: Mapping[str, Path], folder: Path) -> None:
    """What an edited picture says of itself."""
    open_tab(page, "edit")
    edit(page, portraits, folder)
    saved = download(page, "edit", "PNG", folder)
    open_tab(page, "check").locator("input[type=file]").set_input_files(saved)
    panel(page, "check").locator(".verdict").wait_for()


SCENES = {scene.__name__: scene for scene in (swap, edit, paint, style, morph, new, check)}


def divide(page: Page) -> None:
    """Show one half as it was before."""
    divider = page.get_by_role("slider", name="Before and after")
    divider.press("Home")
    for _ in range(10):
        divider.press("ArrowRight")
    page.evaluate("document.activeElement.blur()")


@pytest.mark.parametrize("manner", MANNERS)
@pytest.mark.parametrize("tab", TABS)
def test_tab(opened: Callable[..., Page], portraits: dict[str, Path], tmp_path: Path, tab: str, manner: str) -> None:
    page = opened(**MANNERS[manner])
    open_tab(page, tab)
    write(page, f"{tab}-{manner}-empty")
    SCENES[tab](page, portraits, tmp_path)
    page.wait_for_timeout(1200)
    page.evaluate("window.scrollTo(0, 0)")
    write(page, f"{tab}-{manner}", full_page=manner == "phone")
    page.mouse.wheel(0, 420)
    page.wait_for_timeout(300)
    write(page, f"{tab}-{manner}-lower")


def test_notice(opened: Callable[..., Page], traffic: Traffic) -> None:
    page = opened(agreed=False)
    page.wait_for_timeout(1000)
    write(page, "notice")
    assert traffic.asked


def write(page: Page, name: str, full_page: bool = False) -> None:
    """A picture of the page as it is, as PNG to look at and as a smaller JPEG for the documentation."""
    folder = Path(str(FOLDER))
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page=full_page)
    with Image.open(folder / f"{name}.png") as picture:
        picture.convert("RGB").save(folder / f"{name}.jpg", quality=80, optimize=True)
