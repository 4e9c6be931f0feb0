"""The rows of `mail`: written in the transaction that decides on a mail, claimed under a lease, settled once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import orjson

from models import Mail
from models.database import fetch_all, write
from models.encryption import key_ring
from models.enums import MailState, MailTemplate, WorkQueue
from services.pauses import not_paused

# Longer than a mail may take (clients/mail.py): nobody takes over one that is still being handed over.
LEASE = timedelta(seconds=90)

_FREE = "(lease_until IS NULL OR lease_until < clock_timestamp())"
_NOT_PAUSED = not_paused(WorkQueue.MAILS)
_DUE = f"""
SELECT id FROM mail WHERE {_NOT_PAUSED} AND next_attempt_at <= $1 AND {_FREE} ORDER BY next_attempt_at, id LIMIT $2
"""
# A worker that died after the content began to leave: that mail may have arrived, and is nobody's to repeat.
_GIVE_UP_UNCONFIRMED = f"""
UPDATE mail SET state = 'unconfirmed', next_attempt_at = NULL, recipient = NULL, parameters = NULL,
    code = 'worker_died', lease_token = NULL, lease_until = NULL
WHERE state = 'pending' AND handed_over_at IS NOT NULL AND {_FREE}
RETURNING id
"""
_CLAIM = f"""
UPDATE mail SET attempts = attempts + 1, lease_token = $2, lease_until = clock_timestamp() + $3::interval
WHERE id = (
    SELECT id FROM mail WHERE {_NOT_PAUSED} AND id = $1 AND next_attempt_at <= $4 AND handed_over_at IS NULL AND {_FREE}
    FOR UPDATE SKIP LOCKED
)
RETURNING template, recipient, parameters, attempts, created_at
"""
_HAND_OVER = """
UPDATE mail SET handed_over_at = clock_timestamp()
WHERE id = $1 AND lease_token = $2 AND lease_until > clock_timestamp() RETURNING id
"""
_SETTLE = """
UPDATE mail SET state = $3, sent_at = $4, code = $5, next_attempt_at = NULL, recipient = NULL, parameters = NULL,
    lease_token = NULL, lease_until = NULL
WHERE id = $1 AND lease_token = $2 RETURNING id
"""
_POSTPONE = """
UPDATE mail SET next_attempt_at = $3, code = $4, handed_over_at = NULL, lease_token = NULL, lease_until = NULL
WHERE id = $1 AND lease_token = $2 RETURNING id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedMail:
    """The right to hand one mail over, until the lease runs out."""

    id: UUID
    token: UUID
    template: MailTemplate
    recipient: str = field(repr=False)
    parameters: Mapping[str, str] = field(repr=False)
    attempts: int
    created_at: datetime


async def post(
    template: MailTemplate, subject_id: UUID, *, recipient: str, parameters: Mapping[str, str], now: datetime
) -> UUID:
    """Write a mail down, inside the caller's transaction: it leaves if and only if that one is committed.

    Returns its id, for the bell. A second mail of the same template about the same row is refused by the database.
    """
    mail = await Mail.create(
        template=template,
        subject_id=subject_id,
        recipient=recipient,
        parameters=orjson.dumps(dict(parameters)).decode(),
        next_attempt_at=now,
        created_at=now,
    )
    return mail.id


async def due_mails(now: datetime, *, limit: int) -> list[UUID]:
    """Those that have waited the longest first."""
    return [row["id"] for row in await fetch_all(_DUE, now, limit)]


async def give_up_unconfirmed() -> list[UUID]:
    """Settle the mails of dead workers that may have arrived. Returns their ids."""
    return [row["id"] for row in await write(_GIVE_UP_UNCONFIRMED)]


async def claim(mail_id: UUID, *, now: datetime) -> ClaimedMail | None:
    """None: nothing is due, another worker is at it, or it may have left already."""
    token = uuid4()
    rows = await write(_CLAIM, mail_id, token, LEASE, now)
    if not rows:
        return None
    row, ring = rows[0], key_ring()
    return ClaimedMail(
        id=mail_id,
        token=token,
        template=MailTemplate(row["template"]),
        recipient=ring.open(bytes(row["recipient"])),
        parameters=orjson.loads(ring.open(bytes(row["parameters"]))),
        attempts=row["attempts"],
        created_at=row["created_at"],
    )


async def hand_over(mail: ClaimedMail) -> bool:
    """Note that the content is about to leave. False: the lease was lost, and it must not."""
    return bool(await write(_HAND_OVER, mail.id, mail.token))


async def settle(
    mail: ClaimedMail, state: MailState, *, sent_at: datetime | None = None, code: str | None = None
) -> bool:
    """Write how it ended, and forget what was in it. False: the lease was lost, and nothing is written."""
    return bool(await write(_SETTLE, mail.id, mail.token, state.value, sent_at, code))


async def postpone(mail: ClaimedMail, until: datetime, *, code: str | None) -> bool:
    """It surely did not leave: try again then."""
    return bool(await write(_POSTPONE, mail.id, mail.token, until, code))
