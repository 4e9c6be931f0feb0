"""The window that a page is of its list: which way, from where, how many; and the page made of what was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from execution.rows import Rows
from resolvers.context import OperationContext
from resolvers.errors import BadUserInput
from resolvers.reading import Plan
from resolvers.rows import EdgeRows, RecordRows
from resolvers.selection import Selection
from resolvers.sources import Ordering

DEFAULT_SIZE = 20
MAXIMUM_SIZE = 100
# What front ends ask for: a statement for each of these, and one for all others.
USUAL_SIZES = frozenset({1, 5, 10, DEFAULT_SIZE, 25, 30, 50, MAXIMUM_SIZE})

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

    nodes: Rows | Sequence[Any]
    edges: Rows | Sequence[Any]
    page_info: PageInfo | None
    total_count: int | None


class Window:
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
    def is_backward(self) -> bool:
        return self.arguments.is_backward

    @property
    def limit(self) -> str:
        """How many rows to read, in SQL: a number for usual sizes, a parameter for others.

        PostgreSQL takes a parameter here for a tenth of all rows. It then thinks a plan for any value dearer than one
        for this value, and plans the statement anew each time, which takes longer than to read a page.
        """
        return str(self.size + 1) if self.size in USUAL_SIZES else ":limit"

    @property
    def key(self) -> tuple[Any, ...]:
        arguments = self.arguments
        return (arguments.is_backward, arguments.after is not None, arguments.before is not None, self.limit)

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
        nodes: Rows | Sequence[Any] = RecordRows(shown, made) if "nodes" in selection else ()
        edges: Rows | Sequence[Any] = ()
        if "edges" in selection:
            with_cursors = "cursor" in selection.below("edges")
            edges = EdgeRows(shown, made, partial(self._cursor, made=made) if with_cursors else None, Edge)
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


def node_selection(selection: Selection) -> Selection:
    return selection.below("nodes").merged_with(selection.below("edges", "node"))


def shows_rows(selection: Selection) -> bool:
    return "nodes" in selection or "edges" in selection or "pageInfo" in selection


def shows_cursors(selection: Selection) -> bool:
    info = selection.below("pageInfo")
    return "cursor" in selection.below("edges") or "startCursor" in info or "endCursor" in info
