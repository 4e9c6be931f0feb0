"""The rows of a page as they were read: objects for whoever wants objects, and finished answers for plans.

An answer is made by a function that is generated for a plan's reading (resolvers/reading.py) and its `Shape`
(execution/rows.py): it reads a value where the record holds it, asks the condition of its leaf, and writes it where
the answer wants it. Whatever is unusual about one value makes objects of all, which are shown in the ordinary way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from execution.plans.leaves import Leaf
from execution.rows import Rows, Shape, ShapeField
from resolvers.reading import Made, Plan, Value

CursorOf = Callable[[Any], str]
Answer = Callable[[Sequence[Any], CursorOf | None], list[Any]]

# Kinds of viewers read the same shape by plans of their own; they are few.
_MOST_WAYS = 32


class _Unusual(Exception):
    """A value is not one that the shape takes as it is."""


class RecordRows(Rows):
    """The nodes of a page."""

    __slots__ = ("_plan", "_records")

    def __init__(self, records: Sequence[Any], plan: Plan) -> None:
        self._records = records
        self._plan = plan

    def objects(self) -> list[Any]:
        return [*map(self._plan.build, self._records)]

    def answers(self, shape: Shape) -> list[Any] | None:
        return answers_of(self._records, self._plan, self._plan.made, shape, None)


class EdgeRows(Rows):
    """The edges of a page. `cursor_of`: where cursors are selected."""

    __slots__ = ("_cursor_of", "_make", "_plan", "_records")

    def __init__(
        self,
        records: Sequence[Any],
        plan: Plan,
        cursor_of: CursorOf | None,
        make: Callable[[Any, str | None], Any],
    ) -> None:
        self._records = records
        self._plan = plan
        self._cursor_of = cursor_of
        self._make = make

    def objects(self) -> list[Any]:
        build, make, cursor_of = self._plan.build, self._make, self._cursor_of
        if cursor_of is None:
            return [make(build(record), None) for record in self._records]
        return [make(build(record), cursor_of(record)) for record in self._records]

    def answers(self, shape: Shape) -> list[Any] | None:
        attributes: dict[str, Value | Made] = {"node": self._plan.made}
        if self._cursor_of is not None:
            attributes["cursor"] = Value("cursor_of(r)")
        return answers_of(self._records, self._plan, Made(None, attributes), shape, self._cursor_of)


def answers_of(
    records: Sequence[Any], plan: Plan, made: Made, shape: Shape, cursor_of: CursorOf | None
) -> list[Any] | None:
    """Return the answer of each record, or None where objects must be made of all. Never raises."""
    way = shape.ways.get(id(plan))
    if way is None or way[0] is not plan:
        if len(shape.ways) >= _MOST_WAYS:
            shape.ways.clear()
        # The plan is kept along, so that no other can come to have its identity.
        way = shape.ways[id(plan)] = (plan, _answer(plan, made, shape))
    answer: Answer | None = way[1]
    if answer is None:
        return None
    try:
        return answer(records, cursor_of)
    except Exception:  # noqa: BLE001 (it goes wrong again, where it is the error of a field)
        return None


def _answer(plan: Plan, made: Made, shape: Shape) -> Answer | None:
    """Return what makes the answers, or None where this cannot be done from the records alone."""
    try:
        return _Writer(plan).function(made, shape)
    except _Impossible:
        return None


class _Impossible(Exception):
    """The shape asks for what the plan did not read as a plain value."""


class _Writer:
    def __init__(self, plan: Plan) -> None:
        self._lines: list[str] = []
        self._names: dict[str, Any] = {**plan.names, "Unusual": _Unusual}
        self._count = 0

    def function(self, made: Made, shape: Shape) -> Answer:
        answer = self._object(made, shape, 2)
        text = "\n".join(
            ["def answers(rs, cursor_of):", " found = []", " for r in rs:", *self._lines, f"  found.append({answer})"]
        )
        exec(compile(f"{text}\n return found\n", "<answers of records>", "exec"), self._names)  # noqa: S102 (generated from resolvers/entities and validated names alone)
        return self._names["answers"]

    def _object(self, made: Made, shape: Shape, depth: int) -> str:
        """Write how the values of an object are found, and return the expression of its answer."""
        if shape.value_class is not None and shape.value_class is not made.object_type:
            raise _Impossible
        entries = {name: repr(text) for name, text in shape.texts.items()}
        for field in shape.fields:
            part = made.attributes.get(field.attribute)
            if isinstance(part, Value) and field.leaf is not None:
                entries[field.name] = self._leaf(part, field, field.leaf, depth)
            elif isinstance(part, Made) and field.below is not None:
                entries[field.name] = self._below(part, field, field.below, depth)
            else:
                raise _Impossible
        return f"{{{', '.join(f'{name!r}: {entries[name]}' for name in shape.names)}}}"

    def _below(self, made: Made, field: ShapeField, shape: Shape, depth: int) -> str:
        if made.when is None:
            return self._object(made, shape, depth)
        name = self._new_name()
        self._line(depth, f"if {made.when}:")
        answer = self._object(made, shape, depth + 1)
        self._line(depth + 1, f"{name} = {answer}")
        self._line(depth, "else:")
        self._line(depth + 1, f"{name} = None" if field.is_nullable else "raise Unusual")
        return name

    def _leaf(self, value: Value, field: ShapeField, leaf: Leaf, depth: int) -> str:
        name = self._new_name()
        self._line(depth, f"{name} = {value.text}")
        uses = {used: self._constant(known) for used, known in leaf.uses.items()} | {"v": name}
        if value.members is not None:
            unless_null = f"if {name} is not None: " if field.is_nullable else ""
            self._line(depth, f"{unless_null}{name} = {self._names_of(value.members, leaf)}[{name}]")
            return name
        usual = leaf.usual.format_map(uses)
        nullable = f" and {name} is not None" if field.is_nullable else ""
        if leaf.converted is None:
            self._line(depth, f"if not ({usual}){nullable}: raise Unusual")
        else:
            self._line(depth, f"if {usual}: {name} = {leaf.converted.format_map(uses)}")
            self._line(depth, f"elif {name} is not None: raise Unusual" if field.is_nullable else "else: raise Unusual")
        return name

    def _names_of(self, members: Mapping[Any, Any], leaf: Leaf) -> str:
        """Return the names of an enum by what records hold; what is not among them raises."""
        names: Mapping[Any, str] | None = leaf.uses.get("names")
        if names is None:
            raise _Impossible
        return self._constant({held: names[member] for held, member in members.items() if member in names})

    def _constant(self, value: Any) -> str:
        name = f"a{len(self._names)}"
        self._names[name] = value
        return name

    def _new_name(self) -> str:
        self._count += 1
        return f"x{self._count}"

    def _line(self, depth: int, text: str) -> None:
        self._lines.append(" " * depth + text)
