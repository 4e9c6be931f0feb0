"""The simulated API Particulier, alone and with the real client: both sides read the same contract."""

from dataclasses import replace
from datetime import date
from typing import Any

import httpx
import pytest

from clients.api_particulier import (
    ApiParticulierClient,
    ApiParticulierConfig,
    ApiParticulierMisconfigured,
    BenefitRight,
    CivilStatus,
    Criterion,
    Outcome,
    outcome_of,
)
from clients.errors import PartnerError, PartnerRateLimited
from sandbox.api_particulier.people import cast
from sandbox.api_particulier.settings import TOKEN
from sandbox.app import Sandbox
from tests.unit.clients.doubles import RecordingPacer
from tests.unit.sandbox.conftest import SandboxTime

RSA = "/api-particulier/v3/dss/revenu_solidarite_active/identite"
CONFIG = ApiParticulierConfig(base_url="http://sandbox/api-particulier", token=TOKEN, recipient="13003013300016")
QUERY: dict[str, Any] = {
    "nomNaissance": "ORDINAIRE",
    "prenoms[]": ["ROSE", "MARIE"],
    "anneeDateNaissance": "1968",
    "moisDateNaissance": "1",
    "jourDateNaissance": "5",
    "sexeEtatCivil": "F",
    "codeCogInseePaysNaissance": "99100",
    "codeCogInseeCommuneNaissance": "57463",
    "recipient": "13003013300016",
}
PEOPLE = cast()
# What the client makes of each status and code, as the table of outcomes says.
OUTCOMES = {
    (200, None): Outcome.CERTIFIED,
    (404, "10003"): Outcome.IDENTITY_ONLY,
    (404, "23003"): Outcome.IDENTITY_ONLY,
    (404, "37003"): Outcome.IDENTITY_ONLY,
    (422, "00366"): Outcome.IDENTITY_NOT_FOUND,
    (409, "00015"): Outcome.RETRYABLE,
    (429, "00429"): Outcome.RETRYABLE,
    (502, "12345"): Outcome.RETRYABLE,
    (502, "37999"): Outcome.PROVIDER_UNKNOWN,
    (502, "36999"): Outcome.PROVIDER_UNKNOWN,
    (504, "00501"): Outcome.RETRYABLE,
    (504, "37002"): Outcome.RETRYABLE,
}
BY_NAME = {"Horsfonds": Outcome.IDENTITY_ONLY, "Collecte": Outcome.RETRYABLE}


@pytest.fixture
def client(http: httpx.AsyncClient) -> ApiParticulierClient:
    return ApiParticulierClient(CONFIG, http, RecordingPacer())


def civil_status_of(person: dict[str, Any]) -> CivilStatus:
    return CivilStatus(
        last_name=person["last_name"],
        first_name=person["first_name"],
        title=person["title"],
        birthdate=date.fromisoformat(person["birthdate"]),
        birth_country=person["birth_country"],
        birth_place=person["birth_place"],
    )


async def ask(http: httpx.AsyncClient, *, token: str = TOKEN, **changes: Any) -> httpx.Response:
    """A sound request but for the changes; None drops a parameter."""
    query = {name: value for name, value in (QUERY | changes).items() if value is not None}
    return await http.get(RSA, params=query, headers={"Authorization": f"Bearer {token}"})


def error_in(answer: httpx.Response) -> tuple[int, str, str | None]:
    (error,) = answer.json()["errors"]
    return answer.status_code, error["code"], error["source"] and error["source"]["parameter"]


async def outcome_for(client: ApiParticulierClient, person: CivilStatus) -> Outcome | None:
    try:
        return (await client.certify(Criterion.RSA, person)).outcome
    except PartnerError as error:
        return outcome_of(error)


@pytest.mark.parametrize("person", PEOPLE, ids=[person["last_name"] for person in PEOPLE])
async def test_everyone_of_the_cast_has_the_outcome_that_they_announce(
    client: ApiParticulierClient, person: dict[str, Any]
):
    announced = person["api_particulier"]

    outcome = await outcome_for(client, civil_status_of(person))

    expected = BY_NAME.get(person["last_name"]) or OUTCOMES[announced["status"], announced["code"]]
    assert outcome is expected


@pytest.mark.parametrize("person", PEOPLE[:5], ids=[person["last_name"] for person in PEOPLE[:5]])
@pytest.mark.parametrize("criterion", list(Criterion))
async def test_benefits_are_those_announced(client: ApiParticulierClient, person: dict[str, Any], criterion: Criterion):
    answer = await client.certify(criterion, civil_status_of(person))

    assert answer.is_beneficiary is (criterion in person["api_particulier"]["benefits"])
    assert answer.proves_identity


async def test_a_right_began_on_the_first_of_a_month(client: ApiParticulierClient):
    majoree = next(person for person in PEOPLE if person["last_name"] == "Majoree")

    answer = await client.certify(Criterion.RSA, civil_status_of(majoree))

    assert answer.benefit == BenefitRight(is_beneficiary=True, has_increase=True, started_on=date(2025, 9, 1))
    assert answer.request_id == "5a9d0b0c-0000-4000-8000-000000000001"


async def test_the_delays_that_are_asked_for_arrive(client: ApiParticulierClient):
    delays: dict[str, float | None] = {}

    for person in PEOPLE:
        try:
            await client.certify(Criterion.RSA, civil_status_of(person))
        except PartnerError as error:
            delays[person["last_name"]] = error.retry_after

    assert delays == {
        "Collecte": None,
        "Parallele": 60,
        "Quota": 42,
        "Panne": None,
        "Reseau": 10,
        "Lenteur": None,
    }


async def test_anybody_else_is_an_ordinary_person(client: ApiParticulierClient):
    someone = replace(civil_status_of(PEOPLE[0]), last_name="Zimmermann", first_name="A B C D E")

    assert (await client.certify(Criterion.RSA, someone)).is_beneficiary is True


async def test_the_cast_is_listed_with_the_others(http: httpx.AsyncClient):
    people = (await http.get("/_people")).json()

    assert {person["last_name"] for person in PEOPLE} <= {person["last_name"] for person in people}


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"recipient": None}, "recipient"),
        ({"recipient": "130030133"}, "recipient"),
        ({"nomNaissance": None}, "nomNaissance"),
        ({"nomNaissance": "Ordinaire"}, "nomNaissance"),
        ({"nomNaissance": ["A", "B"]}, "nomNaissance"),
        ({"prenoms[]": None}, "prenoms[]"),
        ({"prenoms[]": ["A", "", "B"]}, "prenoms[]"),
        ({"prenoms[]": ["A", "B", "C", "D"]}, "prenoms[]"),
        ({"sexeEtatCivil": "MME"}, "sexeEtatCivil"),
        ({"codeCogInseePaysNaissance": "100"}, "codeCogInseePaysNaissance"),
        ({"codeCogInseeCommuneNaissance": None}, "codeCogInseeCommuneNaissance"),
        ({"codeCogInseePaysNaissance": "99352"}, "codeCogInseeCommuneNaissance"),
        ({"moisDateNaissance": "01"}, "moisDateNaissance"),
        ({"jourDateNaissance": "32"}, "jourDateNaissance"),
    ],
)
async def test_a_wrong_request_is_422_and_names_the_parameter(
    http: httpx.AsyncClient, changes: dict[str, Any], parameter: str
):
    assert error_in(await ask(http, **changes)) == (422, "00203", parameter)


async def test_the_nir_is_no_parameter_of_this_api(http: httpx.AsyncClient):
    assert error_in(await ask(http, nir="270019999900123")) == (400, "00400", "nir")


@pytest.mark.parametrize(
    ("state", "status", "code"),
    [("expired", 401, "00103"), ("blacklisted", 401, "00105"), ("without_right", 403, "00100")],
)
async def test_a_token_that_is_no_good_any_more_is_our_own_fault(
    client: ApiParticulierClient, sandbox: Sandbox, state: str, status: int, code: str
):
    sandbox.partners["api-particulier"].change_settings({"token_state": state})

    with pytest.raises(ApiParticulierMisconfigured) as caught:
        await client.certify(Criterion.RSA, civil_status_of(PEOPLE[0]))

    assert (caught.value.http_status, caught.value.code) == (status, code)
    assert caught.value.must_stop_all is (status == 401)


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
async def test_another_token_or_none_is_refused(http: httpx.AsyncClient, authorization: str):
    answer = await http.get(RSA, params=QUERY, headers={"Authorization": authorization})

    assert error_in(answer) == (401, "00101", None)


async def test_hidden_data_leave_the_benefit_unknown(client: ApiParticulierClient, sandbox: Sandbox):
    sandbox.partners["api-particulier"].change_settings({"shows_data": False})

    answer = await client.certify(Criterion.RSA, civil_status_of(PEOPLE[0]))

    assert (answer.outcome, answer.is_beneficiary) == (Outcome.CERTIFIED, None)


async def test_the_twenty_first_call_of_a_second_is_refused_whatever_its_path(
    client: ApiParticulierClient, sandbox: Sandbox, time: SandboxTime
):
    sandbox.partners["api-particulier"].change_settings({"retry_after_s": 3})
    person = civil_status_of(PEOPLE[0])
    for number in range(20):
        await client.certify(list(Criterion)[number % 3], person)

    with pytest.raises(PartnerRateLimited) as caught:
        await client.certify(Criterion.AAH, person)
    time.advance(seconds=1)
    later = await client.certify(Criterion.AAH, person)

    assert (caught.value.retry_after, later.outcome) == (3, Outcome.CERTIFIED)


async def test_the_prefix_of_the_live_platform_is_served_too(http: httpx.AsyncClient):
    client = ApiParticulierClient(
        replace(CONFIG, base_url="http://sandbox/api-particulier/api/"), http, RecordingPacer()
    )

    assert (await client.certify(Criterion.PI, civil_status_of(PEOPLE[0]))).proves_identity


async def test_calls_are_noted_with_their_code(client: ApiParticulierClient, http: httpx.AsyncClient):
    for name in ("Ordinaire", "Sansdroit", "Horscaf"):
        await outcome_for(client, civil_status_of(next(each for each in PEOPLE if each["last_name"] == name)))

    calls = (await http.get("/_calls", params={"partner": "api-particulier"})).json()

    assert [call["code"] for call in calls] == ["beneficiary", "none", "23003"]
