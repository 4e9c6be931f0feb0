"""GET /metrics: who may read the figures, and in which form."""

from __future__ import annotations

import hmac
from typing import Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from telemetry.registry import render

_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_LOOPBACK = ("127.0.0.1", "::1")


class Figures(Protocol):
    """More figures, in Prometheus' text format."""

    async def text(self) -> bytes: ...


class MetricsEndpoint:
    """Answers whoever has the token; without a token, whoever asks from this machine and through no proxy."""

    def __init__(self, token: str | None, figures: Figures | None = None) -> None:
        self._token = token
        self._figures = figures

    async def answer(self, request: Request) -> Response:
        if not self._may_read(request):
            return PlainTextResponse("metrics: a token is needed (METRICS_TOKEN)\n", status_code=403)
        body = render()
        if self._figures is not None:
            body += await self._figures.text()
        return Response(body, media_type=_CONTENT_TYPE, headers={"Cache-Control": "no-store"})

    def _may_read(self, request: Request) -> bool:
        if self._token is not None:
            given = request.headers.get("authorization", "")
            return hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode())
        is_forwarded = "x-forwarded-for" in request.headers or "forwarded" in request.headers
        return request.client is not None and request.client.host in _LOOPBACK and not is_forwarded
