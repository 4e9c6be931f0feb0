"""What the Metabase tests share: a client on a faked wire, and an invented dashboard."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import jwt
import respx
from respx.models import Call

from clients.breaker import BreakerPolicy
from clients.metabase import DashboardCard, DashboardScope, Filter, MetabaseClient, MetabaseConfig, build_metabase_http
from tests.unit.clients.doubles import RecordingObserver

BASE = "https://stats.example"
SECRET_KEY = "0123456789abcdef" * 4
NOW = datetime(2026, 2, 18, 9, 30, tzinfo=UTC)
EXP = int(NOW.timestamp()) + 3600
CONFIG = MetabaseConfig(
    site_url=BASE,
    secret_key=SECRET_KEY,
    listing_seconds=0.1,
    export_seconds=0.1,
    breaker=BreakerPolicy(failures=10_000),
)
SCOPE = DashboardScope(dashboard_id=310, locked={Filter.DEPARTMENT: "57 - Moselle", Filter.REGION: "Grand Est"})
CARD = DashboardCard(id=7012, card_id=4310, name="Candidatures par mois", display="bar")
LISTING: dict[str, Any] = {
    "id": 310,
    "name": "Suivi",
    "dashcards": [
        {"id": 7011, "card_id": None, "card": {"name": None, "display": None}, "size_x": 4},
        {"id": 7012, "card_id": 4310, "card": {"name": "Candidatures par mois", "display": "bar"}},
        {"id": 7013, "card_id": 4311, "card": {"name": "Total", "display": "scalar"}},
    ],
}
ROWS = [
    {"Mois": "2026-09-01", "Département": "57 - Moselle", "Candidatures": 412},
    {"Mois": "2026-10-01", "Département": "57 - Moselle", "Candidatures": 398},
]
NO_FILTER = "You must specify a value for :d%C3%A9partement in the JWT."


def payload_of(url: str) -> dict[str, Any]:
    """What the token in an address says, its signature verified with the secret as text, at the time of the tests."""
    token = next(part for part in url.split("#")[0].split("/") if part.startswith("eyJ"))
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT"}
    return jwt.decode(token, SECRET_KEY, algorithms=["HS256"], options={"verify_exp": False})


@dataclass
class Metabase:
    """A client, what it sent and how long it waited before second attempts."""

    client: MetabaseClient
    router: respx.MockRouter
    listing: respx.Route
    export: respx.Route
    observer: RecordingObserver
    pauses: list[float] = field(default_factory=list[float])

    @property
    def urls(self) -> list[str]:
        calls = cast("Sequence[Call]", self.router.calls)
        return [str(call.request.url) for call in calls]


@asynccontextmanager
async def metabase_with(config: MetabaseConfig = CONFIG) -> AsyncGenerator[Metabase]:
    observer = RecordingObserver()
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    with respx.mock(assert_all_called=False) as router:
        async with build_metabase_http(config) as http:
            yield Metabase(
                client=MetabaseClient(config, http, observer=observer, now=lambda: NOW, sleep=sleep),
                router=router,
                export=router.get(url__regex=rf"{BASE}/api/embed/dashboard/[^/]+/dashcard/7012/card/4310/\w+").respond(
                    200, json=ROWS
                ),
                listing=router.get(url__regex=rf"{BASE}/api/embed/dashboard/[^/]+").respond(200, json=LISTING),
                observer=observer,
                pauses=pauses,
            )
