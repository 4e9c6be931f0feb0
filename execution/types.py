"""Small questions about GraphQL types."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLList, GraphQLNonNull


def named_type(kind: Any) -> Any:
    """Return the type that lists and non-nulls wrap."""
    while isinstance(kind, (GraphQLList, GraphQLNonNull)):
        kind = kind.of_type  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]: open parameter
    return kind  # pyright: ignore[reportUnknownVariableType]: open parameter


def is_list(kind: Any) -> bool:
    """Tell whether a field of the type holds a list, null or not."""
    return isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)
