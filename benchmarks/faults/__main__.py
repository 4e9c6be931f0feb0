"""`python -m benchmarks.faults`: every fault in turn, a line for each, and the table of all at the end.

`--scale 10` tries ten times as often, and waits for leases and pauses as long as they really last. Ends with 1 when
something was lost, applied twice or leaked.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from benchmarks.faults.catalogue import FAULTS
from benchmarks.faults.figures import Figures
from benchmarks.faults.stage import Stopwatch, Theatre, own_keys, theatre


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=int, default=1, help="how many times as much as the tests do")
    parser.add_argument("names", nargs="*", metavar="FAULT", help=f"all when none is named: {', '.join(FAULTS)}")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in FAULTS]:
        parser.error(f'"{unknown[0]}" is no fault; there are {", ".join(FAULTS)}')
    with tempfile.TemporaryDirectory(prefix="traverse-faults-") as folder, theatre(Path(folder), own_keys()) as stages:
        rows = asyncio.run(_run_all(options.names or list(FAULTS), stages, options.scale))
    print(f"\n{Figures.table(rows)}")
    sys.exit(0 if all(row.is_clean for row in rows) else 1)


async def _run_all(names: list[str], stages: Theatre, scale: int) -> list[Figures]:
    rows: list[Figures] = []
    for name in names:
        watch = Stopwatch()
        rows.append(await FAULTS[name](stages, scale))
        print(f"[{name}, {watch.seconds:.0f} s] {rows[-1].line()}", flush=True)
    return rows


if __name__ == "__main__":
    main()
