"""The page as a whole: keyboard, phone, dark and light, the notice, the door, and what screen readers meet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from studio_steps import TABS, finished, give, open_tab, panel

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from conftest import Traffic

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
FOCUSED = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has a name is focused, and see that the focus is visible."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED) == name:
            outline = "getComputedStyle(document.activeElement, part).outlineStyle"
            assert page.evaluate(f"[null, '::after'].some((part) => {outline} !== 'none')")
            return
    raise AssertionError(f"{name} cannot be reached by Tab")


def test_from_photos_to_a_result_by_keyboard_alone(page: Page) -> None:
    examples = page.get_by_role("region", name="Whose face").locator(".examples button")
    examples.first.wait_for()
    names = [str(examples.nth(number).get_attribute("aria-label")) for number in range(2)]
    tab_to(page, names[0])
    page.keyboard.press("Enter")
    page.get_by_role("region", name="Whose face").locator(".photo img").wait_for()
    assert page.evaluate(FOCUSED) == "Other photo: Whose face"  # the example that was focused is gone
    tab_to(page, names[1].replace("Whose face", "Into which photo"))
    page.keyboard.press("Enter")
    page.get_by_role("region", name="Into which photo").locator(".photo img").wait_for()
    tab_to(page, "Swap")
    page.keyboard.press("Enter")
    finished(page, "swap")
    tab_to(page, "Before and after")
    page.keyboard.press("End")
    assert page.get_by_role("slider", name="Before and after").get_attribute("aria-valuenow") == "100"


def test_arrow_keys_go_through_the_tabs(page: Page) -> None:
    page.locator("#tab-swap").focus()
    for expected in (*TABS[1:], TABS[0]):
        page.keyboard.press("ArrowRight")
        chosen = page.get_by_role("tab", selected=True)
        assert chosen.get_attribute("id") == f"tab-{expected}"
        assert page.evaluate("document.activeElement.id") == f"tab-{expected}"
        assert panel(page, expected).get_attribute("hidden") is None
        assert page.locator("[role=tab][tabindex='0']").count() == 1
    page.keyboard.press("End")
    assert page.get_by_role("tab", selected=True).get_attribute("id") == "tab-check"
    page.keyboard.press("Home")
    assert page.get_by_role("tab", selected=True).get_attribute("id") == "tab-swap"


@pytest.mark.parametrize("tab", TABS)
def test_nothing_is_wider_than_a_phone(opened: Callable[..., Page], tab: str) -> None:
    page = opened(**PHONE)
    open_tab(page, tab)
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, summary, select")]
          .filter((one) => one.checkVisibility() && !one.closest(".unseen, .skip"))
          .map((one) => [one.textContent, one.getBoundingClientRect()])
          .filter(([, box]) => box.width < 24 || box.height < 24).map(([text]) => text)"""
    )
    assert small == []  # WCAG 2.5.8: fingers need 24 px


def test_a_phone_shows_a_result_without_scrolling_sideways(
    opened: Callable[..., Page], portraits: dict[str, Path]
) -> None:
    page = opened(**PHONE)
    open_tab(page, "edit")
    give(page, "Photo to edit", portraits["grace_hopper"])
    page.get_by_role("slider", name="Smile").press("End")
    finished(page, "edit")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("slider", name="Age", exact=True).scroll_into_view_if_needed()
    box = panel(page, "edit").locator(".stage").bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 400  # the picture stays in sight while sliders are moved


def lightness(page: Page) -> int:
    """How light the page's paper is, from 0 to 255."""
    return int(page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/)[0]"))


def test_dark_and_light_follow_the_system_until_one_is_chosen(opened: Callable[..., Page]) -> None:
    page = opened(color_scheme="dark")
    assert lightness(page) < 60
    page.emulate_media(color_scheme="light")
    assert lightness(page) > 220
    page.get_by_label("Colours of the page").select_option("dark")
    assert lightness(page) < 60
    page.reload()
    page.get_by_role("tab", selected=True).wait_for()
    assert lightness(page) < 60


def test_the_notice_asks_once(opened: Callable[..., Page]) -> None:
    page = opened(agreed=False)
    dialog = page.get_by_role("dialog", name="Before you begin")
    dialog.wait_for()
    assert "agree" in str(dialog.text_content())
    page.keyboard.press("Escape")
    assert dialog.is_visible()
    with page.expect_response(lambda answer: answer.request.method == "POST" and answer.url.endswith("/api/notice")):
        dialog.get_by_role("button", name="I agree").click()
    assert dialog.count() == 0
    page.reload()
    page.get_by_role("tab", selected=True).wait_for()
    page.wait_for_timeout(500)
    assert page.get_by_role("dialog").count() == 0
    other = opened(agreed=False)  # the machine remembers, not the browser alone
    other.wait_for_timeout(800)
    assert other.get_by_role("dialog").count() == 0


def test_the_token_leaves_the_address_and_a_page_without_it_says_what_to_do(
    page: Page, traffic: Traffic, studio_link: str
) -> None:
    assert "token" not in page.url
    page.reload()  # a tab keeps its key
    page.get_by_role("region", name="Whose face").locator(".examples button").first.wait_for()
    traffic.expected.append("401")
    page.evaluate("sessionStorage.setItem('masque-token', 'another')")
    page.reload()
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    assert "Open the link" in str(dialog.text_content())
    page.evaluate("(link) => { location.hash = new URL(link).hash; }", studio_link)  # in the same tab
    dialog.wait_for(state="detached")
    page.get_by_role("region", name="Whose face").locator(".examples button").first.wait_for()
    assert "token" not in page.url


def test_a_server_that_ended_is_told_at_the_button(page: Page, portraits: dict[str, Path], traffic: Traffic) -> None:
    give(page, "Whose face", portraits["astronaut"])
    give(page, "Into which photo", portraits["grace_hopper"])
    traffic.expected.append("ERR_FAILED")
    page.route("**/api/**", lambda route: route.abort())
    page.get_by_role("button", name="Swap", exact=True).click()
    alert = panel(page, "swap").locator(".task").get_by_role("alert")
    alert.filter(has_text="Masque does not answer").wait_for()


def test_a_password_opens_the_door(browser: Browser, start_studio: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "password.txt").write_text("correct horse battery staple\n")
    page = browser.new_page()
    page.add_init_script("localStorage.setItem('masque-agreed', 'yes')")
    page.goto(start_studio("--password-file", str(tmp_path / "password.txt")))
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Password").fill("wrong")
    dialog.get_by_role("button", name="Enter").click()
    alert = dialog.get_by_role("alert")
    alert.wait_for()
    assert str(alert.text_content()).endswith(".")
    dialog.get_by_label("Password").fill("correct horse battery staple")
    dialog.get_by_role("button", name="Enter").click()
    page.get_by_role("region", name="Whose face").locator(".examples button").first.wait_for()
    assert page.get_by_role("dialog").count() == 0
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("tab", TABS)
def test_axe_finds_nothing_serious(opened: Callable[..., Page], tab: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened(color_scheme=scheme)
    open_tab(page, tab)
    page.wait_for_timeout(300)
    assert serious(axe.Axe().run(page)) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_results(
    opened: Callable[..., Page], portraits: dict[str, Path], scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened(color_scheme=scheme)
    open_tab(page, "edit")
    give(page, "Photo to edit", portraits["grace_hopper"])
    page.get_by_role("slider", name="Smile").press("End")
    finished(page, "edit")
    panel(page, "edit").get_by_text("The whole record").click()
    panel(page, "edit").get_by_text("More", exact=True).click()
    assert serious(axe.Axe().run(page)) == []


def serious(found: object) -> list[str]:
    """What axe calls serious or critical, and where."""
    violations = found.response["violations"]  # type: ignore[attr-defined]
    return [
        f"{one['id']}: {node['target']}"
        for one in violations
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
