"""How long a deployment waits: from the start of the process to its first answer from the database."""

from __future__ import annotations

from datetime import timedelta
from statistics import median
from time import perf_counter

from benchmarks import ours
from benchmarks.contender import load_on_other_cores, running, server_core
from benchmarks.ground import Ground
from benchmarks.results import Column, Section
from benchmarks.stages.stage import Stage

_ROUNDS, _FEW_ROUNDS = 9, 2


async def measure(ground: Ground, is_small: bool) -> Section:
    pages = await ground.pages(ground.large)
    contender = ours.traverse(ground, pages)
    listening: list[float] = []
    answering: list[float] = []
    async with load_on_other_cores():
        # The first start of a new version compiles it to bytecode: that is told apart.
        for _ in range(1 + (_FEW_ROUNDS if is_small else _ROUNDS)):
            begun = perf_counter()
            async with running(contender, ground.log("start"), cores=server_core()) as traverse:
                listening.append(perf_counter() - begun)
                await traverse.ask("Q1")
                answering.append(perf_counter() - begun)
    first = answering.pop(0)
    listening.pop(0)
    return Section(
        title="From start to first answer",
        how=f"{len(answering)} starts of `traverse serve`, one after the other: until the port is open, and until Q1"
        " was answered by it, seen from outside.",
        columns=(
            Column(key="until", title="until"),
            Column(key="middle", title="median, s", digits=2),
            Column(key="lowest", title="lowest", digits=2),
            Column(key="highest", title="highest", digits=2),
        ),
        rows=[
            {"until": until, "middle": median(found), "lowest": min(found), "highest": max(found)}
            for until, found in (("the port is open", listening), ("the first answer", answering))
        ],
        measures={"start_seconds": median(answering)},
        notes=[f"The start before these, perhaps the first of its version: {first:.2f} s."],
    )


STAGE = Stage(
    name="start", summary="start to first answer", bound=timedelta(minutes=2), run=measure, reads=frozenset({"large"})
)
