"""Tokens that passed every check a moment ago: a page asks for several things at once, and checking costs the most."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

# How long a signing key that was withdrawn may still be believed. Accounts and rights are read anew at each request.
BELIEVED_FOR = timedelta(seconds=60)
MAX_BELIEVED = 5_000


class Expiring(Protocol):
    @property
    def expires_at(self) -> datetime: ...


C = TypeVar("C", bound=Expiring)


class BelievedTokens(Generic[C]):
    """What tokens claimed, by their digest: the memory of a process holds no token that someone could use."""

    def __init__(self, *, size: int = MAX_BELIEVED) -> None:
        self._size = size
        self._claims: OrderedDict[bytes, tuple[C, datetime]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._claims)

    def get(self, token: str, now: datetime) -> C | None:
        """Return the claims of a token that was believed less than BELIEVED_FOR ago, and that has not ended."""
        found = self._claims.get(_digest(token))
        if found is None:
            return None
        claims, until = found
        # Both ends: a clock that was set back must not lengthen anything.
        return claims if until - BELIEVED_FOR <= now < until and now < claims.expires_at else None

    def add(self, token: str, claims: C, now: datetime) -> None:
        digest = _digest(token)
        self._claims.pop(digest, None)
        self._claims[digest] = (claims, now + BELIEVED_FOR)
        if len(self._claims) > self._size:
            self._claims.popitem(last=False)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
