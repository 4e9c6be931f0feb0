"""What a plan does to a leaf: which values it takes as they are or converts itself, as text of conditions.

Each way answers exactly as the type's `coerce_output_value` would; a value that does not meet its condition goes to
that function, through graphql-core.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from enum import Enum
from typing import Any

from graphql import GraphQLBoolean, GraphQLFloat, GraphQLID, GraphQLInt, GraphQLScalarType, GraphQLString
from strawberry.schema.schema_converter import CustomGraphQLEnumType
from strawberry.schema.types.base_scalars import isoformat

from execution.plans.values import is_plain

_SMALLEST_INT, _LARGEST_INT = -(2**31), 2**31 - 1
_WITH_ISOFORMAT = frozenset({date, datetime, time})


@dataclass(frozen=True, slots=True)
class Leaf:
    """`usual` is the condition on `{v}`; `converted` what becomes of it, where it does not stay as it is.

    Names in braces other than `v` stand for the objects of `uses`.
    """

    usual: str
    converted: str | None = None
    uses: dict[str, Any] = field(default_factory=dict[str, Any])


def leaf_of(leaf_type: Any, *, native_dates: bool) -> Leaf | None:
    """Return how a plan treats a leaf type; None for a type whose own function must be asked."""
    if isinstance(leaf_type, CustomGraphQLEnumType):
        return _enum(leaf_type)
    if not isinstance(leaf_type, GraphQLScalarType):
        return None
    coerce = leaf_type.coerce_output_value
    if coerce in (GraphQLString.coerce_output_value, GraphQLID.coerce_output_value):
        return Leaf("type({v}) is str")
    if coerce is GraphQLBoolean.coerce_output_value:
        return Leaf("type({v}) is bool")
    if coerce is GraphQLInt.coerce_output_value:
        return Leaf(f"type({{v}}) is int and {_SMALLEST_INT} <= {{v}} <= {_LARGEST_INT}")
    if coerce is GraphQLFloat.coerce_output_value:
        # What is not finite differs from itself here.
        return Leaf("type({v}) is float and {v} - {v} == 0.0")
    if coerce is isoformat:
        return _instant(native_dates=native_dates)
    return None


def _instant(*, native_dates: bool) -> Leaf:
    if not native_dates:
        return Leaf("type({v}) in {dates}", "{v}.isoformat()", {"dates": _WITH_ISOFORMAT})
    # The encoder writes days, and instants in UTC, letter for letter as `isoformat` does. Other zones may lie seconds
    # off UTC (Paris did before 1911), which it does not write.
    return Leaf(
        "type({v}) in {dates}",
        "{v} if type({v}) is {date} or type({v}) is {datetime} and {v}.tzinfo is {utc} else {v}.isoformat()",
        {"dates": _WITH_ISOFORMAT, "date": date, "datetime": datetime, "utc": UTC},
    )


def _enum(enum_type: CustomGraphQLEnumType) -> Leaf | None:
    enum_class = enum_type.wrapped_cls
    if (
        type(enum_type).coerce_output_value is not CustomGraphQLEnumType.coerce_output_value
        or not issubclass(enum_class, Enum)
        or not is_plain(enum_class)
        or enum_class.__hash__ not in (Enum.__hash__, str.__hash__, int.__hash__)
    ):
        return None
    names: dict[Any, str] = {}
    for member in enum_class:
        # A member without a name in the schema is an error each time it is shown.
        with suppress(Exception):
            names[member] = enum_type.coerce_output_value(member)
    return Leaf("type({v}) is {enum} and {v} in {names}", "{names}[{v}]", {"enum": enum_class, "names": names})
