"""The executor: graphql-core's own, with the resolve info that Strawberry's resolvers expect."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, cast

from graphql import (
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLSchema,
    OperationDefinitionNode,
    default_field_resolver,  # pyright: ignore[reportUnknownVariableType]: of any context
    default_type_resolver,  # pyright: ignore[reportUnknownVariableType]: of any context
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import get_variable_values
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from execution.plans import PlanCache, PlannedExecutor


class SchemaExecutor(PlannedExecutor):
    """graphql-core's executor, with plans, without the incremental-delivery layer that Strawberry's carries along."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Strawberry's `build_resolve_info` hands it on to its Info objects.
        self.operation_extensions = kwargs.pop("operation_extensions", None)
        super().__init__(*args, **kwargs)

    build_resolve_info = StrawberryGraphQLCoreExecutionContext.build_resolve_info  # pyright: ignore[reportAssignmentType, reportUnknownVariableType]: the same method of a sibling class


def execute_prepared(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    *,
    root_value: Any,
    context_value: Any,
    variable_values: Mapping[str, Any],
    hide_suggestions: bool,
    max_coercion_errors: int,
    plans: PlanCache | None,
) -> ExecutionResult | Awaitable[ExecutionResult]:
    """Execute an operation of a document that is valid for this schema.

    `graphql.execute` does the same for any document, and first asks again what validation has told: whether the schema
    is whole, which operation is meant, what the arguments of fragments are (the parser takes none).
    """
    values = get_variable_values(
        schema,
        operation.variable_definitions or (),
        dict(variable_values),
        max_errors=max_coercion_errors,
        hide_suggestions=hide_suggestions,
    )
    if isinstance(values, list):
        return ExecutionResult(None, errors=values)
    definitions = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    executor = SchemaExecutor(
        schema,
        definitions,
        {name: FragmentDetails(node, None) for name, node in definitions.items()},
        root_value,
        context_value,
        operation,
        values,
        default_field_resolver,
        default_type_resolver,
        default_field_resolver,
        hide_suggestions=hide_suggestions,
        plans=plans,
    )
    # Without `@defer` and `@stream` in the schema there is nothing but whole results.
    return cast("ExecutionResult | Awaitable[ExecutionResult]", executor.execute_operation())
