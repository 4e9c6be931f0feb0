"""Filters: each one shows what it names, no more and no less, and what cannot be meant is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from execution.engine import GraphQLEngine
from models import CancelledApproval, Company, User
from models.enums import (
    CertificationAuthority,
    JobApplicationState,
    NotificationStatus,
    ParticipationStatus,
    SurveyKind,
    SurveyStatus,
    UserKind,
)
from resolvers.context import Resources
from resolvers.cursors import CursorSigner
from resolvers.global_ids import encode
from services.clock import paris_day, utc_now
from tests.factories import (
    make_appointment,
    make_approval,
    make_certification,
    make_company,
    make_job_application,
    make_job_seeker,
    make_participation,
    make_user,
)
from tests.integration.schema.client import Answer, GraphQLClient, never_ring, serve
from tests.integration.schema.crowd import empty_database, make_survey

TODAY = paris_day(utc_now())
MARCH = datetime(2031, 3, 1, 12, tzinfo=UTC)


@dataclass(slots=True)
class Shelf:
    """Rows under names, and staff to look for them."""

    graphql: GraphQLClient
    staff: User
    companies: dict[str, Company]
    names: dict[str, str]  # by global id

    async def find(self, listed: str, filter: str, **variables: Any) -> set[str]:  # noqa: A002 (the argument's name in the API)
        """Return the names of the rows that a filter leaves; what was not named does not count."""
        answer = await self.ask(listed, filter, **variables)
        found = answer.data[listed]
        assert found["totalCount"] == len(found["nodes"])
        return {self.names[node["id"]] for node in found["nodes"] if node["id"] in self.names}

    async def ask(self, listed: str, filter: str, **variables: Any) -> Answer:  # noqa: A002
        declared = {"String": str, "[String!]": list}
        head = ", ".join(
            f"${name}: {next(kind for kind, python in declared.items() if isinstance(value, python))}"
            for name, value in variables.items()
        )
        head = f"query({head})" if head else "query"
        narrowed = filter if listed == "companies" else f"filter: {{ {filter} }}"
        query = f"{head} {{ {listed}(first: 100, {narrowed}) {{ totalCount nodes {{ id }} }} }}"
        return await self.graphql(query, variables, as_=self.staff)

    def add(self, type_name: str, name: str, row: Any) -> Any:
        self.names[encode(type_name, row.id)] = name
        return row


@pytest.fixture(scope="module")
async def shelf(_open_database: object, engine: GraphQLEngine) -> AsyncIterator[Shelf]:
    async with serve(engine, Resources(cursors=CursorSigner(b"tests-only-cursor-key"), ring=never_ring)) as client:
        shelf = Shelf(client, await make_user(UserKind.STAFF), {}, {})
        await _fill_companies(shelf)
        await _fill_people(shelf)
        await _fill_applications(shelf)
        await _fill_approvals(shelf)
        await _fill_appointments(shelf)
        await _fill_surveys(shelf)
        yield shelf
    await empty_database()


PEOPLE = {
    "eloise": ("Éloïse", "Lefèvre-Ünal"),
    "percent": ("Marc", "100% Dubois"),
    "underscore": ("Marc_Antoine", "Dubois"),
    "backslash": ("Marc", "Du\\bois"),
    "quote": ("Sinéad", "O'Neil"),
    "long": ("Marie Anne Sophie", "de la Tour du Pin Verclause"),
    "plain": ("Marc", "Dubois"),
}


async def _fill_companies(shelf: Shelf) -> None:
    for name, values in {
        "north": {"name": "Ateliers du Nord", "brand": "Ressourcerie Étoile", "department": "59"},
        "south": {"name": "Ateliers du Sud", "department": "13"},
        "corsica": {"name": "Chantier de l'Île", "department": "2A"},
    }.items():
        shelf.companies[name] = shelf.add("Company", name, await make_company(**values))


async def _fill_people(shelf: Shelf) -> None:
    for name, (first_name, last_name) in PEOPLE.items():
        department = {"eloise": "59", "plain": "2A"}.get(name, "13")
        person = await make_job_seeker(first_name=first_name, last_name=last_name, profile={"department": department})
        shelf.add("JobSeeker", name, person)
        if name == "eloise":
            await make_certification(person, CertificationAuthority.FRANCE_TRAVAIL)


async def _fill_applications(shelf: Shelf) -> None:
    for name, company, state, days in (
        ("new", "north", JobApplicationState.NEW, 0),
        ("accepted", "north", JobApplicationState.ACCEPTED, 1),
        ("refused", "south", JobApplicationState.REFUSED, 2),
    ):
        person = await make_job_seeker(last_name=f"Application-{name}")
        application = await make_job_application(
            person, shelf.companies[company], state=state, created_at=MARCH + timedelta(days=days)
        )
        shelf.add("JobApplication", name, application)
        start_at = utc_now() + timedelta(days=30 if name == "new" else -30)
        appointment = await make_appointment(shelf.companies[company], start_at=start_at)
        await make_participation(person, appointment)


async def _fill_approvals(shelf: Shelf) -> None:
    invented: list[tuple[str, int, int, dict[str, Any]]] = [
        ("future", 10, 100, {"pe_notification_status": NotificationStatus.PENDING}),
        ("valid", -10, 100, {"pe_notification_status": NotificationStatus.SUCCESS, "number": "XXXXX1234567"}),
        ("first day", 0, 100, {"pe_notification_status": NotificationStatus.READY}),
        ("last day", -100, 0, {"pe_notification_status": NotificationStatus.SHOULD_RETRY}),
        ("expired", -100, -1, {"pe_notification_status": NotificationStatus.ERROR}),
        ("cancelled", -10, 100, {"pe_notification_status": NotificationStatus.SUCCESS, "cancelled_at": utc_now()}),
    ]
    for name, start, end, values in invented:
        approval = await make_approval(
            company=shelf.companies["north"],
            accepted_application=False,
            start_at=TODAY + timedelta(days=start),
            end_at=TODAY + timedelta(days=end),
            **values,
        )
        shelf.add("Approval", name, approval)
        if name == "cancelled":
            await CancelledApproval.create(
                approval=approval,
                number=approval.number,
                start_at=approval.start_at,
                end_at=approval.end_at,
                origin_siae_siret=approval.origin_siae_siret,
                origin_siae_kind=approval.origin_siae_kind,
                pe_notification_status=NotificationStatus.ERROR,
                created_at=utc_now(),
            )


async def _fill_appointments(shelf: Shelf) -> None:
    for name, company, status, days in (
        ("seen", "north", ParticipationStatus.SEEN, 0),
        ("absent", "north", ParticipationStatus.ABSENT, 1),
        ("open", "south", ParticipationStatus.UNKNOWN, 2),
    ):
        appointment = await make_appointment(
            shelf.companies[company], start_at=MARCH + timedelta(days=days), status=status
        )
        shelf.add("Appointment", name, appointment)
        participation = await make_participation(await make_job_seeker(), appointment, status=status)
        shelf.add("Participation", name, participation)


async def _fill_surveys(shelf: Shelf) -> None:
    for name, kind, status in (
        ("offered", SurveyKind.POST_HIRING_EMPLOYER, SurveyStatus.AVAILABLE),
        ("sent", SurveyKind.POST_HIRING_JOB_SEEKER, SurveyStatus.SENT),
        ("answered", SurveyKind.PRESCRIBER_SATISFACTION, SurveyStatus.ANSWERED),
    ):
        survey = await make_survey(await make_job_application(), kind)
        survey.status, survey.answered_at = status, utc_now() if status is SurveyStatus.ANSWERED else None
        await survey.save()
        shelf.add("Survey", name, survey)


def day(days: int) -> str:
    return f'"{TODAY + timedelta(days=days)}"'


def at(days: int, hours: int = 0) -> str:
    return f'"{(MARCH + timedelta(days=days, hours=hours)).isoformat()}"'


EVERY_APPROVAL = {"future", "valid", "first day", "last day", "expired", "cancelled"}
EVERYBODY = set(PEOPLE)


@pytest.mark.parametrize(
    ("listed", "filter", "expected"),
    [
        ("jobSeekers", "", EVERYBODY),
        ("jobSeekers", "departmentCode: null, isCertified: null, hasValidApproval: null, search: null", EVERYBODY),
        ("jobSeekers", 'departmentCode: "59"', {"eloise"}),
        ("jobSeekers", 'departmentCode: "2A"', {"plain"}),
        ("jobSeekers", 'departmentCode: ""', set[str]()),
        ("jobSeekers", "isCertified: true", {"eloise"}),
        ("jobSeekers", "isCertified: false", EVERYBODY - {"eloise"}),
        ("jobSeekers", 'isCertified: false, departmentCode: "59"', set[str]()),
        ("jobSeekers", "hasValidApproval: true", set[str]()),
        ("jobSeekers", "hasValidApproval: false", EVERYBODY),
        # -- job applications
        ("jobApplications", "states: [NEW]", {"new"}),
        ("jobApplications", "states: [NEW, REFUSED, NEW]", {"new", "refused"}),
        ("jobApplications", "states: NEW", {"new"}),
        ("jobApplications", "states: []", set[str]()),
        ("jobApplications", f"createdAfter: {at(0)}", {"accepted", "refused"}),
        ("jobApplications", f"createdAfter: {at(0, -1)}", {"new", "accepted", "refused"}),
        ("jobApplications", f"createdBefore: {at(1)}", {"new"}),
        ("jobApplications", f"createdAfter: {at(0)}, createdBefore: {at(2)}", {"accepted"}),
        ("jobApplications", 'createdAfter: "2031-03-01T13:00:00+01:00"', {"accepted", "refused"}),
        ("jobApplications", 'createdAfter: "2031-03-01T12:59:59+01:00"', {"new", "accepted", "refused"}),
        ("jobApplications", "hasUpcomingAppointment: true", {"new"}),
        ("jobApplications", "hasUpcomingAppointment: false", {"accepted", "refused"}),
        ("jobApplications", 'search: "application-acc"', {"accepted"}),
        # -- approvals
        ("approvals", "states: [FUTURE]", {"future"}),
        ("approvals", "states: [VALID]", {"valid", "first day", "last day"}),
        ("approvals", "states: [EXPIRED]", {"expired"}),
        ("approvals", "states: [CANCELLED]", {"cancelled"}),
        ("approvals", "states: [EXPIRED, FUTURE]", {"expired", "future"}),
        ("approvals", "states: []", set[str]()),
        ("approvals", 'numbers: ["XXXXX1234567"]', {"valid"}),
        ("approvals", 'numbers: ["xxxxx 12 34 567", "unknown"]', {"valid"}),
        ("approvals", "numbers: []", set[str]()),
        ("approvals", "notificationStatuses: [ERROR]", {"expired", "cancelled"}),
        ("approvals", "notificationStatuses: [SUCCESS]", {"valid"}),
        ("approvals", "notificationStatuses: [READY, SHOULD_RETRY]", {"first day", "last day"}),
        ("approvals", f"startAfter: {day(-10)}", {"future", "first day"}),
        ("approvals", f"startBefore: {day(-10)}", {"last day", "expired"}),
        ("approvals", f"startAfter: {day(-11)}, startBefore: {day(0)}", {"valid", "cancelled"}),
        ("approvals", "", EVERY_APPROVAL),
        # -- appointments and participations
        *(
            (listed, text, expected)
            for listed in ("appointments", "participations")
            for text, expected in (
                ("statuses: [SEEN]", {"seen"}),
                ("statuses: [SEEN, ABSENT]", {"seen", "absent"}),
                ("statuses: []", set[str]()),
                (f"startAfter: {at(0)}", {"absent", "open"}),
                (f"startBefore: {at(1)}, startAfter: {at(-1)}", {"seen"}),
                (f"startAfter: {at(-1)}, statuses: [UNKNOWN]", {"open"}),
            )
        ),
        # -- surveys and companies
        ("surveys", "kinds: [POST_HIRING_EMPLOYER]", {"offered"}),
        ("surveys", "statuses: [SENT, ANSWERED]", {"sent", "answered"}),
        ("surveys", "kinds: [POST_HIRING_JOB_SEEKER], statuses: [ANSWERED]", set[str]()),
        ("companies", 'departmentCode: "59"', {"north"}),
        ("companies", 'departmentCode: "2A"', {"corsica"}),
        ("companies", 'search: "ateliers"', {"north", "south"}),
        ("companies", 'search: "ATELIERS sud"', {"south"}),
        ("companies", 'search: "etoile"', {"north"}),
        ("companies", 'search: "l’ile"', {"corsica"}),
        ("companies", 'search: "ateliers", departmentCode: "13"', {"south"}),
    ],
)
async def test_a_filter_shows_what_it_names(shelf: Shelf, listed: str, filter: str, expected: set[str]):  # noqa: A002
    assert await shelf.find(listed, filter) == expected


@pytest.mark.parametrize("listed", ["appointments", "participations"])
async def test_companies_are_named_by_their_ids(shelf: Shelf, listed: str):
    north, south = (encode("Company", shelf.companies[name].id) for name in ("north", "south"))
    unknown = encode("Company", uuid4())

    assert await shelf.find(listed, f'companyIds: ["{north}"]') == {"seen", "absent"}
    assert await shelf.find(listed, f'companyIds: ["{north}", "{south}", "{unknown}"]') == {"seen", "absent", "open"}
    assert await shelf.find(listed, f'companyIds: ["{unknown}"]') == set()
    assert await shelf.find(listed, "companyIds: []") == set()


async def test_applications_are_narrowed_to_one_company(shelf: Shelf):
    north = encode("Company", shelf.companies["north"].id)

    assert await shelf.find("jobApplications", f'companyId: "{north}", states: [NEW, ACCEPTED, REFUSED]') == {
        "new",
        "accepted",
    }
    assert await shelf.find("jobApplications", f'companyId: "{encode("Company", uuid4())}"') == set()


async def test_nested_lists_take_the_same_filters(shelf: Shelf):
    query = """query($id: ID!) { node(id: $id) { ... on Company {
      new: jobApplications(filter: { states: [NEW], search: "application" }) { totalCount nodes { id } }
      early: jobApplications(filter: { createdBefore: "2031-03-02T00:00:00Z", createdAfter: "2031-01-01T00:00:00Z" })
        { nodes { id } }
      seen: appointments(filter: { statuses: [SEEN] }) { totalCount nodes { id } }
    } } }"""

    answer = await shelf.graphql(query, {"id": encode("Company", shelf.companies["north"].id)}, as_=shelf.staff)

    shown = {key: [shelf.names[node["id"]] for node in page["nodes"]] for key, page in answer.data["node"].items()}
    assert shown == {"new": ["new"], "early": ["new"], "seen": ["seen"]}
    assert answer.data["node"]["seen"]["totalCount"] == 1


# -- search


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("eloise", {"eloise"}),
        ("ÉLOÏSE lefevre", {"eloise"}),
        ("lefevre eloise", {"eloise"}),
        ("unal", {"eloise"}),
        ("lefevre-unal", {"eloise"}),
        ("éloi fèvre", {"eloise"}),
        ("eloise dubois", set[str]()),
        ("100%", {"percent"}),
        ("%", {"percent"}),
        ("0% d", {"percent"}),
        ("_", {"underscore"}),
        ("marc_a", {"underscore"}),
        ("marcxa", set[str]()),
        ("\\", {"backslash"}),
        ("du\\bois", {"backslash"}),
        ("du\\\\bois", set[str]()),
        ("o'neil", {"quote"}),
        ("o’neil", {"quote"}),
        ("' OR '1'='1", set[str]()),
        ('\'; DROP TABLE "user"; --', set[str]()),
        ("dubois", {"percent", "underscore", "plain"}),
        ("marc dubois", {"percent", "underscore", "plain"}),
        ("marie anne sophie de la tour du pin", {"long"}),
        ("marie anne sophie de la tour du bois", set[str]()),
        ("de de de de de de de de de de de de de de tour", {"long"}),
        ("  \t marc \n plain ", set[str]()),
        ("", EVERYBODY),
        ("   ", EVERYBODY),
        ("x" * 100, set[str]()),
        ("%%%%", set[str]()),
        ("😀", set[str]()),
        ("{t}", set[str]()),
        (":search_0", set[str]()),
    ],
)
async def test_a_search_finds_people_by_words_of_their_names(shelf: Shelf, text: str, expected: set[str]):
    assert await shelf.find("jobSeekers", "search: $text", text=text) == expected


# -- what cannot be meant


@pytest.mark.parametrize(
    ("listed", "filter", "told"),
    [
        ("jobApplications", 'createdAfter: "2031-03-01T12:00:00"', "createdAfter without an offset"),
        ("jobApplications", 'createdBefore: "2031-03-01"', "createdBefore without an offset"),
        ("appointments", 'startAfter: "2031-03-01T12:00:00"', "startAfter without an offset"),
        ("participations", 'startBefore: "0001-01-01T00:00:00+14:00"', "startBefore lies outside"),
        ("appointments", 'startAfter: "9999-12-31T23:59:59-12:00"', "startAfter lies outside"),
        ("jobApplications", 'createdAfter: "yesterday"', "DateTime"),
        ("jobApplications", "createdAfter: 7", "DateTime"),
        ("approvals", 'startAfter: "2031-02-30"', "Date"),
        ("approvals", 'startAfter: "2031-03-01T00:00:00Z"', "Date"),
        ("jobApplications", "states: [SLEEPING]", "SLEEPING"),
        ("jobApplications", 'states: ["NEW"]', "enum"),
        ("jobApplications", "states: [new]", "new"),
        ("jobApplications", 'companyId: ""', "id"),
        ("jobApplications", 'companyId: "not an id"', "id"),
        ("jobApplications", 'companyId: "Q29tcGFueToxMjM="', "id"),
        ("appointments", 'companyIds: ["?"]', "id"),
        ("jobApplications", "unknown: 1", "unknown"),
        ("jobSeekers", f'search: "{"x" * 101}"', "101 characters, at most 100"),
        ("jobSeekers", f'search: "{" ".join(f"w{n}" for n in range(13))}"', "13 words, at most 12"),
        ("jobSeekers", 'search: "a\\u0000b"', "NUL"),
        ("jobSeekers", 'departmentCode: "\\u0000"', "NUL"),
        ("approvals", 'numbers: ["\\u0000"]', "NUL"),
        ("approvals", "numbers: [" + '"x" ' * 101 + "]", "101 values in numbers, at most 100"),
        ("appointments", "companyIds: [" + '"x" ' * 101 + "]", "101 ids in companyIds, at most 100"),
        ("companies", 'search: "\\u0000"', "NUL"),
    ],
)
async def test_what_cannot_be_meant_is_refused_with_a_reason(shelf: Shelf, listed: str, filter: str, told: str):  # noqa: A002
    answer = await shelf.ask(listed, filter)

    assert set(answer.codes) == {"BAD_USER_INPUT"}
    assert told in answer.body["errors"][0]["message"]


async def test_the_id_of_another_type_is_refused(shelf: Shelf):
    person = encode("JobSeeker", uuid4())

    for listed, text in (("jobApplications", f'companyId: "{person}"'), ("appointments", f'companyIds: ["{person}"]')):
        answer = await shelf.ask(listed, text)

        assert answer.codes == ["BAD_USER_INPUT"]
        assert "the id of a JobSeeker" in answer.body["errors"][0]["message"]
