"""Webhook bodies of RDV-Insertion, read into plain values. Pure: bytes in, values or one error out.

Two steps, because they have two readers. The door needs the envelope only, and answers 400 when there is none. The job
reads the resource later, and there nothing that is odd may turn into an answer to the sender any more.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, datetime, timedelta
from enum import IntEnum
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from clients.rdv_insertion.tolerant import (
    OR_NONE,
    SKIP_OTHERS,
    Code,
    Flag,
    Id,
    Name,
    OptionalCount,
    OptionalMoment,
    OptionalNumber,
    Short,
    Text,
    Word,
    read_moment,
    storable,
)

APPOINTMENT = "rdv"
INVITATION = "invitation"
SUPPORTED_MODELS = frozenset({APPOINTMENT, INVITATION})

T = TypeVar("T")

_MAX_NAME = 64
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


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class _Identified(_Model):
    id: Id


class _Meta(_Model):
    model: Annotated[str, Field(min_length=1, max_length=_MAX_NAME)]
    event: Code = ""
    timestamp: str


class _Envelope(_Model):
    data: _Identified
    meta: _Meta


class _MaybeIdentified(_Model):
    """A person. A null or an entry without a number is skipped, never a reason to lose the event."""

    id: OptionalNumber = None


class _Category(_Model):
    short_name: Code = ""
    name: Name = ""


_OptionalCategory = Annotated[_Category | None, OR_NONE]


class _Motif(_Model):
    name: Name = ""
    collectif: Flag = False
    motif_category: _OptionalCategory = None


class _Place(_Model):
    rdv_solidarites_lieu_id: OptionalNumber = None
    name: Name = ""
    address: Text = ""
    phone_number: Short = ""


class _Organisation(_Model):
    rdv_solidarites_organisation_id: OptionalNumber = None


class _Attendance(_Model):
    id: OptionalNumber = None
    status: Word = None
    user: Annotated[_MaybeIdentified | None, OR_NONE] = None


class _Appointment(_Model):
    id: Id
    starts_at: OptionalMoment
    duration_in_min: OptionalNumber = None
    status: Word = None
    cancelled_at: OptionalMoment = None
    address: Text = ""
    users_count: OptionalCount = None
    max_participants_count: OptionalCount = None
    organisation: Annotated[_Organisation | None, OR_NONE] = None
    lieu: Annotated[_Place | None, OR_NONE] = None
    motif: Annotated[_Motif | None, OR_NONE] = None
    users: Annotated[list[_MaybeIdentified], SKIP_OTHERS] = []
    participations: Annotated[list[_Attendance], SKIP_OTHERS] = []


class _Invitation(_Model):
    id: Id
    format: Short = ""
    clicked: Flag = False
    delivery_status: Word = None
    delivered_at: Any = None
    expires_at: OptionalMoment = None
    created_at: OptionalMoment = None
    motif_category: _OptionalCategory = None
    user: Annotated[_MaybeIdentified | None, OR_NONE] = None


class _AppointmentBody(_Model):
    data: _Appointment


class _InvitationBody(_Model):
    data: _Invitation


_ENVELOPE = TypeAdapter(_Envelope)
_APPOINTMENT = TypeAdapter(_AppointmentBody)
_INVITATION = TypeAdapter(_InvitationBody)


def read_envelope(body: bytes) -> Envelope:
    """Raise UnreadableEvent without JSON, `data.id`, `meta.model` or a `meta.timestamp` that says its offset."""
    found = _validated(_ENVELOPE, body)
    at = read_moment(found.meta.timestamp)
    if at is None:
        raise UnreadableEvent("meta.timestamp")
    return Envelope(
        model=storable(found.meta.model).lower(),
        event=found.meta.event,
        at=at,
        resource_id=found.data.id,
        fingerprint=hashlib.sha256(body).hexdigest(),
    )


def read_appointment(body: bytes) -> AppointmentSnapshot:
    """Raise UnreadableEvent without a number, a start or a duration: nothing can be shown of such an appointment."""
    data = _validated(_APPOINTMENT, body).data
    if data.starts_at is None:
        raise UnreadableEvent("data.starts_at")
    if data.duration_in_min is None or data.duration_in_min > _LONGEST_MINUTES:
        raise UnreadableEvent("data.duration_in_min")
    # Whoever shows it adds the two: its end, in any time zone, lies within the years that there are.
    if data.starts_at.year in (MINYEAR, MAXYEAR - 1, MAXYEAR):
        raise UnreadableEvent("data.starts_at")
    motif = data.motif or _Motif()
    category = motif.motif_category or _Category()
    attendances = tuple(_attendances(data.participations))
    listed = frozenset(user.id for user in data.users if user.id is not None)
    return AppointmentSnapshot(
        id=data.id,
        starts_at=data.starts_at,
        duration=timedelta(minutes=data.duration_in_min),
        status=data.status or "unknown",
        cancelled_at=data.cancelled_at,
        address=data.address,
        users_count=data.users_count,
        max_participants_count=data.max_participants_count,
        organisation_id=data.organisation.rdv_solidarites_organisation_id if data.organisation else None,
        place=_place(data.lieu),
        reason=motif.name,
        is_collective=motif.collectif,
        category=category.short_name,
        category_name=category.name,
        user_ids=listed | {attendance.user_id for attendance in attendances},
        attendances=attendances,
    )


def read_invitation(body: bytes) -> InvitationSnapshot:
    """Raise UnreadableEvent without a number. A delivery date that cannot be read is left out, and said to be so."""
    data = _validated(_INVITATION, body).data
    delivered_at = read_moment(data.delivered_at)
    return InvitationSnapshot(
        id=data.id,
        format=data.format,
        clicked=data.clicked,
        delivery_status=data.delivery_status,
        delivered_at=delivered_at,
        expires_at=data.expires_at,
        category=data.motif_category.short_name if data.motif_category else "",
        user_id=data.user.id if data.user else None,
        has_unreadable_date=delivered_at is None and data.delivered_at is not None,
        created_at=data.created_at,
    )


def _attendances(entries: list[_Attendance]) -> list[Attendance]:
    return [
        Attendance(id=entry.id, user_id=entry.user.id, status=entry.status or "unknown")
        for entry in entries
        if entry.id is not None and entry.user is not None and entry.user.id is not None
    ]


def _place(found: _Place | None) -> Place | None:
    if found is None or found.rdv_solidarites_lieu_id is None:
        return None
    return Place(
        rdv_solidarites_id=found.rdv_solidarites_lieu_id,
        name=found.name,
        address=found.address,
        phone_number=found.phone_number,
    )


def _validated(shape: TypeAdapter[T], body: bytes) -> T:
    try:
        return shape.validate_json(body)
    except ValidationError as invalid:
        error = invalid.errors(include_url=False, include_context=False, include_input=False)[0]
    # Raised here and not in the handler: the pydantic error holds what was sent. Keys are the shape's own, not theirs.
    raise UnreadableEvent(".".join(str(key) for key in error["loc"]) or "a JSON object")
