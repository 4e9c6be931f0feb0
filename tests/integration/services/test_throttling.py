"""The limit of each client, over all processes."""

from __future__ import annotations

import asyncio

import redis.asyncio

from services.throttling import Throttle


def make_throttle(valkey: redis.asyncio.Redis, per_minute: int) -> Throttle:
    return Throttle(valkey, name="searches", per_minute=per_minute, hash_key=b"tests-only")


async def test_so_many_pass_at_once_over_all_processes_and_the_next_is_told_when(valkey: redis.asyncio.Redis):
    processes = [make_throttle(valkey, 10), make_throttle(valkey, 10)]

    waits = await asyncio.gather(*(processes[turn % 2].take("somebody") for turn in range(20)))

    assert sorted(waits)[:10] == [0.0] * 10
    assert all(0 < wait <= 6 for wait in sorted(waits)[10:])


async def test_one_client_leaves_another_its_own_share(valkey: redis.asyncio.Redis):
    throttle = make_throttle(valkey, 1)

    waits = [await throttle.take(client) for client in ("one", "one", "other")]

    assert waits[0] == waits[2] == 0.0
    assert 0 < waits[1] <= 60


async def test_a_key_tells_no_address_and_ends_by_itself(valkey: redis.asyncio.Redis):
    await make_throttle(valkey, 60).take("192.0.2.17")

    (key,) = await valkey.keys()

    assert b"192" not in key
    assert 0 < await valkey.pttl(key) <= 1_000


async def test_without_valkey_everything_passes():
    async with redis.asyncio.from_url("redis://127.0.0.1:1/0") as nowhere:
        assert await make_throttle(nowhere, 1).take("somebody") == 0.0
        assert await make_throttle(nowhere, 1).take("somebody") == 0.0
