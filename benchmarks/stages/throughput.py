"""Requests a second: all contenders, the same pages, in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from benchmarks import load, ours
from benchmarks.contender import Contender, ContenderError, Running, all_running, load_on_other_cores, server_core
from benchmarks.differences import first_difference
from benchmarks.figures import percentile
from benchmarks.ground import Ground
from benchmarks.peers.contenders import POSTGRAPHILE, peers
from benchmarks.results import Cell, Column, Section
from benchmarks.stages.stage import Stage
from benchmarks.work import WORKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    rounds: int = 5
    seconds: float = 2.0
    connections: int = 8
    warm_up_seconds: float = 1.5


_SMALL = Plan(rounds=1, seconds=0.4, connections=4, warm_up_seconds=0.2)

# By page and contender.
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Round:
    """`worked`: seconds of the contender's processors a request."""

    measured: load.Measured
    worked: float


async def measure(ground: Ground, is_small: bool) -> Section:
    plan = _SMALL if is_small else Plan()
    entered = await _contenders(ground)
    absent = [f"{each.name}: {each.absent_because}" for each in entered if each.absent_because is not None]
    present = [each for each in entered if each.absent_because is None]
    starting = all_running(present, ground.log("throughput"), cores=server_core())
    async with starting as servers, load_on_other_cores():
        await _check_answers(servers)
        rounds = await _rounds(servers, plan)
    return _section(rounds, absent, plan)


async def _contenders(ground: Ground) -> Sequence[Contender]:
    pages = await ground.pages(ground.large)
    return [
        ours.limit(ground, pages),
        ours.traverse(ground, pages),
        ours.traverse(ground, pages, name=ours.PLANS_OFF, GRAPHQL_COMPILED_PLANS="false"),
        *await peers(ground.environ(pages.url), ground.tokens(pages)),
    ]


async def _check_answers(servers: Sequence[Running]) -> None:
    """Whoever answers something else does other work: there would be nothing to compare."""
    for work in WORKS:
        answers = [(each.contender.name, await each.ask(work)) for each in servers if work in each.contender.requests]
        for name, answer in answers[1:]:
            if (told := first_difference(answers[0][1], answer)) is not None:
                raise ContenderError(f"{work}, {name}: not what {answers[0][0]} answers: {told}")


async def _rounds(servers: Sequence[Running], plan: Plan) -> Mapping[Key, list[Round]]:
    rounds: dict[Key, list[Round]] = {}
    for work in WORKS:
        able = [each for each in servers if work in each.contender.requests]
        for each in able:
            await _round(each, work, plan, plan.warm_up_seconds)
        for _ in range(plan.rounds):
            for each in able:
                found = await _round(each, work, plan, plan.seconds)
                rounds.setdefault((work, each.contender.name), []).append(found)
    return rounds


async def _round(server: Running, work: str, plan: Plan, seconds: float) -> Round:
    worked, request = server.cpu_seconds(), server.contender.requests[work]
    measured = await load.run(server.port, request, seconds=seconds, connections=plan.connections)
    return Round(measured, (server.cpu_seconds() - worked) / len(measured.durations))


def _section(rounds: Mapping[Key, list[Round]], absent: Sequence[str], plan: Plan) -> Section:
    rates = {key: [each.measured.per_second for each in found] for key, found in rounds.items()}
    return Section(
        title="Requests a second",
        how=f"{plan.connections} connections that each ask again when they are answered, {plan.rounds} rounds of"
        f" {plan.seconds:g} s, one process each, all in turn in one run. Everybody verifies the token, shows only"
        " what the employer may see, and gives the same answer, which is checked before.",
        columns=(
            Column(key="page", title="page"),
            Column(key="contender", title=""),
            Column(key="per_second", title="requests/s", digits=0),
            Column(key="lowest", title="lowest", digits=0),
            Column(key="highest", title="highest", digits=0),
            Column(key="of_limit", title="÷ limit", digits=2),
            Column(key="p50_ms", title="p50 ms"),
            Column(key="p99_ms", title="p99 ms"),
            Column(key="worked_ms", title="processor, ms", digits=2),
        ),
        rows=[_row(key, found, rates) for key, found in rounds.items()],
        measures=_measures(rates),
        notes=[f"Not here: {reason}" for reason in absent] + [f"{work.name}: {work.title}." for work in WORKS.values()],
    )


def _row(key: Key, rounds: Sequence[Round], rates: Mapping[Key, Sequence[float]]) -> dict[str, Cell]:
    page, contender = key
    durations = [seconds for each in rounds for seconds in each.measured.durations]
    return {
        "page": page,
        "contender": contender,
        "per_second": median(rates[key]),
        "lowest": min(rates[key]),
        "highest": max(rates[key]),
        "of_limit": ratio(rates, key, (page, ours.LIMIT)),
        "p50_ms": percentile(durations, 0.5) * 1000,
        "p99_ms": percentile(durations, 0.99) * 1000,
        "worked_ms": median(each.worked for each in rounds) * 1000,
    }


def ratio(rates: Mapping[Key, Sequence[float]], one: Key, other: Key) -> float | None:
    """The median of the ratios of the rounds: what changes from one round to the next touches both alike."""
    if one not in rates or other not in rates:
        return None
    return median(a / b for a, b in zip(rates[one], rates[other], strict=True))


def _measures(rates: Mapping[Key, Sequence[float]]) -> dict[str, float]:
    ratios = {f"{work.lower()}_of_limit": ratio(rates, (work, ours.TRAVERSE), (work, ours.LIMIT)) for work in WORKS} | {
        "q1_of_postgraphile": ratio(rates, ("Q1", ours.TRAVERSE), ("Q1", POSTGRAPHILE))
    }
    return {key: value for key, value in ratios.items() if value is not None}


STAGE = Stage(
    name="throughput",
    summary="requests a second beside others",
    bound=timedelta(minutes=8),
    run=measure,
    reads=frozenset({"large"}),
)
