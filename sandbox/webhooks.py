"""Sending webhooks as the partners do: once or several times, in order or not, to one address on this machine."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

import httpx
from msgspec import Meta

from sandbox.clock import Clock
from sandbox.loopback import is_loopback
from sandbox.partner import PartnerSettings
from sandbox.shapes import Shape, read, take

_KEPT = 1_000


class WebhookSettings(PartnerSettings):
    """Nothing is sent by itself while `webhook_url` is not set."""

    webhook_url: str | None = None

    def __post_init__(self) -> None:
        _must_be_local("webhook_url", self.webhook_url)


class SendOptions(Shape):
    """How often and in which order. `target` replaces the address of the settings."""

    target: str | None = None
    times: Annotated[int, Meta(ge=1, le=100)] = 1
    shuffle: bool = False
    parallel: bool = False

    def __post_init__(self) -> None:
        _must_be_local("target", self.target)


S = TypeVar("S", bound=SendOptions)


def read_sending(kind: type[S], body: bytes, *, several: str) -> S:
    """Options with a list of what to send in the field `several`; one alone may stand in the body itself.

    Raises ValueError.
    """
    given = read(dict[str, Any], body)
    if several not in given:
        options = {key: given.pop(key) for key in kind.__struct_fields__ if key in given}
        given = options | {several: [given]}
    return take(kind, given)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingWebhook:
    """One request, ready to leave. `about` is for the listing: what it tells of, in the partner's words."""

    about: Mapping[str, Any]
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How one sending ended. `status` is None when there was no answer."""

    source: str
    about: Mapping[str, Any]
    target: str
    at: str
    status: int | None
    duration_ms: float

    def as_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            **self.about,
            "target": self.target,
            "at": self.at,
            "status": self.status,
            "duration_ms": self.duration_ms,
        }


class WebhookSender:
    """The sender of one partner. It does not repeat by itself what failed: `times` says how often it sends."""

    def __init__(
        self,
        source: str,
        clock: Clock,
        *,
        timeout: httpx.Timeout,
        transport: httpx.AsyncBaseTransport | None = None,
        seed: int = 0,
    ) -> None:
        self._source = source
        self._clock = clock
        self._timeout = timeout
        self._transport = transport
        self._dice = Random(seed)  # noqa: S311 - reproducible by design, protects nothing
        self._under_way: set[asyncio.Task[None]] = set()
        self.deliveries: deque[Delivery] = deque(maxlen=_KEPT)

    async def send(
        self, webhooks: Sequence[OutgoingWebhook], *, options: SendOptions, default_target: str | None
    ) -> list[Delivery]:
        """The deliveries in the order of sending. Raises ValueError when no address is known."""
        target = options.target or default_target
        if target is None:
            raise ValueError("no address to send to: set webhook_url by PATCH /_settings, or give target")
        queue = [webhook for webhook in webhooks for _ in range(options.times)]
        if options.shuffle:
            self._dice.shuffle(queue)
        async with httpx.AsyncClient(
            transport=self._transport, timeout=self._timeout, follow_redirects=False, trust_env=False
        ) as http:
            sendings = [self._send_one(http, target, webhook) for webhook in queue]
            if options.parallel:
                return list(await asyncio.gather(*sendings))
            return [await sending for sending in sendings]

    def send_soon(self, sending: Callable[[], Awaitable[object]]) -> None:
        """Send after the answer of the present call has left. `drain` waits for it."""

        async def run() -> None:
            await sending()

        task = asyncio.create_task(run())
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def drain(self) -> None:
        """Wait until nothing is under way any more."""
        while self._under_way:
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def stop(self) -> None:
        for task in list(self._under_way):
            task.cancel()
        await self.drain()

    async def _send_one(self, http: httpx.AsyncClient, target: str, webhook: OutgoingWebhook) -> Delivery:
        at, started = self._clock.now().isoformat(), time.perf_counter()
        status: int | None = None
        try:
            answer = await http.post(target, content=webhook.body, headers=dict(webhook.headers))
            status = answer.status_code
        except httpx.HTTPError:
            pass  # as for the partner: no answer is a failed delivery, and the listing says so
        delivery = Delivery(
            source=self._source,
            about=webhook.about,
            target=target,
            at=at,
            status=status,
            duration_ms=round((time.perf_counter() - started) * 1000, 3),
        )
        self.deliveries.append(delivery)
        return delivery


def _must_be_local(name: str, url: str | None) -> None:
    if url is not None and not _is_local(url):
        raise ValueError(f"{name}: a webhook goes to this machine only, http://127.0.0.1:port/path expected")


def _is_local(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False  # the brackets of an IPv6 address are broken
    return parts.scheme in {"http", "https"} and is_loopback(parts.hostname or "")
