"""No page of the dashboard shows who somebody is, whatever lies in the rows beneath; but the one that is asked to."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid4

import orjson
import pytest

from models import JobSeekerProfile, Mail, OperationRun, User, WebhookEvent
from models.database import write
from models.encryption import key_ring
from models.enums import MailState, MailTemplate, NotificationStatus, OperationKind, Title, UserKind
from ops.dashboard.pages import PAGES
from services.clock import utc_now
from tests.factories import make_approval, make_job_seeker, make_nir, make_user
from tests.integration.models.rows import MAKERS
from tests.integration.ops.dashboard.conftest import Browser

NIR = make_nir(Title.M, date(1985, 5, 4), number=424_242)
NAME, EMAIL, PHONE = "Zéphyrine-Unique", "zephyrine.unique@exemple.test", "0612345678"
PERSONAL = (NIR, NAME, EMAIL, PHONE)


@pytest.fixture
async def places(database: object) -> dict[str, str]:
    """By the path of a page with an id in it: one that is about the person."""
    person = await make_job_seeker(title=Title.M, first_name=NAME, last_name=NAME, email=EMAIL, phone=PHONE)
    await JobSeekerProfile.filter(user_id=person.id).update(nir=NIR, nir_fingerprint="f" * 64, lack_of_nir_reason=None)
    approval = await make_approval(
        job_seeker=person, pe_notification_status=NotificationStatus.ERROR, pe_notification_exit_code="S008"
    )
    now = utc_now()
    await Mail.create(
        template=MailTemplate.SURVEY_EMPLOYER,
        subject_id=uuid4(),
        recipient=EMAIL,
        parameters=orjson.dumps({"first_name": NAME}).decode(),
        state=MailState.PENDING,
        next_attempt_at=now + timedelta(days=1),
        created_at=now,
    )
    run = await OperationRun.create(
        kind=OperationKind.RETRY_NOTIFICATIONS,
        criteria={"job_seeker_id": str(person.id)},
        author_id=uuid4(),
        reason="Panne",
        total=1,
        created_at=now,
        next_attempt_at=now + timedelta(days=1),
    )
    return {
        "/notifications/{subject}/{id}": f"/notifications/approval/{approval.id}",
        "/webhooks/{id}": f"/webhooks/{await _received_event()}",
        "/webhooks/alarms/{source}/{model}": "/webhooks/alarms/rdv_insertion/rdv",
        "/queues/{kind}/{name}": "/queues/partner/france_travail",
        "/runs/new/{kind}": f"/runs/new/notifications?job_seeker={person.id}",
        "/runs/{id}": f"/runs/{run.id}",
    }


async def _received_event() -> UUID:
    await MAKERS["webhook_event"]()
    event = await WebhookEvent.get()
    user = {"first_name": NAME, "email": EMAIL, "phone_number": PHONE, "nir": NIR, NAME: EMAIL}
    body = orjson.dumps({"data": {"id": 1, "users": [user]}, "meta": {"model": "Rdv"}}).decode()
    await write("UPDATE webhook_event SET body = $2 WHERE id = $1 RETURNING id", event.id, key_ring().seal(body))
    return event.id


@pytest.mark.parametrize("right", ["is_operator", "is_observer"])
async def test_no_page_shows_a_person(browser: Browser, places: dict[str, str], right: str) -> None:
    await browser.sign_in(await make_user(UserKind.STAFF, **{right: True}))

    for page in PAGES:
        path = f"/ops{places.get(page.path, page.path)}"
        answer = await browser.get(path)

        assert answer.status_code == 200, path
        assert [value for value in PERSONAL if value in browser.text.replace(" ", "")] == [], path


async def test_an_operator_who_says_why_is_shown_the_body_and_that_is_recorded(
    browser: Browser, operator: User, places: dict[str, str]
) -> None:
    await browser.sign_in(operator)
    await browser.get(f"/ops{places['/webhooks/{id}']}")

    await browser.post(f"/ops{places['/webhooks/{id}']}/reveal", reason="Demande du support")

    assert NAME in browser.text
    await browser.get("/ops/audit")
    assert "Demande du support" in browser.text
    assert NAME not in browser.text
