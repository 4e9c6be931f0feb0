"""How a GraphQL field finds its value in SQL: the vocabulary in which resolvers/entities describes each type.

Every text is a template. `{t}` is the alias of the row, `{name}` that of a join which the entity declares and which is
added only where a selected field needs it; `:name` is a parameter (resolvers/statements.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Column:
    """A value read as it is, or through `decode` when it is not null."""

    sql: str
    decode: Callable[[Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class Computed:
    """A value made of several columns, by a pure function of them."""

    sql: tuple[str, ...]
    compute: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class ToOne:
    """Another entity, joined in the same statement. Null where no row matches `on` or the viewer may not see it.

    `on` names the other row `{other}`. `implied`: whoever sees this row sees that one, so the rule is not asked again.
    """

    entity: str
    on: str
    implied: bool = False


@dataclass(frozen=True, slots=True)
class Embedded:
    """A part of the same row with a type of its own (an address). `when`: the condition under which there is one.

    `attribute` and `needs` serve a field with a resolver of its own: where it finds the part, and what else it asks.
    """

    type_name: str
    fields: Mapping[str, FieldSource]
    when: str | None = None
    attribute: str | None = None
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OnDemand:
    """A field with a resolver of its own (a nested list, a guarded value): `needs` are the attributes it reads."""

    needs: tuple[str, ...] = ()


FieldSource = Column | Computed | ToOne | Embedded | OnDemand


@dataclass(frozen=True, slots=True)
class Ordering:
    """A total order: what a page is sorted by, ending with the key. `types` parse a cursor's values."""

    name: str
    columns: tuple[str, ...]
    types: tuple[type, ...]
    descending: bool


@dataclass(frozen=True, slots=True)
class Children:
    """A list of another entity that belongs to a row: `{t}` is the child, `{parent}` the row's key."""

    entity: str
    belongs: str
    ordering: Ordering


@dataclass(slots=True)
class Entity:
    """A type of the GraphQL schema that lives in a table."""

    name: str
    table: str
    fields: Mapping[str, FieldSource]
    joins: Mapping[str, str] = field(default_factory=dict[str, str])
    children: Mapping[str, Children] = field(default_factory=dict[str, Children])
    # The Strawberry type whose instances are made; schema/ binds it, since it stands above this layer.
    object_type: type[Any] | None = None
    # Attributes that are not fields of the schema: what guards and resolvers ask of a row.
    private: Mapping[str, Column | Computed] = field(default_factory=dict[str, Column | Computed])
