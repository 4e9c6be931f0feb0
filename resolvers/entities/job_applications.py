"""Applications as they lie in the database."""

from __future__ import annotations

from datetime import datetime

from models.enums import DiagorienteRecipient, DiagorienteStatus, JobApplicationState, SenderKind
from models.upcoming import upcoming_participations
from resolvers.entities.orderings import NEWEST_REQUEST, NEWEST_SURVEY
from resolvers.sources import Children, Column, Computed, Embedded, Entity, OnDemand, ToOne

_UPCOMING = (
    "LEFT JOIN LATERAL (SELECT min(ua.start_at) AS next_start_at, count(*)::int AS upcoming "
    + upcoming_participations("{t}", ":now")
    + ") {upcoming} ON TRUE"
)


def _diagoriente_status(sent_at: datetime | None, opened_at: datetime | None) -> DiagorienteStatus:
    if opened_at is not None:
        return DiagorienteStatus.OPENED
    return DiagorienteStatus.NOT_SENT if sent_at is None else DiagorienteStatus.SENT


JOB_APPLICATION = Entity(
    "JobApplication",
    "job_application",
    joins={"upcoming": _UPCOMING},
    fields={
        "state": Column("{t}.state", JobApplicationState),
        "createdAt": Column("{t}.created_at"),
        "senderKind": Column("{t}.sender_kind", SenderKind),
        "jobSeeker": ToOne("JobSeeker", "{other}.id = {t}.job_seeker_id", implied=True),
        "company": ToOne("Company", "{other}.id = {t}.company_id", implied=True),
        "approval": ToOne("Approval", "{other}.id = {t}.approval_id"),
        "nextAppointmentStartAt": Column("{upcoming}.next_start_at"),
        "upcomingParticipationsCount": Column("{upcoming}.upcoming"),
        "canInvite": Column(
            ":viewer_is_employer AND EXISTS (SELECT 1 FROM company v WHERE v.id = {t}.company_id"
            " AND v.id = :organization_id AND v.rdv_solidarites_id IS NOT NULL)"
            " AND NOT EXISTS (SELECT 1 FROM invitation_request v WHERE v.job_seeker_id = {t}.job_seeker_id"
            " AND v.company_id = {t}.company_id AND v.created_at > :invitation_hold_start)"
        ),
        "invitationRequests": OnDemand(),
        "diagorienteInvitation": Embedded(
            "DiagorienteInvitation",
            {
                "status": Computed(
                    ("{t}.diagoriente_invite_sent_at", "{t}.diagoriente_opened_at"), _diagoriente_status
                ),
                "recipient": Column("{t}.diagoriente_recipient", DiagorienteRecipient),
                "sentAt": Column("{t}.diagoriente_invite_sent_at"),
                "openedAt": Column("{t}.diagoriente_opened_at"),
            },
        ),
        "surveys": OnDemand(),
    },
    children={
        "invitationRequests": Children(
            "InvitationRequest",
            "EXISTS (SELECT 1 FROM job_application j WHERE j.id = {parent}"
            " AND j.job_seeker_id = {t}.job_seeker_id AND j.company_id = {t}.company_id)",
            NEWEST_REQUEST,
        ),
        "surveys": Children("Survey", "{t}.job_application_id = {parent}", NEWEST_SURVEY),
    },
)
