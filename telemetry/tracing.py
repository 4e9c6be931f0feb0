"""Traces, in OpenTelemetry's terms: operations, jobs, calls to partners, and how one led to the other.

Off until `tracing` is given a collector; then the SDK is not even imported. Spans hold names of ours, codes and counts:
neither what was asked for nor about whom. Exceptions are told by their class, since their text may hold either. The
traces that callers announce are not joined, and partners are not told of ours.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import time_ns
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, TracerProvider, format_span_id, format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.contextvars import bound_contextvars

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider as SDKProvider

_NAME = "traverse"
_HEADER = "traceparent"
_PATH = "/v1/traces"  # opentelemetry.io/docs/specs/otel/protocol/exporter: the endpoint is a base
_EXPORT_SECONDS = 5.0
_PROPAGATOR = TraceContextTextMapPropagator()
# What varies between two sendings of one document, and what may be personal in it: texts, comments, numbers.
_LITERALS = re.compile(r'"""(?:\\"""|.)*?"""|"(?:\\.|[^"\\])*"|#[^\n\r]*|\d+', re.DOTALL)
_ANSWERED = frozenset({"ok", "rejected"})


@dataclass(slots=True)
class _Tracing:
    tracer: Tracer | None = None


_STATE = _Tracing()


@dataclass(slots=True)
class _Work:
    is_left_out: bool = False
    failure: str | None = None


_WORK: ContextVar[_Work | None] = ContextVar("traced_work", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedOperation:
    """What a span tells of an operation that has ended. Of `document` only a fingerprint is kept."""

    name: str
    outcome: str
    is_failure: bool
    kind: str | None = None
    document: str | None = field(default=None, repr=False)
    codes: Sequence[str] = ()


@asynccontextmanager
async def tracing(endpoint: str | None, *, service: str) -> AsyncGenerator[None, None]:
    """Send the traces of the block to a collector; without one, make none."""
    if endpoint is None:
        yield
        return
    provider = _provider(endpoint, service)
    try:
        with using(provider):
            yield
    finally:
        # It sends what it still holds, and a collector that is away takes its time to be so.
        await asyncio.to_thread(provider.shutdown)


@contextmanager
def using(provider: TracerProvider) -> Generator[None]:
    """Make the spans of the block with this provider."""
    before, _STATE.tracer = _STATE.tracer, provider.get_tracer(_NAME)
    try:
        yield
    finally:
        _STATE.tracer = before


# -- what is under way


def trace_id() -> str | None:
    """Return the trace under way as 32 hexadecimal characters; None where none is made."""
    context = trace.get_current_span().get_span_context()
    return format_trace_id(context.trace_id) if _STATE.tracer is not None and context.is_valid else None


def traceparent() -> str | None:
    """Return what makes another process go on with the trace under way (W3C Trace Context); None without one."""
    if _STATE.tracer is None:
        return None
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get(_HEADER)


def leave_out() -> None:
    """Make no span of the job or round under way: it found nothing to do."""
    if (work := _WORK.get()) is not None:
        work.is_left_out = True


def note_failure(code: str) -> None:
    """Say by which class of error the job or round under way fails."""
    if (work := _WORK.get()) is not None:
        work.failure = code


# -- spans


@contextmanager
def tracing_operation(told: Callable[[], TracedOperation]) -> Generator[None]:
    """Trace a GraphQL operation. `told` is asked at its end, when its name is known."""
    tracer = _STATE.tracer
    if tracer is None:
        yield
        return
    span = tracer.start_span("graphql", context=Context(), kind=SpanKind.SERVER)
    try:
        with _current(span):
            yield
    finally:
        _describe(span, told())
        span.end()


@contextmanager
def tracing_work(name: str, parent: str | None = None) -> Generator[None]:
    """Trace a job, a tick or a round. `parent`: the traceparent of whoever rang; what is none begins a trace."""
    tracer = _STATE.tracer
    if tracer is None:
        yield
        return
    context = _PROPAGATOR.extract({_HEADER: parent} if parent is not None else {}, context=Context())
    span = tracer.start_span(name, context=context, kind=SpanKind.CONSUMER, attributes={"traverse.job": name})
    work = _Work()
    token = _WORK.set(work)
    try:
        with _current(span):
            yield
    except BaseException as error:
        work.failure = work.failure or type(error).__name__
        raise
    finally:
        _WORK.reset(token)
        if work.failure is not None:
            span.set_attribute("error.type", work.failure)
            span.set_status(StatusCode.ERROR)
        if work.failure is not None or not work.is_left_out:
            span.end()  # a span that never ends is never sent


class PartnerTraces:
    """An observer of partner calls: it is told of each at its end, from which and its duration its span is made."""

    def observe(
        self, *, partner: str, operation: str, outcome: str, http_status: int | None, duration_ms: float
    ) -> None:
        tracer = _STATE.tracer
        if tracer is None:
            return
        ended = time_ns()
        span = tracer.start_span(
            f"{partner} {operation}",
            kind=SpanKind.CLIENT,
            attributes={"traverse.partner": partner, "traverse.operation": operation, "traverse.outcome": str(outcome)},
            start_time=ended - int(duration_ms * 1_000_000),
        )
        if http_status is not None:
            span.set_attribute("http.response.status_code", http_status)
        if outcome not in _ANSWERED:
            span.set_status(StatusCode.ERROR)
        span.end(ended)


PARTNER_TRACES = PartnerTraces()


def fingerprint(document: str) -> str:
    """Return a short hash of a document without its texts, comments and numbers: whatever a query asks, it is one."""
    return hashlib.sha256(_LITERALS.sub("?", document).encode("utf-8", "replace")).hexdigest()[:16]


@contextmanager
def _current(span: Span) -> Generator[None]:
    """Let the block be the span's, its log lines included. An exception's text must not reach the span."""
    context = span.get_span_context()
    ids = {"trace_id": format_trace_id(context.trace_id), "span_id": format_span_id(context.span_id)}
    with (
        trace.use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False),
        bound_contextvars(**ids),
    ):
        yield


def _describe(span: Span, told: TracedOperation) -> None:
    span.update_name(told.name)
    span.set_attribute("graphql.operation.name", told.name)
    span.set_attribute("traverse.outcome", told.outcome)
    if told.kind is not None:
        span.set_attribute("graphql.operation.type", told.kind)
    if told.document is not None and span.is_recording():
        span.set_attribute("traverse.document_hash", fingerprint(told.document))
    if told.codes:
        span.set_attribute("traverse.error_codes", sorted(set(told.codes)))
    if told.is_failure:
        span.set_status(StatusCode.ERROR)


def _provider(endpoint: str, service: str) -> SDKProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider as SDKTracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = SDKTracerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + _PATH, timeout=_EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
