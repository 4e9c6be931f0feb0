"""Sirene's look-ups: what is sent, to whom, how often, and what each answer becomes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import quote

import httpx
import pytest

from clients.errors import Delivery, PartnerError, PartnerRejected, PartnerUnavailable
from clients.sirene import Establishment, SireneClient, SireneOutcome, Urgency, sirene_outcome
from tests.unit.clients.doubles import RecordingPacer
from tests.unit.clients.partner_faults import FAULTS, Fault
from tests.unit.clients.sirene import (
    BASE,
    KEY,
    KEY_CONFIG,
    OTHER_SIRET,
    SIRET,
    Register,
    establishment,
    many,
    one,
    refusal,
    register_with,
)

LA_POSTE = "35600000049837"


@pytest.fixture
async def register() -> AsyncIterator[Register]:
    async with register_with() as register:
        yield register


async def error_of(client: SireneClient, siret: str = SIRET, urgency: Urgency = Urgency.USER) -> PartnerError:
    with pytest.raises(PartnerError) as caught:
        await client.establishment(siret, urgency=urgency)
    return caught.value


async def test_a_look_up_sends_the_key_and_asks_for_json(register: Register):
    await register.client.establishment("902 100 007 00019")

    request = register.get.calls.last.request
    assert str(request.url) == f"{BASE}/siret/{SIRET}"
    assert (request.headers["X-INSEE-Api-Key-Integration"], request.headers["Accept"]) == (KEY, "application/json")
    assert "Authorization" not in request.headers
    assert not register.token.called
    assert isinstance(register.pacer, RecordingPacer)
    assert register.pacer.waits == ["sirene:calls"]


@pytest.mark.parametrize("siret", ["90210000700018", "00000000000000", "35600000000014", "", "un SIRET"])
async def test_what_cannot_be_a_siret_is_invalid_and_costs_no_call(register: Register, siret: str):
    error = await error_of(register.client, siret)

    assert isinstance(error, PartnerRejected)
    assert (error.code, error.delivery) == ("SIRET_INVALID", Delivery.NOT_SENT)
    assert not register.get.called


async def test_a_number_that_the_platform_made_up_is_unknown_without_a_call(register: Register):
    made_up = "90210000799904"

    error = await error_of(register.client, made_up)

    assert (error.code, error.delivery) == ("SIRET_UNKNOWN", Delivery.NOT_SENT)
    assert not register.get.called


async def test_an_establishment_of_la_poste_is_asked_for(register: Register):
    register.get.respond(200, json=one(LA_POSTE))

    assert (await register.client.establishment(LA_POSTE)).siret == LA_POSTE


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, SireneOutcome.SIRET_INVALID),
        (403, SireneOutcome.COMPANY_OPPOSED),
        (404, SireneOutcome.SIRET_UNKNOWN),
        (429, SireneOutcome.SIRENE_UNAVAILABLE),
        (500, SireneOutcome.SIRENE_UNAVAILABLE),
        (401, SireneOutcome.SIRENE_UNAVAILABLE),
        (405, SireneOutcome.SIRENE_UNAVAILABLE),
        (204, SireneOutcome.SIRENE_BAD_RESPONSE),
    ],
)
async def test_each_status_has_its_outcome(register: Register, status: int, outcome: SireneOutcome):
    register.get.mock(return_value=refusal(status))

    error = await error_of(register.client)

    assert sirene_outcome(error) is outcome
    assert error.http_status == status
    assert isinstance(error, PartnerRejected) is (status in {400, 403, 404})


@pytest.mark.parametrize("body", [b"not-json", b"{}", b"[]", b'{"etablissement": null}', b'{"etablissement": {}}'])
async def test_what_cannot_be_read_is_a_bad_response_and_not_repeated(register: Register, body: bytes):
    register.get.respond(200, content=body)

    error = await error_of(register.client)

    assert sirene_outcome(error) is SireneOutcome.SIRENE_BAD_RESPONSE
    assert register.get.call_count == 1


async def test_another_establishment_than_the_one_asked_for_is_a_bad_response(register: Register):
    register.get.respond(200, json=one(OTHER_SIRET))

    error = await error_of(register.client)

    assert sirene_outcome(error) is SireneOutcome.SIRENE_BAD_RESPONSE


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_each_fault_is_repeated_once_or_not_and_has_its_outcome(fault: Fault):
    async with register_with(replace(KEY_CONFIG, timeout_seconds=fault.deadline_seconds)) as register:
        register.get.mock(**fault.answers())

        error = await error_of(register.client)

        assert register.get.call_count == (2 if fault.is_repeated else 1)
    assert isinstance(error, PartnerUnavailable)
    # A redirect without an address is one that leads nowhere.
    is_unreadable = fault.code in {"invalid_json", "unexpected_shape", "302"}
    assert sirene_outcome(error) is (
        SireneOutcome.SIRENE_BAD_RESPONSE if is_unreadable else SireneOutcome.SIRENE_UNAVAILABLE
    )
    assert error.__context__ is None


async def test_a_failure_that_heals_is_not_seen(register: Register):
    register.get.mock(side_effect=[httpx.ConnectError, httpx.Response(200, json=one())])

    assert (await register.client.establishment(SIRET)).siret == SIRET
    assert register.pauses == [0.5]


async def test_a_job_waits_for_the_next_minute_and_a_user_does_not(register: Register):
    register.get.mock(side_effect=[httpx.Response(429), httpx.Response(429), httpx.Response(200, json=one())])

    refused = await error_of(register.client)
    found = await register.client.establishment(SIRET, urgency=Urgency.JOB)

    assert (refused.http_status, refused.retry_after) == (429, 60)
    assert found.siret == SIRET
    assert register.pauses == [60]
    assert isinstance(register.pacer, RecordingPacer)
    assert register.pacer.holds == [("sirene:calls", 60), ("sirene:calls", 60)]


@pytest.mark.parametrize("location", [f"/api-sirene/3.11/siret/{OTHER_SIRET}", f"{BASE}/siret/{OTHER_SIRET}"])
async def test_a_merged_registration_is_followed_once(register: Register, location: str):
    register.get.mock(
        side_effect=[
            httpx.Response(301, headers={"Location": location}),
            httpx.Response(200, json=one(OTHER_SIRET)),
        ]
    )

    found = await register.client.establishment(SIRET)

    assert found.siret == OTHER_SIRET
    assert str(register.get.calls.last.request.url) == f"{BASE}/siret/{OTHER_SIRET}"


@pytest.mark.parametrize(
    "location",
    [
        f"https://elsewhere.example/api-sirene/3.11/siret/{OTHER_SIRET}",
        f"http://sirene.example/api-sirene/3.11/siret/{OTHER_SIRET}",
        f"https://sirene.example:8443/api-sirene/3.11/siret/{OTHER_SIRET}",
        f"https://sirene.example@elsewhere.example/api-sirene/3.11/siret/{OTHER_SIRET}",
        f"/api-sirene/3.11/siret/{SIRET}",
        f"/api-sirene/3.11/siren/{OTHER_SIRET[:9]}",
        f"/api-sirene/3.11/siret/{quote('../../../other')}",
        "",
    ],
)
async def test_a_redirect_that_leads_elsewhere_is_a_bad_response_and_our_key_stays_here(
    register: Register, location: str
):
    register.get.respond(301, headers={"Location": location})

    error = await error_of(register.client)

    assert sirene_outcome(error) is SireneOutcome.SIRENE_BAD_RESPONSE
    assert register.get.call_count == 1


async def test_a_second_redirect_is_not_followed(register: Register):
    register.get.respond(301, headers={"Location": f"{BASE}/siret/{OTHER_SIRET}"})

    error = await error_of(register.client)

    assert sirene_outcome(error) is SireneOutcome.SIRENE_UNAVAILABLE
    assert register.get.call_count == 2


async def test_many_establishments_cost_one_call(register: Register):
    register.search.respond(200, json=many(establishment(OTHER_SIRET), establishment()))

    found = await register.client.establishments([SIRET, OTHER_SIRET, "902 100 007 00019"])

    assert {given: known.siret for given, known in found.items() if isinstance(known, Establishment)} == {
        SIRET: SIRET,
        OTHER_SIRET: OTHER_SIRET,
        "902 100 007 00019": SIRET,
    }
    assert register.queries == [{"q": [f"siret:{SIRET} OR siret:{OTHER_SIRET}"], "nombre": ["2"]}]
    assert register.search.calls.last.request.headers["X-INSEE-Api-Key-Integration"] == KEY


async def test_each_number_that_gives_no_establishment_says_why(register: Register):
    register.search.respond(200, json=many(establishment(), establishment(LA_POSTE, periodesEtablissement=[])))

    found = await register.client.establishments([SIRET, OTHER_SIRET, LA_POSTE, "123", "90210000799904"])

    assert isinstance(found.pop(SIRET), Establishment)
    assert found == {
        OTHER_SIRET: SireneOutcome.SIRET_UNKNOWN,
        LA_POSTE: SireneOutcome.SIRENE_BAD_RESPONSE,
        "123": SireneOutcome.SIRET_INVALID,
        "90210000799904": SireneOutcome.SIRET_UNKNOWN,
    }
    assert register.queries[0]["nombre"] == ["3"]


@pytest.mark.parametrize("sirets", [[], ["123"], ["90210000799904"]])
async def test_no_number_worth_asking_costs_no_call(register: Register, sirets: list[str]):
    await register.client.establishments(sirets)

    assert not register.search.called


async def test_none_of_many_known_is_answered_404_and_is_no_error(register: Register):
    register.search.mock(return_value=refusal(404))

    found = await register.client.establishments([SIRET, OTHER_SIRET])

    assert set(found.values()) == {SireneOutcome.SIRET_UNKNOWN}


async def test_more_than_a_thousand_numbers_take_two_calls(register: Register):
    register.search.mock(return_value=refusal(404))
    sirets = [siret for siret in _sirets_of_la_poste() if siret is not None][:1001]

    await register.client.establishments(sirets, urgency=Urgency.JOB)

    assert [query["nombre"] for query in register.queries] == [["1000"], ["1"]]


def _sirets_of_la_poste() -> list[str | None]:
    """Well-formed numbers in plenty: those whose digits sum to a multiple of five."""
    numbers = [f"356000000{nic:05d}" for nic in range(1, 10_000)]
    return [number if sum(map(int, number)) % 5 == 0 else None for number in numbers if number != "35600000000048"]


@pytest.mark.parametrize(
    "answer",
    [
        many(establishment(OTHER_SIRET), establishment(LA_POSTE)),
        many(establishment(), establishment()),
        many(establishment()) | {"header": {"total": 2}},
        many(establishment(siret=SIRET) | {"siret": None}),
        {"header": {"statut": 200}},
    ],
    ids=["not asked for", "twice", "a page", "without number", "without list"],
)
async def test_an_answer_to_many_that_is_not_about_them_is_a_bad_response(
    register: Register, answer: dict[str, object]
):
    register.search.respond(200, json=answer)

    with pytest.raises(PartnerUnavailable) as caught:
        await register.client.establishments([SIRET, OTHER_SIRET])

    assert sirene_outcome(caught.value) is SireneOutcome.SIRENE_BAD_RESPONSE


@pytest.mark.parametrize("status", [400, 403])
async def test_a_refusal_of_many_is_about_none_of_them(register: Register, status: int):
    register.search.mock(return_value=refusal(status))

    with pytest.raises(PartnerUnavailable) as caught:
        await register.client.establishments([SIRET, OTHER_SIRET])

    assert sirene_outcome(caught.value) is SireneOutcome.SIRENE_UNAVAILABLE


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_each_fault_of_a_call_for_many_is_raised(fault: Fault):
    async with register_with(replace(KEY_CONFIG, timeout_seconds=fault.deadline_seconds)) as register:
        register.search.mock(**fault.answers())

        with pytest.raises(PartnerUnavailable) as caught:
            await register.client.establishments([SIRET, OTHER_SIRET])

        assert register.search.call_count == (2 if fault.is_repeated else 1)
    assert caught.value.code == fault.code


class Quota:
    """A pacer that lets 25 calls through and then nobody, as long as a test lasts."""

    def __init__(self) -> None:
        self.left = 25

    async def wait(self, key: str) -> None:
        assert key == "sirene:calls"
        if self.left == 0:
            await asyncio.Event().wait()
        self.left -= 1

    async def hold(self, key: str, seconds: float) -> None:
        raise AssertionError(f"{key} held for {seconds} s, and nobody said 429")


async def test_of_31_look_ups_within_a_minute_those_beyond_the_rate_fail_at_once_and_are_not_sent():
    config = replace(KEY_CONFIG, user_queue_seconds=0.01)
    async with register_with(config, pacer=Quota()) as register:
        for _ in range(25):
            await register.client.establishment(SIRET)

        errors = [await error_of(register.client) for _ in range(6)]

        assert register.get.call_count == 25
    assert {sirene_outcome(error) for error in errors} == {SireneOutcome.SIRENE_UNAVAILABLE}
    assert {(error.code, error.delivery) for error in errors} == {("busy", Delivery.NOT_SENT)}


async def test_a_user_is_served_while_a_job_is_on_its_way(register: Register):
    started, release = asyncio.Event(), asyncio.Event()

    async def slow(_: httpx.Request) -> httpx.Response:
        started.set()
        await release.wait()
        return httpx.Response(200, json=many(establishment()))

    register.search.mock(side_effect=slow)
    job = asyncio.create_task(register.client.establishments([SIRET], urgency=Urgency.JOB))
    await started.wait()

    found = await register.client.establishment(SIRET)

    release.set()
    assert found == (await job)[SIRET]


def test_the_rate_stays_below_the_one_of_insee():
    assert KEY_CONFIG.pace_rates() == {"sirene:calls": 25 / 60}
