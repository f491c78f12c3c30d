"""Takes the lock of a folder in a process of its own: `locking.py FOLDER`, started by test_lock.py. Says so, and waits
to be ended.

Before that it starts a process of its own by a fork, which outlives it, and says its number, too.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from masque.lock import only_writer

if __name__ == "__main__":
    with only_writer(Path(sys.argv[1])):
        child = os.fork()
        if child == 0:
            time.sleep(60)
            os._exit(0)
        sys.stdout.write(f"{os.getpid()} {child}\n")
        sys.stdout.flush()
        time.sleep(60)
