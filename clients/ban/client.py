"""The geocoder's three calls: one address, suggestions while typing, many addresses at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from time import monotonic

import httpx

from clients.ban.batch import BatchAddress, BatchResult, batch_request, read_batch
from clients.ban.config import (
    BATCH_OPERATION,
    GEOCODE_OPERATION,
    PACE_KEYS,
    PARTNER,
    PENALTY_SECONDS,
    SUGGEST_OPERATION,
    BANConfig,
)
from clients.ban.outcomes import GeocodingOutcome
from clients.ban.search import (
    MAX_LIMIT,
    MAX_QUERY_LENGTH,
    SEARCH_PATH,
    FoundAddress,
    Position,
    is_query,
    normalise_query,
    read_addresses,
    search_params,
)
from clients.breaker import BreakerState
from clients.errors import Delivery, PartnerRejected
from clients.http import CallPolicy, PartnerHTTP, PartnerRequest
from clients.observer import Observer
from clients.pacing import Pacer
from clients.repeat import Repeat, with_one_repeat

_MAX_BYTES = 1_000_000
_MAX_BATCH_BYTES = 20_000_000
_OVERSEAS = ("97", "98")


class BANClient:
    """The national address base. Build it once a process, on the loop that uses it.

    Every call raises PartnerUnavailable or PartnerRejected; `geocoding_outcome` says which outcome an error is. A call
    that fails on the wire or with a 5xx is made once more, so is one that is told to wait for a short while.
    """

    def __init__(
        self,
        config: BANConfig,
        http: httpx.AsyncClient,
        pacer: Pacer,
        *,
        observer: Observer | None = None,
        clock: Callable[[], float] = monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._base_url = config.base_url.rstrip("/")
        self._sleep = sleep
        self._repeat = Repeat(
            failure_pause_seconds=config.failure_pause_seconds, patience_seconds=config.patience_seconds
        )
        build = partial(
            PartnerHTTP, PARTNER, http, pacer=pacer, paced=PACE_KEYS, observer=observer, clock=clock, now=now
        )
        self._search = build(
            CallPolicy(
                deadline_seconds=config.timeout_seconds,
                queue_seconds=config.queue_seconds,
                max_concurrency=config.max_concurrency,
                max_bytes=_MAX_BYTES,
                retry_after_default_seconds=PENALTY_SECONDS,
                breaker=config.breaker,
            )
        )
        # A slot of its own: minutes of a batch must not take those of people who wait.
        self._batch = build(
            CallPolicy(
                deadline_seconds=config.batch_timeout_seconds,
                queue_seconds=config.batch_timeout_seconds,
                max_concurrency=1,
                max_bytes=_MAX_BATCH_BYTES,
                retry_after_default_seconds=PENALTY_SECONDS,
                breaker=config.breaker,
            )
        )

    async def geocode(self, address: str | None, *, post_code: str | None = None) -> FoundAddress:
        """The best candidate for an address on one line, however low its score.

        PartnerRejected: `code` is INVALID_ADDRESS (nothing was sent, or the service refused it) or ADDRESS_NOT_FOUND.
        `post_code` narrows the search, but for overseas, where the BAN often lists addresses under another one.
        """
        query = normalise_query(address)
        post_code = (post_code or "").strip() or None
        if not is_query(query) or not _is_absent_or_post_code(post_code):
            raise PartnerRejected(
                PARTNER,
                GEOCODE_OPERATION,
                "not sent: an address of 3 to 200 characters that begins with a letter or a digit is expected, "
                "with a post code of 5 digits or none",
                code=GeocodingOutcome.INVALID_ADDRESS,
                delivery=Delivery.NOT_SENT,
            )
        found = await self._find(GEOCODE_OPERATION, search_params(query, limit=1, is_typing=False, post_code=post_code))
        if not found and post_code is not None and post_code.startswith(_OVERSEAS):
            found = await self._find(GEOCODE_OPERATION, search_params(query, limit=1, is_typing=False))
        if not found:
            raise PartnerRejected(
                PARTNER, GEOCODE_OPERATION, "no address found", code=GeocodingOutcome.ADDRESS_NOT_FOUND, http_status=200
            )
        return found[0]

    async def suggest(self, text: str, *, limit: int = 5, near: Position | None = None) -> list[FoundAddress]:
        """Candidates for what has been typed so far, best first. Too short a text: none, without a call.

        `near` favours candidates around a point and leaves out no others.
        """
        if not 1 <= limit <= MAX_LIMIT:
            raise ValueError(f"limit of suggestions: {limit}, 1 to {MAX_LIMIT} expected")
        query = normalise_query(text)[:MAX_QUERY_LENGTH]
        if not is_query(query):
            return []
        params = search_params(query, limit=limit, is_typing=True)
        if near is not None:
            params |= {"lat": f"{near.latitude:.6f}", "lon": f"{near.longitude:.6f}"}
        return await self._find(SUGGEST_OPERATION, params)

    async def geocode_batch(self, rows: Sequence[BatchAddress]) -> dict[str, BatchResult]:
        """The result of every row, by its key, in one call of up to two minutes: for jobs.

        At most MAX_BATCH_ROWS rows, with distinct keys, else ValueError.
        """
        if not rows:
            return {}
        request = batch_request(self._base_url, rows)
        return await with_one_repeat(
            lambda: self._batch.call(BATCH_OPERATION, request, lambda reply: read_batch(reply, rows)),
            self._repeat,
            sleep=self._sleep,
        )

    def breaker_states(self) -> dict[str, BreakerState]:
        """The breaker of each operation called so far."""
        return self._search.breaker_states() | self._batch.breaker_states()

    async def _find(self, operation: str, params: dict[str, str]) -> list[FoundAddress]:
        request = PartnerRequest(
            method="GET", url=self._base_url + SEARCH_PATH, params=params, headers={"Accept": "application/json"}
        )
        return await with_one_repeat(
            lambda: self._search.call(operation, request, read_addresses), self._repeat, sleep=self._sleep
        )


def _is_absent_or_post_code(post_code: str | None) -> bool:
    return post_code is None or (len(post_code) == 5 and post_code.isascii() and post_code.isdigit())
