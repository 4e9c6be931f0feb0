"""Fields that decide once who may read, and then only read.

A resolver that asks the context the same question for each row of a page costs more than all else about its value.
Such a field is declared in two steps instead: `prepare(context)` decides, and returns what reads one row. A plan
decides once for all the rows that it shows; without a plan, each value decides for itself. Both must come to the same,
so `prepare` looks at nothing but what stays as it is meanwhile. It may raise, and so may what it returns: either is the
error of each value that was asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary

import strawberry

Read = Callable[[Any], Any]
Prepare = Callable[[Any], Read]

# By the resolver itself: a wrapper around it is another function, and is called like any resolver.
_prepares: WeakKeyDictionary[FunctionType, Prepare] = WeakKeyDictionary()


def read_field(prepare: Prepare, graphql_type: Any, *, description: str | None = None) -> Any:
    """Return a Strawberry field of that type whose values `prepare(context)` reads, each from its object."""

    def resolve(root: Any, info: strawberry.Info) -> Any:
        return prepare(info.context)(root)

    resolve.__annotations__["return"] = graphql_type
    _prepares[resolve] = prepare
    return strawberry.field(resolver=resolve, description=description)


def prepare_behind(resolver: Any) -> Prepare | None:
    """Return what prepares the reading of a field, if this very function is its resolver."""
    return _prepares.get(resolver) if type(resolver) is FunctionType else None
