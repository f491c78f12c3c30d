"""Who may import whom: the lines of docs/architecture.md, kept true by walking every import, those inside functions
included."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from masque.catalog import CATALOG

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "masque"

LINES = (
    ("cli",),
    ("studio", "gallery", "tables", "bench"),
    ("runs",),
    ("plans",),
    ("masque",),  # the package itself: `masque.load`
    ("loading",),
    ("catalog",),
    ("recipes", "edits"),
    ("models", "train", "metrics"),
    ("layers", "losses", "data"),
    ("faces",),
    ("modelfile", "provenance", "film", "folders", "samples"),
    ("image", "config", "arrays", "lock"),
    ("output", "container", "given", "jsonfile", "device", "notice"),
    ("errors", "quiet", "decodable", "version"),
)
"""From the top down. A room imports rooms on lines below its own; rooms on one line do not import each other."""

LEVEL = {room: -number for number, line in enumerate(LINES) for room in line}

NEVER = {
    "models": {"losses", "recipes", "train", "data"},
    "train": {"models", "recipes", "catalog"},
    "edits": {"train", "recipes"},
    "studio": {"train", "recipes", "runs", "data"},
    "gallery": {"train", "recipes", "runs", "data"},
    "metrics": {"models", "data"},
}
"""Beyond the lines: nothing that runs an edit needs anything that trains, and the engine knows no model."""

NO_NETWORKS = {
    "faces",
    "config",
    "arrays",
    "jsonfile",
    "lock",
    "provenance",
    "container",
    "output",
    "errors",
    "quiet",
    "given",
    "data.layouts",
    "data.prepared",
    "data.puppets",
}
"""Rooms and files in which torch has no place."""

FAMILY_ROOMS = ("models", "recipes", "tables")
"""Rooms with one file per paper: two papers never import each other."""

LEANED_ON = {"parser", "identity", "shape"}
"""Families that are part of a paper's method, though they stand alone: its files may import their networks, not the
other way round."""


MODELS_OF = dict.fromkeys(("vaegan", "ali", "alphagan"), "autoencoders")
"""Families whose networks are the same, and stand in one file."""


@dataclass(frozen=True)
class Import:
    """One import of one file."""

    importer: str
    """Module without the leading `masque.`; the package itself is `masque`."""
    target: str
    """The same for a module of Masque; another package's name otherwise."""
    ours: bool
    line: int


def module_of(path: Path, package: Path) -> str:
    parts = path.relative_to(package).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    return ".".join(parts) or "masque"


def imports_of(path: Path, package: Path) -> Iterator[Import]:
    """Every import statement of a file, wherever it stands; `from masque import a` imports masque.a where that is a
    module."""
    importer = module_of(path, package)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively: name the room."
            base = node.module or ""
            names = [f"{base}.{a.name}" if exists(f"{base}.{a.name}", package) else base for a in node.names]
        for name in names:
            ours = name.split(".")[0] == "masque"
            target = (name.removeprefix("masque").removeprefix(".") or "masque") if ours else name.split(".")[0]
            yield Import(importer, target, ours, node.lineno)


def exists(name: str, package: Path) -> bool:
    path = package.joinpath(*name.split(".")[1:])
    return name.startswith("masque.") and (path.is_dir() or path.with_suffix(".py").is_file())


def room_of(module: str) -> str:
    return "cli" if module == "__main__" else module.split(".")[0]


def complaints(found: Import) -> Iterator[str]:
    """What one import breaks."""
    here, there = room_of(found.importer), room_of(found.target)
    what = f"{found.importer}:{found.line} imports {found.target}"
    if not found.ours:
        if found.target == "torch" and any(f"{found.importer}.".startswith(f"{room}.") for room in NO_NETWORKS):
            yield f"{what}: no networks here"
        return
    for room in (here, there):
        if room not in LEVEL:
            yield f"{what}: the room {room} is on no line"
            return
    if here != there and LEVEL[there] >= LEVEL[here]:
        yield f"{what}: {there} is not below {here}"
    if there in NEVER.get(here, ()):
        yield f"{what}: {here} never imports {there}"
    mine, other = (
        name.split(".")[1] if name.split(".")[0] in FAMILY_ROOMS and "." in name else ""
        for name in (found.importer, found.target)
    )
    leans = other in LEANED_ON and there == "models"
    if mine != other and {mine, other} <= CATALOG.keys() and not leans:
        yield f"{what}: two families"


def walk(package: Path) -> list[str]:
    files = sorted(package.rglob("*.py"))
    return [complaint for path in files for found in imports_of(path, package) for complaint in complaints(found)]


def by_name(package: Path) -> list[str]:
    """Modules that import by a computed name, which no walk can see."""
    return [
        module_of(path, package)
        for path in sorted(package.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__", "exec", "eval")
        and not ast.unparse(node.func).endswith(".eval")
    ]


def test_every_room_imports_only_what_lies_below_it() -> None:
    assert walk(PACKAGE) == []


def test_no_modules_import_each_other() -> None:
    assert circles(PACKAGE) == []


@pytest.mark.parametrize(
    "back",
    [
        "from masque.edits.session import Session",
        "def f():\n    from masque.edits import session",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from masque.edits.session import Session",
        "import masque.edits.blend",
    ],
)
def test_a_circle_within_a_room_is_found(tmp_path: Path, back: str) -> None:
    package = package_with(
        tmp_path,
        {
            "edits/session.py": "from masque.edits.swap import swap",
            "edits/swap.py": back,
            "edits/blend.py": "from masque.edits.session import Session",
        },
    )
    (found,) = circles(package)
    assert {"edits.session", "edits.swap"} <= set(found.split(" → "))


def test_every_room_stands_on_exactly_one_line() -> None:
    there = {p.stem for p in PACKAGE.iterdir() if (p / "__init__.py").is_file() or p.suffix == ".py"}
    assert there - {"__init__", "__main__"} | {"masque"} == set(LEVEL)
    assert sum(map(len, LINES)) == len(LEVEL)


def test_the_page_on_the_architecture_has_the_same_lines() -> None:
    page = (PACKAGE.parents[1] / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| ((?:`[\w./]+`(?:, )?)+) \|", page, flags=re.MULTILINE)
    written = [{name.strip("`/").removesuffix(".py") for name in row.split(", ")} for row in rows]
    assert written == [set(line) for line in LINES]


def test_only_the_catalog_imports_by_name() -> None:
    assert by_name(PACKAGE) == ["catalog"]


def test_each_family_has_the_same_basename_in_every_room() -> None:
    for name, family in CATALOG.items():
        for part in ("model", "model_parts", "config"):
            assert getattr(family, part).split(":")[0] == f"masque.models.{MODELS_OF.get(name, name)}"
        for part in ("recipe", "training", "presets"):
            assert getattr(family, part).split(":")[0] == f"masque.recipes.{name}"


@pytest.mark.parametrize("name", CATALOG)
@pytest.mark.parametrize("part", ["model", "model_parts", "config", "recipe", "training", "presets"])
def test_what_the_catalog_names_is_there(name: str, part: str) -> None:
    assert CATALOG[name].load(part) is not None


def circles(package: Path) -> list[str]:
    """Modules that import each other, whether directly or by way of others, within a room or not; imports inside
    functions and those for types alone count too. A circle is named by the modules on it."""
    imported: dict[str, dict[str, None]] = {module_of(path, package): {} for path in package.rglob("*.py")}
    for path in package.rglob("*.py"):
        for found in imports_of(path, package):
            if found.ours and found.target in imported and found.target != found.importer:
                imported[found.importer][found.target] = None
    done: set[str] = set()
    complaints: list[str] = []

    def follow(module: str, way: list[str]) -> None:
        if module in way:
            complaints.append(" → ".join([*way[way.index(module) :], module]))
        elif module not in done:
            for target in imported[module]:
                follow(target, [*way, module])
            done.add(module)

    for module in imported:
        follow(module, [])
    return complaints


def package_with(folder: Path, files: dict[str, str]) -> Path:
    """A package of empty rooms but for these files."""
    for room in (*LEVEL, *files):
        path = folder / "masque" / (room if room.endswith(".py") else f"{room}/__init__.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files.get(room, ""))
    return folder / "masque"


def check(folder: Path, file: str, source: str, more: Sequence[str] = ()) -> list[str]:
    return walk(package_with(folder, {**dict.fromkeys(more, ""), file: source}))


@pytest.mark.parametrize(
    ("file", "source", "says"),
    [
        ("faces/frame.py", "from masque.models.rsgan import RSGAN", "models is not below faces"),
        ("models/rsgan.py", "import masque.losses.gaussian", "models never imports losses"),
        ("models/rsgan.py", "from masque.data import prepare", "models never imports data"),
        ("models/rsgan.py", "from masque.recipes import rsgan", "recipes is not below models"),
        ("train/engine.py", "from masque import models", "models is not below train"),
        ("train/engine.py", "def f():\n    from masque.models import rsgan", "train never imports models"),
        ("edits/swap.py", "from masque.train.engine import Engine", "edits never imports train"),
        ("edits/swap.py", "from masque.recipes.rsgan import RSGANRecipe", "recipes is not below edits"),
        ("gallery/page.py", "from masque.recipes.rsgan import PRESETS", "gallery never imports recipes"),
        ("studio/verbs.py", "import masque.runs", "studio never imports runs"),
        ("tables/rsgan.py", "from masque import bench", "bench is not below tables"),
        ("recipes/rsgan.py", "from masque.catalog import CATALOG", "catalog is not below recipes"),
        ("errors.py", "import masque.image", "image is not below errors"),
        ("edits/swap.py", "import masque", "masque is not below edits"),
        ("models/rsgan.py", "from masque.models.attributes import AttributeClassifier", "two families"),
        ("recipes/attributes.py", "from masque.models.rsgan import RSGAN", "two families"),
        ("tables/attributes.py", "from masque.tables import rsgan", "two families"),
        ("faces/frame.py", "from torch import nn", "no networks here"),
        ("data/puppets/render.py", "import torch", "no networks here"),
        ("kitchen/sink.py", "import masque.errors", "kitchen is on no line"),
    ],
)
def test_the_walk_finds_what_is_forbidden(tmp_path: Path, file: str, source: str, says: str) -> None:
    found = check(
        tmp_path, file, source, ("models/attributes.py", "models/rsgan.py", "tables/rsgan.py", "recipes/rsgan.py")
    )
    assert any(says in complaint for complaint in found), found


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("models/rsgan.py", "from masque.layers.stacks import down_stack\nimport torch"),
        ("recipes/rsgan.py", "from masque.models.rsgan import RSGAN\nfrom masque.losses import gaussian"),
        (
            "edits/estimate.py",
            "from masque.models.attributes import AttributeClassifier\nfrom masque import modelfile",
        ),
        ("train/engine.py", "from masque.data.batches import Batches\nfrom masque.train.state import states"),
        ("cli/main.py", "from masque import runs\nimport masque\nimport typer"),
    ],
)
def test_the_walk_lets_pass_what_is_allowed(tmp_path: Path, file: str, source: str) -> None:
    assert check(tmp_path, file, source, ("models/attributes.py", "models/rsgan.py")) == []


def test_an_import_by_name_is_found(tmp_path: Path) -> None:
    sources = {
        "edits/swap.py": "import importlib\nimportlib.import_module('masque.train')",
        "faces/frame.py": "net.eval()",
    }
    assert by_name(package_with(tmp_path, sources)) == ["edits.swap"]
