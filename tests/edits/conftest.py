"""What several tests of edits begin with."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

import masque
from masque.edits.loaded import PhotoEditor
from masque.image import Picture


@pytest.fixture(scope="module")
def photo() -> Picture:
    """A public-domain portrait."""
    return np.ascontiguousarray(data.astronaut())


@pytest.fixture(scope="module")
def editor() -> PhotoEditor:
    """The editor of own pixels, by the weights that come with Masque."""
    return masque.load()


@pytest.fixture
def unrecognised(monkeypatch: pytest.MonkeyPatch) -> None:
    """No face is recognised: that takes most of an edit's time and decides no pixel."""
    for module in ("subject", "measures"):
        monkeypatch.setattr(f"masque.edits.{module}.identity", lambda *_: np.zeros(128, np.float32))
