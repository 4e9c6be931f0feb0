"""The trace that reading a whole NIR leaves: who, whose, which field, when; never the value."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID, uuid4

from models.database import write
from models.enums import UserKind


async def record_reads(
    reads: Iterable[tuple[UUID, str]],
    *,
    viewer_kind: UserKind,
    viewer_id: UUID,
    organization_id: UUID | None,
    request_id: str,
    now: datetime,
) -> None:
    """Write one row for each (job seeker, field), in one statement. A reader must not answer if this fails."""
    rows = sorted(reads, key=str)
    await write(
        'INSERT INTO access_log (id, "at", viewer_kind, viewer_id, organization_id, job_seeker_id, field, request_id)'
        " SELECT id, $1, $2, $3, $4, job_seeker_id, field, $5"
        " FROM unnest($6::uuid[], $7::uuid[], $8::text[]) AS read(id, job_seeker_id, field)",
        now,
        viewer_kind.value,
        viewer_id,
        organization_id,
        request_id,
        [uuid4() for _ in rows],
        [job_seeker_id for job_seeker_id, _ in rows],
        [field for _, field in rows],
    )
