"""Keyset pages of lists that grow at their head: as quick on the thousandth page as on the first."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from models.database import fetch_all

T = TypeVar("T")
U = TypeVar("U")

DEFAULT_SIZE = 50
MAXIMUM_SIZE = 200
COUNTED_UP_TO = 10_000
"""More rows than that are not counted: "more than 10 000" says as much, and costs nothing on a full table."""


class BadCursor(ValueError):
    """A cursor that no page of ours gave out."""

    def __init__(self) -> None:
        super().__init__("cursor: unreadable, one of a page's own expected; begin at the first page")


@dataclass(frozen=True, slots=True)
class Position:
    """Where a row stands in its list."""

    at: datetime
    id: UUID

    def encode(self) -> str:
        return base64.urlsafe_b64encode(f"{self.at.isoformat()}|{self.id}".encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, cursor: str) -> Position:
        """Raises BadCursor."""
        try:
            text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
            at, _, row_id = text.partition("|")
            position = cls(datetime.fromisoformat(at), UUID(row_id))
        except (ValueError, binascii.Error, UnicodeError):
            raise BadCursor from None
        if position.at.tzinfo is None:
            raise BadCursor
        return position


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Which page: the one `after` a row or the one `before` it, in the order shown; the first one without either.

    Newest first, unless `oldest_first`. `size` is brought into its bounds.
    """

    size: int = DEFAULT_SIZE
    after: str | None = None
    before: str | None = None
    oldest_first: bool = False

    @property
    def limit(self) -> int:
        return max(1, min(self.size, MAXIMUM_SIZE))

    @property
    def is_backward(self) -> bool:
        return self.before is not None and self.after is None

    @property
    def descends(self) -> bool:
        """Whether rows are read from the newest on."""
        return self.oldest_first == self.is_backward

    @property
    def position(self) -> Position | None:
        """Raises BadCursor."""
        cursor = self.after or self.before
        return Position.decode(cursor) if cursor else None


FIRST_PAGE = PageRequest()


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows in the order shown. `next` and `previous` are cursors for `after` and `before`; None: nothing there."""

    items: tuple[T, ...]
    next: str | None = None
    previous: str | None = None

    def map(self, change: Callable[[T], U]) -> Page[U]:
        return Page(tuple(change(item) for item in self.items), self.next, self.previous)


@dataclass(frozen=True, slots=True)
class Count:
    """A number of rows. `is_capped`: there are more, and nobody counted them."""

    number: int
    is_capped: bool = False


@dataclass(slots=True)
class Conditions:
    """What narrows a statement: constant texts, and the values of their parameters in order."""

    texts: list[str] = field(default_factory=list[str])
    values: list[Any] = field(default_factory=list[Any])

    def add(self, text: str, *values: Any) -> None:
        """Add a condition; `{}` in it stands for the parameter of each value."""
        first = len(self.values) + 1
        self.texts.append(text.format(*(f"${first + offset}" for offset in range(len(values)))))
        self.values += values

    def add_given(self, text: str, value: Any) -> None:
        """Add it unless there is no value to compare with."""
        if value is not None and value != "":
            self.add(text, value)

    def copy(self) -> Conditions:
        return replace(self, texts=list(self.texts), values=list(self.values))

    @property
    def where(self) -> str:
        return " AND ".join(self.texts) or "true"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A list: its columns, where they are from, and by which time it is ordered. All of it constant SQL."""

    columns: str
    table: str
    at: str
    id: str = "id"


async def read_page(source: Source, conditions: Conditions, page: PageRequest, build: Callable[[Any], T]) -> Page[T]:
    """Return one page, by one statement. Raises BadCursor."""
    return page_of(await fetch_all(*page_statement(source, conditions, page)), page, build)


def page_statement(source: Source, conditions: Conditions, page: PageRequest) -> tuple[Any, ...]:
    """Return the statement of a page and its values; one row more than shown tells whether there is another page.

    Its rows have `position_at` and `position_id` besides the columns.
    """
    narrowed = conditions.copy()
    if (position := page.position) is not None:
        sign = "<" if page.descends else ">"
        narrowed.add(f"({source.at}, {source.id}) {sign} ({{}}::timestamptz, {{}}::uuid)", position.at, position.id)
    direction = "DESC" if page.descends else "ASC"
    return (
        f"SELECT {source.columns}, {source.at} AS position_at, {source.id} AS position_id FROM {source.table}"
        f" WHERE {narrowed.where} ORDER BY {source.at} {direction}, {source.id} {direction} LIMIT {page.limit + 1}",
        *narrowed.values,
    )


def page_of(rows: Sequence[Any], page: PageRequest, build: Callable[[Any], T]) -> Page[T]:
    """Make the page of the rows that were read in its direction."""
    has_more = len(rows) > page.limit
    shown = list(rows[: page.limit])
    if page.is_backward:
        shown.reverse()
    if not shown:
        return Page(())
    first, last = (Position(row["position_at"], row["position_id"]).encode() for row in (shown[0], shown[-1]))
    # Whoever came from a neighbouring page can go back to it.
    has_next, has_previous = (True, has_more) if page.is_backward else (has_more, page.position is not None)
    return Page(
        tuple(build(row) for row in shown), next=last if has_next else None, previous=first if has_previous else None
    )


async def count(source: Source, conditions: Conditions) -> Count:
    """Count the rows of a list, up to a bound; one statement."""
    rows = await fetch_all(
        f"SELECT count(*) AS number FROM (SELECT 1 FROM {source.table} WHERE {conditions.where}"
        f" LIMIT {COUNTED_UP_TO + 1}) AS counted",
        *conditions.values,
    )
    return capped(rows[0]["number"])


def capped(number: int, bound: int = COUNTED_UP_TO) -> Count:
    return Count(min(number, bound), number > bound)
