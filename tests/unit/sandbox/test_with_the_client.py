"""The real France Travail client against the sandbox: both sides read the same contract."""

from dataclasses import replace
from datetime import date
from typing import Any

import httpx
import pytest

from clients.errors import Delivery, PartnerRateLimited, PartnerUnavailable
from clients.france_travail import (
    FranceTravailClient,
    FranceTravailConfig,
    FranceTravailConfigurationError,
    FranceTravailRejected,
    IdentityQuery,
    PassIaeUpdate,
    type_siae,
)
from sandbox.app import Sandbox
from sandbox.cast import COMPANIES, PEOPLE, Company, Person
from sandbox.france_travail.settings import CLIENT_ID, CLIENT_SECRET
from tests.unit.clients.doubles import MemoryTokenStore, RecordingPacer
from tests.unit.sandbox.conftest import SEARCH, TOKEN, UPDATE, SandboxTime

CONFIG = FranceTravailConfig(
    base_url="http://sandbox/france-travail",
    auth_base_url="http://sandbox/france-travail",
    client_id=CLIENT_ID,
    client_secret=CLIENT_SECRET,
)
ORDINARY = PEOPLE[0]


def query_for(person: Person) -> IdentityQuery:
    return IdentityQuery(
        last_name=person.last_name, first_name=person.first_name, birthdate=person.birthdate, nir=person.nir
    )


def update_for(id_national: str, **changes: Any) -> PassIaeUpdate:
    update = PassIaeUpdate(
        id_national=id_national,
        approval_number="99999 00 00017",
        start_at=date(2026, 3, 2),
        end_at=date(2028, 2, 29),
        siae_siret=COMPANIES[0].siret,
        siae_kind=COMPANIES[0].kind,
        sender_kind="prescriber",
        prescriber_kind="SPIP",
    )
    return replace(update, **changes)


@pytest.fixture
def client(http: httpx.AsyncClient) -> FranceTravailClient:
    return FranceTravailClient(CONFIG, http, MemoryTokenStore(), RecordingPacer())


@pytest.mark.parametrize("person", PEOPLE, ids=[person.last_name for person in PEOPLE])
async def test_everyone_of_the_cast_has_the_outcome_that_they_announce(client: FranceTravailClient, person: Person):
    fate = person.as_json()["france_travail"]
    codes: list[str | None] = []

    try:
        id_national = await client.search_identity(query_for(person))
        codes.append("found")
        await client.update_pass_iae(update_for(id_national))
        codes.append("S000")
    except FranceTravailRejected as error:
        codes.append(error.code)

    is_found = fate["search_code"] in {"S001", "PE001"} and fate["has_id"]
    if is_found:
        assert codes == ["found", fate["update_code"] or "missing_code"]
    else:
        assert codes == [fate["search_code"] if fate["has_id"] else "empty_nir"]


async def test_a_person_whose_names_are_swapped_is_found_by_swapping_them(client: FranceTravailClient):
    person = next(person for person in PEOPLE if person.last_name == "Envers")
    query = query_for(person)
    swapped = replace(query, last_name=query.first_name, first_name=query.last_name)

    with pytest.raises(FranceTravailRejected) as caught:
        await client.search_identity(swapped)

    assert caught.value.code == "S000"
    assert await client.search_identity(query)


@pytest.mark.parametrize("company", COMPANIES, ids=[company.kind for company in COMPANIES])
async def test_a_pass_iae_is_accepted_for_every_structure_that_has_a_number(
    client: FranceTravailClient, http: httpx.AsyncClient, company: Company
):
    update = update_for(
        await client.search_identity(query_for(ORDINARY)), siae_kind=company.kind, siae_siret=company.siret
    )

    if type_siae(company.kind) is None:
        with pytest.raises(FranceTravailRejected, match="INVALID_SIAE_KIND"):
            await client.update_pass_iae(update)
    else:
        await client.update_pass_iae(update)

    calls = (await http.get("/_calls", params={"path": UPDATE})).json()
    assert [call["code"] for call in calls] == ([] if type_siae(company.kind) is None else ["S000"])


async def test_a_cancellation_is_accepted(client: FranceTravailClient):
    update = update_for(await client.search_identity(query_for(ORDINARY)), is_cancelled=True)

    await client.update_pass_iae(update)


async def test_an_expired_token_that_the_cache_still_holds_is_replaced_on_the_way(
    client: FranceTravailClient, http: httpx.AsyncClient, time: SandboxTime
):
    await client.search_identity(query_for(ORDINARY))
    time.advance(seconds=1500)

    await client.search_identity(query_for(ORDINARY))

    statuses = [call["status"] for call in (await http.get("/_calls", params={"path": SEARCH})).json()]
    assert statuses == [200, 401, 200]


async def test_wrong_credentials_stop_everything(http: httpx.AsyncClient):
    config = replace(CONFIG, client_secret="wrong")
    client = FranceTravailClient(config, http, MemoryTokenStore(), RecordingPacer())

    with pytest.raises(FranceTravailConfigurationError) as caught:
        await client.search_identity(query_for(ORDINARY))

    assert (caught.value.error, caught.value.http_status) == ("invalid_client", 400)
    assert [call["path"] for call in (await http.get("/_calls")).json()] == [TOKEN]


async def test_the_rate_limit_of_the_sandbox_reaches_the_caller(http: httpx.AsyncClient, sandbox: Sandbox):
    sandbox.partners["france-travail"].change_settings({"rate_per_second": 1, "retry_after_s": 4})
    pacer = RecordingPacer()
    client = FranceTravailClient(CONFIG, http, MemoryTokenStore(), pacer)
    await client.search_identity(query_for(ORDINARY))

    with pytest.raises(PartnerRateLimited) as caught:
        await client.search_identity(query_for(ORDINARY))

    assert caught.value.retry_after == 4
    assert {seconds for _, seconds in pacer.holds} == {4}


async def test_an_answer_lost_after_the_act_is_reported_as_unknown(
    client: FranceTravailClient, http: httpx.AsyncClient
):
    update = update_for(await client.search_identity(query_for(ORDINARY)))
    fault = {"partner": "france-travail", "path": UPDATE, "status": 502, "when": "after"}
    await http.post("/_faults", json=fault)

    with pytest.raises(PartnerUnavailable) as caught:
        await client.update_pass_iae(update)

    summary = (await http.get("/_calls", params={"summary": 1})).json()
    assert caught.value.delivery is Delivery.UNKNOWN
    assert summary["codes_by_subject"] == {"999990000017": {"S000": 1}}
