"""What a user does in Studio, step by step, and what is then seen."""

from __future__ import annotations

import base64
import io
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from masque.image import Picture, read_picture

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

TABS = ("swap", "edit", "paint", "style", "morph", "new", "check")
"""Ids of all tabs, from left to right."""


def panel(page: Page, tab: str) -> Locator:
    """What a tab shows."""
    return page.locator(f"#panel-{tab}")


def open_tab(page: Page, tab: str) -> Locator:
    """Open a tab, and wait until it is built."""
    page.locator(f"#tab-{tab}").click()
    panel(page, tab).locator("section, p").first.wait_for()
    return panel(page, tab)


def give(page: Page, well: str, file: Path, gone: bool = False) -> Locator:
    """Put a file into the well of a name, in the tab that is open, and wait until its photo is shown. gone: the photo
    is shown elsewhere."""
    box = page.get_by_role("region", name=well, exact=True)
    box.locator("input[type=file]").set_input_files(file)
    if not gone:
        box.locator(".photo img").wait_for()
    return box


def finished(page: Page, tab: str, other_than: Collection[str] = ()) -> str:
    """Wait for a tab's result, and return its id. other_than: ids of results that were there before."""
    others = "".join(f':not([data-result="{one}"])' for one in other_than)
    result = panel(page, tab).locator(f".result[data-state=done]{others}")
    result.wait_for()
    return str(result.get_attribute("data-result"))


def shown(picture: Locator) -> Picture:
    """The pixels that an <img> of the page shows."""
    data = picture.evaluate(
        """async (image) => { await image.decode();
          const canvas = document.createElement("canvas"); canvas.width = image.naturalWidth;
          canvas.height = image.naturalHeight; canvas.getContext("2d").drawImage(image, 0, 0);
          return canvas.toDataURL("image/png"); }"""
    )
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data.split(",")[1]))).convert("RGB"))


def download(page: Page, tab: str, kind: str, folder: Path) -> Path:
    """Download a tab's result as "PNG", "JPEG" or "WebP", into a folder."""
    box = panel(page, tab)
    box.get_by_text("Download", exact=True).click()
    with page.expect_download() as waiting:
        box.get_by_role("button", name=kind).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def use_in(page: Page, tab: str, other: str) -> None:
    """Use the result of a tab in another one, by that one's label."""
    box = panel(page, tab)
    box.get_by_text("Use in", exact=True).click()
    box.locator(".menu-list").get_by_role("button", name=other, exact=True).click()


def apart(one: Picture, other: Picture) -> float:
    """How far two pictures of one size are apart, in grey levels on average."""
    assert one.shape == other.shape
    return float(np.abs(one.astype(float) - other).mean())


def pixels(path: Path) -> Picture:
    """The pixels of a file."""
    return read_picture(path)
