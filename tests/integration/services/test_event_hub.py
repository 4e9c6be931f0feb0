"""The hub: every follower gets every event once and in order, whatever happens to connections, pace and processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import Appointment, AppointmentEvent, EventStream
from models.database import DatabaseConfig, fetch_all, transaction
from models.enums import AppointmentEventKind
from services.event_log import (
    AppointmentChanged,
    Cursor,
    EndReason,
    EventHub,
    HubConfig,
    LogEvent,
    ParticipationStatusChanged,
    Stream,
    StreamEnded,
    Wanted,
    append,
)
from services.event_log.appending import APPEND
from services.event_log.reading import read_head
from services.event_log.retention import purge_logs
from tests.factories import NOW, make_appointment, make_company
from tests.integration.locks import WAITING_FOR_A_LOCK
from tests.integration.models.conftest import connected
from tests.waiting import until

APPOINTMENTS = Wanted(AppointmentChanged)
LISTENER = "traverse-tests-listener"


@pytest.fixture
def config(database: DatabaseConfig) -> HubConfig:
    # A poll that no test waits for: what arrives was announced.
    return HubConfig(url=database.url, application_name=LISTENER, poll_seconds=30, ready_seconds=10)


@asynccontextmanager
async def running(config: HubConfig) -> AsyncGenerator[EventHub, None]:
    hub = EventHub(config)
    hub.start()
    try:
        yield hub
    finally:
        await hub.aclose()


@pytest.fixture
async def hub(config: HubConfig) -> AsyncIterator[EventHub]:
    async with running(config) as hub:
        yield hub


@pytest.fixture
async def appointment(database: object) -> Appointment:
    return await make_appointment(await make_company())


async def write_changes(appointment: Appointment, number: int = 1) -> None:
    change = AppointmentChanged(
        kind=AppointmentEventKind.UPDATED, appointment_id=appointment.id, company_id=appointment.company_id
    )
    async with transaction():
        await append([change] * number, now=NOW)


async def logged() -> list[int]:
    return [row.position for row in await AppointmentEvent.all().order_by("position")]


class Stalker:
    """Follows in the background and notes what it sees."""

    def __init__(self, hub: EventHub, *, wanted: Wanted = APPOINTMENTS) -> None:
        self._hub = hub
        self._wanted = wanted
        self.seen: list[int] = []
        self.ended: StreamEnded | None = None
        self._grown = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    async def begin(self, after: Cursor | None = None) -> Stalker:
        start = await self._hub.begin(Stream.APPOINTMENTS, after)
        events = self._hub.follow(Stream.APPOINTMENTS, self._wanted, start)
        self._task = asyncio.create_task(self._follow(events))
        await asyncio.sleep(0)
        return self

    async def until(self, number: int) -> list[int]:
        async with asyncio.timeout(20), self._grown:
            await self._grown.wait_for(lambda: len(self.seen) >= number or self.ended is not None)
        return self.seen

    async def until_ended(self) -> StreamEnded:
        assert self._task is not None
        async with asyncio.timeout(20):
            await self._task
        assert self.ended is not None
        return self.ended

    async def leave(self) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self, events: AsyncGenerator[LogEvent, None]) -> None:
        try:
            async with aclosing(events):
                async for event in events:
                    await self._note(event.position)
        except StreamEnded as ended:
            self.ended = ended
            async with self._grown:
                self._grown.notify_all()

    async def _note(self, position: int) -> None:
        async with self._grown:
            self.seen.append(position)
            self._grown.notify_all()


async def nobody_listens() -> bool:
    return not await fetch_all("SELECT FROM pg_stat_activity WHERE application_name = $1", LISTENER)


def following(hub: EventHub) -> int:
    return sum(hub.figures().followers.values())


async def test_a_follower_gets_what_is_committed_after_it_came(hub: EventHub, appointment: Appointment):
    await write_changes(appointment)
    stalker = await Stalker(hub).begin(await read_head(Stream.APPOINTMENTS))

    await write_changes(appointment, 3)

    assert await stalker.until(3) == (await logged())[1:]


async def test_a_follower_resumes_after_its_cursor_from_memory_and_from_the_log(
    config: HubConfig, appointment: Appointment
):
    await write_changes(appointment, 12)
    positions = await logged()

    for memory_size in (100, 1):
        async with running(replace(config, memory_size=memory_size, batch_size=4)) as hub:
            epoch = (await hub.begin(Stream.APPOINTMENTS, None)).epoch
            for seen in (0, 5, 12):
                start = positions[seen - 1] if seen else positions[0] - 1
                stalker = await Stalker(hub).begin(Cursor(epoch, start))

                assert await stalker.until(12 - seen) == positions[seen:]
                await stalker.leave()


@pytest.mark.parametrize("first", ["one", "two"])
async def test_a_reader_never_jumps_over_a_transaction_that_commits_later(
    hub: EventHub, appointment: Appointment, database: DatabaseConfig, first: str
):
    stalker = await Stalker(hub).begin()
    async with connected(database.url) as one, connected(database.url) as two:
        numbers = await _append_raw(one, appointment)
        waiting = asyncio.create_task(_append_raw(two, appointment))
        if first == "one":
            await one.execute("COMMIT")
            later = await waiting
            await two.execute("COMMIT")
        else:
            # The second may not have its number before the first has ended, in whichever way.
            await _until_somebody_waits(one)
            assert not waiting.done()
            await one.execute("ROLLBACK")
            later = await waiting
            await two.execute("COMMIT")

    assert later > numbers
    expected = [numbers, later] if first == "one" else [later]
    assert await stalker.until(len(expected)) == expected == await logged()


async def _append_raw(raw: Any, appointment: Appointment) -> int:
    await raw.execute("BEGIN")
    await raw.fetch(APPEND, NOW, ["updated"], [appointment.id], [None], [appointment.company_id], [None], [None])
    return (await raw.fetch("SELECT max(position) AS position FROM appointment_event"))[0]["position"]


async def _until_somebody_waits(raw: Any) -> None:
    while not await raw.fetch(WAITING_FOR_A_LOCK):  # noqa: ASYNC110 (PostgreSQL tells nobody that somebody waits)
        await asyncio.sleep(0)


async def test_writers_at_once_are_read_in_the_order_of_their_commits(hub: EventHub, appointment: Appointment):
    stalker = await Stalker(hub).begin()

    async with asyncio.TaskGroup() as group:
        for _ in range(40):
            group.create_task(write_changes(appointment, 2))

    assert await stalker.until(80) == await logged()


# The join of what was and what comes: writers do not stop for it.
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.sampled_from(["write", "cut", "slow", "other"]), min_size=1, max_size=25),
    memory_size=st.sampled_from([1, 3, 50]),
    batch_size=st.sampled_from([1, 2, 7]),
)
async def test_whoever_is_cut_at_any_time_and_resumes_has_seen_everything_once_and_in_order(
    config: HubConfig, appointment: Appointment, steps: list[str], memory_size: int, batch_size: int
):
    small = replace(config, memory_size=memory_size, batch_size=batch_size)
    async with running(small) as one, running(small) as other:
        start = await one.begin(Stream.APPOINTMENTS, None)
        record: list[int] = []
        hub, stalker = one, await Stalker(one).begin(start)
        async with asyncio.TaskGroup() as writers:
            for step in steps:
                if step == "write":
                    writers.create_task(write_changes(appointment))
                elif step == "slow":
                    await asyncio.sleep(0)
                else:
                    hub = {"cut": hub, "other": one if hub is other else other}[step]
                    await stalker.leave()
                    record += stalker.seen
                    after = Cursor(start.epoch, record[-1]) if record else start
                    stalker = await Stalker(hub).begin(after)
        expected = [position for position in await logged() if position > start.position]

        await stalker.until(len(expected) - len(record))

        await stalker.leave()
        assert record + stalker.seen == expected


async def test_a_killed_listener_connection_costs_no_event(config: HubConfig, appointment: Appointment):
    async with running(config) as hub:
        stalker = await Stalker(hub).begin()
        await write_changes(appointment)
        await stalker.until(1)

        killed = await fetch_all(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", LISTENER
        )
        await write_changes(appointment, 2)

        assert len(killed) == 1
        assert await stalker.until(3) == await logged()
        assert hub.figures().connections_lost >= 1


async def test_an_event_whose_notification_was_lost_is_found_by_the_regular_look(
    config: HubConfig, appointment: Appointment
):
    async with running(replace(config, poll_seconds=0.05)) as hub:
        stalker = await Stalker(hub).begin()

        # Raw, as if the notification had gone to a connection that was just dying.
        await fetch_all(
            "WITH added AS (INSERT INTO appointment_event (occurred_at, kind, appointment_id, company_id)"
            " VALUES (now(), 'updated', $1, $2) RETURNING position) SELECT position FROM added",
            appointment.id,
            appointment.company_id,
        )

        assert await stalker.until(1) == await logged()


async def test_only_events_of_the_wanted_kind_and_companies_reach_a_follower(
    config: HubConfig, appointment: Appointment
):
    other = await make_appointment(await make_company())
    await write_changes(other)
    await write_changes(appointment)
    await write_changes(other)
    ours = (await logged())[1]
    wanted = Wanted(AppointmentChanged, frozenset({appointment.company_id}))

    for theirs, memory_size in ((2, 1), (3, 100)):
        async with running(replace(config, memory_size=memory_size)) as hub:
            head = await hub.begin(Stream.APPOINTMENTS, None)
            stalker = await Stalker(hub, wanted=wanted).begin(Cursor(head.epoch, ours - 2))
            statuses = await Stalker(hub, wanted=Wanted(ParticipationStatusChanged)).begin(Cursor(head.epoch, ours - 2))

            await write_changes(appointment)

            newest = (await logged())[-1]
            assert (await stalker.until(theirs))[-1] == newest
            assert statuses.seen == []
            await stalker.leave()
            await statuses.leave()


# -- ends


async def test_who_does_not_take_events_is_told_to_leave_and_resumes_where_it_was(
    config: HubConfig, appointment: Appointment
):
    async with running(replace(config, queue_size=3)) as hub:
        start = await hub.begin(Stream.APPOINTMENTS, None)
        slow = hub.follow(Stream.APPOINTMENTS, APPOINTMENTS, start)
        quick = await Stalker(hub).begin(start)
        first = asyncio.ensure_future(anext(slow))
        await write_changes(appointment)
        taken = (await first).position
        for _ in range(5):
            await write_changes(appointment)
            await quick.until(len(await logged()))
        positions = await logged()

        assert taken == positions[0]
        with pytest.raises(StreamEnded) as ended:
            await anext(slow)

        assert ended.value.reason is EndReason.SLOW
        assert hub.figures().ended == {EndReason.SLOW: 1}
        resumed = await Stalker(hub).begin(ended.value.cursor)
        assert await resumed.until(5) == positions[1:]
        assert quick.seen == positions


async def test_followers_are_forgotten_however_they_end(hub: EventHub, appointment: Appointment):
    start = await hub.begin(Stream.APPOINTMENTS, None)
    cancelled = await Stalker(hub).begin(start)
    closed = hub.follow(Stream.APPOINTMENTS, APPOINTMENTS, start)
    waiting = asyncio.ensure_future(anext(closed))
    await asyncio.sleep(0)
    assert following(hub) == 2
    await write_changes(appointment)
    await cancelled.until(1)
    await waiting

    await cancelled.leave()
    await closed.aclose()

    assert following(hub) == 0
    stopped = await Stalker(hub).begin(start)
    await hub.aclose()
    assert (await stopped.until_ended()).reason is EndReason.STOPPING
    assert following(hub) == 0


async def test_a_hub_that_stops_tells_its_followers_where_to_resume_and_takes_no_new_ones(
    config: HubConfig, appointment: Appointment
):
    hub = EventHub(config)
    hub.start()
    stalker = await Stalker(hub).begin()
    await write_changes(appointment)
    await stalker.until(1)

    await hub.aclose()

    ended = await stalker.until_ended()
    assert ended.cursor is not None
    assert ended.cursor.position == stalker.seen[-1]
    with pytest.raises(StreamEnded) as refused:
        await hub.begin(Stream.APPOINTMENTS, None)
    assert refused.value.reason is EndReason.STOPPING
    await until(nobody_listens)


async def test_a_hub_without_a_database_says_so_and_begins_when_it_answers(config: HubConfig):
    nowhere = replace(config, url="postgresql://postgres@127.0.0.1:1/traverse", ready_seconds=0.05)

    async with running(nowhere) as hub:
        with pytest.raises(StreamEnded) as refused:
            await hub.begin(Stream.APPOINTMENTS, None)

    assert refused.value.reason is EndReason.NOT_READY


# -- cursors that say too much


async def test_a_cursor_of_another_database_or_of_the_future_is_refused(hub: EventHub, appointment: Appointment):
    await write_changes(appointment)
    head = await hub.begin(Stream.APPOINTMENTS, None)

    for wrong in (Cursor(uuid4(), head.position), Cursor(head.epoch, head.position + 1_000)):
        with pytest.raises(StreamEnded) as refused:
            await hub.begin(Stream.APPOINTMENTS, wrong)

        assert (refused.value.reason, refused.value.cursor) == (EndReason.EXPIRED, None)


async def test_a_cursor_that_another_process_is_ahead_with_is_accepted(
    config: HubConfig, appointment: Appointment, database: DatabaseConfig
):
    async with running(config) as hub:
        head = await hub.begin(Stream.APPOINTMENTS, None)
        # Committed and not announced: this process has not read it, another one may have.
        row = await fetch_all(
            "WITH added AS (INSERT INTO appointment_event (occurred_at, kind, appointment_id, company_id)"
            " VALUES (now(), 'updated', $1, $2) RETURNING position) SELECT position FROM added",
            appointment.id,
            appointment.company_id,
        )
        ahead = Cursor(head.epoch, row[0]["position"])

        stalker = await Stalker(hub).begin(ahead)
        await write_changes(appointment)

        assert await stalker.until(1) == (await logged())[-1:]


async def test_entries_are_deleted_by_age_and_cursors_before_them_are_refused(
    config: HubConfig, appointment: Appointment
):
    await write_changes(appointment, 4)
    old = await logged()
    async with transaction():
        change = AppointmentChanged(
            kind=AppointmentEventKind.MOVED, appointment_id=appointment.id, company_id=appointment.company_id
        )
        await append([change], now=NOW + timedelta(days=3))

    deleted = await purge_logs(before=NOW + timedelta(days=1), batch_size=3)

    assert deleted == {Stream.APPOINTMENTS: 4, Stream.APPROVALS: 0}
    kept = await logged()
    assert len(kept) == 1
    async with running(config) as hub:
        epoch = (await hub.begin(Stream.APPOINTMENTS, None)).epoch
        with pytest.raises(StreamEnded) as refused:
            await hub.begin(Stream.APPOINTMENTS, Cursor(epoch, old[-2]))
        assert refused.value.reason is EndReason.EXPIRED
        assert await (await Stalker(hub).begin(Cursor(epoch, old[-1]))).until(1) == kept


async def test_an_empty_log_that_was_purged_still_knows_where_it_stands(config: HubConfig, appointment: Appointment):
    await write_changes(appointment, 2)
    newest = (await logged())[-1]

    await purge_logs(before=NOW + timedelta(days=1))

    async with running(config) as hub:
        head = await hub.begin(Stream.APPOINTMENTS, None)
        assert head.position == newest
        assert await hub.begin(Stream.APPOINTMENTS, head) == head
        with pytest.raises(StreamEnded):
            await hub.begin(Stream.APPOINTMENTS, Cursor(head.epoch, newest - 1))


async def test_followers_of_a_database_that_was_replaced_are_told_to_read_anew(hub: EventHub, appointment: Appointment):
    stalker = await Stalker(hub).begin()

    await EventStream.filter(name=Stream.APPOINTMENTS.value).update(epoch=uuid4())
    await write_changes(appointment)

    assert (await stalker.until_ended()).reason is EndReason.EXPIRED
    again = await Stalker(hub).begin()
    await write_changes(appointment)
    assert await again.until(1) == (await logged())[-1:]
