"""The identity provider's public keys (RFC 7517), fetched when a token names one that is not known yet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from clients.answers import json_answer
from clients.errors import PartnerError
from clients.http import PartnerHTTP
from clients.shapes import Shape, Wire
from clients.transport import PartnerRequest


class _KeySet(Wire):
    keys: list[dict[str, Any]]


_READ = json_answer(Shape(_KeySet))


class JWKSClient:
    """Keys by `kid`, kept for `lifetime` seconds, and used on while the provider is away.

    An unknown `kid` fetches the set anew, so that a rotation is seen at once, but at most every `cooldown` seconds:
    made-up key ids must not become requests.
    """

    def __init__(
        self,
        http: PartnerHTTP,
        url: str,
        *,
        lifetime: float = 300.0,
        cooldown: float = 10.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._http = http
        self._url = url
        self._lifetime = lifetime
        self._cooldown = cooldown
        self._clock = clock
        self._keys: Mapping[str, dict[str, Any]] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._lock = asyncio.Lock()

    async def key(self, kid: str) -> dict[str, Any] | None:
        """Return the public key with that id, or None when the provider does not publish it."""
        if kid in self._keys and self._lock.locked():
            return self._keys[kid]  # somebody is refreshing the set already: a slow provider holds up one caller only
        if kid not in self._keys or self._is_stale():
            async with self._lock:
                # Whoever waited here finds what the first one fetched.
                if (kid not in self._keys or self._is_stale()) and self._may_try():
                    await self._fetch()
        return self._keys.get(kid)

    def _is_stale(self) -> bool:
        return self._fetched_at is None or self._clock() - self._fetched_at > self._lifetime

    def _may_try(self) -> bool:
        return self._tried_at is None or self._clock() - self._tried_at > self._cooldown

    async def _fetch(self) -> None:
        self._tried_at = self._clock()
        try:
            found = await self._http.call("keys", PartnerRequest(method="GET", url=self._url), _READ)
        except PartnerError:
            return  # the keys that are known stay good
        self._keys = {key["kid"]: key for key in found.keys if isinstance(key.get("kid"), str)}
        self._fetched_at = self._clock()
