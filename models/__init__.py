"""What the platform remembers. One file a subject; migrations beside them."""

from models.appointments import (
    Appointment,
    AppointmentEvent,
    AppointmentVersion,
    Invitation,
    InvitationRequest,
    Location,
    Participation,
)
from models.approvals import Approval, CancelledApproval, NotificationAttempt
from models.certification import CertificationRequest
from models.communes import Commune
from models.event_log import ApprovalEvent, EventStream
from models.invitation_attempts import InvitationAttempt
from models.job_applications import JobApplication, Survey, UnlinkedSurveyAnswer
from models.mails import Mail
from models.operations import (
    AccessLog,
    CronRun,
    DashboardVisit,
    PacingGate,
    PartnerCalls,
    PartnerPause,
    WebhookEvent,
    WorkerHeartbeat,
)
from models.operators import AuditEntry, ManualPause, OperationRun, OperationRunItem, SilencedAlarm
from models.organizations import Company, Institution, Membership, PartnerClient, PrescriberOrganization
from models.partner_secrets import PartnerSecret
from models.people import Consent, IdentityCertification, JobSeekerProfile, User
from models.statistics import CancelledApprovalStatistic

__all__ = [
    "AccessLog",
    "Appointment",
    "AppointmentEvent",
    "AppointmentVersion",
    "Approval",
    "ApprovalEvent",
    "AuditEntry",
    "CancelledApproval",
    "CancelledApprovalStatistic",
    "CertificationRequest",
    "Commune",
    "Company",
    "Consent",
    "CronRun",
    "DashboardVisit",
    "EventStream",
    "IdentityCertification",
    "Institution",
    "Invitation",
    "InvitationAttempt",
    "InvitationRequest",
    "JobApplication",
    "JobSeekerProfile",
    "Location",
    "Mail",
    "ManualPause",
    "Membership",
    "NotificationAttempt",
    "OperationRun",
    "OperationRunItem",
    "PacingGate",
    "Participation",
    "PartnerCalls",
    "PartnerClient",
    "PartnerPause",
    "PartnerSecret",
    "PrescriberOrganization",
    "SilencedAlarm",
    "Survey",
    "UnlinkedSurveyAnswer",
    "User",
    "WebhookEvent",
    "WorkerHeartbeat",
]
