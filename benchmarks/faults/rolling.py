"""Several processes behind one port: replaced one after the other under load, and killed under load."""

from __future__ import annotations

import asyncio
import signal

import psutil

from benchmarks.damage import damage_of, settled, settlements_counted
from benchmarks.faults.figures import Figures
from benchmarks.faults.load import Asked, Deliveries, deliver, readers
from benchmarks.faults.people import QUERY, SECRETS, people_of_appointments
from benchmarks.faults.stage import Program, Stopwatch, Theatre, leaks
from benchmarks.story import Story

_REPLACED_WITHIN_SECONDS = 180.0
# Longer than a server that ends lingers: these connections are idle when it does.
_RARELY_SECONDS = 3.0


async def rolling_restart(theatre: Theatre, *, restarts: int) -> Figures:
    """Two API processes behind one port and two workers, all replaced again and again: no request may fail."""
    async with theatre.stage("rolling") as stage, settlements_counted():
        bookings = await people_of_appointments(events=200 * restarts)
        api, port = await stage.start_api(workers=2)
        workers = [await stage.start_worker(), await stage.start_worker()]
        seen = Deliveries()
        async with (
            readers(port, bookings.token, QUERY, number=4, pause=0.02) as busy,
            readers(port, bookings.token, QUERY, number=2, pause=_RARELY_SECONDS) as rare,
            _delivering(bookings.story, port, seen),
        ):
            watch, longest = Stopwatch(), 0.0
            for _ in range(restarts):
                await _are_answered(busy, busy.answered + 50)
                before = _serving(api)
                since = Stopwatch()
                api.signal(signal.SIGHUP)
                await _are_gone(before)
                longest = max(longest, since.seconds)
                exit_code = await workers.pop(0).end()
                if exit_code not in (0, -signal.SIGTERM):
                    raise AssertionError(f"a worker ended with {exit_code}")
                workers.append(await stage.start_worker())
            took = watch.seconds
        await settled()
        damage = await damage_of(bookings.story, refused=sum(seen.answers.values()) - seen.answers[200])
        failures = [*busy.failures, *rare.failures]
        return Figures(
            fault="rolling restart of two API processes behind one port and of two workers, under load",
            tries=busy.answered + rare.answered + sum(seen.answers.values()) + len(failures),
            lost=damage.lost + damage.wrong_ends + damage.refused + len(failures),
            doubled=damage.applied_twice + damage.broken_log,
            leaked=leaks(logs=stage.logs(), answers=[*seen.bodies, *failures], secrets=SECRETS),
            recovery_seconds=max(busy.longest, rare.longest, seen.longest),
            besides=f"{restarts} restarts in {took:.0f} s, each within {longest:.0f} s; recovery is the longest answer"
            + _first(failures),
        )


async def process_killed(theatre: Theatre, *, kills: int) -> Figures:
    """One of two API processes behind one port is killed, and one of two workers: the others carry on."""
    async with theatre.stage("process_killed") as stage, settlements_counted():
        bookings = await people_of_appointments(events=200 * kills)
        api, port = await stage.start_api(workers=2)
        workers = [await stage.start_worker(), await stage.start_worker()]
        seen = Deliveries()
        longest, since = 0.0, Stopwatch()
        async with (
            readers(port, bookings.token, QUERY, number=4, pause=0.02) as busy,
            _delivering(bookings.story, port, seen),
        ):
            for _ in range(kills):
                await _are_answered(busy, busy.answered + 50)
                before = _serving(api)
                before.sort(key=lambda child: _connections(child, port), reverse=True)
                before[0].kill()
                await workers.pop(0).kill()
                since = Stopwatch()
                workers.append(await stage.start_worker())  # as systemd does
                await _are_as_many(api, before)
                longest = max(longest, since.seconds)
        await settled()
        recovery = since.seconds
        damage = await damage_of(bookings.story, refused=0)
        answered_badly = [failure for failure in busy.failures if failure[0].isdigit()]
        return Figures(
            fault="one of two API processes and one of two workers killed, under load",
            tries=kills,
            lost=damage.lost + damage.wrong_ends + len(answered_badly),
            doubled=damage.applied_twice + damage.broken_log,
            leaked=leaks(logs=stage.logs(), answers=[*seen.bodies, *busy.failures], secrets=SECRETS),
            recovery_seconds=recovery,
            besides=f"until the last event was applied; the longest answer: {max(busy.longest, seen.longest):.1f} s,"
            f" successors began within {longest:.1f} s;"
            f" {busy.answered:,} reads answered, {len(busy.failures)} cut in the hands of the killed;"
            f" {sum(seen.answers.values()) - seen.answers[200]} deliveries came again",
        )


class _delivering:  # noqa: N801 - reads as what it does
    """Deliver a story to one port for the length of the block, and the rest of it at its end."""

    def __init__(self, story: Story, port: int, seen: Deliveries) -> None:
        self._task = asyncio.create_task(deliver(story.webhooks, [port], connections=4, seen=seen))

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None:
        await self._task


async def _are_answered(busy: Asked, number: int) -> None:
    async with asyncio.timeout(_REPLACED_WITHIN_SECONDS):
        while busy.answered < number:  # noqa: ASYNC110 - of what readers count
            await asyncio.sleep(0.02)


def _serving(api: Program) -> list[psutil.Process]:
    """The processes that answer: Python's own resource tracker is a child as well."""
    return [child for child in psutil.Process(api.pid).children() if _is_serving(child)]


def _connections(child: psutil.Process, port: int) -> int:
    return sum(each.status == psutil.CONN_ESTABLISHED and each.laddr[1] == port for each in child.net_connections())


def _is_serving(child: psutil.Process) -> bool:
    try:
        return any("spawn_main" in part for part in child.cmdline())
    except (psutil.ZombieProcess, psutil.NoSuchProcess):
        return False


async def _are_gone(processes: list[psutil.Process]) -> None:
    async with asyncio.timeout(_REPLACED_WITHIN_SECONDS):
        while any(process.is_running() for process in processes):  # noqa: ASYNC110 - processes tell only who asks
            await asyncio.sleep(0.05)


async def _are_as_many(api: Program, before: list[psutil.Process]) -> None:
    async with asyncio.timeout(_REPLACED_WITHIN_SECONDS):
        while len([child for child in _serving(api) if child not in before[:1]]) < len(before):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)


def _first(failures: list[str]) -> str:
    return f"; the first failure: {failures[0][:120]}" if failures else ""
