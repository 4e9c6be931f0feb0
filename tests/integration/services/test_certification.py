"""The hourly run that certifies job seekers at France Travail."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import httpx
import orjson
import pytest
from respx.models import Call
from structlog.testing import capture_logs

from clients.france_travail import FranceTravailClient
from models import IdentityCertification, User
from models.database import write
from models.enums import CertificationAuthority
from models.enums import NotificationStatus as Status
from services.certification import (
    CampaignStop,
    CampaignSummary,
    certify_due_job_seekers,
)
from tests.conftest import NOW
from tests.factories import make_approval, make_certification, make_job_seeker
from tests.integration.services.conftest import Sleeps
from tests.integration.services.notifications import status_of
from tests.integration.services.people import make_candidate, traces_of
from tests.unit.clients.france_travail import FakeFranceTravail

pytestmark = pytest.mark.usefixtures("database", "api")

FOUND_ID = "invented-identifier"
NOBODY = httpx.Response(200, json={"codeSortie": "S000", "idNationalDE": ""})
SOMEBODY = httpx.Response(200, json={"codeSortie": "S001", "idNationalDE": FOUND_ID})
TOO_FAST = httpx.Response(429, text="slow", headers={"Retry-After": "7"})


async def run(france_travail: FranceTravailClient, **values: Any) -> CampaignSummary:
    defaults: dict[str, Any] = {"france_travail": france_travail, "clock": lambda: NOW, "sleep": Sleeps()}
    return await certify_due_job_seekers(**(defaults | values))


def people_asked_about(api: FakeFranceTravail) -> list[tuple[str, str]]:
    """First name and last name of each search, in their order."""
    calls = cast("list[Call]", api.search.calls)
    bodies = [orjson.loads(call.request.content) for call in calls]
    return [(body["prenom"], body["nomNaissance"]) for body in bodies]


async def test_the_longest_waiting_come_first_and_the_recently_tried_not_at_all(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    recent = await make_candidate(90 / 86400, first_name="Dora", last_name="Delta")
    quarter = await make_candidate(90, first_name="Cleo", last_name="Charlie")
    years = await make_candidate(900, first_name="Bela", last_name="Bravo")
    never = await make_candidate(None, first_name="Anna", last_name="Alpha")
    api.search.respond(200, json={"codeSortie": "R010", "idNationalDE": ""})

    summary = await run(france_travail)

    plain = [("ANNA", "ALPHA"), ("BELA", "BRAVO"), ("CLEO", "CHARLIE")]
    assert people_asked_about(api) == [names for name in plain for names in (name, name[::-1])]
    assert (summary.candidates, summary.not_recognised) == (3, 3)
    for tried in (never, years, quarter):
        assert await traces_of(tried) == (None, NOW, 0)
    assert (await traces_of(recent))[1] != NOW


async def test_a_person_found_at_once_is_certified(france_travail: FranceTravailClient, api: FakeFranceTravail):
    person = await make_candidate()

    summary = await run(france_travail)

    assert summary.certified == 1
    assert api.search.call_count == 1
    assert await traces_of(person) == (FOUND_ID, NOW, 1)


async def test_a_person_found_under_swapped_names_gets_them_swapped_and_keeps_the_identifier(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    person = await make_candidate(first_name="QUESNOY", last_name="MAELLE")
    api.search.mock(side_effect=[NOBODY, SOMEBODY])

    summary = await run(france_travail)

    assert summary.certified_with_swapped_names == 1
    assert people_asked_about(api) == [("QUESNOY", "MAELLE"), ("MAELLE", "QUESNOY")]
    await person.refresh_from_db()
    assert (person.first_name, person.last_name) == ("MAELLE", "QUESNOY")
    assert await traces_of(person) == (FOUND_ID, NOW, 1)


async def test_names_that_api_particulier_has_proven_are_never_swapped(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    person = await make_candidate()
    await make_certification(person, CertificationAuthority.API_PARTICULIER)
    api.search.mock(return_value=NOBODY)

    await run(france_travail)

    assert api.search.call_count == 1
    assert (await traces_of(person))[:2] == (None, NOW)


async def test_a_certification_of_before_only_moves_its_date(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    person = await make_candidate()
    certification = await make_certification(person, CertificationAuthority.FRANCE_TRAVAIL)
    later = NOW + timedelta(days=3)

    await run(france_travail, clock=lambda: later)

    renewed = await IdentityCertification.get(jobseeker_profile_id=person.id)
    assert (renewed.id, renewed.certified_at) == (certification.id, later)


async def test_only_active_job_seekers_with_a_complete_identity_and_no_identifier_are_asked_about(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    await make_job_seeker(is_active=False)
    await make_job_seeker(first_name=" ")
    await make_job_seeker(last_name="")
    await make_job_seeker(profile={"nir": None})
    await make_job_seeker(profile={"birthdate": None})
    await make_job_seeker(profile={"pe_obfuscated_nir": "known"})

    summary = await run(france_travail)

    assert summary.candidates == 0
    assert not api.search.called


async def test_a_run_asks_about_so_many_and_no_more(france_travail: FranceTravailClient, api: FakeFranceTravail):
    for _ in range(4):
        await make_candidate()

    summary = await run(france_travail, batch_size=3)

    assert (summary.candidates, api.search.call_count) == (3, 3)


@pytest.mark.parametrize("trouble", [httpx.ReadTimeout, httpx.ConnectError, httpx.Response(500)], ids=str)
async def test_a_failure_that_may_heal_neither_swaps_nor_stamps(
    france_travail: FranceTravailClient, api: FakeFranceTravail, trouble: Any
):
    person = await make_candidate()
    api.search.mock(side_effect=[trouble])

    summary = await run(france_travail)

    assert (summary.unavailable, api.search.call_count) == (1, 1)
    assert await traces_of(person) == (None, None, 0)


async def test_a_rate_limit_is_waited_for_with_the_same_call(
    france_travail: FranceTravailClient, api: FakeFranceTravail, sleeps: Sleeps
):
    person = await make_candidate()
    api.search.mock(side_effect=[TOO_FAST, TOO_FAST, SOMEBODY])

    summary = await run(france_travail, sleep=sleeps)

    assert sleeps.seconds == [7, 7]
    assert summary.certified == 1
    assert len(set(people_asked_about(api))) == 1
    assert (await traces_of(person))[0] == FOUND_ID


async def test_a_rate_limit_that_lasts_ends_the_run_and_keeps_what_was_done(
    france_travail: FranceTravailClient, api: FakeFranceTravail, sleeps: Sleeps
):
    done, held, next_one = [await make_candidate(days) for days in (None, 30, 20)]
    api.search.mock(side_effect=[SOMEBODY, *[TOO_FAST] * 10])

    summary = await run(france_travail, sleep=sleeps)

    assert summary.stopped_by is CampaignStop.RATE_LIMITED
    assert len(sleeps.seconds) == 9
    assert await traces_of(done) == (FOUND_ID, NOW, 1)
    assert (await traces_of(held))[1] == NOW - timedelta(days=30)
    assert (await traces_of(next_one))[1] == NOW - timedelta(days=20)


async def test_a_refused_configuration_ends_the_run_and_calls_for_help(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    for _ in range(2):
        await make_candidate()
    api.token.respond(400, json={"error": "invalid_scope"})

    with capture_logs() as logs:
        summary = await run(france_travail)

    assert summary.stopped_by is CampaignStop.CONFIGURATION
    assert api.token.call_count == 1
    assert [entry["log_level"] for entry in logs if entry["event"] == "certification_alarm"] == ["error"]


async def test_an_outage_ends_the_run_without_asking_about_everybody(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    for _ in range(25):
        await make_candidate()
    api.search.mock(side_effect=httpx.ConnectError)

    summary = await run(france_travail)

    assert summary.stopped_by is CampaignStop.UNAVAILABLE
    assert summary.unavailable < 25


async def test_one_broken_person_does_not_keep_the_others_from_their_turn(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    broken = await make_candidate()
    sound = await make_candidate(30)
    await write("UPDATE job_seeker_profile SET nir = '\\x0102'::bytea WHERE user_id = $1 RETURNING id", broken.id)

    with capture_logs() as logs:
        summary = await run(france_travail)

    assert (summary.unavailable, summary.certified) == (1, 1)
    assert (await traces_of(sound))[0] == FOUND_ID
    assert [entry["code"] for entry in logs if entry["event"] == "certification_unavailable"] == ["EncryptionError"]


async def test_a_person_renamed_during_the_search_keeps_the_new_name_and_nothing_of_the_answer(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    person = await make_candidate(first_name="Maëlle", last_name="Quesnoy")

    async def rename(request: httpx.Request) -> httpx.Response:
        await User.filter(id=person.id).update(last_name="Autrement")
        return SOMEBODY

    api.search.mock(side_effect=rename)

    summary = await run(france_travail)

    assert summary.changed_meanwhile == 1
    await person.refresh_from_db()
    assert (person.first_name, person.last_name) == ("Maëlle", "Autrement")
    assert await traces_of(person) == (None, None, 0)


async def test_a_swap_is_undone_when_the_birthdate_changed_meanwhile(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    person = await make_candidate(first_name="Quesnoy", last_name="Maëlle")

    async def correct(request: httpx.Request) -> httpx.Response:
        if api.search.call_count == 0:
            return NOBODY
        await write("UPDATE job_seeker_profile SET birthdate = birthdate + 1 RETURNING id")
        return SOMEBODY

    api.search.mock(side_effect=correct)

    summary = await run(france_travail)

    assert summary.changed_meanwhile == 1
    await person.refresh_from_db()
    assert (person.first_name, person.last_name) == ("Quesnoy", "Maëlle")
    assert await traces_of(person) == (None, None, 0)


async def test_a_certification_has_no_direct_effect_on_approvals(
    france_travail: FranceTravailClient, api: FakeFranceTravail
):
    person = await make_candidate()
    approval = await make_approval(person, pe_notification_status=Status.ERROR)

    await run(france_travail)

    assert await status_of(approval) is Status.ERROR
