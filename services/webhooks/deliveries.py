"""What a verified webhook says on its envelope: enough to store it, order it and find it again.

The rest of the body is read when it is applied: whatever is odd in there must not turn into a refusal of the sender's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum
from types import MappingProxyType

from clients.rdv_insertion.events import (
    APPOINTMENT,
    INVITATION,
    Envelope,
    EventRank,
    UnreadableEvent,
    read_appointment,
    read_envelope,
    read_invitation,
)
from clients.tally import TallyEvent, UnreadableSubmission, read_tally_event
from models.enums import Partner

FORM_RESPONSE = "form_response"
UNKNOWN_MODEL = "unknown_model"

_MAX_MODEL = 64
# An appointment of more people than that is no appointment; an index entry is written for each of them.
_MAX_USERS = 5_000
_MASK = "[nir]"
_REF = re.compile(r"[A-Za-z0-9_-]{20,64}", re.ASCII)
# Thirteen or fifteen digits in the order of a NIR, Corsica included, however they are grouped.
_NIR = re.compile(
    r"(?<![0-9A-Za-z])[1-478][ .-]?\d{2}[ .-]?\d{2}[ .-]?(?:\d{2}|2[ABab])[ .-]?\d{3}[ .-]?\d{3}(?:[ .-]?\d{2})?"
    r"(?![0-9A-Za-z])",
    re.ASCII,
)


class UnreadableDelivery(Exception):
    """A body without what every webhook of its source has. `where` is a path of keys, nothing of the content."""

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where


class Precedence(IntEnum):
    """How the events of one resource stand to each other."""

    EACH = 0  # says something of its own, whatever was said before or after
    STATE = 1  # the whole state: the newest one suffices
    FINAL = 2  # the last state there is, whatever time an event bears that crossed it


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One webhook as it is to be stored. `ignored_because`: nobody will ever process it."""

    source: Partner
    fingerprint: str
    model: str
    event: str
    resource_id: str
    body: bytes = field(repr=False)
    resource_at: datetime | None = None
    event_rank: int | None = None
    precedence: Precedence = Precedence.EACH
    organisation_id: int | None = None
    user_ids: tuple[int, ...] = ()
    ignored_because: str | None = None
    shows_nir: bool = False


def read_rdv_insertion(body: bytes) -> Delivery:
    """Raises UnreadableDelivery."""
    try:
        envelope, text = read_envelope(body), body.decode()
    except UnreadableEvent as error:
        raise UnreadableDelivery(error.where) from None
    except UnicodeDecodeError:
        raise UnreadableDelivery("encoding") from None
    organisation_id, user_ids = _whom_it_concerns(envelope, body)
    return Delivery(
        source=Partner.RDV_INSERTION,
        fingerprint=envelope.fingerprint,
        model=envelope.model[:_MAX_MODEL],
        event=envelope.event,
        resource_id=str(envelope.resource_id),
        resource_at=envelope.at,
        event_rank=envelope.rank,
        precedence=_precedence(envelope),
        organisation_id=organisation_id,
        user_ids=user_ids,
        body=body,
        ignored_because=None if envelope.is_supported else UNKNOWN_MODEL,
        shows_nir=has_nir(text),
    )


def read_tally(body: bytes) -> Delivery:
    """Keeps the hidden fields only: answers stay at Tally. Raises UnreadableDelivery."""
    try:
        event = read_tally_event(body)
    except UnreadableSubmission as error:
        raise UnreadableDelivery(error.where) from None
    hidden = {label: _NIR.sub(_MASK, value) for label, value in event.hidden.items()}
    masked = replace(event, hidden=MappingProxyType(hidden))
    return Delivery(
        source=Partner.TALLY,
        fingerprint=event.fingerprint,
        model=event.event_type.replace("\0", "").lower()[:_MAX_MODEL],
        event="",
        resource_id=_survey_of(event, hidden),
        resource_at=event.submitted_at,
        body=masked.stored_body(),
        ignored_because=None if event.is_response else UNKNOWN_MODEL,
        shows_nir=hidden != dict(event.hidden),
    )


def has_nir(text: str) -> bool:
    """Whether something in it looks like a NIR."""
    return _NIR.search(text) is not None


def _precedence(envelope: Envelope) -> Precedence:
    is_last = envelope.rank is EventRank.DESTROYED
    if envelope.model == APPOINTMENT:
        return Precedence.FINAL if is_last else Precedence.STATE
    # An invitation that is destroyed over there stays here as it was: its last event replaces none.
    return Precedence.EACH if is_last else Precedence.STATE


def _whom_it_concerns(envelope: Envelope, body: bytes) -> tuple[int | None, tuple[int, ...]]:
    """The organisation and the people, by RDV-Insertion's numbers; nothing where the resource cannot be read."""
    try:
        if envelope.model == APPOINTMENT:
            appointment = read_appointment(body)
            return appointment.organisation_id, tuple(sorted(appointment.user_ids)[:_MAX_USERS])
        if envelope.model == INVITATION:
            user_id = read_invitation(body).user_id
            return None, () if user_id is None else (user_id,)
    except UnreadableEvent:
        pass  # it is stored all the same, and whoever applies it says what is wrong with it
    return None, ()


def _survey_of(event: TallyEvent, hidden: Mapping[str, str]) -> str:
    """Two answers to one survey must not be applied at once. What is no reference of ours stands for itself."""
    reference = hidden.get("ref", "")
    if not _REF.fullmatch(reference):
        return event.fingerprint
    return hashlib.sha256(f"ref:{reference}".encode()).hexdigest()
