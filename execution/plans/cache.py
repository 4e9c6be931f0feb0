"""Plans that were compiled, found again by the operation they belong to."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)
from graphql.execution.collect_fields import collect_fields
from graphql.pyutils import is_awaitable  # pyright: ignore[reportUnknownVariableType]: of anything

from execution.plans.compiler import NotPlannable, Plan, PlanCompiler
from execution.plans.runtime import PlannedExecutor
from execution.plans.sites import site_of

# Sets of directive variables that one operation keeps plans for: clients that switch parts of a page use a few.
_MAX_VARIANTS = 16


class Positions:
    """The plans of one operation under one choice of its directives: a plan for each place where one was needed.

    A place is known by its type and the identity of its nodes, which live as long as the operation.
    """

    __slots__ = ("_cache", "_is_open", "_plans", "_root_fields")

    def __init__(self, cache: PlanCache, *, is_open: bool) -> None:
        self._cache = cache
        self._is_open = is_open
        self._plans: dict[Any, Plan | None] = {}
        self._root_fields: Any = None

    def root_fields(self, executor: PlannedExecutor) -> Any:
        """Return the fields of a query, collected once; None where graphql-core must collect them."""
        if self._root_fields is None and self._is_open:
            root_type = executor.schema.query_type
            if root_type is not None:
                # What goes wrong goes wrong again where graphql-core has a word for it.
                with suppress(GraphQLError, RecursionError):
                    collected = collect_fields(
                        executor.schema,
                        executor.fragments,
                        executor.variable_values,
                        root_type,
                        executor.operation,
                        executor.hide_suggestions,
                    )
                    self._root_fields = None if collected.new_defer_usages else collected.grouped_field_set
        return self._root_fields

    def of_object(self, executor: PlannedExecutor, object_type: Any, details: list[Any]) -> Plan | None:
        if not self._is_open:
            return None
        key = (object_type, id(details[0].node)) if len(details) == 1 else (object_type, *_identities(details))
        try:
            return self._plans[key]
        except KeyError:
            # Introspection is rare, and not made of attributes.
            if object_type.name.startswith("__"):
                return self._keep(key, None)
            return self._keep(key, lambda: self._compiler(executor).object_plan(object_type, details))

    def of_list(self, executor: PlannedExecutor, list_type: Any, details: list[Any], info: Any) -> Plan | None:
        if not self._is_open:
            return None
        key = (list_type, info.parent_type, *_identities(details))
        try:
            return self._plans[key]
        except KeyError:
            node = details[0].node
            site = site_of(
                executor.schema, info.parent_type, node.alias.value if node.alias else node.name.value, details
            )
            if site is None or info.parent_type.name.startswith("__"):
                return self._keep(key, None)
            return self._keep(key, lambda: self._compiler(executor).list_plan(list_type, site))

    def _compiler(self, executor: PlannedExecutor) -> PlanCompiler:
        return PlanCompiler(executor, native_dates=self._cache.native_dates)

    def _keep(self, key: Any, compile_it: Callable[[], Plan] | None) -> Plan | None:
        """Remember the plan of a place, or that there is none."""
        plan = None
        if compile_it is not None:
            try:
                plan = compile_it()
                self._cache.compiled += 1
            except NotPlannable:
                pass
            except Exception:  # noqa: BLE001 (a fault of the compiler costs speed, never an answer)
                self._cache.faults += 1
        self._plans[key] = plan
        return plan


class _Operation:
    """What is known of an operation. It keeps the nodes alive whose identities are keys."""

    __slots__ = ("executions", "fragments", "node", "switches", "variants")

    def __init__(self, node: OperationDefinitionNode, fragments: tuple[FragmentDefinitionNode, ...]) -> None:
        self.node = node
        self.fragments = fragments
        self.switches = tuple(sorted(_directive_variables(node, fragments)))
        self.executions = 0
        self.variants: dict[tuple[Any, ...], Positions] = {}


class PlanCache:
    """The plans of one schema, for as many operations as `size`; those that were not used for longest go first.

    An operation is compiled when it comes for the `compile_after`-th time: one that never returns costs nothing.
    `native_dates`: leave dates, and instants in UTC, to an encoder that writes them as Python's `isoformat` does.
    """

    def __init__(
        self, schema: GraphQLSchema, *, size: int = 500, compile_after: int = 2, native_dates: bool = False
    ) -> None:
        self._schema = schema
        self._size = size
        self._compile_after = compile_after
        self.native_dates = native_dates
        self._operations: OrderedDict[tuple[int, ...], _Operation] = OrderedDict()
        self._expected: dict[int, _Operation] = {}
        self._closed = Positions(self, is_open=False)
        # For tests and metrics: executions with plans and without, plans that were made, and that should have been.
        self.hits = 0
        self.misses = 0
        self.compiled = 0
        self.faults = 0

    def __len__(self) -> int:
        return len(self._operations)

    def expect(self, document: DocumentNode) -> None:
        """Compile a document's operations when they come for the first time, and never forget them for others."""
        fragments = tuple(node for node in document.definitions if isinstance(node, FragmentDefinitionNode))
        for node in document.definitions:
            if isinstance(node, OperationDefinitionNode):
                operation = self._expected[id(node)] = _Operation(node, fragments)
                operation.executions = self._compile_after - 1

    def positions(self, executor: PlannedExecutor) -> Positions:
        """Return the plans that an execution may use; none for one of a kind that plans do not imitate."""
        if not self._imitates(executor):
            return self._closed
        operation = self._operation(executor)
        operation.executions += 1
        if operation.executions < self._compile_after:
            self.misses += 1
            return self._closed
        values = executor.variable_values.coerced
        variant = tuple(values.get(name) for name in operation.switches)
        found = operation.variants.get(variant)
        if found is None:
            self.misses += 1
            if len(operation.variants) >= _MAX_VARIANTS:
                operation.variants.clear()
            found = operation.variants[variant] = Positions(self, is_open=True)
        else:
            self.hits += 1
        return found

    def _imitates(self, executor: PlannedExecutor) -> bool:
        return (
            executor.schema is self._schema
            and executor.middleware_manager is None
            and executor.abort_signal is None
            and executor.is_awaitable is is_awaitable
            and executor.error_propagation
        )

    def _operation(self, executor: PlannedExecutor) -> _Operation:
        expected = self._expected.get(id(executor.operation))
        if expected is not None:
            return expected
        fragments = tuple(executor.fragment_definitions.values())
        key = (id(executor.operation), *map(id, fragments))
        found = self._operations.get(key)
        if found is not None:
            self._operations.move_to_end(key)
            return found
        found = self._operations[key] = _Operation(executor.operation, fragments)
        if len(self._operations) > self._size:
            self._operations.popitem(last=False)
        return found


def _identities(details: Iterable[Any]) -> tuple[int, ...]:
    return tuple(id(detail.node) for detail in details)


def _directive_variables(node: OperationDefinitionNode, fragments: Iterable[FragmentDefinitionNode]) -> set[str]:
    """Return the variables that decide what is selected."""
    found: set[str] = set()
    left: list[SelectionSetNode | None] = [node.selection_set, *(fragment.selection_set for fragment in fragments)]
    while left:
        selection_set = left.pop()
        for selection in selection_set.selections if selection_set is not None else ():
            for directive in selection.directives or ():
                found.update(
                    argument.value.name.value
                    for argument in directive.arguments or ()
                    if isinstance(argument.value, VariableNode)
                )
            left.append(getattr(selection, "selection_set", None))
    return found
