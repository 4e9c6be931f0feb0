"""What the France Travail tests share: a client on a faked wire, and invented values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

import httpx
import orjson
import respx
from respx.models import Call

from clients.france_travail import FranceTravailConfig, IdentityQuery, PassIaeUpdate

BASE = "https://data.francetravail.example/partenaire"
AUTH = "https://auth.francetravail.example"
TOKEN_URL = f"{AUTH}/connexion/oauth2/access_token"
SEARCH_URL = f"{BASE}/rechercheindividucertifie/v1/rechercheIndividuCertifie"
UPDATE_URL = f"{BASE}/maj-pass-iae/v1/passIAE/miseAjour"

CONFIG = FranceTravailConfig(
    base_url=BASE, auth_base_url=AUTH, client_id="PAR_tests_01", client_secret="invented-secret", queue_seconds=1
)
QUERY = IdentityQuery(last_name="Clairval", first_name="Ondine", birthdate=date(1970, 1, 1), nir="270019999900123")
UPDATE = PassIaeUpdate(
    id_national="invented-identifier",
    approval_number="999990000017",
    start_at=date(2026, 3, 2),
    end_at=date(2028, 2, 29),
    siae_siret="90210000900019",
    siae_kind="ACI",
    sender_kind="prescriber",
    prescriber_kind="ML",
)
FOUND = {"codeSortie": "S001", "idNationalDE": "invented-identifier", "certifDE": False}


@dataclass(frozen=True)
class FakeFranceTravail:
    """The three routes. Tokens are numbered in the order of their calls."""

    router: respx.MockRouter
    token: respx.Route
    search: respx.Route
    update: respx.Route

    @property
    def search_body(self) -> dict[str, object]:
        return orjson.loads(self.search.calls.last.request.content)

    @property
    def update_body(self) -> dict[str, object]:
        return orjson.loads(self.update.calls.last.request.content)

    def tokens_used(self, route: respx.Route) -> Sequence[str]:
        calls = cast("list[Call]", route.calls)
        return [call.request.headers["Authorization"] for call in calls]


def fake_france_travail(router: respx.MockRouter) -> FakeFranceTravail:
    """Everything goes well until a test says otherwise."""
    numbers = iter(range(1, 1000))

    def grant(request: httpx.Request) -> httpx.Response:
        token = {"token_type": "Bearer", "access_token": f"token-{next(numbers)}", "expires_in": 1499, "scope": "any"}
        return httpx.Response(200, json=token)

    return FakeFranceTravail(
        router=router,
        token=router.post(TOKEN_URL).mock(side_effect=grant),
        search=router.post(SEARCH_URL).respond(200, json=FOUND),
        update=router.post(UPDATE_URL).respond(200, json={"codeSortie": "S000"}),
    )
