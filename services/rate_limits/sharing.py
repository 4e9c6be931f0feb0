"""What clients took of several processes, added up in Valkey twice a second, in one command for all of them.

Without Valkey each process goes on counting by itself: a client may then take its quota of every process once, and no
request ever waits for Valkey.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import islice
from typing import cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.rate_limits.buckets import Limiter

log = structlog.get_logger(__name__)

# A key is when the client's debt will be paid, by Valkey's own clock: one for all processes. Takes pairs of (debt that
# is new, window), and returns all debts of these clients, each in milliseconds.
_ADD = """
local clock = redis.call("time")
local now = clock[1] * 1000 + clock[2] / 1000
local debts = {}
for index, key in ipairs(KEYS) do
    local added, window = tonumber(ARGV[2 * index - 1]), tonumber(ARGV[2 * index])
    local known = math.max(tonumber(redis.call("get", key) or now), now)
    local debt = math.min(known - now + added, window)
    redis.call("set", key, string.format("%.3f", now + debt), "px", math.max(1, math.ceil(debt)))
    debts[index] = math.floor(debt)
end
return debts
"""
_MOST_KEYS = 500  # a command of so many takes Valkey about a millisecond
_COMMAND_SECONDS = 1.0


class SharedCounts:
    """Keeps the limiters of this process in step with those of all others."""

    def __init__(
        self, redis: Redis, limiters: Sequence[Limiter], *, hash_key: bytes, interval_seconds: float = 0.5
    ) -> None:
        self._redis = redis
        self._limiters = limiters
        self._hash_key = hash_key
        self._interval_seconds = interval_seconds
        self._is_apart = False

    @asynccontextmanager
    async def kept_in_step(self) -> AsyncGenerator[None]:
        """Exchange in the background during the block, and once more at its end."""
        task = asyncio.create_task(self._for_ever())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self.exchange()

    async def _for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._interval_seconds)
            await self.exchange()

    async def exchange(self) -> None:
        """Tell what was taken here since the last time, and learn what those clients took elsewhere. Never raises."""
        for limiter in self._limiters:
            unsent = limiter.unsent()
            try:
                for part in _parts(unsent):
                    await self._exchange(limiter, part)
            except (RedisError, OSError) as error:  # OSError: also the TimeoutError of a command
                limiter.send_again(unsent)
                self._note(type(error).__name__)
                return
            if unsent:
                self._note(None)

    async def _exchange(self, limiter: Limiter, taken: Mapping[str, float]) -> None:
        window = limiter.policy.window_seconds * 1000
        keys = [self._key(limiter, client) for client in taken]
        arguments = [text for seconds in taken.values() for text in (f"{seconds * 1000:.3f}", str(window))]
        asking = self._redis.eval(_ADD, len(keys), *keys, *arguments)
        async with asyncio.timeout(_COMMAND_SECONDS):
            debts = await cast("Awaitable[list[int]]", asking)
        for client, debt in zip(taken, debts, strict=True):
            limiter.learn(client, debt / 1000)

    def _key(self, limiter: Limiter, client: str) -> str:
        # An address on the network is personal: the key tells none.
        digest = hmac.new(self._hash_key, client.encode(), hashlib.sha256).hexdigest()
        return f"rate:{limiter.policy.name}:{digest}"

    def _note(self, error_class: str | None) -> None:
        """Say once that counts are no longer shared, and once that they are again."""
        if (error_class is not None) != self._is_apart:
            self._is_apart = error_class is not None
            if error_class is not None:
                log.warning("rate_limits_apart", error_class=error_class)
            else:
                log.info("rate_limits_shared")


def _parts(taken: Mapping[str, float]) -> list[Mapping[str, float]]:
    pairs = iter(taken.items())
    parts: list[Mapping[str, float]] = []
    while part := dict(islice(pairs, _MOST_KEYS)):
        parts.append(part)
    return parts
