"""Rows by key: what `node`, `nodes` and single-row fields read, gathered into one statement a type and selection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from resolvers.context import OperationContext, ResolveInfo, context_of
from resolvers.folding import read_rows_with_pages
from resolvers.reading import entity_named, plan
from resolvers.selection import Selection, selection_of
from resolvers.sources import Entity
from resolvers.statements import Statement

K = TypeVar("K")
V = TypeVar("V")


def in_key_order(found: Mapping[K, V], keys: Sequence[K]) -> list[V]:
    """Return one value a key, in the order of the keys: a wrong order would show one person's data as another's."""
    return [found[key] for key in keys]


async def read_by_key(info: ResolveInfo, type_name: str, key: UUID) -> Any | None:
    """Return the row of a type that has this key, with what the field selects; None where the viewer sees none."""
    context = context_of(info)
    entity = entity_named(type_name)
    selection = selection_of(info, type_name)

    async def load(keys: list[UUID]) -> list[Any | None]:
        found = await read_rows_with_pages(info, entity, selection, "{t}.id = ANY(:keys::uuid[])", {"keys": keys})
        by_key = {row.pk: row for row in found}
        return in_key_order({key: by_key.get(key) for key in keys}, keys)

    return await context.loader((type_name, selection.key), load).load(key)


async def rows_by(
    context: OperationContext, entity: Entity, selection: Selection, condition: str, values: Mapping[str, Any]
) -> list[Any]:
    """Return the visible rows of an entity that meet a condition, in no order. One statement."""
    made = plan(entity, selection, context.viewer, where=(condition,))
    statement = made.statements.get(("rows",))
    if statement is None:
        statement = made.statements["rows",] = Statement(
            f"SELECT {made.select_list()} FROM {made.source} WHERE {made.where()}"
        )
    records = await statement.rows({**context.parameters(), **values})
    return [made.build(record) for record in records]


async def read_one_by(info: ResolveInfo, entity: Entity, condition: str, values: Mapping[str, Any]) -> Any | None:
    """Return the one visible row that meets a condition on a unique column, or None."""
    rows = await read_rows_with_pages(info, entity, selection_of(info, entity.name), condition, values)
    return rows[0] if rows else None
