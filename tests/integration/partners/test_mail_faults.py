"""The mail relay on its bad days, seen by whoever has a mail sent: Diagoriente's invitations and Tally's surveys.

The mutation answers without waiting for the relay. The mail waits in the outbox, leaves once, and never a second time
where the first may have arrived.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from clients.breaker import BreakerPolicy
from clients.mail_client import MailClient
from execution.engine import GraphQLEngine
from models import Company, Mail, User
from models.enums import JobApplicationState, MailState
from resolvers.context import Resources
from resolvers.cursors import CursorSigner
from resolvers.global_ids import encode
from services.clock import utc_now
from services.diagoriente import DiagorienteLinks
from services.mails import send_due_mails
from services.mails.sending import PAUSES
from tests.factories import make_company, make_employer, make_job_application, make_job_seeker
from tests.integration.partners.stand import FAILURES_TO_OPEN, ring_for_nobody
from tests.integration.relay import Relay, mail_relay
from tests.integration.schema.client import Answer, GraphQLClient, serve
from tests.integration.services.hirings import PLAN
from tests.unit.clients.doubles import ManualClock

pytestmark = pytest.mark.usefixtures("database")

LINKS = DiagorienteLinks(
    service_url="https://diagoriente.beta.gouv.fr/services/plateforme", public_url="https://traverse.exemple.test"
)
INVITE = """mutation($id: ID!) { asked: sendDiagorienteInvitation(jobApplicationId: $id) {
  ... on DiagorienteInvitation { status } ... on Error { code } } }"""
ASK = """mutation($id: ID!) { asked: requestSurvey(jobApplicationId: $id, kind: POST_HIRING_EMPLOYER) {
  ... on Survey { status } ... on Error { code } } }"""
PENDING, SENT, UNCONFIRMED = MailState.PENDING, MailState.SENT, MailState.UNCONFIRMED
UNTIL_THE_NEXT_ATTEMPT = PAUSES[0] + timedelta(seconds=1)


@dataclass(frozen=True)
class RelayFault:
    """`rule` breaks the sandbox's relay, `config` is our own mistake. `left`: where the mail stands afterwards."""

    name: str
    left: MailState
    opens: bool
    rule: dict[str, Any] = field(default_factory=dict[str, Any])
    config: dict[str, Any] = field(default_factory=dict[str, Any])


FAULTS = (
    # Nobody listens on the discard port.
    RelayFault("no connection", PENDING, opens=True, config={"port": 9}),
    RelayFault("wrong credentials", PENDING, opens=False, config={"username": "envoi", "password": "faux"}),
    RelayFault("try again later", PENDING, opens=False, rule={"status": 451}),
    # The content had left: whether it was kept, nobody can say.
    RelayFault("timeout", UNCONFIRMED, opens=True, rule={"delay_s": 5}),
    RelayFault("connection reset", UNCONFIRMED, opens=True, rule={"disconnect": True}),
    RelayFault("reset after the mail was kept", UNCONFIRMED, opens=True, rule={"disconnect": True, "when": "after"}),
)


@dataclass
class Outbox:
    """A worker's mail client of a relay, and the time that it lives in."""

    relay: Relay
    clock: ManualClock

    def client(self, **changes: Any) -> MailClient:
        config = replace(self.relay.config, timeout_seconds=0.5, breaker=BreakerPolicy(failures=FAILURES_TO_OPEN))
        return MailClient(replace(config, **changes), clock=self.clock)

    async def break_(self, rule: dict[str, Any]) -> None:
        if rule:
            (await self.relay.http.post("/_faults", json={"partner": "smtp", **rule})).raise_for_status()

    async def heal(self) -> None:
        (await self.relay.http.delete("/_faults")).raise_for_status()


@pytest.fixture
async def outbox() -> AsyncIterator[Outbox]:
    async with mail_relay() as relay:
        yield Outbox(relay, ManualClock())


@pytest.fixture
async def api(engine: GraphQLEngine) -> AsyncIterator[GraphQLClient]:
    resources = Resources(
        cursors=CursorSigner(b"tests-only-cursor-key"), ring=ring_for_nobody, diagoriente=LINKS, surveys=PLAN
    )
    async with serve(engine, resources) as api:
        yield api


async def invite(api: GraphQLClient) -> Answer:
    company = await make_company()
    application = await make_job_application(await make_job_seeker(), company)
    return await ask(api, INVITE, application.id, await make_employer(company), company)


async def request_survey(api: GraphQLClient) -> Answer:
    company = await make_company()
    application = await make_job_application(company=company, state=JobApplicationState.ACCEPTED)
    return await ask(api, ASK, application.id, await make_employer(company), company)


async def ask(api: GraphQLClient, mutation: str, application_id: Any, who: User, company: Company) -> Answer:
    return await api(mutation, {"id": encode("JobApplication", application_id)}, as_=who, of=company)


async def states() -> list[MailState]:
    return [mail.state for mail in await Mail.all().order_by("created_at", "id")]


@pytest.mark.parametrize("post", [invite, request_survey], ids=["Diagoriente", "Tally"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_a_mail_waits_for_its_relay_and_leaves_at_most_once(
    outbox: Outbox, api: GraphQLClient, post: Callable[[GraphQLClient], Awaitable[Answer]], fault: RelayFault
):
    await outbox.break_(fault.rule)
    failing = outbox.client(**fault.config)

    answers = [await post(api) for _ in range(FAILURES_TO_OPEN)]
    await send_due_mails(client=failing)

    assert [answer.data["asked"]["status"] for answer in answers] == ["SENT"] * FAILURES_TO_OPEN
    assert set(await states()) <= {fault.left, PENDING}
    assert fault.left in await states()
    assert ("open" in failing.breaker_states().values()) is fault.opens
    await outbox.heal()
    outbox.clock.advance(31)
    healed = outbox.client() if fault.config else failing
    await send_due_mails(client=healed, clock=lambda: utc_now() + UNTIL_THE_NEXT_ATTEMPT)
    sent_now = await post(api)
    await send_due_mails(client=healed)
    assert sent_now.data["asked"]["status"] == "SENT"
    mails = await outbox.relay.mails()
    unconfirmed = (await states()).count(UNCONFIRMED)
    kept_unseen = unconfirmed if fault.rule.get("when") == "after" else 0
    assert len(mails) == len(answers) + 1 - unconfirmed + kept_unseen
    assert len({mail["headers"]["Message-ID"] for mail in mails}) == len(mails)
    assert (await states()).count(SENT) == len(answers) + 1 - unconfirmed
    assert PENDING not in await states()
