"""Events of RDV-Insertion for tests: written as it writes them, kept in the inbox, applied under a lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any, cast
from uuid import UUID

import orjson

from clients.rdv_insertion import read_envelope
from models import AppointmentEvent, Company, Invitation, InvitationRequest, User, database
from models.database import fetch_all, lock_for_transaction, run_in_transaction, write
from models.enums import InvitationKind
from services.appointments.applying import apply_event
from services.webhooks.deliveries import read_rdv_insertion
from services.webhooks.inbox import store
from services.webhooks.outcomes import Outcome
from tests.factories import NOW, make_company, make_job_seeker

ORGANISATION = 654
START = NOW + timedelta(days=3)
BOOKED_AT = NOW - timedelta(hours=5)  # the first of the events' own times
PLACE = {"rdv_solidarites_lieu_id": 1026, "name": "Accueil", "address": "6 rue Fictive, 75010 Paris"}
CATEGORY = {"id": 16, "short_name": "siae_interview", "name": "Entretien SIAE"}

_numbers = count(1)


def next_number() -> int:
    return next(_numbers)


def moment(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds")


def event_body(model: str, event: str, data: Mapping[str, Any], *, at: int) -> bytes:
    """`at`: seconds after the booking; the partner's clock shows no more."""
    timestamp = (BOOKED_AT + timedelta(seconds=at)).strftime("%Y-%m-%d %H:%M:%S +0000")
    return orjson.dumps({"data": data, "meta": {"model": model, "event": event, "timestamp": timestamp}})


def person(user: int) -> dict[str, Any]:
    return {"id": user, "first_name": "Zélie", "last_name": f"Inventée-{user}", "title": "madame"}


def part(user: int, status: str, *, number: int | None = None) -> dict[str, Any]:
    return {"id": number or 10_000 + user, "status": status, "user": person(user)}


def rdv(
    number: int,
    event: str = "updated",
    *,
    at: int = 0,
    users: Iterable[int] | None = (2,),
    statuses: Mapping[int, str] | None = None,
    organisation: int | None = ORGANISATION,
    **changes: Any,
) -> bytes:
    """An event of an appointment. `statuses`: of the people's parts; everybody's is unknown without it."""
    listed = list(users or ())
    told = dict.fromkeys(listed, "unknown") if statuses is None else statuses
    data: dict[str, Any] = {
        "id": number,
        "starts_at": moment(START),
        "duration_in_min": 30,
        "status": "unknown",
        "cancelled_at": None,
        "address": "6 rue Fictive, 75010 Paris",
        "users_count": len(listed),
        "max_participants_count": None,
        "lieu": PLACE,
        "motif": {"name": "Entretien d'embauche", "collectif": False, "motif_category": CATEGORY},
        "organisation": {"id": 91, "rdv_solidarites_organisation_id": organisation, "name": "SIAE Imaginaire"},
        "users": None if users is None else [person(user) for user in listed],
        "participations": [part(user, status) for user, status in told.items()],
    }
    return event_body("Rdv", event, data | changes, at=at)


def invitation(number: int, event: str = "updated", *, at: int = 0, **changes: Any) -> bytes:
    data: dict[str, Any] = {
        "id": number,
        "format": "email",
        "clicked": False,
        "delivery_status": None,
        "delivered_at": None,
        "motif_category": CATEGORY,
        "user": person(2),
    }
    return event_body("Invitation", event, data | changes, at=at)


async def keep(body: bytes) -> None:
    """Put an event into the inbox, once, as its door does."""
    await store(read_rdv_insertion(body), writer=database, received_at=NOW)


async def apply(body: bytes, *, now: datetime = NOW) -> Outcome:
    """Apply an event as the engine does: in one transaction, alone on its resource."""
    envelope = read_envelope(body)
    await keep(body)

    async def alone() -> Outcome:
        await lock_for_transaction(f"test:{envelope.model}:{envelope.resource_id}")
        return await apply_event(envelope, body, now=now)

    return await run_in_transaction(alone)


async def apply_all(*bodies: bytes) -> list[Outcome]:
    return [await apply(body) for body in bodies]


async def forget(number: int) -> None:
    """As if no event of this appointment had ever come."""
    await write("DELETE FROM appointment WHERE rdv_insertion_id = $1", number)
    await write("DELETE FROM appointment_version WHERE rdv_insertion_id = $1", number)
    await write("DELETE FROM webhook_event WHERE model = 'rdv' AND resource_id = $1", str(number))


async def ask_to_come(job_seeker: User, company: Company, user: int) -> InvitationRequest:
    """The company invited the job seeker, whom RDV-Insertion knows by the number `user`."""
    return await InvitationRequest.create(
        job_seeker=job_seeker,
        company=company,
        reason_category="siae_interview",
        rdv_insertion_user_id=user,
        created_at=BOOKED_AT - timedelta(days=1),
    )


async def make_invitation(number: int) -> Invitation:
    request = await ask_to_come(await make_job_seeker(), await make_company(), 2)
    return await Invitation.create(invitation_request=request, kind=InvitationKind.EMAIL, rdv_insertion_id=number)


@dataclass(frozen=True)
class Setting:
    """A company that uses RDV-Insertion, and the people it invited, by their numbers there."""

    company: Company
    people: dict[int, User]


async def make_setting(*users: int, organisation: int = ORGANISATION) -> Setting:
    company = await make_company(rdv_solidarites_id=organisation)
    people = {user: await make_job_seeker() for user in users}
    for user, job_seeker in people.items():
        await ask_to_come(job_seeker, company, user)
    return Setting(company, people)


_SHOWN = """
SELECT appointment.start_at, appointment.duration, appointment.status, appointment.source_status,
    appointment.cancelled_at, appointment.reason, appointment.address, appointment.total_participants,
    location.rdv_solidarites_id AS place, location.name AS place_name,
    ARRAY(
        SELECT (part.job_seeker_id, part.status, part.source_status, part.cancelled_by, part.rdv_insertion_id)
        FROM participation part WHERE part.appointment_id = appointment.id AND part.removed_at IS NULL
    ) AS parts
FROM appointment LEFT JOIN location ON location.id = appointment.location_id
WHERE appointment.rdv_insertion_id = $1 AND appointment.destroyed_at IS NULL
"""


@dataclass(frozen=True)
class ShownPart:
    status: str
    source_status: str
    cancelled_by: str | None
    number: int | None


async def shown(number: int) -> dict[str, Any] | None:
    """What readers can see of an appointment: its columns, and the parts that stand, by job seeker."""
    rows = await fetch_all(_SHOWN, number)
    if not rows:
        return None
    seen = dict(rows[0])
    seen["parts"] = {part[0]: ShownPart(*part[1:]) for part in cast("list[Any]", seen["parts"])}
    return seen


async def shown_parts(number: int) -> dict[UUID, ShownPart]:
    seen = await shown(number)
    assert seen is not None
    return seen["parts"]


async def told() -> list[tuple[str | None, str | None, str | None]]:
    """The log in its order: kind of an appointment's change, or previous and new status of a part."""
    return [
        (
            event.kind.value if event.kind else None,
            event.previous_status.value if event.previous_status else None,
            event.status.value if event.status else None,
        )
        for event in await AppointmentEvent.all().order_by("position")
    ]
