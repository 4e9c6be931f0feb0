"""Workers are killed, Valkey is wiped, two work at once: every approval is announced, and none twice.

Real worker processes in front of a real sandbox, which counts. It refuses to take the same PASS IAE a second time, as
the real partner is said to: what was in flight at a kill is answered "already there" when it is sent again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import pytest
import redis.asyncio

from demo.engines import Engines
from jobs.bell import JobQueue
from jobs.notification import NOTIFY_APPROVAL
from jobs.valkey import connect
from models import Approval, CronRun, JobSeekerProfile, NotificationAttempt, WorkerHeartbeat
from models.database import DatabaseConfig, fetch_all
from models.enums import NotificationStatus as Status
from sandbox.france_travail.identifiers import id_national_of
from tests.conftest import KEYS
from tests.e2e.processes import Sandbox, sandbox_process, worker_environ, workers
from tests.factories import make_approval, make_company, make_job_seeker
from tests.waiting import until

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("valkey")]

UPDATE_PATH = "/maj-pass-iae/v1/passIAE/miseAjour"
# More than one worker can send, so that only kills slow it down; and less than two can, so that the pace decides.
AMPLE, TIGHT = 50, 20
# A slot is exact; when its call arrives is up to the machine, and ours is small and busy.
LATE_ARRIVALS = 5
LATENCY_SECONDS = 0.02
SECONDS_TO_THE_END = 40.0


async def make_approvals(count: int) -> list[Approval]:
    """Approvals that are due; every second person has to be searched first. Nobody is a case for the hourly run."""
    company = await make_company()
    approvals: list[Approval] = []
    for number in range(count):
        job_seeker = await make_job_seeker(profile={"pe_last_certification_attempt_at": datetime.now(UTC)})
        if number % 2:
            profile = await JobSeekerProfile.get(user_id=job_seeker.id)
            known = id_national_of(str(profile.nir)[:13])
            await JobSeekerProfile.filter(user_id=job_seeker.id).update(pe_obfuscated_nir=known)
        approvals.append(await make_approval(job_seeker, company))
    return approvals


def settings_for(
    database: DatabaseConfig, engines: Engines, sandbox: Sandbox, *, calls_per_second: int
) -> dict[str, str]:
    return worker_environ(
        database_url=database.url,
        redis_url=engines.redis_url,
        keys=KEYS,
        sandbox_url=sandbox.url,
        FT_MAX_RPS=str(calls_per_second),
        PASS_IAE_BATCH_SIZE="200",
        NOTIFICATION_INTERVAL="0.5",
        NOTIFICATION_LEASE="1",
    )


def at_least(count: int) -> Callable[[], Awaitable[bool]]:
    async def are_announced() -> bool:
        return await Approval.filter(pe_notification_status=Status.SUCCESS).count() >= count

    return are_announced


async def accepted_and_repeated(sandbox: Sandbox, approvals: Sequence[Approval]) -> tuple[Counter[int], Counter[int]]:
    """How many approvals were taken 0, 1, 2 … times, and how many were told "already there" so many times."""
    codes = await sandbox.codes(UPDATE_PATH)
    accepted = Counter(codes.get(approval.number, {}).get("S000", 0) for approval in approvals)
    repeated = Counter(codes.get(approval.number, {}).get("S015", 0) for approval in approvals)
    return accepted, repeated


async def fastest_second(sandbox: Sandbox, *, allowed: int) -> int:
    """The most calls that one path saw in a second; fails when they were too many, or one was turned away."""
    paths = (await sandbox.summary())["paths"]
    fastest = max(path["max_per_second"] for path in paths.values())
    assert fastest <= allowed + LATE_ARRIVALS
    assert not any("429" in path["statuses"] for path in paths.values())
    return fastest


async def test_killed_workers_lose_nothing_and_repeat_only_what_was_in_flight(
    database: DatabaseConfig, engines: Engines, tmp_path: Path
):
    approvals = await make_approvals(200)
    async with sandbox_process(
        tmp_path, latency_s=LATENCY_SECONDS, rate_per_second=AMPLE + LATE_ARRIVALS, refuse_repeats=True
    ) as sandbox:
        begun = monotonic()
        settings = settings_for(database, engines, sandbox, calls_per_second=AMPLE)
        async with workers(settings, tmp_path) as group:
            for announced in (30, 80, 130):
                victim = await group.start()
                await until(at_least(announced), within_seconds=SECONDS_TO_THE_END)
                await victim.kill()
            last = await group.start()
            await until(at_least(200), within_seconds=SECONDS_TO_THE_END)
            took = monotonic() - begun
            exit_code = await last.end()
            logs = group.logs()
        accepted, repeated = await accepted_and_repeated(sandbox, approvals)
        fastest = await fastest_second(sandbox, allowed=AMPLE)

    unfinished = await NotificationAttempt.filter(finished_at=None).count()
    print(  # noqa: T201 - the figures are what the test is for
        f"\n200 approvals, 3 kills: {took:.1f} s; accepted once: {accepted[1]}, told twice: {repeated[1]},"
        f" attempts without end: {unfinished}, fastest second: {fastest} calls"
    )
    assert accepted == {1: 200}
    assert repeated[1] <= 3
    assert set(repeated) <= {0, 1}
    assert unfinished <= 3
    assert await Approval.filter(pe_notification_status=Status.SUCCESS, lease_token=None).count() == 200
    assert exit_code == 0
    assert await WorkerHeartbeat.filter(stopped_at=None).count() == 3
    assert "Traceback" not in logs
    await assert_no_personal_data_in(logs)


async def test_two_workers_a_replaced_one_and_a_wiped_valkey_announce_everything_once(
    database: DatabaseConfig, engines: Engines, tmp_path: Path, valkey: redis.asyncio.Redis
):
    approvals = await make_approvals(150)
    async with sandbox_process(tmp_path, latency_s=LATENCY_SECONDS, rate_per_second=TIGHT + LATE_ARRIVALS) as sandbox:
        begun = monotonic()
        settings = settings_for(database, engines, sandbox, calls_per_second=TIGHT)
        async with workers(settings, tmp_path) as group:
            replaced, _ = await asyncio.gather(group.start(), group.start())
            async with connect(engines.redis_url) as client:
                for approval in approvals:
                    await JobQueue(client).ring(NOTIFY_APPROVAL, approval.id)
            await until(at_least(30), within_seconds=SECONDS_TO_THE_END)
            await valkey.flushall()
            exit_code = await replaced.end()
            await group.start()
            await until(at_least(80), within_seconds=SECONDS_TO_THE_END)
            await valkey.flushall()
            await until(at_least(150), within_seconds=SECONDS_TO_THE_END)
            took = monotonic() - begun
            await group.end_all()
            logs = group.logs()
        accepted, repeated = await accepted_and_repeated(sandbox, approvals)
        fastest = await fastest_second(sandbox, allowed=TIGHT)

    by_bell = await attempts_outside_runs()
    print(  # noqa: T201 - the figures are what the test is for
        f"\n150 approvals, 2 workers, 1 of them replaced, 2 FLUSHALL: {took:.1f} s; accepted once: {accepted[1]},"
        f" by the bell: {by_bell}, fastest second: {fastest} calls"
    )
    assert fastest >= TIGHT - LATE_ARRIVALS
    assert accepted == {1: 150}
    assert repeated == {0: 150}
    assert 0 < by_bell < 150
    assert await NotificationAttempt.all().count() == 150
    assert exit_code == 0
    assert await NotificationAttempt.filter(finished_at=None).count() == 0
    assert await WorkerHeartbeat.filter(stopped_at__isnull=False).count() == 3
    assert (await CronRun.get(name="notify_approvals")).succeeded
    await assert_no_personal_data_in(logs)


async def attempts_outside_runs() -> int:
    """Attempts that the bell began: each has a trace of its own, those of a run share one."""
    rows = await fetch_all(
        "SELECT count(*) AS alone FROM (SELECT trace_id FROM notification_attempt GROUP BY trace_id"
        " HAVING count(*) = 1) AS traces"
    )
    return rows[0]["alone"]


async def assert_no_personal_data_in(logs: str) -> None:
    for profile in await JobSeekerProfile.all().select_related("user"):
        for secret in (str(profile.nir), profile.user.last_name, str(profile.user.email)):
            assert secret not in logs
