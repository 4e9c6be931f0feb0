"""Dashboards as fields: who looks is read once an operation, and what was shown is written down once."""

from __future__ import annotations

from typing import Any

from clients.errors import PartnerError
from clients.metabase import DashboardCard, stats_failure
from models.enums import Partner
from resolvers.askers import asker_of
from resolvers.context import OperationContext, ResolveInfo, context_of
from resolvers.errors import Forbidden, LimitExceeded, PartnerUnavailableError, Unauthenticated
from resolvers.lookups import not_configured_error, unavailable_error
from services.dashboards import (
    DASHBOARDS,
    DashboardViewer,
    ExportTicket,
    FileFormat,
    Granted,
    Refusal,
    cards_of,
    record_visits,
    viewer_of,
)
from services.dashboards.service import alert


async def openable_dashboards(info: ResolveInfo) -> list[Granted]:
    """Return what the viewer may open, in the order of the catalogue."""
    context = context_of(info)
    return list(context.resources.dashboards.openable(await _viewer(context)))


async def dashboard_by_slug(info: ResolveInfo, slug: str) -> Granted | None:
    """Return one dashboard, None for a slug that there is not. Raises Unauthenticated, Forbidden."""
    dashboard = DASHBOARDS.get(slug)
    if dashboard is None:
        return None
    context = context_of(info)
    decision = context.resources.dashboards.decide(dashboard, await _viewer(context))
    match decision:
        case Granted():
            return decision
        case Refusal.SIGN_IN:
            raise Unauthenticated("dashboard: sign in; it needs an Authorization header with a bearer token")
        case Refusal.FORBIDDEN:
            raise Forbidden("dashboard: not for this viewer")


async def embed_url(info: ResolveInfo, granted: Granted, *, is_titled: bool) -> str:
    """Return the signed address, and note the visit. Empty where Metabase is not configured."""
    context = context_of(info)
    metabase = context.resources.dashboards.metabase
    if metabase is None:
        return ""
    try:
        url = metabase.embed_url(granted.scope, is_titled=is_titled)
    except PartnerError as error:
        alert(error, granted)
        raise _stats_error(error) from None
    if url:
        await _note_visit(context, granted)
    return url


async def dashboard_cards(info: ResolveInfo, granted: Granted) -> tuple[DashboardCard, ...]:
    """Return the cards. Raises LimitExceeded, PartnerUnavailableError."""
    context = context_of(info)
    metabase = context.resources.dashboards.metabase
    if metabase is None:
        raise not_configured_error(Partner.METABASE)
    await _take_one(context)
    try:
        return await cards_of(metabase, granted)
    except PartnerError as error:
        raise _stats_error(error) from None


def download_url(info: ResolveInfo, granted: Granted, card: DashboardCard, file_format: FileFormat) -> str:
    context = context_of(info)
    links = context.resources.dashboards.links
    if links is None:
        raise not_configured_error(Partner.METABASE)
    ticket = ExportTicket(
        slug=granted.dashboard.slug,
        card_id=card.id,
        file_format=file_format.value,
        user_id=context.viewer.user_id,
        organization_id=context.viewer.organization_id,
    )
    return links.url_for(ticket, now=context.now)


async def _viewer(context: OperationContext) -> DashboardViewer | None:
    asking = context.viewer

    async def load(keys: list[Any]) -> list[Any]:
        return [await viewer_of(asking.kind, asking.user_id, asking.organization_id) for _ in keys]

    return await context.loader("dashboard_viewer", load).load(None)


async def _note_visit(context: OperationContext, granted: Granted) -> None:
    """Every dashboard once an operation, all of them in one statement. Nobody signed in: no visit."""
    viewer = await _viewer(context)
    if viewer is None:
        return

    async def record(slugs: list[str]) -> list[None]:
        shown = [each for each in context.resources.dashboards.openable(viewer) if each.dashboard.slug in slugs]
        await record_visits(shown, viewer=viewer, now=context.now)
        return [None] * len(slugs)

    await context.loader("dashboard_visits", record).load(granted.dashboard.slug)


async def _take_one(context: OperationContext) -> None:
    throttle = context.resources.dashboard_requests
    if throttle is None:
        return
    seconds = await throttle.take(asker_of(context.viewer.user_id, context.client_address))
    if seconds:
        raise LimitExceeded(f"too many dashboards; try again in {seconds:.1f} seconds")


def _stats_error(error: PartnerError) -> PartnerUnavailableError:
    """PARTNER_UNAVAILABLE, with what it means to whoever wanted to see figures as its reason."""
    refused = unavailable_error(Partner.METABASE, error)
    refused.extensions = {**(refused.extensions or {}), "reason": f"STATS_{stats_failure(error).name}"}
    return refused
