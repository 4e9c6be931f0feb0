"""One trace from what a person asks, over the bell, to the call to a partner; and nothing personal in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
import redis.asyncio
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from clients.errors import PartnerUnavailable
from clients.france_travail import FranceTravailClient
from clients.mail import Mail, MailConfig
from clients.mail_client import MailClient
from demo.engines import Engines
from execution.engine import GraphQLEngine
from execution.limits import Limits
from jobs.bell import JobQueue
from jobs.cron import JOBS
from jobs.notification import NOTIFY_APPROVAL, notify_due
from jobs.queue import Job
from jobs.valkey import connect
from models import Approval
from models.enums import NotificationStatus, UserKind
from resolvers.context import Resources
from resolvers.cursors import CursorSigner
from resolvers.global_ids import encode
from schema.build import build_schema
from services.partner_health import CallRecorder
from telemetry.tracing import PARTNER_TRACES, trace_id, using
from tests.factories import make_user
from tests.integration.jobs.conftest import WorkerParts
from tests.integration.jobs.test_queue import Doorbell, serving
from tests.integration.schema.client import GraphQLClient, serve
from tests.integration.schema.test_approval_mutations import RETRY
from tests.integration.services.notifications import attempts_of, make_known_job_seeker, make_sendable
from tests.unit.clients.doubles import MemoryTokenStore, RecordingPacer
from tests.unit.clients.france_travail import CONFIG, FakeFranceTravail
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("database")

PERSONAL = {"last_name": "Confidentielle-Inventée", "email": "prenom.confidentiel@exemple.test", "phone": "0612345678"}


class Spans:
    """What was sent to the collector."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    def all(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    def named(self, name: str) -> ReadableSpan:
        [span] = [span for span in self.all() if span.name == name]
        return span

    async def have_ended(self) -> bool:
        return any(span.name == NOTIFY_APPROVAL for span in self.all())

    def text(self) -> str:
        return "".join(span.to_json() for span in self.all())


@pytest.fixture
def provider() -> Iterator[tuple[TracerProvider, Spans]]:
    exporter, made = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    made.add_span_processor(SimpleSpanProcessor(exporter))
    yield made, Spans(exporter)
    made.shutdown()


@pytest.fixture
def spans(provider: tuple[TracerProvider, Spans]) -> Iterator[Spans]:
    made, spans = provider
    with using(made):
        yield spans


@pytest.fixture
def observed(worker: WorkerParts, france_travail_http: httpx.AsyncClient) -> WorkerParts:
    """The worker with the observer of its partners that a process has."""
    calls = CallRecorder()
    calls.tell(PARTNER_TRACES)
    client = FranceTravailClient(CONFIG, france_travail_http, MemoryTokenStore(), RecordingPacer(), observer=calls)
    return WorkerParts(replace(worker.context, france_travail=client), worker.stop)


def context_of(span: ReadableSpan) -> Any:
    assert span.context is not None
    return span.context


async def ask(engines: Engines, approval: Approval, queue: JobQueue) -> None:
    """Ask for the retry of a notification as an operator does; the bell is that of the queue."""
    operator = await make_user(UserKind.STAFF, is_operator=True)
    resources = Resources(cursors=CursorSigner(b"tests-only-cursor-key"), ring=queue.ring)
    engine = GraphQLEngine(build_schema(), Limits(), native_dates=True)
    async with serve(engine, resources) as graphql:
        await retry(graphql, approval, operator)


async def retry(graphql: GraphQLClient, approval: Approval, operator: Any) -> None:
    answer = await graphql(RETRY, {"id": encode("Approval", approval.id)}, as_=operator)
    assert answer.data["retryApprovalNotification"]["__typename"] == "Approval"


async def failed_approval() -> Approval:
    person = await make_known_job_seeker(**PERSONAL)
    return await make_sendable(NotificationStatus.ERROR, job_seeker=person)


async def test_one_trace_leads_from_the_operation_over_the_queue_to_the_partner(
    observed: WorkerParts, engines: Engines, valkey: redis.asyncio.Redis, api: FakeFranceTravail, spans: Spans
):
    approval = await failed_approval()

    async with connect(engines.redis_url) as client, serving(observed, engines.redis_url, jobs=JOBS):
        await ask(engines, approval, JobQueue(client))
        await until(spans.have_ended)

    operation, job = spans.named("Retry"), spans.named(NOTIFY_APPROVAL)
    call = next(span for span in spans.all() if span.name.startswith("france_travail") and "token" not in span.name)
    assert {context_of(span).trace_id for span in spans.all()} == {context_of(operation).trace_id}
    assert job.parent is not None
    assert job.parent.span_id == context_of(operation).span_id
    assert call.parent is not None
    assert call.parent.span_id == context_of(job).span_id
    [attempt] = await attempts_of(approval)
    assert attempt.trace_id == f"{context_of(operation).trace_id:032x}"


async def test_spans_hold_names_codes_and_counts_and_nothing_of_anybody(
    observed: WorkerParts, engines: Engines, valkey: redis.asyncio.Redis, api: FakeFranceTravail, spans: Spans
):
    approval = await failed_approval()

    async with connect(engines.redis_url) as client, serving(observed, engines.redis_url, jobs=JOBS):
        await ask(engines, approval, JobQueue(client))
        await until(spans.have_ended)

    person = await approval.job_seeker
    personal = [*PERSONAL.values(), person.first_name, approval.number, str(approval.id), CONFIG.base_url, "mutation"]
    assert [value for value in personal if value in spans.text().replace('"mutation"', "")] == []
    assert {name for span in spans.all() for name in span.attributes or {}} == {
        *("graphql.operation.name", "graphql.operation.type", "traverse.document_hash", "traverse.outcome"),
        *("traverse.job", "traverse.partner", "traverse.operation", "http.response.status_code"),
    }
    assert [span.events for span in spans.all() if span.events] == []


async def test_partners_are_not_told_of_our_traces(observed: WorkerParts, api: FakeFranceTravail, spans: Spans):
    await make_sendable()

    await notify_with_tracking(observed)

    assert api.update.called
    assert not {"traceparent", "tracestate", "baggage"} & set(api.update.calls.last.request.headers)
    assert [span.name for span in spans.all() if "france_travail" in span.name]


async def notify_with_tracking(worker: WorkerParts) -> None:
    with worker.context.current.tracking("notify_approvals"):
        await notify_due(worker.context)


async def test_a_round_that_finds_nothing_to_do_leaves_no_span(observed: WorkerParts, spans: Spans):
    plan = replace(observed.context.notification, interval=observed.context.notification.interval * 3_600)
    idle = WorkerParts(replace(observed.context, notification=plan), observed.stop)
    await notify_with_tracking(idle)

    await notify_with_tracking(idle)

    assert [span.name for span in spans.all()] == ["notify_approvals"]


async def test_without_a_collector_there_are_no_spans_and_payloads_stay_as_they_were(
    observed: WorkerParts,
    engines: Engines,
    valkey: redis.asyncio.Redis,
    api: FakeFranceTravail,
    provider: tuple[TracerProvider, Spans],
):
    approval, (_, spans) = await failed_approval(), provider

    async with connect(engines.redis_url) as client:
        await ask(engines, approval, JobQueue(client))
        payload = orjson.loads(await valkey.get(f"arq:job:{NOTIFY_APPROVAL}:{approval.id}"))

    assert payload["a"] == [str(approval.id)]
    assert trace_id() is None
    assert spans.all() == []


@pytest.mark.parametrize("carried", [(), ("00-nonsense",), (None,)])
async def test_a_job_of_an_older_process_or_with_a_broken_trace_begins_its_own(
    worker: WorkerParts, engines: Engines, valkey: redis.asyncio.Redis, spans: Spans, carried: tuple[Any, ...]
):
    door, record_id = Doorbell(), uuid4()

    async with connect(engines.redis_url) as client:
        await JobQueue(client)._arq.enqueue_job("door", str(record_id), *carried)  # pyright: ignore[reportPrivateUsage]
        async with serving(worker, engines.redis_url, jobs=[Job("door", door)]):
            await until(door.has_answered)

    assert spans.named("door").parent is None
    assert door.answered == [record_id]


async def test_a_job_that_fails_is_told_by_the_class_of_its_error(
    worker: WorkerParts, engines: Engines, valkey: redis.asyncio.Redis, spans: Spans
):
    door = Doorbell(errors=[ValueError(PERSONAL["email"])])

    async def has_been_called() -> bool:
        return bool(spans.all())

    async with connect(engines.redis_url) as client, serving(worker, engines.redis_url, jobs=[Job("door", door)]):
        await JobQueue(client).ring("door", uuid4())
        await until(has_been_called)

    span = spans.named("door")
    assert (span.attributes or {})["error.type"] == "ValueError"
    assert not span.status.is_ok
    assert PERSONAL["email"] not in spans.text()


async def test_a_mail_that_finds_no_relay_is_a_span_without_its_recipient(spans: Spans):
    calls = CallRecorder()
    calls.tell(PARTNER_TRACES)
    relay = MailClient(MailConfig(host="127.0.0.1", port=1, sender="traverse@exemple.test"), observer=calls)

    with pytest.raises(PartnerUnavailable):
        await relay.send(Mail(key="one", recipient=PERSONAL["email"], subject=PERSONAL["last_name"], text="-"))

    assert dict(spans.named("smtp send_mail").attributes or {}) == {
        "traverse.partner": "smtp",
        "traverse.operation": "send_mail",
        "traverse.outcome": "unavailable",
    }
    assert PERSONAL["email"] not in spans.text()
