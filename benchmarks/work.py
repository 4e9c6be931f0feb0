"""The pages that every contender answers: the same questions of the same people, over one seeded database."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from benchmarks.seed import EMPLOYER_SUBJECT, STAFF_SUBJECT
from resolvers.global_ids import encode

# The first to apply to the company that the employer of `benchmarks.seed` acts for.
JOB_SEEKER = UUID(hashlib.md5(b"job_seeker2", usedforsecurity=False).hexdigest())

_PAGE = """
query EmployersPage($first: Int) {
  jobApplications(first: $first) {
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
"""
_PERSON = """
query JobSeeker($id: ID!) {
  jobSeeker(id: $id) {
    id
    title
    firstName
    lastName
    email
    birthdate
    currentApproval { number startAt endAt state }
    approvals(first: 10) { edges { node { id number startAt endAt state } } }
    jobApplications(first: 10) {
      edges { node { id state createdAt senderKind nextAppointmentStartAt upcomingParticipationsCount } }
    }
    participations(first: 10) { edges { node { id status updatedAt appointment { id startAt reason } } } }
  }
}
"""
_APPROVALS = """
query Approvals($first: Int) {
  approvals(first: $first) {
    edges { node { id number startAt endAt state jobSeeker { id firstName lastName } } }
  }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One page. `subject`: who asks. `parameters`: what for, however a contender wants that written."""

    name: str
    title: str
    subject: str
    document: str
    variables: Mapping[str, Any]
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def sized(self, rows: int) -> Work:
        """Return the same page with another number of rows. Only for pages that are lists."""
        if "first" not in self.variables:
            raise ValueError(f"{self.name}: shows one row, whatever is asked")
        return replace(self, variables={**self.variables, "first": rows}, parameters={**self.parameters, "first": rows})


Q1 = Work(
    name="Q1",
    title="the employer's page: 50 applications with job seeker, approval and next appointment",
    subject=EMPLOYER_SUBJECT,
    document=_PAGE,
    variables={"first": 50},
    parameters={"first": 50},
)
Q2 = Work(
    name="Q2",
    title="one job seeker, with approvals, applications and participations",
    subject=EMPLOYER_SUBJECT,
    document=_PERSON,
    variables={"id": encode("JobSeeker", JOB_SEEKER)},
    parameters={"id": str(JOB_SEEKER)},
)
# By staff, who see all of them: an employer's are found among the applicants of the company, and what that costs
# PostgreSQL would hide what a flat list costs a server.
Q3 = Work(
    name="Q3",
    title="100 approvals of eight values",
    subject=STAFF_SUBJECT,
    document=_APPROVALS,
    variables={"first": 100},
    parameters={"first": 100},
)
WORKS = {work.name: work for work in (Q1, Q2, Q3)}
