"""What a page costs as it grows, and as the database does: one question at a time, in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import TypeVar

import orjson

from benchmarks import load, ours
from benchmarks.contender import Running, all_running, load_on_other_cores, server_core
from benchmarks.figures import line
from benchmarks.ground import Ground, Pages
from benchmarks.results import Cell, Column, Section
from benchmarks.stages.stage import Stage
from benchmarks.work import Q1, Work

K = TypeVar("K")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    rows: Sequence[int] = (10, 20, 30, 40, 50, 60, 70, 80, 90, 100)
    rounds: int = 10
    asked_a_round: int = 50
    warm_up_seconds: float = 1.5


_SMALL = Plan(rows=(10, 50, 100), rounds=2, asked_a_round=8, warm_up_seconds=0.2)
_BEND = 50  # rows; the cost of one beyond is compared with that of one before


@dataclass(frozen=True, slots=True)
class Timed:
    """Of one request, in milliseconds: until its answer; of the server's processor, the mean.

    Each round has its median. Of the rounds the lower quartile counts: a cost is what is left where others disturb
    least.
    """

    waited: float
    worked: float


async def measure(ground: Ground, is_small: bool) -> Section:
    plan = _SMALL if is_small else Plan()
    small, large = await ground.pages(ground.small), await ground.pages(ground.large)
    contenders = {
        "small": ours.traverse(ground, small),
        "large": ours.traverse(ground, large),
        "limit, small": ours.limit(ground, small),
        "limit, large": ours.limit(ground, large),
    }
    starting = all_running(contenders.values(), ground.log("growth"), cores=server_core())
    async with starting as started, load_on_other_cores():
        servers = dict(zip(contenders, started, strict=True))
        by_rows = await _by_rows(servers["large"], large, plan)
        by_size = await _by_size(servers, plan)
    return _section(by_rows, by_size, ground)


async def _by_rows(server: Running, pages: Pages, plan: Plan) -> Mapping[int, Timed]:
    requests = {rows: _request(Q1.sized(rows), pages) for rows in plan.rows}
    for rows, request in requests.items():
        answer = orjson.loads(await load.ask(server.port, request))
        found = len(answer["data"]["jobApplications"]["edges"])
        if found != rows:
            raise RuntimeError(f"a page of {rows} rows: {found} came; the company has too few applications")
    return await _in_turn({rows: (server, request) for rows, request in requests.items()}, plan)


async def _by_size(servers: Mapping[str, Running], plan: Plan) -> Mapping[str, Timed]:
    """By name of the page and of the database."""
    asked = {
        f"{work}, {name}": (server, request)
        for name, server in servers.items()
        for work, request in server.contender.requests.items()
    }
    return await _in_turn(asked, plan)


async def _in_turn(asked: Mapping[K, tuple[Running, bytes]], plan: Plan) -> dict[K, Timed]:
    waited: dict[K, list[float]] = {name: [] for name in asked}
    worked: dict[K, list[float]] = {name: [] for name in asked}
    for server, request in asked.values():
        await load.run(server.port, request, seconds=plan.warm_up_seconds / len(asked) + 0.1, connections=1)
    for number in range(plan.rounds):
        # There and back: a machine that grows slower within a round would be charged to what comes last.
        in_order = [*asked.items()]
        for name, (server, request) in in_order if number % 2 == 0 else reversed(in_order):
            before = server.cpu_seconds()
            durations = await load.ask_times(server.port, request, times=plan.asked_a_round)
            worked[name].append((server.cpu_seconds() - before) / plan.asked_a_round)
            waited[name].append(median(durations))
    return {name: Timed(_least_disturbed(waited[name]), sum(worked[name]) / plan.rounds * 1000) for name in asked}


def _least_disturbed(of_rounds: Sequence[float]) -> float:
    """Return the lower quartile, in milliseconds."""
    return sorted(of_rounds)[(len(of_rounds) - 1) // 4] * 1000


def _request(work: Work, pages: Pages) -> bytes:
    return ours.graphql(work.document, work.variables, pages.token)


def _section(by_rows: Mapping[int, Timed], by_size: Mapping[str, Timed], ground: Ground) -> Section:
    slope, start = _line(by_rows)
    bend = (
        _line({rows: timed for rows, timed in by_rows.items() if rows >= _BEND})[0]
        / _line({rows: timed for rows, timed in by_rows.items() if rows <= _BEND})[0]
    )
    ratios = {
        name: timed.waited / by_size[name.removesuffix("large") + "small"].waited
        for name, timed in by_size.items()
        if name.endswith("large")
    }
    return Section(
        title="Growth",
        how="One question at a time, all in turn: until the answer, of the rounds' medians the lower quartile, and the"
        " server's own processor time. The"
        f" small database has {ground.small.job_seekers:,} job seekers, the large one {ground.large.job_seekers:,}; a"
        " company has as many applications in both.",
        columns=(
            Column(key="what", title=""),
            Column(key="waited_ms", title="until the answer, ms", digits=2),
            Column(key="worked_ms", title="processor, ms", digits=2),
            Column(key="of_small", title="÷ small", digits=2),
        ),
        rows=[
            *(_row(f"Q1, large, {rows} rows", timed) for rows, timed in by_rows.items()),
            *(_row(name, timed, ratios.get(name)) for name, timed in sorted(by_size.items(), reverse=True)),
        ],
        measures={"q1_growth": ratios["Q1, large"], "q1_row_growth": bend},
        notes=[f"A page of Q1 takes {start:.2f} ms and {slope * 1000:.0f} µs a row."],
    )


def _line(by_rows: Mapping[int, Timed]) -> tuple[float, float]:
    return line([(rows, timed.waited) for rows, timed in by_rows.items()])


def _row(what: str, timed: Timed, of_small: float | None = None) -> dict[str, Cell]:
    return {"what": what, "waited_ms": timed.waited, "worked_ms": timed.worked, "of_small": of_small}


STAGE = Stage(
    name="growth",
    summary="from 10 to 100 rows, from the small to the large database",
    bound=timedelta(minutes=5),
    run=measure,
    reads=frozenset({"large", "small"}),
)
