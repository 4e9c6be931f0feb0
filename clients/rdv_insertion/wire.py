"""What is sent to RDV-Insertion and in which form, and what comes back."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from msgspec import Meta

from clients.rdv_insertion.errors import RefusalTexts
from clients.rdv_insertion.tolerant import SHORT, TEXT, Id, moment_of, number_of, object_of, text_of, word_of
from clients.shapes import Shape, Wire

SIAE_INTERVIEW = "siae_interview"

_ROLE = "demandeur"
_MAX_REFUSAL_TEXTS = 10
_MAX_REFUSAL_LENGTH = 500


class Title(StrEnum):
    MONSIEUR = "monsieur"
    MADAME = "madame"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitee:
    """The person to invite. Names must not be blank, and one contact at least is needed.

    The NIR has no place here: RDV-Insertion does not keep it for these organisations.
    """

    first_name: str = field(repr=False)
    last_name: str = field(repr=False)
    title: Title = field(repr=False)
    email: str = field(default="", repr=False)
    phone_number: str = field(default="", repr=False)
    birth_date: date | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)  # one line, with post code and city

    @property
    def has_two_contacts(self) -> bool:
        return bool(self.email.strip() and self.phone_number.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class SentInvitation:
    """One message that RDV-Insertion sent. `format` is "sms", "email", "postal", or a word to come."""

    id: int
    format: str
    clicked: bool
    delivery_status: str | None
    created_at: datetime | None
    delivered_at: datetime | None
    expires_at: datetime | None  # None: never


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationAnswer:
    """RDV-Insertion's own number of the person, and what it sent: nothing when there is a landline only."""

    user_id: int
    invitations: tuple[SentInvitation, ...]

    def as_json(self) -> dict[str, Any]:
        """Ids, formats, statuses and dates; nothing of the person."""
        return {
            "user": {"id": self.user_id},
            "invitations": [
                {
                    "id": invitation.id,
                    "format": invitation.format,
                    "clicked": invitation.clicked,
                    "delivery_status": invitation.delivery_status,
                    "created_at": _iso(invitation.created_at),
                    "delivered_at": _iso(invitation.delivered_at),
                    "expires_at": _iso(invitation.expires_at),
                }
                for invitation in self.invitations
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundUser:
    """One person of an organisation, as RDV-Insertion knows them."""

    id: int
    email: str = field(repr=False)
    first_name: str = field(repr=False)


class _InvitedUser(Wire):
    id: Id


class _SentInvitation(Wire):
    id: Id
    format: Annotated[str, Meta(min_length=1, max_length=SHORT)]
    clicked: Any = None
    delivery_status: Any = None
    created_at: Any = None
    delivered_at: Any = None
    expires_at: Any = None

    def as_value(self) -> SentInvitation:
        return SentInvitation(
            id=self.id,
            format=self.format,
            clicked=self.clicked is True,
            delivery_status=word_of(self.delivery_status),
            created_at=moment_of(self.created_at),
            delivered_at=moment_of(self.delivered_at),
            expires_at=moment_of(self.expires_at),
        )


class InviteAnswer(Wire):
    success: Literal[True]
    user: _InvitedUser
    invitations: tuple[_SentInvitation, ...] = ()

    def as_value(self) -> InvitationAnswer:
        return InvitationAnswer(
            user_id=self.user.id, invitations=tuple(invitation.as_value() for invitation in self.invitations)
        )


class _FoundUser(Wire):
    id: Id
    email: Any = None
    first_name: Any = None

    def as_value(self) -> FoundUser:
        return FoundUser(id=self.id, email=text_of(self.email, TEXT), first_name=text_of(self.first_name, TEXT))


class UsersPage(Wire):
    users: list[_FoundUser]
    pagination: Any = None

    @property
    def next_page(self) -> int | None:
        return number_of(object_of(self.pagination).get("next_page"))

    def matching(self, email: str) -> list[FoundUser]:
        """The search looks into names too: only the bearers of exactly that address count."""
        wanted = email.strip().casefold()
        found = (user.as_value() for user in self.users)
        return [user for user in found if user.email.strip().casefold() == wanted]


class _RefusalEntry(Wire):
    error_details: Any = None
    first_name: str | None = None


class _Refusal(Wire):
    errors: tuple[Any, ...] = ()


INVITE_ANSWER = Shape(InviteAnswer, strict=True)
USERS_PAGE = Shape(UsersPage, strict=True)
_REFUSAL = Shape(_Refusal)
_REFUSAL_ENTRY = Shape(_RefusalEntry)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The body of a 422. `is_about_the_person`: refused before any invitation was tried."""

    details: RefusalTexts
    is_about_the_person: bool


def invite_body(invitee: Invitee, category: str) -> dict[str, Any]:
    """What is unknown is left out: a null would erase what RDV-Insertion knows from somebody else."""
    person: dict[str, Any] = {
        "first_name": invitee.first_name.strip(),
        "last_name": invitee.last_name.strip(),
        "title": invitee.title.value,
        "role": _ROLE,
        "email": invitee.email.strip(),
        "phone_number": invitee.phone_number.strip(),
        "birth_date": f"{invitee.birth_date:%d/%m/%Y}" if invitee.birth_date else None,
        "address": (invitee.address or "").strip(),
    }
    known = {key: value for key, value in person.items() if value}
    # Documented as optional, but the synchronous call ends in a 500 without it.
    return {"user": known | {"invitation": {"motif_category": {"short_name": category}}}}


def read_refusal(body: bytes) -> Refusal:
    """Entries are texts or objects; a body that is neither JSON nor documented is a refusal without words."""
    refusal = _REFUSAL.read_or_none(body)
    entries = refusal.errors if refusal else ()
    texts: list[str] = []
    names_the_person = False
    for entry in entries[:_MAX_REFUSAL_TEXTS]:
        if isinstance(entry, str):
            texts.append(entry)
        elif (found := _REFUSAL_ENTRY.take_or_none(entry)) is not None:
            texts.append(text_of(found.error_details, TEXT))
            names_the_person = names_the_person or found.first_name is not None
    kept = tuple(text[:_MAX_REFUSAL_LENGTH] for text in texts if text.strip())
    return Refusal(details=RefusalTexts(kept), is_about_the_person=names_the_person)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
