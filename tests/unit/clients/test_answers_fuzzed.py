"""Whatever a partner answers to whichever call: a value or a PartnerError, never an accident, nothing in the log.

Answers are the documented ones with something torn out or put in, any JSON at all, and any bytes, under any status.
`HYPOTHESIS_PROFILE=thorough` tries twenty times as many.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
import respx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from clients.api_geo import APIGeoClient, build_api_geo_http
from clients.api_particulier import ApiParticulierClient, Criterion, build_api_particulier_http
from clients.ban import BANClient, BatchAddress, Position, build_ban_http
from clients.data_inclusion import DataInclusionClient, build_data_inclusion_http
from clients.errors import PartnerError
from clients.france_travail import FranceTravailClient, build_france_travail_http
from clients.http import CallPolicy, PartnerHTTP, build_http_client
from clients.jwks import JWKSClient
from clients.metabase import ExportFormat, MetabaseClient, build_metabase_http
from clients.rdv_insertion import RDVInsertionClient, build_rdv_insertion_http
from clients.sirene import SireneClient, build_sirene_http
from tests.tearing import junk, texts, torn
from tests.unit.clients import api_particulier, ban, data_inclusion, france_travail, metabase, rdv_insertion, sirene
from tests.unit.clients import test_api_geo as api_geo
from tests.unit.clients import test_jwks as jwks
from tests.unit.clients.doubles import MemoryTokenStore, RecordingPacer


@dataclass(frozen=True)
class FuzzedCall:
    """One call of a client. `answers`: documented ones. `first`: what answers a request that comes before."""

    client: type
    ask: Callable[[Any], Awaitable[object]]
    answers: tuple[Any, ...]
    first: Callable[[httpx.Request], httpx.Response | None] = lambda _: None


async def no_pause(_: float) -> None:
    """Second attempts come at once."""


async def read_export(client: MetabaseClient) -> None:
    async with await client.open_export(metabase.SCOPE, metabase.CARD, ExportFormat.CSV) as stream:
        async for _ in stream:
            pass


def token_of_france_travail(request: httpx.Request) -> httpx.Response | None:
    if str(request.url).startswith(france_travail.AUTH):
        return httpx.Response(200, json={"token_type": "Bearer", "access_token": "token", "expires_in": 1499})
    return None


def sign_in_of_rdv(request: httpx.Request) -> httpx.Response | None:
    return rdv_insertion.signed_in(1) if str(request.url) == rdv_insertion.SIGN_IN_URL else None


ROWS = [BatchAddress(key="1", address_line_1="12 rue des Tilleuls Inventés", post_code="57000")]
PAGE = data_inclusion.page(data_inclusion.WORKSHOP, data_inclusion.LOCAL_MISSION)
SERVICES = data_inclusion.page({"id": "s", "structure_id": "dora--a1", "thematiques": ["mobilite"]})
ADDRESSES = ban.collection(ban.feature())
ONE, MANY = sirene.one(), sirene.many(sirene.establishment())
USERS = {"users": [{"id": 3432, "email": "zelie.fictive@exemple.test", "invitations": [rdv_insertion.SMS]}]}

CALLS = {
    "BAN geocode": FuzzedCall(BANClient, lambda c: c.geocode(ban.METZ_STREET), (ADDRESSES,)),
    "BAN suggest": FuzzedCall(
        BANClient, lambda c: c.suggest("12 rue", near=Position(latitude=49.1, longitude=6.1)), (ADDRESSES,)
    ),
    "BAN geocode_batch": FuzzedCall(
        BANClient,
        lambda c: c.geocode_batch(ROWS),
        ("pk;latitude;longitude;result_score;result_label;result_citycode\n1;49.1;6.1;0.97;Metz;57463\n",),
    ),
    "API Géo commune": FuzzedCall(APIGeoClient, lambda c: c.commune("57463"), (api_geo.METZ,)),
    "API Géo commune_of_former_code": FuzzedCall(
        APIGeoClient, lambda c: c.commune_of_former_code("57999"), ([api_geo.METZ],)
    ),
    "API Géo commune_at": FuzzedCall(APIGeoClient, lambda c: c.commune_at(49.1, 6.1), ([api_geo.METZ],)),
    "API Géo communes": FuzzedCall(APIGeoClient, lambda c: c.communes(name="Metz"), ([api_geo.METZ],)),
    "API Géo country": FuzzedCall(APIGeoClient, lambda c: c.country(), ([api_geo.METZ],)),
    "Sirene establishment": FuzzedCall(SireneClient, lambda c: c.establishment(sirene.SIRET), (ONE,)),
    "Sirene establishments": FuzzedCall(
        SireneClient, lambda c: c.establishments([sirene.SIRET, sirene.OTHER_SIRET]), (MANY,)
    ),
    "France Travail search_identity": FuzzedCall(
        FranceTravailClient,
        lambda c: c.search_identity(france_travail.QUERY),
        (france_travail.FOUND,),
        token_of_france_travail,
    ),
    "France Travail update_pass_iae": FuzzedCall(
        FranceTravailClient,
        lambda c: c.update_pass_iae(france_travail.UPDATE),
        ({"codeSortie": "S000"},),
        token_of_france_travail,
    ),
    "France Travail, its token": FuzzedCall(
        FranceTravailClient,
        lambda c: c.search_identity(france_travail.QUERY),
        ({"token_type": "Bearer", "access_token": "token", "expires_in": 1499, "scope": "any"},),
    ),
    "API Particulier certify": FuzzedCall(
        ApiParticulierClient,
        lambda c: c.certify(Criterion.RSA, api_particulier.PERSON),
        (api_particulier.BENEFICIARY, api_particulier.refusal("37003", provider="CNAV")),
    ),
    "data·inclusion sources": FuzzedCall(
        DataInclusionClient, lambda c: c.sources(), ([{"slug": "dora", "nom": "DORA", "description": "…"}],)
    ),
    "data·inclusion search_structures": FuzzedCall(
        DataInclusionClient,
        lambda c: c.search_structures(data_inclusion.MOSELLE, sources=data_inclusion.SOURCES),
        (PAGE,),
    ),
    "data·inclusion structures_with_themes": FuzzedCall(
        DataInclusionClient,
        lambda c: c.structures_with_themes(data_inclusion.MOSELLE, sources=data_inclusion.SOURCES, themes=["mobilite"]),
        (SERVICES,),
    ),
    "data·inclusion structure": FuzzedCall(
        DataInclusionClient, lambda c: c.structure("dora--a1"), (data_inclusion.WORKSHOP,)
    ),
    "Metabase cards": FuzzedCall(MetabaseClient, lambda c: c.cards(metabase.SCOPE), (metabase.LISTING,)),
    "Metabase card": FuzzedCall(MetabaseClient, lambda c: c.card(metabase.SCOPE, 7012), (metabase.LISTING,)),
    "Metabase rows": FuzzedCall(MetabaseClient, lambda c: c.rows(metabase.SCOPE, metabase.CARD), (metabase.ROWS,)),
    "Metabase open_export": FuzzedCall(MetabaseClient, read_export, ("Mois,Candidatures\n2026-09,412\n",)),
    "RDV-Insertion create_and_invite": FuzzedCall(
        RDVInsertionClient,
        lambda c: c.create_and_invite(rdv_insertion.ORGANISATION, rdv_insertion.INVITEE),
        (rdv_insertion.INVITED, {"success": False, "errors": ["Email invalide"]}),
        sign_in_of_rdv,
    ),
    "RDV-Insertion find_users": FuzzedCall(
        RDVInsertionClient,
        lambda c: c.find_users(rdv_insertion.ORGANISATION, "zelie.fictive@exemple.test"),
        (USERS,),
        sign_in_of_rdv,
    ),
    "RDV-Solidarités, signing in": FuzzedCall(
        RDVInsertionClient,
        lambda c: c.find_users(rdv_insertion.ORGANISATION, "zelie.fictive@exemple.test"),
        ({"data": {"id": 7}},),
    ),
    "identity provider key": FuzzedCall(JWKSClient, lambda c: c.key("old"), ({"keys": [jwks.OLD, jwks.NEW]},)),
}
# Refused credentials are an alarm on purpose: somebody has to enter others.
MEANT_FOR_OPERATORS = {"rdv_solidarites_credentials_refused", "sirene_key_refused", "sirene_token_refused"}
# It changes an account's password, by hand and once a quarter; its answer is a status.
NOT_HERE = {(SireneClient, "renew_password")}


def http_of(kind: type) -> httpx.AsyncClient:
    """Made once a client class: it reads the certificates of the machine, and remembers nothing of its calls."""
    if kind not in _https:
        _https[kind] = {
            BANClient: lambda: build_ban_http(ban.CONFIG),
            APIGeoClient: lambda: build_api_geo_http(api_geo.CONFIG),
            SireneClient: lambda: build_sirene_http(sirene.KEY_CONFIG),
            FranceTravailClient: lambda: build_france_travail_http(france_travail.CONFIG),
            ApiParticulierClient: lambda: build_api_particulier_http(api_particulier.CONFIG),
            DataInclusionClient: lambda: build_data_inclusion_http(data_inclusion.CONFIG),
            MetabaseClient: lambda: build_metabase_http(metabase.CONFIG),
            RDVInsertionClient: lambda: build_rdv_insertion_http(rdv_insertion.CONFIG),
            JWKSClient: lambda: build_http_client(jwks.URL),
        }[kind]()
    return _https[kind]


_https: dict[type, httpx.AsyncClient] = {}


@pytest.fixture(autouse=True, scope="module")
async def _closing() -> AsyncIterator[None]:
    yield
    while _https:
        await _https.popitem()[1].aclose()


def client_of(kind: type) -> Any:
    """A client of its own for each example: none remembers what the last one was answered."""
    http, pacer, tokens = http_of(kind), RecordingPacer(), MemoryTokenStore()
    slow = replace(data_inclusion.CONFIG, timeout_seconds=5)
    patient = replace(metabase.CONFIG, listing_seconds=5, export_seconds=5)
    identity = PartnerHTTP("identity_provider", http, CallPolicy(deadline_seconds=5))
    return {
        BANClient: lambda: BANClient(ban.CONFIG, http, pacer, sleep=no_pause),
        APIGeoClient: lambda: APIGeoClient(api_geo.CONFIG, http, pacer, sleep=no_pause),
        SireneClient: lambda: SireneClient(
            sirene.KEY_CONFIG, http, tokens, pacer, now=lambda: sirene.NOW, sleep=no_pause
        ),
        FranceTravailClient: lambda: FranceTravailClient(france_travail.CONFIG, http, tokens, pacer),
        ApiParticulierClient: lambda: ApiParticulierClient(
            replace(api_particulier.CONFIG, deadline_seconds=5), http, pacer
        ),
        DataInclusionClient: lambda: DataInclusionClient(slow, http, sleep=no_pause),
        MetabaseClient: lambda: MetabaseClient(patient, http, now=lambda: metabase.NOW, sleep=no_pause),
        RDVInsertionClient: lambda: RDVInsertionClient(rdv_insertion.CONFIG, http, tokens, pacer),
        JWKSClient: lambda: JWKSClient(identity, jwks.URL),
    }[kind]()


# -- answers

EXAMPLES = settings.default.max_examples if settings.default is not None else 100
STATUSES = st.sampled_from([200] * 12 + [201, 202, 204, 206, 301, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503])
HEADERS: st.SearchStrategy[Mapping[str, str]] = st.fixed_dictionaries(
    {},
    optional={
        "content-type": st.sampled_from(
            ["application/json", "text/html", "", ";;", "application/json; charset=latin-1"]
        ),
        "retry-after": st.sampled_from(["0", "-1", "5", "1e9", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", "9" * 400]),
        "location": st.sampled_from(["/", "http://127.0.0.1/", "//"]),
        "link": st.just('<x>; rel="next'),
    },
)


def body_of(content: Any) -> bytes:
    if isinstance(content, str):
        return content.encode(errors="surrogatepass")
    return json.dumps(content).encode()


@st.composite
def torn_text(draw: st.DrawFn, answer: str) -> str:
    start = draw(st.integers(0, len(answer)))
    end = draw(st.integers(start, len(answer)))
    return answer[:start] + draw(texts | st.sampled_from([",", '"', "\n", "\r", "\ufeff"])) + answer[end:]


def bodies(call: FuzzedCall) -> st.SearchStrategy[bytes]:
    documented = st.one_of([torn_text(one) if isinstance(one, str) else torn(one) for one in call.answers])
    return st.one_of(
        documented.map(body_of),
        documented.map(body_of),
        junk.map(body_of),
        st.binary(max_size=80),
        st.sampled_from([b"", b"[" * 50_000, b"\xff\xfe", b"9" * 5_000, b'{"a":' * 20_000, b"<html>"]),
    )


@pytest.mark.parametrize("name", CALLS)
@settings(
    max_examples=max(EXAMPLES // 3, 1),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
async def test_an_answer_becomes_a_value_or_a_partner_error(name: str, data: st.DataObject):
    call = CALLS[name]
    status, headers, body = data.draw(STATUSES), data.draw(HEADERS), data.draw(bodies(call))

    def answer(request: httpx.Request) -> httpx.Response:
        return call.first(request) or httpx.Response(status, headers=dict(headers), content=body)

    with respx.mock(assert_all_called=False) as router, capture_logs() as logs:
        router.route().mock(side_effect=answer)
        with suppress(PartnerError):
            await call.ask(client_of(call.client))

    assert {line["event"] for line in logs if line["log_level"] in ("error", "critical")} <= MEANT_FOR_OPERATORS


@pytest.mark.parametrize("name", CALLS)
async def test_the_documented_answer_is_understood(name: str):
    """Else what is torn would be refused for another reason than the tear."""
    call = CALLS[name]
    first: Any = call.answers[0]

    def answer(request: httpx.Request) -> httpx.Response:
        documented = httpx.Response(200, content=body_of(first))
        return call.first(request) or documented

    with respx.mock(assert_all_called=False) as router:
        router.route().mock(side_effect=answer)
        if name in ("API Géo country", "France Travail, its token", "RDV-Solidarités, signing in"):
            with pytest.raises(PartnerError):  # the answer is that of the first of two calls, or too short
                await call.ask(client_of(call.client))
        else:
            await call.ask(client_of(call.client))


def test_every_call_of_every_client_is_here():
    kinds = {call.client for call in CALLS.values()}
    methods = {
        (kind, name)
        for kind in kinds
        for name, member in vars(kind).items()
        if inspect.iscoroutinefunction(member) and not name.startswith("_")
    }
    asked = {(call.client, name.split()[-1]) for name, call in CALLS.items() if ", " not in name}

    assert methods - NOT_HERE == asked
