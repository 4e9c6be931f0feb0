"""Pages that are asked for together with one row: read in the row's own statement, one array of records for each list.

Only what is plain goes along: the first or last rows of a list, without filter or cursor. Anything else, and the lists
of rows that are many, are read by `read_child_page` alone. It finds what was read ahead by the key of its own loader,
which holds all that a page depends on, so a page is never shown to a field that asked for another. Compiled plans find
it by the field's node, and do not call the field's resolver: one that does more than read its page must stay out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from graphql import FieldNode, GraphQLObjectType, IntValueNode, NullValueNode, VariableNode

from execution.read_ahead import ATTRIBUTE, ReadAhead
from resolvers.context import OperationContext, ResolveInfo, context_of
from resolvers.errors import BadUserInput
from resolvers.reading import Plan, entity_named, plan
from resolvers.selection import NOTHING, Selection
from resolvers.sources import Entity
from resolvers.statements import Statement
from resolvers.viewers import MARK_NOW
from resolvers.windows import Page, PageArguments, Window, node_selection, shows_cursors, shows_rows

# Of one selection: clients page by a few sizes.
_MAX_READINGS = 50
_FOLDED_ARGUMENTS = frozenset({"first", "last"})


def child_page_key(
    parent: Entity, name: str, arguments: PageArguments, selection: Selection, conditions: tuple[str, ...], values: Any
) -> tuple[Any, ...]:
    """Return what tells the pages of one list apart, whichever row they belong to.

    Unhashable filter values (lists) are told apart by their text; equal ones share a loader.
    """
    return (parent.name, name, arguments, selection.key, conditions, repr(values) if values else None)


@dataclass(frozen=True, slots=True)
class _Fold:
    """One page that goes along. `counted`: what its total is counted by, where one is asked for."""

    name: str
    node: FieldNode
    key: tuple[Any, ...]
    selection: Selection
    window: Window
    made: Plan
    counted: Plan | None

    @property
    def shape(self) -> tuple[Any, ...]:
        """What the statement depends on, besides what is selected."""
        return (self.name, self.window.is_backward)

    def expressions(self, number: int) -> Iterable[str]:
        """The columns that are added to the row's: its records, if any are shown, then their total, if it is."""
        made = self.made
        if shows_rows(self.selection):
            columns = made.columns + (made.order if shows_cursors(self.selection) else ())
            yield (
                f"ARRAY(SELECT ROW({', '.join(columns)}) FROM {made.source} WHERE {made.where()}"
                f" ORDER BY {self.window.order_by(made.order)} LIMIT :limit_{number})"
            )
        if self.counted is not None:
            yield f"(SELECT count(*) FROM {self.counted.source} WHERE {self.counted.where()})"

    def page(self, values: Iterable[Any]) -> Page:
        """Make the page of the values of its expressions."""
        left = iter(values)
        records: Sequence[Any] = next(left) if shows_rows(self.selection) else ()
        return self.window.page(records, self.made, self.selection, None if self.counted is None else next(left))

    @property
    def width(self) -> int:
        return shows_rows(self.selection) + (self.counted is not None)


@dataclass(frozen=True, slots=True)
class _Reading:
    """How the rows of one selection are read, with their pages. `limits`: the parameters that the pages add."""

    made: Plan
    folds: Sequence[_Fold]
    statement: Statement
    limits: Mapping[str, int]


async def read_rows_with_pages(
    info: ResolveInfo, entity: Entity, selection: Selection, condition: str, values: Mapping[str, Any]
) -> list[Any]:
    """Return the visible rows of an entity that meet a condition, and keep the pages below them for their fields.

    One statement for all of it. In no order.
    """
    context = context_of(info)
    supposed = context.untold()
    reading = _reading(info, context, entity, selection, condition)
    made = reading.made
    asked: Mapping[str, Any] = {} if supposed is None else supposed.parameters
    records = await reading.statement.rows({**context.parameters(), **values, **reading.limits, **asked})
    if supposed is not None and records:
        supposed.hear(records[0]["mark"])
    rows = [made.build(record) for record in records]
    if reading.folds:
        for row, record in zip(rows, records, strict=True):
            _bring_along(context, reading, row, record)
    return rows


def _bring_along(context: OperationContext, reading: _Reading, row: Any, record: Any) -> None:
    """Leave the pages where plans find them, by their node, and where any other way of execution does, by their key."""
    ahead = ReadAhead()
    at = len(reading.made.columns)
    for fold in reading.folds:
        page = ahead[id(fold.node)] = fold.page(record[at : at + fold.width])
        pages: dict[UUID, Page] = context.read_ahead.setdefault(fold.key, {})
        pages[row.pk] = page
        at += fold.width
    setattr(row, ATTRIBUTE, ahead)


def _reading(
    info: ResolveInfo, context: OperationContext, entity: Entity, selection: Selection, condition: str
) -> _Reading:
    """The same for every operation that asks the same of the same kind of viewer, so it is remembered."""
    memory, viewer = selection.memory, context.viewer
    names = memory.get(entity.name)
    if names is None:
        names = memory[entity.name] = _variables_below(entity, selection)
    # Of anything but a number it matters only that it was given: its list does not come along. No number is equal to
    # the mark of that, nor to null (1 is to True).
    values = (_variable(info, name) for name in names)
    given = tuple(value if value is None or type(value) is int else ... for value in values)
    key = (
        entity.name,
        condition,
        viewer.scope,
        viewer.partner_scopes,
        context.resources.cursors,
        context.untold() is None,
        given,
    )
    found: _Reading | None = memory.get(key)
    if found is None:
        if len(memory) >= _MAX_READINGS:
            memory.clear()
        found = memory[key] = _new_reading(info, context, entity, selection, condition)
    return found


def _new_reading(
    info: ResolveInfo, context: OperationContext, entity: Entity, selection: Selection, condition: str
) -> _Reading:
    folds = _folds(info, context, entity, selection)
    made = plan(entity, selection, context.viewer, where=(condition,))
    is_known = context.untold() is None
    key = ("rows", is_known, *(fold.shape for fold in folds))
    statement = made.statements.get(key)
    if statement is None:
        statement = made.statements[key] = _statement(made, folds, "" if is_known else f", {MARK_NOW} AS mark")
    limits = {f"limit_{number}": fold.window.values["limit"] for number, fold in enumerate(folds)}
    return _Reading(made, folds, statement, limits)


def _statement(made: Plan, folds: Sequence[_Fold], asked: str) -> Statement:
    added = [text for number, fold in enumerate(folds) for text in fold.expressions(number)]
    # The plans of lists call their row `parent`; their other aliases hide those of the row where they are the same.
    parent = f" CROSS JOIN LATERAL (SELECT {made.alias}.id) AS parent (id)" if folds else ""
    selected = ", ".join([made.select_list(), *(f"{text} AS f{number}" for number, text in enumerate(added))])
    return Statement(f"SELECT {selected}{asked} FROM {made.source}{parent} WHERE {made.where()}")


def _folds(info: ResolveInfo, context: OperationContext, entity: Entity, selection: Selection) -> list[_Fold]:
    object_type = cast("GraphQLObjectType", info.schema.type_map[entity.name])
    folds: list[_Fold] = []
    for name in entity.children:
        node = selection.nodes.get(name)
        # A list without pages (`read_children`) has no arguments.
        if node is None or "first" not in object_type.fields[name].args:
            continue
        below = selection.fields[name]
        if not (shows_rows(below) or "totalCount" in below):
            continue
        arguments = _plain_arguments(node, info)
        if arguments is not None:
            folds.append(_fold(context, entity, name, node, below, arguments))
    return folds


def _fold(
    context: OperationContext,
    entity: Entity,
    name: str,
    node: FieldNode,
    selection: Selection,
    arguments: PageArguments,
) -> _Fold:
    children = entity.children[name]
    child = entity_named(children.entity)
    where, viewer = (children.belongs,), context.viewer
    return _Fold(
        name,
        node,
        child_page_key(entity, name, arguments, selection, (), None),
        selection,
        Window(children.ordering, arguments, context),
        plan(child, node_selection(selection), viewer, order=children.ordering.columns, where=where),
        plan(child, NOTHING, viewer, where=where) if "totalCount" in selection else None,
    )


def _plain_arguments(node: FieldNode, info: ResolveInfo) -> PageArguments | None:
    """Return the size and the direction that a field asks for; None if it asks for more, or for what is refused."""
    given: dict[str, int] = {}
    for argument in node.arguments or ():
        value = argument.value
        if isinstance(value, VariableNode):
            number = _variable(info, value.name.value)
        elif isinstance(value, IntValueNode):
            number = int(value.value)
        elif isinstance(value, NullValueNode):
            number = None
        else:
            return None
        if number is None:
            continue
        if argument.name.value not in _FOLDED_ARGUMENTS:
            return None
        given[argument.name.value] = number
    arguments = PageArguments(first=given.get("first"), last=given.get("last"))
    try:
        arguments.size()
    except BadUserInput:
        return None  # its own field says so
    return arguments


def _variables_below(entity: Entity, selection: Selection) -> tuple[str, ...]:
    """Return the variables that the arguments of an entity's lists name."""
    nodes = (selection.nodes.get(name) for name in entity.children)
    arguments = (argument for node in nodes if node is not None for argument in node.arguments or ())
    return tuple(
        dict.fromkeys(argument.value.name.value for argument in arguments if isinstance(argument.value, VariableNode))
    )


def _variable(info: ResolveInfo, name: str) -> Any:
    # The plain dict of execution/executor.py.
    return cast("Mapping[str, Any]", info.variable_values).get(name)
