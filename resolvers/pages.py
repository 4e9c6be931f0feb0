"""Keyset pages: `first`/`after` forwards, `last`/`before` backwards, at most 100 rows whatever is combined.

A page of a list is one statement, a count one more when it is asked for. The pages of all the rows of a list (a nested
connection) are one statement together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from resolvers.context import OperationContext, ResolveInfo, context_of
from resolvers.folding import child_page_key
from resolvers.loaders import in_key_order
from resolvers.reading import Plan, entity_named, plan
from resolvers.selection import NOTHING, Selection, selection_of
from resolvers.sources import Entity, Ordering
from resolvers.statements import Statement
from resolvers.viewer import Viewer
from resolvers.viewers import MARK_NOW
from resolvers.ways import Way, ways_into
from resolvers.windows import MAXIMUM_SIZE, Page, PageArguments, Window, node_selection, shows_cursors, shows_rows


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions that narrow a list: templates with parameters of their own names, and the values of these.

    `ways`: how to come to rows that the conditions make rare.
    """

    conditions: tuple[str, ...] = ()
    values: Mapping[str, Any] | None = None
    ways: tuple[Way, ...] = ()


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
    window = Window(ordering, arguments, context)
    selection = selection_of(info)
    made = plan(entity, node_selection(selection), context.viewer, order=ordering.columns, where=narrowed.conditions)
    values = {**context.parameters(), **(narrowed.values or {}), **window.values}
    records: Sequence[Any] = ()
    if shows_rows(selection):
        with_cursors, supposed = shows_cursors(selection), context.untold()
        key = ("page", with_cursors, supposed is None, *window.key)
        statement = made.statements.get(key)
        if statement is None:
            # Candidates stand in the window, in sight and within the filter: nothing of it is asked of the page again.
            where = _candidates(entity, made, window, narrowed, context.viewer)
            where = where or made.where(*window.conditions(made.order))
            asked = "" if supposed is None else f", {MARK_NOW} AS mark"
            statement = made.statements[key] = Statement(
                f"SELECT {made.select_list(with_order=with_cursors)}{asked} FROM {made.source}"
                f" WHERE {where}"
                f" ORDER BY {window.order_by(made.order)} LIMIT {window.limit}"
            )
        records = await statement.rows(values if supposed is None else {**values, **supposed.parameters})
        if supposed is not None and records:
            supposed.hear(records[0]["mark"])
    total_count = await _count(entity, context, narrowed, values) if "totalCount" in selection else None
    return window.page(records, made, selection, total_count)


def _candidates(entity: Entity, page: Plan, window: Window, narrowed: Filter, viewer: Viewer) -> str | None:
    """Return the condition that a row is among the first of one of the ways that lead to them; None without ways."""
    branches: list[str] = []
    for way in narrowed.ways or ways_into(entity.name, viewer.scope):
        where = (*narrowed.conditions, way.condition)
        made = plan(entity, NOTHING, viewer, order=window.ordering.columns, where=where)
        branch = (
            f"SELECT {made.alias}.id FROM {made.source} WHERE {made.where(*window.conditions(made.order))}"
            f" ORDER BY {window.order_by(made.order)} LIMIT {window.limit}"
        )
        branches.append(
            f"({branch})" if way.each is None else f"(SELECT one.id FROM {way.each} CROSS JOIN LATERAL ({branch}) one)"
        )
    return f"{page.alias}.id IN ({' UNION ALL '.join(branches)})" if branches else None


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


def read_child_page(
    info: ResolveInfo,
    parent: Entity,
    name: str,
    parent_key: UUID,
    arguments: PageArguments,
    narrowed: Filter | None = None,
) -> Page | Awaitable[Page]:
    """Return the page of a list that belongs to a row: read with the row, or together with those of its siblings."""
    context = context_of(info)
    narrowed = narrowed or Filter()
    selection = selection_of(info)
    key = child_page_key(parent, name, arguments, selection, narrowed.conditions, narrowed.values)
    came_along = context.read_ahead.get(key)
    if came_along is not None and parent_key in came_along:
        return came_along[parent_key]

    async def load(keys: list[UUID]) -> list[Page]:
        return await _child_pages(context, selection, parent, name, keys, arguments, narrowed)

    arguments.size()
    return context.loader(key, load).load(parent_key)


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
    window = Window(children.ordering, arguments, context)
    where = (children.belongs, *narrowed.conditions)
    made = plan(entity, node_selection(selection), context.viewer, order=children.ordering.columns, where=where)
    values = {**context.parameters(), **(narrowed.values or {}), **window.values, "parents": keys}
    records: dict[UUID, list[Any]] = defaultdict(list)
    if shows_rows(selection):
        for record in await _child_statement(made, window, window.limit).rows(values):
            records[record["parent"]].append(record)
    totals: dict[UUID, int] = {}
    if "totalCount" in selection:
        counted = plan(entity, NOTHING, context.viewer, where=where)
        totals = {record["parent"]: record["total"] for record in await _child_counts(counted).rows(values)}
    pages = {key: window.page(records[key], made, selection, totals.get(key)) for key in keys}
    return in_key_order(pages, keys)


def _child_statement(made: Plan, window: Window, limit: str) -> Statement:
    key = ("children", limit, *window.key)
    statement = made.statements.get(key)
    if statement is None:
        keys = [f"page.k{position}" for position in range(len(made.order))]
        statement = made.statements[key] = Statement(
            "SELECT page.*, parent.id AS parent FROM unnest(:parents::uuid[]) AS parent(id) CROSS JOIN LATERAL"
            f" (SELECT {made.select_list()} FROM {made.source}"
            f" WHERE {made.where(*window.conditions(made.order))}"
            f" ORDER BY {window.order_by(made.order)} LIMIT {limit}) page"
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
        window = Window(children.ordering, PageArguments(first=MAXIMUM_SIZE), context)
        made = plan(
            entity_named(children.entity),
            selection,
            context.viewer,
            order=children.ordering.columns,
            where=(children.belongs,),
        )
        lists: dict[UUID, list[Any]] = {key: [] for key in keys}
        values = {**context.parameters(), **window.values, "parents": keys}
        # There is no next page to know of.
        for record in await _child_statement(made, window, str(MAXIMUM_SIZE)).rows(values):
            lists[record["parent"]].append(made.build(record))
        return in_key_order(lists, keys)

    return await context.loader((parent.name, name, selection.key), load).load(parent_key)
