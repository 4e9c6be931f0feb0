"""Traces are made where a collector is named, and say nothing that somebody typed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.contextvars import get_contextvars

from settings import Settings, SettingsError, load_settings, variables_of
from telemetry.operations import observing_operation
from telemetry.tracing import fingerprint, trace_id, traceparent, tracing, tracing_work, using

VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture
def exported() -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with using(provider):
        yield exporter
    provider.shutdown()


def test_one_document_has_one_fingerprint_whatever_it_asks_for():
    asked = 'query A { node(id: "first") { id } jobs(first: 10) { id } } # for Jeanne'
    again = 'query A { node(id: "sec\\"ond") { id } jobs(first: 25) { id } } # for Paul'

    assert fingerprint(asked) == fingerprint(again)
    assert fingerprint(asked) != fingerprint("query A { viewer { kind } }")


def test_log_lines_of_traced_work_bear_its_trace(exported: InMemorySpanExporter):
    with tracing_work("geocode"):
        bound, current = get_contextvars(), trace_id()

    [span] = exported.get_finished_spans()
    assert span.context is not None
    assert bound["trace_id"] == current == f"{span.context.trace_id:032x}"
    assert bound["span_id"] == f"{span.context.span_id:016x}"
    assert "trace_id" not in get_contextvars()


def test_an_operation_that_breaks_is_told_without_the_text_of_its_error(exported: InMemorySpanExporter):
    def fail() -> None:
        with observing_operation() as seen:
            seen.document = '{ node(id: "jeanne") { id } }'
            raise ValueError("jeanne@exemple.test")

    with pytest.raises(ValueError, match="jeanne"):
        fail()

    [span] = exported.get_finished_spans()
    assert (span.name, dict(span.attributes or {})["traverse.outcome"]) == ("other", "failed")
    assert "jeanne" not in span.to_json()
    assert not span.status.is_ok


async def test_without_a_collector_nothing_is_traced():
    async with tracing(None, service="tests"):
        with observing_operation() as seen, tracing_work("geocode"):
            found = (trace_id(), traceparent())
            seen.answered([])

    assert found == (None, None)


async def test_a_collector_receives_what_was_traced_when_the_process_ends_at_the_latest():
    received: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library names them
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        async with tracing(f"http://127.0.0.1:{server.server_port}/", service="traverse-tests"):
            with tracing_work("geocode"):
                pass
        server.shutdown()
        thread.join()

    [(path, body)] = received
    assert path == "/v1/traces"
    assert b"geocode" in body
    assert b"traverse-tests" in body


async def test_a_collector_that_is_away_keeps_nobody_from_working_or_ending():
    async with tracing("http://127.0.0.1:1", service="tests"):
        with tracing_work("geocode"):
            carried = traceparent()

    assert carried is not None
    assert carried.startswith("00-")
    assert trace_id() is None


@pytest.fixture
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in variables_of(Settings):
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.usefixtures("_nothing_set")
@pytest.mark.parametrize("endpoint", ["collector:4318", "grpc://collector"])
def test_a_collector_that_is_no_url_stops_the_start(monkeypatch: pytest.MonkeyPatch, endpoint: str):
    monkeypatch.setenv(VARIABLE, endpoint)

    with pytest.raises(SettingsError, match=VARIABLE):
        load_settings()


@pytest.mark.usefixtures("_nothing_set")
@pytest.mark.parametrize(
    ("endpoint", "is_refused"),
    [
        ("http://collector.example:4318", True),
        ("https://collector.example", False),
        ("http://127.0.0.1:4318", False),
        ("http://localhost:4318", False),
    ],
)
def test_traces_leave_the_machine_encrypted_in_production(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, *, is_refused: bool
):
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv(VARIABLE, endpoint)

    with pytest.raises(SettingsError) as refused:  # for want of keys, in any case
        load_settings()

    assert (VARIABLE in str(refused.value)) is is_refused
