"""Events of appointments: who of ours takes part, when and where, and what became of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

import structlog

from clients.rdv_insertion import AppointmentSnapshot, Envelope, EventRank, Place, UnreadableEvent, read_appointment
from models import WebhookEvent
from models.enums import AppointmentEventKind, Partner
from services.appointments import recording
from services.appointments.state import (
    EventOrder,
    Parts,
    UnlistedStatus,
    changes_to_tell,
    columns_of,
    with_people,
    with_statuses,
)
from services.appointments.statuses import loggable
from services.appointments.stored import Stored, read_stored
from services.event_log import AppointmentChanged, append
from services.webhooks.outcomes import Applied, Failed, Ignored, Outcome, Unmatched

UNREADABLE = "unreadable"
UNLISTED_STATUS = "unlisted_status"
ORGANISATION_CHANGED = "organisation_changed"
UNKNOWN_ORGANISATION = "unknown_organisation"
NOBODY_INVITED = "nobody_invited"
STALE = "stale"
DESTROYED = "destroyed"

log = structlog.get_logger(__name__)


async def apply_appointment_event(envelope: Envelope, body: bytes, *, now: datetime) -> Outcome:
    """Compare the event with the newest one known of its appointment, and let it change what it may."""
    snapshot = _read(envelope, body)
    order = (envelope.at, int(envelope.rank), envelope.fingerprint)
    stored = await _read_stored(envelope.resource_id, snapshot)
    if stored.is_destroyed:
        return Applied() if order == stored.order else Ignored(DESTROYED)
    if envelope.rank is EventRank.DESTROYED:
        return await _destroy(stored, snapshot, order, now=now)
    if snapshot is None:
        return Failed(UNREADABLE)
    if stored.organisation_id is not None and snapshot.organisation_id not in (None, stored.organisation_id):
        # It is shown to the company it was made with; what another one does is not for them to see.
        log.error("appointment_event_of_another_organisation", appointment=stored.number)
        return Failed(ORGANISATION_CHANGED)
    try:
        columns_of(snapshot)  # what it says must be understood before anything is remembered of it
        if stored.order is None or order >= stored.order:
            return await _apply_newest(stored, snapshot, order, now=now)
        return await _apply_older(stored, snapshot, order, now=now)
    except UnlistedStatus as unlisted:
        log.error("appointment_status_unlisted", appointment=stored.number, status=loggable(unlisted.word))  # noqa: TRY400
        return Failed(UNLISTED_STATUS)


def _read(envelope: Envelope, body: bytes) -> AppointmentSnapshot | None:
    try:
        return read_appointment(body)
    except UnreadableEvent as unreadable:
        log.error("appointment_event_unreadable", appointment=envelope.resource_id, where=unreadable.where)  # noqa: TRY400
        return None


async def _read_stored(number: int, *snapshots: AppointmentSnapshot | None) -> Stored:
    """What is stored about the people of all snapshots, and about the place of the first."""
    given = [snapshot for snapshot in snapshots if snapshot is not None]
    place = given[0].place if given else None
    return await read_stored(
        number,
        organisation_id=next((each.organisation_id for each in given if each.organisation_id is not None), None),
        users=frozenset[int]().union(*(snapshot.user_ids for snapshot in given)),
        place=place.rdv_solidarites_id if place else None,
    )


async def _destroy(
    stored: Stored, snapshot: AppointmentSnapshot | None, order: EventOrder, *, now: datetime
) -> Outcome:
    """Final, whatever comes later: it was stamped before the deletion, so that a change made meanwhile seems newer."""
    organisation_id = snapshot.organisation_id if snapshot else None
    await recording.remember_version(stored.number, order, organisation_id=organisation_id, destroyed_at=now)
    known = stored.appointment
    if known is None or stored.company_id is None:
        return Applied() if stored.followed else _unmatched(stored)
    await recording.destroy(known.id, now=now)
    gone = AppointmentChanged(kind=AppointmentEventKind.DELETED, appointment_id=known.id, company_id=stored.company_id)
    await append([gone], now=now)
    return Applied()


async def _apply_newest(stored: Stored, snapshot: AppointmentSnapshot, order: EventOrder, *, now: datetime) -> Outcome:
    if stored.company_id is None or (stored.appointment is None and not stored.followed):
        await recording.remember_version(stored.number, order, organisation_id=snapshot.organisation_id)
        return _unmatched(stored)
    listed = with_people(stored.parts, snapshot.user_ids, stored.followed)
    parts = with_statuses(listed, snapshot.attendances, order, stored.followed)
    await _record(stored, stored.company_id, snapshot, order, parts, now=now)
    return Applied()


async def _apply_older(stored: Stored, snapshot: AppointmentSnapshot, order: EventOrder, *, now: datetime) -> Outcome:
    """A newer event is known. What it left unsaid may still be told by this one."""
    if stored.appointment is None:
        return await _follow_after_all(stored, snapshot, order, now=now)
    parts = with_statuses(stored.parts, snapshot.attendances, order, stored.followed)
    await recording.keep_parts(stored.appointment.id, stored.parts, parts, now=now)
    entries = changes_to_tell(
        stored.appointment.id, _company(stored), columns=(None, None), parts=(stored.parts, parts)
    )
    await append(entries, now=now)
    return Applied() if entries else Ignored(STALE)


async def _follow_after_all(stored: Stored, older: AppointmentSnapshot, order: EventOrder, *, now: datetime) -> Outcome:
    """Somebody of ours took part once, and the newest event came first and no longer names them.

    The appointment is kept, as it would have been had the events come in order: with what the newest one says.
    """
    if stored.order is None or stored.company_id is None or not stored.followed:
        if stored.order is not None and stored.organisation_id is None and older.organisation_id is not None:
            await recording.remember_version(stored.number, stored.order, organisation_id=older.organisation_id)
        return Ignored(STALE)
    newest = await _read_again(stored.order)
    if newest is None:
        return Ignored(STALE)
    stored_for_both = await _read_stored(stored.number, newest, older)
    followed = stored_for_both.followed
    listed = with_people({}, newest.user_ids, followed)
    told = with_statuses(listed, newest.attendances, stored.order, followed)
    parts = with_statuses(told, older.attendances, order, followed)
    await _record(stored_for_both, stored.company_id, newest, stored.order, parts, now=now)
    return Applied()


async def _read_again(order: EventOrder) -> AppointmentSnapshot | None:
    """The event of that place in the order, from the inbox. None once its body was purged."""
    event = await WebhookEvent.filter(source=Partner.RDV_INSERTION, fingerprint=order[2]).only("id", "body").first()
    return read_appointment(event.body.encode()) if event is not None and event.body else None


async def _record(
    stored: Stored, company_id: UUID, snapshot: AppointmentSnapshot, order: EventOrder, parts: Parts, *, now: datetime
) -> None:
    """Write what differs from before; last of all, because others wait for it, the log."""
    before, after = stored.appointment, columns_of(snapshot)
    appointment_id = before.id if before else uuid4()
    place_id = await _keep_place(stored, snapshot.place, order)
    if before is None or before.columns != after:
        await recording.keep_appointment(appointment_id, stored.number, company_id, place_id, after, order)
    await recording.keep_parts(appointment_id, stored.parts, parts, now=now)
    if stored.order != order or stored.organisation_id is None:
        await recording.remember_version(stored.number, order, organisation_id=snapshot.organisation_id)
    columns = (before.columns if before else None, after)
    await append(changes_to_tell(appointment_id, company_id, columns=columns, parts=(stored.parts, parts)), now=now)


async def _keep_place(stored: Stored, place: Place | None, order: EventOrder) -> UUID | None:
    """The row of the place. Written only where it says something else: many appointments share it."""
    if place is None:
        return None
    return stored.place_id if stored.place == place else await recording.keep_place(place, order)


def _unmatched(stored: Stored) -> Unmatched:
    return Unmatched(UNKNOWN_ORGANISATION if stored.company_id is None else NOBODY_INVITED)


def _company(stored: Stored) -> UUID:
    assert stored.company_id is not None  # noqa: S101 (an appointment's company is a foreign key)
    return stored.company_id
