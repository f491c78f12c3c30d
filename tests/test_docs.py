"""The documentation's claims that a machine can check."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROWS = [
    (paper.name, *match.groups())
    for paper in sorted((ROOT / "docs" / "papers").glob("*.md"))
    for match in re.finditer(r"\| `([^`]+)` \| (src/\S+\.py) \|", paper.read_text())
]


def test_the_papers_have_tables() -> None:
    assert len(ROWS) >= 20


@pytest.mark.parametrize(("paper", "symbol", "file"), ROWS, ids=[f"{r[2].split('/')[-1]}:{r[1]}" for r in ROWS])
def test_the_symbol_stands_in_the_file_named(paper: str, symbol: str, file: str) -> None:
    whole = re.compile(rf"(?<!\w){re.escape(symbol)}" + (r"(?!\w)" if symbol[-1].isalnum() else ""))
    assert whole.search((ROOT / file).read_text()), f"docs/papers/{paper}: there is no {symbol!r} in {file}"


@pytest.mark.parametrize(
    "document", sorted(p.relative_to(ROOT) for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]), ids=str
)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / document).read_text()):
        if not target.startswith("http"):
            assert (ROOT / document).parent.joinpath(target).exists(), f"{document} links to {target}"


def test_every_command_of_the_readme_exists() -> None:
    import typer.main

    from masque.cli.main import app

    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"^ {4}masque (\w+)", (ROOT / "README.md").read_text(), flags=re.MULTILINE))
    assert named
    assert named <= commands
