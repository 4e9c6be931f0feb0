"""How often one client of the API may ask for something costly, counted in Valkey over all processes."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable
from typing import cast

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

# A bucket that empties evenly (GCRA): one time a client, that at which everything taken so far will be paid for. The
# clock is Valkey's own, one for all processes. Returns 0, or the milliseconds until the next one may be taken.
_TAKE = """
local clock = redis.call("time")
local now = clock[1] * 1000 + clock[2] / 1000
local spacing, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local paid_at = math.max(tonumber(redis.call("get", KEYS[1]) or now), now)
local wait = paid_at + spacing - now - window
if wait > 0 then
    return math.ceil(wait)
end
redis.call("set", KEYS[1], string.format("%.3f", paid_at + spacing), "px", math.ceil(paid_at + spacing - now))
return 0
"""
_WINDOW_MS = 60_000
_COMMAND_SECONDS = 0.25


class Throttle:
    """So many times a minute and client. Without Valkey everything passes: what is behind keeps its own pace."""

    def __init__(self, redis: Redis, *, name: str, per_minute: int, hash_key: bytes) -> None:
        self._redis = redis
        self._name = name
        self._spacing_ms = _WINDOW_MS / per_minute
        self._hash_key = hash_key

    async def take(self, client: str) -> float:
        """Take one. Returns 0, or for how many seconds the client is to wait, in which case nothing was taken."""
        # An address on the network is personal: the key tells none.
        digest = hmac.new(self._hash_key, client.encode(), hashlib.sha256).hexdigest()
        taking = self._redis.eval(_TAKE, 1, f"throttle:{self._name}:{digest}", str(self._spacing_ms), str(_WINDOW_MS))
        try:
            async with asyncio.timeout(_COMMAND_SECONDS):
                return await cast("Awaitable[int]", taking) / 1000
        except (RedisError, OSError) as error:  # OSError: also the TimeoutError of the line above
            log.warning("throttle_off", name=self._name, error_class=type(error).__name__)
            return 0.0
