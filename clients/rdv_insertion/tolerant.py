"""Fields that RDV-Insertion may leave out, null, or send in another form: what cannot be read counts as absent.

Keys come and go between its versions. One odd value in a place that nothing depends on must not cost a whole event.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, cast

from pydantic import BeforeValidator, Field

# No text of theirs is longer than the columns it ends in.
_MAX_SHORT = 32
_MAX_CODE = 64
_MAX_NAME = 255
_MAX_TEXT = 512
_MAX_ID = 2**63 - 1  # a bigint, there and here
_MAX_COUNT = 2**31 - 1  # an integer here


def read_moment(value: object) -> datetime | None:
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


def _text_of(max_length: int) -> BeforeValidator:
    def read(value: object) -> str:
        return storable(value)[:max_length] if isinstance(value, str) else ""

    return BeforeValidator(read)


def storable(text: str) -> str:
    """PostgreSQL stores every character but one: with it, the event would fail for ever."""
    return text.replace("\0", "")


def _word(value: object) -> str | None:
    return storable(value)[:_MAX_SHORT] or None if isinstance(value, str) else None


def _whole_number(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= _MAX_ID else None


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= _MAX_COUNT else None


def _flag(value: object) -> bool:
    return value is True


def _objects(value: object) -> list[Any]:
    """The objects of a list. Absent and null lists are empty ones; other entries, null most of all, are skipped."""
    if not isinstance(value, list):
        return []
    return [entry for entry in cast("list[object]", value) if isinstance(entry, dict)]


def _object(value: object) -> object:
    return cast("object", value) if isinstance(value, dict) else None


Id = Annotated[int, Field(strict=True, ge=1, le=_MAX_ID)]
# "" for null
Short = Annotated[str, _text_of(_MAX_SHORT)]
Code = Annotated[str, _text_of(_MAX_CODE)]
Name = Annotated[str, _text_of(_MAX_NAME)]
Text = Annotated[str, _text_of(_MAX_TEXT)]
Word = Annotated[str | None, BeforeValidator(_word)]  # None for ""
OptionalNumber = Annotated[int | None, BeforeValidator(_whole_number)]
OptionalCount = Annotated[int | None, BeforeValidator(_count)]
OptionalMoment = Annotated[datetime | None, BeforeValidator(read_moment)]
Flag = Annotated[bool, BeforeValidator(_flag)]  # false for null
SKIP_OTHERS = BeforeValidator(_objects)
OR_NONE = BeforeValidator(_object)
