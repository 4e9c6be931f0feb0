"""RDV-Insertion's words for statuses. Its lists are open: an event keeps the word as it came.

Sources: RDV-Insertion's `rdv_participation_status` and `deliverable` concerns; the rule on invitations is that of the
platform.
"""

from enum import StrEnum


class AttendanceStatus(StrEnum):
    """Of an appointment, or of one person in it. Any may follow any other: agents correct themselves."""

    UNKNOWN = "unknown"  # to come, or past and not filled in
    SEEN = "seen"
    NOSHOW = "noshow"  # absent without notice
    EXCUSED = "excused"  # cancelled by the person
    REVOKED = "revoked"  # cancelled by the service

    @property
    def is_cancelled(self) -> bool:
        """RDV-Insertion itself also counts `noshow` here; we do not."""
        return self in {AttendanceStatus.EXCUSED, AttendanceStatus.REVOKED}


def attendance_status(word: str) -> AttendanceStatus | None:
    """None: a word that nobody has listed. The event is then kept, and nothing is changed by it."""
    try:
        return AttendanceStatus(word)
    except ValueError:
        return None


class InvitationProgress(StrEnum):
    OPENED = "opened"
    DELIVERED = "delivered"
    NOT_DELIVERED = "not_delivered"
    NO_NEWS = "no_news"  # the status stays what it is
    UNLISTED = "unlisted"  # so it does here, and somebody should hear of the new word


_DELIVERED = "delivered"
_FAILURES = frozenset({"soft_bounce", "hard_bounce", "blocked", "invalid_email", "error"})


def invitation_progress(*, clicked: bool, delivery_status: str | None) -> InvitationProgress:
    """What an invitation's news come to; the first rule that applies counts."""
    if clicked:
        return InvitationProgress.OPENED
    if delivery_status is None:
        return InvitationProgress.NO_NEWS
    if delivery_status == _DELIVERED:
        return InvitationProgress.DELIVERED
    return InvitationProgress.NOT_DELIVERED if delivery_status in _FAILURES else InvitationProgress.UNLISTED
