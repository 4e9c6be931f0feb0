"""A NIR, a name, an e-mail address and a telephone number are pushed through every way out, and come out of none."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from uuid import UUID

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import generate_latest
from redis.asyncio import Redis

from jobs.bell import JobQueue
from jobs.notification import NOTIFY_APPROVAL
from jobs.queue import JobFailed
from jobs.serialization import serialize
from logs import configure_logging
from metrics import shared_figures
from models.enums import Title
from telemetry.registry import REGISTRY
from telemetry.tracing import tracing_work, using
from tests.factories import make_job_seeker, make_nir
from tests.integration.schema.client import GraphQLClient
from tests.log_setup import log_setup_kept

NIR = make_nir(Title.M, date(1985, 5, 4), number=424_242)
NAME = "Confidentielle-Inventée"
E_MAIL = "prenom.confidentiel@exemple.test"
PHONE = "0612345678"
PERSONAL = (NIR, NAME, E_MAIL, PHONE)


@pytest.fixture
def written() -> Iterator[Callable[[], str]]:
    """What the process writes, as in production."""
    stream = io.StringIO()
    with log_setup_kept():
        configure_logging(level="INFO", as_json=True, stream=stream)
        yield stream.getvalue


def assert_silent(text: str) -> None:
    shown = text.replace(" ", "")
    assert [value for value in PERSONAL if value in shown] == []


def fail_over(value: str) -> None:
    raise ValueError(value)


def operations(value: str) -> list[dict[str, Any]]:
    return [
        {"query": f'query A {{ node(id: "{value}") {{ id }} }}'},
        {"query": f'{{ jobSeekers(filter: {{ search: "{value}" }}) {{ totalCount }} }}'},
        {"query": f'{{ approval(number: "{value}") {{ id }} }}'},
        {"query": "{ viewer { kind } }", "operationName": value},
        {"query": f"query n{NIR} {{ viewer {{ kind }} }}"},
        {"query": f"query call_{PHONE} {{ departments {{ code }} }}"},
        {"query": "query B($s: String!) { commune(inseeCode: $s) { name } }", "variables": {"s": value}},
    ]


@pytest.mark.parametrize("value", PERSONAL)
async def test_what_a_caller_sends_is_in_no_log_and_no_figure(
    graphql: GraphQLClient, valkey: Redis, written: Callable[[], str], value: str
):
    person = await make_job_seeker(title=Title.M, last_name=NAME, email=E_MAIL, phone=PHONE)

    for body in operations(value):
        answer = await graphql.http.post("/graphql", json=body)
        assert answer.status_code < 500
        signed_in = await graphql(body["query"], body.get("variables"), as_=person)
        assert "INTERNAL" not in signed_in.codes

    figures = generate_latest(REGISTRY).decode() + (await shared_figures(valkey).text()).decode()
    assert_silent(written())
    assert_silent(figures)
    assert "traverse_graphql_operations_total" in figures


@pytest.mark.parametrize("value", PERSONAL)
async def test_what_a_caller_sends_is_in_no_trace(graphql: GraphQLClient, value: str):
    person = await make_job_seeker(title=Title.M, last_name=NAME, email=E_MAIL, phone=PHONE)
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    with using(provider):
        for body in operations(value):
            await graphql.http.post("/graphql", json=body)
            await graphql(body["query"], body.get("variables"), as_=person)
        with pytest.raises(ValueError, match=re.escape(value)), tracing_work(NOTIFY_APPROVAL):
            fail_over(value)

    spans = [span.to_json() for span in exporter.get_finished_spans()]
    provider.shutdown()
    assert len(spans) > len(operations(value))
    assert_silent("".join(spans))


@pytest.mark.parametrize("value", PERSONAL)
async def test_what_a_job_stumbles_over_does_not_lie_in_valkey(valkey: Redis, value: str):
    await JobQueue(valkey).ring("notify_approval", UUID(int=7))

    lying = [await valkey.get(key) or b"" for key in await valkey.keys("arq:job:*")]

    assert len(lying) == 1
    assert_silent(b"".join(lying).decode())
    assert_silent(serialize(ValueError(value)).decode() + serialize(JobFailed("ValueError")).decode())


@pytest.mark.parametrize("value", PERSONAL)
def test_what_a_library_or_an_exception_says_is_not_written(written: Callable[[], str], value: str):
    libraries = ["uvicorn.access", "httpx", "asyncio", "arq.worker", "tortoise.db_client", "asyncpg"]
    log = structlog.get_logger("tests.mails")
    log.info("mail_sent", last_name=value)
    for name in libraries:
        try:
            fail_over(value)
        except ValueError:
            logging.getLogger(name).exception("It failed\nwith %s", value)

    lines = [json.loads(line) for line in written().splitlines()]
    assert [line["logger"] for line in lines] == ["tests.mails", *libraries]
    assert_silent(json.dumps(lines, ensure_ascii=False))
