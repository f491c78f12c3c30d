"""Studio in a real browser: a server as a process of its own, a page on it, and what every test asserts of both."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from masque.image import Picture, write_picture

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def browser_path() -> str | None:
    """A browser that is installed, None where there is none."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test in this folder opens a browser; without one it is skipped, and says why."""
    reason = "" if browser_path() else f"no browser is installed: none of {', '.join(BROWSERS)}"
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        reason = "playwright is not installed"
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if reason:
                item.add_marker(pytest.mark.skip(reason=reason))


@dataclass
class Traffic:
    """What a page asked for, and what went wrong in it."""

    asked: list[str] = field(default_factory=list)
    """Addresses of all requests."""
    errors: list[str] = field(default_factory=list)
    """What the page wrote to its console as errors, and what it threw."""
    expected: list[str] = field(default_factory=list)
    """Parts of errors that a test causes on purpose, such as the status of a refused request."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a file, and not longer: as long as playwright runs, so does its event loop, and
    tests of other files that come after in the same process start one of their own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        started = driver.chromium.launch(
            executable_path=browser_path(),
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--use-fake-device-for-media-stream"],
        )
        yield started
        started.close()


@pytest.fixture
def traffic() -> Traffic:
    """What the test's pages ask for."""
    return Traffic()


@pytest.fixture
def opened(browser: Browser, studio_link: str, traffic: Traffic) -> Iterator[Callable[..., Page]]:
    """Opens Studio in a browser that has never seen it, with settings such as a viewport; agreed=False leaves the
    notice open. When the test ends, no request has left the machine, and the page has had no error."""
    contexts: list[BrowserContext] = []

    def open_page(agreed: bool = True, **settings: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **settings})  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(30_000)
        if agreed:
            context.add_init_script("localStorage.setItem('masque-agreed', 'yes')")
        page = context.new_page()
        page.on("request", lambda request: traffic.asked.append(request.url))
        page.on("pageerror", lambda error: traffic.errors.append(str(error)))
        page.on("console", lambda line: traffic.errors.append(line.text) if line.type == "error" else None)
        page.goto(studio_link)
        page.get_by_role("tab", selected=True).wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    own = urlsplit(studio_link).netloc
    strangers = [url for url in traffic.asked if urlsplit(url).netloc not in ("", own)]
    unexpected = [text for text in traffic.errors if not any(part in text for part in traffic.expected)]
    assert traffic.asked
    assert not strangers
    assert not unexpected


@pytest.fixture
def page(opened: Callable[..., Page]) -> Page:
    """Studio's page, opened on a wide screen."""
    return opened()


@pytest.fixture(scope="session")
def portraits(tmp_path_factory: pytest.TempPathFactory, photos: dict[str, Picture]) -> dict[str, Path]:
    """The two public-domain portraits as files."""
    folder = tmp_path_factory.mktemp("portraits")
    return {name: write_picture(folder / f"{name}.png", photo) for name, photo in photos.items()}
