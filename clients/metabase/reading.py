"""How Metabase's answers are read. Its errors are texts, and a failed query may well come with a 2xx."""

import re
from http import HTTPStatus
from typing import NoReturn

from clients.answers import PERMANENT, Reply
from clients.errors import ErrorCode
from clients.http import StreamStart
from clients.metabase.errors import MetabaseRejected, StatsFailure
from clients.metabase.exports import DashboardCard, ExportFormat
from clients.shapes import Shape, Wire

TOKEN_EXPIRED = "token_expired"  # noqa: S105 - an error code

_TEXT_BYTES = 4_000
_UNAUTHORIZED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
# "You must specify a value for :x in the JWT." and its relatives: locked in the token or in Metabase, and not in both.
_FILTER = re.compile(r"(?:value for|Unknown parameter) :([A-Za-z0-9_().%~-]{1,100}?)(?: in the JWT|\.|\"|$)", re.ASCII)
_EXPIRED = re.compile(r"token\b.*\bexpired|\bexpired token", re.IGNORECASE)
_ZIP = b"PK"  # what an XLSX file begins with


class _Card(Wire):
    name: str | None = None
    display: str | None = None


class _DashCard(Wire):
    id: int
    card_id: int | None = None  # texts and headings have none
    card: _Card | None = None


class _Dashboard(Wire):
    dashcards: list[_DashCard]


_DASHBOARD = Shape(_Dashboard)


def read_cards(reply: Reply) -> tuple[DashboardCard, ...]:
    if not _is_success(reply.status):
        refuse(reply)
    return tuple(
        DashboardCard(id=item.id, card_id=item.card_id, name=item.card.name or "", display=item.card.display or "")
        for item in reply.parse(_DASHBOARD).dashcards
        if item.card_id is not None and item.card is not None
    )


def is_export(start: StreamStart, export_format: ExportFormat) -> bool:
    """Whether an answer begins like the file that was asked for, and not like an error in its place."""
    if not _is_success(start.status):
        return False
    content_type = start.headers.get("Content-Type", "").lower()
    match export_format:
        case ExportFormat.CSV:
            return "json" not in content_type and "html" not in content_type
        case ExportFormat.XLSX:
            return start.start[:2] in {_ZIP, _ZIP[:1]}
        case ExportFormat.JSON:
            return start.start.lstrip().startswith(b"[")


def refuse(reply: Reply) -> NoReturn:
    """Raise what an answer without a file or a dashboard means. Nothing of its text travels but a filter's name."""
    text = reply.body[:_TEXT_BYTES].decode(errors="replace")
    is_object = reply.body.lstrip().startswith(b"{")
    if reply.status in _UNAUTHORIZED:
        raise _rejected(reply, "Metabase lets us in no more", needs_operator=True)
    if reply.status == HTTPStatus.NOT_FOUND:
        raise _rejected(reply, "no such dashboard or card", failure=StatsFailure.NOT_FOUND)
    if reply.status == HTTPStatus.BAD_REQUEST:
        _refuse_known(reply, text)
    if is_object and (_is_success(reply.status) or (reply.status in PERMANENT and '"error"' in text)):
        raise _rejected(reply, "the query failed", code="query_failed", failure=StatsFailure.QUERY_FAILED)
    if _is_success(reply.status):
        raise reply.unavailable("the answer is not the file that was asked for", code=ErrorCode.UNEXPECTED_SHAPE)
    if reply.status in PERMANENT:
        raise _rejected(reply, "Metabase refused the request", needs_operator=True)
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise reply.rate_limited()
    raise reply.unavailable("no usable answer", code=str(reply.status))


def _refuse_known(reply: Reply, text: str) -> None:
    """The 400s that Metabase's texts tell apart."""
    if "corrupt or manipulated" in text:
        raise _rejected(reply, "the embedding secret is not Metabase's", code="wrong_secret", needs_operator=True)
    if (named := _FILTER.search(text)) is not None:
        raise _rejected(
            reply,
            "a filter is locked in Metabase or in the token, and not in both",
            code="locked_filter",
            failure=StatsFailure.MISCONFIGURED,
            filter_name=named[1],
            needs_operator=True,
        )
    if "Embedding is not enabled" in text:
        raise _rejected(reply, "embedding is off in Metabase", code="embedding_off", needs_operator=True)
    if _EXPIRED.search(text):
        raise _rejected(reply, "the token has expired", code=TOKEN_EXPIRED)


def _rejected(
    reply: Reply,
    reason: str,
    *,
    code: str | None = None,
    failure: StatsFailure = StatsFailure.UNAVAILABLE,
    filter_name: str | None = None,
    needs_operator: bool = False,
) -> MetabaseRejected:
    return MetabaseRejected(
        reply.partner,
        reply.operation,
        reason,
        failure=failure,
        code=code or str(reply.status),
        http_status=reply.status,
        filter_name=filter_name,
        needs_operator=needs_operator,
    )


def _is_success(status: int) -> bool:
    """Metabase answers 202 as well as 200 when it is content."""
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
