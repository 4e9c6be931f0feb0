"""Following appointments for years: connect, note every change, and come back after whatever cut the line."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable

from examples.partner.api import QueryRefused, TraverseAPI, Unavailable
from examples.partner.socket import Disconnected, SubscriptionEnded, Told, open_connection
from examples.partner.store import Store

log = logging.getLogger(__name__)

APPOINTMENTS = "appointmentChanged"
PARTICIPATIONS = "participationStatusChanged"
FEEDS = {
    APPOINTMENTS: """subscription ($after: String) { appointmentChanged(after: $after) {
        cursor kind occurredAt appointment { id startAt status } } }""",
    PARTICIPATIONS: """subscription ($after: String) { participationStatusChanged(after: $after) {
        cursor occurredAt previousStatus status participation { id status appointment { id } } } }""",
}
_ALL_APPOINTMENTS = """query ($after: String) { appointments(first: 100, after: $after) {
    nodes { id startAt status } pageInfo { hasNextPage endCursor } } }"""
_ALL_PARTICIPATIONS = """query ($after: String) { participations(first: 100, after: $after) {
    nodes { id status appointment { id } } pageInfo { hasNextPage endCursor } } }"""

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
# A subscription without a cursor begins when the server gets to it. The state is read after that, not before.
_BEGUN_AFTER_SECONDS = 1.0


class Follower:
    """Runs until it is cancelled. Everything that matters is in the store: it may be killed at any instruction."""

    def __init__(
        self,
        api: TraverseAPI,
        store: Store,
        *,
        socket_url: Callable[[], str] | None = None,
        first_pause: float = _FIRST_PAUSE_SECONDS,
        longest_pause: float = _LONGEST_PAUSE_SECONDS,
    ) -> None:
        self._api = api
        self._store = store
        self._socket_url = socket_url or (lambda: api.socket_url)
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._failures = 0
        self.connections = 0

    async def run(self) -> None:
        """Follow for ever. Raises SignInRefused: then somebody has to look at the client's secret."""
        while True:
            wait: float | None = None
            try:
                await self._follow_once()
            except Disconnected as end:
                if end.wants_new_token:
                    self._api.forget_token()
                wait = end.wait_seconds
                log.info("connection ended (%s)", end)
            except SubscriptionEnded as end:
                self._act_on(end)
            except (Unavailable, QueryRefused) as trouble:
                log.warning("Traverse does not answer as hoped (%s)", trouble)
            await asyncio.sleep(self._pause() if wait is None else wait)

    def _act_on(self, end: SubscriptionEnded) -> None:
        log.info("a subscription ended (%s)", end)
        if end.code in ("CURSOR_EXPIRED", "BAD_USER_INPUT"):
            # What happened since cannot be told any more: the next round reads the state as it is.
            self._store.forget_cursors()
        elif end.code == "UNAUTHENTICATED":
            self._api.forget_token()

    async def _follow_once(self) -> None:
        connection = await open_connection(self._socket_url(), await self._api.token())
        self.connections += 1
        try:
            cursors = {feed: self._store.cursor_of(feed) for feed in FEEDS}
            for feed, document in FEEDS.items():
                await connection.subscribe(feed, document, cursors[feed])
            if None in cursors.values():
                # Subscribed first, read then: what changes meanwhile waits in the connection, and is noted after.
                await asyncio.sleep(_BEGUN_AFTER_SECONDS)
                await self._read_state()
            async for told in connection.told():
                await self._note(told)
        finally:
            await connection.close()

    async def _note(self, told: Told) -> None:
        log.info("%s: %s", told.feed, told.change.get("kind") or told.change["status"])
        self._store.note(told.feed, told.change)
        self._failures = 0
        if told.feed == APPOINTMENTS and told.change["appointment"] is None:
            # It was deleted, or is no longer ours to see: which one, the list tells.
            await self._read_state()

    async def _read_state(self) -> None:
        appointments = [node async for node in self._api.all_nodes(_ALL_APPOINTMENTS, "appointments")]
        participations = [node async for node in self._api.all_nodes(_ALL_PARTICIPATIONS, "participations")]
        self._store.replace_state(appointments, participations)
        log.info("read the present state: %d appointments", len(appointments))

    def _pause(self) -> float:
        """Longer after each failure, and random: after a deployment, all clients would come back at once."""
        longest = min(self._first_pause * 2**self._failures, self._longest_pause)
        self._failures = min(self._failures + 1, 10)
        return random.uniform(0, longest)  # noqa: S311 (jitter, not a secret)
