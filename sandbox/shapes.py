"""What the sandbox's own doors take: JSON objects of known fields, and sentences on what is wrong with others."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, TypeVar, dataclass_transform

import msgspec
from msgspec import inspect

T = TypeVar("T")
AwareDatetime = Annotated[datetime, msgspec.Meta(tz=True)]

# As msgspec ends its sentences: " - at `$.events[0].model`", " - at `$.participations[...]`".
_PLACE = re.compile(r" - at `\$([^`]*)`$")
_STEP = re.compile(r"\.(\w+)|\[")  # into a field, or into an entry of a list or of a map


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One JSON object. `__post_init__` may refuse it by a ValueError, which is what the sender reads.

    msgspec does not hand `kw_only` down: a subclass says it again to ask for a field after those with a default.
    """


def read(kind: type[T], body: bytes) -> T:
    """Read JSON. Raises ValueError, as `take` does."""
    return take(kind, msgspec.json.decode(body))


def take(kind: type[T], value: object) -> T:
    """The same from JSON that was read already. Numbers may come as text.

    Raises ValueError: it names the field, and says what was expected there.
    """
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(_sentence(str(error), kind)) from None


def _sentence(text: str, kind: object) -> str:
    """msgspec's own, with what it leaves out: the values of an enum, the fields of an object, how a time is written."""
    if not text.startswith(("Invalid", "Object contains unknown field")):
        return text
    place = _PLACE.search(text)
    steps: list[str] = _STEP.findall(place.group(1)) if place else []
    match _kind_at(steps, inspect.type_info(kind)):
        case inspect.EnumType(cls=enum):
            expected = _one_of(member.value for member in enum)
        case inspect.LiteralType(values=values):
            expected = _one_of(values)
        case inspect.StructType(fields=fields):
            expected = _one_of(field.name for field in fields)
        case inspect.DateTimeType():
            expected = "2026-04-01T09:00:00+02:00"
        case _:
            return text
    return f"{text}: {expected} expected"


def _one_of(choices: Iterable[object]) -> str:
    return f"one of {', '.join(map(str, choices))}"


def _kind_at(steps: list[str], kind: inspect.Type) -> inspect.Type:
    match kind, steps:
        case inspect.UnionType(types=kinds), _:  # with null, the only union that leads further
            return _kind_at(steps, next(each for each in kinds if not isinstance(each, inspect.NoneType)))
        case inspect.StructType(fields=fields), [name, *rest]:
            return _kind_at(rest, {field.name: field.type for field in fields}.get(name, inspect.AnyType()))
        case ((inspect.ListType(item_type=entry) | inspect.DictType(value_type=entry)), [_, *rest]):
            return _kind_at(rest, entry)
        case _:
            return kind
