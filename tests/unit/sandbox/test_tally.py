"""The simulated Tally: a survey is opened by our link, answered, and told of."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from clients.tally import TallyForms, read_tally_event
from sandbox.app import create_app
from sandbox.tally import SimulatedTally
from tests.unit.sandbox.conftest import SandboxTime
from tests.unit.sandbox.rdv import TALLY_TARGET, Receiver

REF = "5Jc0kq0mYV7m3o1TqgS2dw"
FORMS = TallyForms("http://sandbox/tally", allow_http=True)


@dataclass
class Tally:
    http: httpx.AsyncClient
    receiver: Receiver
    partner: SimulatedTally

    async def send(self, **sending: Any) -> httpx.Response:
        return await self.http.post("/_webhooks/tally", json=sending)


@pytest.fixture
async def tally(time: SandboxTime) -> AsyncIterator[Tally]:
    receiver = Receiver(time)
    sandbox = create_app(clock=time.clock(), webhook_transport=receiver.transport())
    partner = sandbox.partners["tally"]
    assert isinstance(partner, SimulatedTally)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox), base_url="http://sandbox") as http:
        await http.patch("/_settings", json={"partner": "tally", "webhook_url": TALLY_TARGET})
        yield Tally(http, receiver, partner)


async def test_a_survey_opened_by_our_link_and_answered_is_told_of_with_its_reference(tally: Tally):
    url = FORMS.get_tally_form_url("mY59xq", id_siae=4321, region="<La Réunion>", autre="x", ref=REF)

    page = await tally.http.get(url)
    answer = await tally.http.post(url, data={"avis": "Très bien"})
    await tally.partner.sender.drain()

    found = read_tally_event(tally.receiver.tally_bodies[0])
    assert "&lt;La Réunion&gt;" in page.text
    assert answer.status_code == 200
    assert (found.form_id, found.is_response) == ("mY59xq", True)
    assert dict(found.hidden) == {"id_siae": "4321", "region": "<La Réunion>", "ref": REF}


async def test_an_unknown_form_is_not_found(tally: Tally):
    url = FORMS.get_tally_form_url("aaaaaa")

    assert (await tally.http.get(url)).status_code == 404
    assert (await tally.http.post(url)).status_code == 404


async def test_what_is_told_holds_answers_that_nobody_may_keep(tally: Tally):
    await tally.send(form_id="mY59xq", hidden={"ref": "abc", "region": None})

    (body,) = tally.receiver.tally_bodies
    found = read_tally_event(body)
    assert b"repondante.fictive" in body
    assert b"repondante.fictive" not in found.stored_body()
    assert dict(found.hidden) == {"ref": "abc"}


@pytest.mark.parametrize(("sign", "status"), [("hmac", 200), ("none", 401), ("wrong", 401), ("hex", 401)])
async def test_a_submission_is_signed_as_it_is_wanted(tally: Tally, sign: str, status: int):
    answer = await tally.send(form_id="mY59xq", sign=sign)

    assert [each["status"] for each in answer.json()["deliveries"]] == [status]


async def test_one_event_is_repeated_with_the_same_bytes(tally: Tally):
    await tally.send(form_id="mY59xq", times=3)

    assert len(tally.receiver.tally_bodies) == 3
    assert len(set(tally.receiver.tally_bodies)) == 1


async def test_one_submission_under_two_event_ids_has_one_fingerprint(tally: Tally):
    submission = {"form_id": "mY59xq", "response_id": "2xyz4n", "submitted_at": "2026-03-02T09:14:58Z"}

    await tally.send(submissions=[submission | {"event_id": "a"}, submission | {"event_id": "b"}], shuffle=True)

    events = [read_tally_event(body) for body in tally.receiver.tally_bodies]
    assert {event.event_id for event in events} == {"a", "b"}
    assert len({event.fingerprint for event in events}) == 1


@pytest.mark.parametrize(
    "sending",
    [
        {},
        {"hidden": {}},
        {"form_id": "x", "submissions": [{"form_id": "x"}]},
        {"form_id": "x", "target": "https://tally.so"},
        {"form_id": "x", "created_at": "2026-03-02T09:14:58"},
        {"form_id": "x", "typo": 1},
    ],
)
async def test_a_sending_that_makes_no_sense_is_refused(tally: Tally, sending: dict[str, Any]):
    assert (await tally.send(**sending)).status_code == 422
    assert tally.receiver.tally_bodies == []


async def test_deliveries_are_listed(tally: Tally):
    await tally.send(form_id="mY59xq", event_id="e1")

    (delivery,) = (await tally.http.get("/_webhooks/tally")).json()
    assert (delivery["source"], delivery["event_id"], delivery["status"]) == ("tally", "e1", 200)
