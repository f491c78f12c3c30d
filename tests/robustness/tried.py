"""Tries damaged files on every reader and prints a table of how they ended.

python tests/robustness/tried.py [--count 1000] [--seed 0] [--only TEXT]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness import Bench
from kept_readers import KEPT_READERS
from readers import READERS

from masque.errors import printable


def main() -> int:
    """Print the table; 1 if there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="damaged files for each reader")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="readers whose name holds this text")
    asked = parser.parse_args()
    total = faults = 0
    sys.stdout.write("| reader | tried | read | refused | faults |\n|---|---|---|---|---|\n")
    for reader in READERS + KEPT_READERS:
        if asked.only not in reader.name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                made = Bench(reader, Path(folder)).tally(asked.count, asked.seed)
            except Exception as error:
                sys.stdout.write(f"| {reader.name} | the valid file is not read: {error!r:.200} |\n")
                faults += 1
                continue
        sys.stdout.write(f"| {reader.name} | {made.tried} | {made.read} | {made.refused} | {len(made.faults)} |\n")
        for kind, count in made.kinds.most_common(12):
            sys.stdout.write(
                f"    {count} × {kind}   after: "
                f"{printable(next(name for name, ending in made.faults if ending == kind))}\n"
            )
        sys.stdout.flush()
        total, faults = total + made.tried, faults + len(made.faults)
    sys.stdout.write(f"\n{total} damaged files, {faults} faults\n")
    return min(1, faults)


if __name__ == "__main__":
    sys.exit(main())
