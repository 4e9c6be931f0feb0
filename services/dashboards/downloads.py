"""One card as a file. Rights and locked filters are those of this instant, whatever the link was made for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import structlog

from clients.errors import ErrorCode, PartnerError, PartnerUnavailable
from clients.metabase import (
    DashboardCard,
    ExportFormat,
    MetabaseClient,
    MetabaseRejected,
    StatsFailure,
    stats_failure,
)
from services.clock import PARIS
from services.dashboards.catalogue import DASHBOARDS
from services.dashboards.csv_guard import CsvGuard, EndlessRecordError
from services.dashboards.deciding import Granted, Refusal
from services.dashboards.describing import day_text, file_part, scope_text
from services.dashboards.links import ExportTicket, FileFormat
from services.dashboards.service import Dashboards, alert
from services.dashboards.viewers import DashboardViewer, load_dashboard_viewer
from services.pictures import Painter, PaintingError, Picture, PictureSize

log = structlog.get_logger(__name__)

_MAX_ROWS_DRAWN = 5_000
_PNG = "image/png"


class DownloadFailure(StrEnum):
    """Why there is no file. Values are codes of the API."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    BAD_FORMAT = "BAD_FORMAT"
    STATS_UNAVAILABLE = "STATS_UNAVAILABLE"
    STATS_MISCONFIGURED = "STATS_MISCONFIGURED"
    STATS_NOT_FOUND = "STATS_NOT_FOUND"
    STATS_QUERY_FAILED = "STATS_QUERY_FAILED"


class DownloadRefused(Exception):
    """There is no file. `retry_after` in seconds, where the partner said so."""

    def __init__(self, failure: DownloadFailure, *, retry_after: float | None = None) -> None:
        super().__init__(failure.value)
        self.failure = failure
        self.retry_after = retry_after


class FileBody(Protocol):
    """Bytes as they come. To be closed; raises PartnerUnavailable when what came so far is not the whole."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFile:
    name: str
    content_type: str
    body: FileBody = field(repr=False)


async def open_file(
    dashboards: Dashboards, ticket: ExportTicket, *, now: datetime, size: PictureSize | None = None
) -> CardFile:
    """Return the file that a link asks for, its body still to be read. Raises DownloadRefused."""
    granted, file_format = await authorise(dashboards, ticket)
    metabase = dashboards.metabase
    if metabase is None:
        raise DownloadRefused(DownloadFailure.STATS_UNAVAILABLE)
    try:
        # Of this dashboard: any other card would be read with filters that are not made for it.
        card = await metabase.card(granted.scope, ticket.card_id)
        name = _file_name(granted, card, file_format, now)
        if file_format is FileFormat.PNG:
            body: FileBody = await _drawn(dashboards, metabase, granted, card, size or PictureSize(), now)
            return CardFile(name=name, content_type=_PNG, body=body)
        export_format = ExportFormat(file_format.value)
        body = await metabase.open_export(granted.scope, card, export_format)
    except PartnerError as error:
        alert(error, granted)
        log.warning("export_failed", slug=granted.dashboard.slug, code=error.code, http_status=error.http_status)
        raise _refused(error) from None
    if export_format is ExportFormat.CSV:
        body = _GuardedCsv(body)
    return CardFile(name=name, content_type=export_format.content_type, body=body)


async def authorise(dashboards: Dashboards, ticket: ExportTicket) -> tuple[Granted, FileFormat]:
    """Return what the holder of a link may see now. Asks Metabase nothing. Raises DownloadRefused."""
    dashboard = DASHBOARDS.get(ticket.slug)
    if dashboard is None:
        raise DownloadRefused(DownloadFailure.NOT_FOUND)
    try:
        file_format = FileFormat(ticket.file_format)
    except ValueError:
        raise DownloadRefused(DownloadFailure.BAD_FORMAT) from None
    viewer: DashboardViewer | None = None
    if ticket.user_id is not None:
        viewer = await load_dashboard_viewer(ticket.user_id, ticket.organization_id)
        if viewer is None:
            # The account was closed or the membership ended since.
            raise DownloadRefused(DownloadFailure.FORBIDDEN)
    decision = dashboards.decide(dashboard, viewer)
    if decision is Refusal.SIGN_IN:
        raise DownloadRefused(DownloadFailure.UNAUTHENTICATED)
    if not isinstance(decision, Granted):
        raise DownloadRefused(DownloadFailure.FORBIDDEN)
    return decision, file_format


def _file_name(granted: Granted, card: DashboardCard, file_format: FileFormat, now: datetime) -> str:
    day = now.astimezone(PARIS).date()
    return f"{granted.dashboard.slug}-{file_part(card.name) or card.id}-{day.isoformat()}.{file_format}"


def _refused(error: PartnerError) -> DownloadRefused:
    if isinstance(error, MetabaseRejected) and error.code == "no_such_card":
        return DownloadRefused(DownloadFailure.NOT_FOUND)
    match stats_failure(error):
        case StatsFailure.UNAVAILABLE:
            failure = DownloadFailure.STATS_UNAVAILABLE
        case StatsFailure.MISCONFIGURED:
            failure = DownloadFailure.STATS_MISCONFIGURED
        case StatsFailure.NOT_FOUND:
            failure = DownloadFailure.STATS_NOT_FOUND
        case StatsFailure.QUERY_FAILED:
            failure = DownloadFailure.STATS_QUERY_FAILED
    return DownloadRefused(failure, retry_after=error.retry_after)


# -- pictures


async def _drawn(
    dashboards: Dashboards,
    metabase: MetabaseClient,
    granted: Granted,
    card: DashboardCard,
    size: PictureSize,
    now: datetime,
) -> FileBody:
    painter: Painter | None = dashboards.painter
    if painter is None:
        raise DownloadRefused(DownloadFailure.STATS_UNAVAILABLE)
    rows = await metabase.rows(granted.scope, card, max_rows=_MAX_ROWS_DRAWN)
    picture = Picture(
        title=card.name or granted.dashboard.title,
        subtitle=f"{granted.dashboard.title} · {scope_text(granted.scope)}",
        source=f"Source : Metabase, données de l'insertion par l'activité économique · généré le {day_text(now)}",
        display=card.display,
        columns=rows.columns,
        rows=rows.rows,
        total=rows.total,
        width=size.width,
    )
    try:
        return _Bytes(await painter.draw(picture))
    except PaintingError as error:
        log.error("picture_failed", slug=granted.dashboard.slug, card_id=card.id, reason=str(error))  # noqa: TRY400
        raise DownloadRefused(DownloadFailure.STATS_UNAVAILABLE) from None


class _Bytes:
    """A body that is there already."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content

    async def aclose(self) -> None:
        self._content = b""


class _GuardedCsv:
    """A CSV file on its way, without formulas."""

    def __init__(self, body: FileBody) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        guard = CsvGuard()
        try:
            async for piece in self._body:
                if records := guard.feed(piece):
                    yield records
        except EndlessRecordError:
            raise PartnerUnavailable(
                "metabase", "export_csv", "the rows cannot be read", code=ErrorCode.UNEXPECTED_SHAPE
            ) from None
        if rest := guard.rest():
            yield rest

    async def aclose(self) -> None:
        await self._body.aclose()
