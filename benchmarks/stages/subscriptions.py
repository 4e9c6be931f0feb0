"""A change to many subscribers: from its COMMIT to the last of them."""

from __future__ import annotations

from datetime import timedelta

from benchmarks.fanout import Measured, Plan, enter_cast, fan_out
from benchmarks.figures import percentile
from benchmarks.ground import Ground
from benchmarks.results import Cell, Column, Section
from benchmarks.stages.stage import Stage
from models.database import close_database, open_database

_PLANS = (
    Plan(subscribers=100, changes=100),
    Plan(subscribers=1_000, changes=100),
    Plan(subscribers=5_000, changes=40, pause=0.2),
)
_SMALL = (Plan(subscribers=20, changes=4), Plan(subscribers=40, changes=4))


async def measure(ground: Ground, is_small: bool) -> Section:
    database = await ground.empty_database("fanout")
    await enter_cast(database)
    await open_database(database)
    try:
        found = [
            (plan, await fan_out(plan, ground.environ(database.url), ground.log("fanout")))
            for plan in (_SMALL if is_small else _PLANS)
        ]
    finally:
        await close_database()
    return Section(
        title="Subscriptions",
        how="One process, one employer's account on many WebSockets, a change of a participation at a time. Every"
        " subscriber must see every change once and in order, or there is no figure. Times are from the moment at which"
        " COMMIT was sent.",
        columns=(
            Column(key="subscribers", title="subscribers", digits=0),
            Column(key="changes", title="changes", digits=0),
            Column(key="first_p50_ms", title="to the first, p50 ms", digits=0),
            Column(key="last_p50_ms", title="to the last, p50 ms", digits=0),
            Column(key="last_p99_ms", title="p99 ms", digits=0),
            Column(key="memory_kib", title="memory a subscriber, KiB", digits=0),
        ),
        rows=[_row(plan, measured) for plan, measured in found],
        measures={f"fanout_{plan.subscribers}": percentile(measured.to_last, 0.5) for plan, measured in found},
    )


def _row(plan: Plan, measured: Measured) -> dict[str, Cell]:
    return {
        "subscribers": plan.subscribers,
        "changes": plan.changes,
        "first_p50_ms": percentile(measured.to_first, 0.5),
        "last_p50_ms": percentile(measured.to_last, 0.5),
        "last_p99_ms": percentile(measured.to_last, 0.99),
        "memory_kib": measured.memory_kib,
    }


STAGE = Stage(
    name="subscriptions", summary="fan-out to 100, 1,000, 5,000 subscribers", bound=timedelta(minutes=5), run=measure
)
