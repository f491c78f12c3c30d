"""What the tests of the tabs that make faces, films and sheets have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page


def serious(page: Page) -> list[str]:
    """What axe calls serious or critical on a page, and where. The test is skipped where axe is not installed."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    return [
        f"{one['id']}: {node['target']}"
        for one in axe.Axe().run(page).response["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
