"""Help as plain text, which logs, pipes and every terminal take: commands stand under headings, without boxes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from typer.core import TyperGroup


class _Formatter(Protocol):
    """What is used of typer's writer of help."""

    width: int

    def section(self, name: str) -> AbstractContextManager[None]:
        """A heading, and what is written under it."""

    def write_dl(self, rows: list[tuple[str, str]]) -> None:
        """Two columns."""


class Headings(TyperGroup):
    """A group of commands whose help lists them under the headings that they are registered with."""

    def format_commands(self, ctx: object, formatter: _Formatter) -> None:  # noqa: ARG002 - its signature
        """Write the commands in the order in which they were registered, all names in one column's width."""
        shown = {name: command for name, command in self.commands.items() if not command.hidden}
        longest = max(map(len, shown), default=0)
        headings: dict[str, list[tuple[str, str]]] = {}
        for name, command in shown.items():
            heading = getattr(command, "rich_help_panel", None) or "Commands"
            text = command.get_short_help_str(formatter.width - 6 - longest)
            headings.setdefault(str(heading), []).append((name.ljust(longest), text))
        for heading, rows in headings.items():
            with formatter.section(heading):
                formatter.write_dl(rows)
