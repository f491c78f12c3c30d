"""The tab Swap, from two photos to a result, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from studio_steps import apart, download, finished, give, panel, pixels, shown

import masque
from masque.errors import NoFaceError
from masque.image import Picture, write_picture
from masque.provenance import verify

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_two_photos_are_swapped_as_the_library_swaps_them(
    page: Page, portraits: dict[str, Path], photos: dict[str, Picture], tmp_path: Path
) -> None:
    give(page, "Whose face", portraits["astronaut"])
    give(page, "Into which photo", portraits["grace_hopper"])
    page.get_by_role("button", name="Swap", exact=True).click()
    finished(page, "swap")
    saved = download(page, "swap", "PNG", tmp_path)
    own = masque.load().swap(photos["astronaut"], photos["grace_hopper"])  # type: ignore[attr-defined]
    verdict = verify(saved)
    assert apart(pixels(saved), own.picture) < 0.1
    assert verdict.unchanged
    assert verdict.record is not None
    assert verdict.record["edit"] == "swap"
    assert apart(shown(panel(page, "swap").locator("img.after")), own.picture) < 3  # a JPEG of it is shown
    assert panel(page, "swap").locator(".record li").count() >= 3


def test_method_and_expression_are_those_that_were_chosen(
    page: Page, portraits: dict[str, Path], tmp_path: Path
) -> None:
    give(page, "Whose face", portraits["astronaut"])
    give(page, "Into which photo", portraits["grace_hopper"])
    page.get_by_text("The replaced one's").click()
    page.get_by_role("button", name="Swap", exact=True).click()
    first = finished(page, "swap")
    kept = verify(download(page, "swap", "PNG", tmp_path)).record
    page.get_by_text("Warp", exact=True).click()
    assert page.get_by_role("group", name="Whose expression").is_hidden()  # only own pixels have a choice
    page.get_by_role("button", name="Swap", exact=True).click()
    finished(page, "swap", [first])
    warped = verify(download(page, "swap", "PNG", tmp_path)).record
    assert kept is not None
    assert kept["expression_of"] == "target"
    assert warped is not None
    assert warped["model"] == "warp"


def test_the_photos_change_places(page: Page, portraits: dict[str, Path]) -> None:
    give(page, "Whose face", portraits["astronaut"])
    give(page, "Into which photo", portraits["grace_hopper"])
    page.get_by_role("button", name="Exchange the photos").click()
    assert "grace_hopper" in str(page.get_by_role("region", name="Whose face").locator(".name").text_content())
    assert "astronaut" in str(page.get_by_role("region", name="Into which photo").locator(".name").text_content())


def test_a_failure_is_the_sentence_of_the_library_at_the_well_that_caused_it(
    page: Page, portraits: dict[str, Path], tmp_path: Path
) -> None:
    wall = write_picture(tmp_path / "wall.png", np.full((300, 300, 3), 180, np.uint8))
    with pytest.raises(NoFaceError) as failure:
        masque.load().swap(wall, portraits["grace_hopper"])  # type: ignore[attr-defined]
    give(page, "Whose face", wall)
    give(page, "Into which photo", portraits["grace_hopper"])
    page.get_by_role("button", name="Swap", exact=True).click()
    alert = page.get_by_role("region", name="Whose face").get_by_role("alert")
    alert.filter(has_text=str(failure.value)).wait_for()
    assert panel(page, "swap").get_by_role("alert").count() == 1


@pytest.mark.parametrize("missing", ["Whose face", "Into which photo"])
def test_a_missing_photo_is_asked_for_at_its_well(page: Page, portraits: dict[str, Path], missing: str) -> None:
    other = {"Whose face": "Into which photo", "Into which photo": "Whose face"}[missing]
    give(page, other, portraits["astronaut"])
    page.get_by_role("button", name="Swap", exact=True).click()
    alert = page.get_by_role("region", name=missing).get_by_role("alert")
    alert.wait_for()
    assert alert.text_content() == "Choose a photo first."
    assert page.get_by_role("region", name=other).get_by_role("alert").count() == 0
