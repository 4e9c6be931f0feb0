"""Webhook bodies of RDV-Insertion, read into plain values. Pure: bytes in, values or one error out.

Two steps, because they have two readers. The door needs the envelope only, and answers 400 when there is none. The job
reads the resource later, and there nothing that is odd may turn into an answer to the sender any more.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, datetime, timedelta
from enum import IntEnum
from typing import Annotated, Any, Generic, TypeVar

from msgspec import Meta

from clients.rdv_insertion.tolerant import (
    CODE,
    NAME,
    SHORT,
    TEXT,
    Id,
    count_of,
    moment_of,
    number_of,
    object_of,
    storable,
    text_of,
    word_of,
)
from clients.shapes import Shape, Unreadable, Wire, objects_of

APPOINTMENT = "rdv"
INVITATION = "invitation"
SUPPORTED_MODELS = frozenset({APPOINTMENT, INVITATION})

T = TypeVar("T")

_LONGEST_MINUTES = 366 * 24 * 60


class UnreadableEvent(Exception):
    """A body that is no event. `where` is a path of keys; nothing of the content is in it."""

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where

    def __str__(self) -> str:
        return f"RDV-Insertion event: {self.where} missing or of another shape than documented"


class EventRank(IntEnum):
    """Ties of one second, the precision of the event's time, are settled by what happened."""

    CREATED = 0
    UPDATED = 1
    DESTROYED = 2


_RANKS = {"created": EventRank.CREATED, "updated": EventRank.UPDATED, "destroyed": EventRank.DESTROYED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What every event says. `model` is in lower case, `event` as it came ("" when absent), `at` in UTC."""

    model: str
    event: str
    at: datetime
    resource_id: int
    fingerprint: str  # SHA-256 of the body: the same delivery again has the same one

    @property
    def is_supported(self) -> bool:
        return self.model in SUPPORTED_MODELS

    @property
    def rank(self) -> EventRank:
        """A new word counts as an update: every event carries the whole state."""
        return _RANKS.get(self.event, EventRank.UPDATED)

    @property
    def order(self) -> tuple[datetime, EventRank, str]:
        """The total order of the events of one resource; a smaller or equal one than the last applied is stale."""
        return (self.at, self.rank, self.fingerprint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    rdv_solidarites_id: int
    name: str
    address: str
    phone_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """One person's part in an appointment. `status` as it came; see `attendance_status`."""

    id: int
    user_id: int
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentSnapshot:
    """The whole state of an appointment. Of its people only numbers are read."""

    id: int
    starts_at: datetime  # in UTC
    duration: timedelta
    status: str
    cancelled_at: datetime | None
    address: str
    users_count: int | None
    max_participants_count: int | None
    organisation_id: int | None  # at RDV-Solidarités: what a company of ours is found by
    place: Place | None
    reason: str
    is_collective: bool
    category: str  # short name; "" when there is none
    category_name: str
    user_ids: frozenset[int]  # of the people listed and of those with a part
    attendances: tuple[Attendance, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationSnapshot:
    """The whole state of an invitation. There is no organisation in it: it is known by its number or not at all."""

    id: int
    format: str
    clicked: bool
    delivery_status: str | None
    delivered_at: datetime | None
    expires_at: datetime | None
    category: str
    user_id: int | None
    has_unreadable_date: bool = field(default=False)
    created_at: datetime | None = None  # None where it cannot be read


class _Identified(Wire):
    id: Id


class _Meta(Wire):
    model: Annotated[str, Meta(min_length=1, max_length=CODE)]
    timestamp: str
    event: Any = None


class _Envelope(Wire):
    data: _Identified
    meta: _Meta


class _Appointment(_Identified):
    starts_at: Any = None
    duration_in_min: Any = None
    status: Any = None
    cancelled_at: Any = None
    address: Any = None
    users_count: Any = None
    max_participants_count: Any = None
    organisation: Any = None
    lieu: Any = None
    motif: Any = None
    users: Any = None
    participations: Any = None


class _Invitation(_Identified):
    format: Any = None
    clicked: Any = None
    delivery_status: Any = None
    delivered_at: Any = None
    expires_at: Any = None
    created_at: Any = None
    motif_category: Any = None
    user: Any = None


class _Body(Wire, Generic[T]):
    data: T


_ENVELOPE = Shape(_Envelope, strict=True)
_APPOINTMENT = Shape(_Body[_Appointment], strict=True)
_INVITATION = Shape(_Body[_Invitation], strict=True)


def read_envelope(body: bytes) -> Envelope:
    """Raise UnreadableEvent without JSON, `data.id`, `meta.model` or a `meta.timestamp` that says its offset."""
    found = _read(_ENVELOPE, body)
    return Envelope(
        model=storable(found.meta.model).lower(),
        event=text_of(found.meta.event, CODE),
        at=_needed(moment_of(found.meta.timestamp), "meta.timestamp"),
        resource_id=found.data.id,
        fingerprint=hashlib.sha256(body).hexdigest(),
    )


def read_appointment(body: bytes) -> AppointmentSnapshot:
    """Raise UnreadableEvent without a number, a start or a duration: nothing can be shown of such an appointment."""
    data = _read(_APPOINTMENT, body).data
    starts_at = _needed(moment_of(data.starts_at), "data.starts_at")
    minutes = _needed(number_of(data.duration_in_min), "data.duration_in_min")
    if minutes > _LONGEST_MINUTES:
        raise UnreadableEvent("data.duration_in_min")
    # Whoever shows it adds the two: its end, in any time zone, lies within the years that there are.
    if starts_at.year in (MINYEAR, MAXYEAR - 1, MAXYEAR):
        raise UnreadableEvent("data.starts_at")
    motif = object_of(data.motif)
    category = object_of(motif.get("motif_category"))
    attendances = tuple(_attendances(data.participations))
    listed = frozenset(number for user in objects_of(data.users) if (number := number_of(user.get("id"))) is not None)
    return AppointmentSnapshot(
        id=data.id,
        starts_at=starts_at,
        duration=timedelta(minutes=minutes),
        status=word_of(data.status) or "unknown",
        cancelled_at=moment_of(data.cancelled_at),
        address=text_of(data.address, TEXT),
        users_count=count_of(data.users_count),
        max_participants_count=count_of(data.max_participants_count),
        organisation_id=number_of(object_of(data.organisation).get("rdv_solidarites_organisation_id")),
        place=_place(object_of(data.lieu)),
        reason=text_of(motif.get("name"), NAME),
        is_collective=motif.get("collectif") is True,
        category=text_of(category.get("short_name"), CODE),
        category_name=text_of(category.get("name"), NAME),
        user_ids=listed | {attendance.user_id for attendance in attendances},
        attendances=attendances,
    )


def read_invitation(body: bytes) -> InvitationSnapshot:
    """Raise UnreadableEvent without a number. A delivery date that cannot be read is left out, and said to be so."""
    data = _read(_INVITATION, body).data
    delivered_at = moment_of(data.delivered_at)
    return InvitationSnapshot(
        id=data.id,
        format=text_of(data.format, SHORT),
        clicked=data.clicked is True,
        delivery_status=word_of(data.delivery_status),
        delivered_at=delivered_at,
        expires_at=moment_of(data.expires_at),
        category=text_of(object_of(data.motif_category).get("short_name"), CODE),
        user_id=number_of(object_of(data.user).get("id")),
        has_unreadable_date=delivered_at is None and data.delivered_at is not None,
        created_at=moment_of(data.created_at),
    )


def _attendances(participations: object) -> Iterator[Attendance]:
    """Whoever lacks a number, or has a part without one, has none: never a reason to lose the event."""
    for part in objects_of(participations):
        number, user_id = number_of(part.get("id")), number_of(object_of(part.get("user")).get("id"))
        if number is not None and user_id is not None:
            yield Attendance(id=number, user_id=user_id, status=word_of(part.get("status")) or "unknown")


def _place(found: dict[str, Any]) -> Place | None:
    number = number_of(found.get("rdv_solidarites_lieu_id"))
    if number is None:
        return None
    return Place(
        rdv_solidarites_id=number,
        name=text_of(found.get("name"), NAME),
        address=text_of(found.get("address"), TEXT),
        phone_number=text_of(found.get("phone_number"), SHORT),
    )


def _needed(value: T | None, where: str) -> T:
    if value is None:
        raise UnreadableEvent(where)
    return value


def _read(shape: Shape[T], body: bytes) -> T:
    try:
        return shape.read(body)
    except Unreadable as error:
        where = error.where
    raise UnreadableEvent(where or "a JSON object")
