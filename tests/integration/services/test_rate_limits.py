"""How processes tell each other, through Valkey, what clients took of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import redis.asyncio
import structlog

from services.rate_limits import Limiter, Policy, SharedCounts
from tests.waiting import until

KEY = b"tests-only"


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Process:
    """One process's count. Its clock stands still: what it forgives, it was told to."""

    limiter: Limiter
    shared: SharedCounts

    def take(self, count: int, client: str = "somebody") -> int:
        """How many were let through."""
        return sum(not self.limiter.take(client).is_refused for _ in range(count))


def processes(valkey: redis.asyncio.Redis, count: int, quota: int = 100) -> Sequence[Process]:
    # So long a window that nothing of a debt is paid while a test runs.
    limiters = [Limiter(Policy(name="tests", quota=quota, window_seconds=36_000), clock=Clock()) for _ in range(count)]
    return [Process(limiter, SharedCounts(valkey, [limiter], hash_key=KEY)) for limiter in limiters]


async def test_what_was_taken_of_one_process_is_missing_at_the_others(valkey: redis.asyncio.Redis):
    first, second = processes(valkey, 2)

    first.take(60)
    await first.shared.exchange()
    second.take(1)
    await second.shared.exchange()

    assert 38 <= second.take(100) <= 39


async def test_processes_that_count_at_the_same_time_lose_none_of_it(valkey: redis.asyncio.Redis):
    first, second, third = processes(valkey, 3)
    for process in (first, second, third):
        process.take(30)
    for process in (first, second, third):
        await process.shared.exchange()

    assert 9 <= third.take(100) <= 10


async def test_what_is_taken_while_processes_exchange_is_counted_once(valkey: redis.asyncio.Redis):
    first, second = processes(valkey, 2)
    for _ in range(5):
        first.take(10)
        await first.shared.exchange()
    await first.shared.exchange()
    second.take(1)
    await second.shared.exchange()

    assert 48 <= second.take(100) <= 49
    assert 49 <= first.take(100) <= 50


async def test_a_debt_is_never_longer_than_the_window_however_many_processes_let_somebody_through(
    valkey: redis.asyncio.Redis,
):
    several = processes(valkey, 4, quota=10)
    for process in several:
        assert process.take(10) == 10
    for process in several:
        await process.shared.exchange()

    assert all(process.take(1) == 0 for process in several)
    assert several[0].limiter.take("somebody").retry_after <= 3_600


async def test_many_clients_are_told_of_in_few_commands(valkey: redis.asyncio.Redis):
    (process,) = processes(valkey, 1)
    for number in range(1_200):
        process.take(1, f"client {number}")
    before = (await valkey.info("commandstats")).get("cmdstat_eval", {"calls": 0})["calls"]

    await process.shared.exchange()

    after = (await valkey.info("commandstats"))["cmdstat_eval"]["calls"]
    assert after - before == 3
    assert len(await valkey.keys("rate:tests:*")) == 1_200


async def test_who_is_silent_costs_nothing(valkey: redis.asyncio.Redis):
    (process,) = processes(valkey, 1)
    process.take(1)
    await process.shared.exchange()
    await valkey.flushall()

    await process.shared.exchange()

    assert await valkey.keys() == []


async def test_a_key_tells_no_address_and_ends_with_its_debt(valkey: redis.asyncio.Redis):
    limiter = Limiter(Policy(name="address", quota=60))
    limiter.take("address 192.0.2.17", 5)

    await SharedCounts(valkey, [limiter], hash_key=KEY).exchange()

    (key,) = await valkey.keys()
    assert b"192" not in key
    assert 0 < await valkey.pttl(key) <= 5_000


async def test_without_valkey_each_process_counts_by_itself_and_says_so_once():
    async with redis.asyncio.from_url("redis://127.0.0.1:1/0") as nowhere:
        (process,) = processes(nowhere, 1)
        with structlog.testing.capture_logs() as logs:
            for _ in range(3):
                process.take(50)
                await process.shared.exchange()

        assert process.take(1) == 0
    assert [(line["event"], line["log_level"]) for line in logs] == [("rate_limits_apart", "warning")]


async def test_what_could_not_be_told_is_told_when_valkey_is_back(valkey: redis.asyncio.Redis):
    here, there = processes(valkey, 2)
    async with redis.asyncio.from_url("redis://127.0.0.1:1/0") as nowhere:
        here.take(70)
        await SharedCounts(nowhere, [here.limiter], hash_key=KEY).exchange()

    with structlog.testing.capture_logs():
        await here.shared.exchange()
    there.take(1)
    await there.shared.exchange()

    assert 28 <= there.take(100) <= 29


async def test_an_emptied_valkey_gives_nobody_a_new_quota_where_they_are_known(valkey: redis.asyncio.Redis):
    (process,) = processes(valkey, 1)
    process.take(99)
    await process.shared.exchange()

    await valkey.flushall()
    process.take(1)
    await process.shared.exchange()

    assert process.take(1) == 0


async def test_a_process_that_ends_tells_what_it_has_not_told_yet(valkey: redis.asyncio.Redis):
    (process,) = processes(valkey, 1)

    async with process.shared.kept_in_step():
        process.take(1)

    assert len(await valkey.keys("rate:tests:*")) == 1


async def test_processes_exchange_by_themselves(valkey: redis.asyncio.Redis):
    limiter = Limiter(Policy(name="tests", quota=100))
    shared = SharedCounts(valkey, [limiter], hash_key=KEY, interval_seconds=0.01)

    async def is_told() -> bool:
        return len(await valkey.keys("rate:tests:*")) == 1

    async with shared.kept_in_step():
        limiter.take("somebody", 50)

        await until(is_told, within_seconds=10)
