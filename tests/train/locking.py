"""Takes the lock of a folder in a process of its own: `locking.py FOLDER`, started by test_lock.py. Says so, and waits
to be ended.

Before that it starts a process of its own by a fork, which outlives it, and says its number, too, once that process
runs: until it does, it still has the lock's file open.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from masque.lock import only_writer

if __name__ == "__main__":
    with only_writer(Path(sys.argv[1])):
        runs, says_so = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(says_so, b".")
            time.sleep(60)
            os._exit(0)
        os.read(runs, 1)
        sys.stdout.write(f"{os.getpid()} {child}\n")
        sys.stdout.flush()
        time.sleep(60)
