"""What an operation selects below a field, read from its document: the look-ahead of every read.

Aliases of one field are merged (each is answered from the same row), fragments are entered where they can apply to the
type that is read, `@skip` and `@include` are obeyed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLUnionType,
    InlineFragmentNode,
    SelectionSetNode,
    VariableNode,
)

from execution.types import named_type

_MAX_CACHED = 2_000


@dataclass(frozen=True, slots=True)
class Selection:
    """The fields selected of one type, by GraphQL name, each with what is selected below it.

    `nodes`: of each field that has one name in the answer, and so one set of arguments, the first node that holds them.
    `memory`: what those who read selections have made of this one, by keys of their own.
    """

    fields: Mapping[str, Selection]
    key: tuple[Any, ...]
    nodes: Mapping[str, FieldNode] = field(default_factory=dict[str, FieldNode], compare=False, repr=False)
    memory: dict[Any, Any] = field(default_factory=dict[Any, Any], compare=False, repr=False)

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def below(self, *path: str) -> Selection:
        """Return what is selected at the end of the path; nothing when the path is not selected."""
        selection = self
        for name in path:
            selection = selection.fields.get(name, NOTHING)
        return selection

    def merged_with(self, other: Selection) -> Selection:
        if not other.fields:
            return self
        if not self.fields:
            return other
        fields = dict(self.fields)
        for name, selection in other.fields.items():
            fields[name] = fields[name].merged_with(selection) if name in fields else selection
        return _selection(fields)


def _selection(fields: Mapping[str, Selection], nodes: Mapping[str, FieldNode] | None = None) -> Selection:
    key = tuple(sorted((name, selection.key) for name, selection in fields.items()))
    return Selection(fields, key, nodes or {})


NOTHING = Selection({}, ())

# Keyed by the identity of the field's nodes, which live as long as the cached document; the nodes are kept in the
# value, so that an identity cannot be given to another node meanwhile.
_cache: dict[tuple[Any, ...], tuple[Any, Selection]] = {}


def selection_of(info: GraphQLResolveInfo[Any], type_name: str | None = None) -> Selection:
    """Return what is selected below the field that is being resolved.

    `type_name`: the concrete type to read, where the field's own type is an interface or a union.
    """
    nodes = info.field_nodes
    flags = tuple(sorted((name, value) for name, value in _variables(info).items() if isinstance(value, bool)))
    key = (*(id(node) for node in nodes), type_name, flags)
    cached = _cache.get(key)
    if cached is not None and all(mine is theirs for mine, theirs in zip(cached[0], nodes, strict=True)):
        return cached[1]
    named = type_name or named_type(info.return_type).name
    concrete = info.schema.type_map[named]
    selection = _Collector(info).collect((node.selection_set for node in nodes), concrete)
    if len(_cache) >= _MAX_CACHED:
        _cache.clear()
    _cache[key] = (tuple(nodes), selection)
    return selection


def _variables(info: GraphQLResolveInfo[Any]) -> Mapping[str, Any]:
    # The executor hands resolvers the plain coerced dict, as Strawberry's does (execution/executor.py).
    return cast("Mapping[str, Any]", info.variable_values)


def _response_name(node: FieldNode) -> str:
    return (node.alias or node.name).value


class _Collector:
    def __init__(self, info: GraphQLResolveInfo[Any]) -> None:
        self._info = info

    def collect(self, selection_sets: Iterable[SelectionSetNode | None], parent: Any) -> Selection:
        found: dict[str, list[FieldNode]] = {}
        for selection_set in selection_sets:
            if selection_set is not None:
                self._gather(selection_set, parent, found)
        fields: dict[str, Selection] = {}
        for name, nodes in found.items():
            field = parent.fields.get(name) if isinstance(parent, GraphQLObjectType) else None
            child = named_type(field.type) if field is not None else None
            fields[name] = self.collect((node.selection_set for node in nodes), child)
        alone = {name: nodes[0] for name, nodes in found.items() if len({_response_name(node) for node in nodes}) == 1}
        return _selection(fields, alone) if fields else NOTHING

    def _gather(self, selection_set: SelectionSetNode, parent: Any, found: dict[str, list[FieldNode]]) -> None:
        for node in selection_set.selections:
            if not self._included(node):
                continue
            if isinstance(node, FieldNode):
                found.setdefault(node.name.value, []).append(node)
                continue
            if isinstance(node, FragmentSpreadNode):
                fragment = self._info.fragments[node.name.value]
                condition = fragment.type_condition.name.value
                inner = fragment.selection_set
            else:
                assert isinstance(node, InlineFragmentNode)  # noqa: S101 (the grammar has three kinds)
                condition = node.type_condition.name.value if node.type_condition else None
                inner = node.selection_set
            if condition is None or self._applies(condition, parent):
                self._gather(inner, parent, found)

    def _applies(self, condition: str, parent: Any) -> bool:
        if parent is None or parent.name == condition:
            return True
        conditional = self._info.schema.type_map.get(condition)
        if isinstance(conditional, (GraphQLInterfaceType, GraphQLUnionType)) and isinstance(parent, GraphQLObjectType):
            return self._info.schema.is_sub_type(conditional, parent)
        return False

    def _included(self, node: Any) -> bool:
        for directive in node.directives or ():
            wanted = {"include": True, "skip": False}.get(directive.name.value)
            if wanted is None:
                continue
            condition = directive.arguments[0].value
            value = (
                _variables(self._info).get(condition.name.value)
                if isinstance(condition, VariableNode)
                else condition.value
            )
            if bool(value) is not wanted:
                return False
        return True
