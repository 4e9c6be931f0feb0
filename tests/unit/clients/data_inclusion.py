"""What the data·inclusion tests share: a client on a faked wire, and invented structures."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qsl

import respx
from respx.models import Call

from clients.breaker import BreakerPolicy
from clients.data_inclusion import DataInclusionClient, DataInclusionConfig, Location, build_data_inclusion_http
from tests.unit.clients.doubles import RecordingObserver

BASE = "https://directory.example"
STRUCTURES_URL = f"{BASE}/api/v1/structures"
SERVICES_URL = f"{BASE}/api/v1/services"
SOURCES_URL = f"{BASE}/api/v1/sources"
TOKEN = "invented-directory-token"
CONFIG = DataInclusionConfig(base_url=BASE, token=TOKEN, timeout_seconds=0.1, breaker=BreakerPolicy(failures=10_000))
MOSELLE = Location(department_code="57")
SOURCES = ("dora", "mission-locale")
UID = "6c1b0c52-7d7b-4a54-9f0e-1f5b6f0d2a11"

WORKSHOP: dict[str, Any] = {
    "source": "dora",
    "id": "dora--a1",
    "nom": "Atelier Deux-Roues",
    "date_maj": "2026-09-14",
    "description": "Prêt de <b>scooters</b>.",
    "siret": "90210010800018",
    "adresse": "3 rue des Tilleuls Inventés",
    "complement_adresse": None,
    "commune": "Metz",
    "code_postal": "57000",
    "code_insee": "57463",
    "longitude": 6.17,
    "latitude": 49.11,
    "adresse_certifiee": True,
    "telephone": "+33300000001",
    "courriel": "contact@atelier.example",
    "site_web": "https://atelier.example/",
    "horaires_accueil": "Mo-Fr 09:00-17:00",
    "accessibilite_lieu": None,
    "lien_source": "https://source.example/a1",
    "reseaux_porteurs": ["mobin"],
    "score_qualite": 0.82,
    "doublons": [],
}
LOCAL_MISSION: dict[str, Any] = {
    "source": "mission-locale",
    "id": "mission-locale--b2",
    "nom": "Mission locale des Trois Vallées",
    "date_maj": "2026-08-02",
    "siret": None,
    "reseaux_porteurs": None,
    "score_qualite": 0.0,
    "doublons": [{"source": "emplois-de-linclusion", "id": f"emplois-de-linclusion--{UID}"}],
}


def page(*items: Any, number: int = 1, pages: int = 1, total: int | None = None) -> dict[str, Any]:
    """An envelope as documented: `size` is the number of its items."""
    return {
        "items": list(items),
        "total": len(items) if total is None else total,
        "page": number,
        "size": len(items),
        "pages": pages,
    }


@dataclass
class Directory:
    """A client, what it sent and how long it waited before second attempts."""

    client: DataInclusionClient
    router: respx.MockRouter
    structures: respx.Route
    observer: RecordingObserver
    pauses: list[float] = field(default_factory=list[float])

    def queries(self, route: respx.Route | None = None) -> list[list[tuple[str, str]]]:
        """Of each call, in order, repeated keys kept."""
        calls = cast("Sequence[Call]", (route or self.structures).calls)
        return [parse_qsl(call.request.url.query.decode(), keep_blank_values=True) for call in calls]


@asynccontextmanager
async def directory_with(config: DataInclusionConfig = CONFIG) -> AsyncGenerator[Directory]:
    observer = RecordingObserver()
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    with respx.mock(assert_all_called=False) as router:
        async with build_data_inclusion_http(config) as http:
            yield Directory(
                client=DataInclusionClient(config, http, observer=observer, sleep=sleep),
                router=router,
                structures=router.get(STRUCTURES_URL).respond(200, json=page(WORKSHOP, LOCAL_MISSION)),
                observer=observer,
                pauses=pauses,
            )
