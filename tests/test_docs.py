"""The documentation's claims that a machine can check."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from typer.core import TyperCommand

from masque.cli.main import command_line, commands_of, spelled, valued_options
from masque.cli.spelling import pieces_of

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
        "Made",
        "Made.field",
        "Made.method",
        "some_terms",
        '"rec"',
        '"adv"',
        '"kl"',
        "phases",
        "CONSTANT",
    }


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


PAGES = [
    p for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("src/**/*.md")] if p.name != "CHANGELOG.md"
]
"""All pages but the one that tells how commands were spelled before."""
BLOCK = re.compile(r"^ {4}(?:\w+=\S+ )*masque +(\S.*)$", re.MULTILINE)
"""A command of its own line, whole, as somebody would copy it."""
INLINE = re.compile(r"`(?:\w+=\S+ )*masque +([^`]+)`")
"""A command within a sentence, which may leave out what does not matter there."""


def commands_in(pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """Each command once, with the first page that spells it."""
    found: dict[str, str] = {}
    for page in sorted(PAGES):
        for match in pattern.finditer(page.read_text()):
            text = re.sub(r"\s+", " ", match[1])
            found.setdefault(text.replace("…", "").replace("...", ""), str(page.relative_to(ROOT)))
    return [(page, text) for text, page in found.items()]


def test_the_pages_spell_commands() -> None:
    assert len(commands_in(BLOCK)) > 60
    assert len(commands_in(INLINE)) > 60
    readme = BLOCK.findall((ROOT / "README.md").read_text())
    assert {line.split()[0] for line in readme} >= {"swap", "edit", "repaint", "train", "evaluate", "table"}


@pytest.mark.parametrize(("page", "text"), commands_in(BLOCK), ids=str)
def test_a_command_on_a_line_of_its_own_is_understood_as_it_stands(page: str, text: str) -> None:
    """By the real command line, in today's spelling; it is not run, and its files need not exist."""
    words = shlex.split(text, comments=True)
    assert spelled(words) == (words, []), page
    if words[0].startswith("-"):
        assert words[0] in {name for option in command_line().params for name in option.opts}
        return
    command, rest = found(words)
    command.make_context(words[0], rest)


@pytest.mark.parametrize(("page", "text"), commands_in(INLINE), ids=str)
def test_a_command_in_a_sentence_has_the_options_that_it_names(page: str, text: str) -> None:
    words = shlex.split(text)
    if words[0].startswith("-"):
        words.insert(0, "swap")  # an option alone, such as `masque --version`, is the root's
    assert spelled(words) == (words, []), page
    if words == ["bench"]:  # a group of commands, which has no options of its own
        return
    command, rest = found(words)
    known = {name for option in (*command.params, *command_line().params) for name in option.opts}
    known |= {name for option in command.params for name in option.secondary_opts} | {"--help", "-h"}
    used = {piece.option for piece in pieces_of(rest, valued_options()) if piece.option is not None}
    assert used <= known, page


def found(words: list[str]) -> tuple[TyperCommand, list[str]]:
    """The command that words begin with, and the words behind its name."""
    commands = commands_of(command_line())
    length = 1 if (words[0],) in commands else 2
    return commands[tuple(words[:length])], words[length:]


@pytest.mark.parametrize(
    "document", [d for d in DOCUMENTS if d.name != "CHANGELOG.md" and "notebook" not in d.parts], ids=str
)
def test_every_setting_in_the_documents_exists(document: Path) -> None:
    """`--set name=value`, and `name=value` in code. The notebook has commands as they were, the changes old names."""
    from masque.catalog import CATALOG
    from masque.config import RunSettings, settings_of

    known = {"name", "key", *settings_of(RunSettings)}
    for family in CATALOG.values():
        known |= settings_of(family.load("config")).keys() | settings_of(family.load("training")).keys()
    named = set(re.findall(r"(?:--set |`)([a-z_0-9]+)=", (ROOT / document).read_text()))
    assert named <= known


@pytest.mark.parametrize("file", [*WITH_REFERENCES, *DOCUMENTS], ids=str)
def test_choices_have_names(file: Path) -> None:
    """A number says nothing to a reader, and another choice in between changes it."""
    assert re.findall(r"\bchoices? \d+", (ROOT / file).read_text(), flags=re.IGNORECASE) == []
