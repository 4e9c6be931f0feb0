"""The executor: graphql-core's own, with the resolve info that Strawberry's resolvers expect."""

from __future__ import annotations

from typing import Any

from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from execution.plans import PlannedExecutor


class SchemaExecutor(PlannedExecutor):
    """graphql-core's executor, with plans, without the incremental-delivery layer that Strawberry's carries along."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Strawberry's `build_resolve_info` hands it on to its Info objects.
        self.operation_extensions = kwargs.pop("operation_extensions", None)
        super().__init__(*args, **kwargs)

    build_resolve_info = StrawberryGraphQLCoreExecutionContext.build_resolve_info  # pyright: ignore[reportAssignmentType, reportUnknownVariableType]: the same method of a sibling class
