"""Dashboards for one viewer: the address to show, the cards, their rows."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import TypeVar

import httpx

from clients.breaker import BreakerState
from clients.errors import Delivery, ErrorCode, PartnerUnavailable
from clients.http import CallPolicy, PartnerHTTP, PartnerRequest, PartnerStream
from clients.metabase.config import PARTNER, MetabaseConfig
from clients.metabase.embedding import DashboardScope, EmbedSigner
from clients.metabase.errors import MetabaseRejected, StatsFailure
from clients.metabase.exports import CardRows, DashboardCard, ExportFormat
from clients.metabase.reading import TOKEN_EXPIRED, is_export, read_cards, refuse
from clients.metabase.rows import RowReader, UnreadableRowsError
from clients.observer import Observer
from clients.repeat import Sleep, with_one_repeat

T = TypeVar("T")

_MAX_LISTING_BYTES = 10_000_000
_MAX_COUNTED_BYTES = 50_000_000
_ROWS_TO_DRAW = 5_000


class MetabaseClient:
    """One Metabase instance, by signed tokens only: it enforces the locked filters, which an API key would not.

    Every call raises PartnerUnavailable or MetabaseRejected; `stats_failure` tells what they mean to whoever asked.
    """

    def __init__(
        self,
        config: MetabaseConfig,
        http: httpx.AsyncClient,
        *,
        observer: Observer | None = None,
        clock: Callable[[], float] = monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._signer = EmbedSigner(config, now)
        self._repeat = config.repeat
        self._sleep = sleep
        policy = partial(CallPolicy, queue_seconds=config.queue_seconds, breaker=config.breaker)
        build = partial(PartnerHTTP, PARTNER, http, observer=observer, clock=clock, now=now)
        self._listings = build(
            policy(
                deadline_seconds=config.listing_seconds,
                max_concurrency=config.max_concurrent_listings,
                max_bytes=_MAX_LISTING_BYTES,
            )
        )
        # Slots of their own: downloads last minutes, and a dashboard must not wait for them.
        self._exports = build(
            policy(
                deadline_seconds=config.export_seconds,
                max_concurrency=config.max_concurrent_exports,
                max_bytes=config.max_export_bytes,
            )
        )

    def embed_url(self, scope: DashboardScope, *, is_titled: bool = False) -> str:
        """Return the address for an iframe, good for an hour. No call; MetabaseRejected when it would be too long."""
        return self._signer.iframe_url(scope, is_titled=is_titled)

    async def cards(self, scope: DashboardScope) -> tuple[DashboardCard, ...]:
        """Return the cards of the dashboard, in its order, texts and headings left out."""
        return await self._repeated(lambda: self._list_cards(scope))

    async def card(self, scope: DashboardScope, id_: int) -> DashboardCard:
        """Return the card of that place on the dashboard. Another dashboard's is NOT_FOUND, like one that never was."""
        for card in await self.cards(scope):
            if card.id == id_:
                return card
        raise MetabaseRejected(
            operation="list_cards",
            reason="no such card on this dashboard",
            failure=StatsFailure.NOT_FOUND,
            code="no_such_card",
            delivery=Delivery.NOT_SENT,
        )

    async def open_export(
        self, scope: DashboardScope, card: DashboardCard, export_format: ExportFormat
    ) -> PartnerStream:
        """Return the file as a stream, to be closed, with raw values. It is good from its first byte or raises here.

        JSON is asked for a second time when the first attempt fails before it begins; the other files are not.
        """

        async def open_once() -> PartnerStream:
            return await self._open_export(scope, card, export_format)

        if export_format is ExportFormat.JSON:
            return await self._repeated(open_once)
        return await self._with_fresh_token(open_once)

    async def rows(self, scope: DashboardScope, card: DashboardCard, *, max_rows: int = _ROWS_TO_DRAW) -> CardRows:
        """Return the first rows, for drawing, and how many there are."""

        async def read_once() -> CardRows:
            return await self._read_rows(scope, card, max_rows)

        return await self._repeated(read_once)

    def breaker_states(self) -> dict[str, BreakerState]:
        """The breaker of each operation called so far."""
        return self._listings.breaker_states() | self._exports.breaker_states()

    async def _list_cards(self, scope: DashboardScope) -> tuple[DashboardCard, ...]:
        request = PartnerRequest(method="GET", url=self._signer.api_url(scope), headers={"Accept": "application/json"})
        return await self._listings.call("list_cards", request, read_cards)

    async def _open_export(
        self, scope: DashboardScope, card: DashboardCard, export_format: ExportFormat
    ) -> PartnerStream:
        place = f"/dashcard/{card.id}/card/{card.card_id}/{export_format}"
        request = PartnerRequest(
            method="GET",
            url=self._signer.api_url(scope, place),
            params={"format_rows": "false"},
            # Packed pieces could unpack to a thousand times their size, whatever is read at once.
            headers={"Accept-Encoding": "identity"},
        )
        return await self._exports.open_stream(
            f"export_{export_format}",
            request,
            is_wanted=lambda start: is_export(start, export_format),
            refuse=refuse,
        )

    async def _read_rows(self, scope: DashboardScope, card: DashboardCard, max_rows: int) -> CardRows:
        reader = RowReader(max_rows=max_rows)
        size = 0
        async with await self._open_export(scope, card, ExportFormat.JSON) as stream:
            try:
                async for piece in stream:
                    reader.feed(piece)
                    size += len(piece)
                    if size > _MAX_COUNTED_BYTES:
                        return reader.result(is_complete=False)
                reader.feed(b"", is_last=True)
                return reader.result()
            except UnreadableRowsError:
                status = stream.status
        raise PartnerUnavailable(
            PARTNER,
            f"export_{ExportFormat.JSON}",
            "the rows cannot be read",
            code=ErrorCode.UNEXPECTED_SHAPE,
            http_status=status,
        )

    async def _repeated(self, attempt: Callable[[], Awaitable[T]]) -> T:
        return await with_one_repeat(lambda: self._with_fresh_token(attempt), self._repeat, sleep=self._sleep)

    async def _with_fresh_token(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Each attempt signs anew: when a token is called expired, the next one is younger. Once, for clocks differ."""
        try:
            return await attempt()
        except MetabaseRejected as error:
            if error.code != TOKEN_EXPIRED:
                raise
        return await attempt()
