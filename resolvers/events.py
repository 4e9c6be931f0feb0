"""Streams of events for one viewer: what changed, in its order, as far as they may see it, each with its cursor.

Everything is asked anew for each event: whether the viewer still has their rights, and whether they see the row. What
they do not see they are not told of; their cursor moves on all the same.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

from execution.single_flight import SingleFlight
from resolvers.context import OperationContext, ResolveInfo, context_of
from resolvers.cursors import CursorSigner
from resolvers.errors import (
    APIError,
    BadUserInput,
    CursorExpired,
    ServerRestarting,
    SlowConsumer,
    StreamUnavailable,
)
from resolvers.global_ids import decode_as
from resolvers.selection import Selection
from resolvers.sights import Sights
from resolvers.viewer import Scope, Viewer
from resolvers.visibility import visible
from resolvers.watched_viewers import WatchedViewers
from services.event_log import Cursor, EndReason, EventHub, LogEvent, Stream, StreamEnded, Wanted
from services.event_log.entries import AnyEntry

T = TypeVar("T")
E = TypeVar("E", bound=AnyEntry)

MAX_COMPANIES = 1_000
_SHOWN_SECONDS = 1.0
_MAX_AUDIENCES = 10_000


@dataclass(frozen=True, slots=True)
class EventSource:
    """What the streams of a process share."""

    hub: EventHub
    sights: Sights = field(default_factory=Sights)
    viewers: WatchedViewers = field(default_factory=WatchedViewers)
    # What was made of an event, for all to whom the same is shown.
    shown: SingleFlight[Any] = field(default_factory=lambda: SingleFlight[Any](max_age_seconds=_SHOWN_SECONDS))
    _audiences: dict[Hashable, int] = field(default_factory=dict[Hashable, int])
    _numbers: Iterator[int] = field(default_factory=count)

    def audience(self, key: Hashable) -> int:
        """Return a number for those who are shown the same: it is compared for each of them at each event."""
        if len(self._audiences) >= _MAX_AUDIENCES:
            self._audiences.clear()
        number = self._audiences.get(key)
        if number is None:
            number = self._audiences[key] = next(self._numbers)
        return number

    async def aclose(self) -> None:
        await self.hub.aclose()
        await self.shown.aclose()
        await self.sights.aclose()


@dataclass(frozen=True, slots=True)
class Seen(Generic[E]):
    """An event that a viewer is about to be told of. `key` names it for all who are told of it."""

    event: LogEvent
    entry: E
    cursor: str
    context: OperationContext

    @property
    def key(self) -> Hashable:
        return self.event.stream, self.event.position


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed(Generic[E, T]):
    """A subscription field, with what is selected below it. `about`: the type of the rows it tells of.

    `show` gives None for what the viewer may not see. Its results are shared: nobody may write to them.
    """

    name: str
    stream: Stream
    entry_type: type[E]
    about: str
    selection: Selection
    show: Callable[[Seen[E], Sights], Awaitable[T | None]]


async def follow(
    info: ResolveInfo, feed: Feed[E, T], *, company_ids: list[Any] | None, after: str | None
) -> AsyncGenerator[T, None]:
    """Return the events of a feed after a cursor, or from now on. Raises what is wrong with the question itself."""
    context = context_of(info)
    viewer = context.signed_in()
    source = context.resources.events
    if source is None:
        raise StreamUnavailable(f"{feed.name}: this server follows no events")
    wanted = Wanted(feed.entry_type, _companies(viewer, feed.about, company_ids))
    cursors = context.resources.cursors
    cursor = None
    if after is not None:
        epoch, position = cursors.decode(feed.name, after, (UUID, int))
        cursor = Cursor(epoch, position)
    try:
        start = await source.hub.begin(feed.stream, cursor)
    except StreamEnded as ended:
        raise _told(ended, feed.name, cursors) from None
    return _events(context, source, feed, wanted, start)


async def _events(
    context: OperationContext, source: EventSource, feed: Feed[E, T], wanted: Wanted, start: Cursor
) -> AsyncGenerator[T, None]:
    audience = source.audience((feed.name, feed.selection.key, context.viewer.authorization_key))
    try:
        with source.viewers.watching(context.viewer) as check_rights:
            async with aclosing(source.hub.follow(feed.stream, wanted, start)) as events:
                async for event in events:
                    await check_rights()
                    show = partial(_show, context, source, feed, start.epoch, event)
                    shown: T | None = await source.shown.get((audience, event.stream, event.position), show)
                    if shown is not None:
                        yield shown
    except StreamEnded as ended:
        raise _told(ended, feed.name, context.resources.cursors) from None


async def _show(
    context: OperationContext, source: EventSource, feed: Feed[E, T], epoch: UUID, event: LogEvent
) -> T | None:
    assert isinstance(event.entry, feed.entry_type)  # noqa: S101 (it was wanted)
    cursor = context.resources.cursors.encode(feed.name, (epoch, event.position))
    return await feed.show(Seen(event, event.entry, cursor, _context_of_event(context, source, event)), source.sights)


def _context_of_event(context: OperationContext, source: EventSource, event: LogEvent) -> OperationContext:
    """A context for one event: nothing that was loaded for another one is in it."""
    return OperationContext(
        viewer=context.viewer,
        resources=context.resources,
        now=source.sights.moment((event.stream, event.position)),
        request_id=uuid4().hex,
    )


def _companies(viewer: Viewer, about: str, given: list[Any] | None) -> frozenset[UUID] | None:
    """Return the companies whose events the viewer is to be woken for; None for all.

    Only to wake nobody in vain: what they see is decided event by event. The rules of the two kinds of viewers that
    belong to companies show nothing of others; where there is no rule, nothing is shown.
    """
    bounds: list[frozenset[UUID]] = []
    if given is not None:
        if len(given) > MAX_COMPANIES:
            raise BadUserInput(f"companyIds: {len(given)} given, at most {MAX_COMPANIES} expected")
        bounds.append(frozenset(decode_as(one, "Company", argument="companyIds") for one in given))
    if visible(about, viewer.scope, viewer.partner_scopes) == "FALSE":
        bounds.append(frozenset())
    elif about == "Approval":
        pass  # approvals are of no company: their log does not say
    elif viewer.scope is Scope.EMPLOYER and viewer.organization_id is not None:
        bounds.append(frozenset({viewer.organization_id}))
    elif viewer.scope is Scope.PARTNER:
        bounds.append(frozenset(viewer.partner_company_ids))
    return bounds[0].intersection(*bounds[1:]) if bounds else None


def _told(ended: StreamEnded, name: str, cursors: CursorSigner) -> APIError:
    """Return what the client is told of the end of its stream."""
    cursor = None if ended.cursor is None else cursors.encode(name, (ended.cursor.epoch, ended.cursor.position))
    match ended.reason:
        case EndReason.SLOW:
            return SlowConsumer(
                "stream: events came faster than they were taken; subscribe again with this cursor", cursor=cursor
            )
        case EndReason.EXPIRED:
            return CursorExpired(
                "after: what came since is not kept any more; read the present state, then subscribe without it"
            )
        case EndReason.STOPPING:
            return ServerRestarting("server: restarting; subscribe again with this cursor", cursor=cursor)
        case EndReason.NOT_READY:
            return StreamUnavailable("stream: the log of events does not answer; try again in a moment", cursor=cursor)
