"""Pictures to begin with: two portraits in the public domain, which come inside libraries, and heads that Masque's own
renderer made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

PUPPETS = Path(__file__).with_name("static") / "examples"


@dataclass(frozen=True)
class Example:
    """A picture to begin with."""

    name: str
    title: str
    by: str
    """Whose it is."""
    path: Callable[[], Path]
    """Finds its file."""

    def content(self) -> bytes:
        """The content of its file."""
        return self.path().read_bytes()


def _inside(package: str, *parts: str) -> Path:
    """A file inside an installed package, which need not be imported for it."""
    found = find_spec(package)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent.joinpath(*parts)


EXAMPLES = (
    Example("astronaut", "Eileen Collins", "NASA, public domain", lambda: _inside("skimage", "data", "astronaut.png")),
    Example(
        "grace_hopper",
        "Grace Hopper",
        "US Navy, public domain",
        lambda: _inside("matplotlib", "mpl-data", "sample_data", "grace_hopper.jpg"),
    ),
    *(
        Example(path.stem, f"{path.stem.replace('-', ' ').capitalize()}", "rendered by Masque", partial(Path, path))
        for path in sorted(PUPPETS.glob("*.jpg"))
    ),
)
"""In the order in which they are shown."""
