"""Plans: when they are made and found, what bounds them, and that they skip no resolver, permission or extension."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from inspect import isawaitable
from typing import Annotated, Any

import orjson
import pytest
import strawberry
from graphql import DocumentNode, ExecutionResult, GraphQLSchema, get_introspection_query, parse
from graphql.execution import execute  # pyright: ignore[reportUnknownVariableType]: open context
from hypothesis import given
from hypothesis import strategies as st
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission

from execution.executor import SchemaExecutor
from execution.plans import PlanCache
from execution.plans.values import is_plain
from tests.unit.execution.shop import ask, shop


@strawberry.enum
class Grade(StrEnum):
    GOOD = "good"
    BAD = "bad"


class MayReadSecrets(BasePermission):
    message = "not for you"

    def has_permission(self, _: Any, info: strawberry.Info, **__: Any) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]: called by position
        return info.context.may_read_secrets


class Counting(FieldExtension):
    def resolve(self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **arguments: Any) -> Any:
        info.context.extension_calls += 1
        return next_(source, info, **arguments)


@dataclass
class Context:
    """What a request knows; `books` is what the library returns."""

    books: Any
    may_read_secrets: bool = True
    extension_calls: int = 0
    resolver_calls: list[str] = field(default_factory=list[str])


@strawberry.interface
class Thing:
    name: str


@strawberry.type
class Author(Thing):
    born: date | None = None


@strawberry.type
class Book(Thing):
    pages: int = 1
    grade: Grade = Grade.GOOD
    printed_at: datetime = datetime(2026, 2, 18, 9, 30, tzinfo=UTC)
    author: Author | None = None
    tags: list[str] = strawberry.field(default_factory=list[str])
    secret: str | None = strawberry.field(default="s", permission_classes=[MayReadSecrets])
    counted: str = strawberry.field(default="c", extensions=[Counting()])

    @strawberry.field
    def title(self, info: strawberry.Info, prefix: str = "") -> str:
        info.context.resolver_calls.append(f"{info.path.as_list()}")
        return prefix + self.name

    @strawberry.field
    async def later(self) -> str:
        return f"later {self.name}"


@strawberry.type
class Library:
    books: list[Book]
    things: list[Thing]
    anything: list[Annotated[Book | Author, strawberry.union("Anything")]]


@strawberry.type
class Query:
    @strawberry.field
    def library(self, info: strawberry.Info) -> Library:
        books = info.context.books
        return Library(books=books, things=books, anything=books)


@strawberry.type
class Shelf:
    @strawberry.field
    def labels(self, given: list[str] = ["a"], size: int = 1) -> list[str]:  # noqa: B006 (one object is the point)
        given.append("changed")
        return given * size


@strawberry.type
class Room:
    @strawberry.field
    def shelves(self) -> list[Shelf]:
        return [Shelf(), Shelf()]


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return strawberry.Schema(Query, types=[Author, Book])._schema  # pyright: ignore[reportPrivateUsage]: executed itself


@pytest.fixture
def plans(schema: GraphQLSchema) -> PlanCache:
    return PlanCache(schema, compile_after=1)


async def run(
    schema: GraphQLSchema, document: DocumentNode | str, context: Context, plans: PlanCache | None, **variables: Any
) -> ExecutionResult:
    result: Any = execute(
        schema,
        parse(document) if isinstance(document, str) else document,
        context_value=context,
        variable_values=variables,
        executor_class=SchemaExecutor,
        plans=plans,
    )
    return await result if isawaitable(result) else result


def books(number: int = 3) -> list[Book]:
    return [Book(name=f"b{index}", author=Author(name="a"), tags=["x", "y"]) for index in range(number)]


PAGE = "{ library { books { name pages grade printedAt author { name born } tags } } }"


# -- when plans are made, and found again


async def test_an_operation_is_compiled_when_it_comes_back(schema: GraphQLSchema):
    plans = PlanCache(schema)
    document = parse(PAGE)

    results = [await run(schema, document, Context(books()), plans) for _ in range(10)]

    assert all(result == results[0] and result.errors is None for result in results)
    assert (plans.compiled, plans.misses, plans.hits) == (1, 2, 8)


async def test_an_operation_that_comes_once_is_not_compiled(schema: GraphQLSchema):
    plans = PlanCache(schema)

    for _ in range(5):
        await run(schema, PAGE, Context(books()), plans)

    assert (plans.compiled, plans.hits) == (0, 0)


async def test_an_engine_finds_its_plans_again():
    engine = shop()

    for _ in range(100):
        await engine.execute(ask("{ items(first: 3) { nodes { name } } }"), None, deadline_seconds=5)

    assert engine.plans is not None
    assert (engine.plans.hits, engine.plans.misses) == (98, 2)


async def test_plans_are_bounded_by_the_operations_that_were_used_last(schema: GraphQLSchema):
    plans = PlanCache(schema, size=3, compile_after=1)
    documents = [parse(f"{{ library {{ books {{ a{number}: name }} }} }}") for number in range(6)]

    for document in documents:
        await run(schema, document, Context(books()), plans)
    await run(schema, documents[5], Context(books()), plans)
    await run(schema, documents[0], Context(books()), plans)

    assert len(plans) == 3
    assert plans.hits == 1
    assert plans.compiled == 7


async def test_each_choice_of_directives_has_plans_of_its_own(schema: GraphQLSchema, plans: PlanCache):
    document = parse(
        "query($a: Boolean!, $b: Boolean!) { library { books { name @include(if: $a) pages @skip(if: $b) } } }"
    )

    seen = [
        (await run(schema, document, Context(books(1)), plans, a=a, b=b)).data
        for a, b in ((True, True), (True, False), (True, True))
    ]

    assert seen == [
        {"library": {"books": [{"name": "b0"}]}},
        {"library": {"books": [{"name": "b0", "pages": 1}]}},
        {"library": {"books": [{"name": "b0"}]}},
    ]
    assert (plans.compiled, plans.hits) == (2, 1)


async def test_variables_of_arguments_do_not_choose_plans(schema: GraphQLSchema, plans: PlanCache):
    document = parse("query($p: String!) { library { books { title(prefix: $p) } } }")

    one = await run(schema, document, Context(books(1)), plans, p="x ")
    two = await run(schema, document, Context(books(1)), plans, p="y ")

    assert one.data == {"library": {"books": [{"title": "x b0"}]}}
    assert two.data == {"library": {"books": [{"title": "y b0"}]}}
    assert (plans.compiled, plans.hits) == (1, 1)


@pytest.mark.parametrize("arguments", ["", '(prefix: "x ")', "(prefix: $p)"])
async def test_arguments_reach_each_resolver_as_they_do_without_plans(
    schema: GraphQLSchema, plans: PlanCache, arguments: str
):
    document = parse(f'query($p: String! = "d ") {{ library {{ books {{ title{arguments} again: title }} }} }}')

    shown = [(await run(schema, document, Context(books()), used)).data for used in (None, plans, plans)]

    assert shown[0] is not None
    assert shown[1] == shown[2] == shown[0]


async def test_a_resolver_that_changes_its_default_changes_it_as_it_does_without_plans():
    of = strawberry.Schema(Room)._schema  # pyright: ignore[reportPrivateUsage]: as above
    document = parse("{ shelves { labels(size: 2) } }")
    alone = await run(of, document, Context([]), None)

    compiled = [await run(of, document, Context([]), PlanCache(of, compile_after=1)) for _ in range(2)]

    assert alone.errors is None
    assert [result.data for result in compiled] == [alone.data, alone.data]


async def test_the_same_operation_with_other_fragments_is_another(schema: GraphQLSchema, plans: PlanCache):
    one = parse("{ library { books { ...Part } } } fragment Part on Book { name }")
    other = parse("{ library { books { ...Part } } } fragment Part on Book { pages }")
    mixed = DocumentNode(definitions=(one.definitions[0], other.definitions[1]))

    first = await run(schema, one, Context(books(1)), plans)
    second = await run(schema, mixed, Context(books(1)), plans)

    assert first.data == {"library": {"books": [{"name": "b0"}]}}
    assert second.data == {"library": {"books": [{"pages": 1}]}}


async def test_plans_of_one_schema_are_not_used_for_another(schema: GraphQLSchema):
    foreign = PlanCache(strawberry.Schema(Query)._schema, compile_after=1)  # pyright: ignore[reportPrivateUsage]: as above

    result = await run(schema, PAGE, Context(books()), foreign)

    assert result.errors is None
    assert (foreign.compiled, foreign.hits, foreign.misses) == (0, 0, 0)


async def test_middleware_is_not_passed_by(schema: GraphQLSchema, plans: PlanCache):
    seen: list[str] = []

    def middleware(next_: Any, root: Any, info: Any, **arguments: Any) -> Any:
        seen.append(info.field_name)
        return next_(root, info, **arguments)

    execute(
        schema,
        parse("{ library { books { name } } }"),
        context_value=Context(books(2)),
        executor_class=SchemaExecutor,
        middleware=[middleware],
        plans=plans,
    )

    assert seen == ["library", "books", "name", "name"]
    assert plans.compiled == 0


async def test_introspection_is_left_to_graphql_core(schema: GraphQLSchema, plans: PlanCache):
    document = parse(get_introspection_query())

    expected = await run(schema, document, Context([]), None)
    result = await run(schema, document, Context([]), plans)

    assert result == expected
    assert (plans.compiled, plans.faults) == (0, 0)


# -- what plans may not skip


async def test_a_permission_is_asked_for_each_value(schema: GraphQLSchema, plans: PlanCache):
    document = parse("{ library { books { name secret } } }")

    allowed = await run(schema, document, Context(books(2)), plans)
    refused = await run(schema, document, Context(books(2), may_read_secrets=False), plans)

    assert allowed.data == {"library": {"books": [{"name": "b0", "secret": "s"}, {"name": "b1", "secret": "s"}]}}
    assert refused.data == {"library": {"books": [{"name": "b0", "secret": None}, {"name": "b1", "secret": None}]}}
    assert [(error.message, error.path) for error in refused.errors or ()] == [
        ("not for you", ["library", "books", 0, "secret"]),
        ("not for you", ["library", "books", 1, "secret"]),
    ]
    assert plans.compiled == 1


async def test_an_extension_runs_for_each_value(schema: GraphQLSchema, plans: PlanCache):
    context = Context(books(3))

    await run(schema, "{ library { books { counted } } }", context, plans)

    assert context.extension_calls == 3
    assert plans.compiled == 1


async def test_resolvers_are_told_where_they_are(schema: GraphQLSchema, plans: PlanCache):
    context = Context(books(2))

    await run(schema, "{ lib: library { books { t: title } } }", context, plans)

    assert context.resolver_calls == ["['lib', 'books', 0, 't']", "['lib', 'books', 1, 't']"]
    assert plans.compiled == 1


async def test_plain_and_awaited_fields_stand_side_by_side(schema: GraphQLSchema, plans: PlanCache):
    result = await run(schema, "{ library { books { name later title } } }", Context(books(2)), plans)

    assert result.data == {
        "library": {
            "books": [
                {"name": "b0", "later": "later b0", "title": "b0"},
                {"name": "b1", "later": "later b1", "title": "b1"},
            ]
        }
    }


# -- values that are not the usual ones


class Careful:
    """A book of which every reading is counted, with one page too many for an Int."""

    def __init__(self) -> None:
        self.read: list[str] = []

    @property
    def name(self) -> str:
        self.read.append("name")
        return "careful"

    @property
    def pages(self) -> int:
        self.read.append("pages")
        return 2**31


@strawberry.type
class Sheet:
    name: str
    pages: int | None


@strawberry.type(name="Query")
class Desk:
    @strawberry.field
    def sheets(self, info: strawberry.Info) -> list[Sheet]:
        return info.context.books


async def test_nothing_is_read_twice_where_a_value_is_unusual():
    schema = strawberry.Schema(Desk)._schema  # pyright: ignore[reportPrivateUsage]: as above
    sheet, plans = Careful(), PlanCache(schema, compile_after=1)

    result = await run(schema, "{ sheets { name pages again: name } }", Context([sheet]), plans)

    assert result.data == {"sheets": [{"name": "careful", "pages": None, "again": "careful"}]}
    assert [error.path for error in result.errors or ()] == [["sheets", 0, "pages"]]
    assert sheet.read == ["name", "pages", "name"]
    assert plans.compiled == 1


async def test_one_bad_row_costs_the_others_nothing(schema: GraphQLSchema, plans: PlanCache):
    shelf = books(3)
    shelf[1].author = Author(name=None)  # pyright: ignore[reportArgumentType]: a null where none may be

    expected = await run(schema, PAGE, Context(shelf), None)
    result = await run(schema, PAGE, Context(shelf), plans)

    assert result == expected
    assert result.data is not None
    assert [book["author"] for book in result.data["library"]["books"]] == [
        {"name": "a", "born": None},
        None,
        {"name": "a", "born": None},
    ]


@pytest.mark.parametrize("place", ["things", "anything"])
async def test_abstract_types_are_told_by_the_class_of_a_value(schema: GraphQLSchema, plans: PlanCache, place: str):
    document = parse(f"{{ library {{ {place} {{ __typename ... on Book {{ pages }} ... on Author {{ born }} }} }} }}")
    shelf: list[Any] = [Book(name="b"), Author(name="a"), Book(name="c")]

    expected = await run(schema, document, Context(shelf), None)
    result = await run(schema, document, Context(shelf), plans)

    assert result == expected
    assert result.data == {
        "library": {
            place: [
                {"__typename": "Book", "pages": 1},
                {"__typename": "Author", "born": None},
                {"__typename": "Book", "pages": 1},
            ]
        }
    }
    # The library, and each of the two types.
    assert plans.compiled == 3


async def test_selections_too_deep_for_one_function_are_compiled_in_parts():
    engine = shop()
    engine.plans = PlanCache(engine.schema, compile_after=1)
    query = "{ item " + "{ items(first: 2) { nodes " * 6 + "{ name }" + " } }" * 6 + " }"
    plain = shop()
    plain.plans = None

    result = await engine.execute(ask(query), None, deadline_seconds=5)

    assert result == await plain.execute(ask(query), None, deadline_seconds=5)
    assert result.errors is None
    assert engine.plans.compiled > 1
    assert engine.plans.faults == 0


def test_classes_that_answer_for_anything_are_not_plain():
    class Ghost:
        def __getattr__(self, name: str) -> str:
            return name

    class Awaitable:
        def __await__(self) -> Any:
            yield

    assert not any(is_plain(each) for each in (Ghost, Awaitable, ValueError, type(None), type(iter("")), type))
    assert all(is_plain(each) for each in (str, int, dict, Book, Grade, datetime))


# -- dates


@strawberry.type
class Clock:
    at: datetime


@strawberry.type(name="Query")
class Tower:
    @strawberry.field
    def clock(self, info: strawberry.Info) -> Clock:
        return Clock(at=info.context.books)


_clock_schema = strawberry.Schema(Tower)._schema  # pyright: ignore[reportPrivateUsage]: as above


@given(
    st.one_of(
        st.dates(),
        st.datetimes(timezones=st.sampled_from((UTC, None))),
        st.datetimes(timezones=st.timezones()),
    )
)
async def test_dates_left_to_the_encoder_are_written_as_isoformat_does(when: date):
    plans = PlanCache(_clock_schema, compile_after=1, native_dates=True)

    result = await run(_clock_schema, "{ clock { at } }", Context(when), plans)

    assert orjson.loads(orjson.dumps(result.data)) == {"clock": {"at": when.isoformat()}}
    assert plans.compiled == 1
