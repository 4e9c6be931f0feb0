"""Runs: one action on everything that matches a filter, confirmed with a number, done by a worker, shown as it goes.

What matched at the confirmation is written down row by row; a worker takes some at a time, changes those that still
match, and deletes them from the list in the same transaction. A worker that dies loses nothing and repeats nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson

from models.database import fetch_all, run_in_transaction, write
from models.enums import (
    AuditAction,
    NotificationEndpoint,
    NotificationStatus,
    OperationKind,
    OperationState,
    Partner,
    WebhookEventStatus,
)
from services.notification import Subject
from services.operations import notifications, webhooks
from services.operations.audit import AuditSubject, SubjectType, checked_reason, record
from services.operations.notifications import NotificationFilter
from services.operations.paging import FIRST_PAGE, Conditions, Page, PageRequest, Source, read_page
from services.operations.webhooks import WebhookFilter
from services.outcomes import ConflictFound, Invalid, NotFound, invalid

RunFilter = NotificationFilter | WebhookFilter
LARGEST_RUN = 50_000

_BEGIN = """
INSERT INTO operation_run (id, kind, criteria, author_id, reason, state, total, changed, skipped, failures, created_at,
    next_attempt_at)
VALUES ($1, $2, $3, $4, $5, 'waiting', $6, 0, 0, 0, $7, $7) RETURNING id
"""
_CANCEL = """
UPDATE operation_run SET state = 'cancelled', finished_at = $2, next_attempt_at = NULL, lease_token = NULL,
    lease_until = NULL
WHERE id = $1 AND state IN ('waiting', 'running') RETURNING changed, skipped, total
"""
_SOURCE = Source(
    columns="id, kind, criteria, author_id, reason, state, total, changed, skipped, error_class, created_at,"
    " started_at, finished_at, lease_until IS NOT NULL AND lease_until >= clock_timestamp() AS is_held, ("
    'SELECT trim(first_name || \' \' || last_name) FROM "user" WHERE "user".id = author_id) AS author_name',
    table="operation_run",
    at="created_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a run with this filter would take, counted exactly. `is_too_many`: more than one run takes."""

    number: int

    @property
    def is_too_many(self) -> bool:
        return self.number > LARGEST_RUN


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run and how far it is. `skipped`: did not match any more when it was their turn, or were being worked at.

    `is_held`: a worker is at it. `error_class`: of the last batch that broke; None since one succeeded.
    """

    id: UUID
    kind: OperationKind
    filter: RunFilter
    author_id: UUID
    author_name: str | None
    reason: str
    state: OperationState
    total: int
    changed: int
    skipped: int
    error_class: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    is_held: bool

    @property
    def done(self) -> int:
        return self.changed + self.skipped

    @property
    def progress(self) -> float:
        """From 0 to 1."""
        return self.done / self.total if self.total else 1.0

    @property
    def is_over(self) -> bool:
        return self.finished_at is not None


@dataclass(frozen=True, slots=True)
class Begun:
    """The run is written down; ring `run_operations` with its id, or a worker finds it within a minute."""

    run_id: UUID
    total: int


async def preview(narrowed: RunFilter) -> Preview:
    """Count what a run would take; one statement."""
    text, values = _matching(narrowed)
    rows = await fetch_all(f"SELECT count(*)::int AS number FROM ({text}) AS matching", *values)
    return Preview(number=rows[0]["number"])


async def begin_run(narrowed: RunFilter, *, by: UUID, reason: str, now: datetime) -> Begun | Invalid | ConflictFound:
    """Write down everything that matches now as one run, and record who began it.

    Paths of Invalid: `reason`, `filter`.
    """
    kept = checked_reason(reason)
    if isinstance(kept, Invalid):
        return kept
    if narrowed == type(narrowed)():
        return invalid("filter", "Précisez au moins un critère : tout relancer d'un coup n'est pas permis.")
    text, values = _matching(narrowed)

    async def begin() -> Begun | ConflictFound:
        run_id, kind, criteria = uuid4(), kind_of(narrowed), criteria_of(narrowed)
        # The number is known only after the rows are there, and those point to the run.
        await write(_BEGIN, run_id, kind.value, orjson.dumps(criteria).decode(), by, kept, 0, now)
        first = len(values) + 1
        counted = await write(
            "WITH noted AS (INSERT INTO operation_run_item (id, run_id, subject_type, subject_id)"
            f" SELECT gen_random_uuid(), ${first}::uuid, subject_type, id FROM ({text} LIMIT {LARGEST_RUN + 1})"
            " AS matching RETURNING 1) SELECT count(*)::int AS number FROM noted",
            *values,
            run_id,
        )
        total = counted[0]["number"]
        if not total:
            raise _NotToBe(ConflictFound("Plus rien ne correspond à ces critères."))
        if total > LARGEST_RUN:
            raise _NotToBe(
                ConflictFound(f"Plus de {LARGEST_RUN} éléments correspondent : précisez les critères, ou la période.")
            )
        await write("UPDATE operation_run SET total = $2 WHERE id = $1 RETURNING id", run_id, total)
        subject = AuditSubject(
            type=SubjectType.RUN, id=str(run_id), after={"kind": kind.value, "total": total, "filter": criteria}
        )
        await record(AuditAction.RUN_BEGUN, subject, by=by, now=now, reason=kept, run_id=run_id)
        return Begun(run_id, total)

    try:
        return await run_in_transaction(begin)
    except _NotToBe as refused:
        return refused.conflict


async def cancel_run(
    run_id: UUID, *, by: UUID, reason: str, now: datetime
) -> RunView | Invalid | ConflictFound | NotFound:
    """Leave alone what the run has not come to yet. What it did stays."""
    kept = checked_reason(reason)
    if isinstance(kept, Invalid):
        return kept

    async def cancel() -> bool:
        rows = await write(_CANCEL, run_id, now)
        if not rows:
            return False
        await write("DELETE FROM operation_run_item WHERE run_id = $1 RETURNING id", run_id)
        subject = AuditSubject(type=SubjectType.RUN, id=str(run_id), after={"state": "cancelled", **rows[0]})
        await record(AuditAction.RUN_CANCELLED, subject, by=by, now=now, reason=kept, run_id=run_id)
        return True

    is_cancelled = await run_in_transaction(cancel)
    run = await read_run(run_id)
    if run is None:
        return NotFound()
    return run if is_cancelled else ConflictFound("Ce traitement est déjà terminé.")


async def list_runs(page: PageRequest = FIRST_PAGE) -> Page[RunView]:
    """Return a page by creation; one statement. Raises BadCursor."""
    return await read_page(_SOURCE, Conditions(), page, _run)


async def read_run(run_id: UUID) -> RunView | None:
    rows = await fetch_all(f"SELECT {_SOURCE.columns} FROM operation_run WHERE id = $1", run_id)
    return _run(rows[0]) if rows else None


def kind_of(narrowed: RunFilter) -> OperationKind:
    if isinstance(narrowed, NotificationFilter):
        return OperationKind.RETRY_NOTIFICATIONS
    return OperationKind.REPLAY_WEBHOOKS


def criteria_of(narrowed: RunFilter) -> dict[str, str]:
    """The filter as JSON: what it narrows, and nothing else."""
    values = {field.name: getattr(narrowed, field.name) for field in fields(narrowed)}
    return {
        name: value.isoformat() if isinstance(value, datetime) else str(value)
        for name, value in values.items()
        if value is not None
    }


def filter_of(kind: OperationKind, criteria: Mapping[str, str]) -> RunFilter:
    """The filter that `criteria_of` wrote."""
    values = {name: _PARSERS[kind].get(name, str)(text) for name, text in criteria.items()}
    made = NotificationFilter if kind is OperationKind.RETRY_NOTIFICATIONS else WebhookFilter
    return made(**values)


_TIMES = {"since": datetime.fromisoformat, "until": datetime.fromisoformat}
_PARSERS: dict[OperationKind, dict[str, Any]] = {
    OperationKind.RETRY_NOTIFICATIONS: {
        "status": NotificationStatus,
        "endpoint": NotificationEndpoint,
        "job_seeker_id": UUID,
        **_TIMES,
    },
    OperationKind.REPLAY_WEBHOOKS: {"source": Partner, "status": WebhookEventStatus, **_TIMES},
}


class _NotToBe(Exception):
    """Takes back what was written of a run that is not to be. Never leaves this module."""

    def __init__(self, conflict: ConflictFound) -> None:
        super().__init__(conflict.reason)
        self.conflict = conflict


def conditions_for(narrowed: RunFilter, table: SubjectType) -> Conditions:
    """Which rows of a table a run takes: those of the filter that the action can change at all."""
    if isinstance(narrowed, NotificationFilter):
        return notifications.conditions_of(narrowed, Subject(table.value))
    conditions = webhooks.conditions_of(narrowed)
    conditions.add("body IS NOT NULL AND error IS DISTINCT FROM 'unknown_model'")
    return conditions


def tables_of(kind: OperationKind) -> tuple[SubjectType, ...]:
    if kind is OperationKind.RETRY_NOTIFICATIONS:
        return SubjectType.APPROVAL, SubjectType.CANCELLATION
    return (SubjectType.WEBHOOK_EVENT,)


def _matching(narrowed: RunFilter) -> tuple[str, list[Any]]:
    parts = {table: conditions_for(narrowed, table) for table in tables_of(kind_of(narrowed))}
    text = " UNION ALL ".join(
        f"SELECT '{table.value}' AS subject_type, id FROM {table.value} WHERE {conditions.where}"
        for table, conditions in parts.items()
    )
    return text, next(iter(parts.values())).values  # the same for all parts


def _run(row: Any) -> RunView:
    kind = OperationKind(row["kind"])
    return RunView(
        id=row["id"],
        kind=kind,
        filter=filter_of(kind, orjson.loads(row["criteria"])),
        author_id=row["author_id"],
        author_name=row["author_name"] or None,
        reason=row["reason"],
        state=OperationState(row["state"]),
        total=row["total"],
        changed=row["changed"],
        skipped=row["skipped"],
        error_class=row["error_class"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        is_held=bool(row["is_held"]),
    )
