"""`python -m benchmarks.fanout`: changes of a participation, from their COMMIT to the last of many subscribers.

One API process as `traverse serve` runs it, one employer's account on many sockets. Every subscriber must see every
change exactly once and in order, or there is no figure at all.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any

import orjson
import uvloop
from rich.console import Console
from rich.table import Table
from tortoise.transactions import in_transaction

from benchmarks.contender import Contender, load_on_other_cores, running, server_core
from benchmarks.ours import serving
from benchmarks.processes import TOKEN_KEY, environ_of
from benchmarks.subscribers import Subscriber
from demo.cast.building import build_cast
from demo.cast.world import SimulatedWorld
from demo.engines import EmbeddedEngines
from demo.load import load_cast
from models.database import DatabaseConfig, close_database, fetch_all, open_database
from models.encryption import KeyRing
from models.enums import ParticipationStatus
from models.migrate import migrate
from sandbox.cast import PEOPLE
from sandbox.france_travail.identifiers import id_national_of
from services.event_log import ParticipationStatusChanged, append
from services.tokens import issue_development_token

QUERY = """subscription { participationStatusChanged {
  cursor previousStatus status occurredAt participation { id status jobSeeker { id firstName lastName } } } }"""
_OPENED_AT_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`pause`: seconds between the last arrival and the next change."""

    subscribers: int = 1_000
    changes: int = 100
    pause: float = 0.05


@dataclass(frozen=True, slots=True)
class Participation:
    id: Any
    appointment_id: Any
    company_id: Any
    token: str


@dataclass(slots=True)
class Measured:
    """Milliseconds from COMMIT, one figure a change: to the first and the last subscriber."""

    to_first: list[float] = field(default_factory=list[float])
    to_last: list[float] = field(default_factory=list[float])
    memory_kib: float = 0.0


async def fan_out(plan: Plan, environ: Mapping[str, str], log: Path) -> Measured:
    """Run it against the open, migrated database of these settings, which holds the cast of the demo."""
    _allow_many_connections(plan.subscribers)
    watched = await _participation()
    server = Contender(
        name="Traverse",
        command=serving(),
        environ={**environ, "GRAPHQL_STREAMS_MAX": "100000", "GRAPHQL_STREAMS_MAX_PER_CLIENT": "100000"},
        requests={},
    )
    async with running(server, log, cores=server_core()) as traverse, load_on_other_cores():
        before = traverse.process.memory_info().rss
        clients = await _subscribed(traverse.port, watched.token, plan.subscribers)
        measured = await _measure(clients, watched, plan.changes, plan.pause)
        measured.memory_kib = (traverse.process.memory_info().rss - before) / 1024 / plan.subscribers
        for client in clients:
            client.close()
        return measured


async def enter_cast(config: DatabaseConfig) -> None:
    await load_cast(config, build_cast(datetime.now(UTC), SimulatedWorld(id_national_of, PEOPLE)))


def _allow_many_connections(number: int) -> None:
    """Each subscriber is an open file at both ends, here and, as it inherits our bounds, in the server."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = number + 500
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise SystemExit(f"{number} subscribers: {hard} files may be open here, {needed} are needed; see ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))


def main() -> None:
    usual = Plan()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=usual.subscribers)
    parser.add_argument("--changes", type=int, default=usual.changes)
    parser.add_argument(
        "--pause", type=float, default=usual.pause, help="seconds between the last arrival and the next change"
    )
    plan = Plan(**vars(parser.parse_args()))
    with (
        tempfile.TemporaryDirectory(prefix="traverse-bench-") as folder,
        EmbeddedEngines(Path(folder) / "data", os.environ) as engines,
    ):
        keys = KeyRing(keys=(os.urandom(32),), fingerprint_key=os.urandom(32))
        config = DatabaseConfig(url=engines.database_url, keys=keys)
        environ = environ_of(database_url=engines.database_url, redis_url=engines.redis_url, keys=keys)
        measured = uvloop.run(_run(plan, config, environ, Path(folder) / "server.log"))
    Console().print(_table(measured, plan))


async def _run(plan: Plan, config: DatabaseConfig, environ: Mapping[str, str], log: Path) -> Measured:
    await migrate(config)
    await enter_cast(config)
    await open_database(config)
    try:
        return await fan_out(plan, environ, log)
    finally:
        await close_database()


async def _participation() -> Participation:
    """One that an employer of its company sees, with a token of that employer."""
    rows = await fetch_all(
        "SELECT p.id, p.appointment_id, a.company_id, u.subject FROM participation p"
        " JOIN appointment a ON a.id = p.appointment_id AND a.destroyed_at IS NULL"
        " JOIN membership m ON m.company_id = a.company_id AND m.ended_at IS NULL"
        ' JOIN "user" u ON u.id = m.user_id AND u.is_active AND u.subject IS NOT NULL'
        " WHERE p.removed_at IS NULL ORDER BY p.id LIMIT 1"
    )
    row = rows[0]
    token = issue_development_token(
        subject=row["subject"],
        organization_id=row["company_id"],
        issuer="traverse-development",
        audience="traverse",
        key=TOKEN_KEY,
        lifetime=timedelta(hours=2),
        now=datetime.now(UTC),
    )
    return Participation(row["id"], row["appointment_id"], row["company_id"], token)


async def _subscribed(port: int, token: str, count: int) -> list[Subscriber]:
    loop = asyncio.get_running_loop()
    clients: list[Subscriber] = []
    while len(clients) < count:
        batch = [Subscriber(QUERY, token) for _ in range(min(_OPENED_AT_ONCE, count - len(clients)))]
        for client in batch:
            await loop.create_connection(lambda client=client: client, "127.0.0.1", port)
        async with asyncio.timeout(30):
            await asyncio.gather(*(client.subscribed.wait() for client in batch))
        _check_alive(batch)
        clients += batch
    await asyncio.sleep(1)  # what was asked is being followed
    return clients


async def _measure(clients: list[Subscriber], watched: Participation, changes: int, pause: float) -> Measured:
    measured = Measured()
    statuses = (ParticipationStatus.SEEN, ParticipationStatus.UNKNOWN)
    for number in range(changes):
        committed_at = await _change(watched, statuses[(number + 1) % 2], statuses[number % 2])
        async with asyncio.timeout(30):
            while any(len(client.arrivals) <= number for client in clients):
                _check_alive(clients)
                await asyncio.sleep(0.005)
        arrivals = [(client.arrivals[number][0] - committed_at) * 1000 for client in clients]
        measured.to_first.append(min(arrivals))
        measured.to_last.append(max(arrivals))
        await asyncio.sleep(pause)
    _check(clients, changes)
    return measured


async def _change(watched: Participation, previous: ParticipationStatus, status: ParticipationStatus) -> float:
    """Change the status and log it, as the platform does; return the moment at which COMMIT was sent."""
    now = datetime.now(UTC)
    async with in_transaction() as transaction:
        await transaction.execute_query(
            "UPDATE participation SET status = $2, cancelled_by = NULL WHERE id = $1", [watched.id, status.value]
        )
        entry = ParticipationStatusChanged(
            participation_id=watched.id,
            appointment_id=watched.appointment_id,
            company_id=watched.company_id,
            previous_status=previous,
            status=status,
        )
        await append([entry], now=now)
        return perf_counter()


def _check_alive(clients: Sequence[Subscriber]) -> None:
    failures = [client.failure for client in clients if client.failure is not None]
    if failures:
        raise RuntimeError(f"{len(failures)} of {len(clients)} subscribers failed; the first: {failures[0]}")


def _check(clients: list[Subscriber], changes: int) -> None:
    """Every subscriber saw every change exactly once, in order: the same cursors, all different, as many as changes."""
    seen = {
        tuple(
            orjson.loads(payload)["payload"]["data"]["participationStatusChanged"]["occurredAt"]
            for _, payload in client.arrivals
        )
        for client in clients
    }
    (instants,) = seen
    if len(instants) != changes or list(instants) != sorted(set(instants)):
        raise SystemExit(f"{changes} changes, and {len(set(instants))} of {len(instants)} answers in order: no figure")


def _table(measured: Measured, plan: Plan) -> Table:
    table = Table(
        title=f"{plan.changes} changes to {plan.subscribers} subscribers of one process, each exactly once and in order"
    )
    for column in ("from COMMIT, in ms", "p50", "p99", "most"):
        table.add_column(column, justify="right" if column != "from COMMIT, in ms" else "left")
    for name, figures in (("to the first", measured.to_first), ("to the last", measured.to_last)):
        cuts = quantiles(figures, n=100, method="inclusive")
        table.add_row(name, f"{cuts[49]:.0f}", f"{cuts[98]:.0f}", f"{max(figures):.0f}")
    table.caption = f"memory: {measured.memory_kib:.0f} KiB a subscriber"
    return table


if __name__ == "__main__":
    main()
