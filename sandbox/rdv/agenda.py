"""What the simulated RDV-Insertion remembers: people, invitations, appointments."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sandbox.clock import Clock
from sandbox.names import plain
from sandbox.rdv.organisations import Organisation

_DAY = timedelta(hours=24)
_VALIDITY = timedelta(days=10)
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_FIRST_NUMBER = 10_000_000

CATEGORIES = {
    "siae_interview": (16, "Entretien SIAE"),
    "siae_collective_information": (17, "Info coll. SIAE"),
    "siae_follow_up": (18, "Suivi SIAE"),
}


@dataclass(slots=True)
class User:
    """One person of a department."""

    id: int
    department: str
    first_name: str
    last_name: str
    title: str | None
    created_at: datetime
    email: str | None = None
    phone_number: str | None = None
    birth_date: str | None = None
    address: str | None = None
    role: str | None = "demandeur"
    organisation_ids: set[int] = field(default_factory=set[int])


@dataclass(slots=True)
class Invitation:
    id: int
    user: User
    format: str
    category: str
    created_at: datetime
    expires_at: datetime | None
    clicked: bool = False
    delivery_status: str | None = None
    delivered_at: datetime | None = None


@dataclass(slots=True)
class Participation:
    id: int
    user: User
    created_at: datetime
    status: str = "unknown"


@dataclass(slots=True)
class Appointment:
    id: int
    organisation: Organisation
    starts_at: datetime
    duration_in_min: int
    category: str | None
    motif: str
    is_collective: bool
    has_place: bool
    created_by: str
    max_participants: int | None = None
    status: str = "unknown"
    cancelled_at: datetime | None = None
    participations: list[Participation] = field(default_factory=list[Participation])


class Agenda:
    """The state. Numbers follow the clock, so that a restart never gives out one a second time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_number = 0
        self._last_told: dict[tuple[str, int], datetime] = {}
        self.users: dict[int, User] = {}
        self.invitations: dict[int, Invitation] = {}
        self.appointments: dict[int, Appointment] = {}

    def find_user(self, department: str, *, email: str | None, phone: str | None, first_name: str) -> User | None:
        """By e-mail, then by phone, each with the same first word of the first name."""
        who = (department, _first_word(first_name))
        same_word = [user for user in self.users.values() if (user.department, _first_word(user.first_name)) == who]
        by_email = [user for user in same_word if email and (user.email or "").casefold() == email.casefold()]
        by_phone = [user for user in same_word if phone and user.phone_number == phone]
        return next(iter([*by_email, *by_phone]), None)

    def add_user(
        self, department: str, *, first_name: str, last_name: str, email: str | None, phone: str | None
    ) -> User:
        """A new person; the number follows who they are, so that it is the same after a restart."""
        who = f"{department}:{(email or phone or last_name).casefold()}:{_first_word(first_name)}"
        number = _FIRST_NUMBER + int.from_bytes(hashlib.sha256(who.encode()).digest()[:4]) % 2_000_000_000
        user = User(
            id=number,
            department=department,
            first_name=first_name,
            last_name=last_name,
            title=None,
            created_at=self._clock.now(),
            email=email,
            phone_number=phone,
        )
        self.users[number] = user
        return user

    def user_or_stranger(self, number: int, organisation: Organisation) -> User:
        """The person, or an invented one under that number: somebody was invited before the sandbox started."""
        if number not in self.users:
            self.users[number] = User(
                id=number,
                department=organisation.department,
                first_name="Ignace",
                last_name=f"Inconnu {number}",
                title="monsieur",
                created_at=self._clock.now(),
                email=f"inconnu.{number}@exemple.test",
            )
        user = self.users[number]
        user.organisation_ids.add(organisation.rdv_solidarites_id)
        return user

    def invite(self, user: User, format_: str, category: str) -> Invitation | None:
        """None: invited today already by that format, and nothing says that it failed."""
        now = self._clock.now()
        for earlier in self.invitations.values():
            is_same = earlier.user is user and earlier.format == format_ and earlier.category == category
            if is_same and now - earlier.created_at < _DAY and earlier.delivery_status in {None, "delivered"}:
                return None
        invitation = Invitation(
            id=self._next_number(),
            user=user,
            format=format_,
            category=category,
            created_at=now,
            expires_at=now + _VALIDITY,
        )
        self.invitations[invitation.id] = invitation
        return invitation

    def book(self, appointment: Appointment, users: Sequence[User]) -> Appointment:
        appointment.id = self._next_number()
        for user in users:
            self.add_participant(appointment, user)
        self.appointments[appointment.id] = appointment
        return appointment

    def add_participant(self, appointment: Appointment, user: User) -> None:
        if all(participation.user is not user for participation in appointment.participations):
            appointment.participations.append(
                Participation(id=self._next_number(), user=user, created_at=self._clock.now())
            )
        for invitation in self.invitations.values():
            if invitation.user is user:
                invitation.expires_at = self._clock.now()

    def told_at(self, model: str, number: int) -> datetime:
        """When a change is said to have happened: whole seconds, and each one of a resource later than the one before.

        The partner's own times may tie. Here they do not: what is done by hand in one second keeps its order.
        """
        now = self._clock.now().replace(microsecond=0)
        last = self._last_told.get((model, number))
        self._last_told[model, number] = now if last is None or now > last else last + timedelta(seconds=1)
        return self._last_told[model, number]

    def _next_number(self) -> int:
        by_clock = _FIRST_NUMBER + int((self._clock.now() - _EPOCH).total_seconds() * 10)
        self._last_number = max(self._last_number + 1, by_clock)
        return self._last_number


def _first_word(name: str) -> str:
    return (plain(name).split() or [""])[0]
