"""Links to the export of one card: good for minutes, and for one viewer.

A link says who asks for what, and nothing of what they may see: rights are read anew when it is followed. It needs no
Authorization header, which a browser that follows a link does not send.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import jwt

EXPORTS_PATH = "/exports"

_AUDIENCE = "traverse-exports"
_MAX_LENGTH = 2_048


class FileFormat(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"
    PNG = "png"


class InvalidLink(Exception):
    """Not a link of ours, or one that was changed."""


class ExpiredLink(Exception):
    """A link of ours whose time is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportTicket:
    """`card_id`: the card's place on its dashboard. `file_format` as it was asked for, which may be none that we have.

    Without `user_id`: nobody was signed in.
    """

    slug: str
    card_id: int
    file_format: str
    user_id: UUID | None
    organization_id: UUID | None


class ExportLinks:
    """Signs and reads links. `base_url`: this server, as its clients reach it."""

    def __init__(self, key: bytes, *, base_url: str, lifetime: timedelta = timedelta(minutes=5)) -> None:
        self._key = key
        self._base_url = base_url.rstrip("/")
        self._lifetime = lifetime

    def url_for(self, ticket: ExportTicket, *, now: datetime) -> str:
        return f"{self._base_url}{EXPORTS_PATH}/{self.token_for(ticket, now=now)}"

    def token_for(self, ticket: ExportTicket, *, now: datetime) -> str:
        claims: dict[str, Any] = {
            "aud": _AUDIENCE,
            "exp": int((now + self._lifetime).timestamp()),
            "slug": ticket.slug,
            "card": ticket.card_id,
            "format": ticket.file_format,
            "user": None if ticket.user_id is None else ticket.user_id.hex,
            "org": None if ticket.organization_id is None else ticket.organization_id.hex,
        }
        return jwt.encode(claims, self._key, algorithm="HS256")

    def read(self, token: str, *, now: datetime) -> ExportTicket:
        """Return what a link asks for. Raises InvalidLink, ExpiredLink."""
        if len(token) > _MAX_LENGTH:
            raise InvalidLink(f"export link: longer than {_MAX_LENGTH} characters")
        try:
            # `exp` is compared below, with the clock that the caller gives.
            claims = jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                audience=_AUDIENCE,
                options={"verify_exp": False, "require": ["exp", "aud"]},
            )
        except jwt.InvalidTokenError:
            raise InvalidLink("export link: not signed by this server; ask for a new one") from None
        if claims["exp"] <= now.timestamp():
            raise ExpiredLink("export link: expired; ask for a new one")
        return ExportTicket(
            slug=claims["slug"],
            card_id=claims["card"],
            file_format=claims["format"],
            user_id=_id(claims["user"]),
            organization_id=_id(claims["org"]),
        )


def _id(text: str | None) -> UUID | None:
    return None if text is None else UUID(hex=text)
