"""What each answer of the register becomes: an establishment, a move elsewhere, or one of the partner errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from clients.answers import Reply
from clients.errors import ErrorCode
from clients.sirene.establishment import Establishment, establishment_of
from clients.sirene.outcomes import SireneOutcome
from clients.sirene.wire import ESTABLISHMENT, MANY_ANSWER, ONE_ANSWER

_MOVED = frozenset({HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND, HTTPStatus.PERMANENT_REDIRECT})


@dataclass(frozen=True, slots=True)
class Moved:
    """Two registrations were merged: the answer is elsewhere."""

    location: str


def read_one_or_move(reply: Reply, siret: str) -> Establishment | Moved:
    if reply.status in _MOVED:
        return Moved(reply.headers.get("Location", ""))
    return read_one(reply, siret)


def read_one(reply: Reply, siret: str | None) -> Establishment:
    """`siret`: what was asked for; None where another number is expected."""
    match reply.status:
        case HTTPStatus.BAD_REQUEST:
            raise reply.rejected("the number cannot be searched", code=SireneOutcome.SIRET_INVALID)
        case HTTPStatus.FORBIDDEN:
            raise reply.rejected("this company is not shown to us", code=SireneOutcome.COMPANY_OPPOSED)
        case HTTPStatus.NOT_FOUND:
            raise reply.rejected("no establishment has this number", code=SireneOutcome.SIRET_UNKNOWN)
        case _:
            reply.check_status(permanent=())
    answer = reply.parse(ONE_ANSWER).establishment
    establishment = establishment_of(answer)
    if establishment is None or siret not in {None, answer.siret}:
        raise reply.unavailable(
            "not the state of the establishment that was asked for", code=ErrorCode.UNEXPECTED_SHAPE
        )
    return establishment


def read_many(reply: Reply, sirets: Sequence[str]) -> dict[str, Establishment | SireneOutcome]:
    """Those that were found, by number. One that cannot be read is SIRENE_BAD_RESPONSE and spares the others."""
    if reply.status == HTTPStatus.NOT_FOUND:  # none of them
        return {}
    reply.check_status(permanent=())
    answer = reply.parse(MANY_ANSWER)
    if answer.header.total not in {None, len(answer.establishments)}:
        # What is on another page would count as unknown.
        raise reply.unavailable("a page of what was asked for, not all of it", code=ErrorCode.UNEXPECTED_SHAPE)
    missing = set(sirets)
    found: dict[str, Establishment | SireneOutcome] = {}
    for raw in answer.establishments:
        siret = raw.get("siret")
        if not isinstance(siret, str) or siret not in missing:
            raise reply.unavailable("an establishment that was not asked for", code=ErrorCode.UNEXPECTED_SHAPE)
        missing.remove(siret)
        readable = ESTABLISHMENT.take_or_none(raw)
        establishment = None if readable is None else establishment_of(readable)
        found[siret] = establishment or SireneOutcome.SIRENE_BAD_RESPONSE
    return found
