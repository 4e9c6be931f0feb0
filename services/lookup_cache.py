"""The cache in front of look-ups, in Valkey: JSON and nothing else, and never a reason to fail.

Own code rather than a caching library: those at hand store pickles by default, take one lock a key and a round trip a
key, and let an outage of the cache through to the caller.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any, TypeVar, cast

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

T = TypeVar("T")

log = structlog.get_logger(__name__)

# Deletes the claims that are still ours: one that ran out may have passed to somebody else.
_RELEASE = """
for _, key in ipairs(KEYS) do
    if redis.call("get", key) == ARGV[1] then
        redis.call("del", key)
    end
end
return 0
"""
_COMMAND_SECONDS = 0.5
_COOLING_SECONDS = 1.0
_POLL_SECONDS = 0.03


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """A value as JSON has it, None for nothing, and when it was fetched, in seconds since 1970."""

    at: float
    value: Any


class Tasks:
    """The questions under way in this process: each has an owner, which ends it with the process."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, body: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        task = asyncio.create_task(body, name=name)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    async def aclose(self) -> None:
        """End what is still under way."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(set(self._running))

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        # Whoever waited may be gone: then nobody else would ever look at the exception.
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("lookup_failed", name=task.get_name(), error_class=type(error).__name__)


class _CacheDownError(Exception):
    """The cache gave no answer; it has been logged. Never leaves this module."""


class LookupCache:
    """Entries and claims. While Valkey is away: nothing is known, every claim is granted, nothing waits for long."""

    def __init__(
        self,
        redis: Redis,
        *,
        hash_key: bytes,
        prefix: str = "lookup:",
        command_seconds: float = _COMMAND_SECONDS,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._redis = redis
        self._hash_key = hash_key
        self._prefix = prefix
        self._command_seconds = command_seconds
        self._clock = clock
        self._cooled_at = 0.0
        self.tasks = Tasks()

    async def aclose(self) -> None:
        """End the questions under way; the connection is whose who made it."""
        await self.tasks.aclose()

    def hashed(self, text: str) -> str:
        """A key that tells nothing of the text to whoever reads the cache."""
        return hmac.new(self._hash_key, text.encode(), hashlib.sha256).hexdigest()

    async def get_many(self, keys: Sequence[str]) -> dict[str, CacheEntry]:
        """The entries there are, in one round trip."""
        if not keys:
            return {}
        try:
            values = await self._run(self._redis.mget([self._prefix + key for key in keys]))
        except _CacheDownError:
            return {}
        entries = {key: _entry(value) for key, value in zip(keys, values, strict=True)}
        return {key: entry for key, entry in entries.items() if entry is not None}

    async def set_many(self, entries: Mapping[str, tuple[CacheEntry, timedelta]]) -> None:
        """Keep each entry for so long, in one round trip."""
        pipeline = self._redis.pipeline(transaction=False)
        for key, (entry, kept_for) in entries.items():
            value = orjson.dumps({"at": entry.at, "value": entry.value})
            pipeline.set(self._prefix + key, value, px=max(int(kept_for.total_seconds() * 1000), 1))
        if entries:
            await self._quietly(pipeline.execute())

    @asynccontextmanager
    async def claiming(self, keys: Iterable[str], *, lease: timedelta) -> AsyncGenerator[frozenset[str], None]:
        """Claim the keys that nobody else asks for, until the block ends; those of a dead process run out."""
        wanted, owner = list(keys), secrets.token_hex(16)
        held = await self._claim(wanted, owner, lease)
        try:
            yield frozenset(held)
        finally:
            if held:
                names = [self._claim_name(key) for key in held]
                await self._quietly(cast("Awaitable[Any]", self._redis.eval(_RELEASE, len(names), *names, owner)))

    async def wait_for(self, keys: Sequence[str], *, timeout: timedelta) -> None:  # noqa: ASYNC109 (returns, never raises)
        """Return when nobody claims any of the keys any more, or at the latest after so long."""
        give_up_at = self._clock() + timeout.total_seconds()
        while self._clock() < give_up_at and await self._are_claimed(keys):  # noqa: ASYNC110 (Valkey tells nobody)
            await asyncio.sleep(_POLL_SECONDS)

    async def _claim(self, keys: Sequence[str], owner: str, lease: timedelta) -> list[str]:
        pipeline = self._redis.pipeline(transaction=False)
        for key in keys:
            pipeline.set(self._claim_name(key), owner, nx=True, px=max(int(lease.total_seconds() * 1000), 1))
        try:
            granted = await self._run(pipeline.execute())
        except _CacheDownError:
            return list(keys)
        return [key for key, is_granted in zip(keys, granted, strict=True) if is_granted]

    async def _are_claimed(self, keys: Sequence[str]) -> bool:
        try:
            return bool(await self._run(self._redis.exists(*(self._claim_name(key) for key in keys))))
        except _CacheDownError:
            return False

    def _claim_name(self, key: str) -> str:
        return f"{self._prefix}claim:{key}"

    async def _quietly(self, command: Awaitable[Any]) -> None:
        try:
            await self._run(command)
        except _CacheDownError:
            return

    async def _run(self, command: Awaitable[T]) -> T:
        if self._clock() < self._cooled_at:
            _dispose(command)
            raise _CacheDownError
        try:
            async with asyncio.timeout(self._command_seconds):
                return await command
        except (RedisError, OSError) as error:  # OSError: also the TimeoutError of the line above
            # The class only: the text of a Redis error may repeat the command.
            log.warning("lookup_cache_failed", error_class=type(error).__name__)
        # For a moment nobody tries again: each caller would wait as long as this one did.
        self._cooled_at = self._clock() + _COOLING_SECONDS
        raise _CacheDownError


def _dispose(command: Awaitable[Any]) -> None:
    """A coroutine that is not to run after all; without this Python complains that nobody awaited it."""
    if asyncio.iscoroutine(command):
        command.close()


def _entry(value: bytes | str | None) -> CacheEntry | None:
    """None for nothing, and for whatever is no entry of ours."""
    if value is None:
        return None
    try:
        content = orjson.loads(value)
        return CacheEntry(float(content["at"]), content["value"])
    except (ValueError, TypeError, KeyError):
        return None
