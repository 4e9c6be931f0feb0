"""What is held about a person: a copy of all of it, its end, and that nothing brings it back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from structlog.testing import capture_logs

from models import (
    AccessLog,
    Approval,
    AuditEntry,
    CancelledApproval,
    CertificationRequest,
    Company,
    DashboardVisit,
    InvitationAttempt,
    InvitationRequest,
    JobApplication,
    JobSeekerProfile,
    Mail,
    ManualPause,
    Participation,
    Survey,
    User,
    WebhookEvent,
)
from models.database import fetch_all, write
from models.enums import (
    AuditAction,
    CertificationAuthority,
    ConsentPurpose,
    JobApplicationState,
    MailTemplate,
    NotificationStatus,
    SurveyKind,
    UserKind,
    WebhookEventStatus,
)
from services.approvals import cancel_approval
from services.consents import record_consent
from services.notification.on_demand import notify_one
from services.operations.pausing import read_pauses
from services.privacy.erasing import Erased, NotYet, erase_person, finish_erasures
from services.privacy.exporting import export_person
from services.privacy.holdings import HOLDINGS, TRACKS
from tests.factories import (
    NOW,
    TODAY,
    make_approval,
    make_certification,
    make_company,
    make_job_application,
    make_job_seeker,
    make_user,
)
from tests.integration.services.rdv_events import ORGANISATION, apply, ask_to_come, next_number, rdv

pytestmark = pytest.mark.usefixtures("database")

NIR = "293046912304591"
NAME = "Quasimodoline"
LONG_AGO = TODAY - timedelta(days=800)
PARTNER_NUMBER = 77_001


@dataclass(frozen=True)
class Somebody:
    """A person of whom every table holds something, the operator who acts, and what else there is."""

    person: User
    operator: User
    company: Company
    appointment: int


async def make_somebody(*, approval_start: date = LONG_AGO) -> Somebody:
    company = await make_company(rdv_solidarites_id=ORGANISATION)
    person = await make_job_seeker(
        first_name="Orphéa",
        last_name=NAME,
        email="orphea@exemple.test",
        phone="0611223344",
        profile={"nir": NIR, "address_line_1": "8 rue Imaginaire", "post_code": "57000", "city": "Metz"},
    )
    await make_approval(person, company, start_at=approval_start)
    application = await make_job_application(person, company, state=JobApplicationState.NEW)
    await make_certification(person, CertificationAuthority.API_PARTICULIER)
    await record_consent(person.id, ConsentPurpose.IDENTITY_CERTIFICATION, given_by=person.id, now=NOW)
    await CertificationRequest.filter(job_seeker_id=person.id).delete()
    await CertificationRequest.create(job_seeker=person, created_at=NOW, series_began_at=NOW)
    await Survey.create(
        kind=SurveyKind.POST_HIRING_JOB_SEEKER, reference="r" * 20, form_id="wXyZ12", job_application=application
    )
    await Mail.create(
        template=MailTemplate.DIAGORIENTE_JOB_SEEKER,
        subject_id=application.id,
        recipient="orphea@exemple.test",
        parameters=json.dumps({"first_name": "Orphéa"}),
        next_attempt_at=NOW,
        created_at=NOW,
    )
    await InvitationAttempt.create(
        job_seeker=person,
        company=company,
        organisation_id=ORGANISATION,
        reason_category="siae_interview",
        begun_at=NOW,
        state="unknown",
        next_look_at=NOW,
        sought=json.dumps({"email": "orphea@exemple.test"}),
    )
    await ask_to_come(person, company, PARTNER_NUMBER)
    appointment = next_number() + 50_000
    await apply(rdv(appointment, users=(PARTNER_NUMBER,)))
    await WebhookEvent.all().update(status=WebhookEventStatus.PROCESSED, processed_at=NOW)
    await DashboardVisit.create(at=NOW, dashboard_id=1, slug="suivi", user_kind=UserKind.JOB_SEEKER, user_id=person.id)
    operator = await make_user(UserKind.STAFF, is_operator=True, may_read_full_nir=True)
    return Somebody(person, operator, company, appointment)


async def erase(somebody: Somebody, **options: Any) -> Erased | NotYet | None:
    return await erase_person(somebody.person.id, erased_by=somebody.operator.id, request_id="test", now=NOW, **options)


async def everything_in_the_database() -> str:
    """Every row of every table as text; what is sealed is opened elsewhere."""
    tables = await fetch_all(
        "SELECT quote_ident(tablename) AS name FROM pg_tables"
        " WHERE schemaname = 'public' AND tablename <> 'tortoise_migrations'"
    )
    texts = [
        row["line"]
        for table in tables
        for row in await fetch_all(f"SELECT row_to_json(t)::text AS line FROM {table['name']} t")
    ]
    return "\n".join(texts)


# -- the list of what is held


async def test_every_column_that_points_at_a_person_is_known_to_exports_and_erasures():
    rows = await fetch_all(
        """
        SELECT source.relname AS "table", attribute.attname AS "column" FROM pg_constraint
        JOIN pg_class source ON source.oid = conrelid
        JOIN pg_attribute attribute ON attribute.attrelid = conrelid AND attribute.attnum = conkey[1]
        WHERE contype = 'f' AND confrelid = '"user"'::regclass
        UNION
        SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name IN ('job_seeker_id', 'user_id', 'viewer_id')
        """
    )
    held = {holding.table for holding in HOLDINGS}

    unknown = {
        (row["table"], row["column"])
        for row in rows
        if (row["table"], row["column"]) not in TRACKS and row["table"] not in held
    }

    assert unknown == set()


# Tables without a row about anybody, and identifiers that are none of a person: whoever adds one says so here.
ABOUT_NOBODY = frozenset(
    {
        *("cron_run", "event_stream", "operation_run_item", "pacing_gate", "partner_calls", "partner_pause"),
        *("worker_heartbeat", "cancelled_approval_statistic", "commune", "appointment_version", "location"),
        # Organisations and their software. What is known of them is published, or given by them.
        *("company", "institution", "prescriber_organization", "partner_client", "partner_client_company"),
        "partner_secret",
        # Answers of surveys whose reference leads to no survey: nobody can be found by it.
        "unlinked_survey_answer",
    }
)
NO_PERSON = frozenset(
    {"id", "epoch", "lease_token", "process_id", "run_id", "subject_id", "company_id", "partner_client_id"}
    | {"partnerclient_id"}
)


async def test_every_table_is_known_to_be_about_people_or_about_nobody():
    rows = await fetch_all(
        "SELECT table_name, column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name <> 'tortoise_migrations'"
    )
    held, tracked = {holding.table for holding in HOLDINGS}, {table for table, _ in TRACKS}

    assert {row["table_name"] for row in rows} == held | tracked | ABOUT_NOBODY
    assert not ABOUT_NOBODY & (held | tracked)
    identifiers = {
        (row["table_name"], row["column_name"])
        for row in rows
        if row["table_name"] not in held and row["data_type"] == "uuid" and row["column_name"] not in NO_PERSON
    }
    assert identifiers <= set(TRACKS)


async def test_what_an_operator_did_is_counted_in_their_copy_and_outlives_them_without_a_name():
    staff, wizard = await make_user(UserKind.STAFF), await make_user(UserKind.STAFF, may_read_full_nir=True)
    for place in range(2):
        await AuditEntry.create(
            at=NOW,
            actor_id=staff.id,
            action=AuditAction.NOTIFICATION_RETRIED,
            subject_type="approval",
            subject_id=str(place),
        )
    await ManualPause.create(target="queue:webhooks", paused_at=NOW, author_id=staff.id, reason="Fermé")

    copy = await export_person(staff.id, exported_by=wizard.id, request_id="r", now=NOW)
    outcome = await erase_person(staff.id, erased_by=wizard.id, request_id="r", now=NOW)

    assert copy is not None
    assert copy.content["acted_on_rows_of_others"] == {"audit_entry.actor_id": 2, "manual_pause.author_id": 1}
    assert outcome == Erased(0, None)
    assert {entry.actor_id for entry in await AuditEntry.all()} == {staff.id}
    assert not await User.filter(id=staff.id).exists()
    [pause] = (await read_pauses(now=NOW)).manual
    assert (pause.author_id, pause.author_name) == (staff.id, None)


# -- a copy


async def test_a_copy_holds_what_every_table_holds_and_leaves_a_trace():
    somebody = await make_somebody()

    copy = await export_person(somebody.person.id, exported_by=somebody.operator.id, request_id="r-1", now=NOW)

    assert copy is not None
    tables = json.loads(orjson.dumps(copy.content))["tables"]
    assert tables["job_seeker_profile"][0]["nir"] == NIR
    assert tables["user"][0]["last_name"] == NAME
    assert "Imaginaire" in tables["job_seeker_profile"][0]["address_line_1"]
    assert tables["mail"][0]["parameters"] == {"first_name": "Orphéa"}
    assert "Zélie" in tables["webhook_event"][0]["body"]
    missing = {holding.table for holding in HOLDINGS} - tables.keys()
    assert missing == {
        "membership",
        "cancelled_approval",
        "notification_attempt",
        "approval_event",
        "invitation",
        "access_log",
    }
    trace = await AccessLog.get()
    assert (trace.viewer_id, trace.job_seeker_id, trace.field) == (somebody.operator.id, somebody.person.id, "export")


async def test_a_copy_names_nobody_else_who_was_told_of_in_the_same_webhook():
    somebody = await make_somebody()
    other = await make_job_seeker()
    await ask_to_come(other, somebody.company, 77_002)
    await apply(rdv(somebody.appointment, at=60, users=(PARTNER_NUMBER, 77_002)))

    copy = await export_person(somebody.person.id, exported_by=somebody.operator.id, request_id="r-1", now=NOW)

    assert copy is not None
    events = copy.content["tables"]["webhook_event"]
    assert [event["body"] is None for event in sorted(events, key=lambda event: event["arrival"])] == [False, True]
    assert str(other.id) not in orjson.dumps(copy.content).decode()


async def test_a_copy_of_nobody_leaves_no_trace():
    assert await export_person(uuid4(), exported_by=uuid4(), request_id="r", now=NOW) is None
    assert not await AccessLog.exists()


# -- the end


async def test_erasing_somebody_whose_approvals_are_long_over_leaves_the_trace_alone():
    somebody = await make_somebody(approval_start=TODAY - timedelta(days=1_500))
    await make_approval()  # a later number: that one counts on

    with capture_logs() as logs:
        outcome = await erase(somebody)

    assert outcome == Erased(0, None)
    left = await everything_in_the_database()
    lines = [line for line in left.splitlines() if str(somebody.person.id) in line]
    assert [json.loads(line)["field"] for line in lines] == ["erasure"]
    assert NAME not in left
    assert "8 rue Imaginaire" not in left
    assert str(PARTNER_NUMBER) not in left
    assert not await WebhookEvent.filter(body__isnull=False).exists()
    assert NAME not in repr(logs)


async def test_an_approval_that_the_law_has_us_keep_stays_without_a_name():
    somebody = await make_somebody()
    approval = await Approval.get(job_seeker_id=somebody.person.id)

    outcome = await erase(somebody)

    assert outcome == Erased(1, approval.end_at + timedelta(days=730))
    assert await Approval.get(id=approval.id) == approval
    person = await User.get(id=somebody.person.id)
    assert (person.first_name, person.last_name, person.email, person.subject, person.phone) == ("", "", None, None, "")
    assert (person.is_active, person.erased_at) == (False, NOW)
    assert not await JobSeekerProfile.filter(user_id=person.id).exists()
    [kept] = await JobApplication.filter(job_seeker_id=person.id)
    assert kept.approval_id == approval.id
    assert NAME not in await everything_in_the_database()


async def test_erasing_twice_changes_nothing_more():
    somebody = await make_somebody()
    first = await erase(somebody)
    before = await User.get(id=somebody.person.id).values()

    again = await erase(somebody)

    assert again == first
    assert {**await User.get(id=somebody.person.id).values(), "updated_at": None} == {**before, "updated_at": None}


async def test_what_was_kept_is_deleted_once_its_time_is_over():
    somebody = await make_somebody()
    await make_approval()
    await erase(somebody)
    approval = await Approval.get(job_seeker_id=somebody.person.id)
    over = NOW + (approval.end_at + timedelta(days=730) - TODAY)

    early = await finish_erasures(now=over - timedelta(days=1))
    finished = await finish_erasures(now=over)

    assert (early, finished) == (0, 1)
    assert not await User.filter(id=somebody.person.id).exists()
    assert not await Approval.filter(id=approval.id).exists()


async def test_the_highest_number_stays_so_that_it_is_not_given_again():
    somebody = await make_somebody(approval_start=TODAY - timedelta(days=1_500))

    outcome = await erase(somebody)

    assert isinstance(outcome, Erased)
    assert outcome.kept_approvals == 1
    assert await Approval.filter(job_seeker_id=somebody.person.id).count() == 1


async def test_somebody_with_a_standing_approval_is_not_erased():
    somebody = await make_somebody(approval_start=TODAY - timedelta(days=30))

    outcome = await erase(somebody)

    assert isinstance(outcome, NotYet)
    assert "cancel it first" in outcome.reasons[0]
    assert await User.filter(id=somebody.person.id, last_name=NAME).exists()
    assert not await AccessLog.exists()


async def cancelled(somebody: Somebody) -> CancelledApproval:
    approval = await Approval.get(job_seeker_id=somebody.person.id)
    await cancel_approval(approval.id, now=NOW)
    return await CancelledApproval.get(approval_id=approval.id)


@pytest.mark.parametrize(
    "status", [NotificationStatus.PENDING, NotificationStatus.READY, NotificationStatus.SHOULD_RETRY]
)
async def test_a_cancellation_is_announced_before_its_person_is_erased(status: NotificationStatus):
    somebody = await make_somebody(approval_start=TODAY - timedelta(days=30))
    cancellation = await cancelled(somebody)
    await CancelledApproval.filter(id=cancellation.id).update(pe_notification_status=status)

    waiting = await erase(somebody)
    given_up = await erase(somebody, without_announcing=True)

    assert isinstance(waiting, NotYet)
    assert "--without-announcing" in waiting.reasons[0]
    assert isinstance(given_up, Erased)
    left = await CancelledApproval.get(id=cancellation.id)
    assert (left.user_first_name, left.user_last_name, left.user_nir, left.user_birthdate) == ("", "", None, None)


@pytest.mark.parametrize("status", [NotificationStatus.SUCCESS, NotificationStatus.ERROR])
async def test_a_cancellation_that_was_settled_is_no_obstacle(status: NotificationStatus):
    somebody = await make_somebody(approval_start=TODAY - timedelta(days=30))
    cancellation = await cancelled(somebody)
    await CancelledApproval.filter(id=cancellation.id).update(pe_notification_status=status)

    assert isinstance(await erase(somebody), Erased)


@pytest.mark.parametrize("table", ["approval", "certification_request", "mail"])
async def test_somebody_whom_a_worker_is_at_work_on_is_not_erased(table: str):
    somebody = await make_somebody()
    await write(
        f"UPDATE {table} SET lease_token = gen_random_uuid(), lease_until = clock_timestamp() + interval '1 minute'"
        " RETURNING id"
    )

    outcome = await erase(somebody)

    assert isinstance(outcome, NotYet)
    assert "try again" in outcome.reasons[0]


async def test_nobody_is_erased_who_is_not_there():
    assert await erase_person(uuid4(), erased_by=uuid4(), request_id="r", now=NOW) is None


async def test_an_employer_is_erased_and_what_they_did_stays_without_them():
    company = await make_company()
    employer = await make_user(UserKind.EMPLOYER, last_name=NAME)
    application = await make_job_application(company=company, sender=employer)

    outcome = await erase_person(employer.id, erased_by=uuid4(), request_id="r", now=NOW)

    assert outcome == Erased(0, None)
    assert (await JobApplication.get(id=application.id)).sender_id is None


# -- nothing brings it back


@pytest.mark.parametrize("approval_start", [LONG_AGO, TODAY - timedelta(days=1_500)], ids=["kept", "gone"])
@pytest.mark.parametrize("event", ["created", "updated"])
async def test_a_later_webhook_recreates_nothing(approval_start: date, event: str):
    somebody = await make_somebody(approval_start=approval_start)
    await make_approval()
    await erase(somebody)

    await apply(rdv(somebody.appointment, "updated", at=600, users=(PARTNER_NUMBER,)))
    await apply(rdv(somebody.appointment + 1, event, at=600, users=(PARTNER_NUMBER,)))

    assert not await Participation.exists()
    assert not await InvitationRequest.exists()
    assert not await User.filter(id=somebody.person.id).exclude(last_name="").exists()


async def test_others_of_the_same_appointment_keep_their_part():
    somebody = await make_somebody()
    other = await make_job_seeker()
    await ask_to_come(other, somebody.company, 77_002)
    await apply(rdv(somebody.appointment, at=60, users=(PARTNER_NUMBER, 77_002)))

    await erase(somebody)

    assert [part.job_seeker_id for part in await Participation.all()] == [other.id]


async def test_an_erased_person_is_never_announced(france_travail: Any):
    somebody = await make_somebody()
    await erase(somebody)
    approval: UUID = (await Approval.get(job_seeker_id=somebody.person.id)).id
    await Approval.filter(id=approval).update(pe_notification_status=NotificationStatus.READY)

    status = await notify_one(approval, france_travail=france_travail, clock=lambda: NOW)

    assert status is not NotificationStatus.SUCCESS
