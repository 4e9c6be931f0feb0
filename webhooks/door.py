"""The door of webhooks: read, verify, store, acknowledge. What was answered 2xx is in PostgreSQL.

| answer | when |
| --- | --- |
| 200 | stored, now or before; also what nobody will process |
| 400 | signed, and not an event |
| 401 | not signed, or not by a secret of ours; nothing is stored |
| 405, 415 | not a POST; not JSON, or compressed |
| 408 | the body did not arrive in time |
| 413 | too large: told before anything is hashed |
| 429 | this address sent too much that was refused; what is signed costs its sender nothing |
| 503 | no secret is configured, too many at once, PostgreSQL away: the sender comes back |

No answer repeats anything of the request: senders write answers into their logs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any, Protocol

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from models.enums import Partner
from resolvers.askers import network_of
from services.clock import Clock, utc_now
from services.rate_limits import Limiter
from services.webhooks.deliveries import Delivery, UnreadableDelivery
from services.webhooks.inbox import InboxUnavailable, Writer, store
from webhooks.bell import Bell

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 1_048_576

_SUCCESS = b'{"success": true}'
_REFUSAL = b'{"success": false}'
_RETRY_WHEN_CONFIGURED_SECONDS = 300
_RETRY_SOON_SECONDS = 5
_SHOWN_DIGITS = 20  # more digits than a length has are for the count of what arrives


@dataclass(frozen=True, slots=True)
class Signed:
    """A body whose sender is known. `about` is for the log: which of the sender's ways it came by."""

    content: bytes
    about: Mapping[str, str]


class Gatekeeper(Protocol):
    """What differs between the partners."""

    @property
    def source(self) -> Partner: ...

    @property
    def secrets(self) -> Sequence[str]: ...

    def claims_to_be_signed(self, headers: Headers) -> bool:
        """Whether it is worth reading the body."""
        ...

    def verify(self, body: bytes, headers: Headers) -> Signed | None: ...

    def read(self, body: bytes) -> Delivery:
        """Raises UnreadableDelivery."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorLimits:
    """`at_once`: bodies in memory at a time. Both deadlines together stay below the shortest patience of a sender."""

    at_once: int = 100
    reading: timedelta = timedelta(seconds=5)
    storing: timedelta = timedelta(seconds=4)


class _Refused(Exception):
    def __init__(self, status: int, reason: str, **headers: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Door:
    """The route of one partner's webhooks."""

    def __init__(
        self,
        gatekeeper: Gatekeeper,
        writer: Writer,
        bell: Bell,
        *,
        limits: DoorLimits | None = None,
        refusals: Limiter | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._gatekeeper = gatekeeper
        self._writer = writer
        self._bell = bell
        self._limits = limits or DoorLimits()
        self._refusals = refusals
        self._clock = clock
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        started, source = monotonic(), self._gatekeeper.source.value
        address = request.client.host if request.client is not None else ""
        try:
            self._check_standing(address)
            about = await self._take(request)
        except _Refused as refused:
            self._count(address, refused)
            log.info("webhook_refused", source=source, http_status=refused.status, reason=refused.reason)
            return _response(refused.status, _REFUSAL, refused.headers)
        except ClientDisconnect:
            log.info("webhook_refused", source=source, http_status=499, reason="sender_left")
            return Response(status_code=499)  # nobody reads it
        except Exception as error:  # noqa: BLE001 - the last door: nothing of a request may reach a log or an answer
            # Nothing is stored, or nobody knows: the sender comes back, and a second delivery does no harm.
            log.error("webhook_door_broken", source=source, error_class=type(error).__name__)  # noqa: TRY400
            return _response(503, _REFUSAL, {"Retry-After": str(_RETRY_SOON_SECONDS)})
        log.info("webhook_stored", source=source, duration_ms=round((monotonic() - started) * 1000, 1), **about)
        return _response(200, _SUCCESS, {})

    async def _take(self, request: Request) -> dict[str, Any]:
        """Raises _Refused for everything that is not stored."""
        self._check_headers(request)
        if self._inside >= self._limits.at_once:
            raise _Refused(503, "too_many_at_once", Retry_After=str(_RETRY_SOON_SECONDS))
        self._inside += 1
        try:
            signed = self._gatekeeper.verify(await self._body(request), request.headers)
            if signed is None:
                raise _Refused(401, "signature_wrong")
            try:
                delivery = self._gatekeeper.read(signed.content)
            except UnreadableDelivery as error:
                log.warning("webhook_unreadable", source=self._gatekeeper.source.value, where=error.where)
                raise _Refused(400, "unreadable") from None
            return {**signed.about, **await self._store(delivery), "bytes": len(signed.content)}
        finally:
            self._inside -= 1

    def _check_standing(self, address: str) -> None:
        standing = None if self._refusals is None else self._refusals.look(network_of(address))
        if standing is not None and standing.is_refused:
            raise _Refused(429, "too_many_refused", Retry_After=str(standing.retry_after))

    def _count(self, address: str, refused: _Refused) -> None:
        """Only of what the sender did wrong: who is sent away for our own reasons comes back at no cost."""
        if self._refusals is not None and refused.status < 500 and refused.status != 429:
            self._refusals.take(network_of(address))

    def _check_headers(self, request: Request) -> None:
        if request.method != "POST":
            raise _Refused(405, "method", Allow="POST")
        if not self._gatekeeper.secrets:
            raise _Refused(503, "no_secret_configured", Retry_After=str(_RETRY_WHEN_CONFIGURED_SECONDS))
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise _Refused(415, "content_type", Accept="application/json")
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise _Refused(415, "content_encoding", Accept_Encoding="identity")
        if not self._gatekeeper.claims_to_be_signed(request.headers):
            raise _Refused(401, "signature_missing")
        announced = request.headers.get("content-length", "")
        is_number = announced.isascii() and announced.isdigit() and len(announced) < _SHOWN_DIGITS
        if is_number and int(announced) > MAX_BODY_BYTES:
            raise _Refused(413, "too_large", Connection="close")

    async def _body(self, request: Request) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.reading.total_seconds()):
                async for chunk in request.stream():
                    # Before it is kept: a chunk is as large as the server in front of us lets it be.
                    if len(body) + len(chunk) > MAX_BODY_BYTES:
                        raise _Refused(413, "too_large", Connection="close")
                    body += chunk
        except TimeoutError:
            raise _Refused(408, "body_too_slow", Connection="close") from None
        return bytes(body)

    async def _store(self, delivery: Delivery) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._limits.storing.total_seconds()):
                stored = await store(delivery, writer=self._writer, received_at=self._clock())
        except TimeoutError:
            raise self._away(delivery, "TimeoutError") from None
        except InboxUnavailable as error:
            raise self._away(delivery, error.code) from None
        # From here on it is kept: nothing may turn the answer into anything but a success.
        if not stored.is_duplicate and delivery.ignored_because is None:
            self._bell.strike()
        if delivery.shows_nir and not stored.is_duplicate:
            log.warning("webhook_with_nir", source=delivery.source.value, event_id=str(stored.event_id))
        return {
            "event_id": str(stored.event_id) if stored.event_id else None,
            "is_duplicate": stored.is_duplicate,
            "is_ignored": delivery.ignored_because is not None,
        }

    def _away(self, delivery: Delivery, code: str) -> _Refused:
        log.error("webhook_not_stored", source=delivery.source.value, error_class=code)
        return _Refused(503, "not_stored", Retry_After=str(_RETRY_SOON_SECONDS))


def _response(status: int, body: bytes, headers: Mapping[str, str]) -> Response:
    return Response(
        body, status_code=status, media_type="application/json", headers={"Cache-Control": "no-store", **headers}
    )
