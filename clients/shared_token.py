"""A token that all processes share: renewed by one caller at a time, here and everywhere."""

import asyncio
import copy
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from clients.errors import Delivery, PartnerError
from clients.token_store import TokenStore

_LOCK_LEASE_MARGIN_SECONDS = 5.0  # the lock must outlive the token call


@dataclass(frozen=True, slots=True)
class FreshToken:
    """What a token call gave, ready for use. It is shared for `ttl_seconds`; not at all when that is 0 or less."""

    value: str = field(repr=False)
    ttl_seconds: int


class SharedToken:
    """The token under one key of the store. `fetch` makes the token call and raises PartnerError when it fails."""

    def __init__(
        self, key: str, store: TokenStore, fetch: Callable[[], Awaitable[FreshToken]], *, fetch_seconds: float
    ) -> None:
        """`fetch_seconds`: the longest that `fetch` takes."""
        self._key = key
        self._store = store
        self._fetch = fetch
        self._lease_seconds = fetch_seconds + _LOCK_LEASE_MARGIN_SECONDS
        self._single_flight = asyncio.Lock()
        self._finished_attempts = 0
        self._last_failure: PartnerError | None = None

    async def value(self) -> str:
        """The current token. Raises PartnerError when none can be had; nothing else was sent then."""
        return await self._store.get(self._key) or await self.renew(refused=None)

    async def renew(self, *, refused: str | None) -> str:
        """Another value than the refused one: somebody else's renewal if there was one, else our own token call."""
        attempts_before = self._finished_attempts
        async with self._single_flight:
            if (current := await self._current_unless(refused)) is not None:
                return current
            if self._last_failure is not None and self._finished_attempts > attempts_before:
                # It failed while we queued. Without this, n waiters would wait for n timeouts, one after the other.
                raise copy.copy(self._last_failure)
            async with self._store.lock(self._key, self._lease_seconds):
                if (current := await self._current_unless(refused)) is not None:
                    return current
                return await self._fetch_and_share(refused)

    async def _current_unless(self, refused: str | None) -> str | None:
        current = await self._store.get(self._key)
        return None if current == refused else current

    async def _fetch_and_share(self, refused: str | None) -> str:
        if refused is not None:
            await self._store.delete(self._key)
        self._last_failure = None
        try:
            token = await self._fetch()
        except PartnerError as error:
            # Whatever became of the token call, the request that needs the token has not left.
            error.delivery = Delivery.NOT_SENT
            self._last_failure = copy.copy(error)
            raise
        finally:
            self._finished_attempts += 1
        if token.ttl_seconds > 0:
            await self._store.set(self._key, token.value, token.ttl_seconds)
        return token.value
