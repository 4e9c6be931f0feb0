"""Keyset pages: `first`/`after` forwards, `last`/`before` backwards, at most 100 rows whatever is combined.

A page of a list is one statement, a count one more when it is asked for. The pages of all the rows of a list (a nested
connection) are one statement together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from resolvers.context import OperationContext, ResolveInfo, context_of
from resolvers.errors import BadUserInput
from resolvers.loaders import in_key_order
from resolvers.reading import Plan, entity_named, plan
from resolvers.selection import NOTHING, Selection, selection_of
from resolvers.sources import Entity, Ordering
from resolvers.statements import Statement
from resolvers.viewer import Viewer
from resolvers.ways import Way, ways_into

DEFAULT_SIZE = 20
MAXIMUM_SIZE = 100

_CASTS = {datetime: "timestamptz", date: "date", UUID: "uuid", str: "text", int: "bigint"}


@dataclass(frozen=True, slots=True)
class PageArguments:
    """The four arguments of a connection field, as they were given."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    def size(self) -> int:
        """Return how many rows to show. Raises BadUserInput."""
        if self.first is not None and self.last is not None:
            raise BadUserInput("first, last: both given; use `first` to go forwards or `last` to go backwards")
        name, size = ("last", self.last) if self.last is not None else ("first", self.first)
        if size is None:
            return DEFAULT_SIZE
        if not 1 <= size <= MAXIMUM_SIZE:
            raise BadUserInput(f"{name}: {size}, from 1 to {MAXIMUM_SIZE} expected")
        return size

    @property
    def is_backward(self) -> bool:
        return self.last is not None


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions that narrow a list: templates with parameters of their own names, and the values of these.

    `ways`: how to come to rows that the conditions make rare.
    """

    conditions: tuple[str, ...] = ()
    values: Mapping[str, Any] | None = None
    ways: tuple[Way, ...] = ()


@dataclass(slots=True)
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(slots=True)
class Edge:
    """`cursor` is filled where it is selected."""

    node: Any
    cursor: str | None = None


@dataclass(slots=True)
class Page:
    """What a connection shows; only the selected parts are filled."""

    nodes: list[Any]
    edges: list[Edge]
    page_info: PageInfo | None
    total_count: int | None


class _Window:
    """The keyset part of a page's statement: which way, from where, how many."""

    def __init__(self, ordering: Ordering, arguments: PageArguments, context: OperationContext) -> None:
        self.ordering = ordering
        self.arguments = arguments
        self.size = arguments.size()
        self.values: dict[str, Any] = {"limit": self.size + 1}  # one more tells whether there is another page
        self._cursors = context.resources.cursors
        for name, cursor in (("after", arguments.after), ("before", arguments.before)):
            if cursor is not None:
                position = self._cursors.decode(ordering.name, cursor, ordering.types)
                self.values |= {f"{name}_{index}": value for index, value in enumerate(position)}

    @property
    def key(self) -> tuple[Any, ...]:
        arguments = self.arguments
        return (arguments.is_backward, arguments.after is not None, arguments.before is not None)

    def conditions(self, order: Sequence[str]) -> list[str]:
        after, before = ("<", ">") if self.ordering.descending else (">", "<")
        return [
            f"({', '.join(order)}) {sign} ({self._position(name)})"
            for name, cursor, sign in (
                ("after", self.arguments.after, after),
                ("before", self.arguments.before, before),
            )
            if cursor is not None
        ]

    def order_by(self, order: Sequence[str]) -> str:
        direction = "DESC" if self.ordering.descending is not self.arguments.is_backward else "ASC"
        return ", ".join(f"{column} {direction}" for column in order)

    def _position(self, name: str) -> str:
        return ", ".join(f":{name}_{index}::{_CASTS[kind]}" for index, kind in enumerate(self.ordering.types))

    def page(self, records: Sequence[Any], made: Plan, selection: Selection, total_count: int | None) -> Page:
        """Make the page of the records that were read, which may be one more than it shows."""
        more = len(records) > self.size
        shown = list(records[: self.size])
        if self.arguments.is_backward:
            shown.reverse()
        nodes = [made.build(record) for record in shown]
        edges: list[Edge] = []
        if "cursor" in selection.below("edges"):
            edges = [Edge(node, self._cursor(record, made)) for node, record in zip(nodes, shown, strict=True)]
        elif "edges" in selection:
            edges = [Edge(node) for node in nodes]
        info = self._info(shown, made, more, selection.below("pageInfo")) if "pageInfo" in selection else None
        return Page(nodes, edges, info, total_count)

    def _info(self, shown: Sequence[Any], made: Plan, more: bool, selection: Selection) -> PageInfo:
        # A cursor stands on a row of its side, whichever way the page is walked.
        backward = self.arguments.is_backward
        return PageInfo(
            has_next_page=self.arguments.before is not None or (more and not backward),
            has_previous_page=self.arguments.after is not None or (more and backward),
            start_cursor=self._cursor(shown[0], made) if shown and "startCursor" in selection else None,
            end_cursor=self._cursor(shown[-1], made) if shown and "endCursor" in selection else None,
        )

    def _cursor(self, record: Any, made: Plan) -> str:
        width = len(made.columns)
        return self._cursors.encode(self.ordering.name, list(record[width : width + len(made.order)]))


def _node_selection(selection: Selection) -> Selection:
    return selection.below("nodes").merged_with(selection.below("edges", "node"))


def _shows_rows(selection: Selection) -> bool:
    return "nodes" in selection or "edges" in selection or "pageInfo" in selection


def _shows_cursors(selection: Selection) -> bool:
    info = selection.below("pageInfo")
    return "cursor" in selection.below("edges") or "startCursor" in info or "endCursor" in info


async def read_page(
    info: ResolveInfo,
    entity: Entity,
    ordering: Ordering,
    arguments: PageArguments,
    narrowed: Filter | None = None,
) -> Page:
    """Return the page of a root list. Raises BadUserInput for wrong arguments or cursors."""
    context = context_of(info)
    narrowed = narrowed or Filter()
    window = _Window(ordering, arguments, context)
    selection = selection_of(info)
    made = plan(entity, _node_selection(selection), context.viewer, order=ordering.columns, where=narrowed.conditions)
    values = {**context.parameters(), **(narrowed.values or {}), **window.values}
    records: Sequence[Any] = ()
    if _shows_rows(selection):
        with_cursors = _shows_cursors(selection)
        key = ("page", with_cursors, *window.key)
        statement = made.statements.get(key)
        if statement is None:
            candidates = _candidates(entity, made, window, narrowed, context.viewer)
            statement = made.statements[key] = Statement(
                f"SELECT {made.select_list(with_order=with_cursors)} FROM {made.source}"
                f" WHERE {made.where(*window.conditions(made.order), *candidates)}"
                f" ORDER BY {window.order_by(made.order)} LIMIT :limit"
            )
        records = await statement.rows(values)
    total_count = await _count(entity, context, narrowed, values) if "totalCount" in selection else None
    return window.page(records, made, selection, total_count)


def _candidates(entity: Entity, page: Plan, window: _Window, narrowed: Filter, viewer: Viewer) -> list[str]:
    """Return the condition that a row is among the first of one of the ways that lead to them; none without ways."""
    branches: list[str] = []
    for way in narrowed.ways or ways_into(entity.name, viewer.scope):
        where = (*narrowed.conditions, way.condition)
        made = plan(entity, NOTHING, viewer, order=window.ordering.columns, where=where)
        branch = (
            f"SELECT {made.alias}.id FROM {made.source} WHERE {made.where(*window.conditions(made.order))}"
            f" ORDER BY {window.order_by(made.order)} LIMIT :limit"
        )
        branches.append(
            f"({branch})" if way.each is None else f"(SELECT one.id FROM {way.each} CROSS JOIN LATERAL ({branch}) one)"
        )
    return [f"{page.alias}.id IN ({' UNION ALL '.join(branches)})"] if branches else []


async def _count(entity: Entity, context: OperationContext, narrowed: Filter, values: Mapping[str, Any]) -> int:
    ways = narrowed.ways or ways_into(entity.name, context.viewer.scope)
    # Counted all together, what lies on a way of many branches is counted by the rule alone.
    on_way = () if any(way.each for way in ways) else tuple(way.condition for way in ways)
    where = (*narrowed.conditions, *([" OR ".join(on_way)] if on_way else []))
    made = plan(entity, NOTHING, context.viewer, where=where)
    statement = made.statements.get(("count",))
    if statement is None:
        statement = made.statements["count",] = Statement(
            f"SELECT count(*) AS total FROM {made.source} WHERE {made.where()}"
        )
    return (await statement.rows(values))[0]["total"]


async def read_child_page(
    info: ResolveInfo,
    parent: Entity,
    name: str,
    parent_key: UUID,
    arguments: PageArguments,
    narrowed: Filter | None = None,
) -> Page:
    """Return the page of a list that belongs to a row, read together with those of the row's siblings."""
    context = context_of(info)
    narrowed = narrowed or Filter()
    selection = selection_of(info)
    # Unhashable filter values (lists) are told apart by their text; equal ones share a loader.
    key = (parent.name, name, arguments, selection.key, narrowed.conditions, repr(narrowed.values))

    async def load(keys: list[UUID]) -> list[Page]:
        return await _child_pages(context, selection, parent, name, keys, arguments, narrowed)

    arguments.size()
    return await context.loader(key, load).load(parent_key)


async def _child_pages(
    context: OperationContext,
    selection: Selection,
    parent: Entity,
    name: str,
    keys: list[UUID],
    arguments: PageArguments,
    narrowed: Filter,
) -> list[Page]:
    children = parent.children[name]
    entity = entity_named(children.entity)
    window = _Window(children.ordering, arguments, context)
    where = (children.belongs, *narrowed.conditions)
    made = plan(entity, _node_selection(selection), context.viewer, order=children.ordering.columns, where=where)
    values = {**context.parameters(), **(narrowed.values or {}), **window.values, "parents": keys}
    records: dict[UUID, list[Any]] = defaultdict(list)
    if _shows_rows(selection):
        for record in await _child_statement(made, window).rows(values):
            records[record["parent"]].append(record)
    totals: dict[UUID, int] = {}
    if "totalCount" in selection:
        counted = plan(entity, NOTHING, context.viewer, where=where)
        totals = {record["parent"]: record["total"] for record in await _child_counts(counted).rows(values)}
    pages = {key: window.page(records[key], made, selection, totals.get(key)) for key in keys}
    return in_key_order(pages, keys)


def _child_statement(made: Plan, window: _Window) -> Statement:
    key = ("children", *window.key)
    statement = made.statements.get(key)
    if statement is None:
        keys = [f"page.k{position}" for position in range(len(made.order))]
        statement = made.statements[key] = Statement(
            "SELECT page.*, parent.id AS parent FROM unnest(:parents::uuid[]) AS parent(id) CROSS JOIN LATERAL"
            f" (SELECT {made.select_list()} FROM {made.source}"
            f" WHERE {made.where(*window.conditions(made.order))}"
            f" ORDER BY {window.order_by(made.order)} LIMIT :limit) page"
            f" ORDER BY {window.order_by(keys)}"
        )
    return statement


def _child_counts(made: Plan) -> Statement:
    statement = made.statements.get(("child counts",))
    if statement is None:
        statement = made.statements["child counts",] = Statement(
            "SELECT parent.id AS parent, counted.total FROM unnest(:parents::uuid[]) AS parent(id) CROSS JOIN LATERAL"
            f" (SELECT count(*) AS total FROM {made.source} WHERE {made.where()}) counted"
        )
    return statement


async def read_children(info: ResolveInfo, parent: Entity, name: str, parent_key: UUID) -> list[Any]:
    """Return a short list that belongs to a row (no pages), read together with those of the row's siblings."""
    context = context_of(info)
    selection = selection_of(info)

    async def load(keys: list[UUID]) -> list[list[Any]]:
        children = parent.children[name]
        window = _Window(children.ordering, PageArguments(first=MAXIMUM_SIZE), context)
        made = plan(
            entity_named(children.entity),
            selection,
            context.viewer,
            order=children.ordering.columns,
            where=(children.belongs,),
        )
        lists: dict[UUID, list[Any]] = {key: [] for key in keys}
        values = {**context.parameters(), **window.values, "parents": keys, "limit": MAXIMUM_SIZE}
        for record in await _child_statement(made, window).rows(values):
            lists[record["parent"]].append(made.build(record))
        return in_key_order(lists, keys)

    return await context.loader((parent.name, name, selection.key), load).load(parent_key)
