"""RDV-Insertion's statuses as ours. Both are kept: ours is what people read, theirs what it was worked out from."""

from __future__ import annotations

import re
from dataclasses import dataclass

from clients.rdv_insertion import AttendanceStatus, attendance_status
from models.enums import CancelledBy, ParticipationStatus


@dataclass(frozen=True, slots=True)
class AttendanceOutcome:
    """What became of an appointment, or of one person's part in it."""

    source: str  # RDV-Insertion's word
    status: ParticipationStatus
    cancelled_by: CancelledBy | None = None


_CODE = re.compile(r"[a-z]{1,16}(_[a-z]{1,16}){0,2}", re.ASCII)
_OUTCOMES = {
    outcome.source: outcome
    for outcome in (
        AttendanceOutcome(AttendanceStatus.UNKNOWN.value, ParticipationStatus.UNKNOWN),
        AttendanceOutcome(AttendanceStatus.SEEN.value, ParticipationStatus.SEEN),
        AttendanceOutcome(AttendanceStatus.NOSHOW.value, ParticipationStatus.ABSENT),
        AttendanceOutcome(AttendanceStatus.EXCUSED.value, ParticipationStatus.CANCELLED, CancelledBy.JOB_SEEKER),
        AttendanceOutcome(AttendanceStatus.REVOKED.value, ParticipationStatus.CANCELLED, CancelledBy.SERVICE),
    )
}
UNKNOWN = _OUTCOMES[AttendanceStatus.UNKNOWN.value]


def outcome_of(word: str) -> AttendanceOutcome | None:
    """None: a word that nobody has listed."""
    listed = attendance_status(word)
    return _OUTCOMES[listed.value] if listed is not None else None


def loggable(word: str) -> str:
    """A word of the partner as logs may hold it: what is not plainly a code could be anything, a name included."""
    return word if _CODE.fullmatch(word) else "not a code"
