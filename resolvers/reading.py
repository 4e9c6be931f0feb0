"""Reads: from a selection to one fixed SQL statement, and from its records to the objects that GraphQL shows.

A plan is made once for each (entity, selection, kind of viewer) and kept. It joins everything that is one of a kind (a
person, an approval, the next appointment) into the statement of the list, so that a page costs one statement whatever
it holds. Its `build` is a generated function: one dictionary per object, no work for a field that nobody selected.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, EnumType
from string import Formatter
from typing import Any, cast

from asyncpg import Record

from resolvers.global_ids import encoding
from resolvers.selection import Selection
from resolvers.sources import Column, Computed, Embedded, Entity, FieldSource, OnDemand, ToOne
from resolvers.statements import Statement
from resolvers.viewer import Viewer
from resolvers.visibility import visible

_MAX_PLANS = 2_000

Build = Callable[[Record], Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """The parts of a statement that read one entity, and how an object is made of a record's values."""

    alias: str
    columns: tuple[str, ...]
    source: str  # FROM ... and its joins
    conditions: tuple[str, ...]  # what the viewer may see, then what was asked for
    order: tuple[str, ...]
    build: Build
    made: Made  # what `build` makes
    names: Mapping[str, Any]  # of the values in its expressions
    statements: dict[tuple[Any, ...], Statement] = field(default_factory=dict[tuple[Any, ...], Statement])

    def select_list(self, *, with_order: bool = True) -> str:
        """The columns that `build` reads by position, then those of the order, which cursors are made of."""
        named = [f"{column} AS c{position}" for position, column in enumerate(self.columns)]
        order = self.order if with_order else ()
        return ", ".join([*named, *(f"{column} AS k{position}" for position, column in enumerate(order))])

    def where(self, *more: str) -> str:
        return " AND ".join(f"({condition})" for condition in (*self.conditions, *more))


@dataclass(frozen=True, slots=True)
class Value:
    """An expression of a record `r`, in the names of its plan. `members`: of an enum, by what the record holds."""

    text: str
    members: Mapping[Any, Enum] | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """An object that is made of a record, attribute by attribute. `when`: the expression that says if there is one."""

    object_type: Any
    attributes: Mapping[str, Value | Made]
    when: str | None = None


_plans: dict[tuple[Any, ...], Plan] = {}


def plan(
    entity: Entity, selection: Selection, viewer: Viewer, *, order: tuple[str, ...] = (), where: tuple[str, ...] = ()
) -> Plan:
    """Return the plan for one entity and selection, as this kind of viewer may read it.

    `order` and `where` are templates of the entity: they may name its joins.
    """
    key = (entity.name, selection.key, viewer.scope, viewer.partner_scopes, order, where)
    found = _plans.get(key)
    if found is None:
        if len(_plans) >= _MAX_PLANS:
            _plans.clear()
        found = _plans[key] = _Compiler(viewer).compile(entity, selection, order, where)
    return found


class _Compiler:
    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._aliases = 0
        self._columns: dict[str, int] = {}
        self._joins: list[str] = []
        self._joined: set[str] = set()
        self._names: dict[str, Any] = {"make": _make, "b2a_base64": b2a_base64}

    def compile(self, entity: Entity, selection: Selection, order: tuple[str, ...], where: tuple[str, ...]) -> Plan:
        alias = self._alias()
        made = self._object(entity, selection, alias)
        placed_order = tuple(self._place(column, entity, alias) for column in order)
        conditions = tuple(self._place(condition, entity, alias) for condition in where)
        code = compile(f"def build(r):\n    return {self._text(made)}\n", f"<plan {entity.name}>", "exec")
        exec(code, self._names)  # noqa: S102 (generated from resolvers/entities and validated field names alone)
        return Plan(
            alias=alias,
            columns=tuple(self._columns),
            source=f'"{entity.table}" {alias} {" ".join(self._joins)}'.rstrip(),
            conditions=(self._condition(entity, alias), *conditions),
            order=placed_order,
            build=self._names["build"],
            made=made,
            names=self._names,
        )

    def _condition(self, entity: Entity, alias: str) -> str:
        rule = visible(entity.name, self._viewer.scope, self._viewer.partner_scopes)
        return rule.replace("{t}", alias)

    def _alias(self) -> str:
        self._aliases += 1
        return f"t{self._aliases}"

    # -- expressions that make objects

    def _object(self, entity: Entity, selection: Selection, alias: str) -> Made:
        key = self._value(f"{alias}.id")
        attributes: dict[str, Value | Made] = {"pk": Value(key)}
        for name in selection.fields:
            if name == "id":
                attributes["id"] = Value(encoding(entity.name, key))
            elif name != "__typename":
                self._field(entity, name, selection.fields[name], alias, attributes)
        return Made(entity.object_type or entity.name, attributes)

    def _field(
        self, entity: Entity, name: str, below: Selection, alias: str, attributes: dict[str, Value | Made]
    ) -> None:
        source = entity.fields[name]
        if isinstance(source, (OnDemand, Embedded)):
            for private in source.needs:
                attributes[private] = self._leaf(entity.private[private], entity, alias)
        if not isinstance(source, OnDemand):
            attribute = source.attribute if isinstance(source, Embedded) else None
            attributes[attribute or _snake(name)] = self._expression(source, entity, below, alias)

    def _expression(self, source: FieldSource, entity: Entity, below: Selection, alias: str) -> Value | Made:
        match source:
            case Column() | Computed():
                return self._leaf(source, entity, alias)
            case ToOne():
                return self._to_one(source, entity, below, alias)
            case Embedded():
                return self._embedded(source, entity, below, alias)
            case OnDemand():
                raise TypeError("an on-demand field has no expression of its own")

    def _leaf(self, source: Column | Computed, entity: Entity, alias: str) -> Value:
        if isinstance(source, Computed):
            values = ", ".join(self._value(self._place(sql, entity, alias)) for sql in source.sql)
            return Value(f"{self._name(source.compute)}({values})")
        value = self._value(self._place(source.sql, entity, alias))
        if source.decode is None:
            return Value(value)
        if isinstance(source.decode, EnumType):
            # Calling the class searches the same, three times slower.
            return Value(value, {member.value: member for member in cast("Iterable[Enum]", source.decode)})
        return Value(f"None if {value} is None else {self._name(source.decode)}({value})")

    def _to_one(self, source: ToOne, entity: Entity, below: Selection, alias: str) -> Made:
        other_entity = entity_named(source.entity)
        other = self._alias()
        on = self._place(source.on, entity, alias, other=other)
        rule = "TRUE" if source.implied else self._condition(other_entity, other)
        # Everything that the rule needs is asked inside the join: a row out of sight is as absent as no row.
        self._joins.append(f'LEFT JOIN "{other_entity.table}" {other} ON {on} AND ({rule})')
        made = self._object(other_entity, below, other)
        return replace(made, when=f"{self._value(f'{other}.id')} is not None")

    def _embedded(self, source: Embedded, entity: Entity, below: Selection, alias: str) -> Made:
        part = Entity(source.type_name, entity.table, source.fields, entity.joins, private=entity.private)
        attributes: dict[str, Value | Made] = {}
        for name in below.fields:
            if name != "__typename":
                self._field(part, name, below.fields[name], alias, attributes)
        when = None if source.when is None else self._value(self._place(source.when, entity, alias))
        return Made(embedded_types.get(source.type_name, source.type_name), attributes, when)

    def _text(self, part: Value | Made) -> str:
        """Return the expression that makes a value or an object."""
        if isinstance(part, Value):
            if part.members is None:
                return part.text
            return f"None if {part.text} is None else {self._name(part.members)}[{part.text}]"
        listed = ", ".join(f"{name!r}: {self._text(value)}" for name, value in part.attributes.items())
        made = f"make({self._name(part.object_type)}, {{{listed}}})"
        return made if part.when is None else f"({made} if {part.when} else None)"

    # -- pieces

    def _name(self, value: Any) -> str:
        """Give the generated function access to a Python value."""
        name = f"v{len(self._names)}"
        self._names[name] = value
        return name

    def _value(self, sql: str) -> str:
        """Select a column (once) and return where a record holds it."""
        return f"r[{self._columns.setdefault(sql, len(self._columns))}]"

    def _place(self, template: str, entity: Entity, alias: str, **aliases: str) -> str:
        """Put aliases into a template, adding the entity's joins that it names."""
        places = {"t": alias, "parent": "parent.id", **aliases}
        for _, name, _, _ in Formatter().parse(template):
            if name is not None and name not in places:
                places[name] = self._join(name, entity, alias)
        return template.format(**places)

    def _join(self, name: str, entity: Entity, alias: str) -> str:
        joined = f"{alias}_{name}"
        if joined not in self._joined:
            self._joined.add(joined)
            join = self._place(entity.joins[name], entity, alias, **{name: joined})
            self._joins.append(join)
        return joined


def _make(object_type: type[Any], attributes: dict[str, Any]) -> Any:
    """An instance that holds exactly what was selected: no other attribute is ever asked for."""
    instance = object.__new__(object_type)
    instance.__dict__ = attributes
    return instance


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


# -- the registry that resolvers/entities fills and schema/ completes with its types

_entities: dict[str, Entity] = {}
embedded_types: dict[str, type[Any]] = {}


def register(*entities: Entity) -> None:
    for entity in entities:
        _entities[entity.name] = entity


def entity_named(name: str) -> Entity:
    return _entities[name]


def entity_names() -> frozenset[str]:
    return frozenset(_entities)


def bind_type(name: str, object_type: type[Any]) -> None:
    """Tell which Strawberry type shows an entity, or an embedded part of one."""
    if name in _entities:
        _entities[name].object_type = object_type
    else:
        embedded_types[name] = object_type
