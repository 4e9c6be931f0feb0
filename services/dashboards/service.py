"""What the dashboards of one process rest on, and what they may be asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from clients.errors import PartnerError
from clients.metabase import DashboardCard, MetabaseClient, MetabaseRejected
from models.enums import UserKind
from services.dashboards.audiences import AccessPolicy
from services.dashboards.catalogue import DASHBOARDS, Dashboard
from services.dashboards.deciding import Granted, Refusal, decide
from services.dashboards.links import ExportLinks
from services.dashboards.viewers import DashboardViewer, load_dashboard_viewer
from services.pictures import Painter

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboards:
    """`metabase` None: it is not configured; who may open what is known all the same."""

    metabase: MetabaseClient | None = None
    links: ExportLinks | None = None
    painter: Painter | None = None
    policy: AccessPolicy = field(default_factory=AccessPolicy)

    def decide(self, dashboard: Dashboard, viewer: DashboardViewer | None) -> Granted | Refusal:
        return decide(dashboard, viewer, self.policy)

    def openable(self, viewer: DashboardViewer | None) -> Sequence[Granted]:
        """Return every dashboard that the viewer may open, in the order of the catalogue."""
        decisions = (self.decide(dashboard, viewer) for dashboard in DASHBOARDS.values())
        return [decision for decision in decisions if isinstance(decision, Granted)]


async def viewer_of(
    kind: UserKind | None, user_id: UUID | None, organization_id: UUID | None
) -> DashboardViewer | None:
    """Return what the rules ask about whoever is signed in. None: nobody, or no longer who they were."""
    if kind is None or user_id is None:
        return None
    if kind is UserKind.PARTNER:
        return DashboardViewer(user_id=user_id, user_kind=kind)  # a machine client has no organisation
    return await load_dashboard_viewer(user_id, organization_id)


async def cards_of(metabase: MetabaseClient, granted: Granted) -> tuple[DashboardCard, ...]:
    """Return the cards of a dashboard. Raises PartnerError."""
    try:
        return await metabase.cards(granted.scope)
    except PartnerError as error:
        alert(error, granted)
        raise


def alert(error: PartnerError, granted: Granted) -> None:
    """Tell the operator of what repeats until somebody corrects a setting, here or in Metabase."""
    if isinstance(error, MetabaseRejected) and error.needs_operator:
        log.error(
            "metabase_misconfigured",
            slug=granted.dashboard.slug,
            operation=error.operation,
            code=error.code,
            filter_name=error.filter_name,
            http_status=error.http_status,
        )
