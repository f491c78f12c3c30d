"""What everybody should read once before they edit pictures of people, and whether this machine's user has."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

SENTENCES = (
    "Use pictures of people who agree to what you make of them, and say how it was made: every picture that Masque "
    "writes carries a record of it.",
    "Do not use it to deceive, to harass, or to sexualise anybody; many countries punish that.",
    "The weights that come with Masque were trained on research-only sets and are for non-commercial research; the "
    "model that finds faces excludes commercial products.",
)
"""The notice, in plain sentences."""


def folder() -> Path:
    """Where the settings of this machine's user are. Raises RuntimeError where the user has no home."""
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming") / "masque"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "masque"
    asked = os.environ.get("XDG_CONFIG_HOME", "")
    return (Path(asked) if os.path.isabs(asked) else Path.home() / ".config") / "masque"


def agreed() -> bool:
    """Whether the notice was read; no where nobody can tell."""
    with suppress(OSError, RuntimeError):  # the last where the user has no home
        return (folder() / "notice-read").is_file()
    return False


def remember() -> None:
    """Remember that it was read; where nothing can be written, it is shown again."""
    with suppress(OSError, RuntimeError):
        folder().mkdir(parents=True, exist_ok=True)
        (folder() / "notice-read").touch()
