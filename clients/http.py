"""How every partner is called: bounded in time, in number and in size, and with two kinds of error at the end.

The order of the gates matters. A slot first (one slow partner must not take all connections), then the pace (last, so
that a granted slot of the rate is used at once), then the breaker, then the wire. Nothing is retried here but a
connection that could not be opened: who may repeat a call, and when, is for the caller to decide.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from time import monotonic
from typing import TypeVar

import httpx

from clients.answers import Reader, Reply
from clients.breaker import Breaker, BreakerPolicy, BreakerState, Verdict
from clients.errors import (
    Delivery,
    ErrorCode,
    PartnerError,
    PartnerRateLimited,
    PartnerRejected,
    PartnerUnavailable,
)
from clients.observer import CallOutcome, Observer
from clients.pacing import Pacer
from clients.retry_after import parse_retry_after
from clients.transport import PartnerRequest, RawAnswer, Trouble, Upload, build_http_client, exchange

__all__ = ["CallPolicy", "PartnerHTTP", "PartnerRequest", "Upload", "build_http_client"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPolicy:
    """The bounds of every call to one partner. `queue_seconds` covers all waiting for our own gates."""

    deadline_seconds: float
    queue_seconds: float = 1.0
    max_concurrency: int = 10
    max_bytes: int = 5_000_000
    retry_after_default_seconds: float = 60.0
    retry_after_cap_seconds: float = 600.0
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)


@dataclass(slots=True)
class _Progress:
    """What is known of a call so far, for the observer."""

    http_status: int | None = None
    duration_ms: float = 0.0
    is_our_fault: bool = False


class PartnerHTTP:
    """The one door to a partner. Build it once a process, in the lifespan, on the loop that will use it."""

    def __init__(
        self,
        partner: str,
        http: httpx.AsyncClient,
        policy: CallPolicy,
        *,
        pacer: Pacer | None = None,
        paced: Mapping[str, str] | None = None,
        observer: Observer | None = None,
        clock: Callable[[], float] = monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`paced`: the pacer's key of each operation that has a rate. A 429 on any operation closes all of them."""
        self._partner = partner
        self._http = http
        self._policy = policy
        self._pacer = pacer
        self._paced = dict(paced or {})
        self._observer = observer
        self._clock = clock
        self._now = now
        self._slots = asyncio.Semaphore(policy.max_concurrency)
        self._breakers: dict[str, Breaker] = {}

    async def call(
        self, operation: str, request: PartnerRequest, read: Reader[T], *, deadline_seconds: float | None = None
    ) -> T:
        """Send the request and return what `read` makes of the answer.

        `deadline_seconds` replaces that of the policy. Raises PartnerUnavailable or PartnerRejected, nothing else that
        comes from the wire.
        """
        progress = _Progress()
        outcome = CallOutcome.ABORTED
        try:
            async with self._gates(operation):
                deadline = self._policy.deadline_seconds if deadline_seconds is None else deadline_seconds
                value = await self._guarded(operation, request, read, deadline, progress)
            outcome = CallOutcome.OK
        except PartnerRateLimited as error:
            outcome = CallOutcome.RATE_LIMITED
            await self._hold_all_gates(error.retry_after)
            raise
        except PartnerError as error:
            outcome = CallOutcome.BUSY if progress.is_our_fault else _outcome_of(error)
            raise
        finally:
            if self._observer is not None:
                self._observer.observe(
                    partner=self._partner,
                    operation=operation,
                    outcome=outcome,
                    http_status=progress.http_status,
                    duration_ms=progress.duration_ms,
                )
        return value

    def breaker_states(self) -> dict[str, BreakerState]:
        """The breaker of each operation called so far, for dashboards."""
        return {operation: breaker.state for operation, breaker in self._breakers.items()}

    @asynccontextmanager
    async def _gates(self, operation: str) -> AsyncGenerator[None, None]:
        self._refuse_while_open(operation)  # before waiting: an open breaker answers at once
        has_slot = False
        queue = asyncio.timeout(self._policy.queue_seconds)
        try:
            try:
                async with queue:
                    await self._slots.acquire()
                    has_slot = True
                    await self._wait_for_pace(operation)
            except TimeoutError:
                if not queue.expired():
                    raise  # the pacer's own trouble, not a long queue
            if queue.expired():
                raise PartnerUnavailable(
                    self._partner,
                    operation,
                    "no free slot for this call in time",
                    code=ErrorCode.BUSY,
                    delivery=Delivery.NOT_SENT,
                )
            yield
        finally:
            if has_slot:
                self._slots.release()

    async def _wait_for_pace(self, operation: str) -> None:
        key = self._paced.get(operation)
        if self._pacer is not None and key is not None:
            await self._pacer.wait(key)

    async def _hold_all_gates(self, seconds: float | None) -> None:
        if self._pacer is not None and seconds:
            for key in sorted(set(self._paced.values())):
                await self._pacer.hold(key, seconds)

    async def _guarded(
        self, operation: str, request: PartnerRequest, read: Reader[T], deadline: float, progress: _Progress
    ) -> T:
        breaker = self._breaker(operation)
        permit = breaker.admit()
        if permit is None:
            raise self._breaker_open(operation)
        verdict = Verdict.NEUTRAL
        try:
            answer = await self._timed_exchange(request, deadline, progress)
            if isinstance(answer, Trouble):
                verdict = answer.verdict
                raise self._unavailable(operation, answer)
            is_failure = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            verdict = Verdict.FAILING if is_failure else Verdict.HEALTHY
            return read(self._reply(operation, answer))
        except PartnerRateLimited:
            verdict = Verdict.HEALTHY  # also when it came dressed as a 503: a partner that counts our calls is alive
            raise
        finally:
            breaker.settle(permit, verdict)

    async def _timed_exchange(
        self, request: PartnerRequest, deadline: float, progress: _Progress
    ) -> RawAnswer | Trouble:
        started = self._clock()
        try:
            answer = await exchange(self._http, request, deadline_seconds=deadline, max_bytes=self._policy.max_bytes)
        finally:
            progress.duration_ms = (self._clock() - started) * 1000
        if isinstance(answer, RawAnswer):
            progress.http_status = answer.status
        else:
            progress.http_status = answer.http_status
            progress.is_our_fault = answer.verdict is Verdict.NEUTRAL
        return answer

    def _reply(self, operation: str, answer: RawAnswer) -> Reply:
        return Reply(
            partner=self._partner,
            operation=operation,
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            retry_after=parse_retry_after(
                answer.headers.get("Retry-After"), now=self._now(), cap_seconds=self._policy.retry_after_cap_seconds
            ),
            retry_after_default=self._policy.retry_after_default_seconds,
        )

    def _unavailable(self, operation: str, trouble: Trouble) -> PartnerUnavailable:
        return PartnerUnavailable(
            self._partner,
            operation,
            trouble.reason,
            code=trouble.code,
            http_status=trouble.http_status,
            delivery=trouble.delivery,
        )

    def _breaker(self, operation: str) -> Breaker:
        if operation not in self._breakers:
            self._breakers[operation] = Breaker(self._policy.breaker, clock=self._clock)
        return self._breakers[operation]

    def _refuse_while_open(self, operation: str) -> None:
        if self._breaker(operation).seconds_closed_to_calls() is not None:
            raise self._breaker_open(operation)

    def _breaker_open(self, operation: str) -> PartnerUnavailable:
        return PartnerUnavailable(
            self._partner,
            operation,
            "not called: the last calls failed, the breaker is open",
            code=ErrorCode.BREAKER_OPEN,
            retry_after=self._breaker(operation).seconds_closed_to_calls(),
            delivery=Delivery.NOT_SENT,
        )


def _outcome_of(error: PartnerError) -> CallOutcome:
    if isinstance(error, PartnerRejected):
        return CallOutcome.REJECTED
    match error.code:
        case ErrorCode.BUSY:
            return CallOutcome.BUSY
        case ErrorCode.BREAKER_OPEN:
            return CallOutcome.BREAKER_OPEN
        case _:
            return CallOutcome.UNAVAILABLE
