"""What an operation may ask for. Everything is counted with memory for fragments: a document of doubled fragments costs
as much to count as to read, however often it would be expanded.

Two passes: the shape of a document is judged before validation (which an attack would slow down), its cost after, when
every field is known to exist.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TokenKind,
    ValueNode,
    VariableNode,
    is_composite_type,
)

from execution.types import is_list, named_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`cost` counts resolved fields, each list multiplied by the rows it may hold."""

    # White space and comments are no tokens, a text of any length is one, and reading each takes its time, in which
    # nobody else is answered: a megabyte of them, up to two seconds.
    characters: int = 32_768
    tokens: int = 2_000
    depth: int = 15
    aliases: int = 50
    fields: int = 1_000
    directives: int = 50
    operations: int = 10
    cost: int = 20_000
    # What a connection holds when the caller does not say, and what a list is taken to hold whose field does not say it
    # (`extensions["rows"]`).
    default_page: int = 20
    list_estimate: int = 10
    # Introspection nests deeply by design, and its lists are short: its own allowance, in which the standard query of
    # tools fits.
    introspection_depth: int = 18
    introspection_list_estimate: int = 5
    # Digits of one number: turning text into numbers takes time that grows with its square.
    digits: int = 40


class LimitError(GraphQLError):
    """The document asks for more than one operation may."""

    def __init__(self, message: str) -> None:
        super().__init__(message, extensions={"code": "LIMIT_EXCEEDED"})


@dataclass(slots=True)
class _Shape:
    depth: int = 0
    introspection_depth: int = 0
    aliases: int = 0
    fields: int = 0
    directives: int = 0

    def add(self, other: _Shape) -> None:
        self.depth = max(self.depth, other.depth)
        self.introspection_depth = max(self.introspection_depth, other.introspection_depth)
        self.aliases += other.aliases
        self.fields += other.fields
        self.directives += other.directives


def check_shape(document: DocumentNode, limits: Limits) -> bool:
    """Raise LimitError for a document that is too deep, too wide or too repetitive to look at any further.

    Returns whether any of its operations asks for the schema.
    """
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if len(operations) > limits.operations:
        raise LimitError(f"{len(operations)} operations in one document, at most {limits.operations} are accepted")
    _check_numbers(document, limits)
    counter = _ShapeCounter(document)
    introspects = False
    for operation in operations:
        shape = counter.of(operation.selection_set)
        introspects = introspects or shape.introspection_depth > 0
        shape.directives += len(operation.directives or ())
        for name, found, most in (
            ("levels deep", shape.depth, limits.depth),
            ("levels of introspection deep", shape.introspection_depth, limits.introspection_depth),
            ("aliases", shape.aliases, limits.aliases),
            ("fields", shape.fields, limits.fields),
            ("directives", shape.directives, limits.directives),
        ):
            if found > most:
                # The count of an expanded document may have hundreds of digits.
                shown = str(found) if found < 1_000_000 else "over a million"
                raise LimitError(f"operation: {shown} {name}, at most {most} are accepted")
    return introspects


def _check_numbers(document: DocumentNode, limits: Limits) -> None:
    token = document.loc.start_token if document.loc else None
    while token is not None:
        if token.kind in (TokenKind.INT, TokenKind.FLOAT) and token.end - token.start > limits.digits:
            raise LimitError(
                f"document: a number of {token.end - token.start} digits, at most {limits.digits} expected"
            )
        token = token.next


class _ShapeCounter:
    def __init__(self, document: DocumentNode) -> None:
        self._fragments = _fragments(document)
        self._known: dict[str, _Shape] = {}
        self._open: set[str] = set()

    def of(self, selection_set: SelectionSetNode | None) -> _Shape:
        total = _Shape()
        for node in selection_set.selections if selection_set else ():
            total.directives += len(node.directives or ())
            if isinstance(node, FieldNode):
                total.fields += 1
                total.aliases += node.alias is not None
                total.add(self._deeper(node))
            elif isinstance(node, InlineFragmentNode):
                total.add(self.of(node.selection_set))
            else:
                assert isinstance(node, FragmentSpreadNode)  # noqa: S101 (the grammar has three kinds)
                total.add(self._fragment(node.name.value))
        return total

    def _deeper(self, node: FieldNode) -> _Shape:
        """Return the shape of a field's selection, one level further down."""
        below = replace(self.of(node.selection_set))
        if node.name.value in _INTROSPECTION:
            below.introspection_depth, below.depth = below.depth + 1, 1
        else:
            below.depth += 1
        return below

    def _fragment(self, name: str) -> _Shape:
        # A cycle, or a name that is not there, is for validation to refuse.
        if name in self._open or name not in self._fragments:
            return _Shape()
        if name not in self._known:
            self._open.add(name)
            self._known[name] = self.of(self._fragments[name].selection_set)
            self._open.discard(name)
        return self._known[name]


def operation_cost(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
    limits: Limits,
) -> int:
    """Return how many fields a valid operation may resolve. Introspection costs what it selects, lists included."""
    root = schema.get_root_type(operation.operation)
    return _CostCounter(schema, document, _with_defaults(operation, variables), limits).of(
        operation.selection_set, root
    )


def sizes_of(variables: Mapping[str, Any]) -> Hashable:
    """Return all of the variables that a cost can depend on: which are given, their numbers, the lengths of lists."""
    return tuple((name, _extent(value)) for name, value in variables.items())


def _extent(value: Any) -> Hashable:
    if isinstance(value, (int, float)):
        return value
    # Apart from numbers: a list of two is not the size 2.
    return ("list", len(cast("list[Any]", value))) if isinstance(value, list) else None


class _CostCounter:
    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any], limits: Limits
    ) -> None:
        self._schema = schema
        self._fragments = _fragments(document)
        self._variables = variables
        self._limits = limits
        self._known: dict[tuple[str, str], int] = {}

    def of(self, selection_set: SelectionSetNode | None, parent: Any) -> int:
        total = 0
        for node in selection_set.selections if selection_set else ():
            if isinstance(node, FieldNode):
                total += self._field(node, parent)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                total += self.of(
                    node.selection_set, self._schema.type_map[condition.name.value] if condition else parent
                )
            else:
                assert isinstance(node, FragmentSpreadNode)  # noqa: S101 (the grammar has three kinds)
                total += self._fragment(node.name.value, parent)
        return total

    def _fragment(self, name: str, parent: Any) -> int:
        fragment = self._fragments[name]
        key = (name, parent.name)
        if key not in self._known:
            condition = self._schema.type_map[fragment.type_condition.name.value]
            self._known[key] = self.of(fragment.selection_set, condition)
        return self._known[key]

    def _field(self, node: FieldNode, parent: Any) -> int:
        if node.selection_set is None:
            return 1
        definition = self._schema.get_field(parent, node.name.value)
        if definition is None:
            return 1
        kind = named_type(definition.type)
        below = self.of(node.selection_set, kind) if is_composite_type(kind) else 0
        return 1 + self._rows(node, definition, parent) * below

    def _rows(self, node: FieldNode, definition: Any, parent: Any) -> int:
        if "first" in definition.args:
            sizes = [self._size(argument.value) for argument in node.arguments or () if argument.name.value in _SIZES]
            known = [size for size in sizes if size is not None]
            # Whatever is wrong with a size (negative, too large) is for the field to refuse, not to pay for.
            return min(max(known, default=self._limits.default_page), 1_000) if known else self._limits.default_page
        if not is_list(definition.type) or _is_page_part(node, parent):
            return 1
        if named_type(definition.type).name.startswith("__"):
            return self._limits.introspection_list_estimate
        listed = max((self._length(argument.value) for argument in node.arguments or ()), default=0)
        return listed or definition.extensions.get("rows", self._limits.list_estimate)

    def _size(self, value: Any) -> int | None:
        if isinstance(value, IntValueNode):
            return max(int(value.value), 0)
        if isinstance(value, VariableNode):
            given = self._variables.get(value.name.value)
            # JSON does not tell 100.0 from 100, and Int takes both.
            return max(int(given), 0) if isinstance(given, (int, float)) and isfinite(given) else None
        return None

    def _length(self, value: Any) -> int:
        """Return how many rows an argument names, for a list that is asked for by ids; 0 for any other argument."""
        if isinstance(value, VariableNode):
            value = self._variables.get(value.name.value)
        if isinstance(value, ListValueNode):
            return len(value.values)
        return len(cast("list[Any]", value)) if isinstance(value, list) else 0


_INTROSPECTION = frozenset({"__schema", "__type"})
_SIZES = frozenset({"first", "last", "limit"})


def _is_page_part(node: FieldNode, parent: Any) -> bool:
    """The rows of a connection were counted where its size was asked for."""
    return node.name.value in ("edges", "nodes") and "pageInfo" in parent.fields


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}


def _with_defaults(operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {
        definition.variable.name.value: _constant(definition.default_value)
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }
    return values | dict(variables)


def _constant(value: ValueNode) -> Any:
    """Return as much of a default as a cost can depend on: a size, or a list's length."""
    if isinstance(value, IntValueNode):
        return int(value.value)
    return list(value.values) if isinstance(value, ListValueNode) else None
