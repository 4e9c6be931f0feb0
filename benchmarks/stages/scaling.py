"""What a second process adds: Traverse and the limit, each with one and with two, on all cores."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from benchmarks import load, ours
from benchmarks.contender import Running, all_running
from benchmarks.ground import Ground
from benchmarks.results import Column, Section
from benchmarks.stages.stage import Stage

_PROCESSES = (1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    rounds: int = 5
    seconds: float = 3.0
    connections: int = 16
    warm_up_seconds: float = 2.0


_SMALL = Plan(rounds=1, seconds=0.5, connections=4, warm_up_seconds=0.3)


async def measure(ground: Ground, is_small: bool) -> Section:
    plan = _SMALL if is_small else Plan()
    pages = await ground.pages(ground.large)
    contenders = {
        (contender.name, processes): contender
        for make in (ours.limit, ours.traverse)
        for processes in _PROCESSES
        for contender in (make(ground, pages, processes=processes),)
    }
    async with all_running(contenders.values(), ground.log("scaling")) as servers:
        rates = await _rounds(dict(zip(contenders, servers, strict=True)), plan)
    return _section(rates, plan)


async def _rounds(servers: dict[tuple[str, int], Running], plan: Plan) -> dict[tuple[str, int], list[float]]:
    rates: dict[tuple[str, int], list[float]] = {key: [] for key in servers}
    for number in range(plan.rounds + 1):
        for key, server in servers.items():
            seconds = plan.seconds if number else plan.warm_up_seconds
            request = server.contender.requests["Q1"]
            measured = await load.run(server.port, request, seconds=seconds, connections=plan.connections)
            if number:
                rates[key].append(measured.per_second)
    return rates


def _section(rates: dict[tuple[str, int], list[float]], plan: Plan) -> Section:
    middle = {key: median(found) for key, found in rates.items()}
    return Section(
        title="Two processes against one, Q1",
        how=f"{plan.connections} connections, {plan.rounds} rounds of {plan.seconds:g} s, all in turn, nobody on a core"
        " of their own: PostgreSQL and the load take their share of the same cores, which bounds what a second process"
        " can add. What it adds to the limit tells how much that is.",
        columns=(
            Column(key="contender", title=""),
            Column(key="processes", title="processes", digits=0),
            Column(key="per_second", title="requests/s", digits=0),
            Column(key="lowest", title="lowest", digits=0),
            Column(key="highest", title="highest", digits=0),
            Column(key="of_one", title="÷ one process", digits=2),
        ),
        rows=[
            {
                "contender": name,
                "processes": processes,
                "per_second": middle[name, processes],
                "lowest": min(found),
                "highest": max(found),
                "of_one": middle[name, processes] / middle[name, 1],
            }
            for (name, processes), found in rates.items()
        ],
    )


STAGE = Stage(
    name="scaling",
    summary="two processes against one",
    bound=timedelta(minutes=4),
    run=measure,
    reads=frozenset({"large"}),
)
