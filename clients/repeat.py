"""One second attempt, for calls that change nothing at the partner: those may be repeated whatever became of the first.

The only retrying layer of such a call. What it gives up on is for the caller: a fallback, a later job, a message.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from clients.errors import ErrorCode, PartnerRateLimited, PartnerUnavailable

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """Which failures are worth a second attempt.

    `failure_pause_seconds` before it, after a 5xx or trouble on the wire; None: no second attempt then.
    `patience_seconds` is the longest that the partner may ask us to wait, after a 429 as well; 0: we do not wait.
    """

    failure_pause_seconds: float | None = None
    patience_seconds: float = 0.0

    def pause_after(self, error: PartnerUnavailable) -> float | None:
        """Seconds to wait before the second attempt; None when there is none."""
        asked = error.retry_after or 0.0
        if isinstance(error, PartnerRateLimited):
            return asked if 0 < self.patience_seconds >= asked else None
        is_failure = error.code == ErrorCode.HTTP_ERROR or (error.http_status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR
        if not is_failure or self.failure_pause_seconds is None or asked > self.patience_seconds:
            return None
        return max(self.failure_pause_seconds, asked)


async def with_one_repeat(attempt: Callable[[], Awaitable[T]], repeat: Repeat, *, sleep: Sleep = asyncio.sleep) -> T:
    """What the attempt returns, the first or the second one. The error of the second is the one that counts."""
    try:
        return await attempt()
    except PartnerUnavailable as error:
        pause = repeat.pause_after(error)
        if pause is None:
            raise
    await sleep(pause)
    return await attempt()
