"""Which subscriptions ask for the same thing: those whose answers to one event cannot differ."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, cast

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)


def shape_of(document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> Hashable:
    """Return what an answer depends on, of a valid subscription.

    Arguments of its root field choose the events (which company's, after which cursor); what is made of an event is
    told by the selection below, so variables that only choose do not count.
    """
    used = _VariablesBelowRoot(document).of(operation)
    given = {name: variables[name] for name in sorted(used & variables.keys())}
    # The text that the document was parsed from is one object for all who sent it: nothing is kept a second time.
    text = document.loc.source.body if document.loc else ""
    name = operation.name.value if operation.name else None
    return (text, name, orjson.dumps(given, option=orjson.OPT_SORT_KEYS))


def root_field(document: DocumentNode, operation: OperationDefinitionNode) -> FieldNode:
    """Return the one root field of a valid subscription; of several that are merged, the first."""
    fragments = _fragments(document)

    def fields(selection_set: SelectionSetNode) -> Iterator[FieldNode]:
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, FragmentSpreadNode):
                yield from fields(fragments[node.name.value].selection_set)
            else:
                yield from fields(cast("InlineFragmentNode", node).selection_set)

    return next(fields(operation.selection_set))


class _VariablesBelowRoot:
    def __init__(self, document: DocumentNode) -> None:
        self._fragments = _fragments(document)
        self._found: set[str] = set()
        self._seen: set[tuple[str, bool]] = set()

    def of(self, operation: OperationDefinitionNode) -> set[str]:
        self._walk(operation.selection_set, at_root=True)
        return self._found

    def _walk(self, node: Any, *, at_root: bool) -> None:
        """Visit whatever a node holds. Fragments are visited once at the root and once below."""
        if isinstance(node, VariableNode):
            self._found.add(node.name.value)
        elif isinstance(node, FragmentSpreadNode):
            self._walk(node.directives, at_root=False)
            mark = (node.name.value, at_root)
            if mark not in self._seen:
                self._seen.add(mark)
                self._walk(self._fragments[node.name.value].selection_set, at_root=at_root)
        elif isinstance(node, FieldNode):
            for part in (node.directives, node.selection_set, None if at_root else node.arguments):
                self._walk(part, at_root=False)
        elif isinstance(node, Node):
            for key in node.keys:
                if key != "loc":
                    self._walk(getattr(node, key), at_root=at_root)
        elif isinstance(node, (list, tuple)):
            for part in node:  # pyright: ignore[reportUnknownVariableType]: children of a node
                self._walk(part, at_root=at_root)


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
