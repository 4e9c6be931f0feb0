"""What PostGraphile writes otherwise than Traverse, and is the same: ids, and instants."""

from __future__ import annotations

import base64
from uuid import UUID

import orjson
import pytest

from benchmarks.contender import read_json
from benchmarks.peers.postgraphile import body, read
from benchmarks.work import Q1, Q2, WORKS
from resolvers.global_ids import encode

KEY = UUID("8df274c5-593f-0e56-adeb-403f5de4212a")


def node_id(type_name: str) -> str:
    return base64.b64encode(orjson.dumps([type_name, str(KEY)])).decode()


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("2026-12-22T20:00:00.000000+00:00", "2026-12-22T20:00:00+00:00"),
        ("2026-12-22T20:00:00.250000+00:00", "2026-12-22T20:00:00.250000+00:00"),
    ],
)
def test_the_same_row_reads_the_same(theirs: str, ours: str):
    their_answer = {"data": {"edges": [{"node": {"id": node_id("JobSeeker"), "at": theirs, "none": None}}]}}
    our_answer = {"data": {"edges": [{"node": {"id": encode("JobSeeker", KEY), "at": ours, "none": None}}]}}

    assert read(orjson.dumps(their_answer)) == read_json(orjson.dumps(our_answer))


def test_another_row_reads_otherwise():
    answers = [orjson.dumps({"data": {"id": node_id(name)}}) for name in ("JobSeeker", "Approval")]

    assert read(answers[0]) != read(answers[1])


def test_a_person_is_asked_for_by_postgraphiles_own_id():
    variables = orjson.loads(body(Q2))["variables"]

    assert orjson.loads(base64.b64decode(variables["id"])) == ["JobSeeker", Q2.parameters["id"]]


def test_a_page_is_asked_for_with_as_many_rows():
    assert orjson.loads(body(Q1.sized(7)))["variables"] == {"first": 7}


@pytest.mark.parametrize("name", WORKS)
def test_lists_are_ordered_as_traverse_orders_them(name: str):
    document = orjson.loads(body(WORKS[name]))["query"]

    assert document.count("(first:") == document.count("orderBy: [")
