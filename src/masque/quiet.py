"""Keeping the libraries that Masque uses from printing: what a user has to know stands in Masque's own sentences."""

from __future__ import annotations

import ctypes
import logging
import sys
import warnings
from contextlib import suppress


def quieten_pillow() -> None:
    """Silence Pillow's warnings of odd metadata and large pictures, its logger, and what libtiff writes from C past
    Python's streams.

    For the whole program and for good, since threads share all three: a context around each picture would take the
    filters of one thread away while another one still reads. A program that wants them sets its own filters and
    handlers, which come first."""
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").addHandler(logging.NullHandler())  # else logging prints to stderr what nobody handles
    # A Pillow without libtiff, or whose libtiff cannot be reached, may go on printing.
    with suppress(ImportError, OSError, AttributeError):
        from PIL import _imaging

        library = ctypes.CDLL(_imaging.__file__)
        for name in ("TIFFSetWarningHandler", "TIFFSetErrorHandler"):
            handler = getattr(library, name)
            handler.argtypes, handler.restype = [ctypes.c_void_p], ctypes.c_void_p
            handler(None)


def quieten_program() -> None:
    """Silence Python's warnings, unless `python -W` asks for them, and loggers without a handler: for a program whose
    stderr is a user's."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    logging.getLogger().addHandler(logging.NullHandler())


def quieten_torchmetrics() -> None:
    """Silence torchmetrics' warnings that a measure keeps all features in memory."""
    warnings.filterwarnings("ignore", module=r"torchmetrics\.")


def quieten_fabric() -> None:
    """Silence Fabric's announcements of precision and devices ("Using bfloat16 Automatic Mixed Precision")."""
    for name in ("lightning_fabric", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)


def quieten_torch() -> None:
    """Silence torch's warnings of layers without outputs, which networks that know no attributes rightly have, and of
    weights that are given to networks of which only the shapes are wanted."""
    warnings.filterwarnings("ignore", message="Initializing zero-element tensors is a no-op")
    warnings.filterwarnings("ignore", message="for .*: copying from a non-meta parameter in the checkpoint to a meta")


def quieten_torchscript() -> None:
    """Silence torch's advice to export networks in another format, which nobody but their publisher can do."""
    warnings.filterwarnings("ignore", message=r"`torch\.jit\.\w+` is deprecated")
