"""The documentation's claims that a machine can check."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROWS = [
    (paper.name, *match.groups())
    for paper in sorted((ROOT / "docs" / "papers").glob("*.md"))
    for match in re.finditer(r"\| `([^`]+)` \| (src/\S+\.py) \|", paper.read_text())
]


DOCUMENTS = sorted(p.relative_to(ROOT) for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def defined(source: str) -> set[str]:
    """What a file defines: classes, functions, methods (`Class.method`), constants and fields, and in quotes the names
    of the terms that its functions called `..._terms` put into a dictionary. What it only mentions is not in it."""
    found: set[str] = set()

    def walk(body: Sequence[ast.stmt], outer: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                found.add(outer + node.name)
            if isinstance(node, ast.ClassDef):
                walk(node.body, f"{outer}{node.name}.")
            elif isinstance(node, ast.FunctionDef) and node.name.endswith("_terms"):
                found.update(f'"{key}"' for key in keys(node))
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                found.update(outer + target.id for target in targets if isinstance(target, ast.Name))

    walk(ast.parse(source).body, "")
    return found


def keys(function: ast.FunctionDef) -> Iterator[str]:
    """String keys of a function's dictionaries: of literals, and of items that are assigned to."""
    for node in ast.walk(function):
        if isinstance(node, ast.Dict):
            written = node.keys
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            written = [node.slice]
        else:
            continue
        yield from (key.value for key in written if isinstance(key, ast.Constant) and isinstance(key.value, str))


def test_the_papers_have_tables() -> None:
    assert len(ROWS) >= 100
    written = sum(
        line.count("| src/")
        for paper in (ROOT / "docs" / "papers").glob("*.md")
        for line in paper.read_text().split("\n")
    )
    assert len(ROWS) == written, "a row of docs/papers/ that names a file is not of the form | `symbol` | src/FILE.py |"


@pytest.mark.parametrize(("paper", "symbol", "file"), ROWS, ids=[f"{r[2].split('/')[-1]}:{r[1]}" for r in ROWS])
def test_the_file_named_defines_the_symbol(paper: str, symbol: str, file: str) -> None:
    there = defined((ROOT / file).read_text())
    assert symbol in there, f"docs/papers/{paper}: {file} does not define {symbol}"


def test_a_mention_is_no_definition() -> None:
    source = """
class Made:
    field: int = 0
    def method(self): return other(mentioned)
def some_terms(batch):
    terms = {"rec": 1}
    terms["adv"] = 2
    return {**terms, "kl": terms["read"]}
def phases(self): return {"weight": 1}
CONSTANT = 1
"""
    assert defined(source) == {
        "Made", "Made.field", "Made.method", "some_terms", '"rec"', '"adv"', '"kl"', "phases", "CONSTANT",
    }  # fmt: skip


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_no_document_names_a_line_of_code(document: Path) -> None:
    """Whatever is added above a line moves it, so documents name symbols. Lines of a paper's algorithm stand still."""
    text = (ROOT / document).read_text()
    assert re.findall(r"[\w/]+\.(?:py|toml|yml|sh):\d+", text) == []
    assert re.findall(r"[\w/]+\.py`?,? lines? \d+|#L\d+", text) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", (ROOT / document).read_text()):
        if not target.startswith("http"):
            file, _, anchor = target.partition("#")
            path = (ROOT / document).parent / file if file else ROOT / document
            assert path.exists(), f"{document} links to {target}"
            assert not anchor or anchor in anchors(path.read_text()), f"{document} links to {target}"


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives the headings of a page: small letters, without punctuation, spaces as dashes."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


WITH_REFERENCES = sorted(
    p.relative_to(ROOT)
    for p in [*(ROOT / "src").rglob("*.py"), *(ROOT / "src").rglob("*.md"), *(ROOT / d for d in DOCUMENTS)]
    if "docs/" in p.read_text()
)
"""Code, cards and documents that name a page of docs/."""


@pytest.mark.parametrize("file", WITH_REFERENCES, ids=str)
def test_every_page_referred_to_exists(file: Path) -> None:
    for page in re.findall(r"\bdocs/[\w/-]+\.\w+", (ROOT / file).read_text()):
        assert (ROOT / page).exists(), f"{file} refers to {page}"


def test_every_command_of_the_readme_exists() -> None:
    import typer.main

    from masque.cli.main import app

    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"^ {4}masque (\w+)", (ROOT / "README.md").read_text(), flags=re.MULTILINE))
    assert named
    assert named <= commands
