"""Keyset pages: every list, walked both ways, cut anywhere, while rows come and go."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from datetime import timedelta
from itertools import cycle
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from execution.engine import GraphQLEngine
from models import JobApplication
from resolvers.context import Resources
from resolvers.cursors import CursorSigner
from resolvers.global_ids import encode
from tests.factories import NOW, make_job_application, make_job_seeker
from tests.integration.schema.client import never_ring, serve
from tests.integration.schema.crowd import PEOPLE
from tests.integration.schema.lists import LISTS, Listed, Reader

FORWARD_AND_BACKWARD = [listed for listed in LISTS if listed.backward]
OF_COMPANY = next(listed for listed in LISTS if str(listed) == "Company.jobApplications")
APPLICATIONS = next(listed for listed in LISTS if str(listed) == "Query.jobApplications")

few = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def walk_forward(reader: Reader, listed: Listed, sizes: list[int]) -> list[str]:
    seen: list[str] = []
    cursor = None
    for size in cycle(sizes):
        page = await reader.page(listed, first=size, after=cursor)
        seen += [edge["node"]["id"] for edge in page["edges"]]
        assert len(page["edges"]) <= size
        assert page["pageInfo"]["hasPreviousPage"] is (cursor is not None)
        if not page["pageInfo"]["hasNextPage"]:
            return seen
        assert len(page["edges"]) == size
        assert page["pageInfo"]["endCursor"] == page["edges"][-1]["cursor"]
        cursor = page["pageInfo"]["endCursor"]
    raise AssertionError("unreachable")


async def walk_backward(reader: Reader, listed: Listed, sizes: list[int]) -> list[str]:
    seen: list[str] = []
    cursor = None
    for size in cycle(sizes):
        page = await reader.page(listed, last=size, before=cursor)
        seen = [edge["node"]["id"] for edge in page["edges"]] + seen
        assert len(page["edges"]) <= size
        assert page["pageInfo"]["hasNextPage"] is (cursor is not None)
        if not page["pageInfo"]["hasPreviousPage"]:
            return seen
        assert len(page["edges"]) == size
        assert page["pageInfo"]["startCursor"] == page["edges"][0]["cursor"]
        cursor = page["pageInfo"]["startCursor"]
    raise AssertionError("unreachable")


# -- walks


@pytest.mark.parametrize("listed", LISTS, ids=str)
async def test_a_walk_forwards_meets_each_row_once_and_in_order(reader: Reader, listed: Listed):
    expected = await reader.ids(listed)

    seen = await walk_forward(reader, listed, [1, 3, 2, 7])

    assert seen == expected
    assert len(set(seen)) == len(seen) >= 7


@pytest.mark.parametrize("listed", FORWARD_AND_BACKWARD, ids=str)
async def test_a_walk_backwards_meets_the_same_rows_in_the_same_order(reader: Reader, listed: Listed):
    expected = await reader.ids(listed)

    seen = await walk_backward(reader, listed, [2, 1, 7, 3])

    assert seen == expected


@few
@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=4))
async def test_any_sizes_of_pages_show_the_same_list(reader: Reader, sizes: list[int]):
    expected = await reader.ids(APPLICATIONS)

    assert await walk_forward(reader, APPLICATIONS, sizes) == expected
    assert await walk_backward(reader, APPLICATIONS, sizes) == expected


@few
@given(size=st.integers(1, 20), moments=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12)), max_size=4))
async def test_rows_that_come_during_a_walk_neither_hide_nor_repeat_another(
    reader: Reader, size: int, moments: list[tuple[int, int]]
):
    before = await reader.ids(OF_COMPANY)
    person = await make_job_seeker()
    added: list[JobApplication] = []
    seen: list[str] = []
    cursor, page_number = None, 0
    while True:
        page = await reader.page(OF_COMPANY, first=size, after=cursor)
        seen += [edge["node"]["id"] for edge in page["edges"]]
        for _, days in (moment for moment in moments if moment[0] == page_number):
            at = NOW - timedelta(days=days)
            added.append(await make_job_application(person, reader.crowd.company, created_at=at))
        cursor, page_number = page["pageInfo"]["endCursor"], page_number + 1
        if not page["pageInfo"]["hasNextPage"]:
            break
    for application in added:
        await application.delete()

    assert len(seen) == len(set(seen))
    assert [row for row in seen if row in set(before)] == before


async def test_a_row_that_goes_during_a_walk_takes_no_other_with_it(reader: Reader):
    person = await make_job_seeker()
    rows = [
        await make_job_application(person, reader.crowd.company, created_at=NOW - timedelta(days=1)) for _ in range(3)
    ]
    expected = await reader.ids(OF_COMPANY)
    page = await reader.page(OF_COMPANY, first=4)
    on_the_edge = page["edges"][-1]["node"]["id"]
    gone = {on_the_edge} if on_the_edge in await _ids_of(rows) else set[str]()
    for row in rows:
        gone |= await _ids_of([row])
        await row.delete()

    following = await reader.page(OF_COMPANY, first=100, after=page["pageInfo"]["endCursor"])

    seen = [edge["node"]["id"] for edge in (*page["edges"], *following["edges"])]
    assert [row for row in seen if row not in gone] == [row for row in expected if row not in gone]


async def _ids_of(rows: list[JobApplication]) -> set[str]:
    return {encode("JobApplication", row.id) for row in rows}


@pytest.mark.parametrize("listed", LISTS, ids=str)
async def test_the_total_is_that_of_the_whole_list_on_every_page(reader: Reader, listed: Listed):
    everything = await reader.ids(listed)

    first = await reader.page(listed, first=2)
    second = await reader.page(listed, first=2, after=first["pageInfo"]["endCursor"])

    assert first["totalCount"] == second["totalCount"] == len(everything)


@pytest.mark.parametrize("listed", LISTS, ids=str)
async def test_nodes_are_those_of_the_edges(reader: Reader, listed: Listed):
    answer = await reader.ask(listed, "nodes { id } edges { node { id } }", first=5)

    page = listed.connection(answer.data)
    assert page["nodes"] == [edge["node"] for edge in page["edges"]]
    assert len(page["nodes"]) == 5


# -- between two cursors


async def test_a_page_between_two_cursors_holds_what_lies_between(reader: Reader):
    page = await reader.page(APPLICATIONS, first=10)
    cursors = [edge["cursor"] for edge in page["edges"]]
    ids = [edge["node"]["id"] for edge in page["edges"]]

    forwards = await reader.page(APPLICATIONS, first=3, after=cursors[1], before=cursors[7])
    backwards = await reader.page(APPLICATIONS, last=3, after=cursors[1], before=cursors[7])
    nothing = await reader.page(APPLICATIONS, first=3, after=cursors[7], before=cursors[1])

    assert [edge["node"]["id"] for edge in forwards["edges"]] == ids[2:5]
    assert [edge["node"]["id"] for edge in backwards["edges"]] == ids[4:7]
    for page in (forwards, backwards):
        assert (page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["hasNextPage"]) == (True, True)
    assert nothing["edges"] == []
    assert (nothing["pageInfo"]["startCursor"], nothing["pageInfo"]["endCursor"]) == (None, None)


async def test_before_without_last_starts_at_the_beginning(reader: Reader):
    page = await reader.page(APPLICATIONS, first=30)

    until = await reader.page(APPLICATIONS, before=page["edges"][5]["cursor"])

    assert [edge["node"]["id"] for edge in until["edges"]] == [edge["node"]["id"] for edge in page["edges"][:5]]
    assert (until["pageInfo"]["hasPreviousPage"], until["pageInfo"]["hasNextPage"]) == (False, True)


# -- sizes


@pytest.mark.parametrize("listed", LISTS, ids=str)
@pytest.mark.parametrize("size", [0, -1, -100, 101, 100_000, 2_147_483_647, -2_147_483_648])
async def test_a_size_out_of_range_is_refused(reader: Reader, listed: Listed, size: int):
    arguments = [{"first": size}] + ([{"last": size}] if listed.backward else [])

    for given_arguments in arguments:
        answer = await reader.ask(listed, "nodes { id }", **given_arguments)

        assert answer.codes in (["BAD_USER_INPUT"], ["LIMIT_EXCEEDED"])
        assert str(size) in answer.body["errors"][0]["message"] or "costs" in answer.body["errors"][0]["message"]


@pytest.mark.parametrize("listed", FORWARD_AND_BACKWARD, ids=str)
async def test_first_and_last_exclude_each_other(reader: Reader, listed: Listed):
    answer = await reader.ask(listed, "nodes { id }", first=2, last=2)

    assert answer.codes == ["BAD_USER_INPUT"]
    assert "first, last" in answer.body["errors"][0]["message"]


async def test_no_combination_of_arguments_shows_more_than_a_page(reader: Reader):
    person = await make_job_seeker()
    extra = [await make_job_application(person, reader.crowd.company) for _ in range(120 - PEOPLE)]
    whole = await reader.ids(APPLICATIONS)
    first, last = (await _cursor_at(reader, whole[0])), (await _cursor_at(reader, whole[-1]))
    combinations: list[tuple[dict[str, Any], int]] = [
        ({}, 20),
        ({"before": last}, 20),
        ({"after": first}, 20),
        ({"after": first, "before": last}, 20),
        ({"first": 100}, 100),
        ({"last": 100}, 100),
        ({"first": 100, "before": last}, 100),
        ({"last": 100, "after": first}, 100),
        ({"first": 100, "after": first, "before": last}, 100),
        ({"last": 100, "after": first, "before": last}, 100),
        ({"first": None, "last": None, "before": last}, 20),
    ]

    shown = [len((await reader.page(APPLICATIONS, **arguments))["edges"]) for arguments, _ in combinations]

    assert len(whole) > 102
    assert shown == [expected for _, expected in combinations]
    for application in extra:
        await application.delete()


async def _cursor_at(reader: Reader, row_id: str) -> str:
    for arguments in ({"first": 100}, {"last": 100}):
        page = await reader.page(APPLICATIONS, **arguments)
        for edge in page["edges"]:
            if edge["node"]["id"] == row_id:
                return edge["cursor"]
    raise AssertionError("not on either end")


# -- cursors


def spoiled(cursor: str) -> dict[str, str]:
    middle = len(cursor) // 2
    return {
        "empty": "",
        "no base64": "not a cursor",
        "other script": "çürsör",
        "offset of another server": "YXJyYXljb25uZWN0aW9uOjQwMDA=",
        "truncated": cursor[:-4],
        "only its signature": cursor[:16],
        "one letter changed": cursor[:middle] + ("A" if cursor[middle] != "A" else "B") + cursor[middle + 1 :],
        "doubled": cursor + cursor,
        "signature of zeros": "A" * 16 + cursor[16:],
        "very long": cursor * 500,
        "a NUL": cursor + "\x00",
        "half a pair": cursor + "\\ud800",
    }


@pytest.mark.parametrize("name", spoiled("A" * 80))
async def test_a_spoiled_cursor_is_refused(reader: Reader, name: str):
    page = await reader.page(APPLICATIONS, first=3)
    cursor = spoiled(page["edges"][1]["cursor"])[name]

    for arguments in ({"after": cursor}, {"before": cursor}, {"last": 2, "before": cursor}):
        answer = await reader.ask(APPLICATIONS, "nodes { id }", **arguments)

        assert answer.codes == ["BAD_USER_INPUT"]
        assert "cursor" in answer.body["errors"][0]["message"]


async def test_a_cursor_is_good_in_its_own_kind_of_list_only(reader: Reader):
    cursors = {listed: (await reader.page(listed, first=1))["edges"][0]["cursor"] for listed in LISTS}

    for listed in LISTS:
        for other, cursor in cursors.items():
            answer = await reader.ask(listed, "nodes { id }", first=1, after=cursor)

            expected = [] if other.node == listed.node else ["BAD_USER_INPUT"]
            assert answer.codes == expected, f"cursor of {other} in {listed}"


async def test_a_cursor_signed_with_another_key_is_refused(reader: Reader, engine: GraphQLEngine):
    page = await reader.page(APPLICATIONS, first=1)

    async with serve(engine, Resources(cursors=CursorSigner(b"another-key"), ring=never_ring)) as other_server:
        elsewhere = Reader(other_server, reader.crowd)
        answer = await elsewhere.ask(APPLICATIONS, "nodes { id }", after=page["edges"][0]["cursor"])

    assert answer.codes == ["BAD_USER_INPUT"]


async def test_cursors_name_no_person(reader: Reader):
    page = await reader.page(next(listed for listed in LISTS if str(listed) == "Query.jobSeekers"), first=50)
    texts = [
        urlsafe_b64decode(edge["cursor"] + "=" * (-len(edge["cursor"]) % 4))[12:].decode() for edge in page["edges"]
    ]

    assert all("Inventée" not in text and "Maëlle" not in text and "@" not in text for text in texts)
    assert all([type(value) for value in json.loads(text)] == [str, str] for text in texts), "an instant and a key"
