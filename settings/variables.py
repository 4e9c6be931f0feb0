"""Variables of the environment as fields of a frozen dataclass: their form, their limits, what they decide.

    port: int = variable(8000, "port the API listens on", ge=1, le=65535)

reads PORT. What a field may be: text, `Secret`, whole and other numbers, flags, durations (in seconds in the
environment), paths, UUIDs, names of an Enum; each of them or None; tuples of them, separated by commas there.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, EnumType
from functools import cache
from hmac import compare_digest
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

_RULES = "variable"
_FLAGS = {
    **dict.fromkeys(("true", "1", "yes", "y", "on", "t"), True),
    **dict.fromkeys(("false", "0", "no", "n", "off", "f"), False),
}


class Secret:
    """A text that never prints itself. `reveal()` gives it to whoever sends it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(...)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a value must keep to. Limits of durations are in seconds. `check` returns the value, or another for it."""

    description: str
    ge: float | None
    gt: float | None
    le: float | None
    one_of: tuple[str, ...]
    check: Callable[[Any], Any] | None

    @property
    def limits(self) -> str:
        """In words, as in `from 1 to 65535`."""
        bounds = (("from", self.ge), ("above", self.gt), ("to", self.le))
        return " ".join(f"{word} {number_text(bound)}" for word, bound in bounds if bound is not None)

    def allow(self, number: float) -> bool:
        return (
            not math.isnan(number)
            and (self.ge is None or number >= self.ge)
            and (self.gt is None or number > self.gt)
            and (self.le is None or number <= self.le)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One variable. `kind`: the type of one value, without None. `is_shown`: whether its value may be printed."""

    name: str
    attribute: str
    kind: type[Any]
    is_list: bool
    default: Any
    is_shown: bool
    rules: Rules

    @property
    def is_secret(self) -> bool:
        return self.kind is Secret

    def read(self, text: str) -> Any:
        """Return the value. Raises ValueError, which says what is expected and nothing of the text."""
        if self.is_list:
            return tuple(self._one(part) for each in text.split(",") if (part := each.strip()))
        return self._one(text)

    def _one(self, text: str) -> Any:
        rules = self.rules
        if rules.one_of and text not in rules.one_of:
            # Which one of a list it is must be told, and is no secret.
            which = f'"{text}": ' if self.is_list else ""
            raise ValueError(f"{which}{_either(rules.one_of)} is expected")
        value = _read_as(self.kind, text, rules)
        return value if rules.check is None else rules.check(value)


def variable(
    default: Any,
    description: str,
    *,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    one_of: tuple[str, ...] = (),
    check: Callable[[Any], Any] | None = None,
    is_shown: bool = True,
) -> Any:
    """Declare a field that is read from the environment. `check` takes each value, and raises ValueError."""
    rules = Rules(description=description, ge=ge, gt=gt, le=le, one_of=one_of, check=check)
    return dataclasses.field(default=default, repr=is_shown, metadata={_RULES: rules})


@cache
def variables_of(settings: type[Any]) -> Mapping[str, Variable]:
    """Return the variables of a dataclass, by attribute, in their order."""
    kinds = get_type_hints(settings)
    found: dict[str, Variable] = {}
    for field in dataclasses.fields(settings):
        kind = _without_none(kinds[field.name])
        is_list = get_origin(kind) is tuple
        found[field.name] = Variable(
            name=field.name.upper(),
            attribute=field.name,
            kind=get_args(kind)[0] if is_list else kind,
            is_list=is_list,
            default=field.default,
            is_shown=field.repr,
            rules=field.metadata[_RULES],
        )
    return found


def read_variables(settings: type[Any], environ: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Return the values that the environment gives, by attribute, and a sentence for each that is wrong.

    A variable that is set to nothing, as compose files leave it, is not set.
    """
    given = {name.upper(): text for name, text in environ.items() if text}
    values: dict[str, Any] = {}
    problems: list[str] = []
    for one in variables_of(settings).values():
        if one.name in given:
            try:
                values[one.attribute] = one.read(given[one.name])
            except ValueError as error:
                problems.append(f"{one.name}: {error}")
    return values, problems


def number_text(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def _read_as(kind: type[Any], text: str, rules: Rules) -> Any:
    if kind is bool:
        return _flag(text)
    if kind is int:
        return _number(int, text, rules, "a whole number")
    if kind is float:
        return _number(float, text, rules, "a number")
    if kind is timedelta:
        return _seconds(text, rules)
    if isinstance(kind, EnumType):
        return _member(kind, text)
    if kind is UUID:
        return _uuid(text)
    return kind(text)  # a text, a Secret, a Path


def _flag(text: str) -> bool:
    try:
        return _FLAGS[text.strip().lower()]
    except KeyError:
        raise ValueError("true or false is expected") from None


def _number(kind: type[int] | type[float], text: str, rules: Rules, expected: str) -> float:
    try:
        number = kind(text)
    except ValueError:
        number = math.nan
    if not rules.allow(number):
        raise ValueError(" ".join(filter(None, (expected, rules.limits, "is expected"))))
    return number


def _seconds(text: str, rules: Rules) -> timedelta:
    try:
        return timedelta(seconds=_number(float, text, rules, "a number of seconds"))
    except OverflowError:
        raise ValueError("a number of seconds is expected") from None


def _member(kind: EnumType, text: str) -> Enum:
    members = cast("dict[str, Enum]", {str(member.value): member for member in cast("Any", kind)})
    try:
        return members[text]
    except KeyError:
        raise ValueError(f"{_either(tuple(members))} is expected") from None


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ValueError("an id is expected, as in 6f1a9e0c-6c1e-4a52-9d3b-0c7d2f1f4f55") from None


def _either(words: tuple[str, ...]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, UnionType):
        return next(part for part in get_args(annotation) if part is not NoneType)
    return annotation
