"""How the server's child processes end with it, whatever ends it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress

PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Have the system kill this process when the thread of its parent ends that started it, even while it computes.

    parent: the process that should be this one's parent. Elsewhere than on Linux, a process has to notice by itself
    that its pipe has ended."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)
