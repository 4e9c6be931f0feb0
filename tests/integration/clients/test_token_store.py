"""The shared token store on a real Valkey, and on one that is not there."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import redis.asyncio
from structlog.testing import capture_logs

from clients.token_store import LockState, ValkeyTokenStore
from demo.engines import Engines

KEY = "france_travail:partenaire:PAR_tests:0123"


@pytest.fixture
def store(valkey: redis.asyncio.Redis) -> ValkeyTokenStore:
    return ValkeyTokenStore(valkey, lock_wait_seconds=5, poll_seconds=0.005)


@pytest.fixture
async def store_without_valkey() -> AsyncIterator[ValkeyTokenStore]:
    client: redis.asyncio.Redis = redis.asyncio.from_url("redis://127.0.0.1:9/0")
    yield ValkeyTokenStore(client, lock_wait_seconds=5)
    await client.aclose()


async def test_a_value_is_kept_with_its_time_to_live(store: ValkeyTokenStore, valkey: redis.asyncio.Redis):
    await store.set(KEY, "Bearer abc", 1489)

    assert await store.get(KEY) == "Bearer abc"
    assert 1480 < await valkey.ttl(f"partner-token:{KEY}") <= 1489


async def test_a_client_that_decodes_answers_serves_as_well(valkey: redis.asyncio.Redis, engines: Engines):
    decoding: redis.asyncio.Redis = redis.asyncio.from_url(engines.redis_url, decode_responses=True)
    await ValkeyTokenStore(valkey).set(KEY, "Bearer abc", 100)

    value = await ValkeyTokenStore(decoding).get(KEY)

    await decoding.aclose()
    assert value == "Bearer abc"


async def test_a_deleted_or_unknown_key_is_none(store: ValkeyTokenStore):
    await store.set(KEY, "Bearer abc", 100)
    await store.delete(KEY)

    assert await store.get(KEY) is None
    assert await store.get("unknown") is None


async def test_the_lock_lets_one_holder_in_at_a_time(store: ValkeyTokenStore):
    inside = 0
    most = 0

    async def hold() -> None:
        nonlocal inside, most
        async with store.lock(KEY, 10):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(hold() for _ in range(20)))

    assert most == 1


async def test_the_lock_is_free_again_after_an_error_inside(store: ValkeyTokenStore, valkey: redis.asyncio.Redis):
    with pytest.raises(ValueError, match="inside"):
        async with store.lock(KEY, 10):
            raise ValueError("inside")

    assert await valkey.exists(f"partner-token:lock:{KEY}") == 0


async def test_a_holder_whose_lease_ran_out_does_not_free_the_lock_of_the_next_one(
    store: ValkeyTokenStore, valkey: redis.asyncio.Redis
):
    name = f"partner-token:lock:{KEY}"

    async with store.lock(KEY, 10):
        await valkey.set(name, "the next holder")  # as if the lease had run out meanwhile

    assert await valkey.get(name) == b"the next holder"


async def test_the_lock_of_a_killed_holder_ends_with_its_lease(store: ValkeyTokenStore, valkey: redis.asyncio.Redis):
    async with store.lock(KEY, 10) as state:
        remaining_ms = await valkey.pttl(f"partner-token:lock:{KEY}")

    assert state is LockState.HELD
    assert 9_000 < remaining_ms <= 10_000


async def test_a_lock_kept_for_too_long_by_somebody_else_is_passed_without(valkey: redis.asyncio.Redis):
    name = f"partner-token:lock:{KEY}"
    await valkey.set(name, "somebody else")
    impatient = ValkeyTokenStore(valkey, lock_wait_seconds=0.02, poll_seconds=0.005)
    states: list[LockState] = []

    async with impatient.lock(KEY, 10) as state:
        states.append(state)

    assert states == [LockState.BUSY]
    assert await valkey.get(name) == b"somebody else"


async def test_without_valkey_nothing_fails_and_nothing_is_remembered(store_without_valkey: ValkeyTokenStore):
    store = store_without_valkey
    states: list[LockState] = []

    await store.set(KEY, "Bearer abc", 100)
    await store.delete(KEY)
    async with asyncio.timeout(3), store.lock(KEY, 10) as state:
        states.append(state)

    assert await store.get(KEY) is None
    assert states == [LockState.CACHE_DOWN]


async def test_a_valkey_that_never_answers_costs_one_second_at_most_a_command():
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client: redis.asyncio.Redis = redis.asyncio.from_url(f"redis://127.0.0.1:{port}/0")
    store = ValkeyTokenStore(client, command_seconds=0.05, lock_wait_seconds=5)

    async with asyncio.timeout(2), store.lock(KEY, 10):
        value = await store.get(KEY)

    await client.aclose()
    server.close()
    await server.wait_closed()
    assert value is None


async def test_a_cache_trouble_is_logged_without_the_token(store_without_valkey: ValkeyTokenStore):
    with capture_logs() as logged:
        await store_without_valkey.set(KEY, "Bearer very-secret", 100)

    assert logged == [{"event": "token_cache_failed", "log_level": "warning", "error": "ConnectionError"}]
