"""May this viewer open this dashboard, and limited to what? Asked anew at each display and each download."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from clients.metabase import DashboardScope, LockedValue
from models.departments import REGIONS
from services.dashboards.audiences import AccessPolicy, may_open
from services.dashboards.catalogue import Dashboard
from services.dashboards.locks import own_department, own_region
from services.dashboards.viewers import DashboardViewer


class Refusal(Enum):
    SIGN_IN = auto()
    FORBIDDEN = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """`department` (code) and `region` (name): the viewer's, for the log of visits; None where they have none."""

    dashboard: Dashboard
    scope: DashboardScope
    department: str | None
    region: str | None


def decide(dashboard: Dashboard, viewer: DashboardViewer | None, policy: AccessPolicy) -> Granted | Refusal:
    """Return what may be seen. Whose organisation leaves a locked filter empty sees nothing, rather than everything."""
    if not may_open(dashboard.audience, viewer, policy):
        return Refusal.SIGN_IN if viewer is None else Refusal.FORBIDDEN
    locked: Mapping[str, LockedValue] = {} if viewer is None else dashboard.locks(viewer)
    if not all(locked.values()):
        return Refusal.FORBIDDEN
    return Granted(
        dashboard=dashboard,
        scope=DashboardScope(dashboard_id=dashboard.id, locked=locked),
        department=(own_department(viewer) or None) if viewer is not None else None,
        region=REGIONS[region].name if viewer is not None and (region := own_region(viewer)) else None,
    )
