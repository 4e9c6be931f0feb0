"""Dashboards of Metabase: those that the viewer may open, limited to what they may see."""

from __future__ import annotations

from enum import Enum

import strawberry

from clients.metabase import DashboardCard as Card
from resolvers.dashboards import dashboard_by_slug, dashboard_cards, download_url, embed_url, openable_dashboards
from schema.info import Info
from schema.scalars import URL
from services.dashboards import FileFormat, Granted


@strawberry.enum
class ExportFormat(Enum):
    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"
    PNG = strawberry.enum_value("png", description="rendered by this server from the rows of the card")


@strawberry.type
class DashboardCard:
    id: strawberry.ID
    title: str
    granted: strawberry.Private[Granted]
    card: strawberry.Private[Card]

    @strawberry.field(
        description=(
            "A link of this server that streams the rows. It works for five minutes, without a token, and for what its"
            " viewer may see at the moment it is followed."
        )
    )
    def download_url(self, info: Info, format: ExportFormat) -> URL:
        return URL(download_url(info.raw, self.granted, self.card, FileFormat(format.value)))


@strawberry.type
class Dashboard:
    slug: str
    title: str
    granted: strawberry.Private[Granted]

    @strawberry.field(
        description=(
            "For an iframe: signed, valid for an hour, locked to what the viewer may see. Empty where Metabase is not"
            " configured; null with an error where the address would be longer than Metabase takes."
        )
    )
    async def embed_url(self, info: Info, with_title: bool = False) -> URL | None:
        return URL(await embed_url(info.raw, self.granted, is_titled=with_title))

    @strawberry.field(
        description=(
            "Limited per client. Null with a PARTNER_UNAVAILABLE error when Metabase gives no answer; its `reason` is"
            " STATS_UNAVAILABLE, STATS_MISCONFIGURED, STATS_NOT_FOUND or STATS_QUERY_FAILED."
        )
    )
    async def cards(self, info: Info) -> list[DashboardCard] | None:
        cards = await dashboard_cards(info.raw, self.granted)
        return [
            DashboardCard(id=strawberry.ID(str(card.id)), title=card.name, granted=self.granted, card=card)
            for card in cards
        ]


@strawberry.type
class DashboardQueries:
    @strawberry.field(
        description="Those that the viewer may open as a member of the current organisation. No sign-in needed."
    )
    async def dashboards(self, info: Info) -> list[Dashboard]:
        return [_shown(granted) for granted in await openable_dashboards(info.raw)]

    @strawberry.field(
        description=(
            "Null for a slug that there is not; null with FORBIDDEN or UNAUTHENTICATED for one that is not for this"
            " viewer."
        )
    )
    async def dashboard(self, info: Info, slug: str) -> Dashboard | None:
        granted = await dashboard_by_slug(info.raw, slug)
        return None if granted is None else _shown(granted)


def _shown(granted: Granted) -> Dashboard:
    return Dashboard(slug=granted.dashboard.slug, title=granted.dashboard.title, granted=granted)
