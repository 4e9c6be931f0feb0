"""PostGraphile's side of the comparison: its documents, and its answers in the shape that all have in common.

Its schema follows from the database, so three things are said otherwise there, and set right here: lists are ordered by
an argument, global ids are base64 of `["Type","key"]`, and instants have six digits of a second, zeros included. The
rest has the names of Traverse's schema.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, cast

import asyncpg
import orjson

from benchmarks.contender import read_json
from benchmarks.work import Work
from models.database import connection_parameters
from resolvers.global_ids import encode

_VIEWS = Path(__file__).parent / "postgraphile.sql"
_DOCUMENTS = {
    "Q1": """
query EmployersPage($first: Int) {
  jobApplications: allJobApplications(first: $first, orderBy: [CREATED_AT_DESC, ROW_ID_DESC]) {
    edges {
      node {
        id
        state
        createdAt
        jobSeeker { id firstName lastName }
        approval { number startAt endAt state }
        nextAppointmentStartAt
        upcomingParticipationsCount
      }
    }
  }
}
""",
    "Q2": """
query JobSeeker($id: ID!) {
  jobSeeker(id: $id) {
    id
    title
    firstName
    lastName
    email
    birthdate
    currentApproval { number startAt endAt state }
    approvals(first: 10, orderBy: [START_AT_DESC, ROW_ID_DESC]) { edges { node { id number startAt endAt state } } }
    jobApplications(first: 10, orderBy: [CREATED_AT_DESC, ROW_ID_DESC]) {
      edges { node { id state createdAt senderKind nextAppointmentStartAt upcomingParticipationsCount } }
    }
    participations(first: 10, orderBy: [START_AT_DESC, ROW_ID_DESC]) {
      edges { node { id status updatedAt appointment { id startAt reason } } }
    }
  }
}
""",
    "Q3": """
query Approvals($first: Int) {
  approvals: allApprovals(first: $first, orderBy: [START_AT_DESC, ROW_ID_DESC]) {
    edges { node { id number startAt endAt state jobSeeker { id firstName lastName } } }
  }
}
""",
}


async def create_views(database_url: str) -> None:
    """Create, or create anew, what PostGraphile makes its schema of."""
    connection = cast("Any", await asyncpg.connect(**connection_parameters(database_url)))
    try:
        await connection.execute(_VIEWS.read_text())
    finally:
        await connection.close()


def body(work: Work) -> bytes:
    """The body of the request that asks PostGraphile for the page."""
    variables = dict(work.parameters)
    if "id" in variables:
        variables["id"] = base64.b64encode(orjson.dumps(["JobSeeker", variables["id"]])).decode()
    return orjson.dumps({"query": _DOCUMENTS[work.name], "variables": variables})


def read(answer: bytes) -> Any:
    """An answer in the common shape."""
    return _with_common_ids(read_json(answer.replace(b".000000+00:00", b"+00:00")))


def _with_common_ids(value: Any) -> Any:
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value)
        return {name: _common_id(below) if name == "id" else _with_common_ids(below) for name, below in entries.items()}
    if isinstance(value, list):
        return [_with_common_ids(item) for item in cast("list[Any]", value)]
    return value


def _common_id(text: str) -> str:
    type_name, key = orjson.loads(base64.b64decode(text))
    return encode(type_name, key)
