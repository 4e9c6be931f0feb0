"""Tokens of partners, shared by all processes through Valkey.

Fail-safe: a cache that is slow, full or down costs a token call more and never a partner call. So nothing here raises
for the cache's sake, and a lock that cannot be had in time is passed without.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from enum import StrEnum
from time import monotonic
from typing import Any, Protocol, TypeVar, cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

T = TypeVar("T")

log = structlog.get_logger(__name__)

# Deletes the lock only while it is still ours: a lease that ran out may have passed to somebody else.
_RELEASE = """
if redis.call("get", KEYS[1]) == ARGV[1] then
    return redis.call("del", KEYS[1])
end
return 0
"""


class LockState(StrEnum):
    """How the body of a lock runs. For most tokens it does not matter: one token call more hurts nobody."""

    HELD = "held"
    BUSY = "busy"  # somebody else kept it for longer than we wait
    CACHE_DOWN = "cache_down"


class TokenStore(Protocol):
    """Where the current token of a key is kept. The values are secrets."""

    async def get(self, key: str) -> str | None: ...

    async def set(self, key: str, value: str, ttl_seconds: int) -> None: ...

    async def delete(self, key: str) -> None: ...

    def lock(self, key: str, lease_seconds: float) -> AbstractAsyncContextManager[LockState]:
        """Hold off the other processes while one renews. Advisory: after a bounded wait the body runs anyway."""
        ...


class _CacheDownError(Exception):
    """The cache gave no answer; it has been logged. Never leaves this module."""


class ValkeyTokenStore:
    """The token store over Valkey or Redis, whether or not the client decodes its answers."""

    def __init__(
        self,
        redis: Redis,
        *,
        prefix: str = "partner-token:",
        command_seconds: float = 1.0,
        lock_wait_seconds: float = 10.0,
        poll_seconds: float = 0.05,
    ) -> None:
        self._redis = redis
        self._prefix = prefix
        self._command_seconds = command_seconds
        self._lock_wait_seconds = lock_wait_seconds
        self._poll_seconds = poll_seconds

    async def get(self, key: str) -> str | None:
        with suppress(_CacheDownError):
            value = await self._run(self._redis.get(self._prefix + key))
            return value.decode() if isinstance(value, bytes) else cast("str | None", value)
        return None

    async def set(self, key: str, value: str, ttl_seconds: int) -> None:
        with suppress(_CacheDownError):
            await self._run(self._redis.set(self._prefix + key, value, ex=ttl_seconds))

    async def delete(self, key: str) -> None:
        with suppress(_CacheDownError):
            await self._run(self._redis.delete(self._prefix + key))

    @asynccontextmanager
    async def lock(self, key: str, lease_seconds: float) -> AsyncGenerator[LockState, None]:
        name = f"{self._prefix}lock:{key}"
        owner = secrets.token_hex(16)
        state = await self._acquire(name, owner, lease_seconds)
        try:
            yield state
        finally:
            if state is LockState.HELD:
                with suppress(_CacheDownError):
                    await self._run(cast("Awaitable[Any]", self._redis.eval(_RELEASE, 1, name, owner)))

    async def _acquire(self, name: str, owner: str, lease_seconds: float) -> LockState:
        give_up_at = monotonic() + self._lock_wait_seconds
        lease_ms = max(int(lease_seconds * 1000), 1)
        with suppress(_CacheDownError):
            while not await self._run(self._redis.set(name, owner, nx=True, px=lease_ms)):
                if monotonic() >= give_up_at:
                    log.warning("token_lock_not_obtained", waited_seconds=self._lock_wait_seconds)
                    return LockState.BUSY
                await asyncio.sleep(self._poll_seconds)
            return LockState.HELD
        return LockState.CACHE_DOWN

    async def _run(self, command: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._command_seconds):
                return await command
        except (RedisError, OSError) as error:  # OSError: also the TimeoutError of the line above
            # The class only: the text of a Redis error may repeat the command, and the command holds the token.
            log.warning("token_cache_failed", error=type(error).__name__)
        raise _CacheDownError
