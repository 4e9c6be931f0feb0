"""What the API Particulier tests share: a client on a faked wire, and invented people."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import parse_qsl

import respx

from clients.api_particulier import (
    ApiParticulierClient,
    ApiParticulierConfig,
    CivilStatus,
    build_api_particulier_http,
)
from clients.breaker import BreakerPolicy
from tests.unit.clients.doubles import RecordingObserver, RecordingPacer

BASE = "https://particulier.example"
RSA_URL = f"{BASE}/v3/dss/revenu_solidarite_active/identite"
AAH_URL = f"{BASE}/v3/dss/allocation_adulte_handicape/identite"
ASF_URL = f"{BASE}/v3/dss/allocation_soutien_familial/identite"
RECIPIENT = "13003013300016"
TOKEN = "invented.jwt.token"
CONFIG = ApiParticulierConfig(
    base_url=BASE,
    token=TOKEN,
    recipient=RECIPIENT,
    deadline_seconds=0.1,
    queue_seconds=1,
    breaker=BreakerPolicy(failures=10_000),
)
PERSON = CivilStatus(
    last_name="Quesnoy-Perrin",
    first_name="Maëlle Jeanne",
    title="MME",
    birthdate=date(1993, 4, 12),
    birth_country="99100",
    birth_place="69123",
)
# What of her must not be seen anywhere but on the wire.
TRACES = ("quesnoy", "maëlle", "ma%c3%8blle", "jeanne", "1993", "69123", TOKEN)
BENEFICIARY = {
    "data": {"est_beneficiaire": True, "avec_majoration": False, "date_debut_droit": "2025-11-01"},
    "links": {},
    "meta": {},
}


def refusal(code: str, *, title: str = "Refus", provider: str | None = None, **meta: Any) -> dict[str, Any]:
    """The body of one error, with details that may tell about the person."""
    if provider:
        meta["provider"] = provider
    detail = "Dossier de QUESNOY-PERRIN Maëlle inexistant"
    return {"errors": [{"code": code, "title": title, "detail": detail, "source": None, "meta": meta}]}


@dataclass
class Api:
    """A client and what it sent."""

    client: ApiParticulierClient
    router: respx.MockRouter
    rsa: respx.Route
    pacer: RecordingPacer
    observer: RecordingObserver

    @property
    def query(self) -> list[tuple[str, str]]:
        """Of the last call, in order, repeated names kept."""
        return parse_qsl(self.router.calls.last.request.url.query.decode(), keep_blank_values=True)


@asynccontextmanager
async def api_with(config: ApiParticulierConfig = CONFIG) -> AsyncGenerator[Api]:
    pacer, observer = RecordingPacer(), RecordingObserver()
    with respx.mock(assert_all_called=False) as router:
        async with build_api_particulier_http(config) as http:
            yield Api(
                client=ApiParticulierClient(config, http, pacer, observer=observer),
                router=router,
                rsa=router.get(RSA_URL).respond(200, json=BENEFICIARY),
                pacer=pacer,
                observer=observer,
            )
