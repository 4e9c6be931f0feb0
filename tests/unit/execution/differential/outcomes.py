"""What resolvers and attributes of a random schema yield: mostly what they promise, at times anything else.

An outcome follows from a seed and from where it stands, so that two runs meet the same ones; a log of every call tells
whether they met them in the same order.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import IntEnum, StrEnum
from random import Random
from typing import Any, cast
from uuid import UUID

import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
)
from graphql.pyutils import Undefined


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Word(str):
    """A text that is not exactly a `str`."""

    __slots__ = ()


class Surprise(Exception):
    """What resolvers raise, and sometimes return."""


@dataclass
class World:
    """The outcomes of one run. `oddness`: how many of a hundred outcomes are not what was promised."""

    seed: int
    oddness: int
    classes: dict[str, type[Any]]  # by the name of the GraphQL type
    calls: list[str] = field(default_factory=list[str])
    _begun: list[Coroutine[Any, Any, Any]] = field(default_factory=list[Coroutine[Any, Any, Any]])

    def close(self) -> None:
        """End what nobody awaited: some values hold an awaitable where neither executor looks for one."""
        for coroutine in self._begun:
            coroutine.close()

    def call(self, label: str, kind: Any) -> Any:
        """Return or raise what a field yields, and log that it was asked."""
        self.calls.append(label)
        return self.outcome(label, kind)

    def outcome(self, label: str, kind: Any) -> Any:
        random = Random(f"{self.seed}:{label}")
        if random.randrange(100) < self.oddness:
            return self._odd(random, label, kind)
        return self._promised(random, label, kind)

    # -- what was promised

    def _promised(self, random: Random, label: str, kind: Any) -> Any:
        if isinstance(kind, GraphQLNonNull):
            kind = cast("Any", kind.of_type)
        elif random.randrange(6) == 0:
            return None
        if isinstance(kind, GraphQLList):
            items = [self.outcome(f"{label}[{index}]", kind.of_type) for index in range(random.randrange(4))]
            return tuple(items) if random.randrange(4) == 0 else items
        if isinstance(kind, GraphQLObjectType):
            return self._object(random, label, kind)
        if isinstance(kind, (GraphQLInterfaceType, GraphQLUnionType)):
            return self._object(random, label, random.choice(self._possible(kind)))
        if isinstance(kind, GraphQLEnumType):
            return random.choice(list(Colour if kind.name == "Colour" else Level))
        return random.choice(_SCALARS[kind.name])

    @staticmethod
    def _possible(kind: Any) -> list[GraphQLObjectType]:
        return kind.extensions["possible"]

    def _object(self, random: Random, label: str, kind: GraphQLObjectType) -> Any:
        own = self.classes[kind.name]
        way = random.randrange(20)
        if way < 14:
            return self.instance(own, label)
        if way == 14:
            return self.instance(type(own.__name__, (own,), {}), label)
        if way == 15:
            return strawberry.cast(own, self.instance(_foreign(own), label))
        if way == 16:
            return self.instance(_ghost(own), label)
        return self.instance(_foreign(own), label)

    def instance(self, of: type[Any], label: str) -> Any:
        made = object.__new__(of)
        made.__dict__.update(_world=self, _label=label)
        return made

    # -- anything else

    def _odd(self, random: Random, label: str, kind: Any) -> Any:
        ways: list[Callable[[], Any]] = [
            lambda: None,
            lambda: Undefined,
            lambda: Surprise(f"returned at {label}"),
            lambda: self._raise(Surprise(f"raised at {label}")),
            lambda: self._raise(GraphQLError(f"refused at {label}", extensions={"code": "REFUSED"})),
            lambda: random.choice(_ANYTHING),
            lambda: self.later(random, label, kind),
            lambda: self.later(random, label, kind),
            lambda: _Promise(self.later(random, label, kind)),
        ]
        named = cast("Any", kind.of_type if isinstance(kind, GraphQLNonNull) else kind)
        edges = _EDGES.get(getattr(named, "name", ""), [])
        ways += [lambda: random.choice(edges)] * len(edges)
        if isinstance(named, GraphQLList):
            ways += [lambda: self._generator(label, named), lambda: self._stream(label, named)]
        return random.choice(ways)()

    @staticmethod
    def _raise(error: Exception) -> Any:
        raise error

    def later(self, random: Random, label: str, kind: Any) -> Coroutine[Any, Any, Any]:
        coroutine = self._later(random, label, kind)
        self._begun.append(coroutine)
        return coroutine

    async def _later(self, random: Random, label: str, kind: Any) -> Any:
        for _ in range(random.randrange(4)):
            await asyncio.sleep(0)
        self.calls.append(f"{label}~")
        return self.outcome(f"{label}~", kind)

    def _generator(self, label: str, kind: Any) -> Generator[Any, None, None]:
        for index in range(2):
            self.calls.append(f"{label}({index})")
            yield self.outcome(f"{label}({index})", kind.of_type)

    async def _stream(self, label: str, kind: Any) -> AsyncGenerator[Any, None]:
        for index in range(2):
            await asyncio.sleep(0)
            self.calls.append(f"{label}<{index}>")
            yield self.outcome(f"{label}<{index}>", kind.of_type)


class _Promise:
    """Awaitable, and neither coroutine nor future."""

    def __init__(self, inner: Awaitable[Any]) -> None:
        self._inner = inner

    def __str__(self) -> str:
        return "promise"

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._inner.__await__()


class _Described:
    """Its text is the same in each run."""

    def __str__(self) -> str:
        return type(self).__name__


def _foreign(own: type[Any]) -> type[Any]:
    """A class of the same attributes that Strawberry does not know."""
    return type(
        "Foreign", (_Described,), {name: value for name, value in vars(own).items() if isinstance(value, property)}
    )


def _ghost(own: type[Any]) -> type[Any]:
    """A class that finds its attributes only when they are asked for."""

    def find(self: Any, name: str) -> Any:
        found = vars(own).get(name)
        if isinstance(found, property) and found.fget is not None:
            return found.fget(self)
        raise AttributeError(name)

    return type("Ghost", (_Described,), {"__getattr__": find})


_SCALARS: dict[str, list[Any]] = {
    "String": ["", "text", "d’œuvre", Word("word"), Colour.RED],
    "Int": [0, -7, 2**31 - 1, True],
    "Float": [0.0, -1.5, 3, 1e300],
    "Boolean": [True, False, 0],
    "ID": ["id", 7, Word("id")],
    "Date": [date(2026, 2, 18), date(1, 1, 1), datetime(2026, 2, 18, tzinfo=UTC)],
    "DateTime": [
        datetime(2026, 2, 18, 9, 30, tzinfo=UTC),
        datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 2, 18, 9, 30, tzinfo=timezone(timedelta(hours=2))),
        datetime(1900, 1, 1, tzinfo=timezone(timedelta(seconds=561))),
        datetime(2026, 2, 18),  # noqa: DTZ001 (a value that lacks its zone is what is tested)
        date(2026, 2, 18),
    ],
    "Time": [time(9, 30), time(23, 59, 59, 1, tzinfo=UTC)],
    "Decimal": [Decimal("1.50"), Decimal(0)],
    "UUID": [UUID(int=1), UUID(int=2**127)],
    "Whim": ["kept", "raise", "null", "undefined", "later", 5],
    "JSON": [{"a": [1, None]}, "text", 1.5],
}
# Of the right class, and yet not of the type.
_EDGES: dict[str, list[Any]] = {
    "Int": [2**31, -(2**31) - 1, 1.5],
    "Float": [float("nan"), float("inf"), -float("inf")],
    "Colour": [Level.LOW, "red", "RED"],
    "Level": [Colour.RED, 1, 3],
}
_ANYTHING: list[Any] = [
    0,
    2**31,
    -1.5,
    float("nan"),
    float("inf"),
    True,
    "text",
    "",
    Word("word"),
    b"bytes",
    [],
    ["text", None],
    (1, 2),
    {},
    {"name": 1},
    {1, 2},
    Colour.RED,
    Level.HIGH,
    Decimal("NaN"),
    object,
    date(2026, 2, 18),
    datetime(2026, 2, 18, tzinfo=UTC),
    UUID(int=3),
    ValueError,
]
