"""What every HTTP answer has: a request id to quote, and headers that keep browsers strict; and how many there are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import orjson
import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resolvers.askers import network_of
from services.rate_limits import Limiter, Standing

log = structlog.get_logger(__name__)

_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)

# GraphiQL styles its editor inline; nothing else on this server asks for it.
_CSP = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; font-src 'self' data:;"
    " script-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": _CSP,
    "Cross-Origin-Opener-Policy": "same-origin",
}
_HSTS = "max-age=63072000; includeSubDomains"


class RequestIdMiddleware:
    """Take the caller's X-Request-ID when it is harmless, else make one; log with it, answer with it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _ACCEPTABLE_ID.fullmatch(given) else uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._app(scope, receive, send_with_id)


class SecurityHeadersMiddleware:
    """Headers that cost nothing. `strict_transport`: only where TLS ends in front of us, in production."""

    def __init__(self, app: ASGIApp, *, strict_transport: bool) -> None:
        self._app = app
        headers = _HEADERS | ({"Strict-Transport-Security": _HSTS} if strict_transport else {})
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                # Starlette's names are lower case, as ASGI wants them.
                headers: list[tuple[bytes, bytes]] = message.get("headers", [])
                given = {name for name, _ in headers}
                message["headers"] = [*headers, *(header for header in self._headers if header[0] not in given)]
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class AddressLimitMiddleware:
    """Count every request and handshake of a network address, and refuse those above its limit with 429.

    Not those of `uncounted` paths: probes must be answered at any time, and webhooks have a limit of their own, since
    what is signed may come as often as it likes.
    """

    def __init__(
        self, app: ASGIApp, *, limiter: Limiter, uncounted: tuple[str, ...] = (), knows_proxies: bool = True
    ) -> None:
        self._app = app
        self._limiter = limiter
        self._uncounted = uncounted
        self._has_warned = knows_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"].startswith(self._uncounted):
            await self._app(scope, receive, send)
            return
        if not self._has_warned:
            self._warn_of_proxies(scope)
        client = scope.get("client")
        standing = self._limiter.take(network_of(client[0] if client else ""))
        if not standing.is_refused:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await _answer_too_many(scope, send, standing, "http.response")
        elif "websocket.http.response" in scope.get("extensions", {}):
            await receive()
            await _answer_too_many(scope, send, standing, "websocket.http.response")
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    def _warn_of_proxies(self, scope: Scope) -> None:
        """Behind a proxy that nobody told of, everybody is counted as one."""
        if "x-forwarded-for" in Headers(scope=scope):
            self._has_warned = True
            log.warning("proxy_not_trusted", advice="set TRUSTED_PROXIES, or all clients share one limit")


async def _answer_too_many(scope: Scope, send: Send, standing: Standing, kind: str) -> None:
    seconds = standing.retry_after
    message = f"Trop de demandes depuis votre réseau. Réessayez dans {seconds} seconde{'s' if seconds > 1 else ''}."
    headers: Mapping[str, str] = {"Cache-Control": "no-store", **standing.headers}
    if "text/html" in Headers(scope=scope).get("accept", ""):
        content_type, body = "text/plain; charset=utf-8", message.encode()
    else:
        extensions: dict[str, Any] = {"code": "RATE_LIMITED", "retryAfterSeconds": seconds}
        content_type = "application/json; charset=utf-8"
        body = orjson.dumps({"errors": [{"message": message, "extensions": extensions}]})
    listed = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    listed += [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": f"{kind}.start", "status": 429, "headers": listed})
    await send({"type": f"{kind}.body", "body": body})
