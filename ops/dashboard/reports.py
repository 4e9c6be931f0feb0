"""What browsers report of the content policy: each violation is a fault of ours, or an attack, and is logged.

Anybody may send such reports: they are short, few a minute are taken, and no address with its query is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import Any, cast
from urllib.parse import urlsplit

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from ops.dashboard.forms import read_bounded

log = structlog.get_logger(__name__)

_MOST_BYTES = 16_000
_MOST_A_MINUTE = 60
_LONGEST = 100
# Those of our own policy, and what browsers call their parts (w3.org/TR/CSP3, section 6).
_FETCHED = ("script-src", "style-src", "img-src", "font-src", "connect-src", "media-src", "object-src", "frame-src")
_PARTS = ("script-src-elem", "script-src-attr", "style-src-elem", "style-src-attr", "child-src", "worker-src")
_OTHERS = ("default-src", "manifest-src", "base-uri", "form-action", "frame-ancestors", "trusted-types")
_DIRECTIVES = frozenset({*_FETCHED, *_PARTS, *_OTHERS, "require-trusted-types-for"})


class PolicyReports:
    """The address that pages name in `report-uri`. `paths`: of the pages, with their parameters in braces.

    Anybody may send a report, with anything in it: of what it says, only what we know already is written down.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._patterns = {path: compile_path(path)[0] for path in paths}
        self._minute = 0
        self._taken = 0

    async def take(self, request: Request) -> Response:
        """Log a report; 204 whatever it holds, since a browser does nothing with the answer."""
        body = await read_bounded(request, _MOST_BYTES)
        if self._has_room() and (report := _report_in(body)) is not None:
            log.warning(
                "csp_violation",
                directive=_directive(_text(report, "effective-directive") or _text(report, "violated-directive")),
                blocked=_place(_text(report, "blocked-uri")),
                page=self._page(_text(report, "document-uri")),
            )
        return Response(status_code=204)

    def _page(self, uri: str) -> str:
        try:
            path = urlsplit(uri).path
        except ValueError:
            return "unreadable"
        return next((known for known, pattern in self._patterns.items() if pattern.match(path)), "unknown")

    def _has_room(self) -> bool:
        minute = int(monotonic() // 60)
        if minute != self._minute:
            self._minute, self._taken = minute, 0
        self._taken += 1
        return self._taken <= _MOST_A_MINUTE


def _report_in(body: bytes) -> dict[str, Any] | None:
    try:
        document: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(document, dict):
        return None
    report: object = cast("dict[str, Any]", document).get("csp-report")
    return cast("dict[str, Any]", report) if isinstance(report, dict) else None


def _text(report: dict[str, Any], name: str) -> str:
    value = report.get(name)
    return value[:_LONGEST] if isinstance(value, str) else ""


def _directive(text: str) -> str:
    """The name of a directive; its values may follow it."""
    name = text.partition(" ")[0]
    return name if name in _DIRECTIVES else "unknown"


def _place(uri: str) -> str:
    """The scheme and host of an address, or the word that stands for one (`inline`, `eval`)."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return "unreadable"
    return f"{parts.scheme}://{parts.hostname}" if parts.hostname else uri.partition("?")[0][:20]
