"""Any multiset and any order of an appointment's events, applied by one or by several, end in the same state."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from clients.rdv_insertion import read_envelope
from tests.integration.services.rdv_events import (
    START,
    Setting,
    ShownPart,
    apply,
    apply_all,
    forget,
    make_setting,
    moment,
    next_number,
    rdv,
    shown,
)

INVITED = (2, 3)
STRANGER = 9
NUMBER = 1261  # the same in each example: ties are settled by fingerprints, which shrinking must not change
# What readers see of each of RDV-Insertion's statuses.
MAPPED = {
    "unknown": ("unknown", None),
    "seen": ("seen", None),
    "noshow": ("absent", None),
    "excused": ("cancelled", "job_seeker"),
    "revoked": ("cancelled", "service"),
}


@dataclass(frozen=True)
class Event:
    """One event, as the strategy draws it. `statuses` None: the parts are absent, as in some versions of theirs."""

    event: str
    at: int
    users: tuple[int, ...]
    statuses: dict[int, str] | None
    status: str
    hours: int
    has_place: bool

    def body(self, number: int) -> bytes:
        changes: dict[str, Any] = {"status": self.status, "starts_at": moment(START + timedelta(hours=self.hours))}
        if not self.has_place:
            changes["lieu"] = None
        if self.statuses is None:
            changes["participations"] = None
        return rdv(number, self.event, at=self.at, users=self.users, statuses=self.statuses, **changes)


WORDS = (*MAPPED, "postponed")


@st.composite
def drawn_event(draw: st.DrawFn) -> Event:
    users = draw(st.lists(st.sampled_from((*INVITED, STRANGER)), unique=True, max_size=3))
    told = st.fixed_dictionaries({user: st.sampled_from(WORDS) for user in users})
    return Event(
        event=draw(st.sampled_from(("created", "updated", "updated", "updated", "updated", "destroyed"))),
        at=draw(st.integers(0, 4)),  # few seconds: many ties
        users=tuple(users),
        statuses=draw(st.none() | told),
        status=draw(st.sampled_from(WORDS)),
        hours=draw(st.integers(0, 2)),
        has_place=draw(st.booleans()),
    )


def expected(bodies: Sequence[tuple[Event, bytes]], people: dict[int, UUID]) -> dict[str, Any] | None:
    """The state by its definition, worked out from the set of events and from nothing else."""

    def is_understood(event: Event) -> bool:
        words = [word for user, word in (event.statuses or {}).items() if user in people]
        return all(word in MAPPED for word in (event.status, *words))

    if any(event.event == "destroyed" for event, _ in bodies):
        return None
    understood = [(read_envelope(body).order, event) for event, body in bodies if is_understood(event)]
    if not any(user in people for _, event in understood for user in event.users):
        return None
    _, newest = max(understood, key=lambda pair: pair[0])
    parts: dict[UUID, ShownPart] = {}
    for user in set(newest.users) & people.keys():
        telling = [pair for pair in understood if user in (pair[1].statuses or {})]
        word = (max(telling, key=lambda pair: pair[0])[1].statuses or {})[user] if telling else "unknown"
        status, cancelled_by = MAPPED[word]
        parts[people[user]] = ShownPart(status, word, cancelled_by, 10_000 + user if telling else None)
    return {
        "start_at": START + timedelta(hours=newest.hours),
        "status": MAPPED[newest.status][0],
        "source_status": newest.status,
        "total_participants": len(newest.users),
        "place": 1026 if newest.has_place else None,
        "parts": parts,
    }


def part_of(seen: dict[str, Any] | None, keys: Sequence[str]) -> dict[str, Any] | None:
    return None if seen is None else {key: seen[key] for key in keys}


COMPARED = ("start_at", "status", "source_status", "total_participants", "place", "parts")


def an_event(**changes: Any) -> Event:
    plain = Event(event="updated", at=0, users=(2,), statuses=None, status="unknown", hours=0, has_place=True)
    return replace(plain, **changes)


CREATED = an_event(event="created", at=1, statuses={2: "unknown"})
SEEN = an_event(at=2, statuses={2: "seen"})
REMOVED = an_event(at=3, users=(), statuses={})
BACK = an_event(at=4, hours=1)


@pytest.fixture
async def setting(database: object) -> Setting:
    return await make_setting(*INVITED)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(drawn_event(), min_size=1, max_size=7), appliers=st.integers(1, 3), data=st.data())
@example(events=[REMOVED, CREATED], appliers=1, data=None)
@example(events=[BACK, SEEN, REMOVED], appliers=1, data=None)
@example(events=[REMOVED, an_event(status="postponed")], appliers=1, data=None)
@example(events=[an_event(event="destroyed", at=1, users=()), SEEN], appliers=1, data=None)
async def test_any_multiset_and_order_ends_in_the_state_of_the_newest_event(
    setting: Setting, events: list[Event], appliers: int, data: Any
):
    await forget(NUMBER)
    bodies = [(event, event.body(NUMBER)) for event in events]
    again = st.lists(st.sampled_from(bodies), max_size=4)
    repeated: list[tuple[Event, bytes]] = data.draw(again) if data is not None else []
    shares: list[list[bytes]] = [[] for _ in range(appliers)]
    for position, (_, body) in enumerate([*bodies, *repeated]):
        shares[position % appliers].append(body)

    async with asyncio.TaskGroup() as group:
        for share in shares:
            group.create_task(apply_in_turn(share))

    people = {user: person.id for user, person in setting.people.items()}
    assert part_of(await shown(NUMBER), COMPARED) == expected(bodies, people)


async def apply_in_turn(bodies: Sequence[bytes]) -> None:
    for body in bodies:
        await apply(body)


@pytest.mark.usefixtures("database")
async def test_created_seen_corrected_and_destroyed_leave_nothing_in_all_orders():
    await make_setting(*INVITED)
    ends: list[Any] = []

    for order in permutations(
        (
            an_event(event="created", at=1, statuses={2: "unknown"}),
            an_event(at=2, statuses={2: "seen"}),
            an_event(at=3, statuses={2: "unknown"}),
            an_event(event="destroyed", at=4, statuses={2: "unknown"}),
        )
    ):
        number = next_number()
        await apply_all(*(event.body(number) for event in order))
        ends.append(await shown(number))

    assert ends == [None] * 24


@pytest.mark.usefixtures("database")
async def test_a_person_who_was_removed_and_came_back_is_the_same_in_all_orders():
    setting = await make_setting(*INVITED)
    ends: list[Any] = []

    for order in permutations((CREATED, SEEN, REMOVED, BACK)):
        number = next_number()
        await apply_all(*(event.body(number) for event in order))
        ends.append(part_of(await shown(number), COMPARED))

    part = ShownPart("seen", "seen", None, 10_002)
    assert [end["parts"] for end in ends] == [{setting.people[2].id: part}] * 24
    assert {end["start_at"] for end in ends} == {START + timedelta(hours=1)}


@pytest.mark.usefixtures("database")
async def test_a_person_who_was_removed_is_gone_and_the_appointment_kept_in_all_orders():
    await make_setting(*INVITED)
    ends: list[Any] = []

    for order in permutations((CREATED, SEEN, REMOVED)):
        number = next_number()
        await apply_all(*(event.body(number) for event in order))
        ends.append(part_of(await shown(number), ("parts", "total_participants")))

    assert ends == [{"parts": {}, "total_participants": 0}] * 6
