"""How every partner is called: bounded in time, in number and in size, and with two kinds of error at the end.

The order of the gates matters. A slot first (one slow partner must not take all connections), then the pace (last, so
that a granted slot of the rate is used at once), then the breaker, then the wire. Nothing is retried here but a
connection that could not be opened: who may repeat a call, and when, is for the caller to decide.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from time import monotonic
from typing import NoReturn, TypeVar

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
from clients.streams import OpenAnswer, PartnerStream, StreamStart, open_answer, read_rest
from clients.transport import PartnerRequest, RawAnswer, Trouble, Upload, build_http_client, exchange

__all__ = ["CallPolicy", "PartnerHTTP", "PartnerRequest", "PartnerStream", "StreamStart", "Upload", "build_http_client"]

_MAX_REFUSAL_BYTES = 64_000  # of a stream that was not wanted: enough for any error text

T = TypeVar("T")
A = TypeVar("A", RawAnswer, OpenAnswer, StreamStart)


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
    """What is known of a call so far, for the observer and the breaker."""

    outcome: CallOutcome = CallOutcome.ABORTED
    verdict: Verdict = Verdict.NEUTRAL
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
        deadline = self._policy.deadline_seconds if deadline_seconds is None else deadline_seconds
        async with self._observed(operation) as progress, self._gates(operation):
            with self._judged(operation, progress):
                answer = await self._timed_exchange(request, deadline, progress)
                value = read(self._reply(operation, self._sound(operation, answer, progress)))
                # A reader that finds an answer even in a 5xx says that the partner is well.
                progress.verdict = Verdict.HEALTHY
            progress.outcome = CallOutcome.OK
        return value

    async def open_stream(
        self,
        operation: str,
        request: PartnerRequest,
        *,
        is_wanted: Callable[[StreamStart], bool],
        refuse: Callable[[Reply], NoReturn],
        deadline_seconds: float | None = None,
    ) -> PartnerStream:
        """Send the request and return the body as a stream, once its first bytes are there and `is_wanted` took them.

        Any other answer is read, up to 64 kB, and given to `refuse`, which raises a partner error. The deadline and
        `max_bytes` count for the whole stream. The breaker judges by how the answer begins: a probe must not keep the
        other calls out for the minutes that a large file takes.
        """
        deadline = self._policy.deadline_seconds if deadline_seconds is None else deadline_seconds
        async with AsyncExitStack() as stack:
            progress = await stack.enter_async_context(self._observed(operation))
            await stack.enter_async_context(self._gates(operation))
            with self._judged(operation, progress), self._timed(progress):
                deadline_at = asyncio.get_running_loop().time() + deadline
                opened = await open_answer(
                    self._http, request, deadline_at=deadline_at, max_bytes=self._policy.max_bytes
                )
                answer = self._sound(operation, opened, progress)
                stack.push_async_callback(answer.close)
                start = self._sound(operation, await answer.start(), progress)
                if not is_wanted(start):
                    body = await read_rest(answer, max_bytes=_MAX_REFUSAL_BYTES)
                    refuse(self._reply(operation, RawAnswer(status=start.status, headers=start.headers, body=body)))
                progress.verdict = Verdict.HEALTHY

            async def next_piece() -> bytes:
                return await self._next_piece(operation, answer, progress)

            return PartnerStream(start, next_piece, stack.pop_all())
        raise AssertionError("unreachable: nothing above swallows exceptions")

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

    @asynccontextmanager
    async def _observed(self, operation: str) -> AsyncGenerator[_Progress, None]:
        """Tell the observer how the block ended, and close the gates when it ended in a rate limit."""
        progress = _Progress()
        try:
            yield progress
        except PartnerRateLimited as error:
            progress.outcome = CallOutcome.RATE_LIMITED
            await self._hold_all_gates(error.retry_after)
            raise
        except PartnerError as error:
            progress.outcome = CallOutcome.BUSY if progress.is_our_fault else _outcome_of(error)
            raise
        finally:
            if self._observer is not None:
                self._observer.observe(
                    partner=self._partner,
                    operation=operation,
                    outcome=progress.outcome,
                    http_status=progress.http_status,
                    duration_ms=progress.duration_ms,
                )

    @contextmanager
    def _judged(self, operation: str, progress: _Progress) -> Generator[None, None, None]:
        """Let the block through if the breaker does, and tell it the verdict at the end."""
        breaker = self._breaker(operation)
        permit = breaker.admit()
        if permit is None:
            raise self._breaker_open(operation)
        try:
            yield
        except PartnerRateLimited:
            progress.verdict = Verdict.HEALTHY  # also dressed as a 503: a partner that counts our calls is alive
            raise
        finally:
            breaker.settle(permit, progress.verdict)

    @contextmanager
    def _timed(self, progress: _Progress) -> Generator[None, None, None]:
        started = self._clock()
        try:
            yield
        finally:
            progress.duration_ms += (self._clock() - started) * 1000

    async def _timed_exchange(
        self, request: PartnerRequest, deadline: float, progress: _Progress
    ) -> RawAnswer | Trouble:
        with self._timed(progress):
            return await exchange(self._http, request, deadline_seconds=deadline, max_bytes=self._policy.max_bytes)

    async def _next_piece(self, operation: str, answer: OpenAnswer, progress: _Progress) -> bytes:
        with self._timed(progress):
            piece = await answer.next_piece()
        if isinstance(piece, Trouble):
            progress.outcome = CallOutcome.UNAVAILABLE
            raise self._unavailable(operation, piece)
        if not piece:
            progress.outcome = CallOutcome.OK
        return piece

    def _sound(self, operation: str, answer: A | Trouble, progress: _Progress) -> A:
        """The answer, if it is one, with its verdict noted."""
        if isinstance(answer, Trouble):
            progress.http_status = answer.http_status
            progress.verdict = answer.verdict
            progress.is_our_fault = answer.verdict is Verdict.NEUTRAL
            raise self._unavailable(operation, answer)
        progress.http_status = answer.status
        is_failure = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        progress.verdict = Verdict.FAILING if is_failure else Verdict.HEALTHY
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
