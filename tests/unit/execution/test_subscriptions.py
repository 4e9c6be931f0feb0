"""Subscriptions: who shares an answer and who never does, what ends a stream, and that nothing stays behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Hashable
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
import strawberry
from graphql import ExecutionResult

from execution.engine import GraphQLEngine, RequestRefused
from execution.limits import Limits
from execution.subscriptions import Answer, StreamFailed, SubscriptionEngine
from tests.unit.execution.shop import ask


@dataclass
class Shop:
    """Where events come from, and what the tests count."""

    sales: list[tuple[Hashable, str]] = field(default_factory=list[tuple[Hashable, str]])
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    began: asyncio.Event = field(default_factory=asyncio.Event)
    listening: int = 0
    resolved: int = 0


@dataclass
class Context:
    shop: Shop
    who: str
    number: int


@strawberry.type
class Sale:
    name: str
    key: strawberry.Private[Any]
    extensions: strawberry.Private[dict[str, Any] | None] = None

    @strawberry.field
    async def price(self, info: strawberry.Info, currency: str = "EUR") -> str:
        info.context.shop.resolved += 1
        await asyncio.sleep(0)
        if self.name == "broken":
            raise ValueError("a secret")
        return f"{currency} for {info.context.who}"

    @strawberry.field
    async def never(self) -> str:
        await asyncio.Event().wait()
        return "unreachable"


@strawberry.type
class Query:
    @strawberry.field
    def nothing(self) -> str:
        return ""


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def sold(self, info: strawberry.Info, after: str | None = None) -> AsyncGenerator[Sale, None]:
        shop: Shop = info.context.shop
        shop.listening += 1
        shop.began.set()
        try:
            if after == "too old":
                raise ValueError("a secret cursor")
            for key, name in shop.sales:
                yield Sale(name=name, key=key, extensions=None if key is None else {"cursor": str(key)})
            if after == "wait":
                await shop.gate.wait()
        finally:
            shop.listening -= 1


@dataclass
class Subscriber:
    """Makes its contexts, numbered."""

    shop: Shop
    who: str
    authorization_key: Hashable | None
    made: int = 0

    def make(self) -> Context:
        self.made += 1
        return Context(self.shop, self.who, self.made)


def _encoded(result: ExecutionResult, context: Context) -> str:
    errors = [{"message": error.message, "code": (error.extensions or {}).get("code")} for error in result.errors or ()]
    return orjson.dumps({"data": result.data, "errors": errors, "extensions": result.extensions}).decode()


def engine() -> SubscriptionEngine[Context]:
    schema = strawberry.Schema(query=Query, subscription=Subscription)._schema  # pyright: ignore[reportPrivateUsage]: as shop.py
    return SubscriptionEngine(GraphQLEngine(schema, Limits()), _encoded)


PRICES = "subscription($after: String) { sold(after: $after) { name price } }"


async def answers(
    subscriptions: SubscriptionEngine[Context], subscriber: Subscriber, query: str = PRICES, **variables: Any
) -> list[Answer[Context]]:
    stream = await subscriptions.subscribe(ask(query, **variables), subscriber, deadline_seconds=5)
    return [answer async for answer in stream]


def prices(found: list[Answer[Context]]) -> list[str]:
    return [orjson.loads(answer.text)["data"]["sold"]["price"] for answer in found]


# -- sharing


async def test_equal_subscribers_cost_one_execution_an_event():
    subscriptions = engine()
    shop = Shop(sales=[(("sales", 1), "chair"), (("sales", 2), "table")])
    subscribers = [Subscriber(shop, "Ada", "employer of 1") for _ in range(50)]

    found = await asyncio.gather(*(answers(subscriptions, subscriber) for subscriber in subscribers))

    assert [prices(one) for one in found] == [["EUR for Ada"] * 2] * 50
    assert shop.resolved == 2
    assert (subscriptions.memo.computed, subscriptions.memo.shared) == (2, 98)
    assert len({id(one[0].text) for one in found}) == 1, "the text was made once"


async def test_other_viewers_never_share():
    subscriptions = engine()
    shop = Shop(sales=[(("sales", 1), "chair")])
    viewers = [Subscriber(shop, name, f"key of {name}") for name in ("Ada", "Bob", "Ann")]

    found = await asyncio.gather(*(answers(subscriptions, viewer) for viewer in viewers for _ in range(5)))

    assert [prices(one)[0] for one in found] == [f"EUR for {name}" for name in ("Ada", "Bob", "Ann") for _ in range(5)]
    assert subscriptions.memo.computed == 3


@pytest.mark.parametrize("key", [None, ("sales", 1)])
async def test_without_a_key_of_the_viewer_nothing_is_shared(key: Hashable):
    subscriptions = engine()
    shop = Shop(sales=[(key, "chair")])

    found = [await answers(subscriptions, Subscriber(shop, name, None)) for name in ("Ada", "Bob")]

    assert [prices(one) for one in found] == [["EUR for Ada"], ["EUR for Bob"]]
    assert subscriptions.memo.computed == 0


async def test_events_without_a_key_are_not_shared():
    subscriptions = engine()
    shop = Shop(sales=[(None, "chair"), (None, "table")])

    await asyncio.gather(*(answers(subscriptions, Subscriber(shop, "Ada", "key")) for _ in range(3)))

    assert shop.resolved == 6


async def test_other_variables_below_the_root_are_other_answers():
    subscriptions = engine()
    shop = Shop(sales=[(("sales", 1), "chair")])
    query = "subscription($in: String!) { sold { price(currency: $in) } }"
    subscriber = Subscriber(shop, "Ada", "key")

    found = [prices(await answers(subscriptions, subscriber, query, **{"in": unit})) for unit in ("EUR", "CHF", "EUR")]

    assert found == [["EUR for Ada"], ["CHF for Ada"], ["EUR for Ada"]]
    assert subscriptions.memo.computed == 2


async def test_every_event_has_a_context_of_its_own():
    subscriptions = engine()
    shop = Shop(sales=[(("sales", number), "chair") for number in range(3)])
    subscriber = Subscriber(shop, "Ada", "key")

    found = await answers(subscriptions, subscriber)

    # One more was made for the root field, when the stream began.
    assert [answer.context.number for answer in found] == [2, 3, 4]


async def test_what_an_event_offers_as_extensions_is_in_its_response():
    shop = Shop(sales=[(7, "chair"), (8, "broken"), (None, "table")])

    found = await answers(engine(), Subscriber(shop, "Ada", "key"))

    extensions = [orjson.loads(answer.text)["extensions"] for answer in found]
    assert extensions == [{"cursor": "7"}, {"cursor": "8"}, None]


# -- what goes wrong


async def test_an_error_below_one_event_is_in_its_answer_and_the_stream_goes_on():
    subscriptions = engine()
    shop = Shop(sales=[(1, "broken"), (2, "chair")])

    found = await answers(subscriptions, Subscriber(shop, "Ada", "key"))

    shown = [orjson.loads(answer.text) for answer in found]
    assert [bool(answer["errors"]) for answer in shown] == [True, False]
    assert shown[1]["data"]["sold"]["name"] == "chair"


async def test_an_event_that_takes_too_long_is_answered_by_an_error():
    subscriptions = engine()
    subscriber = Subscriber(Shop(sales=[(1, "chair")]), "Ada", "key")
    request = ask("subscription { sold { never } }")

    stream = await subscriptions.subscribe(request, subscriber, deadline_seconds=0.01)
    found = [answer async for answer in stream]

    assert [error["code"] for error in orjson.loads(found[0].text)["errors"]] == ["LIMIT_EXCEEDED"]


async def test_events_that_end_with_an_error_tell_it_with_its_place():
    subscriptions = engine()
    shop = Shop()
    request = ask('subscription { goods: sold(after: "too old") { name } }')
    stream = await subscriptions.subscribe(request, Subscriber(shop, "Ada", "key"), deadline_seconds=5)

    with pytest.raises(StreamFailed) as failure:
        await anext(stream)

    assert failure.value.error.path == ["goods"]
    assert isinstance(failure.value.error.original_error, ValueError)
    assert "secret" not in str(failure.value)
    assert shop.listening == 0


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("subscription { sold {", {}),
        ("subscription { unknown { name } }", {}),
        ("subscription { sold { name } nothing }", {}),
        ("{ nothing }", {}),
        ("subscription($after: Int!) { sold { name } }", {"after": "text"}),
        ("subscription($after: String!) { sold(after: $after) { name } }", {}),
        ("subscription { sold { name } } subscription B { sold { name } }", {}),
    ],
)
async def test_a_wrong_document_never_begins(query: str, variables: dict[str, Any]):
    shop = Shop()
    subscriber = Subscriber(shop, "Ada", "key")

    with pytest.raises(RequestRefused) as refusal:
        await engine().subscribe(ask(query, **variables), subscriber, deadline_seconds=5)

    assert refusal.value.errors
    assert shop.listening == 0


# -- the end of a stream


async def test_closing_the_answers_closes_the_events():
    shop = Shop(sales=[(1, "chair")])
    request = ask(PRICES, after="wait")
    stream = await engine().subscribe(request, Subscriber(shop, "Ada", "key"), deadline_seconds=5)
    await anext(stream)
    listening = shop.listening

    await stream.aclose()

    assert (listening, shop.listening) == (1, 0)


async def test_cancelling_the_reader_closes_the_events():
    shop = Shop()
    reader = asyncio.create_task(answers(engine(), Subscriber(shop, "Ada", "key"), after="wait"))
    await shop.began.wait()

    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader

    assert shop.listening == 0
