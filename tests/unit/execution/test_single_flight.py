"""Sharing computations: once for all who ask, never for longer than a moment, never without bound."""

from __future__ import annotations

import asyncio

import pytest

from execution.single_flight import SingleFlight


class Work:
    """A computation that counts its runs and ends when it is told to."""

    def __init__(self) -> None:
        self.runs = 0
        self.may_end = asyncio.Event()

    async def __call__(self) -> str:
        self.runs += 1
        await self.may_end.wait()
        return "done"


async def _all_waiting() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_all_who_ask_at_the_same_time_share_one_computation():
    flights = SingleFlight[str]()
    work = Work()
    askers = [asyncio.create_task(flights.get("key", work)) for _ in range(100)]
    await _all_waiting()

    work.may_end.set()

    assert await asyncio.gather(*askers) == ["done"] * 100
    assert (work.runs, flights.computed, flights.shared) == (1, 1, 99)


async def test_other_keys_are_other_computations():
    flights = SingleFlight[str]()
    work = Work()
    work.may_end.set()

    await asyncio.gather(*(flights.get(("key", number), work) for number in range(10)))

    assert work.runs == 10


async def test_the_first_who_asked_may_leave_without_taking_the_answer_from_the_others():
    flights = SingleFlight[str]()
    work = Work()
    first = asyncio.create_task(flights.get("key", work))
    await _all_waiting()
    second = asyncio.create_task(flights.get("key", work))
    await _all_waiting()

    first.cancel()
    work.may_end.set()

    assert await second == "done"
    assert first.cancelled()
    assert work.runs == 1


async def test_a_failure_reaches_all_who_wait_and_is_not_remembered():
    flights = SingleFlight[str]()
    runs: list[int] = []

    async def fail() -> str:
        runs.append(1)
        await asyncio.sleep(0)
        raise ValueError("broken")

    answers = await asyncio.gather(*(flights.get("key", fail) for _ in range(3)), return_exceptions=True)
    with pytest.raises(ValueError, match="broken"):
        await flights.get("key", fail)

    assert [type(answer) for answer in answers] == [ValueError] * 3
    assert len(runs) == 2


async def test_a_value_is_computed_anew_once_it_is_older_than_allowed():
    flights = SingleFlight[str](max_age_seconds=-1)
    work = Work()
    work.may_end.set()

    await flights.get("key", work)
    await flights.get("key", work)

    assert work.runs == 2


async def test_only_so_many_values_are_remembered():
    flights = SingleFlight[str](max_values=2)
    work = Work()
    work.may_end.set()
    for key in ("a", "b", "c"):
        await flights.get(key, work)

    await flights.get("c", work)
    await flights.get("a", work)

    assert work.runs == 4, "c was remembered, a was not"


async def test_only_so_much_weight_is_remembered():
    flights = SingleFlight[str](max_weight=10, weigh=len)
    runs: list[str] = []

    async def value(text: str) -> str:
        runs.append(text)
        return text

    for text in ("1234", "123456", "12345"):
        await flights.get(text, lambda text=text: value(text))
        await _all_waiting()
    for text in ("12345", "1234"):
        await flights.get(text, lambda text=text: value(text))

    assert runs == ["1234", "123456", "12345", "1234"]


async def test_closing_ends_what_is_under_way():
    flights = SingleFlight[str]()
    asker = asyncio.create_task(flights.get("key", Work()))
    await _all_waiting()

    await flights.aclose()

    with pytest.raises(asyncio.CancelledError):
        await asker
