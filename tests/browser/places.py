"""An address of every page of the dashboard, with something to see on it. A page without one is an error."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from starlette.routing import compile_path

from models import AuditEntry, OperationRun, User
from models.enums import AuditAction, OperationKind, OperationState
from ops.dashboard.pages import PAGES
from tests.integration.models.rows import MAKERS


async def fill(operator: User) -> UUID:
    """Make a row of what lists show and nothing else in these tests makes; return the id of a run."""
    now = datetime.now(UTC)
    for table in ("mail", "survey", "certification_request", "cancelled_approval", "notification_attempt"):
        await MAKERS[table]()
    await AuditEntry.create(
        at=now,
        actor_id=operator.id,
        action=AuditAction.PAUSED,
        subject_type="queue",
        subject_id="mails",
        before={"paused": False},
        after={"paused": True},
        reason="Maintenance",
    )
    run = await OperationRun.create(
        kind=OperationKind.RETRY_NOTIFICATIONS,
        criteria={"code": "S001"},
        author_id=operator.id,
        reason="Fiches corrigées",
        state=OperationState.FINISHED,
        total=2,
        changed=2,
        created_at=now - timedelta(minutes=5),
        finished_at=now,
    )
    return run.id


def every_page(*, approval_id: UUID, event_id: UUID, run_id: UUID) -> tuple[str, ...]:
    """Return the addresses below /ops, those with parameters included."""
    found = (
        *(page.path for page in PAGES if "{" not in page.path),
        f"/notifications/approval/{approval_id}",
        f"/webhooks/{event_id}",
        "/webhooks/alarms/rdv_insertion/rdv",
        "/queues/queue/mails",
        "/queues/partner/france_travail",
        f"/runs/{run_id}",
        "/runs/new/notifications?code=S001",
        "/runs/new/webhooks?status=failed",
    )
    missing = [page.path for page in PAGES if not any(compile_path(page.path)[0].match(path) for path in found)]
    if missing:
        raise AssertionError(f"pages that no test of the browser opens: {missing}; add an address of each")
    return found
