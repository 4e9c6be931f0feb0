"""The pages that people open touch the rows that they show, and few others: read from what PostgreSQL did."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from tortoise.connection import get_connection

from benchmarks.seed import (
    EMPLOYER_SUBJECT,
    INSPECTOR_SUBJECT,
    JOB_SEEKER_SUBJECT,
    PARTNER_SUBJECT,
    PRESCRIBER_SUBJECT,
    STAFF_SUBJECT,
)
from tests.integration.plans.conftest import Seeded
from tests.integration.plans.reading import explain, explain_for_any_values, recorded_statements

PAGE = 50
# Nobody reads these from end to end. Companies, organisations or departments may be few enough for it.
LARGE_TABLES = {"user", "job_seeker_profile", "approval", "job_application", "appointment", "participation"}

APPLICATION = """id state createdAt
    jobSeeker { id firstName lastName nir(format: MASKED) currentApproval { number endAt } }
    approval { number startAt endAt state } nextAppointmentStartAt upcomingParticipationsCount"""
APPOINTMENT = "id startAt endAt status company { name } participations(first: 5) { nodes { id status } }"
PARTICIPATION = "id status statusLabel appointment { startAt endAt company { name } }"
APPROVAL = "id number startAt endAt state jobSeeker { id firstName lastName }"
PERSON = "id firstName lastName currentApproval { number }"


@dataclass(frozen=True)
class Visit:
    """Somebody opens a list. `most`: how many rows a statement may look at, to show fifty.

    A prescriber's bound grows with the people of the organisation (here a thousand), all others with the page alone or
    with one company's rows (here 600 applications and 100 appointments).
    """

    subject: str
    field: str
    selection: str
    most: int
    narrowed: str = ""

    def document(self, after: str | None = None) -> str:
        given = f"first: {PAGE} {self.narrowed}" + (f' after: "{after}"' if after else "")
        return f"{{ page: {self.field}({given}) {{ nodes {{ {self.selection} }} pageInfo {{ endCursor }} }} }}"

    def count(self) -> str:
        given = f"({self.narrowed})" if self.narrowed else ""
        return f"{{ page: {self.field}{given} {{ totalCount }} }}"


PAGES = {
    "employer's applications": Visit(EMPLOYER_SUBJECT, "jobApplications", APPLICATION + " canInvite", 1_500),
    "employer's new applications": Visit(
        EMPLOYER_SUBJECT, "jobApplications", APPLICATION, 1_500, "filter: {states: [NEW]}"
    ),
    "employer's applicants to meet": Visit(
        EMPLOYER_SUBJECT, "jobApplications", APPLICATION, 4_000, "filter: {hasUpcomingAppointment: true}"
    ),
    "employer's job seekers": Visit(EMPLOYER_SUBJECT, "jobSeekers", PERSON, 4_000),
    "employer's approvals": Visit(EMPLOYER_SUBJECT, "approvals", APPROVAL, 4_000),
    "employer's appointments": Visit(EMPLOYER_SUBJECT, "appointments", APPOINTMENT, 700),
    "employer's participations": Visit(EMPLOYER_SUBJECT, "participations", PARTICIPATION, 1_500),
    "prescriber's applications": Visit(PRESCRIBER_SUBJECT, "jobApplications", APPLICATION, 4_000),
    "prescriber's job seekers": Visit(PRESCRIBER_SUBJECT, "jobSeekers", PERSON, 8_000),
    "prescriber's approvals": Visit(PRESCRIBER_SUBJECT, "approvals", APPROVAL, 8_000),
    "prescriber's participations": Visit(PRESCRIBER_SUBJECT, "participations", "id status", 8_000),
    "job seeker's applications": Visit(JOB_SEEKER_SUBJECT, "jobApplications", APPLICATION, 100),
    "job seeker's participations": Visit(JOB_SEEKER_SUBJECT, "participations", PARTICIPATION, 100),
    "partner's appointments": Visit(PARTNER_SUBJECT, "appointments", APPOINTMENT, 1_500),
    "partner's participations": Visit(PARTNER_SUBJECT, "participations", "id status appointment { startAt }", 2_000),
    "partner's job seekers": Visit(PARTNER_SUBJECT, "jobSeekers", "id firstName lastName", 6_000),
    "inspector's companies": Visit(INSPECTOR_SUBJECT, "companies", "id name siret department { name }", 300),
    "staff's applications": Visit(STAFF_SUBJECT, "jobApplications", APPLICATION, 1_500),
    "staff's job seekers": Visit(STAFF_SUBJECT, "jobSeekers", PERSON, 700),
    "staff's job seekers of a name": Visit(
        STAFF_SUBJECT, "jobSeekers", PERSON, 700, 'filter: {search: "adele arvor-12"}'
    ),
    "staff's approvals": Visit(STAFF_SUBJECT, "approvals", APPROVAL, 700),
    "staff's failed notifications": Visit(
        STAFF_SUBJECT, "approvals", APPROVAL, 700, "filter: {notificationStatuses: [ERROR]}"
    ),
    "staff's appointments": Visit(STAFF_SUBJECT, "appointments", APPOINTMENT, 700),
    "staff's participations": Visit(STAFF_SUBJECT, "participations", PARTICIPATION, 2_000),
}
# What is counted is looked at, once or a few times over, and nothing else is.
COUNTS = ["employer's applications", "employer's job seekers", *(name for name in PAGES if "prescriber" in name)]


@pytest.fixture(params=["rested", "busy"], autouse=True)
async def tables(seeded: Seeded, request: pytest.FixtureRequest) -> None:
    """As after a vacuum, or amid writes: then no index alone tells PostgreSQL what there is."""
    visible = "relpages" if request.param == "rested" else "0"
    await get_connection("default").execute_script(
        f"UPDATE pg_class SET relallvisible = {visible} WHERE relkind = 'r'"
        " AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
    )


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_reads_little_more_than_it_shows(
    seeded: Seeded, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    visit = PAGES[name]
    first = (await seeded.ask(visit.subject, visit.document())).data["page"]

    with recorded_statements(monkeypatch) as sent:
        await seeded.ask(visit.subject, visit.document())
        await seeded.ask(visit.subject, visit.document(after=first["pageInfo"]["endCursor"]))

    assert first["nodes"], "a page without rows proves nothing"
    await _reads_at_most(visit.most, sent)


@pytest.mark.parametrize("name", COUNTS)
async def test_a_count_reads_what_it_counts(seeded: Seeded, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    visit = PAGES[name]

    with recorded_statements(monkeypatch) as sent:
        total = (await seeded.ask(visit.subject, visit.count())).data["page"]["totalCount"]

    assert total > PAGE
    await _reads_at_most(visit.most, sent)


async def _reads_at_most(most: int, sent: list[tuple[str, tuple[object, ...]]]) -> None:
    # Explaining a statement runs it: the trace of what staff read cannot be written twice.
    reads = [(statement, arguments) for statement, arguments in sent if not statement.startswith("INSERT")]
    assert reads
    for statement, arguments, way in [(*read, way) for read in reads for way in (explain, explain_for_any_values)]:
        explained = await way(statement, arguments)
        walked = {scan.table for scan in explained.scans if scan.kind == "Seq Scan"} & LARGE_TABLES
        assert not walked, f"{walked} read from end to end by {statement}"
        assert explained.rows_read <= most, f"{explained.rows_read} rows read by {statement}"
