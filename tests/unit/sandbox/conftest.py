"""A sandbox in process, with a clock of the test's own, and people who talk to it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from sandbox.app import Sandbox, create_app
from sandbox.clock import Clock
from sandbox.france_travail.settings import CLIENT_ID, CLIENT_SECRET

SEARCH = "/france-travail/rechercheindividucertifie/v1/rechercheIndividuCertifie"
UPDATE = "/france-travail/maj-pass-iae/v1/passIAE/miseAjour"
TOKEN = "/france-travail/connexion/oauth2/access_token"
SCOPES = "api_rechercheindividucertifiev1 rechercherIndividuCertifie api_maj-pass-iaev1 passIAE"
PERSON = {
    "nomNaissance": "CLAIRVAL",
    "prenom": "ONDINE",
    "dateNaissance": "1970-01-01",
    "nirCertifie": "2700199999001",
}


@dataclass
class SandboxTime:
    """One hand for both clocks."""

    now: datetime = datetime(2026, 3, 18, 9, 30, tzinfo=UTC)
    elapsed: timedelta = field(default_factory=timedelta)

    def advance(self, **by: float) -> None:
        self.elapsed += timedelta(**by)

    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.elapsed.total_seconds(), now=lambda: self.now + self.elapsed)


@dataclass
class Caller:
    """Somebody with a token, who knows the paths."""

    http: httpx.AsyncClient
    token: str = ""

    async def get_token(self, **changes: str) -> httpx.Response:
        form = {
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "scope": f"application_{CLIENT_ID} {SCOPES}",
        }
        answer = await self.http.post(TOKEN, params={"realm": "/partenaire"}, data=form | changes)
        self.token = answer.json().get("access_token", "")
        return answer

    async def post(self, path: str, body: Any) -> httpx.Response:
        return await self.http.post(path, json=body, headers={"Authorization": f"Bearer {self.token}"})

    async def search(self, **changes: Any) -> httpx.Response:
        return await self.post(SEARCH, PERSON | changes)

    async def id_national(self, **changes: Any) -> str:
        return (await self.search(**changes)).json()["idNationalDE"]

    async def update(self, **changes: Any) -> httpx.Response:
        """A sound update of an ordinary person, but for the changes; None drops a key."""
        body: dict[str, Any] = {
            "idNational": changes.pop("idNational", None) or await self.id_national(),
            "numPassIAE": "999990000017",
            "dateDebutPassIAE": "2026-03-02",
            "dateFinPassIAE": "2028-02-29",
            "statutReponsePassIAE": "A",
            "numSIRETsiae": "90210000900019",
            "typeSIAE": 836,
            "origineCandidature": "PRES",
            "typologiePrescripteur": "ML",
        }
        merged = body | changes
        return await self.post(UPDATE, {key: value for key, value in merged.items() if value is not None})


@pytest.fixture
def time() -> SandboxTime:
    return SandboxTime()


@pytest.fixture
def sandbox(time: SandboxTime) -> Sandbox:
    app = create_app(clock=time.clock())
    app.partners["france-travail"].change_settings({"rate_per_second": None})
    return app


@pytest.fixture
async def http(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox), base_url="http://sandbox") as client:
        yield client


@pytest.fixture
async def caller(http: httpx.AsyncClient) -> Caller:
    caller = Caller(http)
    await caller.get_token()
    return caller
