"""What API Particulier is asked, and when it is not."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from clients.api_particulier import (
    ApiParticulierConfig,
    Criterion,
    IncompleteIdentity,
    build_api_particulier_http,
    outcome_of,
)
from clients.errors import Delivery
from tests.unit.clients.api_particulier import (
    AAH_URL,
    ASF_URL,
    BENEFICIARY,
    CONFIG,
    PERSON,
    RSA_URL,
    TOKEN,
    Api,
    api_with,
)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with api_with() as api:
        yield api


async def test_the_query_holds_the_documented_parameters_and_nothing_else(api: Api):
    await api.client.certify(Criterion.RSA, PERSON)

    assert api.query == [
        ("nomNaissance", "QUESNOY-PERRIN"),
        ("prenoms[]", "MAËLLE"),
        ("prenoms[]", "JEANNE"),
        ("anneeDateNaissance", "1993"),
        ("moisDateNaissance", "4"),
        ("jourDateNaissance", "12"),
        ("sexeEtatCivil", "F"),
        ("codeCogInseePaysNaissance", "99100"),
        ("codeCogInseeCommuneNaissance", "69123"),
        ("recipient", "13003013300016"),
    ]
    request = api.rsa.calls.last.request
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in str(request.url)
    assert request.content == b""


@pytest.mark.parametrize(
    ("first_name", "sent"),
    [
        ("Anne  Marie Claude", ["ANNE", "MARIE", "CLAUDE"]),
        ("Anne Marie Claude Odile", ["ANNE", "MARIE", "CLAUDE"]),
        ("  Anne-Marie ", ["ANNE-MARIE"]),
        ("Zoé\u00a0Ève\tLou", ["ZOÉ", "ÈVE", "LOU"]),
    ],
)
async def test_each_first_name_is_a_parameter_three_at_most_and_none_empty(api: Api, first_name: str, sent: list[str]):
    await api.client.certify(Criterion.RSA, replace(PERSON, first_name=first_name))

    assert [value for name, value in api.query if name == "prenoms[]"] == sent


async def test_blanks_in_a_birth_name_are_single(api: Api):
    await api.client.certify(Criterion.RSA, replace(PERSON, last_name=" de  La Tour "))

    assert ("nomNaissance", "DE LA TOUR") in api.query


@pytest.mark.parametrize("birth_place", ["", "69123"])
async def test_a_birth_abroad_has_no_commune(api: Api, birth_place: str):
    await api.client.certify(Criterion.RSA, replace(PERSON, birth_country="99352", birth_place=birth_place))

    assert ("codeCogInseePaysNaissance", "99352") in api.query
    assert "codeCogInseeCommuneNaissance" not in dict(api.query)


async def test_a_man_is_sent_as_such(api: Api):
    await api.client.certify(Criterion.RSA, replace(PERSON, title="M"))

    assert ("sexeEtatCivil", "M") in api.query


@pytest.mark.parametrize(
    ("criterion", "url"), [(Criterion.RSA, RSA_URL), (Criterion.AAH, AAH_URL), (Criterion.PI, ASF_URL)]
)
async def test_each_criterion_has_its_address_and_all_share_one_pace(api: Api, criterion: Criterion, url: str):
    route = api.router.get(url).respond(200, json=BENEFICIARY)

    await api.client.certify(criterion, PERSON)

    assert route.call_count == 1
    assert api.pacer.waits == ["api_particulier:identity"]
    assert api.observer.calls[0].operation == f"certify_{criterion}"


@pytest.mark.parametrize("base_url", ["https://particulier.example/api", "https://particulier.example/api/"])
async def test_the_base_address_may_have_a_prefix(base_url: str):
    async with api_with(replace(CONFIG, base_url=base_url)) as api:
        route = api.router.get("https://particulier.example/api/v3/dss/revenu_solidarite_active/identite")
        route.respond(200, json=BENEFICIARY)

        await api.client.certify(Criterion.RSA, PERSON)

        assert route.call_count == 1


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"title": ""}, {"title"}),
        ({"title": "Dr"}, {"title"}),
        ({"birth_place": ""}, {"birth_place"}),
        ({"birth_country": "", "birth_place": ""}, {"birth_country"}),
        ({"birthdate": None}, {"birthdate"}),
        ({"last_name": " ", "first_name": ""}, {"last_name", "first_name"}),
    ],
)
async def test_somebody_of_whom_too_little_is_known_is_not_asked_about(
    api: Api, changes: dict[str, Any], missing: set[str]
):
    person = replace(PERSON, **changes)

    with pytest.raises(IncompleteIdentity) as caught:
        await api.client.certify(Criterion.RSA, person)

    assert caught.value.fields == person.missing_fields == missing
    assert caught.value.delivery is Delivery.NOT_SENT
    assert outcome_of(caught.value) is None
    assert not api.router.calls
    assert api.pacer.waits == []


def test_nothing_is_missing_of_a_complete_person():
    assert PERSON.missing_fields == set()
    assert replace(PERSON, birth_country="99352", birth_place="").missing_fields == set()


async def test_the_pace_stays_below_both_limits_and_the_504_of_the_api_is_awaited():
    config = ApiParticulierConfig(base_url="https://particulier.example", token="t", recipient="13003013300016")

    async with build_api_particulier_http(config) as http:
        timeouts = http.timeout

    assert config.pace_rates() == {"api_particulier:identity": 10}
    assert (timeouts.connect, timeouts.read) == (5, 12)
    assert config.deadline_seconds > 5 + 12


def test_neither_person_nor_token_prints_itself():
    text = f"{PERSON!r} {CONFIG!r} {replace(PERSON, birthdate=date(1993, 4, 12))}"

    for datum in ("Quesnoy", "Maëlle", "1993", "69123", "99100", TOKEN):
        assert datum not in text


async def test_the_access_changes_with_any_setting_and_tells_none_of_them():
    accesses: list[str] = []
    for config in (
        CONFIG,
        CONFIG,
        replace(CONFIG, token="another.invented.token"),
        replace(CONFIG, base_url="https://other.example"),
        replace(CONFIG, recipient="90219000800018"),
    ):
        async with api_with(config) as api:
            accesses.append(api.client.access)

    assert accesses[0] == accesses[1]
    assert len(set(accesses)) == 4
    assert TOKEN not in accesses[0]
