"""How the command that runs in this process speaks: in words or JSON, with notes and progress or without."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass

from masque.errors import escaped


@dataclass
class Manner:
    """What the options --json, --quiet and --verbose ask of everything that a command prints."""

    json: bool = False
    """Whether stdout carries exactly one JSON object, the answer or the error, and nothing else."""
    quiet: bool = False
    """Whether notes and progress are left out: the answer and errors remain."""
    verbose: bool = False
    """Whether stderr also says what is loaded and how long each step takes."""
    answered: bool = False
    """Whether the answer has been printed: an error after it is no second object on stdout."""


MANNER = Manner()
"""That of this process, which runs one command. `begin` sets it."""


class _ToStderr(logging.Handler):
    """Shows what the library logs; stderr is looked up each time, since a program may put another in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line."""
        sys.stderr.write(escaped(record.getMessage()) + "\n")


_STDERR = _ToStderr(logging.INFO)


def begin(*, json: bool = False, quiet: bool = False, verbose: bool = False) -> None:
    """Set how this process speaks from here on; with neither option, as commands do by default."""
    MANNER.json, MANNER.quiet, MANNER.verbose = json, quiet, verbose
    MANNER.answered = os.environ.get("LOCAL_RANK", "0") != "0"  # of several processes the first one answers
    library = logging.getLogger("masque")
    library.removeHandler(_STDERR)
    library.setLevel(logging.NOTSET)
    if verbose:
        library.setLevel(logging.INFO)
        library.addHandler(_STDERR)
