"""Values that RDV-Insertion may leave out, null, or send in another form: what cannot be read counts as absent.

Keys come and go between its versions. One odd value in a place that nothing depends on must not cost a whole event. So
a shape declares such a field as `Any = None`, and whoever takes the value takes it through one of these.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from msgspec import Meta

from clients.shapes import object_or_none

# No text of theirs is longer than the columns it ends in.
SHORT = 32
CODE = 64
NAME = 255
TEXT = 512

_MAX_ID = 2**63 - 1  # a bigint, there and here
_MAX_COUNT = 2**31 - 1  # an integer here

# What a resource is found by is never odd. Only a strict shape refuses a number that comes as text.
Id = Annotated[int, Meta(ge=1, le=_MAX_ID)]


def moment_of(value: object) -> datetime | None:
    """An instant in UTC, from ISO 8601 or from `YYYY-MM-DD HH:MM:SS +HHMM` or `... UTC`. None without an offset."""
    if not isinstance(value, str):
        return None
    text = re.sub(r" ?(?:UTC|Z)$", "+00:00", value.strip())
    # `datetime` wants the offset next to the seconds.
    text = re.sub(r" (?=[+-]\d{2}:?\d{2}$)", "", text)
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def text_of(value: object, longest: int) -> str:
    """Cut to `longest`; "" for what is no text."""
    return storable(value)[:longest] if isinstance(value, str) else ""


def word_of(value: object) -> str | None:
    """A short text that says something, or None."""
    return text_of(value, SHORT) or None


def storable(text: str) -> str:
    """PostgreSQL stores every character but one: with it, the event would fail for ever."""
    return text.replace("\0", "")


def number_of(value: object) -> int | None:
    """None for a negative number, for a fraction, and for one that comes as text."""
    return value if type(value) is int and 0 <= value <= _MAX_ID else None


def count_of(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= _MAX_COUNT else None


def object_of(value: object) -> dict[str, Any]:
    """An object of which nothing is certain; without any key for what is none."""
    return object_or_none(value) or {}
