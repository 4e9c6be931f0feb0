"""Certifying identities with API Particulier: what is asked, what each answer leaves, when it is asked again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import structlog

from clients.api_particulier import ApiParticulierClient, build_api_particulier_http
from models import CertificationRequest, IdentityCertification, JobSeekerProfile, PartnerPause, User
from models.database import write
from models.encryption import key_ring
from models.enums import CertificationAuthority, CertificationResult, ConsentPurpose, JobApplicationState, Title
from services.certification import (
    Certified,
    ConsentMissing,
    IdentityNotFound,
    Rejected,
    Unavailable,
    ask_due_questions,
    certify_with_api_particulier,
    take_up_unanswered,
)
from services.consents import withdraw_consent
from services.outcomes import ConflictFound, Invalid, NotFound
from tests.conftest import NOW
from tests.factories import make_certification, make_company, make_job_application, make_job_seeker, make_user
from tests.integration.services.citizens import (
    certified_at,
    give_consent,
    make_citizen,
    make_request,
    particulier,
    request_of,
)
from tests.unit.clients.api_particulier import BENEFICIARY, CONFIG, Api, api_with, refusal
from tests.unit.clients.doubles import RecordingPacer

__all__ = ["particulier"]

pytestmark = pytest.mark.usefixtures("database")

RESULT = CertificationResult
RENEWED = replace(CONFIG, token="another.invented.token")
NO_BENEFIT = {"data": {"est_beneficiaire": False, "avec_majoration": None, "date_debut_droit": None}}
UNKNOWN_PERSON = httpx.Response(422, json=refusal("00366"))
DOWN = httpx.Response(503, json=refusal("00501"))
TOKEN_EXPIRED = httpx.Response(401, json=refusal("00103"))


async def certify(person: User, particulier: Api, **values: Any) -> object:
    requested_by = values.pop("requested_by", None)
    return await certify_with_api_particulier(
        person.id, api_particulier=particulier.client, requested_by=requested_by, clock=lambda: NOW, **values
    )


async def sweep(particulier: Api, at: datetime = NOW, **values: Any) -> dict[str, Any]:
    summary = await ask_due_questions(api_particulier=particulier.client, clock=lambda: at, **values)
    return {name: value for name, value in summary.as_json().items() if value}


# -- consent and completeness: whoever may not be asked about is not


async def test_without_consent_nobody_is_asked(particulier: Api):
    never_agreed = await make_job_seeker()
    withdrawn = await make_job_seeker()
    await give_consent(withdrawn, withdrawn_at=NOW)

    assert await certify(never_agreed, particulier) == ConsentMissing()
    assert await certify(withdrawn, particulier) == ConsentMissing()

    assert not particulier.rsa.called
    assert await CertificationRequest.all().count() == 0


@pytest.mark.parametrize(
    ("account", "profile", "missing"),
    [
        ({"title": None}, {}, ["La civilité"]),
        ({}, {"birth_place": None}, ["Le lieu de naissance"]),
        ({}, {"birth_country": None, "birth_place": None}, ["Le pays de naissance"]),
        ({"first_name": " ", "last_name": ""}, {}, ["Le nom de naissance", "Le prénom"]),
        ({}, {"birthdate": None}, ["La date de naissance"]),
    ],
)
async def test_an_incomplete_civil_status_is_named_without_a_call_or_a_trace(
    particulier: Api, account: dict[str, Any], profile: dict[str, Any], missing: list[str]
):
    person = await make_citizen(**account, profile=profile | {"nir": None})

    outcome = await certify(person, particulier)

    assert isinstance(outcome, Invalid)
    assert [problem.message.split(" du candidat")[0] for problem in outcome.problems] == missing
    assert {problem.path for problem in outcome.problems} == {("jobSeekerId",)}
    assert not particulier.rsa.called
    assert await CertificationRequest.all().count() == 0


async def test_somebody_born_abroad_needs_no_birth_place(particulier: Api):
    person = await make_citizen(profile={"birth_country": "99352", "birth_place": None})

    assert isinstance(await certify(person, particulier), Certified)

    assert ("codeCogInseePaysNaissance", "99352") in particulier.query
    assert "codeCogInseeCommuneNaissance" not in dict(particulier.query)


async def test_a_nir_that_contradicts_the_civil_status_stops_the_question(particulier: Api):
    person = await make_citizen(title=Title.M, profile={"nir": "293046912304591"})

    outcome = await certify(person, particulier)

    assert isinstance(outcome, Invalid)
    assert "civilité" in outcome.problems[0].message
    assert not particulier.rsa.called


async def test_the_nir_is_never_sent(particulier: Api):
    person = await make_citizen(title=Title.MME, profile={"nir": "293046912304591"})

    assert isinstance(await certify(person, particulier), Certified)

    assert "nir" not in str(particulier.router.calls.last.request.url).lower()
    assert "293046912304591" not in str(particulier.router.calls.last.request.url)


async def test_nobody_else_than_job_seekers_is_asked_about(particulier: Api):
    assert await certify(await make_user(), particulier) == NotFound()
    assert await certify(User(id=uuid4()), particulier) == NotFound()


# -- answers


@pytest.mark.parametrize(
    ("body", "is_beneficiary", "started_on", "has_increase"),
    [(BENEFICIARY, True, date(2025, 11, 1), False), (NO_BENEFIT, False, None, None)],
    ids=["beneficiary", "not a beneficiary"],
)
async def test_a_recognised_person_is_certified_whatever_the_benefit(
    particulier: Api, body: dict[str, Any], is_beneficiary: bool, started_on: date | None, has_increase: bool | None
):
    asker = await make_user()
    person = await make_citizen()
    particulier.rsa.respond(200, json=body, headers={"X-Request-ID": "request-7"})

    outcome = await certify(person, particulier, requested_by=asker.id)

    assert isinstance(outcome, Certified)
    assert outcome.certification.certifier is CertificationAuthority.API_PARTICULIER
    assert await certified_at(person) == NOW
    request = await request_of(person)
    assert (request.outcome, request.answered_at, request.last_attempt_at) == (RESULT.CERTIFIED, NOW, NOW)
    assert (request.is_beneficiary, request.benefit_started_on) == (is_beneficiary, started_on)
    assert (request.has_increase, request.partner_request_id) == (has_increase, "request-7")
    assert (request.next_attempt_at, request.lease_token, request.requested_by_id) == (None, None, asker.id)


async def test_a_second_certification_moves_the_date_of_the_one_row(particulier: Api):
    person = await make_citizen()
    await make_certification(person, CertificationAuthority.API_PARTICULIER)
    later = NOW + timedelta(days=30)

    await certify_with_api_particulier(
        person.id, api_particulier=particulier.client, requested_by=None, clock=lambda: later
    )

    assert await IdentityCertification.filter(jobseeker_profile_id=person.id).count() == 1
    assert await certified_at(person) == later


async def test_a_person_without_a_file_is_certified_without_a_benefit(particulier: Api):
    person = await make_citizen()
    particulier.rsa.respond(404, json=refusal("23003", provider="CNAV"))

    assert isinstance(await certify(person, particulier), Certified)

    request = await request_of(person)
    assert (request.outcome, request.code, request.provider) == (RESULT.IDENTITY_ONLY, "23003", "CNAV")
    assert (request.is_beneficiary, request.benefit_started_on) == (False, None)


@pytest.mark.parametrize(
    ("response", "expected", "result", "is_answered"),
    [
        (UNKNOWN_PERSON, IdentityNotFound("00366"), RESULT.IDENTITY_NOT_FOUND, True),
        (httpx.Response(502, json=refusal("37999")), Rejected("37999"), RESULT.PROVIDER_UNKNOWN, False),
    ],
    ids=["422 00366", "502 37999"],
)
async def test_an_answer_that_certifies_nobody_is_kept_and_not_asked_again(
    particulier: Api, response: httpx.Response, expected: object, result: CertificationResult, is_answered: bool
):
    person = await make_citizen()
    particulier.rsa.mock(return_value=response)

    assert await certify(person, particulier) == expected

    request = await request_of(person)
    assert (request.outcome, request.answered_at is not None) == (result, is_answered)
    assert (request.next_attempt_at, request.last_attempt_at) == (None, NOW)
    assert await certified_at(person) is None


@pytest.mark.parametrize(
    ("response", "asked_delay", "delay"),
    [
        (httpx.Response(409, json=refusal("00015")), 60, timedelta(seconds=60)),
        (httpx.Response(429, json=refusal("00429"), headers={"Retry-After": "42"}), 42, timedelta(seconds=42)),
        (httpx.Response(429, json=refusal("00429")), 60, timedelta(seconds=60)),
        (httpx.Response(504, json=refusal("00501", retry_in=10)), 10, timedelta(seconds=10)),
        (httpx.Response(502, json=refusal("12345")), None, timedelta(minutes=5)),
        (httpx.Response(404, json=refusal("35003", title="Erreur inattendue")), None, timedelta(minutes=5)),
        (httpx.Response(500, text="oops"), None, timedelta(minutes=5)),
        (httpx.Response(200, text="<html>"), None, timedelta(minutes=5)),
        (httpx.ReadTimeout("slow"), None, timedelta(minutes=5)),
        (httpx.ConnectError("down"), None, timedelta(minutes=5)),
    ],
    ids=["409", "429 with a delay", "429", "504 with a delay", "502", "404 failed", "500", "html", "timeout", "away"],
)
async def test_what_may_work_later_is_due_later(
    particulier: Api, response: httpx.Response | Exception, asked_delay: float | None, delay: timedelta
):
    person = await make_citizen()
    particulier.rsa.mock(side_effect=[response])

    assert await certify(person, particulier) == Unavailable(asked_delay)

    request = await request_of(person)
    assert (request.outcome, request.answered_at) == (RESULT.RETRYABLE, None)
    assert (request.last_attempt_at, request.next_attempt_at) == (NOW, NOW + delay)
    assert await certified_at(person) is None


async def test_nobody_at_a_screen_waits_longer_than_the_deadline_and_the_worker_asks_again():
    async with api_with(replace(CONFIG, deadline_seconds=60)) as particulier:
        person = await make_citizen()

        async def hang(_: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            raise AssertionError("unreachable")

        particulier.rsa.mock(side_effect=hang)

        assert await certify(person, particulier, deadline=timedelta(milliseconds=20)) == Unavailable(None)

    request = await request_of(person)
    assert (request.code, request.next_attempt_at) == ("deadline", NOW + timedelta(minutes=5))


async def test_a_person_who_changed_meanwhile_is_not_certified_and_asked_about_anew(particulier: Api):
    person = await make_citizen()

    async def rename(_: httpx.Request) -> httpx.Response:
        await User.filter(id=person.id).update(last_name="Autrement")
        return httpx.Response(200, json=BENEFICIARY)

    particulier.rsa.mock(side_effect=rename)

    assert isinstance(await certify(person, particulier), ConflictFound)

    assert await certified_at(person) is None
    assert (await request_of(person)).next_attempt_at == NOW


async def test_a_consent_withdrawn_during_the_call_leaves_nothing_certified_and_nothing_due(particulier: Api):
    person = await make_citizen()

    async def withdraw(_: httpx.Request) -> httpx.Response:
        await withdraw_consent(person.id, ConsentPurpose.IDENTITY_CERTIFICATION, withdrawn_by=person.id, now=NOW)
        return httpx.Response(200, json=BENEFICIARY)

    particulier.rsa.mock(side_effect=withdraw)

    await certify(person, particulier)

    assert await certified_at(person) is None
    request = await request_of(person)
    assert (request.next_attempt_at, request.is_beneficiary, request.lease_token) == (None, None, None)


async def test_a_question_that_is_being_asked_is_not_asked_twice(particulier: Api):
    person = await make_citizen()
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    await make_request(person, lease_token=uuid4(), lease_until=tomorrow)

    assert isinstance(await certify(person, particulier), ConflictFound)
    assert await sweep(particulier) == {}

    assert not particulier.rsa.called


# -- asked again by the worker


async def test_the_timetable_is_five_minutes_an_hour_twelve_hours_and_then_the_nightly_run(particulier: Api):
    person = await make_citizen()
    particulier.rsa.mock(return_value=DOWN)
    await certify(person, particulier)

    waits: list[timedelta | None] = []
    at = NOW
    while (due := (await request_of(person)).next_attempt_at) is not None:
        waits.append(due - at)
        at = due
        await sweep(particulier, at)

    assert waits == [timedelta(minutes=5), timedelta(hours=1), timedelta(hours=12)]
    assert particulier.rsa.call_count == 4


async def test_delays_that_the_api_asks_for_do_not_use_up_the_timetable(particulier: Api):
    person = await make_citizen()
    particulier.rsa.mock(return_value=httpx.Response(504, json=refusal("00501", retry_in=10)))
    await make_request(person, retries=1)

    for minutes in range(5):
        await sweep(particulier, NOW + timedelta(minutes=minutes))

    request = await request_of(person)
    assert (request.retries, particulier.rsa.call_count) == (1, 5)
    assert request.next_attempt_at == NOW + timedelta(minutes=4, seconds=10)


async def test_a_series_of_asked_delays_ends_after_a_day(particulier: Api):
    person = await make_citizen()
    particulier.rsa.mock(return_value=httpx.Response(504, json=refusal("00501", retry_in=10)))
    await make_request(person, series_began_at=NOW - timedelta(days=1))

    await sweep(particulier)

    assert (await request_of(person)).next_attempt_at is None


async def test_the_sweep_asks_about_whoever_is_due_and_nobody_else(particulier: Api):
    due = [await make_citizen() for _ in range(3)]
    for person in due:
        await make_request(person)
    await make_request(await make_citizen(), next_attempt_at=NOW + timedelta(seconds=1))
    await make_request(await make_citizen(), next_attempt_at=None)
    await make_request(await make_job_seeker())  # never agreed

    assert await sweep(particulier) == {"asked": 3, "certified": 3}

    assert [await certified_at(person) for person in due] == [NOW] * 3
    assert await sweep(particulier) == {}


async def test_a_sweep_may_be_bounded_and_interrupted(particulier: Api):
    for _ in range(3):
        await make_request(await make_citizen())

    assert await sweep(particulier, limit=2) == {"asked": 2, "certified": 2}
    assert await sweep(particulier, keep_going=lambda: False) == {}
    assert await sweep(particulier) == {"asked": 1, "certified": 1}


async def test_what_a_killed_process_left_is_asked_again_once_its_lease_is_over(particulier: Api):
    person = await make_citizen()
    await make_request(person, lease_token=uuid4(), lease_until=datetime.now(UTC) - timedelta(seconds=1))

    assert await sweep(particulier) == {"asked": 1, "certified": 1}


async def test_one_person_whose_data_cannot_be_read_does_not_stop_the_others(particulier: Api):
    unreadable, other = await make_citizen(), await make_citizen()
    await make_request(unreadable, next_attempt_at=NOW - timedelta(hours=2))
    await make_request(other)
    foreign = key_ring().seal("293046912304591")[:-1] + b"\x00"
    await write("UPDATE job_seeker_profile SET nir = $2 WHERE id = $1 RETURNING id", unreadable.id, foreign)

    assert await sweep(particulier) == {"asked": 2, "certified": 1, "unavailable": 1}

    request = await request_of(unreadable)
    assert (request.code, request.next_attempt_at) == ("EncryptionError", NOW + timedelta(minutes=5))


async def test_a_person_who_is_no_longer_complete_is_dropped_from_the_queue(particulier: Api):
    person = await make_citizen()
    await make_request(person)
    await JobSeekerProfile.filter(id=person.id).update(birthdate=None)

    assert await sweep(particulier) == {"incomplete": 1}

    assert (await request_of(person)).next_attempt_at is None
    assert not particulier.rsa.called


# -- a refused access


@pytest.mark.parametrize(
    ("response", "pauses"),
    [
        (TOKEN_EXPIRED, True),
        (httpx.Response(403, json=refusal("00100")), True),
        (httpx.Response(404, text="<html>Not here</html>"), True),
        (httpx.Response(400, json=refusal("00301")), False),
        (httpx.Response(422, json=refusal("00203")), False),
    ],
    ids=["401", "403", "404 html", "400", "422 00203"],
)
async def test_a_refused_access_raises_an_alarm_and_stops_the_calls_that_would_be_refused_too(
    particulier: Api, response: httpx.Response, pauses: bool
):
    first, second = await make_citizen(), await make_citizen()
    particulier.rsa.mock(return_value=response)

    with structlog.testing.capture_logs() as logs:
        assert await certify(first, particulier) == Unavailable(None)
        await certify(second, particulier)

    assert particulier.rsa.call_count == (1 if pauses else 2)
    alarms = [entry for entry in logs if entry["event"] == "certification_alarm"]
    assert [alarm["log_level"] for alarm in alarms] == ["error"] * particulier.rsa.call_count
    request = await request_of(first)
    assert request.outcome is RESULT.CONFIG_ERROR
    # It waits for the end of the pause; what only we ask wrongly about one person is not repeated.
    assert request.next_attempt_at == (NOW if pauses else None)
    assert await certified_at(first) is None


async def test_a_paused_partner_is_called_by_no_sweep_until_the_token_is_replaced(particulier: Api):
    person = await make_citizen()
    particulier.rsa.mock(return_value=TOKEN_EXPIRED)
    await certify(person, particulier)

    for minute in range(1, 4):
        assert await sweep(particulier, NOW + timedelta(minutes=minute)) == {"is_paused": True}
    assert particulier.rsa.call_count == 1

    particulier.rsa.respond(200, json=BENEFICIARY)
    async with build_api_particulier_http(RENEWED) as http:
        particulier.client = ApiParticulierClient(RENEWED, http, RecordingPacer())
        assert await sweep(particulier, NOW + timedelta(minutes=5)) == {"asked": 1, "certified": 1}


async def test_a_pause_ends_after_a_day_and_one_call_finds_out_whether_it_must_go_on(particulier: Api):
    for _ in range(3):
        await make_request(await make_citizen())
    particulier.rsa.mock(return_value=TOKEN_EXPIRED)
    await sweep(particulier)

    assert await sweep(particulier, NOW + timedelta(hours=25)) == {"asked": 1, "unavailable": 1, "is_paused": True}

    assert particulier.rsa.call_count == 2
    assert (await PartnerPause.get()).reason == "00103"


# -- the nightly run


async def test_the_nightly_run_takes_up_what_has_no_answer_since_a_week(particulier: Api):
    long_ago = NOW - timedelta(days=8)
    given_up = {"created_at": long_ago, "last_attempt_at": long_ago, "next_attempt_at": None, "retries": 3}
    forgotten = await make_citizen()
    await make_request(forgotten, outcome=RESULT.PROVIDER_UNKNOWN, **given_up)
    answered, recent, withdrawn, hired = [await make_citizen() for _ in range(4)]
    await make_request(answered, **given_up, answered_at=long_ago, outcome=RESULT.IDENTITY_NOT_FOUND)
    await make_request(recent, **(given_up | {"last_attempt_at": NOW - timedelta(days=6)}))
    await make_request(withdrawn, **given_up)
    await withdraw_consent(withdrawn.id, ConsentPurpose.IDENTITY_CERTIFICATION, withdrawn_by=None, now=NOW)
    await make_request(hired, **given_up)
    await make_job_application(
        hired, await make_company(), state=JobApplicationState.ACCEPTED, hiring_start_on=NOW.date()
    )

    assert await take_up_unanswered(NOW) == 1

    request = await request_of(forgotten)
    assert (request.next_attempt_at, request.series_began_at, request.retries) == (NOW, NOW, 0)
    assert await sweep(particulier) == {"asked": 1, "certified": 1}


# -- privacy


@pytest.mark.parametrize("response", [httpx.Response(200, json=BENEFICIARY), UNKNOWN_PERSON, DOWN, TOKEN_EXPIRED])
async def test_nothing_about_the_person_is_logged_or_kept_with_the_question(
    particulier: Api, response: httpx.Response, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("DEBUG")
    person = await make_citizen(first_name="Maëlle", last_name="Quesnoy-Perrin")
    particulier.rsa.mock(return_value=response)

    with structlog.testing.capture_logs() as logs:
        await certify(person, particulier)

    ours = f"{logs} {[record.getMessage() for record in caplog.records if 'tortoise' not in record.name]}".lower()
    kept = str(await CertificationRequest.filter(job_seeker_id=person.id).values()).lower()
    for trace in ("quesnoy", "maëlle", "1993-04-12", "69123", "invented.jwt"):
        assert trace not in ours
        assert trace not in kept
