"""What is due and waits, by kind. The age of the oldest says whether work is being done; the number does not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from models.database import fetch_all
from models.enums import LabelledEnum
from services.certification.campaign import BETWEEN_ATTEMPTS
from services.operations.paging import COUNTED_UP_TO, Count, capped


class DueKind(LabelledEnum):
    """Kinds of work that wait in PostgreSQL."""

    NOTIFICATIONS = "notifications", "Notifications à France Travail"
    WEBHOOK_EVENTS = "webhook_events", "Webhooks à traiter"
    MAILS = "mails", "Courriels à envoyer"
    CERTIFICATIONS = "certifications", "Identités à faire certifier par France Travail"
    CERTIFICATION_REQUESTS = "certification_requests", "Questions à API Particulier"
    GEOCODING = "geocoding", "Adresses à géocoder"
    SURVEYS = "surveys", "Enquêtes à envoyer"
    INVITATIONS = "invitations", "Invitations à l’issue inconnue"


@dataclass(frozen=True, slots=True, kw_only=True)
class DueWork:
    """What is due of one kind. `oldest_due_at`: since when the one that waits the longest could have been done."""

    kind: DueKind
    due: Count
    oldest_due_at: datetime | None

    def age(self, now: datetime) -> timedelta | None:
        """How long that one has waited; None: nothing waits."""
        return None if self.oldest_due_at is None else max(now - self.oldest_due_at, timedelta(0))


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Rows that wait: since when, which, and in the order of an index, so that the oldest are among those counted."""

    since: str
    rows: str
    order: str


_NOT_BEFORE = "(next_attempt_at IS NULL OR next_attempt_at <= $1)"


def _notifications(table: str, status: str, alive: str = "true") -> _Waiting:
    return _Waiting(
        "greatest(coalesce(pe_notification_time, created_at), next_attempt_at, due_since)",
        f"{table} WHERE pe_notification_status = '{status}' AND {alive} AND {_NOT_BEFORE}",
        "pe_notification_time NULLS FIRST, id",
    )


def _dated(table: str, column: str) -> _Waiting:
    return _Waiting(column, f"{table} WHERE {column} <= $1", column)


_KINDS: dict[DueKind, tuple[_Waiting, ...]] = {
    DueKind.NOTIFICATIONS: (
        _notifications("approval", "notification_ready", "cancelled_at IS NULL"),
        _notifications("approval", "notification_should_retry", "cancelled_at IS NULL"),
        _notifications("cancelled_approval", "notification_ready"),
        _notifications("cancelled_approval", "notification_should_retry"),
    ),
    DueKind.WEBHOOK_EVENTS: (
        _Waiting(
            "greatest(received_at, next_attempt_at, due_since)",
            f"webhook_event WHERE status = 'received' AND {_NOT_BEFORE}",
            "arrival",
        ),
    ),
    DueKind.MAILS: (_dated("mail", "next_attempt_at"),),
    DueKind.CERTIFICATIONS: (
        _Waiting(
            "coalesce(profile.pe_last_certification_attempt_at + $2::interval, account.created_at)",
            'job_seeker_profile AS profile JOIN "user" AS account ON account.id = profile.user_id'
            " WHERE account.kind = 'job_seeker' AND account.is_active AND profile.pe_obfuscated_nir IS NULL"
            " AND trim(account.first_name) <> '' AND trim(account.last_name) <> ''"
            " AND profile.nir IS NOT NULL AND profile.birthdate IS NOT NULL"
            " AND (profile.pe_last_certification_attempt_at IS NULL"
            " OR profile.pe_last_certification_attempt_at < $1 - $2::interval)",
            "profile.pe_last_certification_attempt_at NULLS FIRST",
        ),
    ),
    DueKind.CERTIFICATION_REQUESTS: (_dated("certification_request", "next_attempt_at"),),
    DueKind.GEOCODING: (_dated("job_seeker_profile", "geocoding_due_at"), _dated("company", "geocoding_due_at")),
    DueKind.SURVEYS: (_dated("survey", "mail_due_at"),),
    DueKind.INVITATIONS: (_dated("invitation_attempt", "next_look_at"),),
}


_MOST = COUNTED_UP_TO + 1


def _statement() -> str:
    parts = [
        f"SELECT '{kind.value}' AS kind, count(*) AS number, min(since) AS oldest_due_at FROM"
        f" (SELECT {waiting.since} AS since FROM {waiting.rows} ORDER BY {waiting.order} LIMIT {_MOST}) AS due"
        for kind, waitings in _KINDS.items()
        for waiting in waitings
    ]
    return (
        "SELECT kind, sum(number)::int AS number, min(oldest_due_at) AS oldest_due_at"
        f" FROM ({' UNION ALL '.join(parts)}) AS counted GROUP BY kind"
    )


_DUE = _statement()


async def read_due(*, now: datetime) -> tuple[DueWork, ...]:
    """Return every kind, in the order of the enum; one statement."""
    rows = {row["kind"]: row for row in await fetch_all(_DUE, now, BETWEEN_ATTEMPTS)}
    return tuple(
        DueWork(kind=kind, due=capped(rows[kind.value]["number"]), oldest_due_at=rows[kind.value]["oldest_due_at"])
        for kind in DueKind
    )
