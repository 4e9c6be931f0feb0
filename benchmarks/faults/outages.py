"""PostgreSQL and Valkey restart, lose everything, or are away, while the server is at work."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from benchmarks.damage import damage_of, settled, settlements_counted
from benchmarks.faults.figures import Figures
from benchmarks.faults.load import Deliveries, ask, deliver, get, readers
from benchmarks.faults.people import QUERY, SECRETS, Bookings, people_of_appointments
from benchmarks.faults.stage import Program, Stage, Stopwatch, Theatre, leaks
from benchmarks.story import Webhook

_WITHIN_SECONDS = 120.0


async def postgres_restarted(theatre: Theatre, *, crash: bool, times: int) -> Figures:
    """PostgreSQL goes away in the middle of everything and comes back; nobody else is restarted."""
    async with theatre.stage("postgres") as stage, settlements_counted():
        bookings = await people_of_appointments(events=200 * times)
        port, programs = await _deployment(stage, bookings)
        seen, longest = Deliveries(), 0.0
        async with readers(port, bookings.token, QUERY, number=2, pause=0.05) as asked:
            for part in _parts(bookings.story.webhooks, times):
                sending = asyncio.create_task(deliver(part, [port], seen=seen))
                await _some_are_acknowledged(seen, more_than=seen.acknowledged)
                await theatre.engines.stop_postgres(crash=crash)
                status, _ = await get(port, "/readyz")
                if status != 503:
                    raise AssertionError(f"/readyz: {status} while PostgreSQL is away, 503 expected")
                await theatre.engines.start_postgres()
                since = Stopwatch()
                await _answers_again(port, bookings)
                longest = max(longest, since.seconds)
                await sending
        await settled()
        damage = await damage_of(bookings.story, refused=sum(seen.answers[status] for status in (400, 401, 413, 500)))
        return Figures(
            fault=f"PostgreSQL restarted under load, {'as after a crash' if crash else 'in order'}",
            tries=times,
            lost=damage.lost + damage.wrong_ends + damage.refused + _ended(programs),
            doubled=damage.applied_twice + damage.broken_log,
            leaked=leaks(logs=stage.logs(), answers=[*seen.bodies, *asked.failures], secrets=SECRETS),
            recovery_seconds=longest,
            besides=f"{seen.answers[503]} deliveries told to come back, {len(asked.failures)} of"
            f" {asked.answered + len(asked.failures):,} reads told that it failed",
        )


async def valkey_lost(theatre: Theatre, *, times: int) -> Figures:
    """Valkey is emptied, killed, away while events come, and back without its data. No answer may differ for it."""
    async with theatre.stage("valkey") as stage, settlements_counted():
        bookings = await people_of_appointments(events=200 * times)
        port, programs = await _deployment(stage, bookings)
        seen, longest = Deliveries(), 0.0
        async with readers(port, bookings.token, QUERY, number=2, pause=0.05) as asked:
            for part in _parts(bookings.story.webhooks, times):
                third = len(part) // 3
                sending = asyncio.create_task(deliver(part[:third], [port], seen=seen))
                await _some_are_acknowledged(seen, more_than=seen.acknowledged)
                await stage.flush_valkey()
                await sending
                await theatre.engines.stop_valkey()
                await deliver(part[third : 2 * third], [port], seen=seen)
                since = Stopwatch()
                await settled()
                longest = max(longest, since.seconds)
                await theatre.engines.start_valkey()
                await deliver(part[2 * third :], [port], seen=seen)
                since = Stopwatch()
                await settled()
                longest = max(longest, since.seconds)
        damage = await damage_of(bookings.story, refused=sum(seen.answers.values()) - seen.answers[200])
        return Figures(
            fault="Valkey emptied, killed, away, and back without its data",
            tries=3 * times,
            lost=damage.lost + damage.wrong_ends + damage.refused + len(asked.failures) + _ended(programs),
            doubled=damage.applied_twice + damage.broken_log,
            leaked=leaks(logs=stage.logs(), answers=[*seen.bodies, *asked.failures], secrets=SECRETS),
            recovery_seconds=longest,
            besides=f"{asked.answered:,} reads and {seen.answers[200]:,} deliveries answered; recovery: from the last"
            " delivery until all were applied",
        )


async def _deployment(stage: Stage, bookings: Bookings) -> tuple[int, Sequence[Program]]:
    """One API process and two workers, as small as it gets; at work already."""
    api, port = await stage.start_api()
    programs = [api, await stage.start_worker(), await stage.start_worker()]
    await deliver(bookings.story.webhooks[:1], [port])
    await settled()
    return port, programs


def _parts(webhooks: Sequence[Webhook], number: int) -> Sequence[Sequence[Webhook]]:
    size = len(webhooks) // number
    return [webhooks[place * size : (place + 1) * size] for place in range(number)]


async def _some_are_acknowledged(seen: Deliveries, *, more_than: int) -> None:
    async with asyncio.timeout(_WITHIN_SECONDS):
        while seen.acknowledged < more_than + 20:  # noqa: ASYNC110 - of the figures that senders keep
            await asyncio.sleep(0.01)


async def _answers_again(port: int, bookings: Bookings) -> None:
    async with asyncio.timeout(_WITHIN_SECONDS):
        while True:
            status, body = await ask(port, bookings.token, QUERY)
            if status == 200 and b'"errors"' not in body and (await get(port, "/readyz"))[0] == 200:
                return
            await asyncio.sleep(0.05)


def _ended(programs: Sequence[Program]) -> int:
    """How many would have needed somebody to start them again."""
    return sum(program.has_ended for program in programs)
