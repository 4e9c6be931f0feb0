"""What a process holds in memory, before load and after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import psutil

from benchmarks import load, ours
from benchmarks.contender import load_on_other_cores, running, server_core
from benchmarks.ground import Ground
from benchmarks.results import Cell, Column, Section
from benchmarks.stages.stage import Stage

_MEGABYTE = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`seconds` of load with each page."""

    seconds: float = 10.0
    connections: int = 16


_SMALL = Plan(seconds=0.5, connections=4)


async def measure(ground: Ground, is_small: bool) -> Section:
    plan = _SMALL if is_small else Plan()
    pages = await ground.pages(ground.large)
    server = running(ours.traverse(ground, pages), ground.log("memory"), cores=server_core())
    async with server as traverse, load_on_other_cores():
        rows = [_row("started, nothing asked", traverse.process)]
        for work, request in traverse.contender.requests.items():
            measured = await load.run(traverse.port, request, seconds=plan.seconds, connections=plan.connections)
            rows.append(_row(f"after {len(measured.durations):,} × {work}", traverse.process))
    resident = float(rows[-1]["resident"] or 0)
    return Section(
        title="Memory of a process",
        how=f"One process of `traverse serve`, {plan.connections} connections, each page for {plan.seconds:g} s, one"
        " after the other. MB are millions of bytes, as Linux tells them: resident (RSS), with the shared part divided"
        " among those who share it (PSS), and what nobody shares (USS).",
        columns=(
            Column(key="when", title=""),
            Column(key="resident", title="RSS, MB"),
            Column(key="proportional", title="PSS, MB"),
            Column(key="unique", title="USS, MB"),
        ),
        rows=rows,
        measures={"memory_mb": resident},
    )  # fmt: skip


def _row(when: str, process: psutil.Process) -> dict[str, Cell]:
    told = process.memory_full_info()
    return {
        "when": when,
        "resident": told.rss / _MEGABYTE,
        # Linux alone tells it; elsewhere the column stays empty.
        "proportional": told.pss / _MEGABYTE if hasattr(told, "pss") else None,
        "unique": told.uss / _MEGABYTE,
    }


STAGE = Stage(
    name="memory",
    summary="memory of a process after load",
    bound=timedelta(minutes=3),
    run=measure,
    reads=frozenset({"large"}),
)
