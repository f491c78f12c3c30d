"""Every table of every paper, one after another, as far as data and weights at hand allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from masque.errors import MasqueError
from masque.output import make_folder, write_atomically
from masque.tables import ccagan_table, facefeat_table, portrait_table, progan_table, rsgan_table
from masque.tables.alike import Alike

Make = Callable[..., dict[str, Any]]

TABLES: Mapping[str, tuple[Make, Callable[[Mapping[str, Any]], str]]] = {
    "rsgan": (rsgan_table.table, rsgan_table.as_text),
    "ccagan": (ccagan_table.table, ccagan_table.as_text),
    "portrait": (portrait_table.table, portrait_table.as_text),
    "progan": (progan_table.table, progan_table.as_text),
    "facefeat": (facefeat_table.table, facefeat_table.as_text),
}
"""Paper -> what trains and measures its table's models, and what tells of them."""


def all_tables(
    data: Sequence[str],
    out: Path,
    how: Alike,
    *,
    more: Mapping[str, Mapping[str, Any]] = {},
) -> dict[str, str]:
    """Each paper's table in a folder of its name under `out`, and all of them in `out`/tables.md, with what could not
    be made and why.

    more: what single tables take beside. Returns {paper: "" or the reason why there is no table}. Raises OutputError; a
    table's own errors are its reason."""
    make_folder(out)
    reasons, texts = {}, []
    for paper, (make, as_text) in TABLES.items():
        try:
            text = as_text(make(data, out / paper, how, **more.get(paper, {})))
            reasons[paper] = ""
        except MasqueError as error:
            text, reasons[paper] = f"Not made: {error}\n", str(error)
        texts.append(f"# {paper}\n\n{text}")
        write_atomically(out / "tables.md", lambda part: part.write_text("\n".join(texts), encoding="utf-8"))
    return reasons
