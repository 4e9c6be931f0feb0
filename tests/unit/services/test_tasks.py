"""Tasks end when they are told to, even those that lose a cancellation."""

from __future__ import annotations

import asyncio

from services.tasks import end_tasks


async def test_a_task_that_loses_its_first_cancellation_ends_all_the_same():
    lost = 0

    async def careless() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1
                if lost == 2:
                    raise

    task = asyncio.create_task(careless())
    await asyncio.sleep(0)

    async with asyncio.timeout(5):
        await end_tasks([task])

    assert task.cancelled()
    assert lost == 2


async def test_how_a_task_ended_does_not_matter():
    async def fail() -> None:
        raise ValueError

    async def succeed() -> None: ...

    tasks = [asyncio.create_task(fail()), asyncio.create_task(succeed())]
    await asyncio.wait(tasks)

    await end_tasks(tasks)
    await end_tasks([])

    assert all(task.done() for task in tasks)
