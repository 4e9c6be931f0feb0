"""Who may send documents of their own, and which of the trusted ones may be fetched by GET."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLSchema,
    ListTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    TypeNode,
)

from execution.engine import GraphQLEngine, OperationRequest, RequestRefused
from resolvers.viewer import Viewer

ANONYMOUS = "anonymous"

# Values that name nobody by themselves. Texts and dates may be a name, an address, a birthdate: addresses are written
# into logs, histories and caches on their whole way.
_FIT_FOR_ADDRESSES = frozenset({"Boolean", "ID", "Int", "SIRET"})


@dataclass(frozen=True, slots=True)
class DocumentRules:
    """`trusted_only`: kinds of viewers, `anonymous` among them, whose own documents are refused."""

    trusted_only: frozenset[str] = frozenset()

    def admit(self, engine: GraphQLEngine, asked: OperationRequest, viewer: Viewer) -> None:
        """Raise RequestRefused for a document of the viewer's own where only trusted ones are accepted."""
        kind = ANONYMOUS if viewer.kind is None else viewer.kind.value
        if kind in self.trusted_only and not self.admits_anybody(engine, asked):
            message = (
                "query: a document of your own, only persisted ones are accepted from this kind of client; send the"
                " documentId of one"
            )
            raise RequestRefused([GraphQLError(message, extensions={"code": "PERSISTED_DOCUMENT_REQUIRED"})])

    def admits_anybody(self, engine: GraphQLEngine, asked: OperationRequest) -> bool:
        """Tell whether a document is accepted whoever sends it."""
        return not self.trusted_only or asked.document_id is not None or engine.trusted_document(asked) is not None


def unfit_variables(schema: GraphQLSchema, operation: OperationDefinitionNode) -> Sequence[str]:
    """Return the variables of an operation whose values may be personal, and so do not belong in an address."""
    return [
        definition.variable.name.value
        for definition in operation.variable_definitions or ()
        if not _is_fit(schema, definition.type)
    ]


def public_seconds(schema: GraphQLSchema, operation: OperationDefinitionNode, answer: Mapping[str, Any]) -> int:
    """Return for how long anybody may keep an answer and show it to anybody; 0 for nearly all: they are somebody's.

    Public are root fields that the schema marks so (schema/build.py), and answers without errors.
    """
    if "errors" in answer or operation.operation is not OperationType.QUERY:
        return 0
    return min((_public_seconds(schema, node) for node in operation.selection_set.selections), default=0)


def _public_seconds(schema: GraphQLSchema, node: SelectionNode) -> int:
    fields: dict[str, Any] = schema.query_type.fields if schema.query_type is not None else {}
    # A root fragment is not looked into: nobody writes one for a list of departments.
    if not isinstance(node, FieldNode) or node.name.value not in fields:
        return 0
    return fields[node.name.value].extensions.get("public_seconds", 0)


def _is_fit(schema: GraphQLSchema, node: TypeNode) -> bool:
    while isinstance(node, (NonNullTypeNode, ListTypeNode)):
        node = node.type
    name = cast("Any", node).name.value
    return name in _FIT_FOR_ADDRESSES or isinstance(schema.type_map.get(name), GraphQLEnumType)
