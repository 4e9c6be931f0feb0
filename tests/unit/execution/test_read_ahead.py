"""What came along with its object is shown instead of what the resolver says, and only where nothing guards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import strawberry
from graphql import DocumentNode, ExecutionResult, FieldNode, GraphQLSchema, OperationDefinitionNode, parse
from graphql.execution import execute  # pyright: ignore[reportUnknownVariableType]
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission

from execution.direct_calls import call_directly
from execution.executor import SchemaExecutor
from execution.plans import PlanCache
from execution.read_ahead import ATTRIBUTE, ReadAhead, value_ahead


class Never(BasePermission):
    message = "never"

    def has_permission(self, source: Any, info: strawberry.Info, **kwargs: Any) -> bool:  # noqa: ARG002 - whoever asks
        return False


class Loud(FieldExtension):
    def resolve(self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        return next_(source, info, **kwargs).upper()


@strawberry.type
class Shelf:
    label: str

    @strawberry.field
    def books(self, first: int | None = None) -> list[str]:
        return [f"read for {first}"]

    @strawberry.field(extensions=[Loud()])
    def loud(self, first: int | None = None) -> str:
        return f"read {first}"

    @strawberry.field(permission_classes=[Never])
    def secret(self, first: int | None = None) -> str | None:
        return f"read {first}"


class Obliging:
    """Answers for any attribute, as mocks do."""

    def __getattr__(self, name: str) -> Any:
        return {1: name}


@strawberry.type
class Query:
    @strawberry.field
    def shelf(self, info: strawberry.Info) -> Shelf:
        return info.context


def schema() -> GraphQLSchema:
    core = strawberry.Schema(query=Query)._schema  # pyright: ignore[reportPrivateUsage]
    call_directly(core, strawberry.Info)
    return core


def nodes_below(document: DocumentNode) -> dict[str, FieldNode]:
    """The fields of the shelf, by their names in the answer."""
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    shelf = operation.selection_set.selections[0]
    assert isinstance(shelf, FieldNode)
    assert shelf.selection_set is not None
    fields = [node for node in shelf.selection_set.selections if isinstance(node, FieldNode)]
    return {(node.alias or node.name).value: node for node in fields}


def answers(query: str, ahead: dict[str, Any]) -> list[Any]:
    """What three executions answer: without a plan, while it is made, with it."""
    core, document = schema(), parse(query)
    plans = PlanCache(core)
    nodes = nodes_below(document)

    def run() -> Any:
        shelf = Shelf(label="a")
        setattr(shelf, ATTRIBUTE, ReadAhead({id(nodes[name]): value for name, value in ahead.items()}))
        result = execute(core, document, context_value=shelf, executor_class=SchemaExecutor, plans=plans)
        assert isinstance(result, ExecutionResult)
        return result.formatted

    return [run() for _ in range(3)]


def test_plans_show_what_came_along():
    first, second, third = answers("{ shelf { label books(first: 2) } }", {"books": ["ahead", "of"]})

    assert first["data"]["shelf"] == {"label": "a", "books": ["read for 2"]}  # graphql-core alone knows nothing of it
    assert second == third == {"data": {"shelf": {"label": "a", "books": ["ahead", "of"]}}}


def test_another_node_of_the_field_is_read():
    query = "{ shelf { some: books(first: 2) others: books(first: 3) } }"

    assert answers(query, {"some": ["ahead"]})[2]["data"]["shelf"] == {"some": ["ahead"], "others": ["read for 3"]}


def test_a_value_that_does_not_fit_is_an_error_at_its_path():
    answer = answers("{ shelf { label books } }", {"books": [None]})[2]

    assert answer["data"] is None
    assert answer["errors"][0]["path"] == ["shelf", "books", 0]


@pytest.mark.parametrize(("field", "shown"), [("loud", "READ 1"), ("secret", None)])
def test_nothing_that_stands_in_front_of_a_field_is_passed_over(field: str, shown: str | None):
    for answer in answers(f"{{ shelf {{ {field}(first: 1) }} }}", {field: "ahead"}):
        assert answer["data"]["shelf"][field] == shown
        assert ("errors" in answer) is (shown is None)


def test_an_object_that_answers_for_any_attribute_brought_nothing():
    assert value_ahead(Obliging(), 1) is None
    assert value_ahead(object(), 1) is None
