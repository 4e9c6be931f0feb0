"""Look-ups that a table of ours answers once it is loaded, and a partner before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from clients.errors import PartnerError, PartnerUnavailable
from services.clock import Clock, utc_now
from services.lookups import Answer, Lookup, Outcome

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class TableLookup(Generic[K, V]):
    """One kind of question. What the table has is the answer; what it lacks exists only while it is not loaded.

    `find` returns what the table has. With `asks_partner`, the partner is asked about what a loaded table lacks, and
    "there is none" is the answer while the partner is away.
    """

    def __init__(
        self,
        lookup: Lookup[K, V],
        *,
        find: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]],
        is_loaded: Callable[[], Awaitable[bool]],
        asks_partner: bool,
        now: Clock = utc_now,
    ) -> None:
        self._lookup = lookup
        self._find = find
        self._is_loaded = is_loaded
        self._asks_partner = asks_partner
        self._now = now

    @property
    def name(self) -> str:
        return self._lookup.name

    async def one(self, key: K) -> Answer[V]:
        """Raises PartnerError when the table is not loaded and the partner gave no answer."""
        outcome = (await self.many([key]))[key]
        if isinstance(outcome, PartnerError):
            raise outcome
        return outcome

    async def many(self, keys: Iterable[K]) -> dict[K, Outcome[V]]:
        """An answer or an error for every key."""
        wanted = list(dict.fromkeys(keys))
        at = self._now()
        outcomes: dict[K, Outcome[V]] = {key: Answer(value, at) for key, value in (await self._find(wanted)).items()}
        missing = [key for key in wanted if key not in outcomes]
        if missing:
            outcomes |= await self._answer_missing(missing, at)
        return {key: outcomes[key] for key in wanted}

    async def _answer_missing(self, keys: Sequence[K], at: datetime) -> dict[K, Outcome[V]]:
        is_loaded = await self._is_loaded()
        if is_loaded and not self._asks_partner:
            return {key: Answer(None, at) for key in keys}
        outcomes = await self._lookup.many(keys)
        if not is_loaded:
            return outcomes
        return {
            key: Answer(None, at, is_stale=True) if isinstance(outcome, PartnerUnavailable) else outcome
            for key, outcome in outcomes.items()
        }
