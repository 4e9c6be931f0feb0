"""Viewers who listen: looked up anew before they are told anything, all of them together, at most once a second."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Hashable
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from resolvers.errors import Unauthenticated
from resolvers.viewer import Viewer
from resolvers.viewers import reload_viewers

FRESH_SECONDS = 1.0

_Key = tuple[UUID | None, UUID | None]


@dataclass(slots=True)
class _Watched:
    viewer: Viewer
    rights: Hashable | None  # None: they ended
    checked_at: float
    listeners: int = 0


class WatchedViewers:
    """Those of one process. A right that ends is noticed within a second, or at the next event if that comes later."""

    def __init__(self, *, fresh_seconds: float = FRESH_SECONDS) -> None:
        self._fresh_seconds = fresh_seconds
        self._watched: dict[_Key, _Watched] = {}
        self._reloading: asyncio.Task[None] | None = None

    @contextmanager
    def watching(self, viewer: Viewer) -> Generator[Callable[[], Awaitable[None]]]:
        """Keep the viewer among those who are looked up together. They were looked up by whoever let them in.

        What the block is given raises Unauthenticated when their rights ended, or are others than they were then.
        """
        key = viewer.user_id, viewer.organization_id
        rights = viewer.authorization_key
        watched = self._watched.get(key)
        if watched is None:
            watched = self._watched[key] = _Watched(viewer, rights, asyncio.get_running_loop().time())
        watched.listeners += 1
        try:
            # The rights are compared for each listener and event: they are made into a key once.
            yield partial(self._check, watched, rights)
        finally:
            watched.listeners -= 1
            if not watched.listeners:
                del self._watched[key]

    async def _check(self, watched: _Watched, rights: Hashable) -> None:
        if asyncio.get_running_loop().time() - watched.checked_at > self._fresh_seconds:
            await self._reload()
        if watched.rights is None:
            raise Unauthenticated("account or membership: ended; sign in again")
        if watched.rights != rights:
            raise Unauthenticated("rights: changed since this stream began; subscribe again with your last cursor")

    async def _reload(self) -> None:
        # One for all who ask at the same time; it belongs to nobody of them, whose leaving would end it for the others.
        if self._reloading is None or self._reloading.done():
            self._reloading = asyncio.create_task(self._reload_all())
        await asyncio.shield(self._reloading)

    async def _reload_all(self) -> None:
        watched = list(self._watched.values())
        asked_at = asyncio.get_running_loop().time()
        for one, current in zip(watched, await reload_viewers([one.viewer for one in watched]), strict=True):
            one.rights = None if current is None else current.authorization_key
            one.checked_at = asked_at
