"""`python -m benchmarks.storm`: a storm of webhooks while workers are killed and Valkey is wiped.

Every event is delivered several times, in random order, over many connections to two API processes. Two workers apply
them, one of which is killed with -9 every few seconds. Whatever was acknowledged must have been applied, once, and
every appointment must end in the state of its newest event, or the command fails.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import redis.asyncio
from rich.console import Console
from rich.table import Table

from benchmarks.damage import Damage, damage_of, settled, settlements_counted
from benchmarks.processes import WEBHOOK_SECRET, Deployment, deployment, environ_of
from benchmarks.sending import Sent, deliver
from benchmarks.story import invite_cast, write_story
from demo.engines import EmbeddedEngines
from models.database import DatabaseConfig, close_database, open_database
from models.encryption import KeyRing
from models.migrate import migrate

_COMPANIES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`kill_every` and `seed`: seconds between two kills; of the order of deliveries."""

    events: int = 5_000
    times: int = 3
    connections: int = 20
    kill_every: float = 3.0
    seed: int = 2_026


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    sent: Sent
    damage: Damage
    kills: int
    sending_seconds: float
    settled_after_seconds: float


async def storm(plan: Plan, environ: Mapping[str, str], logs: Path) -> Report:
    """Run it against an empty, migrated database that this process has open."""
    cast = await invite_cast(_COMPANIES)
    story = write_story(cast, events=plan.events, secret=WEBHOOK_SECRET)
    queue = list(story.webhooks) * plan.times
    random.Random(plan.seed).shuffle(queue)
    sent = Sent()
    async with settlements_counted(), deployment(environ, logs) as processes:
        ports = [await processes.start_api(), await processes.start_api()]
        for _ in range(2):
            await processes.start_worker()
        begun = perf_counter()
        async with _accidents(processes, every=plan.kill_every) as accidents:
            half = len(queue) // 2
            await deliver(queue[:half], ports, connections=plan.connections, sent=sent)
            # However fast the machine is: one kill at least, in the middle of the work.
            await accidents.kill()
            await _wipe(environ["REDIS_URL"])
            await deliver(queue[half:], ports, connections=plan.connections, sent=sent)
            sending_seconds = perf_counter() - begun
            await settled()
        settled_after = perf_counter() - begun
        refused = sum(number for status, number in sent.answers.items() if 400 <= status < 500)
        return Report(
            sent=sent,
            damage=await damage_of(story, refused=refused),
            kills=accidents.kills,
            sending_seconds=sending_seconds,
            settled_after_seconds=settled_after,
        )


class _Accidents:
    """Kills a worker and starts another in its place."""

    def __init__(self, processes: Deployment) -> None:
        self._processes = processes
        self._one_at_a_time = asyncio.Lock()
        self.kills = 0

    async def kill(self) -> None:
        async with self._one_at_a_time:
            await self._processes.kill_worker()
            self.kills += 1
            await self._processes.start_worker()


@asynccontextmanager
async def _accidents(processes: Deployment, *, every: float) -> AsyncGenerator[_Accidents, None]:
    """One every so often, while the block runs."""
    accidents = _Accidents(processes)

    async def happen() -> None:
        while True:
            await asyncio.sleep(every)
            await accidents.kill()

    happening = asyncio.create_task(happen())
    try:
        yield accidents
    finally:
        happening.cancel()
        await asyncio.gather(happening, return_exceptions=True)


async def _wipe(redis_url: str) -> None:
    client: redis.asyncio.Redis = redis.asyncio.from_url(redis_url)
    await client.flushall()
    await client.aclose()


def main() -> None:
    usual = Plan()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=usual.events)
    parser.add_argument("--times", type=int, default=usual.times, help="deliveries of each event")
    parser.add_argument("--connections", type=int, default=usual.connections)
    parser.add_argument("--kill-every", type=float, default=usual.kill_every, help="seconds between two kills")
    parser.add_argument("--seed", type=int, default=usual.seed, help="of the order of deliveries")
    plan = Plan(**vars(parser.parse_args()))
    with (
        tempfile.TemporaryDirectory(prefix="traverse-bench-") as folder,
        EmbeddedEngines(Path(folder) / "data", os.environ) as engines,
    ):
        keys = KeyRing(keys=(os.urandom(32),), fingerprint_key=os.urandom(32))
        config = DatabaseConfig(url=engines.database_url, keys=keys)
        environ = environ_of(database_url=engines.database_url, redis_url=engines.redis_url, keys=keys)
        report = asyncio.run(_run(plan, config, environ, Path(folder)))
    Console().print(_table(plan, report))
    sys.exit(0 if report.damage.is_none else 1)


async def _run(plan: Plan, config: DatabaseConfig, environ: Mapping[str, str], logs: Path) -> Report:
    await migrate(config)
    await open_database(config)
    try:
        return await storm(plan, environ, logs)
    finally:
        await close_database()


def _table(plan: Plan, report: Report) -> Table:
    sent, damage = report.sent, report.damage
    table = Table(
        title=f"{plan.events} events, each {plan.times} times over {plan.connections} connections to two API processes;"
        f" two workers, {report.kills} kills, one FLUSHALL"
    )
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in (
        ("acknowledged events lost", damage.lost),
        ("events applied twice", damage.applied_twice),
        ("appointments in a wrong state", damage.wrong_ends),
        ("entries of the log that do not fit", damage.broken_log),
        ("answers", dict(sent.answers)),
        ("acknowledgement p50, ms", f"{sent.percentile(0.5) * 1000:.1f}"),
        ("acknowledgement p99, ms", f"{sent.percentile(0.99) * 1000:.1f}"),
        ("deliveries a second", f"{len(sent.seconds) / report.sending_seconds:.0f}"),
        ("sending took, s", f"{report.sending_seconds:.1f}"),
        ("all settled after, s", f"{report.settled_after_seconds:.1f}"),
    ):
        table.add_row(name, f"{value}")
    return table


if __name__ == "__main__":
    main()
