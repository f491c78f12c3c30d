"""What a shell offers where a family, a model, a preset or an attribute is to be named. Nothing heavy is imported."""

from __future__ import annotations

import ast
import importlib.util
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import typer

LARGEST_FILE = 1 << 20
"""Bytes of a file that is looked into while somebody waits for the Tab key."""


def families(incomplete: str) -> list[str]:
    """The families that can be trained."""
    from masque.catalog import CATALOG

    return [name for name in CATALOG if name.startswith(incomplete)]


def models(incomplete: str) -> list[str]:
    """The families whose weights are at hand. A folder is completed by the shell itself."""
    from masque.catalog import has_model
    from masque.errors import CheckpointError

    with suppress(CheckpointError):
        return [name for name in families(incomplete) if has_model(name)]
    return []


def devices(incomplete: str) -> list[str]:
    """The kinds of devices; whether the machine has one is not looked at."""
    return [name for name in ("cpu", "cuda", "mps") if name.startswith(incomplete)]


def presets(context: typer.Context, incomplete: str) -> list[str]:
    """The presets of the family that the command line names, or of all."""
    from masque.catalog import CATALOG

    named = str(context.params.get("family") or context.params.get("model"))
    entries = [CATALOG[named]] if named in CATALOG else CATALOG.values()
    names = dict.fromkeys(name for entry in entries for name in _keys_of(entry.presets))
    return [name for name in names if name.startswith(incomplete)]


def _keys_of(table: str) -> Iterator[str]:
    """The keys of a literal table, named as module:name, from the module's text: importing it would import torch."""
    module, _, name = table.partition(":")
    with suppress(ImportError, OSError, SyntaxError):
        found = importlib.util.find_spec(module)
        text = Path(found.origin).read_text(encoding="utf-8") if found and found.origin else ""
        for statement in ast.parse(text).body:
            targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
            value = getattr(statement, "value", None)
            if isinstance(value, ast.Dict) and any(isinstance(t, ast.Name) and t.id == name for t in targets):
                yield from (str(key.value) for key in value.keys if isinstance(key, ast.Constant))


def attributes(context: typer.Context, incomplete: str) -> list[str]:
    """`Name=` for each attribute that the model knows."""
    from masque.catalog import model_folder
    from masque.errors import MasqueError

    folder = Path()
    with suppress(MasqueError):
        folder = model_folder(context.params.get("model") or "rsgan")
    for path in (folder / "model" / "config.json", folder / "config.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            if path.stat().st_size <= LARGEST_FILE:
                names = json.loads(path.read_text(encoding="utf-8"))["config"]["attributes"]
                return [f"{name}=" for name in names if f"{name}=".startswith(incomplete)]
    return []
