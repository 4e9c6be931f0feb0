"""A deployment starts in any order: what finds no PostgreSQL waits for it, and can be told to stop meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.damage import settled, settlements_counted
from benchmarks.faults.load import deliver, get
from benchmarks.faults.people import people_of_appointments
from benchmarks.faults.stage import Program, Theatre

pytestmark = pytest.mark.e2e

WITHIN_SECONDS = 60


async def until_logged(program: Program, text: str) -> None:
    async with asyncio.timeout(WITHIN_SECONDS):
        while text not in program.log_text():
            assert not program.has_ended, program.log_text()
            await asyncio.sleep(0.1)


async def test_processes_that_start_before_postgresql_serve_once_it_is_there(stages: Theatre):
    async with stages.stage("order") as stage, settlements_counted():
        bookings = await people_of_appointments(events=5)
        await stages.engines.stop_postgres(crash=False)
        _, port = await stage.start_api()
        worker, leaver = await stage.start_worker(), await stage.start_worker()
        await until_logged(worker, "worker_waits_for_database")
        await until_logged(leaver, "worker_waits_for_database")

        status, _ = await get(port, "/readyz")
        exit_code = await leaver.end()
        await stages.engines.start_postgres()
        await deliver(bookings.story.webhooks, [port])
        await settled()

        assert (status, exit_code) == (503, 0)
        assert not worker.has_ended
        assert "process_failed" not in worker.log_text() + leaver.log_text()
