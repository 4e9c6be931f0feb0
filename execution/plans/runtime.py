"""The executor that runs plans where there are any, and what plans ask of it.

A plan does what graphql-core's executor does, in the same order: the same calls of resolvers and attributes, the same
tasks for what must be awaited. So its methods here have their models in `graphql.execution.executor`: whoever upgrades
graphql-core compares them (the differential tests do, too).
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from graphql import GraphQLError, GraphQLObjectType, OperationType
from graphql.execution import Executor
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path, gather_with_cancel

from execution.plans.sites import Site
from execution.rows import Rows

if TYPE_CHECKING:
    from execution.plans.cache import PlanCache, Positions


_SEQUENCES = frozenset({list, tuple})


class PlannedExecutor(Executor[Any]):
    """graphql-core's executor; `plans` makes it run compiled code for what it has seen before."""

    def __init__(self, *args: Any, plans: PlanCache | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plans = plans
        self._positions: Positions | None = None

    # -- where plans take over

    def execute_operation(self, serially: bool | None = None) -> Any:
        """Execute a query whose root fields are known already; any other operation as graphql-core does."""
        fields = self._known_root_fields() if serially is None else None
        if fields is None:
            return super().execute_operation(serially)
        root_type = cast("GraphQLObjectType", self.schema.query_type)
        try:
            data: Any = self.execute_fields(root_type, self.root_value, None, fields, None)
        except GraphQLError as error:
            return self._without_data(error)
        return self._respond(data) if _must_await(self, data) else self.build_response(data)

    def _known_root_fields(self) -> Any:
        if self._plans is None or self.operation.operation is not OperationType.QUERY:
            return None
        return (self._positions or self._find_positions(self._plans)).root_fields(self)

    async def _respond(self, data: Awaitable[Any]) -> Any:
        try:
            return self.build_response(await data)
        except GraphQLError as error:
            return self._without_data(error)
        except Exception:
            await self.cancel_incremental_work()
            self.run_async_work_finished_hook()
            raise

    def _without_data(self, error: GraphQLError) -> Any:
        self.collected_errors.add(error, None)
        return self.build_response(None)

    def collect_and_execute_subfields(
        self, return_type: GraphQLObjectType, field_details_list: Any, path: Path, result: Any, position_context: Any
    ) -> Any:
        if self._plans is not None:
            positions = self._positions or self._find_positions(self._plans)
            plan = positions.of_object(self, return_type, field_details_list)
            if plan is not None:
                return plan(self, result, path)
        return super().collect_and_execute_subfields(return_type, field_details_list, path, result, position_context)

    def complete_list_value(
        self,
        return_type: Any,
        field_details_list: Any,
        info: Any,
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        if isinstance(result, Rows):
            result = result.objects()
        if self._plans is not None and type(result) in _SEQUENCES:
            positions = self._positions or self._find_positions(self._plans)
            plan = positions.of_list(self, return_type, field_details_list, info)
            if plan is not None:
                return plan(self, result, path)
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)

    def _find_positions(self, plans: PlanCache) -> Positions:
        self._positions = plans.positions(self)
        return self._positions

    # -- what plans ask for: fields

    def resolve_site(self, site: Site, source: Any, path: Path) -> Any:
        """Call a field's resolver."""
        info = site.info(self, path)
        arguments = (
            get_argument_values(site.definition, site.nodes[0], self.variable_values, None, self.hide_suggestions)
            if site.takes_arguments
            else {}
        )
        return (site.definition.resolve or self.field_resolver)(source, info, **arguments)

    def complete_unusual(self, site: Site, value: Any, path: Path) -> Any:
        """Go on with a field whose value the plan does not take, where graphql-core goes on after the resolver."""
        definition, details = site.definition, site.details
        info = site.info(self, path)
        try:
            if self.is_awaitable(value):
                return self.complete_awaitable_value(definition.type, details, info, path, value, None)
            completed: Any = self.complete_value(definition.type, details, info, path, value, None)
        except Exception as error:  # noqa: BLE001 (whatever a field raises is an error of the answer)
            return self.fail(site, definition.type, error, path)
        return self.await_field(site, completed, path) if _must_await(self, completed) else completed

    def fail(self, site: Site, return_type: Any, error: Exception, path: Path) -> None:
        """Note the error of a position that may be null; raise it, located, for one that may not."""
        self.handle_field_error(error, return_type, site.details, path)

    async def await_field(self, site: Site, completed: Awaitable[Any], path: Path) -> Any:
        try:
            return await completed
        except Exception as error:  # noqa: BLE001 (as above)
            return self.fail(site, site.definition.type, error, path)

    async def await_fields(self, results: dict[str, Any], pending: dict[str, Awaitable[Any]]) -> dict[str, Any]:
        """Await the fields of an object that must be awaited, side by side when there are several."""
        if len(pending) == 1:
            ((name, awaitable),) = pending.items()
            results[name] = await awaitable
        else:
            results.update(zip(pending, await gather_with_cancel(*pending.values()), strict=True))
        return results

    # -- what plans ask for: items of lists

    def complete_unusual_item(self, site: Site, item_type: Any, item: Any, path: Path) -> Any:
        """Go on with an item that the plan does not take, where graphql-core begins with it."""
        info = site.info(self, _field_path(path))
        if self.is_awaitable(item):
            return self.complete_awaitable_list_item_value(item, item_type, site.details, info, path, None)
        try:
            completed: Any = self.complete_value(item_type, site.details, info, path, item, None)
        except Exception as error:  # noqa: BLE001 (as above)
            return self.fail(site, item_type, error, path)
        return self.await_item(site, item_type, completed, path) if _must_await(self, completed) else completed

    async def await_item(self, site: Site, item_type: Any, completed: Awaitable[Any], path: Path) -> Any:
        try:
            return await completed
        except Exception as error:  # noqa: BLE001 (as above)
            return self.fail(site, item_type, error, path)

    async def await_items(self, results: list[Any], pending: list[int]) -> list[Any]:
        """Await the items of a list that must be awaited, side by side when there are several."""
        if len(pending) == 1:
            results[pending[0]] = await results[pending[0]]
        else:
            awaited = await gather_with_cancel(*(results[index] for index in pending))
            for index, value in zip(pending, awaited, strict=True):
                results[index] = value
        return results

    def abandon_items(self, results: list[Any], pending: list[int] | None, items: Sequence[Any]) -> None:
        """Let end in the background what a list has begun to await, and whatever awaitable it still holds."""
        awaitables: list[Any] = [results[index] for index in pending or ()]
        with suppress(Exception):
            # The item that failed is neither among the results nor among those to come.
            awaitables.extend(item for item in items[len(results) + 1 :] if _must_await(self, item))
        if awaitables:
            self.settle_in_background(awaitables)

    def abandon_fields(self, pending: dict[str, Awaitable[Any]]) -> None:
        self.settle_in_background(list(pending.values()))


def _must_await(executor: Executor[Any], value: Any) -> bool:
    """Ask the executor, whose own answer would make the value an awaitable of anything."""
    return bool(executor.is_awaitable(value))  # pyright: ignore[reportUnknownArgumentType]: an awaitable of anything


def _field_path(path: Path) -> Path:
    """Return the path of the field that an item (of lists of lists) belongs to."""
    while isinstance(path.key, int) and path.prev is not None:
        path = path.prev
    return path
