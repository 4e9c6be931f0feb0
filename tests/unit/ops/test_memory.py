"""What is dear to find out is found out once; what is cheap is never old."""

from __future__ import annotations

import asyncio

import pytest

from ops.dashboard.memory import Memory


class Work:
    """Takes a time of a clock that stands still otherwise, and counts how often it was done."""

    def __init__(self, seconds: float) -> None:
        self.now = 100.0
        self.seconds = seconds
        self.done = 0

    async def do(self) -> int:
        self.done += 1
        self.now += self.seconds
        return self.done

    def memory(self) -> Memory:
        return Memory(lambda: self.now)


async def test_what_is_quick_is_read_each_time():
    work = Work(0.05)
    memory = work.memory()

    assert [await memory.recall("a", work.do) for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize(("seconds", "kept"), [(0.1, 2.0), (0.4, 8.0), (3.0, 10.0)])
async def test_what_takes_long_is_remembered_in_proportion_and_never_for_long(seconds: float, kept: float):
    work = Work(seconds)
    memory = work.memory()
    await memory.recall("a", work.do)

    work.now += kept - 0.01
    before = await memory.recall("a", work.do)
    work.now += 0.02
    after = await memory.recall("a", work.do)

    assert (before, after) == (1, 2)


async def test_who_asks_meanwhile_waits_for_the_one_answer():
    begun, go_on, times = asyncio.Event(), asyncio.Event(), 0
    clock = iter((0.0, 1.0, 1.1, 1.2))
    memory = Memory(lambda: next(clock))

    async def read() -> str:
        nonlocal times
        times += 1
        begun.set()
        await go_on.wait()
        return "found"

    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(memory.recall("a", read)) for _ in range(3)]
        await begun.wait()
        go_on.set()

    assert [task.result() for task in asked] == ["found"] * 3
    assert times == 1


async def test_a_failure_is_not_remembered_and_other_figures_are_others():
    work = Work(1.0)
    memory = work.memory()

    async def fail() -> int:
        work.now += 1
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await memory.recall("a", fail)

    assert await memory.recall("a", work.do) == 1
    assert await memory.recall("b", work.do) == 2
    assert await memory.recall("a", work.do) == 1
