"""The pace of calls: one for all tasks, pools and processes, kept by the clock of the database."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from time import time

import pytest

from models import PacingGate
from models.database import DatabaseConfig
from services.pacing import PostgresPacer

pytestmark = pytest.mark.usefixtures("database")

GATE = "partner:operation"
SPACING = 0.02
CALLS_PER_SECOND = 1 / SPACING
TOLERANCE = 0.001  # timers wake up a little early or late

# What one worker process does: open its own pool, take slots, say when it got each.
WORKER = """
import asyncio, sys
from time import time
from models.database import DatabaseConfig, close_database, open_database
from models.encryption import KeyRing
from services.pacing import PostgresPacer

async def main(url, key, rate, calls):
    await open_database(DatabaseConfig(url=url, keys=KeyRing(keys=(b"0" * 32,), fingerprint_key=b"0" * 32)))
    pacer = PostgresPacer({key: rate})
    for _ in range(calls):
        await pacer.wait(key)
        print(time(), flush=True)
    await close_database()

asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])))
"""


def most_in_a_second(moments: Sequence[float]) -> int:
    ordered = sorted(moments)
    return max(sum(start <= moment < start + 1 for moment in ordered) for start in ordered)


async def take(pacer: PostgresPacer, calls: int) -> list[float]:
    moments: list[float] = []
    for _ in range(calls):
        await pacer.wait(GATE)
        moments.append(time())
    return moments


async def test_concurrent_tasks_get_their_slots_one_after_the_other():
    pacer = PostgresPacer({GATE: CALLS_PER_SECOND})
    begun = time()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(take(pacer, 5)) for _ in range(4)]

    moments = sorted(moment for task in tasks for moment in task.result())
    assert len(moments) == 20
    assert moments[-1] - begun >= 19 * SPACING - TOLERANCE


async def test_the_first_slot_is_free_at_once_and_idle_time_is_not_saved_up():
    pacer = PostgresPacer({GATE: CALLS_PER_SECOND})
    await PacingGate.create(key=GATE, next_free_at="2020-01-01T00:00:00+00:00")
    begun = time()

    moments = await take(pacer, 3)

    assert moments[-1] - begun >= 2 * SPACING - TOLERANCE


async def test_two_processes_share_one_pace(database: DatabaseConfig):
    arguments = (database.url, GATE, str(CALLS_PER_SECOND), "40")
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", WORKER, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        for _ in range(2)
    ]
    outputs = [await process.communicate() for process in processes]

    assert [process.returncode for process in processes] == [0, 0], outputs
    moments = [float(line) for stdout, _ in outputs for line in stdout.split()]
    assert len(moments) == 80
    # The slots are exact; when a process wakes up for its own is up to the machine.
    assert most_in_a_second(moments) <= CALLS_PER_SECOND + 3


async def test_a_held_gate_is_closed_for_everyone_and_never_opened_early_by_another_hold():
    one, other = PostgresPacer({GATE: CALLS_PER_SECOND}), PostgresPacer({GATE: CALLS_PER_SECOND})
    begun = time()
    await one.hold(GATE, 0.3)
    await other.hold(GATE, 0.01)

    await other.wait(GATE)

    assert time() - begun >= 0.3 - TOLERANCE


async def test_gates_do_not_wait_for_each_other():
    pacer = PostgresPacer({GATE: CALLS_PER_SECOND, "other": CALLS_PER_SECOND})
    await pacer.hold(GATE, 3600)

    async with asyncio.timeout(2):
        await pacer.wait("other")

    assert await PacingGate.all().count() == 2


async def test_a_gate_without_a_rate_is_a_mistake_that_says_so():
    pacer = PostgresPacer({GATE: 1})

    with pytest.raises(ValueError, match=r"unheard-of.*partner:operation"):
        await pacer.wait("unheard-of")
    with pytest.raises(ValueError, match="not above 0"):
        PostgresPacer({GATE: 0})
