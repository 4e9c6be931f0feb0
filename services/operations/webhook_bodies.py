"""What a webhook said: its keys and the shapes of its values to whoever looks, the whole to whoever says why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import orjson

from models.database import fetch_all, run_in_transaction
from models.encryption import EncryptionError, key_ring
from models.enums import AuditAction, UserKind
from services.access_log import record_reads
from services.operations.audit import AuditSubject, SubjectType, checked_reason, record
from services.outcomes import ConflictFound, Invalid, NotFound

ACCESS_FIELD = "webhook_event.body"
_MOST_ITEMS = 20
_DEEPEST = 12
# What a partner's programmers call things. Anything else may be a value that became a key.
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}", re.ASCII)

_READ = "SELECT body FROM webhook_event WHERE id = $1"
# Whom the event is about, as far as anybody here knows them: reading about them leaves a trace of its own.
_PEOPLE = """
SELECT DISTINCT request.job_seeker_id AS id
FROM webhook_event AS event
JOIN invitation_request AS request ON request.rdv_insertion_user_id = ANY (event.partner_user_ids)
WHERE event.id = $1 AND event.source = 'rdv_insertion'
LIMIT 1000
"""
_PURGED = ConflictFound("Le corps de ce webhook a été effacé, passé sa durée de conservation.")
_SEALED = ConflictFound("Le corps de ce webhook ne peut être ouvert : sa clé de chiffrement n'est plus installée.")


@dataclass(frozen=True, slots=True)
class MaskedBody:
    """JSON, indented, with a French word for the shape of each value in its place."""

    text: str


@dataclass(frozen=True, slots=True)
class RevealedBody:
    """JSON, indented, as it was received. For the eyes of whoever asked, and nowhere else."""

    text: str = field(repr=False)


async def read_masked_body(event_id: UUID) -> MaskedBody | ConflictFound | NotFound:
    """Return the shape of what was received; nothing of its content. One statement."""
    body = await _read(event_id)
    if not isinstance(body, str):
        return body
    return MaskedBody(_indented(mask(_parsed(body))))


async def reveal_body(
    event_id: UUID, *, by: UUID, reason: str, request_id: str, now: datetime
) -> RevealedBody | Invalid | ConflictFound | NotFound:
    """Return what was received, having recorded who reads it and why, and about whom. Nothing is shown unrecorded."""
    kept = checked_reason(reason)
    if isinstance(kept, Invalid):
        return kept

    async def reveal() -> str | ConflictFound | NotFound:
        body = await _read(event_id)
        if not isinstance(body, str):
            return body
        subject = AuditSubject(type=SubjectType.WEBHOOK_EVENT, id=str(event_id))
        await record(AuditAction.WEBHOOK_REVEALED, subject, by=by, now=now, reason=kept)
        people = await fetch_all(_PEOPLE, event_id)
        if people:
            await record_reads(
                [(row["id"], ACCESS_FIELD) for row in people],
                viewer_kind=UserKind.STAFF,
                viewer_id=by,
                organization_id=None,
                request_id=request_id,
                now=now,
            )
        return body

    body = await run_in_transaction(reveal)
    return RevealedBody(_indented(_parsed(body))) if isinstance(body, str) else body


def mask(value: Any, *, depth: int = 0) -> Any:
    """The same structure, with the shape of each value instead of the value."""
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, dict):
        items = cast("Mapping[str, Any]", value).items()
        return {_masked_key(key, place): mask(item, depth=depth + 1) for place, (key, item) in enumerate(items)}
    if isinstance(value, list):
        elements = cast("list[Any]", value)
        shown: list[Any] = [mask(item, depth=depth + 1) for item in elements[:_MOST_ITEMS]]
        return shown if len(elements) <= _MOST_ITEMS else [*shown, f"… {len(elements) - _MOST_ITEMS} de plus"]
    return _shape(value)


def _masked_key(key: str, place: int) -> str:
    return key if _KEY.fullmatch(key) else f"clé {place + 1}"


def _shape(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "vrai ou faux"
    if isinstance(value, int | float):
        return "nombre"
    return f"texte ({len(str(value))})"


async def _read(event_id: UUID) -> str | ConflictFound | NotFound:
    rows = await fetch_all(_READ, event_id)
    if not rows:
        return NotFound()
    if rows[0]["body"] is None:
        return _PURGED
    try:
        return key_ring().open(bytes(rows[0]["body"]))
    except EncryptionError:
        return _SEALED


def _parsed(body: str) -> Any:
    """What is no JSON stands for itself."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body


def _indented(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
