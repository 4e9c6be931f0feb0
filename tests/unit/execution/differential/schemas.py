"""Random Strawberry schemas: every kind of type and field that plans treat in their own way."""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from random import Random
from typing import Annotated, Any, NewType, cast
from uuid import UUID

import strawberry
from graphql import GraphQLObjectType, GraphQLSchema
from graphql.pyutils import Undefined
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig

from execution.plans import Read, read_field
from tests.unit.execution.differential.outcomes import Colour, Level, Surprise, World

Whim = NewType("Whim", str)
strawberry.enum(Colour)
strawberry.enum(Level)


def _whim(value: Any) -> Any:
    """A scalar that does not always answer with a value."""
    match value:
        case "raise":
            raise Surprise("a whim")
        case "null":
            return None
        case "undefined":
            return Undefined
        case "later":
            return _Late()
        case _:
            return f"whim {type(value).__name__}"


class _Late:
    def __await__(self) -> Generator[None, None, str]:
        yield
        return "late whim"


class _Permission(BasePermission):
    message = "not allowed"

    def has_permission(self, source: Any, info: strawberry.Info, **_: Any) -> bool:
        world: World = info.context
        label = f"{getattr(source, '_label', '')}.{info.field_name}?"
        world.calls.append(label)
        return Random(f"{world.seed}:{label}").randrange(3) > 0


class _Shout(FieldExtension):
    def resolve(self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **arguments: Any) -> Any:
        found = next_(source, info, **arguments)
        return found.upper() if type(found) is str else found


@lru_cache(maxsize=400)
def random_schema(seed: int) -> tuple[GraphQLSchema, dict[str, type[Any]]]:
    """Return a schema and the classes of its object types, by name."""
    return _Builder(Random(seed)).build()


class _Builder:
    def __init__(self, random: Random) -> None:
        self._random = random
        self._classes: dict[str, type[Any]] = {}
        # What fields may hold: leaves first, then the types that exist already. So no type holds itself.
        self._kinds: list[Any] = [*_LEAVES]
        self._composites: list[Any] = []

    def build(self) -> tuple[GraphQLSchema, dict[str, type[Any]]]:
        random = self._random
        interfaces = [self._interface(f"Interface{number}") for number in range(random.randrange(1, 3))]
        for number in range(random.randrange(3, 6)):
            bases = tuple(interface for interface in interfaces if random.randrange(2))
            made = self._type(f"Type{number}", bases)
            self._composites.append(made)
            if random.randrange(3) == 0 and len(self._classes) > 1:
                members = tuple(random.sample(list(self._classes.values()), 2))
                union: Any = members[0] | members[1]
                self._composites.append(Annotated[union, strawberry.union(f"Union{number}")])
        implemented = [base for base in interfaces if any(issubclass(made, base) for made in self._classes.values())]
        self._composites += implemented
        query = self._type("Query", ())
        schema = strawberry.Schema(
            query=query,
            types=[*self._classes.values()],
            config=StrawberryConfig(scalar_map={Whim: strawberry.scalar(name="Whim", serialize=_whim)}),
        )._schema  # pyright: ignore[reportPrivateUsage]: what is compared is graphql-core's execution
        for name, made in self._classes.items():
            self._make_lazy(schema, name, made)
        for kind in schema.type_map.values():
            kind.extensions["possible"] = (
                list(schema.get_possible_types(kind)) if hasattr(kind, "resolve_type") else []  # pyright: ignore[reportArgumentType]: those that have it are abstract
            )
        return schema, self._classes

    def _interface(self, name: str) -> type[Any]:
        fields = {f"{name.lower()}_name": str | None, f"{name.lower()}_number": int}
        return strawberry.interface(type(name, (), {"__annotations__": fields}))

    def _type(self, name: str, bases: tuple[type[Any], ...]) -> type[Any]:
        random = self._random
        body: dict[str, Any] = {"__annotations__": {}}
        for number in range(random.randrange(3, 7)):
            attribute = f"{name.lower()}_field{number}"
            self._field(body, attribute)
        if bases and random.randrange(6) == 0:
            body["is_type_of"] = classmethod(_any_label)
        made = strawberry.type(type(name, bases, body))
        self._classes[name] = made
        return made

    def _field(self, body: dict[str, Any], attribute: str) -> None:
        random = self._random
        kind = self._kind()
        way = random.randrange(14)
        if way < 6:
            body["__annotations__"][attribute] = kind
        elif way == 6:
            body["__annotations__"][attribute] = kind
            body[attribute] = strawberry.field(permission_classes=[_Permission])
        elif way == 7:
            body["__annotations__"][attribute] = kind
            body[attribute] = strawberry.field(extensions=[_Shout()])
        elif way == 8:
            body[attribute] = strawberry.field(resolver=_asynchronous(), graphql_type=kind)
        elif way == 9:
            body[attribute] = strawberry.field(resolver=_with_arguments(), graphql_type=kind)
        elif way < 12:
            body[attribute] = read_field(_preparing(attribute), kind)
        else:
            body[attribute] = strawberry.field(resolver=_synchronous(), graphql_type=kind)

    def _kind(self) -> Any:
        random = self._random
        of_types = self._composites and random.randrange(2)
        kind = random.choice(self._composites if of_types else self._kinds)
        for _ in range(random.choice((0, 0, 0, 1, 1, 2))):
            if random.randrange(3) == 0:
                kind = kind | None
            kind = list[kind]
        return kind | None if random.randrange(2) else kind

    @staticmethod
    def _make_lazy(schema: GraphQLSchema, name: str, made: type[Any]) -> None:
        """Make attributes of what the schema reads, so that an object is filled as far as it is asked."""
        object_type = schema.type_map[name]
        assert isinstance(object_type, GraphQLObjectType)
        for definition in object_type.fields.values():
            python_name: str = definition.extensions["strawberry-definition"].python_name

            def read(self: Any, python_name: str = python_name, kind: Any = definition.type) -> Any:
                return self._world.call(f"{self._label}.{python_name}", kind)

            setattr(made, python_name, property(read))


def _any_label(_: type[Any], value: Any, __: Any) -> Any:
    return bool(getattr(value, "_label", ""))


def _ask(root: Any, info: strawberry.Info, *more: Any) -> Any:
    world: World = info.context
    raw = cast("Any", info._raw_info)  # pyright: ignore[reportPrivateUsage]: the type that was promised
    label = f"{getattr(root, '_label', '')}.{raw.field_name}{more or ''}"
    # A path is part of what resolvers are told.
    world.calls.append(f"{raw.path.as_list()} {raw.parent_type} {[node.alias for node in raw.field_nodes] != []}")
    return world.call(label, raw.return_type)


def _synchronous() -> Callable[..., Any]:
    def resolve(root: Any, info: strawberry.Info) -> Any:
        return _ask(root, info)

    return resolve


def _preparing(attribute: str) -> Callable[[World], Read]:
    """What reads an attribute, unless this world refuses it."""

    def prepare(world: World) -> Read:
        if Random(f"{world.seed}:{attribute}").randrange(4) == 0:
            raise Surprise(f"refused: {attribute}")
        return attrgetter(attribute)

    return prepare


def _with_arguments() -> Callable[..., Any]:
    def resolve(root: Any, info: strawberry.Info, size: int = 3, names: list[str] | None = None) -> Any:
        return _ask(root, info, size, tuple(names or ()))

    return resolve


def _asynchronous() -> Callable[..., Any]:
    async def resolve(root: Any, info: strawberry.Info) -> Any:
        return _ask(root, info)

    return resolve


_LEAVES: list[Any] = [
    str,
    int,
    float,
    bool,
    strawberry.ID,
    date,
    datetime,
    time,
    Decimal,
    UUID,
    Whim,
    JSON,
    Colour,
    Level,
]
