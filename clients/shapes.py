"""What partners send, read into the shape that their pages describe.

A shape is a class of `Wire`, or anything else that msgspec reads. Fields that nobody needs are not declared and cost
nothing; declared ones are there, of their type, or the whole is refused. What is refused says where, by the keys of the
shape itself, and nothing of what stood there.
"""

import re
from typing import Any, Generic, TypeVar, cast, dataclass_transform

import msgspec

T = TypeVar("T")

# As msgspec ends its sentences: " - at `$.data.id`", " - at `$.features[0].geometry`", " - at `key` in `$.labels`".
# What stands before may repeat a value, with a place of its own invention in it; no place holds a backtick.
_PLACE = re.compile(r" - at (?:`key` in )?`\$\.?([^`]*)`$")
_MISSING = re.compile(r"^Object missing required field `(\w+)`")


class Unreadable(ValueError):
    """Not of the shape. `where`: a path of the shape's keys, as in `data.id`; "" for the whole.

    `is_json`: False when it is no JSON at all.
    """

    def __init__(self, where: str, *, is_json: bool) -> None:
        super().__init__(where)
        self.where = where
        self.is_json = is_json

    def __str__(self) -> str:
        return f"{self.where or 'the whole'}: of another shape than documented" if self.is_json else "not JSON"


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """One JSON object. Fields bear the partner's names, or their own with `msgspec.field(name=...)`.

    `__post_init__` may refuse the object by a ValueError. It never prints itself: it holds what came, names and all.
    """

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        # Tracebacks in colour ask for the fields by this one.
        return []


class Shape(Generic[T]):
    """A shape, made once for many readings. Numbers may come as text, as some partners send them, unless `strict`."""

    def __init__(self, kind: type[T], *, strict: bool = False) -> None:
        self._kind = kind
        self._strict = strict
        self._decoder = msgspec.json.Decoder(kind, strict=strict)

    def read(self, body: bytes) -> T:
        """Read JSON. Raises Unreadable."""
        try:
            return self._decoder.decode(body)
        except msgspec.ValidationError as error:
            # The first thing that is odd ended the reading: what comes after it may be no JSON.
            where = _where(error) if _is_json(body) else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            where = None
        # Raised here and not in the handlers: the errors of the library may hold what was sent.
        raise Unreadable(where or "", is_json=where is not None)

    def take(self, value: object) -> T:
        """The same from values that were read already. Raises Unreadable."""
        try:
            return msgspec.convert(value, self._kind, strict=self._strict)
        except msgspec.ValidationError as error:
            where = _where(error)
        except RecursionError:
            where = ""
        raise Unreadable(where, is_json=True)

    def read_or_none(self, body: bytes) -> T | None:
        """For bodies that need not be of the shape."""
        try:
            return self.read(body)
        except Unreadable:
            return None

    def take_or_none(self, value: object) -> T | None:
        """For entries of which one that cannot be read must not hide the others."""
        try:
            return self.take(value)
        except Unreadable:
            return None


def objects_of(value: object) -> list[dict[str, Any]]:
    """The objects of a list of which nothing is certain: no list is an empty one, other entries are left out."""
    if not isinstance(value, list):
        return []
    return [cast("dict[str, Any]", entry) for entry in cast("list[object]", value) if isinstance(entry, dict)]


def object_or_none(value: object) -> dict[str, Any] | None:
    """An object of which nothing is certain, or None for anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body.decode(), type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _where(error: msgspec.ValidationError) -> str:
    # The text of a ValueError of `__post_init__` comes first, and is nobody's business here.
    text = str(error).removeprefix(str(error.__cause__ or ""))
    found = _PLACE.search(text)
    place = found.group(1) if found else ""
    missing = _MISSING.match(text)
    keys = [place, missing.group(1)] if missing else [place]
    return ".".join(key for key in keys if key)
