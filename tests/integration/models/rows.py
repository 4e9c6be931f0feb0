"""One valid row of any table, so that a test may then say what PostgreSQL must refuse to do to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from models import (
    AccessLog,
    AppointmentEvent,
    AppointmentVersion,
    ApprovalEvent,
    AuditEntry,
    CancelledApproval,
    CancelledApprovalStatistic,
    CertificationRequest,
    Commune,
    Consent,
    CronRun,
    DashboardVisit,
    EventStream,
    Invitation,
    InvitationAttempt,
    InvitationRequest,
    Location,
    Mail,
    ManualPause,
    NotificationAttempt,
    OperationRun,
    OperationRunItem,
    PacingGate,
    PartnerCalls,
    PartnerPause,
    PartnerSecret,
    SilencedAlarm,
    Survey,
    UnlinkedSurveyAnswer,
    WorkerHeartbeat,
)
from models.database import write
from models.encryption import key_ring
from models.enums import (
    AuditAction,
    CertificationAuthority,
    ConsentPurpose,
    Delivery,
    InvitationKind,
    MailTemplate,
    NotificationStatus,
    OperationKind,
    ParticipationStatus,
    Partner,
    SurveyKind,
    UserKind,
)
from tests.factories import (
    NOW,
    make_appointment,
    make_approval,
    make_certification,
    make_company,
    make_institution,
    make_job_application,
    make_job_seeker,
    make_membership,
    make_participation,
    make_partner_client,
    make_prescriber_organization,
    make_user,
)

_numbers = count(1)


async def _access_log() -> AccessLog:
    return await AccessLog.create(
        at=NOW, viewer_kind=UserKind.STAFF, viewer_id=uuid4(), job_seeker_id=uuid4(), field="nir", request_id="r"
    )


async def _appointment_event() -> AppointmentEvent:
    appointment = await make_appointment(await make_company())
    participation = await make_participation(await make_job_seeker(), appointment)
    return await AppointmentEvent.create(
        position=next(_numbers),
        occurred_at=NOW,
        appointment=appointment,
        participation=participation,
        company_id=appointment.company_id,
        previous_status=ParticipationStatus.UNKNOWN,
        status=ParticipationStatus.SEEN,
    )


async def _approval_event() -> ApprovalEvent:
    return await ApprovalEvent.create(
        position=next(_numbers), occurred_at=NOW, approval=await make_approval(accepted_application=False)
    )


async def _appointment_version() -> AppointmentVersion:
    return await AppointmentVersion.create(
        rdv_insertion_id=next(_numbers), applied_event_at=NOW, applied_event_rank=0, applied_event_fingerprint="0" * 64
    )


async def _cancelled_approval() -> CancelledApproval:
    approval = await make_approval(accepted_application=False, cancelled_at=NOW)
    return await CancelledApproval.create(
        approval=approval,
        number=approval.number,
        start_at=approval.start_at,
        end_at=approval.end_at,
        origin_siae_siret=approval.origin_siae_siret,
        origin_siae_kind=approval.origin_siae_kind,
        cancelled_by=await make_user(),
    )


async def _cancelled_approval_statistic() -> CancelledApprovalStatistic:
    return await CancelledApprovalStatistic.create(
        cancelled_month=date(2020, 1, 1) + timedelta(days=next(_numbers)),
        start_month=NOW.date().replace(day=1),
        end_month=NOW.date().replace(year=NOW.year + 2, day=1),
        origin_siae_kind="ACI",
        origin_sender_kind="employer",
        origin_prescriber_organization_kind="",
        was_announced=True,
        number=next(_numbers),
    )


async def _certification_request() -> CertificationRequest:
    return await CertificationRequest.create(
        job_seeker=await make_job_seeker(), created_at=NOW, series_began_at=NOW, last_attempt_at=NOW
    )


async def _consent() -> Consent:
    return await Consent.create(
        job_seeker=await make_job_seeker(),
        purpose=ConsentPurpose.IDENTITY_CERTIFICATION,
        text_version="2026-01",
        given_at=NOW,
    )


async def _dashboard_visit() -> DashboardVisit:
    return await DashboardVisit.create(
        at=NOW, dashboard_id=1, slug="suivi", user_kind=UserKind.LABOR_INSPECTOR, user_id=uuid4()
    )


async def _invitation_request() -> InvitationRequest:
    return await InvitationRequest.create(
        job_seeker=await make_job_seeker(),
        company=await make_company(),
        reason_category="siae_interview",
        rdv_insertion_user_id=next(_numbers),
        created_at=NOW,
    )


async def _invitation_attempt() -> InvitationAttempt:
    return await InvitationAttempt.create(
        job_seeker=await make_job_seeker(),
        company=await make_company(),
        organisation_id=654,
        reason_category="siae_interview",
        begun_at=NOW,
        answer_due_at=NOW + timedelta(seconds=90),
        sought="{}",
    )


async def _invitation() -> Invitation:
    return await Invitation.create(
        invitation_request=await _invitation_request(), kind=InvitationKind.SMS, rdv_insertion_id=next(_numbers)
    )


async def _location() -> Location:
    return await Location.create(rdv_solidarites_id=next(_numbers), name="Maison fictive", address="1 rue Inventée")


async def _mail() -> Mail:
    return await Mail.create(
        template=MailTemplate.DIAGORIENTE_PRESCRIBER,
        subject_id=uuid4(),
        recipient="personne@exemple.test",
        parameters="{}",
        next_attempt_at=NOW,
        created_at=NOW,
    )


async def _notification_attempt() -> NotificationAttempt:
    return await NotificationAttempt.create(
        approval=await make_approval(accepted_application=False),
        started_at=NOW,
        outcome=NotificationStatus.SHOULD_RETRY,
        delivery=Delivery.UNKNOWN,
    )


async def _partner_secret() -> PartnerSecret:
    return await PartnerSecret.create(
        partner_client=await make_partner_client(), digest=f"{next(_numbers):063d}f", created_at=NOW
    )


async def _survey() -> Survey:
    return await Survey.create(
        kind=SurveyKind.POST_HIRING_EMPLOYER,
        reference=f"reference-{next(_numbers)}",
        form_id="wXyZ12",
        job_application=await make_job_application(),
        submission_id=f"submission-{next(_numbers)}",
    )


async def _unlinked_survey_answer() -> UnlinkedSurveyAnswer:
    return await UnlinkedSurveyAnswer.create(
        kind=SurveyKind.POST_HIRING_EMPLOYER,
        form_id="wXyZ12",
        submission_id=f"submission-{next(_numbers)}",
        answered_at=NOW,
    )


async def _webhook_event() -> None:
    # Raw: `arrival` comes from the table's own sequence.
    await write(
        "INSERT INTO webhook_event"
        " (id, source, fingerprint, received_at, status, model, resource_id, body, attempts)"
        " VALUES ($1, 'rdv_insertion', $2, $3, 'received', 'rdv', '1', $4, 0)",
        uuid4(),
        f"{next(_numbers):064d}",
        NOW,
        key_ring().seal("{}"),
    )


async def _worker_heartbeat() -> WorkerHeartbeat:
    return await WorkerHeartbeat.create(
        host="hôte", pid=1, version="0", queue="arq:queue", started_at=NOW, beat_at=NOW + timedelta(seconds=5)
    )


MAKERS: dict[str, Callable[[], Awaitable[Any]]] = {
    "access_log": _access_log,
    "appointment": lambda: _of_company(make_appointment),
    "appointment_event": _appointment_event,
    "appointment_version": _appointment_version,
    "approval": lambda: make_approval(accepted_application=False),
    "approval_event": _approval_event,
    "audit_entry": lambda: AuditEntry.create(
        at=NOW, actor_id=uuid4(), action=AuditAction.PAUSED, subject_type="queue", subject_id="mails"
    ),
    "cancelled_approval": _cancelled_approval,
    "cancelled_approval_statistic": _cancelled_approval_statistic,
    "certification_request": _certification_request,
    "company": make_company,
    "consent": _consent,
    "commune": lambda: Commune.create(
        insee_code=f"{next(_numbers):05d}",
        name="Metz",
        search_name="metz",
        post_codes=["57000"],
        former_codes=[],
        updated_at=NOW,
    ),
    "cron_run": lambda: CronRun.create(name=f"cron-{next(_numbers)}", started_at=NOW),
    "dashboard_visit": _dashboard_visit,
    "event_stream": lambda: EventStream.create(name=f"stream-{next(_numbers)}"),
    "identity_certification": lambda: _certification(),
    "institution": make_institution,
    "invitation": _invitation,
    "invitation_attempt": _invitation_attempt,
    "invitation_request": _invitation_request,
    "job_application": make_job_application,
    "job_seeker_profile": make_job_seeker,
    "location": _location,
    "mail": lambda: _mail(),
    "manual_pause": lambda: ManualPause.create(
        target=f"queue:{'a' * next(_numbers)}", paused_at=NOW, author_id=uuid4(), reason="Panne"
    ),
    "membership": lambda: _membership(make_company),
    "notification_attempt": _notification_attempt,
    "operation_run": lambda: _operation_run(),
    "operation_run_item": lambda: _operation_run_item(),
    "pacing_gate": lambda: PacingGate.create(key=f"partner-{next(_numbers)}", next_free_at=NOW),
    "participation": lambda: _participation(),
    "partner_calls": lambda: PartnerCalls.create(
        process_id=uuid4(),
        role="api",
        partner="ban",
        minute_at=NOW,
        written_at=NOW,
        outcomes={"ok": 1},
        durations=[1],
        breakers={},
    ),
    "partner_pause": lambda: PartnerPause.create(
        partner=Partner.API_PARTICULIER, paused_at=NOW, until=NOW, access="a", reason="00103"
    ),
    "partner_client": make_partner_client,
    "partner_secret": lambda: _partner_secret(),
    "partner_client_company": lambda: _of_company(make_partner_client),
    "prescriber_organization": make_prescriber_organization,
    "survey": _survey,
    "unlinked_survey_answer": _unlinked_survey_answer,
    "user": make_user,
    "silenced_alarm": lambda: SilencedAlarm.create(
        target=f"tally:{'a' * next(_numbers)}",
        silenced_at=NOW,
        until=NOW + timedelta(days=1),
        author_id=uuid4(),
        reason="Annoncé",
    ),
    "webhook_event": _webhook_event,
    "worker_heartbeat": _worker_heartbeat,
}
"""How to make one row of a table that keeps every rule, with the rows it points to."""

MEMBERSHIP_MAKERS: dict[str, Callable[[], Awaitable[Any]]] = {
    "company_id": MAKERS["membership"],
    "prescriber_organization_id": lambda: _membership(make_prescriber_organization),
    "institution_id": lambda: _membership(make_institution),
}
"""A membership by the kind of its organisation."""


async def _of_company(make: Callable[..., Awaitable[Any]]) -> Any:
    return await make(await make_company())


async def _membership(make_organization: Callable[[], Awaitable[Any]]) -> Any:
    return await make_membership(await make_user(), await make_organization())


async def _certification() -> Any:
    return await make_certification(await make_job_seeker(), CertificationAuthority.FRANCE_TRAVAIL)


async def _participation() -> Any:
    return await make_participation(await make_job_seeker(), await make_appointment(await make_company()))


async def _operation_run() -> OperationRun:
    return await OperationRun.create(
        kind=OperationKind.REPLAY_WEBHOOKS,
        criteria={},
        author_id=uuid4(),
        reason="Panne",
        total=1,
        created_at=NOW,
        next_attempt_at=NOW,
    )


async def _operation_run_item() -> OperationRunItem:
    run = await _operation_run()
    return await OperationRunItem.create(run_id=run.id, subject_type="webhook_event", subject_id=uuid4())
