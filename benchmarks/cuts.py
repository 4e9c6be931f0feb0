"""`python -m benchmarks.cuts`: a subscriber whose line is cut again and again, while everything changes.

Webhooks come to two API processes in turn, a worker applies them, and the example client of `examples/partner` follows
over a line that is cut at random and leads to either process. What it wrote down must equal the log, or the command
fails.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import httpx
from rich.console import Console

from benchmarks.processes import WEBHOOK_SECRET, deployment, environ_of
from benchmarks.relay import Relay, relay
from benchmarks.sending import Sent, deliver
from benchmarks.story import Cast, Webhook, event_body, invite_cast, signed
from demo.engines import EmbeddedEngines
from examples.partner.api import TraverseAPI
from examples.partner.follower import APPOINTMENTS, PARTICIPATIONS, Follower
from examples.partner.store import Store
from models import Company
from models.database import DatabaseConfig, close_database, fetch_all, open_database
from models.encryption import KeyRing
from models.enums import PartnerScope
from models.migrate import migrate
from resolvers.global_ids import encode
from services.partners import Credentials, register

_COMPANIES = 4
_CONNECTIONS = 4
_SETTLED_WITHIN_SECONDS = 120.0
_BEGINNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_WORDS = ("unknown", "seen", "noshow", "excused")
_OPEN = "SELECT count(*) AS number FROM webhook_event WHERE status = 'received'"
_LOG = """
SELECT participation_id, previous_status, status FROM appointment_event WHERE participation_id IS NOT NULL
ORDER BY position
"""
_APPOINTMENTS_LOG = "SELECT appointment_id, kind FROM appointment_event WHERE kind IS NOT NULL ORDER BY position"
_STATUSES = "SELECT id, status FROM participation WHERE removed_at IS NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`appointments` at a time change, in as many rounds as `changes` takes: none of them swallows another."""

    changes: int = 2_000
    appointments: int = 200
    cuts: int = 50
    seed: int = 2_026


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`told` and `logged`: changes of participations that the client wrote down, and that the log holds."""

    told: int
    logged: int
    record_is_the_log: bool
    state_is_right: bool
    cuts: int
    connections: int
    servers: int
    seconds: float

    @property
    def is_good(self) -> bool:
        return self.record_is_the_log and self.state_is_right


async def cut_and_follow(plan: Plan, environ: Mapping[str, str], folder: Path) -> Report:
    """Run it against an empty, migrated database that this process has open."""
    cast = await invite_cast(_COMPANIES)
    credentials = await _credentials()
    store = Store(folder / "client.db")
    async with deployment(environ, folder) as processes, httpx.AsyncClient(trust_env=False, timeout=15) as http:
        ports = [await processes.start_api(), await processes.start_api()]
        await processes.start_worker()
        async with relay(ports, seed=plan.seed) as line:
            api = TraverseAPI(f"http://127.0.0.1:{ports[0]}", credentials.client_id, credentials.secret, http)
            follower = Follower(
                api,
                store,
                socket_url=lambda: f"ws://127.0.0.1:{line.port}/graphql",
                first_pause=0.02,
                longest_pause=0.2,
            )
            following = asyncio.create_task(follower.run())
            try:
                # Without a cursor yet, a first change is what tells that it follows.
                missed = await _first_changes(cast, ports, store)
                begun = perf_counter()
                cutting = asyncio.create_task(_cut(line, plan))
                await _change(cast, ports, plan, done=cutting)
                await cutting
                await _caught_up(store, missed)
                seconds = perf_counter() - begun
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
        report = await _compare(store, missed, line, follower, seconds)
    store.close()
    return report


async def _credentials() -> Credentials:
    sirets = [company.siret for company in await Company.all()]
    return await register("Client of the load show", scopes=list(PartnerScope), sirets=sirets, now=datetime.now(UTC))


async def _first_changes(cast: Cast, ports: Sequence[int], store: Store) -> Sequence[int]:
    """Return how many entries of each feed were made before the client followed: they are in the state that it read."""
    number = 1
    async with asyncio.timeout(_SETTLED_WITHIN_SECONDS):
        while not await _has_the_last(store):
            await _deliver([_event(cast, number, 0, at=0)], ports)
            number += 1
            await asyncio.sleep(0.5)
    return [len(log) - len(record) for log, record in await _logs_and_records(store)]


async def _has_the_last(store: Store) -> bool:
    return all(log and record and log[-1] == record[-1] for log, record in await _logs_and_records(store))


async def _logs_and_records(store: Store) -> list[tuple[list[object], list[object]]]:
    """Of each feed, the log and what the client wrote down, in one form."""
    participations: list[object] = [
        (encode("Participation", row["participation_id"]), _name(row["previous_status"]), row["status"].upper())
        for row in await fetch_all(_LOG)
    ]
    appointments: list[object] = [
        (encode("Appointment", row["appointment_id"]), None, row["kind"].upper())
        for row in await fetch_all(_APPOINTMENTS_LOG)
    ]
    return [
        (participations, list(store.changes(PARTICIPATIONS))),
        (appointments, list(store.changes(APPOINTMENTS))),
    ]


async def _change(cast: Cast, ports: Sequence[int], plan: Plan, *, done: asyncio.Task[None]) -> None:
    """Every appointment, once a round; a round begins when all of the one before it are in the log."""
    first = 10_000
    rounds = max(plan.changes // plan.appointments, 1)
    for turn in range(rounds):
        events = [_event(cast, first + place, turn % len(_WORDS), at=turn) for place in range(plan.appointments)]
        await _deliver(events, ports)
    # A fast machine is through before the last cut: then a few more changes keep the line busy.
    turn = rounds
    while not done.done():
        await _deliver([_event(cast, first, turn % len(_WORDS), at=turn)], ports)
        turn += 1


async def _deliver(events: Sequence[Webhook], ports: Sequence[int]) -> None:
    await deliver(events, ports, connections=_CONNECTIONS, sent=Sent())
    async with asyncio.timeout(_SETTLED_WITHIN_SECONDS):
        while (await fetch_all(_OPEN))[0]["number"]:  # noqa: ASYNC110 - another process settles them
            await asyncio.sleep(0.05)


def _event(cast: Cast, number: int, word: int, *, at: int) -> Webhook:
    organisations = list(cast.companies)
    organisation = organisations[number % len(organisations)]
    users = cast.users_of(organisation)
    body = event_body(
        number,
        "updated" if at else "created",
        organisation,
        _BEGINNING + timedelta(days=30, minutes=number),
        {users[number % len(users)]: _WORDS[word]},
        at=_BEGINNING + timedelta(seconds=at),
    )
    return signed(body, WEBHOOK_SECRET)


async def _cut(line: Relay, plan: Plan) -> None:
    dice = random.Random(plan.seed)
    while line.cuts < plan.cuts:
        await asyncio.sleep(dice.uniform(0.0, 0.6))
        line.cut()


async def _caught_up(store: Store, missed: Sequence[int]) -> None:
    """Wait until the client has as many entries as the log; whether they are the same is seen afterwards."""
    async with asyncio.timeout(_SETTLED_WITHIN_SECONDS):
        while True:
            pairs = zip(await _logs_and_records(store), missed, strict=True)
            if all(len(record) + early >= len(log) for (log, record), early in pairs):
                return
            await asyncio.sleep(0.1)


async def _compare(store: Store, missed: Sequence[int], line: Relay, follower: Follower, seconds: float) -> Report:
    feeds = [(log[early:], record) for (log, record), early in zip(await _logs_and_records(store), missed, strict=True)]
    statuses = {encode("Participation", row["id"]): row["status"].upper() for row in await fetch_all(_STATUSES)}
    return Report(
        told=len(feeds[0][1]),
        logged=len(feeds[0][0]),
        record_is_the_log=all(log == record for log, record in feeds),
        state_is_right=store.statuses() == statuses,
        cuts=line.cuts,
        connections=follower.connections,
        servers=len(line.used_ports),
        seconds=seconds,
    )


def _name(status: str | None) -> str | None:
    return None if status is None else status.upper()


def main() -> None:
    usual = Plan()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=usual.changes)
    parser.add_argument("--appointments", type=int, default=usual.appointments, help="that change at a time")
    parser.add_argument("--cuts", type=int, default=usual.cuts)
    parser.add_argument("--seed", type=int, default=usual.seed, help="of the moments at which the line is cut")
    plan = Plan(**vars(parser.parse_args()))
    with (
        tempfile.TemporaryDirectory(prefix="traverse-bench-") as folder,
        EmbeddedEngines(Path(folder) / "data", os.environ) as engines,
    ):
        keys = KeyRing(keys=(os.urandom(32),), fingerprint_key=os.urandom(32))
        config = DatabaseConfig(url=engines.database_url, keys=keys)
        environ = environ_of(database_url=engines.database_url, redis_url=engines.redis_url, keys=keys)
        report = asyncio.run(_run(plan, config, environ, Path(folder)))
    Console().print(
        f"{report.told} changes written down by a client that was cut {report.cuts} times"
        f" ({report.connections} connections, to {report.servers} API processes) in {report.seconds:.1f} s;"
        f" {report.logged} in the log. Record equals log: {report.record_is_the_log};"
        f" state is right: {report.state_is_right}."
    )
    sys.exit(0 if report.is_good else 1)


async def _run(plan: Plan, config: DatabaseConfig, environ: Mapping[str, str], folder: Path) -> Report:
    await migrate(config)
    await open_database(config)
    try:
        return await cut_and_follow(plan, environ, folder)
    finally:
        await close_database()


if __name__ == "__main__":
    main()
