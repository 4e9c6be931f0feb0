"""The rows of the cast, one class a table, with the columns that the demo fills; loading adds the models' defaults.

Not the models themselves: a Tortoise instance costs twenty times as much, and there are 60,000 rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from models.enums import (
    CancelledBy,
    CertificationAuthority,
    CompanyKind,
    ConsentPurpose,
    Delivery,
    DiagorienteRecipient,
    InstitutionKind,
    InvitationKind,
    InvitationStatus,
    JobApplicationState,
    LackOfFranceTravailIdReason,
    LackOfNirReason,
    NotificationEndpoint,
    NotificationStatus,
    ParticipationStatus,
    PrescriberKind,
    SenderKind,
    SurveyKind,
    SurveyStatus,
    Title,
    UserKind,
)


@dataclass(slots=True, kw_only=True)
class UserRow:
    id: UUID
    kind: UserKind
    subject: str | None
    title: Title
    first_name: str
    last_name: str
    email: str | None
    phone: str
    created_at: datetime
    updated_at: datetime
    is_observer: bool = False
    is_operator: bool = False
    may_read_full_nir: bool = False


@dataclass(slots=True, kw_only=True)
class JobSeekerProfileRow:
    id: UUID
    user_id: UUID
    birthdate: date | None
    nir: str | None = field(repr=False)
    lack_of_nir_reason: LackOfNirReason | None
    birth_place: str | None
    birth_country: str | None
    pole_emploi_id: str
    lack_of_pole_emploi_id_reason: LackOfFranceTravailIdReason | None
    pe_obfuscated_nir: str | None
    pe_last_certification_attempt_at: datetime | None
    created_by_id: UUID | None
    created_by_prescriber_organization_id: UUID | None
    address_line_1: str
    post_code: str
    city: str
    insee_code: str
    department: str
    latitude: float
    longitude: float
    geocoding_score: float
    geocoded_at: datetime


@dataclass(slots=True, kw_only=True)
class ConsentRow:
    id: UUID
    job_seeker_id: UUID
    purpose: ConsentPurpose
    text_version: str
    given_at: datetime
    given_by_id: UUID
    withdrawn_at: datetime | None = None
    withdrawn_by_id: UUID | None = None


@dataclass(slots=True, kw_only=True)
class IdentityCertificationRow:
    id: UUID
    jobseeker_profile_id: UUID
    certifier: CertificationAuthority
    certified_at: datetime


@dataclass(slots=True, kw_only=True)
class CompanyRow:
    id: UUID
    number: int
    siret: str
    kind: CompanyKind
    name: str
    brand: str
    naf: str
    email: str
    phone: str
    asp_id: int | None
    rdv_solidarites_id: int | None
    created_at: datetime
    updated_at: datetime
    address_line_1: str
    post_code: str
    city: str
    insee_code: str
    department: str
    latitude: float
    longitude: float
    geocoding_score: float
    geocoded_at: datetime


@dataclass(slots=True, kw_only=True)
class PrescriberOrganizationRow:
    id: UUID
    number: int
    kind: PrescriberKind
    name: str
    siret: str
    is_authorized: bool
    is_brsa: bool
    code_safir: str | None
    department: str
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class InstitutionRow:
    id: UUID
    number: int
    kind: InstitutionKind
    name: str
    department: str
    region: str
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class MembershipRow:
    id: UUID
    user_id: UUID
    created_at: datetime
    company_id: UUID | None = None
    prescriber_organization_id: UUID | None = None
    institution_id: UUID | None = None
    is_admin: bool = False
    ended_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class PartnerClientRow:
    id: UUID
    subject: str
    name: str
    scopes: list[str]
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class PartnerClientCompanyRow:
    partner_client_id: UUID
    company_id: UUID


@dataclass(slots=True, kw_only=True)
class _Notified:
    """The columns of models.approvals.NotificationMixin and OriginMixin."""

    origin_siae_siret: str
    origin_siae_kind: str
    origin_sender_kind: str
    origin_prescriber_organization_kind: str
    pe_notification_status: NotificationStatus = NotificationStatus.PENDING
    pe_notification_time: datetime | None = None
    pe_notification_endpoint: NotificationEndpoint | None = None
    pe_notification_exit_code: str | None = None
    next_attempt_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class ApprovalRow(_Notified):
    id: UUID
    number: str = ""  # given once all are known, in the order of creation
    start_at: date
    end_at: date
    job_seeker_id: UUID
    origin_company_id: UUID
    cancelled_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, kw_only=True)
class CancelledApprovalRow(_Notified):
    id: UUID
    approval_id: UUID
    number: str = ""
    start_at: date
    end_at: date
    user_first_name: str
    user_last_name: str
    user_nir: str | None = field(repr=False)
    user_birthdate: date | None
    user_id_national_pe: str | None
    cancelled_by_id: UUID
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class NotificationAttemptRow:
    id: UUID
    approval_id: UUID | None
    cancelled_approval_id: UUID | None
    started_at: datetime
    finished_at: datetime | None
    duration_ms: int
    endpoint: NotificationEndpoint | None
    http_status: int | None
    exit_code: str | None
    outcome: NotificationStatus
    delivery: Delivery
    sent_start_at: date | None
    sent_end_at: date | None


@dataclass(slots=True, kw_only=True)
class JobApplicationRow:
    id: UUID
    state: JobApplicationState
    job_seeker_id: UUID
    company_id: UUID
    approval_id: UUID | None
    sender_kind: SenderKind
    sender_id: UUID | None
    sender_prescriber_organization_id: UUID | None
    sender_company_id: UUID | None
    has_resume: bool
    hiring_start_on: date | None
    processed_at: datetime | None
    diagoriente_invite_sent_at: datetime | None = None
    diagoriente_recipient: DiagorienteRecipient | None = None
    diagoriente_token_hash: str | None = None
    diagoriente_opened_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, kw_only=True)
class SurveyRow:
    id: UUID
    kind: SurveyKind
    status: SurveyStatus
    reference: str
    form_id: str
    context: dict[str, str]
    job_application_id: UUID
    submission_id: str | None
    sent_at: datetime | None
    answered_at: datetime | None
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class LocationRow:
    id: UUID
    rdv_solidarites_id: int
    name: str
    address: str
    phone_number: str


@dataclass(slots=True, kw_only=True)
class _FromPartner:
    """The columns of models.appointments.SourceVersionMixin."""

    applied_event_at: datetime
    applied_event_rank: int
    applied_event_fingerprint: str


@dataclass(slots=True, kw_only=True)
class AppointmentRow(_FromPartner):
    id: UUID
    rdv_insertion_id: int
    company_id: UUID
    location_id: UUID | None
    start_at: datetime
    duration: timedelta
    status: ParticipationStatus
    source_status: str
    reason_category: str
    reason: str
    is_collective: bool
    address: str
    total_participants: int
    max_participants: int | None
    cancelled_at: datetime | None


@dataclass(slots=True, kw_only=True)
class ParticipationRow:
    id: UUID
    job_seeker_id: UUID
    appointment_id: UUID
    rdv_insertion_id: int
    status: ParticipationStatus
    source_status: str
    cancelled_by: CancelledBy | None
    updated_at: datetime


@dataclass(slots=True, kw_only=True)
class InvitationRequestRow:
    id: UUID
    job_seeker_id: UUID
    company_id: UUID
    reason_category: str
    rdv_insertion_user_id: int
    api_response: dict[str, object]
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class InvitationRow(_FromPartner):
    id: UUID
    invitation_request_id: UUID
    kind: InvitationKind
    status: InvitationStatus
    rdv_insertion_id: int
    delivered_at: datetime | None
