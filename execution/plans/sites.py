"""Fields of a selection, and how each finds its value.

Only what Strawberry itself generates is recognised, by the code object of the function (which a wrapper cannot copy, as
it copies names and attributes). Any other function is called, as graphql-core would call it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import iscoroutinefunction
from keyword import iskeyword
from types import FunctionType
from typing import Any, cast

from graphql import FieldNode, GraphQLField, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import Path
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE
from strawberry.types.field import StrawberryField

from execution.plans.readers import Prepare, prepare_behind
from execution.plans.values import is_plain

_CONVERTER = "GraphQLCoreConverter"
_BASIC_FIELD = f"{_CONVERTER}.from_resolver.<locals>._get_basic_result"
_RESOLVER = f"{_CONVERTER}.from_resolver.<locals>._resolver"
_IS_TYPE_OF = f"{_CONVERTER}.from_object.<locals>._get_is_type_of.<locals>.is_type_of"
_INTERFACE_TYPE = f"{_CONVERTER}.from_interface.<locals>._get_resolve_type.<locals>.resolve_type"
_UNION_TYPE = "StrawberryUnion.get_type_resolver.<locals>._resolve_union_type"
_DEFINITION = "strawberry-definition"

CAST_ATTRIBUTE = TYPE_CAST_ATTRIBUTE


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """A field of one concrete type, as one selection asks for it."""

    name: str  # in the answer: the alias where there is one
    parent_type: GraphQLObjectType
    definition: GraphQLField
    details: list[FieldDetails]
    nodes: list[FieldNode]

    @property
    def takes_arguments(self) -> bool:
        return bool(self.definition.args or self.nodes[0].arguments)

    def info(self, executor: Executor[Any], path: Path) -> GraphQLResolveInfo[Any]:
        return executor.build_resolve_info(self.definition, self.nodes, self.parent_type, path)  # pyright: ignore[reportUnknownVariableType]: of any context


def site_of(
    schema: GraphQLSchema, parent_type: GraphQLObjectType, name: str, details: list[FieldDetails]
) -> Site | None:
    """Return the site of a field; None for a field that the type does not have (graphql-core leaves it out)."""
    definition = schema.get_field(parent_type, details[0].node.name.value)
    if definition is None:
        return None
    return Site(name, parent_type, definition, details, [detail.node for detail in details])


def attribute_of(site: Site) -> str | None:
    """Return the attribute that a Strawberry field without resolver, extension or permission reads, or None."""
    field = site.definition.extensions.get(_DEFINITION)
    if (
        isinstance(field, StrawberryField)
        and _is_made_by_strawberry(site.definition.resolve, _BASIC_FIELD)
        and type(field).get_result is StrawberryField.get_result
        and field.is_basic_field
        and field.default_resolver is getattr
        and not site.takes_arguments
        and field.python_name.isidentifier()
        and not iskeyword(field.python_name)
    ):
        return field.python_name
    return None


def prepare_of(site: Site) -> Prepare | None:
    """Return what prepares the reading of a field that nothing stands in front of, or None."""
    field, resolve = site.definition.extensions.get(_DEFINITION), site.definition.resolve
    if (
        isinstance(field, StrawberryField)
        and _is_made_by_strawberry(resolve, _RESOLVER)
        and type(field).get_result is StrawberryField.get_result
        and field.base_resolver is not None
        and not field.extensions
        and not site.takes_arguments
        and not _handles_exceptions(cast("FunctionType", resolve))
    ):
        return prepare_behind(field.base_resolver.wrapped_func)
    return None


def _handles_exceptions(resolve: FunctionType) -> bool:
    """Tell whether Strawberry would show some exceptions of a resolver as values; if it cannot be told, it would."""
    cells = dict(zip(resolve.__code__.co_freevars, resolve.__closure__ or (), strict=True))
    handlers = cells.get("field_exception_handlers")
    return handlers is None or bool(handlers.cell_contents)


def is_asynchronous(site: Site) -> bool:
    return iscoroutinefunction(site.definition.resolve)


def accepts_any_class(object_type: GraphQLObjectType) -> bool:
    """Tell whether graphql-core takes any value for an object of this type."""
    return object_type.is_type_of is None


def class_of(object_type: GraphQLObjectType) -> type[Any] | None:
    """Return the class whose own instances are surely of this type (unless they were cast), or None."""
    definition = _object_definition(object_type)
    if definition is None or definition.concrete_of is not None or definition.is_graphql_generic:
        return None
    is_of = object_type.is_type_of
    if is_of is not None and not _is_made_by_strawberry(is_of, _IS_TYPE_OF):
        return None
    origin = definition.origin
    return origin if is_plain(origin) and origin.__dict__.get("__strawberry_definition__") is definition else None


def classes_below(schema: GraphQLSchema, abstract_type: Any) -> dict[type[Any], GraphQLObjectType]:
    """Return the classes whose own instances (unless cast) an interface or union shows as one known type.

    Empty where the type is resolved by a function that Strawberry did not make.
    """
    resolve_type = abstract_type.resolve_type
    if not _is_made_by_strawberry(resolve_type, _INTERFACE_TYPE) and not _is_made_by_strawberry(
        resolve_type, _UNION_TYPE
    ):
        return {}
    found: dict[type[Any], GraphQLObjectType] = {}
    for object_type in schema.get_possible_types(abstract_type):
        value_class = class_of(object_type)
        definition = _object_definition(object_type)
        # For interfaces Strawberry answers with the definition's own name.
        if value_class is not None and definition is not None and definition.name == object_type.name:
            found[value_class] = object_type
    return found


def _object_definition(object_type: GraphQLObjectType) -> StrawberryObjectDefinition | None:
    definition = object_type.extensions.get(_DEFINITION)
    return definition if isinstance(definition, StrawberryObjectDefinition) else None


def _is_made_by_strawberry(function: Callable[..., Any] | None, qualified_name: str) -> bool:
    if type(function) is not FunctionType:
        return False
    code = cast("FunctionType", function).__code__
    return code.co_qualname == qualified_name and "strawberry" in code.co_filename
