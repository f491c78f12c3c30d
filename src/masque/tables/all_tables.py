"""Every table of every paper, one after another, as far as data and weights at hand allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from masque.errors import MasqueError
from masque.output import make_folder
from masque.tables import ccagan_table, facefeat_table, portrait_table, progan_table, rsgan_table
from masque.tables.alike import Alike
from masque.tables.written import CHECKSUMS, write_listed

Rows = TypeVar("Rows", bound=Mapping[str, object])


class PaperTable(NamedTuple):
    """The table of one paper, with our numbers beside its own."""

    rows: Mapping[str, object]
    """Name of a row -> its report, which JSON can hold."""
    text: str
    """The table as Markdown."""


def _paper_table(table: Callable[..., Rows], as_text: Callable[[Rows], str]) -> Callable[..., PaperTable]:
    """A function of data, folder, `Alike` and the options of `table`, which makes the rows and their text."""

    def make(data: Sequence[str], out: Path, how: Alike, **options: object) -> PaperTable:
        rows = table(data, out, how, **options)
        return PaperTable(rows, as_text(rows))

    return make


TABLES: Mapping[str, Callable[..., PaperTable]] = {
    "rsgan": _paper_table(rsgan_table.table, rsgan_table.as_text),
    "ccagan": _paper_table(ccagan_table.table, ccagan_table.as_text),
    "portrait": _paper_table(portrait_table.table, portrait_table.as_text),
    "progan": _paper_table(progan_table.table, progan_table.as_text),
    "facefeat": _paper_table(facefeat_table.table, facefeat_table.as_text),
}
"""Family -> what trains and measures the models of its paper's table."""

FILES: Mapping[str, Sequence[str]] = {"rsgan": rsgan_table.FILES, "facefeat": facefeat_table.FILES}
"""Family -> the files that its table has beside table.json and table.md."""


def table_files(paper: str, out: Path) -> list[Path]:
    """What a paper's table writes into `out` beside the folders of its models: what is made anew by each call."""
    return [out / name for name in (CHECKSUMS, "table.json", "table.md", *FILES.get(paper, ()))]


def all_tables_files(out: Path) -> list[Path]:
    """What `all_tables` writes into `out` and the tables' folders there, beside the folders of models."""
    return [out / CHECKSUMS, out / "tables.md", *(path for paper in TABLES for path in table_files(paper, out / paper))]


def all_tables(
    data: Sequence[str],
    out: Path,
    how: Alike,
    *,
    more: Mapping[str, Mapping[str, object]] = {},
) -> dict[str, str]:
    """Each paper's table in a folder of its family's name under `out`, and all of them in `out`/tables.md, with what
    could not be made and why.

    more: family -> options of its table. Returns {family: "" or the reason why there is no table}. Raises OutputError;
    any other MasqueError of a table is the reason."""
    make_folder(out)
    reasons, texts = {}, []
    for paper, make in TABLES.items():
        try:
            text = make(data, out / paper, how, **more.get(paper, {})).text
            reasons[paper] = ""
        except MasqueError as error:
            text, reasons[paper] = f"Not made: {error}\n", str(error)
        texts.append(f"# {paper}\n\n{text}")
        write_listed(out / "tables.md", "\n".join(texts))
    return reasons
