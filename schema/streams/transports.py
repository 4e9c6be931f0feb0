"""The transports of subscriptions, put together for a process."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from execution.engine import GraphQLEngine
from execution.subscriptions import SubscriptionEngine
from resolvers.context import OperationContext, Resources
from schema.admission import Admission
from schema.documents import DocumentRules
from schema.streams.connection import SocketLimits
from schema.streams.events import EventStreamLimits, EventStreams
from schema.streams.operations import OperationRunner, encode
from schema.streams.registry import Streams
from schema.streams.sockets import SocketEndpoint
from services.tokens import TokenVerifier

# After the last wave; together with the waves it must fit into the patience of the web server (serving.py).
_DRAIN_GRACE_SECONDS = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportConfig:
    deadline_seconds: float = 10.0
    allowed_origins: tuple[str, ...] = ()
    documents: DocumentRules = field(default_factory=DocumentRules)
    admission: Admission = field(default_factory=Admission)
    most_streams: int = 2_000
    most_streams_per_client: int = 100
    rights_interval_seconds: float = 15.0
    drain_window_seconds: float = 2.0
    sockets: SocketLimits = field(default_factory=SocketLimits)
    event_streams: EventStreamLimits = field(default_factory=EventStreamLimits)


class Transports:
    """The socket endpoint, the event streams, and what they share. Works between entering and leaving it."""

    def __init__(
        self, engine: GraphQLEngine, verifier: TokenVerifier, resources: Resources, config: TransportConfig
    ) -> None:
        self._config = config
        self.subscriptions: SubscriptionEngine[OperationContext] = SubscriptionEngine(engine, encode)
        self.streams = Streams(most=config.most_streams, most_per_client=config.most_streams_per_client)
        runner = OperationRunner(
            engine,
            self.subscriptions,
            deadline_seconds=config.deadline_seconds,
            documents=config.documents,
            admission=config.admission,
        )
        self.event_streams = EventStreams(runner, self.streams, config.event_streams)
        self.sockets = SocketEndpoint(
            runner,
            verifier,
            resources,
            self.streams,
            allowed_origins=config.allowed_origins,
            limits=config.sockets,
        )
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._watch = asyncio.create_task(self.streams.watch_rights(self._config.rights_interval_seconds))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.begin_drain()
        await self.streams.drained()
        await self.subscriptions.aclose()
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch

    def begin_drain(self) -> None:
        """End all streams, in the background; again and again is once."""
        self.streams.begin_drain(window_seconds=self._config.drain_window_seconds, grace_seconds=_DRAIN_GRACE_SECONDS)
