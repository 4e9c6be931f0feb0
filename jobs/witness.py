"""A mark in Valkey that tells since when it has kept what it was given: it goes when everything goes.

Nothing is lost when Valkey is emptied, and so nothing would tell: somebody did it all the same, or it restarted without
its data, and the next thing in it may be one that matters.
"""

from __future__ import annotations

import asyncio
from datetime import datetime

from redis.asyncio import Redis
from redis.exceptions import RedisError

KEY = "traverse:witness"
_SECONDS = 1.0


class Witness:
    """Asked once when a process starts, and then by whoever wants to know."""

    def __init__(self, valkey: Redis) -> None:
        self._valkey = valkey

    async def kept_since(self, now: datetime) -> datetime | None:
        """Return when the mark was set: now, if it was not there. None: Valkey gives no answer, or another's mark."""
        try:
            async with asyncio.timeout(_SECONDS):
                before = await self._valkey.set(KEY, now.isoformat(), nx=True, get=True)
            return now if before is None else datetime.fromisoformat(before.decode())
        except (RedisError, OSError, ValueError):
            return None
