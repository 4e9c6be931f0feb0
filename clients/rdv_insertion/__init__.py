"""RDV-Insertion and RDV-Solidarités: invite a person to an appointment, read what their webhooks say.

Sources: `docs/api/description.md`, `swagger/v1/api.json` and the controllers of the public repository
gip-inclusion/rdv-insertion.
"""

from clients.rdv_insertion.client import RDVInsertionClient
from clients.rdv_insertion.codes import AttendanceStatus, InvitationProgress, attendance_status, invitation_progress
from clients.rdv_insertion.config import PACE_KEYS, RDVInsertionConfig, build_rdv_insertion_http
from clients.rdv_insertion.errors import InvitationRefused, RefusalTexts, SignInRefused
from clients.rdv_insertion.events import (
    APPOINTMENT,
    INVITATION,
    AppointmentSnapshot,
    Attendance,
    Envelope,
    EventRank,
    InvitationSnapshot,
    Place,
    UnreadableEvent,
    read_appointment,
    read_envelope,
    read_invitation,
)
from clients.rdv_insertion.signatures import Encoding, VerifiedBody, verify_webhook
from clients.rdv_insertion.wire import (
    SIAE_INTERVIEW,
    FoundUser,
    InvitationAnswer,
    Invitee,
    SentInvitation,
    Title,
)

__all__ = [
    "APPOINTMENT",
    "INVITATION",
    "PACE_KEYS",
    "SIAE_INTERVIEW",
    "AppointmentSnapshot",
    "Attendance",
    "AttendanceStatus",
    "Encoding",
    "Envelope",
    "EventRank",
    "FoundUser",
    "InvitationAnswer",
    "InvitationProgress",
    "InvitationRefused",
    "InvitationSnapshot",
    "Invitee",
    "Place",
    "RDVInsertionClient",
    "RDVInsertionConfig",
    "RefusalTexts",
    "SentInvitation",
    "SignInRefused",
    "Title",
    "UnreadableEvent",
    "VerifiedBody",
    "attendance_status",
    "build_rdv_insertion_http",
    "invitation_progress",
    "read_appointment",
    "read_envelope",
    "read_invitation",
    "verify_webhook",
]
