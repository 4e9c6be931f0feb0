"""What `make bench` compares does the same work: the same answers, for the same people, and nothing for strangers."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from benchmarks import ours
from benchmarks.contender import Running, running
from benchmarks.ground import AUDIENCE, ISSUER, Ground, Pages
from benchmarks.peers.contenders import MERCURIUS, MERCURIUS_JOINED, POSTGRAPHILE, STOCK, peers
from benchmarks.processes import TOKEN_KEY
from benchmarks.seed import EMPLOYER_SUBJECT, LARGE
from benchmarks.work import WORKS
from demo.engines import Engines
from models.database import connection_parameters
from services.tokens import issue_development_token
from tests.conftest import KEYS

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("valkey")]

SIZE = LARGE.times(0.01)
FORMER_SUBJECT = "benchmark-former-employer"
NEIGHBOUR_SUBJECT = "benchmark-neighbour"
CONTENDERS = (ours.LIMIT, ours.TRAVERSE, STOCK, POSTGRAPHILE, MERCURIUS, MERCURIUS_JOINED)
# What belongs to the pages that an employer opens.
EMPLOYERS_PAGES = ("Q1", "Q2")


@dataclass(frozen=True)
class Competition:
    """Every contender that can run here, started; the others by why they cannot. `neighbours`: another company."""

    servers: Mapping[str, Running]
    absent: Mapping[str, str]
    pages: Pages
    neighbours: UUID

    def server(self, name: str) -> Running:
        if name in self.absent:
            pytest.skip(f"{name}: {self.absent[name]}")
        return self.servers[name]

    async def ask(self, name: str, work: str, authorization: str | None) -> httpx.Response:
        """Ask with another Authorization header than the contender's own."""
        server = self.server(name)
        head, _, body = server.contender.requests[work].partition(b"\r\n\r\n")
        headers = {"content-type": "application/json"}
        if authorization is not None:
            headers["authorization"] = authorization
        path = head.split(b" ", 2)[1].decode()
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            return await http.post(f"http://127.0.0.1:{server.port}{path}", content=body, headers=headers)


@pytest.fixture(scope="module")
async def competition(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Competition]:
    ground = Ground(
        engines=engines,
        folder=tmp_path_factory.mktemp("peers"),
        large=SIZE,
        small=SIZE,
        say=lambda _: None,
        keys=KEYS,
    )
    try:
        pages = await ground.pages(SIZE)
        neighbours = await _more_employers(pages)
        # Tests fetch nothing: Node.js servers are tried where a benchmark has installed them.
        others = await peers(ground.environ(pages.url), ground.tokens(pages), installs=False)
        entered = [ours.limit(ground, pages), ours.traverse(ground, pages), *others]
        async with AsyncExitStack() as stack:
            servers = {
                each.name: await stack.enter_async_context(running(each, ground.log(f"peers-{os.getpid()}")))
                for each in entered
                if each.absent_because is None
            }
            absent = {each.name: each.absent_because for each in entered if each.absent_because is not None}
            yield Competition(servers, absent, pages, neighbours)
    finally:
        await ground.clear()


async def _more_employers(pages: Pages) -> UUID:
    """Enter somebody who has left the company, and somebody of another; return the other company."""
    own = pages.organizations[EMPLOYER_SUBJECT]
    connection = cast("Any", await asyncpg.connect(**connection_parameters(pages.url)))
    try:
        # Nobody who applied here applied there: their applications go to companies of neighbouring numbers.
        neighbours: UUID = await connection.fetchval(
            "SELECT id FROM company c WHERE NOT EXISTS (SELECT 1 FROM job_application a JOIN job_application b"
            " ON b.job_seeker_id = a.job_seeker_id WHERE a.company_id = $1 AND b.company_id = c.id) LIMIT 1",
            own,
        )
        # Half a second: those who leave the last zeros of a fraction out must not come through by luck.
        await connection.execute(
            "UPDATE job_application SET created_at = date_trunc('second', created_at)"
            " + interval '500 milliseconds' WHERE company_id = $1",
            own,
        )
        now = datetime.now(UTC)
        for subject, company, ended_at in ((FORMER_SUBJECT, own, now), (NEIGHBOUR_SUBJECT, neighbours, None)):
            user = uuid4()
            await connection.execute(
                'INSERT INTO "user" (id, kind, subject, first_name, last_name, phone, is_active, is_operator,'
                " may_read_full_nir, created_at, updated_at)"
                " VALUES ($1, 'employer', $2, 'Alix', 'Fictive', '', TRUE, FALSE, FALSE, $3, $3)",
                user,
                subject,
                now,
            )
            await connection.execute(
                "INSERT INTO membership (id, user_id, company_id, is_admin, created_at, ended_at)"
                " VALUES ($1, $2, $3, FALSE, $4, $5)",
                uuid4(),
                user,
                company,
                now,
                ended_at,
            )
    finally:
        await connection.close()
    return neighbours


def bearer(subject: str, company: UUID, *, key: str = TOKEN_KEY, audience: str = AUDIENCE, age: timedelta) -> str:
    token = issue_development_token(
        subject=subject,
        organization_id=company,
        issuer=ISSUER,
        audience=audience,
        key=key,
        lifetime=timedelta(hours=1),
        now=datetime.now(UTC) - age,
    )
    return f"Bearer {token}"


FRESH, STALE = timedelta(), timedelta(hours=3)


def nodes_of(answer: Any, field: str) -> Sequence[Any]:
    return [edge["node"] for edge in answer["data"][field]["edges"]]


@pytest.mark.parametrize("work", WORKS)
@pytest.mark.parametrize("name", CONTENDERS)
async def test_all_contenders_give_the_same_answer(competition: Competition, name: str, work: str):
    expected = await competition.server(ours.TRAVERSE).ask(work)

    answer = await competition.server(name).ask(work)

    assert answer == expected


async def test_the_pages_show_what_they_are_about(competition: Competition):
    traverse = competition.server(ours.TRAVERSE)

    page, person, approvals = [await traverse.ask(work) for work in WORKS]

    applications = nodes_of(page, "jobApplications")
    assert len(applications) == 50
    assert any(node["approval"] for node in applications)
    assert any(node["nextAppointmentStartAt"] for node in applications)
    assert not all(node["nextAppointmentStartAt"] for node in applications)
    job_seeker = person["data"]["jobSeeker"]
    assert job_seeker["currentApproval"]
    for children in ("approvals", "jobApplications", "participations"):
        assert job_seeker[children]["edges"]
    assert len(nodes_of(approvals, "approvals")) == 100


@pytest.mark.parametrize("name", CONTENDERS)
async def test_another_company_sees_its_own_rows_alone(competition: Competition, name: str):
    token = bearer(NEIGHBOUR_SUBJECT, competition.neighbours, age=FRESH)
    theirs = competition.server(name)
    own = {node["id"] for node in nodes_of(await theirs.ask("Q1"), "jobApplications")}

    page = theirs.contender.read((await competition.ask(name, "Q1", token)).content)
    person = await competition.ask(name, "Q2", token)

    seen = {node["id"] for node in nodes_of(page, "jobApplications")}
    assert len(seen) == 50
    assert not seen & own
    assert person.json() == {"data": {"jobSeeker": None}}


@pytest.mark.parametrize("work", EMPLOYERS_PAGES)
@pytest.mark.parametrize("name", CONTENDERS)
async def test_who_left_the_company_is_shown_nothing(competition: Competition, name: str, work: str):
    token = bearer(FORMER_SUBJECT, competition.pages.organizations[EMPLOYER_SUBJECT], age=FRESH)

    answer = await competition.ask(name, work, token)

    assert b'"id"' not in answer.content


@pytest.mark.parametrize("case", ["no token", "another key", "another audience", "long expired"])
@pytest.mark.parametrize("name", CONTENDERS)
async def test_a_token_that_is_not_to_be_believed_shows_nothing(competition: Competition, name: str, case: str):
    company = competition.pages.organizations[EMPLOYER_SUBJECT]
    authorization = {
        "no token": None,
        "another key": bearer(EMPLOYER_SUBJECT, company, key="another key, as long as it takes", age=FRESH),
        "another audience": bearer(EMPLOYER_SUBJECT, company, audience="others", age=FRESH),
        "long expired": bearer(EMPLOYER_SUBJECT, company, age=STALE),
    }[case]

    answer = await competition.ask(name, "Q1", authorization)

    assert b'"id"' not in answer.content
