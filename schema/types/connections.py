"""The one shape of every list: Relay connections with keyset cursors."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

import strawberry

from resolvers.windows import PageArguments

T = TypeVar("T")

First = Annotated[int | None, strawberry.argument(description="how many, going forwards: 1 to 100, 20 when not given")]
After = Annotated[str | None, strawberry.argument(description="`endCursor` of the page before")]
Last = Annotated[int | None, strawberry.argument(description="how many, going backwards: 1 to 100")]
Before = Annotated[str | None, strawberry.argument(description="`startCursor` of the page after")]


@strawberry.type
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class Edge(Generic[T]):
    node: T
    cursor: str


@strawberry.type
class Connection(Generic[T]):
    edges: list[Edge[T]]
    nodes: list[T]
    page_info: PageInfo
    total_count: int = strawberry.field(description="Counts only when it is selected.")


def page_arguments(
    first: int | None = None, after: str | None = None, last: int | None = None, before: str | None = None
) -> PageArguments:
    return PageArguments(first=first, after=after, last=last, before=before)
