"""Acknowledgements of webhooks a second: Traverse against an endpoint that inserts and does nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from statistics import median
from time import perf_counter

from benchmarks import ours
from benchmarks.contender import Contender, Running, all_running, load_on_other_cores, server_core
from benchmarks.figures import percentile
from benchmarks.ground import Ground
from benchmarks.processes import WEBHOOK_SECRET
from benchmarks.results import Cell, Column, Section
from benchmarks.sending import Sent, deliver
from benchmarks.stages.stage import Stage
from benchmarks.story import Webhook, event_body, signed

_BARE = "bare INSERT"
_AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    rounds: int = 6
    a_round: int = 2_000
    connections: int = 8
    warm_up: int = 300


_SMALL = Plan(rounds=1, a_round=60, warm_up=10)


@dataclass(frozen=True, slots=True)
class Round:
    per_second: float
    seconds: list[float]
    worked: float


async def measure(ground: Ground, is_small: bool) -> Section:
    plan = _SMALL if is_small else Plan()
    contenders = (await _bare(ground), await _traverse(ground))
    starting = all_running(contenders, ground.log("webhooks"), cores=server_core())
    async with starting as servers, load_on_other_cores():
        rounds = await _rounds({each.contender.name: each for each in servers}, plan)
    return _section(rounds, plan)


async def _traverse(ground: Ground) -> Contender:
    database = await ground.empty_database("webhooks")
    return Contender(name=ours.TRAVERSE, command=ours.serving(), environ=ground.environ(database.url), requests={})


async def _bare(ground: Ground) -> Contender:
    database = await ground.empty_database("bare_webhooks")
    options = ["--factory", "--no-access-log", "--log-level", "warning"]
    application = "benchmarks.bare_insert:build"
    return Contender(
        name=_BARE,
        command=lambda port: [sys.executable, "-m", "uvicorn", application, "--port", str(port), *options],
        environ=ground.environ(database.url),
        requests={},
    )


async def _rounds(servers: dict[str, Running], plan: Plan) -> dict[str, list[Round]]:
    rounds: dict[str, list[Round]] = {name: [] for name in servers}
    events = _events()
    for server in servers.values():
        await _round(server, events, plan.warm_up, plan.connections)
    for _ in range(plan.rounds):
        for name, server in servers.items():
            rounds[name].append(await _round(server, events, plan.a_round, plan.connections))
    return rounds


async def _round(server: Running, events: Iterator[Webhook], number: int, connections: int) -> Round:
    queue, sent = [next(events) for _ in range(number)], Sent()
    worked, begun = server.cpu_seconds(), perf_counter()
    await deliver(queue, [server.port], connections=connections, sent=sent)
    seconds = perf_counter() - begun
    if sent.answers[200] != number or len(sent.answers) > 1:
        raise RuntimeError(f"{server.contender.name}: answers {dict(sent.answers)}, {number} times 200 expected")
    return Round(number / seconds, sent.seconds, (server.cpu_seconds() - worked) / number)


def _events() -> Iterator[Webhook]:
    """All different: a repeated one is acknowledged without being stored."""
    for number in count(1):
        body = event_body(number, "created", 5_000, _AT + timedelta(days=30), {100_000: "unknown"}, at=_AT)
        yield signed(body, WEBHOOK_SECRET)


def _section(rounds: dict[str, list[Round]], plan: Plan) -> Section:
    return Section(
        title="Acknowledgements of webhooks",
        how=f"{plan.connections} connections, {plan.rounds} rounds of {plan.a_round:,} events of RDV-Insertion, all"
        " different, the two in turn. An acknowledgement is a committed row in both. Traverse also checks the"
        " signature, reads the event, encrypts its body, refuses duplicates and rings for the workers.",
        columns=(
            Column(key="contender", title=""),
            Column(key="per_second", title="a second", digits=0),
            Column(key="lowest", title="lowest", digits=0),
            Column(key="highest", title="highest", digits=0),
            Column(key="p50_ms", title="p50 ms"),
            Column(key="p99_ms", title="p99 ms"),
            Column(key="worked_ms", title="processor, ms", digits=2),
            Column(key="of_bare", title="÷ bare INSERT", digits=2),
        ),
        rows=[_row(name, found, _middle(rounds[_BARE])) for name, found in rounds.items()],
    )


def _row(name: str, rounds: list[Round], bare: float) -> dict[str, Cell]:
    rates = [each.per_second for each in rounds]
    seconds = [second for each in rounds for second in each.seconds]
    return {
        "contender": name,
        "per_second": _middle(rounds),
        "lowest": min(rates),
        "highest": max(rates),
        "p50_ms": percentile(seconds, 0.5) * 1000,
        "p99_ms": percentile(seconds, 0.99) * 1000,
        "worked_ms": median(each.worked for each in rounds) * 1000,
        "of_bare": _middle(rounds) / bare,
    }


def _middle(rounds: list[Round]) -> float:
    return median(each.per_second for each in rounds)


STAGE = Stage(name="webhooks", summary="webhooks acknowledged a second", bound=timedelta(minutes=4), run=measure)
