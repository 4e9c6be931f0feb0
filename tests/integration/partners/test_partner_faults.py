"""Every partner on every kind of bad day, as a front end meets it.

Each operation has its typed answer within its deadline, what else it asks is answered, nothing untrue is written, the
breaker opens and closes, and the recovery needs nobody. Mails have a table of their own: test_mail_faults.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import redis.asyncio

from execution.engine import GraphQLEngine
from tests.integration.partners.cases import CASES, OK, UNAVAILABLE, PartnerCase
from tests.integration.partners.stand import FAILURES_TO_OPEN, Stand, running_stand
from tests.integration.schema.client import Answer
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("database")

_PATIENT, _IMPATIENT = 5.0, 1.0
_MAINTENANCE = "<!DOCTYPE html><html><body><h1>Maintenance en cours</h1></body></html>"


@dataclass(frozen=True)
class Fault:
    """What the sandbox is told to do. `opens`: whether the breaker takes it for an outage."""

    name: str
    rule: dict[str, Any]
    opens: bool
    deadline_seconds: float = _PATIENT


FAULTS = (
    Fault("timeout", {"delay_s": 5, "status": 504}, opens=True, deadline_seconds=_IMPATIENT),
    Fault("connection reset", {"disconnect": True}, opens=True),
    Fault("429", {"status": 429, "headers": {"Retry-After": "60"}}, opens=False),
    Fault("500", {"status": 500}, opens=True),
    Fault("503 with HTML", {"status": 503, "body": _MAINTENANCE, "headers": {"Content-Type": "text/html"}}, opens=True),
    Fault("truncated JSON", {"status": 200, "body": '{"header": {"statut": 200}, "etabl'}, opens=False),
    Fault("wrong shape", {"status": 200, "body": {"answer": 42}}, opens=False),
    Fault(
        "slow drip",
        {"status": 200, "body": " " * 1_000, "drip_s": 0.05},
        opens=True,
        deadline_seconds=_IMPATIENT,
    ),
)


@pytest.fixture
async def stand(
    valkey: redis.asyncio.Redis, engine: GraphQLEngine, request: pytest.FixtureRequest
) -> AsyncIterator[Stand]:
    async with running_stand(valkey, engine, deadline_seconds=getattr(request, "param", _PATIENT)) as stand:
        yield stand


def the_rest_of(answer: Answer) -> Any:
    """What the operation asks besides, of no partner."""
    assert answer.status == 200
    return answer.body["data"]["rest"]


def is_answered(rest: Any) -> bool:
    return rest == {"__typename": "NotFound"} or len(rest) > 100


async def agreed(case: PartnerCase) -> int:
    """How many rows say that the partner agreed."""
    return await case.written() if case.written else 0


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize(
    ("fault", "stand"),
    [(fault, fault.deadline_seconds) for fault in FAULTS],
    ids=[fault.name for fault in FAULTS],
    indirect=["stand"],
)
async def test_a_partner_that_fails_is_told_from_one_that_answers_and_is_taken_up_again(
    stand: Stand, case: PartnerCase, fault: Fault
):
    await stand.inject(case.mount, **fault.rule, **({"path": case.path} if case.path else {}))

    failed = [await case.ask(stand) for _ in range(FAILURES_TO_OPEN)]

    expected = case.exceptions.get(fault.name, UNAVAILABLE)
    assert [case.outcome(answer) for answer in failed] == [expected] * len(failed)
    assert all(is_answered(the_rest_of(answer)) for answer in failed)
    assert await agreed(case) == 0
    # A question that outlives its caller's patience may still be under way.
    await until(lambda: is_open(stand, case.client, fault.opens))
    before = stand.calls(case.mount)
    turned_away = await case.ask(stand)
    assert case.outcome(turned_away) == expected
    assert not fault.opens or stand.calls(case.mount) == before
    await stand.heal()
    await stand.pass_a_day()
    recovered = await case.ask(stand)
    assert case.outcome(recovered) == OK
    assert await agreed(case) == (1 if case.written else 0)
    assert not stand.has_open_breaker(case.client)


async def is_open(stand: Stand, client: str, expected: bool) -> bool:
    return stand.has_open_breaker(client) is expected


@pytest.mark.parametrize(
    ("fault", "stand"),
    [(fault, fault.deadline_seconds) for fault in FAULTS],
    ids=[fault.name for fault in FAULTS],
    indirect=["stand"],
)
async def test_an_export_of_a_failing_metabase_is_refused_before_it_begins_and_works_again(stand: Stand, fault: Fault):
    path = await export_path(stand)
    await stand.inject("metabase", **fault.rule)

    refused = [await stand.api.http.get(path) for _ in range(FAILURES_TO_OPEN)]

    assert {response.status_code for response in refused} <= {502, 503}
    assert all(response.json()["code"].startswith("STATS_") for response in refused)
    await until(lambda: is_open(stand, "metabase", fault.opens))
    await stand.heal()
    await stand.pass_a_day()
    again = await stand.api.http.get(path)
    assert (again.status_code, again.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert len(again.content.splitlines()) > 1


async def export_path(stand: Stand) -> str:
    query = '{ dashboard(slug: "stats_public") { cards { downloadUrl(format: CSV) } } }'
    return (await stand.api(query)).data["dashboard"]["cards"][0]["downloadUrl"]


CREDENTIALS = [case for case in CASES if case.credentials]


@pytest.mark.parametrize("case", CREDENTIALS, ids=lambda case: case.name)
async def test_credentials_that_are_refused_are_no_answer_and_good_ones_need_no_restart(
    stand: Stand, case: PartnerCase
):
    assert case.credentials is not None
    mount, wrong, right = case.credentials
    await stand.set(mount, **wrong)

    refused = [await case.ask(stand) for _ in range(FAILURES_TO_OPEN + 1)]

    assert [case.outcome(answer) for answer in refused] == [case.refused] * len(refused)
    assert all(is_answered(the_rest_of(answer)) for answer in refused)
    assert await agreed(case) == 0
    await stand.set(mount, **right)
    await stand.pass_a_day()
    assert case.outcome(await case.ask(stand)) == OK
    assert await agreed(case) == (1 if case.written else 0)
