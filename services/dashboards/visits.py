"""The record of who was shown which dashboard, and when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from models.database import write
from services.dashboards.deciding import Granted
from services.dashboards.viewers import DashboardViewer

_INSERT = """
INSERT INTO dashboard_visit
    (id, "at", dashboard_id, slug, department, region, user_kind, user_id, organization_id)
SELECT id, $1, dashboard_id, slug, department, region, $2, $3, $4
FROM unnest($5::uuid[], $6::int[], $7::text[], $8::text[], $9::text[])
    AS visit(id, dashboard_id, slug, department, region)
"""


async def record_visits(shown: Sequence[Granted], *, viewer: DashboardViewer, now: datetime) -> None:
    """Write one row for each dashboard that was shown, in one statement."""
    await write(
        _INSERT,
        now,
        viewer.user_kind.value,
        viewer.user_id,
        viewer.organization_id,
        [uuid4() for _ in shown],
        [each.dashboard.id for each in shown],
        [each.dashboard.slug for each in shown],
        [each.department for each in shown],
        [each.region for each in shown],
    )
