"""Disks that are full: PostgreSQL's own, and the one where the processes of a server share their figures."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from benchmarks.damage import damage_of, settled, settlements_counted
from benchmarks.faults.figures import Figures
from benchmarks.faults.load import Asked, Deliveries, deliver, get, readers
from benchmarks.faults.people import QUERY, SECRETS, people_of_appointments
from benchmarks.faults.stage import Stage, Stopwatch, Theatre, leaks, run_sql, theatre

_POSTGRES_MIB = 220
_FIGURES_MIB = 4
_WITHIN_SECONDS = 120.0


def can_mount() -> bool:
    """Whether this process may make small disks: it needs the rights of root, and a kernel that lets it."""
    try:
        with small_disk(1):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


@contextmanager
def small_disk(mebibytes: int) -> Generator[Path, None, None]:
    """A disk of its own of this size, in memory. Raises CalledProcessError where that is not allowed."""
    if os.geteuid() != 0:
        raise PermissionError("mount: only root may, and this is somebody else")
    with tempfile.TemporaryDirectory(prefix="traverse-disk-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0755", "none", folder], check=True)  # noqa: S603, S607 (our own words)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)  # noqa: S603, S607


async def postgres_full(stages: Theatre, *, times: int) -> Figures:
    """PostgreSQL finds no room for another page: deliveries are told to come back, and are taken once there is."""
    with (
        small_disk(_POSTGRES_MIB) as disk,
        tempfile.TemporaryDirectory(prefix="traverse-full-") as folder,
        theatre(Path(folder), stages.keys, postgres_dir=disk) as small,
    ):
        async with small.stage("disk") as stage, settlements_counted():
            return await _fill_again_and_again(small, stage, disk, times)


async def _fill_again_and_again(small: Theatre, stage: Stage, disk: Path, times: int) -> Figures:
    bookings = await people_of_appointments(events=100 * times)
    _, port = await stage.start_api()
    await stage.start_worker()
    seen, longest, downs = Deliveries(), 0.0, 0
    for number in range(times):
        part = bookings.story.webhooks[number * 100 : (number + 1) * 100]
        await deliver(part[:20], [port], seen=seen)
        ballast = _fill(disk)
        sending = asyncio.create_task(deliver(part[20:], [port], seen=seen))
        before = seen.answers[503] + seen.answers[0]
        async with asyncio.timeout(_WITHIN_SECONDS):
            while seen.answers[503] + seen.answers[0] < before + 20 and not sending.done():  # noqa: ASYNC110 - of what senders count
                await asyncio.sleep(0.05)
        ballast.unlink()
        since = Stopwatch()
        if not await _is_up(small):
            downs += 1
            await small.engines.start_postgres()  # as systemd does
        await sending
        await settled()
        longest = max(longest, since.seconds)
    damage = await damage_of(bookings.story, refused=sum(seen.answers[status] for status in (400, 401, 413, 500)))
    return Figures(
        fault="PostgreSQL's disk full",
        tries=times,
        lost=damage.lost + damage.wrong_ends + damage.refused,
        doubled=damage.applied_twice + damage.broken_log,
        leaked=leaks(logs=stage.logs(), answers=[*seen.bodies], secrets=SECRETS),
        recovery_seconds=longest,
        besides=f"{seen.answers[503]} deliveries told to come back; PostgreSQL gave up {downs} times",
    )


async def figures_full(stages: Theatre, *, reads: int) -> Figures:
    """The folder in which the processes of a server share their figures is full: they serve on."""
    with small_disk(_FIGURES_MIB) as disk:
        async with stages.stage("figures") as stage:
            bookings = await people_of_appointments(events=100)
            api, port = await stage.start_api(settings={"PROMETHEUS_MULTIPROC_DIR": str(disk)})
            ballast = _fill(disk)
            async with readers(port, bookings.token, QUERY, number=4) as asked:
                seen = await deliver(bookings.story.webhooks, [port])
                await _some_are_answered(asked, reads)
                told, _ = await get(port, "/metrics")
            ballast.unlink()
            since = Stopwatch()
            again, _ = await get(port, "/metrics")
            return Figures(
                fault="the disk of the shared figures full",
                tries=asked.answered + len(asked.failures) + sum(seen.answers.values()),
                lost=len(asked.failures) + sum(seen.answers.values()) - seen.answers[200] + api.has_ended,
                doubled=0,
                leaked=leaks(logs=stage.logs(), answers=[*asked.failures], secrets=SECRETS),
                recovery_seconds=since.seconds,
                besides=f"/metrics answers {told} meanwhile and {again} afterwards",
            )


async def _some_are_answered(asked: Asked, number: int) -> None:
    async with asyncio.timeout(_WITHIN_SECONDS):
        while asked.answered + len(asked.failures) < number:  # noqa: ASYNC110 - of what readers count
            await asyncio.sleep(0.02)


def _fill(disk: Path) -> Path:
    """Leave no byte free, and return the file that took them."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        size = 2**20
        while size:
            try:
                file.write(bytes(size))
            except OSError:
                size //= 2
    return ballast


async def _is_up(small: Theatre) -> bool:
    try:
        await run_sql(small.where.database_url, "SELECT 1")
    except (OSError, asyncpg.PostgresError):
        return False
    return True
