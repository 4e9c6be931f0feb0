"""How long people wait at a given load: open-loop, Traverse and the limit in turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median

from benchmarks import load, ours, rates
from benchmarks.contender import Running, all_running, load_on_other_cores, server_core
from benchmarks.figures import percentile
from benchmarks.ground import Ground
from benchmarks.results import Column, Section
from benchmarks.stages.stage import Stage

_JUDGED_RATE = 60
_SHARES = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`per_second`: the rates; each for `seconds` of each of the rounds."""

    per_second: tuple[int, ...] = (20, 60, 120, 240)
    rounds: int = 4
    seconds: float = 5.0
    warm_up_seconds: float = 2.0


_SMALL = Plan(per_second=(20, _JUDGED_RATE), rounds=1, seconds=0.5, warm_up_seconds=0.2)


@dataclass(slots=True)
class _Seen:
    """All rounds of one contender at one rate, and the 99th percentile of each of them."""

    paced: rates.Paced = field(default_factory=rates.Paced)
    p99s: list[float] = field(default_factory=list[float])

    def add(self, paced: rates.Paced) -> None:
        self.paced.durations += paced.durations
        self.paced.lateness += paced.lateness
        self.p99s.append(percentile(paced.durations, 0.99))


async def measure(ground: Ground, is_small: bool) -> Section:
    plan = _SMALL if is_small else Plan()
    pages = await ground.pages(ground.large)
    contenders = (ours.limit(ground, pages), ours.traverse(ground, pages))
    starting = all_running(contenders, ground.log("latency"), cores=server_core())
    async with starting as servers, load_on_other_cores():
        seen = await _rounds(servers, plan)
    return _section(seen, plan)


async def _rounds(contenders: list[Running], plan: Plan) -> dict[tuple[int, str], _Seen]:
    seen = {(rate, each.contender.name): _Seen() for rate in plan.per_second for each in contenders}
    for each in contenders:
        await load.run(each.port, each.contender.requests["Q1"], seconds=plan.warm_up_seconds, connections=4)
    for _ in range(plan.rounds):
        for rate in plan.per_second:
            for each in contenders:
                request = each.contender.requests["Q1"]
                paced = await rates.at_rate(each.port, request, per_second=rate, seconds=plan.seconds)
                seen[rate, each.contender.name].add(paced)
    return seen


def _section(seen: dict[tuple[int, str], _Seen], plan: Plan) -> Section:
    rows = [_row(rate, name, each) for (rate, name), each in seen.items()]
    ratios = {
        rate: percentile(seen[rate, ours.TRAVERSE].paced.durations, 0.99)
        / percentile(seen[rate, ours.LIMIT].paced.durations, 0.99)
        for rate in plan.per_second
    }
    for row in rows:
        row["of_limit"] = ratios[int(float(row["per_second"] or 0))] if row["contender"] == ours.TRAVERSE else None
    return Section(
        title="Waiting at fixed rates, Q1",
        how=f"Requests begin at fixed times, {plan.rounds} rounds of {plan.seconds:g} s a rate, the two in turn."
        " Each is timed from the moment at which it was due, so that a stall is charged with all who came meanwhile."
        ' "Late": by how much the load itself was late, p99; it is part of all other figures.',
        columns=(
            Column(key="per_second", title="requests/s", digits=0),
            Column(key="contender", title=""),
            Column(key="p50_ms", title="p50 ms"),
            Column(key="p95_ms", title="p95 ms"),
            Column(key="p99_ms", title="p99 ms"),
            Column(key="p99_of_rounds_ms", title="p99 of the middle round ms"),
            Column(key="late_ms", title="late ms"),
            Column(key="of_limit", title="p99 ÷ limit's", digits=2),
        ),
        rows=rows,
        measures={"q1_p99_at_60": ratios[_JUDGED_RATE]},
    )


def _row(rate: int, name: str, seen: _Seen) -> dict[str, str | float | None]:
    milliseconds = {key: percentile(seen.paced.durations, share) * 1000 for key, share in _SHARES.items()}
    return {
        "per_second": rate,
        "contender": name,
        **milliseconds,
        "p99_of_rounds_ms": median(seen.p99s) * 1000,
        "late_ms": percentile(seen.paced.lateness, 0.99) * 1000,
    }


STAGE = Stage(
    name="latency",
    summary="p50, p95, p99 at fixed rates",
    bound=timedelta(minutes=5),
    run=measure,
    reads=frozenset({"large"}),
)
