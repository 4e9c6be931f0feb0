"""Resolvers with arguments, called without asking again at each call what their arguments are.

Strawberry works out for every value of every field which names and types the arguments of its resolver have. That is
the same each time, and for scalars and enums there is nothing to convert: graphql-core has done it. Whatever is more
than that (inputs, lists, extensions, handlers of exceptions) is left to Strawberry's own function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, cast
from weakref import WeakSet

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    is_introspection_type,
    is_leaf_type,
)
from strawberry.relay import GlobalID
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.base import StrawberryMaybe, StrawberryOptional
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

_DEFINITION = "strawberry-definition"
_CONVERTER = "GraphQLCoreConverter.from_resolver.<locals>"
_RESOLVERS = frozenset({f"{_CONVERTER}._resolver", f"{_CONVERTER}._async_resolver"})

Resolve = Callable[..., Any]

# By the function itself, which a wrapper around it is not.
_direct_resolvers: WeakSet[FunctionType] = WeakSet()


def call_directly(schema: GraphQLSchema, info_class: type[strawberry.Info]) -> None:
    """Give fields with arguments a resolver that calls theirs with what graphql-core coerced, where that is all.

    `info_class`: the one that the schema was configured with.
    """
    for object_type in schema.type_map.values():
        if (
            isinstance(object_type, GraphQLObjectType)
            and not is_introspection_type(object_type)
            and object_type is not schema.subscription_type
        ):
            for definition in object_type.fields.values():
                direct = _direct(definition, info_class)
                if direct is not None:
                    definition.resolve = direct


def is_direct(resolve: Any) -> bool:
    """Tell whether a field's resolver is called directly: nothing stands in front of it, not even a permission."""
    return type(resolve) is FunctionType and resolve in _direct_resolvers


def _direct(definition: GraphQLField, info_class: type[strawberry.Info]) -> Resolve | None:
    field, usual = definition.extensions.get(_DEFINITION), definition.resolve
    if (
        not isinstance(field, StrawberryField)
        or not definition.args
        or type(field).get_result is not StrawberryField.get_result
        or field.base_resolver is None
        or field.base_resolver.parent_parameter is not None
        or field.extensions
        or not _only_converts(usual)
    ):
        return None
    ready: dict[str, str] = {}
    others: dict[str, str] = {}
    for name, argument in definition.args.items():
        known = argument.extensions.get(_DEFINITION)
        if not isinstance(known, StrawberryArgument) or _may_be_absent(known):
            return None
        (ready if _is_ready(argument, known) else others)[name] = known.python_name
    return _calling(field, cast("Resolve", usual), ready, others, info_class)


def _calling(
    field: StrawberryField,
    usual: Resolve,
    ready: Mapping[str, str],
    others: Mapping[str, str],
    info_class: type[strawberry.Info],
) -> Resolve:
    """`ready`, `others`: arguments by their GraphQL names. Of the others, only null needs no conversion."""
    resolver = cast("StrawberryResolver[Any]", field.base_resolver)
    function = cast("Resolve", resolver.wrapped_func)
    takes_source = resolver.self_parameter is not None
    root, told = _name_of(resolver.root_parameter), _name_of(resolver.info_parameter)

    def resolve(source: Any, info: Any, /, **given: Any) -> Any:
        arguments: dict[str, Any] = {}
        for name, value in given.items():
            known = ready.get(name)
            if known is None:
                if value is not None:
                    return usual(source, info, **given)
                known = others[name]
            arguments[known] = value
        if root is not None:
            arguments[root] = source
        if told is not None:
            arguments[told] = info_class(_raw_info=info, _field=field)
        return function(source, **arguments) if takes_source else function(**arguments)

    _direct_resolvers.add(resolve)
    return resolve


def _name_of(parameter: Any) -> str | None:
    return None if parameter is None else parameter.name


def _may_be_absent(argument: StrawberryArgument) -> bool:
    """Tell whether null is wrapped, to be told from nothing."""
    return isinstance(argument.type, StrawberryMaybe)


def _is_ready(argument: GraphQLArgument, known: StrawberryArgument) -> bool:
    """Tell whether Strawberry hands an argument's coerced value on as it is."""
    kind = cast("Any", argument.type)
    if isinstance(kind, GraphQLNonNull):
        kind = cast("Any", kind.of_type)
    python: Any = known.type
    while isinstance(python, StrawberryOptional):
        python = cast("Any", python.of_type)
    return is_leaf_type(kind) and python is not GlobalID


def _only_converts(resolve: Any) -> bool:
    """Tell whether a resolver is one that Strawberry makes, without handlers of exceptions."""
    code = getattr(resolve, "__code__", None)
    if code is None or code.co_qualname not in _RESOLVERS or "strawberry" not in code.co_filename:
        return False
    cells = dict(zip(code.co_freevars, resolve.__closure__ or (), strict=True))
    handlers = cells.get("field_exception_handlers")
    return handlers is not None and not handlers.cell_contents
