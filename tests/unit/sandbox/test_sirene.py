"""The simulated Sirene: by itself, and with the real client in both flavours."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from stdnum.fr import siret as stdnum_siret
from structlog.testing import capture_logs

from clients.errors import PartnerError, PartnerRejected
from clients.sirene import (
    APIKey,
    Establishment,
    PasswordGrant,
    SireneClient,
    SireneConfig,
    SireneOutcome,
    Urgency,
    sirene_outcome,
)
from sandbox.app import Sandbox
from sandbox.cast import COMPANIES, siret_of
from sandbox.sirene.partner import PRIVATE, PUBLIC, TOKEN, SimulatedSirene
from sandbox.sirene.register import SPECIAL, find
from sandbox.sirene.settings import API_KEY, CLIENT_ID, CLIENT_SECRET, PASSWORD, USERNAME
from tests.unit.clients.doubles import MemoryTokenStore, RecordingPacer
from tests.unit.sandbox.conftest import SandboxTime

KEY_CONFIG = SireneConfig(credentials=APIKey(value=API_KEY), base_url=f"http://sandbox/sirene{PUBLIC}")
GRANT = PasswordGrant(
    auth_url=f"http://sandbox/sirene{TOKEN}".removesuffix("/token"),
    client_id=CLIENT_ID,
    client_secret=CLIENT_SECRET,
    username=USERNAME,
    password=PASSWORD,
)
PASSWORD_CONFIG = SireneConfig(credentials=GRANT, base_url=f"http://sandbox/sirene{PRIVATE}")
JARDINS = COMPANIES[0].siret
NOBODY = "73282932000074"
SIRETS = {record.display_name: record.siret for record in SPECIAL.values() if not record.is_sole_proprietor}
DISCLOSED_PERSON, DISCREET_PERSON = (record.siret for record in SPECIAL.values() if record.is_sole_proprietor)


def client_with(config: SireneConfig, http: httpx.AsyncClient, time: SandboxTime) -> SireneClient:
    async def sleep(seconds: float) -> None:
        time.advance(seconds=seconds)

    return SireneClient(config, http, MemoryTokenStore(), RecordingPacer(), now=time.clock().now, sleep=sleep)


@pytest.fixture
def client(http: httpx.AsyncClient, time: SandboxTime) -> SireneClient:
    return client_with(KEY_CONFIG, http, time)


@pytest.fixture
def administration(http: httpx.AsyncClient, time: SandboxTime) -> SireneClient:
    return client_with(PASSWORD_CONFIG, http, time)


@pytest.fixture
def sirene(sandbox: Sandbox) -> SimulatedSirene:
    partner = sandbox.partners["sirene"]
    assert isinstance(partner, SimulatedSirene)
    return partner


async def get(http: httpx.AsyncClient, path: str, **query: str) -> httpx.Response:
    return await http.get(f"/sirene{PUBLIC}{path}", params=query, headers={"X-INSEE-Api-Key-Integration": API_KEY})


async def outcome_of(client: SireneClient, siret: str) -> SireneOutcome:
    with pytest.raises(PartnerError) as caught:
        await client.establishment(siret)
    return sirene_outcome(caught.value)


def test_every_number_of_the_register_is_well_formed_and_its_own():
    assert len(SPECIAL) == 13
    for siret, record in SPECIAL.items():
        assert stdnum_siret.is_valid(siret)
        assert find(siret) is record


@pytest.mark.parametrize("company", COMPANIES, ids=[company.kind for company in COMPANIES])
async def test_every_company_of_the_cast_is_open_and_has_its_name(client: SireneClient, company: Any):
    found = await client.establishment(company.siret)

    assert found.name is not None
    assert found.name.replace("-", " ").split()[0] == company.name.upper().split()[0].replace("É", "E")
    assert (found.is_closed, found.is_head_office, found.naf, found.city) == (False, True, "8899B", "METZ")


async def test_another_establishment_of_a_company_is_no_head_office(client: SireneClient):
    found = await client.establishment(siret_of(int(JARDINS[:8]), establishment=2))

    assert (found.name, found.siren, found.is_head_office) == ("LES JARDINS DE L'ECHELLE", JARDINS[:9], False)


async def test_any_other_invented_number_is_an_ordinary_company_and_always_the_same(client: SireneClient):
    siret = siret_of(90_211_042)

    first, again = [await client.establishment(siret) for _ in range(2)]

    assert first == again
    assert first.name == "STRUCTURE INVENTEE 211042"
    assert first.insee_code is not None


@pytest.mark.parametrize(
    ("siret", "outcome"),
    [
        (NOBODY, SireneOutcome.SIRET_UNKNOWN),
        (SIRETS["ENTREPRISE OPPOSEE"], SireneOutcome.COMPANY_OPPOSED),
        (SIRETS["SANS PERIODE"], SireneOutcome.SIRENE_BAD_RESPONSE),
    ],
)
async def test_some_numbers_have_another_outcome(client: SireneClient, siret: str, outcome: SireneOutcome):
    assert await outcome_of(client, siret) is outcome


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ATELIER FERME", {"is_closed": True, "is_legal_unit_ceased": False}),
        ("CHANTIER CESSE", {"is_closed": True, "is_legal_unit_ceased": True}),
        ("VIEILLE NOMENCLATURE", {"naf": None}),
        ("SUCCURSALE ETRANGERE", {"is_abroad": True, "post_code": None, "insee_code": None, "city": "SARREBRUCK"}),
        ("PERIODES RENVERSEES", {"is_closed": False, "naf": "8899B"}),
        (
            "AGENCE PARISIENNE",
            {"insee_code": "75115", "city": "PARIS", "post_code": "75015", "address_line_2": "BATIMENT B"},
        ),
        ("SANS NOM", {"name": "SANS NOM", "is_sole_proprietor": False}),
        ("DOUBLON FUSIONNE", {"siret": JARDINS, "name": "LES JARDINS DE L'ECHELLE"}),
        (
            "ASSOCIATION DISCRETE",
            {"name": "ASSOCIATION DISCRETE", "acronym": None, "address_line_1": None, "is_partially_disclosed": True},
        ),
    ],
)
async def test_what_is_special_about_an_establishment_reaches_the_client(
    client: SireneClient, name: str, expected: dict[str, Any]
):
    found = await client.establishment(SIRETS[name])

    assert {key: getattr(found, key) for key in expected} == expected


async def test_a_sole_proprietor_is_named_after_the_person(client: SireneClient):
    found = await client.establishment(DISCLOSED_PERSON)

    assert (found.name, found.trade_name) == ("ONDINE CLAIRVAL", "AU CLAIR VAL")
    assert (found.is_sole_proprietor, found.is_partially_disclosed) == (True, False)


async def test_what_a_discreet_person_withholds_is_told_to_administrations_only(
    client: SireneClient, administration: SireneClient, http: httpx.AsyncClient
):
    to_a_key = await client.establishment(DISCREET_PERSON)
    to_an_administration = await administration.establishment(DISCREET_PERSON)

    assert "[ND]" in (await get(http, f"/siret/{DISCREET_PERSON}")).text
    assert (to_a_key.name, to_a_key.trade_name, to_a_key.address_line_1, to_a_key.post_code) == (None,) * 4
    assert (to_a_key.city, to_a_key.insee_code) == ("LILLE", "59350")
    assert (to_an_administration.name, to_an_administration.post_code) == ("ONDINE CLAIRVAL", "59000")
    assert to_a_key.is_partially_disclosed
    assert to_an_administration.is_partially_disclosed


async def test_the_client_finds_many_in_one_call(client: SireneClient, http: httpx.AsyncClient):
    asked = [company.siret for company in COMPANIES]
    strange = [NOBODY, SIRETS["SANS PERIODE"], SIRETS["ENTREPRISE OPPOSEE"]]

    found = await client.establishments([*asked, *strange], urgency=Urgency.JOB)

    assert all(isinstance(found[siret], Establishment) for siret in asked)
    assert [found[siret] for siret in strange] == [
        SireneOutcome.SIRET_UNKNOWN,
        SireneOutcome.SIRENE_BAD_RESPONSE,
        SireneOutcome.SIRET_UNKNOWN,
    ]
    assert len((await http.get("/_calls", params={"partner": "sirene"})).json()) == 1


async def test_a_thousand_numbers_are_one_call(client: SireneClient, http: httpx.AsyncClient):
    asked = [siret_of(90_211_000 + number) for number in range(1000)]

    found = await client.establishments(asked)

    assert all(isinstance(establishment, Establishment) for establishment in found.values())
    assert len((await http.get("/_calls", params={"partner": "sirene"})).json()) == 1


async def test_none_of_many_found_is_no_error(client: SireneClient):
    assert await client.establishments([NOBODY]) == {NOBODY: SireneOutcome.SIRET_UNKNOWN}


async def test_the_31st_call_of_a_minute_is_refused_whoever_it_asks_for(client: SireneClient, http: httpx.AsyncClient):
    for number in range(30):
        await client.establishment(siret_of(90_211_000 + number))

    with pytest.raises(PartnerError) as caught:
        await client.establishment(JARDINS)

    assert (caught.value.http_status, sirene_outcome(caught.value)) == (429, SireneOutcome.SIRENE_UNAVAILABLE)
    statuses = [call["status"] for call in (await http.get("/_calls", params={"partner": "sirene"})).json()]
    assert statuses == [200] * 30 + [429]


async def test_a_job_waits_for_the_next_minute_and_is_served(client: SireneClient, sirene: SimulatedSirene):
    sirene.change_settings({"calls_per_minute": 1})
    await client.establishment(JARDINS)

    found = await client.establishment(JARDINS, urgency=Urgency.JOB)

    assert found.siret == JARDINS


async def test_token_calls_are_not_counted(administration: SireneClient, sirene: SimulatedSirene):
    sirene.change_settings({"calls_per_minute": 1})

    assert (await administration.establishment(JARDINS)).siret == JARDINS


async def test_an_expired_or_lost_token_is_replaced_on_the_way(
    administration: SireneClient, sirene: SimulatedSirene, http: httpx.AsyncClient, time: SandboxTime
):
    await administration.establishment(JARDINS)
    time.advance(seconds=301)
    await administration.establishment(JARDINS)
    sirene.tokens.revoke_all()

    await administration.establishments([JARDINS, NOBODY])

    statuses = [call["status"] for call in (await http.get("/_calls", params={"path": PRIVATE})).json()]
    assert statuses == [200, 401, 200, 401, 200]


@pytest.mark.parametrize(
    "config",
    [
        replace(KEY_CONFIG, credentials=APIKey(value="wrong")),
        replace(PASSWORD_CONFIG, credentials=replace(GRANT, password="wrong")),
        replace(PASSWORD_CONFIG, credentials=replace(GRANT, client_secret="wrong")),
        replace(PASSWORD_CONFIG, credentials=APIKey(value=API_KEY)),
        replace(KEY_CONFIG, credentials=GRANT),
    ],
    ids=["wrong key", "wrong password", "wrong secret", "key for the private flavour", "token for the public one"],
)
async def test_wrong_credentials_are_unavailable_and_an_error_in_the_log(
    http: httpx.AsyncClient, time: SandboxTime, config: SireneConfig
):
    with capture_logs() as logs:
        outcome = await outcome_of(client_with(config, http, time), JARDINS)

    assert outcome is SireneOutcome.SIRENE_UNAVAILABLE
    is_refused_before_the_look_up_tells = config.base_url.endswith(PUBLIC) and config.credentials == GRANT
    assert [entry["log_level"] for entry in logs] == ([] if is_refused_before_the_look_up_tells else ["error"])


async def test_the_end_of_the_password_is_announced_when_it_is_near(
    administration: SireneClient, sirene: SimulatedSirene, time: SandboxTime
):
    sirene.change_settings({"password_age_days": 80})

    with capture_logs() as logs:
        await administration.establishment(JARDINS)

    expires_on = (time.now + timedelta(days=10)).date().isoformat()
    assert [(entry["event"], entry["expires_on"]) for entry in logs] == [("sirene_password_expires", expires_on)]


@pytest.mark.parametrize("age", [10, None])
async def test_a_young_password_and_one_of_unknown_age_are_not_announced(
    administration: SireneClient, sirene: SimulatedSirene, age: int | None
):
    sirene.change_settings({"password_age_days": age})

    with capture_logs() as logs:
        await administration.establishment(JARDINS)

    assert logs == []


async def test_a_password_is_renewed_once_and_counts_from_then_on(
    administration: SireneClient, sirene: SimulatedSirene, http: httpx.AsyncClient
):
    await administration.renew_password("another-invented-password")

    with pytest.raises(PartnerRejected):
        await administration.renew_password("another-invented-password")

    assert sirene.settings.password == "another-invented-password"
    calls = (await http.get("/_calls", params={"path": f"{PRIVATE}/renouvellement"})).json()
    assert calls[0]["body"] == {"oldPassword": "***", "newPassword": "***"}


async def test_a_password_that_is_too_short_is_refused(administration: SireneClient):
    with pytest.raises(PartnerRejected):
        await administration.renew_password("short")


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/siret/1234", {}, 400),
        (f"/siret/{NOBODY}", {}, 404),
        (f"/siret/{JARDINS}", {"date": "2026-01-01"}, 400),
        ("/siret", {"q": f"siret:{JARDINS}"}, 200),
        ("/siret", {"q": f"siren:{JARDINS[:9]} AND etablissementSiege:true"}, 200),
        ("/siret", {"q": f"siret:{NOBODY}"}, 404),
        ("/siret", {"q": "denominationUniteLegale:JARDINS"}, 400),
        ("/siret", {"q": f"siret:{JARDINS} OR"}, 400),
        ("/siret", {}, 400),
        ("/siret", {"q": f"siret:{JARDINS}", "nombre": "1001"}, 400),
        ("/siret", {"q": f"siret:{JARDINS}", "curseur": "*"}, 400),
        ("/siret", {"q": " OR ".join([f"siret:{JARDINS}"] * 100)}, 414),
        ("/siren/902100007", {}, 404),
    ],
)
async def test_each_request_is_answered_as_documented(
    http: httpx.AsyncClient, path: str, query: dict[str, str], status: int
):
    answer = await get(http, path, **query)

    assert answer.status_code == status
    if status != 404 or "siren/" not in path:
        assert answer.json()["header"]["statut"] == status


async def test_a_search_is_given_page_by_page(http: httpx.AsyncClient):
    q = " OR ".join(f"siret:{company.siret}" for company in COMPANIES[:3])

    answer = await get(http, "/siret", q=q, nombre="2", debut="1")

    assert answer.json()["header"] | {"total": 3, "debut": 1, "nombre": 2} == answer.json()["header"]
    assert [found["siret"] for found in answer.json()["etablissements"]] == [
        company.siret for company in COMPANIES[1:3]
    ]


async def test_what_a_number_was_answered_is_counted_by_number(client: SireneClient, http: httpx.AsyncClient):
    await client.establishment(JARDINS)
    await outcome_of(client, NOBODY)

    summary = (await http.get("/_calls", params={"partner": "sirene", "summary": 1})).json()

    assert summary["codes_by_subject"] == {JARDINS: {"200": 1}, NOBODY: {"404": 1}}


async def test_the_special_establishments_are_listed_with_what_is_special(http: httpx.AsyncClient):
    listed = {company["siret"]: company["note"] for company in (await http.get("/_companies")).json()}

    assert {company.siret for company in COMPANIES} <= listed.keys()
    assert listed[SIRETS["ENTREPRISE OPPOSEE"]] == "Sirene: 403"


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"username": "nobody"}, 401, "invalid_grant"),
    ],
)
async def test_a_token_call_that_is_wrong_is_told_why(
    http: httpx.AsyncClient, form: dict[str, str], status: int, error: str
):
    sound = {
        "grant_type": "password",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "username": USERNAME,
        "password": PASSWORD,
    }

    answer = await http.post(f"/sirene{TOKEN}", data=sound | form)
    as_json = await http.post(f"/sirene{TOKEN}", json=sound)

    assert (answer.status_code, answer.json()) == (status, {"error": error})
    assert as_json.status_code == 400
