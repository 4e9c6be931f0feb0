"""Addresses that are geocoded when they change: the wire is faked, PostgreSQL decides who may record."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
import redis.asyncio
from respx.models import Call

from models import Company, JobSeekerProfile
from models.database import counting_statements, write
from services.address_book import AddressTable, count_missing, geocode_due, geocode_missing, geocode_one
from tests.factories import NOW, make_company, make_job_seeker
from tests.integration.places import Places, faked_places
from tests.unit.clients.ban import collection, feature

ADDRESS = {"address_line_1": "12 rue des Tilleuls Inventés", "post_code": "57000", "city": "Metz"}
COLUMNS = ["result_label", "result_score", "latitude", "longitude", "result_citycode"]
NOTHING = ["", "", "", "", ""]
Rows = Callable[[str], list[str]]


@pytest.fixture
async def places(database: object, valkey: redis.asyncio.Redis) -> AsyncIterator[Places]:
    async with faked_places(valkey) as places:
        yield places


def csv_answer(found: Rows) -> Callable[[httpx.Request], httpx.Response]:
    """What the file service answers: every row that was sent, with what `found` says of its first line."""

    def answer(request: httpx.Request) -> httpx.Response:
        sent = sent_rows(request)
        text = io.StringIO()
        writer = csv.writer(text, delimiter=";", lineterminator="\n")
        writer.writerow([*sent[0], *COLUMNS])
        writer.writerows([*row, *found(row[1])] for row in sent[1:])
        return httpx.Response(200, text=text.getvalue())

    return answer


def sent_rows(request: httpx.Request) -> list[list[str]]:
    body = request.content.decode()
    start = body.index("pk;")
    return list(csv.reader(io.StringIO(body[start : body.index("\n--", start)].strip()), delimiter=";"))


def found(score: float) -> list[str]:
    return ["12 Rue des Tilleuls Inventés", f"{score}", "49.119309", "6.175619", "57463"]


async def make_due(number: int = 1, **values: Any) -> list[Company]:
    return [
        await make_company(**(ADDRESS | {"address_line_1": f"{position} rue Inventée", "department": ""} | values))
        for position in range(number)
    ]


async def wait_no_more() -> None:
    """Let what was postponed or claimed be due again."""
    for table in AddressTable:
        await write(f"UPDATE {table} SET geocoding_due_at = now() WHERE geocoding_due_at IS NOT NULL RETURNING id")


async def reread(company: Company) -> Company:
    return await Company.get(id=company.id)


async def test_a_changed_address_gets_its_place(places: Places):
    (company,) = await make_due()

    summary = await geocode_one(AddressTable.COMPANY, company.id, ban=places.ban)

    row = await reread(company)
    assert (row.latitude, row.longitude, row.geocoding_score) == (49.119309, 6.175619, 0.9729)
    assert (row.insee_code, row.department) == ("57463", "57")
    assert row.geocoded_at is not None
    assert row.geocoding_due_at is None
    assert summary.placed == 1
    assert places.ban_queries[0]["q"] == "0 rue Inventée, 57000 Metz"


async def test_the_address_of_a_person_too(places: Places):
    person = await make_job_seeker(profile=ADDRESS)

    await geocode_one(AddressTable.JOB_SEEKER, person.id, ban=places.ban)

    profile = await JobSeekerProfile.get(id=person.id)
    assert (profile.latitude, profile.insee_code, profile.geocoding_due_at) == (49.119309, "57463", None)


async def test_what_is_not_due_is_not_asked_for(places: Places):
    company = await make_company(**ADDRESS, geocoded_at=NOW, latitude=48.0, longitude=7.0)

    await geocode_one(AddressTable.COMPANY, company.id, ban=places.ban)
    await geocode_one(AddressTable.COMPANY, UUID(int=1), ban=places.ban)

    assert places.ban_queries == []


async def test_two_workers_ask_for_one_address_once(places: Places):
    (company,) = await make_due()

    summaries = await asyncio.gather(
        *(geocode_one(AddressTable.COMPANY, company.id, ban=places.ban) for _ in range(2)), geocode_due(ban=places.ban)
    )

    assert sum(summary.placed for summary in summaries) == 1
    assert len(places.ban_queries) == 1


async def test_nothing_found_is_told_from_an_outage_by_its_score(places: Places):
    (company,) = await make_due(latitude=48.0, longitude=7.0)
    places.search.respond(200, json=collection())

    summary = await geocode_one(AddressTable.COMPANY, company.id, ban=places.ban)

    row = await reread(company)
    assert (row.geocoding_score, row.latitude, row.geocoding_due_at) == (0.0, 48.0, None)
    assert summary.not_found == 1


async def test_an_outage_leaves_everything_as_it_was_and_the_row_due_later(places: Places):
    (company,) = await make_due(latitude=48.0, longitude=7.0)
    places.search.mock(side_effect=httpx.ConnectError)

    summary = await geocode_one(AddressTable.COMPANY, company.id, ban=places.ban)
    await geocode_one(AddressTable.COMPANY, company.id, ban=places.ban)

    row = await reread(company)
    assert (row.geocoding_score, row.latitude, row.geocoded_at) == (None, 48.0, None)
    assert row.geocoding_due_at is not None
    assert row.geocoding_due_at - company.created_at > timedelta(minutes=9)
    assert (summary.postponed, summary.stopped_by) == (1, "GEOCODING_UNAVAILABLE")
    assert len(places.ban_queries) == 2  # the second one is the client's own repeat


async def test_an_outage_ends_the_sweep(places: Places):
    await make_due(3)
    places.search.mock(side_effect=httpx.ConnectError)

    summary = await geocode_due(ban=places.ban, batch_size=1)

    assert (summary.postponed, summary.answered) == (1, 0)


async def test_an_address_that_changed_meanwhile_stays_due_and_keeps_no_foreign_place(places: Places):
    (company,) = await make_due()

    async def move_away(_: httpx.Request) -> httpx.Response:
        await write("UPDATE company SET city = 'Thionville', post_code = '57100' RETURNING id")
        return httpx.Response(200, json=collection(feature()))

    places.search.mock(side_effect=move_away)

    summary = await geocode_one(AddressTable.COMPANY, company.id, ban=places.ban)

    row = await reread(company)
    assert (row.latitude, row.insee_code) == (None, "")
    assert row.geocoding_due_at is not None
    assert (summary.placed, summary.changed_meanwhile) == (0, 1)


async def test_a_worker_that_died_leaves_a_row_that_is_due_again(places: Places):
    (company,) = await make_due()
    was_asked = asyncio.Event()

    async def never(_: httpx.Request) -> httpx.Response:
        was_asked.set()
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    places.search.mock(side_effect=never)
    worker = asyncio.create_task(geocode_one(AddressTable.COMPANY, company.id, ban=places.ban))
    await was_asked.wait()
    worker.cancel()
    await asyncio.wait({worker})
    places.search.mock(side_effect=None, return_value=httpx.Response(200, json=collection(feature())))
    await wait_no_more()

    summary = await geocode_due(ban=places.ban)

    assert summary.placed == 1


async def test_a_place_that_is_likely_to_be_another_one_is_not_taken(places: Places):
    (company,) = await make_due()
    places.search.respond(200, json=collection(feature(score=0.39)))

    summary = await geocode_one(AddressTable.COMPANY, company.id, ban=places.ban)

    row = await reread(company)
    assert (row.latitude, row.geocoding_score, summary.kept) == (None, 0.39, 1)


async def test_many_go_in_one_file_and_cost_two_statements_a_table(places: Places):
    await make_due(50)
    places.batch.mock(side_effect=csv_answer(lambda _: found(0.97)))

    async with counting_statements() as counter:
        summary = await geocode_due(ban=places.ban)

    assert summary.placed == 50
    assert (len(places.batch.calls), places.ban_queries) == (1, [])
    # Per table: claim until there is none; per batch: record.
    assert counter.statements == 4
    assert await Company.filter(geocoding_due_at__isnull=False).count() == 0


async def test_the_file_tells_nothing_of_who_lives_there(places: Places):
    people = [await make_job_seeker(profile=ADDRESS) for _ in range(21)]
    places.batch.mock(side_effect=csv_answer(lambda _: NOTHING))

    await geocode_due(ban=places.ban)

    request = cast("Sequence[Call]", places.batch.calls)[0].request
    assert [row[0] for row in sent_rows(request)] == ["pk", *map(str, range(21))]
    assert not any(str(person.id).encode() in request.content for person in people)


@pytest.mark.parametrize(
    ("stored", "answered", "expected"),
    [
        (None, found(0.97), (0.97, 49.119309)),
        (None, NOTHING, (0.0, 48.0)),
        (0.5, found(0.79), (0.5, 48.0)),
        (0.92, found(0.85), (0.92, 48.0)),
        (0.85, found(0.85), (0.85, 49.119309)),
        (0.92, NOTHING, (0.92, 48.0)),
    ],
)
async def test_a_file_only_makes_places_better(
    places: Places, stored: float | None, answered: list[str], expected: tuple[float, float]
):
    companies = await make_due(21, latitude=48.0, longitude=7.0, geocoding_score=stored)
    places.batch.mock(side_effect=csv_answer(lambda _: answered))

    await geocode_due(ban=places.ban)

    row = await reread(companies[0])
    assert (row.geocoding_score, row.latitude) == expected


async def test_a_file_that_is_cut_is_an_outage(places: Places):
    await make_due(21)
    places.batch.respond(200, text="pk;address_line_1;post_code\n")

    summary = await geocode_due(ban=places.ban)

    assert (summary.postponed, summary.stopped_by) == (21, "GEOCODING_BAD_RESPONSE")


async def test_the_backfill_takes_every_address_without_a_place_once(places: Places):
    old = await make_company(**ADDRESS, geocoded_at=NOW)  # from before anything was marked
    await make_due(2)
    await make_company(**ADDRESS, geocoded_at=NOW, latitude=48.0, longitude=7.0)
    await make_company(city="Metz")
    await make_job_seeker(profile=ADDRESS)
    places.search.respond(200, json=collection())
    sums: list[int] = []

    before = await count_missing()
    summary = await geocode_missing(ban=places.ban, batch_size=2, on_progress=lambda run: sums.append(run.answered))

    assert before == 4
    assert sums == [1, 3, 4]
    assert (summary.not_found, summary.stopped_by) == (4, None)
    assert (await reread(old)).geocoding_score == 0.0


async def test_the_backfill_ends_with_an_outage_and_goes_on_later(places: Places):
    await make_due(4)
    ok = httpx.Response(200, json=collection(feature()))
    places.search.mock(side_effect=[ok, ok, *[httpx.ConnectError] * 4])

    cut = await geocode_missing(ban=places.ban, batch_size=2)
    await wait_no_more()
    places.search.mock(side_effect=None, return_value=ok)
    rest = await geocode_missing(ban=places.ban, batch_size=2)

    assert (cut.placed, cut.postponed, cut.stopped_by) == (2, 2, "GEOCODING_UNAVAILABLE")
    assert (rest.placed, await count_missing()) == (2, 0)
