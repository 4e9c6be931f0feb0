"""Look-ups of outside reference data: gathered, cached for all processes, one question a key, stale rather than none.

A `Lookup` stands in front of one kind of question to one partner. Make it once a process, over the process's
`LookupCache`; ask it through `resolvers.lookups.look_up` in a GraphQL field (the keys of one operation are gathered
there) or directly in a service or job:

    async def fetch(codes: Sequence[str]) -> Mapping[str, Commune | PartnerError]:  # left out: there is no such thing
        return await one_by_one(codes, client.commune, at_once=10)

    policy = LookupPolicy(
        name="commune", version=1, partner="api_geo", fresh=timedelta(days=7), stale=timedelta(days=90)
    )
    communes = Lookup(cache, policy, value=Commune, key=str, fetch=fetch)
    answers = await communes.many(["57463", "69123"])  # one round trip to Valkey, the misses in one `fetch`
    answer = await communes.one("57463")               # Answer(value, fetched_at, is_stale); raises PartnerError

`Answer.value` is None where the partner knows no such thing. Whatever the cache does, an answer comes: without Valkey
each process asks for itself. The values must be public reference data, since all users share them; where the question
itself tells something of a person (an address), set `is_personal`, and the key in Valkey is a keyed hash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

import msgspec
import structlog

from clients.errors import ErrorCode, PartnerError, PartnerUnavailable
from clients.shapes import Shape
from services.clock import Clock, utc_now
from services.lookup_cache import CacheEntry, LookupCache

log = structlog.get_logger(__name__)

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupPolicy:
    """How long answers count. Another `version` for each change of the value's shape: old entries are then not read.

    `fresh`: served without asking. `stale`: served, marked so, while the partner cannot be asked; zero: never.
    `nothing`: how long "there is no such thing" is believed. `deadline`: how long a caller waits; the question itself
    goes on for up to `flight`, so that the next caller finds its answer.
    """

    name: str
    version: int
    partner: str
    fresh: timedelta
    stale: timedelta = timedelta(0)
    nothing: timedelta = timedelta(hours=1)
    deadline: timedelta = timedelta(seconds=3)
    flight: timedelta = timedelta(seconds=20)
    is_personal: bool = False


@dataclass(frozen=True, slots=True)
class Answer(Generic[V]):
    """What is known. `value` None: the partner knows no such thing. `is_stale`: it could not be asked again."""

    value: V | None
    fetched_at: datetime
    is_stale: bool = False


Outcome = Answer[V] | PartnerError
Fetched = Mapping[K, V | PartnerError]


class Lookup(Generic[K, V]):
    """One kind of question, with a cache in front. Safe for any number of callers on one loop."""

    def __init__(
        self,
        cache: LookupCache,
        policy: LookupPolicy,
        *,
        value: type[V],
        key: Callable[[K], str],
        fetch: Callable[[Sequence[K]], Awaitable[Fetched[K, V]]],
        now: Clock = utc_now,
    ) -> None:
        """`value`: the type of values, a dataclass or what else msgspec can read from JSON. `key`: its text in Valkey.

        `fetch` gets keys that all differ and returns what it found. A key left out: there is no such thing. A
        PartnerError as value failed for that key alone; raised, for all of them.
        """
        self._cache = cache
        self._policy = policy
        self._values: Shape[V] = Shape(value)
        self._key = key
        self._fetch = fetch
        self._now = now
        self._flights: dict[K, asyncio.Task[dict[K, Outcome[V]]]] = {}

    @property
    def name(self) -> str:
        return self._policy.name

    @property
    def policy(self) -> LookupPolicy:
        return self._policy

    async def one(self, key: K) -> Answer[V]:
        """Raises PartnerError when the partner gave no answer and no old one may be served."""
        outcome = (await self.many([key]))[key]
        if isinstance(outcome, PartnerError):
            raise outcome
        return outcome

    async def many(self, keys: Iterable[K], *, patience: timedelta | None = None) -> dict[K, Outcome[V]]:
        """An answer or an error for every key, within `patience` or else the deadline of the policy.

        Raises nothing of the partner's.
        """
        wanted = list(dict.fromkeys(keys))
        known = await self._read(wanted)
        outcomes: dict[K, Outcome[V]] = {key: answer for key, answer in known.items() if self._is_fresh(answer)}
        missing = [key for key in wanted if key not in outcomes]
        if missing:
            flights = self._board(missing)
            # Never wait_for on a flight itself: the end of one caller would be the end of all its passengers.
            timeout = (patience or self._policy.deadline).total_seconds()
            await asyncio.wait(set(flights.values()), timeout=timeout)
            for key, flight in flights.items():
                outcomes[key] = self._landed(key, flight, known.get(key))
        return {key: outcomes[key] for key in wanted}

    # -- flights: one question a key in this process, and over all processes while Valkey answers

    def _board(self, keys: Sequence[K]) -> dict[K, asyncio.Task[dict[K, Outcome[V]]]]:
        """Return the flight of each key; those that none carries yet share a new one."""
        new = [key for key in keys if key not in self._flights]
        if new:
            flight = self._cache.tasks.start(self._fly(new), name=f"lookup {self.name}")
            for key in new:
                self._flights[key] = flight
            flight.add_done_callback(lambda _: self._leave(new))
        return {key: self._flights[key] for key in keys}

    def _leave(self, keys: Sequence[K]) -> None:
        for key in keys:
            del self._flights[key]

    def _landed(self, key: K, flight: asyncio.Task[dict[K, Outcome[V]]], known: Answer[V] | None) -> Outcome[V]:
        if not flight.done() or flight.cancelled():
            outcome: Outcome[V] = self._unavailable("no answer in time", ErrorCode.BUSY)
        else:
            outcome = flight.result()[key]
        if isinstance(outcome, PartnerUnavailable) and known is not None and self._may_be_served(known):
            return Answer(known.value, known.fetched_at, is_stale=True)
        return outcome

    async def _fly(self, keys: Sequence[K]) -> dict[K, Outcome[V]]:
        texts = {key: self._text(key) for key in keys}
        async with self._cache.claiming(texts.values(), lease=self._policy.flight) as held:
            outcomes = await self._settle([key for key in keys if texts[key] in held])
        others = [key for key in keys if texts[key] not in held]
        if others:
            # Somebody else asks for these. What they do not leave in the cache, we ask for ourselves; not before our
            # own are done: two that wait for each other would wait for ever.
            await self._cache.wait_for([texts[key] for key in others], timeout=self._policy.deadline)
            outcomes |= await self._settle(others)
        return outcomes

    async def _settle(self, keys: Sequence[K]) -> dict[K, Outcome[V]]:
        """Look once more, since the claims took a moment, then ask for what is still missing."""
        known = await self._read(keys)
        outcomes: dict[K, Outcome[V]] = {key: answer for key, answer in known.items() if self._is_fresh(answer)}
        missing = [key for key in keys if key not in outcomes]
        if missing:
            asked = await self._ask(missing)
            await self._keep(asked)
            outcomes |= asked
        return outcomes

    async def _ask(self, keys: Sequence[K]) -> dict[K, Outcome[V]]:
        try:
            async with asyncio.timeout(self._policy.flight.total_seconds()):
                found = await self._fetch(keys)
        except TimeoutError:
            late = self._unavailable("no answer in time", ErrorCode.BUSY)
            return dict.fromkeys(keys, late)
        except PartnerError as error:
            return dict.fromkeys(keys, error)
        at = self._now()
        outcomes: dict[K, Outcome[V]] = {}
        for key in keys:
            value = found.get(key)
            outcomes[key] = value if isinstance(value, PartnerError) else Answer(value, at)
        return outcomes

    # -- the cache

    async def _read(self, keys: Sequence[K]) -> dict[K, Answer[V]]:
        texts = {self._text(key): key for key in keys}
        entries = await self._cache.get_many(list(texts))
        answers = {texts[text]: self._decode(entry) for text, entry in entries.items()}
        return {key: answer for key, answer in answers.items() if answer is not None}

    async def _keep(self, outcomes: Mapping[K, Outcome[V]]) -> None:
        entries: dict[str, tuple[CacheEntry, timedelta]] = {}
        for key, outcome in outcomes.items():
            if isinstance(outcome, PartnerError):
                continue
            value = None if outcome.value is None else msgspec.to_builtins(outcome.value)
            kept_for = self._policy.nothing if outcome.value is None else max(self._policy.fresh, self._policy.stale)
            entries[self._text(key)] = CacheEntry(outcome.fetched_at.timestamp(), value), kept_for
        await self._cache.set_many(entries)

    def _decode(self, entry: CacheEntry) -> Answer[V] | None:
        """None for what this version cannot read: then it is asked for anew."""
        try:
            value = None if entry.value is None else self._values.take(entry.value)
            return Answer(value, datetime.fromtimestamp(entry.at, UTC))
        except (ValueError, OverflowError):  # Unreadable is a ValueError
            log.warning("lookup_entry_unreadable", lookup=self.name)
            return None

    def _is_fresh(self, answer: Answer[V]) -> bool:
        allowed = self._policy.nothing if answer.value is None else self._policy.fresh
        return self._now() - answer.fetched_at < allowed

    def _may_be_served(self, answer: Answer[V]) -> bool:
        return answer.value is not None and self._now() - answer.fetched_at < self._policy.stale

    def _text(self, key: K) -> str:
        text = self._key(key)
        if self._policy.is_personal:
            text = self._cache.hashed(text)
        return f"{self.name}:{self._policy.version}:{text}"

    def _unavailable(self, reason: str, code: ErrorCode) -> PartnerUnavailable:
        return PartnerUnavailable(self._policy.partner, self.name, reason, code=code)


async def one_by_one(
    keys: Sequence[K], ask: Callable[[K], Awaitable[V | None]], *, at_once: int
) -> dict[K, V | PartnerError]:
    """Ask for each key by a call of its own, a few at a time: for partners that take no lists."""
    found: dict[K, V | PartnerError] = {}
    slots = asyncio.Semaphore(at_once)

    async def ask_for(key: K) -> None:
        async with slots:
            try:
                value = await ask(key)
            except PartnerError as error:
                found[key] = error
                return
        if value is not None:
            found[key] = value

    async with asyncio.TaskGroup() as group:
        for key in keys:
            group.create_task(ask_for(key))
    return found
