"""Invented events of many appointments, signed as RDV-Insertion signs them, and the state they must end in."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import orjson

from models import Company, InvitationRequest, User
from models.database import fetch_all
from models.enums import CompanyKind, UserKind

_MAPPED = {"unknown": "unknown", "seen": "seen", "noshow": "absent", "excused": "cancelled"}
_BEGINNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_START = datetime(2026, 4, 1, 8, 0, tzinfo=UTC)
_PEOPLE_OF_A_COMPANY = 20
_FIRST_ORGANISATION = 5_000
_FIRST_USER = 100_000
_FIRST_APPOINTMENT = 1_000_000

# The column that readers see, and the statuses of those who take part; None: the appointment is gone.
State = tuple[datetime, Mapping[UUID, str]] | None
_SHOWN = """
SELECT appointment.rdv_insertion_id AS number, appointment.start_at, ARRAY(
    SELECT (part.job_seeker_id, part.status) FROM participation part
    WHERE part.appointment_id = appointment.id AND part.removed_at IS NULL) AS parts
FROM appointment WHERE destroyed_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Cast:
    """Companies by their organisation at RDV-Solidarités; people by their number at RDV-Insertion."""

    companies: Mapping[int, UUID]
    people: Mapping[int, UUID]

    def users_of(self, organisation: int) -> Sequence[int]:
        first = _FIRST_USER + (organisation - _FIRST_ORGANISATION) * _PEOPLE_OF_A_COMPANY
        return range(first, first + _PEOPLE_OF_A_COMPANY)


@dataclass(frozen=True, slots=True)
class Webhook:
    """One event: the bytes that are sent, and their signature."""

    body: bytes
    signature: str

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class Story:
    webhooks: Sequence[Webhook]
    ends: Mapping[int, State]


async def invite_cast(companies: int) -> Cast:
    """Enter companies and the people whom they invited a week ago."""
    invited_at = datetime.now(UTC) - timedelta(days=7)
    organisations = range(_FIRST_ORGANISATION, _FIRST_ORGANISATION + companies)
    employers = [
        Company(
            number=number,
            siret=f"9022{number:010d}",
            kind=CompanyKind.ACI,
            name=f"Atelier Inventé {number}",
            department="57",
            rdv_solidarites_id=number,
        )
        for number in organisations
    ]
    people = [
        User(kind=UserKind.JOB_SEEKER, first_name="Zélie", last_name=f"Inventée-{place}", subject=f"story-{place}")
        for place in range(companies * _PEOPLE_OF_A_COMPANY)
    ]
    await Company.bulk_create(employers)
    await User.bulk_create(people)
    await InvitationRequest.bulk_create(
        InvitationRequest(
            job_seeker_id=person.id,
            company_id=employers[place // _PEOPLE_OF_A_COMPANY].id,
            reason_category="siae_interview",
            rdv_insertion_user_id=_FIRST_USER + place,
            created_at=invited_at,
        )
        for place, person in enumerate(people)
    )
    return Cast(
        {number: company.id for number, company in zip(organisations, employers, strict=True)},
        {_FIRST_USER + place: person.id for place, person in enumerate(people)},
    )


def write_story(cast: Cast, *, events: int, secret: str) -> Story:
    """Five events each appointment: booked, moved, attended, and two that differ from one appointment to the next."""
    webhooks: list[Webhook] = []
    ends: dict[int, State] = {}
    organisations = list(cast.companies)
    last_chapters = list(product(("noshow", "excused", "seen", "unknown"), ("updated", "removed", "destroyed")))
    for place in range(events // 5):
        number, organisation = _FIRST_APPOINTMENT + place, organisations[place % len(organisations)]
        users = cast.users_of(organisation)
        one, other = users[place % len(users)], users[(place + 7) % len(users)]
        status, ending = last_chapters[place % len(last_chapters)]
        remaining = {one: status} if ending == "removed" else {one: status, other: "unknown"}
        last_event = "destroyed" if ending == "destroyed" else "updated"
        start, later = _START + timedelta(minutes=place), timedelta(days=place % 7 + 1)
        chapters = (
            ("created", start, {one: "unknown"}),
            ("updated", start + later, {one: "unknown", other: "unknown"}),
            ("updated", start + later, {one: "seen", other: "unknown"}),
            ("updated", start + 2 * later, {one: status, other: "unknown"}),
            (last_event, start + 2 * later, remaining),
        )
        for second, (event, start_at, statuses) in enumerate(chapters):
            at = _BEGINNING + timedelta(seconds=second)
            webhooks.append(signed(event_body(number, event, organisation, start_at, statuses, at=at), secret))
        ends[number] = (
            None
            if ending == "destroyed"
            else (start + 2 * later, {cast.people[user]: _MAPPED[word] for user, word in remaining.items()})
        )
    return Story(webhooks, ends)


def event_body(
    number: int, event: str, organisation: int, start_at: datetime, statuses: Mapping[int, str], *, at: datetime
) -> bytes:
    """An event of an appointment as RDV-Insertion writes it."""
    people = {user: _person(user) for user in statuses}
    data: dict[str, Any] = {
        "id": number,
        "uuid": str(UUID(int=number)),
        "starts_at": start_at.isoformat(timespec="milliseconds"),
        "duration_in_min": 30,
        "status": "unknown",
        "cancelled_at": None,
        "created_by": "user",
        "address": "6 rue Fictive, 75010 Paris",
        "users_count": len(people),
        "max_participants_count": None,
        "rdv_solidarites_rdv_id": number,
        "agents": [{"id": 370, "email": "agent@exemple.test", "first_name": "Ange", "last_name": "INVENTÉ"}],
        "lieu": {"rdv_solidarites_lieu_id": organisation, "name": "Accueil", "address": "6 rue Fictive, 75010 Paris"},
        "motif": {"name": "Entretien d'embauche", "collectif": False, "motif_category": None},
        "organisation": {"id": 91, "rdv_solidarites_organisation_id": organisation, "name": "Atelier Inventé"},
        "users": list(people.values()),
        "participations": [
            {"id": number * 100 + place, "status": word, "user": people[user]}
            for place, (user, word) in enumerate(sorted(statuses.items()))
        ],
    }
    meta = {"model": "Rdv", "event": event, "timestamp": at.strftime("%Y-%m-%d %H:%M:%S +0000")}
    return orjson.dumps({"data": data, "meta": meta})


def signed(body: bytes, secret: str) -> Webhook:
    return Webhook(body, hmac.new(secret.encode(), body, hashlib.sha256).hexdigest())


def _person(user: int) -> dict[str, Any]:
    return {
        "id": user,
        "first_name": "Zélie",
        "last_name": f"Inventée-{user - _FIRST_USER}",
        "title": "madame",
        "role": "demandeur",
        "email": f"zelie-{user}@exemple.test",
        "phone_number": "+33600000000",
        "birth_date": "1989-05-01",
        "address": "6 rue Imaginaire, 75010 Paris",
        "rdv_solidarites_user_id": user + 1,
    }


async def wrong_ends(story: Story) -> int:
    """How many appointments ended in another state than that of their newest event."""
    shown: dict[int, State] = {
        row["number"]: (row["start_at"], {part[0]: part[1] for part in row["parts"]}) for row in await fetch_all(_SHOWN)
    }
    return sum(shown.get(number) != state for number, state in story.ends.items())
