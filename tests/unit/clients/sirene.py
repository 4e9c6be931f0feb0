"""What the Sirene tests share: a client on a faked wire, and invented establishments."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import parse_qs

import httpx
import jwt
import respx
from respx.models import Call

from clients.breaker import BreakerPolicy
from clients.pacing import Pacer
from clients.sirene import APIKey, PasswordGrant, SireneClient, SireneConfig, build_sirene_http
from tests.unit.clients.doubles import MemoryTokenStore, RecordingPacer

BASE = "https://sirene.example/api-sirene/3.11"
AUTH = "https://auth.sirene.example/openid-connect"
KEY = "00000000-0000-0000-0000-000000000000"
SIRET = "90210000700019"
OTHER_SIRET = "90210001500012"
KEY_CONFIG = SireneConfig(credentials=APIKey(value=KEY), base_url=BASE, breaker=BreakerPolicy(failures=10_000))
GRANT = PasswordGrant(
    auth_url=AUTH,
    client_id="traverse-tests",
    client_secret="invented-secret",
    username="invented-account",
    password="invented-password",
)
PASSWORD_CONFIG = replace(KEY_CONFIG, credentials=GRANT)
NOW = datetime(2026, 3, 18, 9, 30, tzinfo=UTC)
SIGNING_KEY = "nobody checks this signature, and it is long enough for HS256"


def establishment(siret: str = SIRET, **changes: Any) -> dict[str, Any]:
    """An open head office of an association. `unit`, `address` and `period` change what is nested."""
    unit: dict[str, Any] = {
        "etatAdministratifUniteLegale": "A",
        "statutDiffusionUniteLegale": "O",
        "categorieJuridiqueUniteLegale": "9220",
        "denominationUniteLegale": "LES JARDINS DE L'ECHELLE",
        "sigleUniteLegale": "LJE",
        "nomUniteLegale": None,
        "prenom1UniteLegale": None,
        "activitePrincipaleUniteLegale": "81.30Z",
        "nicSiegeUniteLegale": siret[9:],
    }
    address: dict[str, Any] = {
        "complementAdresseEtablissement": "BATIMENT B",
        "numeroVoieEtablissement": "12",
        "indiceRepetitionEtablissement": "BIS",
        "typeVoieEtablissement": "RUE",
        "libelleVoieEtablissement": "DES TILLEULS INVENTES",
        "codePostalEtablissement": "57000",
        "libelleCommuneEtablissement": "METZ",
        "codeCommuneEtablissement": "57463",
        "codePaysEtrangerEtablissement": None,
    }
    period: dict[str, Any] = {
        "dateFin": None,
        "dateDebut": "2020-01-01",
        "etatAdministratifEtablissement": "A",
        "activitePrincipaleEtablissement": "88.99B",
        "nomenclatureActivitePrincipaleEtablissement": "NAFRev2",
        "enseigne1Etablissement": None,
        "denominationUsuelleEtablissement": None,
    }
    past = {
        "dateFin": "2019-12-31",
        "dateDebut": "2004-12-25",
        "etatAdministratifEtablissement": "F",
        "activitePrincipaleEtablissement": "85.3K",
        "nomenclatureActivitePrincipaleEtablissement": "NAFRev1",
    }
    return {
        "siren": siret[:9],
        "nic": siret[9:],
        "siret": siret,
        "statutDiffusionEtablissement": "O",
        "dateCreationEtablissement": "2004-12-25",
        "etablissementSiege": True,
        "uniteLegale": unit | changes.pop("unit", {}),
        "adresseEtablissement": address | changes.pop("address", {}),
        "periodesEtablissement": [period | changes.pop("period", {}), past],
        **changes,
    }


def one(siret: str = SIRET, **changes: Any) -> dict[str, Any]:
    return {"header": {"statut": 200, "message": "OK"}, "etablissement": establishment(siret, **changes)}


def many(*establishments: dict[str, Any]) -> dict[str, Any]:
    count = len(establishments)
    header = {"statut": 200, "message": "OK", "total": count, "debut": 0, "nombre": count}
    return {"header": header, "etablissements": list(establishments)}


def refusal(status: int, message: str = "Aucun élément trouvé") -> httpx.Response:
    return httpx.Response(status, json={"header": {"statut": status, "message": message}})


def token(**claims: Any) -> str:
    return jwt.encode(claims, SIGNING_KEY, algorithm="HS256")


@dataclass
class Register:
    """A client, its routes, what it sent and how long it waited between two attempts. Tokens are numbered."""

    client: SireneClient
    get: respx.Route
    search: respx.Route
    token: respx.Route
    renewal: respx.Route
    pacer: Pacer
    tokens: MemoryTokenStore
    pauses: list[float] = field(default_factory=list[float])
    elapsed: list[timedelta] = field(default_factory=list[timedelta])

    @property
    def authorizations(self) -> list[str]:
        return [call.request.headers.get("Authorization", "") for call in cast("Sequence[Call]", self.get.calls)]

    @property
    def queries(self) -> list[dict[str, list[str]]]:
        return [parse_qs(call.request.content.decode()) for call in cast("Sequence[Call]", self.search.calls)]


@asynccontextmanager
async def register_with(
    config: SireneConfig = KEY_CONFIG, *, pacer: Pacer | None = None, now: datetime = NOW
) -> AsyncGenerator[Register]:
    tokens = MemoryTokenStore()
    pauses: list[float] = []
    elapsed: list[timedelta] = []
    numbers = iter(range(1, 1000))
    pacer = pacer or RecordingPacer()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    def grant(_: httpx.Request) -> httpx.Response:
        answer = {"access_token": f"token-{next(numbers)}", "expires_in": 300, "token_type": "Bearer"}
        return httpx.Response(200, json=answer)

    with respx.mock(assert_all_called=False) as router:
        async with build_sirene_http(config) as http:
            client = SireneClient(config, http, tokens, pacer, now=lambda: now + sum(elapsed, timedelta()), sleep=sleep)
            yield Register(
                client=client,
                get=router.get(url__regex=rf"{BASE}/siret/.+").respond(200, json=one()),
                search=router.post(f"{BASE}/siret").respond(200, json=many(establishment())),
                token=router.post(f"{AUTH}/token").mock(side_effect=grant),
                renewal=router.post(f"{BASE}/renouvellement").respond(200),
                pacer=pacer,
                tokens=tokens,
                pauses=pauses,
                elapsed=elapsed,
            )
