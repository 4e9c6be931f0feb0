"""`make bench`: everything that is promised of the speed, measured on this machine and beside others.

Without arguments all stages run, in less than twenty minutes, and the reference page is written anew. Each stage also
runs alone, by its name; then nothing is written unless `--out` says where.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop
from rich.console import Console

from benchmarks.ground import Ground
from benchmarks.publishing import PAGES_FOLDER, publish
from benchmarks.results import Report
from benchmarks.runner import run_stages
from benchmarks.seed import LARGE, SMALL, Size
from benchmarks.stages import STAGES, Stage
from benchmarks.tables import print_targets
from demo.engines import EmbeddedEngines
from models.encryption import KeyRing

_TINY = LARGE.times(0.01)
_ENDED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`out`: the folder that is written to, if any."""

    stages: Sequence[Stage]
    is_small: bool
    large: Size
    small: Size
    out: Path | None


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 1 if a stage found nothing, 130 if it was ended; a target that is missed is a finding."""
    options = read_options(arguments)
    console = Console()
    try:
        report = _measure(options, console)
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("Ended before its time: nothing is written.")
        return _ENDED
    return _conclude(report, options, console)


def _measure(options: Options, console: Console) -> Report:
    with (
        tempfile.TemporaryDirectory(prefix="traverse-bench-") as folder,
        EmbeddedEngines(Path(folder) / "data", os.environ) as engines,
    ):
        ground = Ground(
            engines=engines,
            folder=Path(folder),
            large=options.large,
            small=options.small,
            say=lambda words: console.print(f"[dim]{words}[/dim]"),
            keys=KeyRing(keys=(os.urandom(32),), fingerprint_key=os.urandom(32)),
        )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(run_stages(ground, options.stages, is_small=options.is_small, console=console))


def read_options(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="stages:\n" + "\n".join(f"  {stage.name:14} {stage.summary}" for stage in STAGES.values()),
    )
    parser.add_argument("stages", nargs="*", metavar="stage", help="names of stages; all if none is given")
    parser.add_argument(
        "--small", action="store_true", help="the smallest shape of each stage: tells that it works, not how fast"
    )
    parser.add_argument(
        "--times",
        type=float,
        default=1.0,
        metavar="FACTOR",
        help="a large database so many times as large; to fill one of 10 takes ten minutes",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help=f"where to write; of a whole run, {PAGES_FOLDER.name} of docs"
    )
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.stages) - STAGES.keys())
    if unknown:
        parser.error(f"no stage {', '.join(unknown)}; there are {', '.join(STAGES)}")
    is_usual = not (given.stages or given.small) and given.times == 1.0
    return Options(
        stages=[STAGES[name] for name in given.stages or STAGES],
        is_small=given.small,
        large=_TINY if given.small else LARGE.times(given.times),
        small=_TINY.times(0.5) if given.small else SMALL,
        out=given.out or (PAGES_FOLDER if is_usual else None),
    )


def _conclude(report: Report, options: Options, console: Console) -> int:
    print_targets(console, report.measures())
    if options.out is not None:
        for path in publish(report, options.out):
            console.print(f"written: {path}")
    return int(any(section.failed is not None for section in report.sections))


if __name__ == "__main__":
    sys.exit(main())
