"""Subscribers without a transport: the engine, the fields and the hub are those of the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from execution.engine import GraphQLEngine, OperationRequest, RequestRefused
from execution.subscriptions import Answer, StreamFailed, SubscriptionEngine
from models import PartnerClient, User
from models.database import DatabaseConfig
from resolvers.context import OperationContext, Resources
from resolvers.events import EventSource
from resolvers.viewer import ANONYMOUS, Viewer
from resolvers.viewers import load_viewer
from schema.answers import answer_of, format_error
from services.event_log import EventHub, HubConfig
from services.tokens import Claims
from tests.integration.schema.client import Organization

QUIET_SECONDS = 30


async def viewer_of(who: User | PartnerClient | None, of: Organization | None = None) -> Viewer:
    if who is None:
        return ANONYMOUS
    subject = who.subject
    assert subject is not None
    claims = Claims(subject=subject, organization_id=of.id if of else None, expires_at=datetime.max.replace(tzinfo=UTC))
    return await load_viewer(claims)


@dataclass
class Contexts:
    """A new context for each event, always for the same viewer."""

    viewer: Viewer
    resources: Resources

    @property
    def authorization_key(self) -> Hashable:
        return self.viewer.authorization_key

    def make(self) -> OperationContext:
        return OperationContext(viewer=self.viewer, resources=self.resources, now=datetime.now(UTC), request_id="tests")


@dataclass
class Subscriber:
    """What one subscriber was sent, in its order. `error`: what ended the stream."""

    received: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    error: dict[str, Any] | None = None
    task: asyncio.Task[None] | None = None
    _grown: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until(self, number: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(20), self._grown:
            await self._grown.wait_for(lambda: len(self.received) >= number or self.error is not None)
        assert self.error is None, self.error
        return self.received

    async def until_ended(self) -> dict[str, Any]:
        assert self.task is not None
        async with asyncio.timeout(20):
            await self.task
        assert self.error is not None
        return self.error

    async def leave(self) -> None:
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def listen(self, answers: AsyncGenerator[Answer[OperationContext], None]) -> None:
        try:
            async for answer in answers:
                async with self._grown:
                    self.received.append(orjson.loads(answer.text))
                    self._grown.notify_all()
        except StreamFailed as failure:
            async with self._grown:
                self.error = format_error(failure.error, request_id="tests")
                self._grown.notify_all()
        finally:
            await answers.aclose()


@dataclass
class Station:
    """One process's side of subscriptions."""

    engine: SubscriptionEngine[OperationContext]
    resources: Resources
    source: EventSource
    subscribers: list[Subscriber] = field(default_factory=list[Subscriber])

    @property
    def followers(self) -> int:
        return sum(self.source.hub.figures().followers.values())

    async def subscribe(
        self,
        query: str,
        variables: dict[str, Any] | None = None,
        *,
        as_: User | PartnerClient | None = None,
        of: Organization | None = None,
        viewer: Viewer | None = None,
    ) -> Subscriber:
        """Return a subscriber that listens. Raises RequestRefused."""
        contexts = Contexts(viewer or await viewer_of(as_, of), self.resources)
        request = OperationRequest(query=query, variables=variables or {})
        answers = await self.engine.subscribe(request, contexts, deadline_seconds=10)
        subscriber = Subscriber()
        subscriber.task = asyncio.create_task(subscriber.listen(answers))
        self.subscribers.append(subscriber)
        await asyncio.sleep(0)
        return subscriber

    async def refusal(self, query: str, variables: dict[str, Any] | None = None, **who: Any) -> dict[str, Any]:
        try:
            await self.subscribe(query, variables, **who)
        except RequestRefused as refused:
            return format_error(refused.errors[0], request_id="tests")
        raise AssertionError("the subscription began")


@asynccontextmanager
async def station(
    engine: GraphQLEngine, resources: Resources, database: DatabaseConfig, **config: Any
) -> AsyncGenerator[Station, None]:
    """Subscriptions of one process. Its hub reads when it is told to, unless the configuration says otherwise."""
    values: dict[str, Any] = {"poll_seconds": QUIET_SECONDS, "ready_seconds": 10, **config}
    hub = EventHub(HubConfig(url=database.url, application_name="traverse-tests-station", **values))
    hub.start()
    source = EventSource(hub)
    held = Resources(cursors=resources.cursors, ring=resources.ring, events=source)

    def encode(result: Any, context: OperationContext) -> str:
        return orjson.dumps(answer_of(result, request_id=context.request_id)).decode()

    subscriptions: SubscriptionEngine[OperationContext] = SubscriptionEngine(engine, encode)
    made = Station(subscriptions, held, source)
    try:
        yield made
    finally:
        for subscriber in made.subscribers:
            await subscriber.leave()
        await subscriptions.aclose()
        await source.aclose()
