"""Look-ups over a real Valkey: what is asked of a partner, what is served instead, and what an outage costs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
import redis.asyncio

from clients.errors import PartnerError, PartnerRejected, PartnerUnavailable
from services.lookup_cache import LookupCache
from services.lookups import Answer, Lookup, LookupPolicy, one_by_one
from tests.conftest import NOW

POLICY = LookupPolicy(
    name="place", version=1, partner="api_geo", fresh=timedelta(days=1), stale=timedelta(days=30), is_personal=False
)
OUT_OF_ORDER = PartnerUnavailable("api_geo", "place", "out of order")
NOBODY_LISTENS = "redis://127.0.0.1:1/0"


@dataclass(frozen=True)
class Place:
    code: str
    names: tuple[str, ...]


@dataclass
class Partner:
    """Knows every place but those that begin with 9. Remembers its calls; `is_down` and `gate` hold it up."""

    calls: list[list[str]] = field(default_factory=list[list[str]])
    is_down: bool = False
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def fetch(self, codes: Sequence[str]) -> dict[str, Place | PartnerError]:
        self.calls.append(sorted(codes))
        self.was_asked.set()
        await self.gate.wait()
        if self.is_down:
            raise OUT_OF_ORDER
        return {code: place(code) for code in codes if not code.startswith("9")}


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


def place(code: str) -> Place:
    return Place(code, (f"Lieu {code}", "Été"))


@pytest.fixture
async def cache(valkey: redis.asyncio.Redis) -> AsyncIterator[LookupCache]:
    cache = LookupCache(valkey, hash_key=b"tests-only")
    yield cache
    await cache.aclose()


@pytest.fixture
def partner() -> Partner:
    return Partner()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def places(cache: LookupCache, partner: Partner, clock: Clock) -> Lookup[str, Place]:
    return make_lookup(cache, partner, clock)


def make_lookup(
    cache: LookupCache, partner: Partner, clock: Callable[[], datetime], policy: LookupPolicy = POLICY
) -> Lookup[str, Place]:
    return Lookup(cache, policy, value=Place, key=str, fetch=partner.fetch, now=clock)


async def test_keys_are_asked_for_together_and_answered_one_by_one(places: Lookup[str, Place], partner: Partner):
    found = await places.many(["57463", "99999", "57463", "69123"])

    assert found == {
        "57463": Answer(place("57463"), NOW),
        "99999": Answer(None, NOW),
        "69123": Answer(place("69123"), NOW),
    }
    assert partner.calls == [["57463", "69123", "99999"]]


async def test_a_second_process_reads_what_the_first_one_asked_for(
    places: Lookup[str, Place], valkey: redis.asyncio.Redis, partner: Partner, clock: Clock
):
    other = make_lookup(LookupCache(valkey, hash_key=b"tests-only"), partner, clock)
    await places.many(["57463", "99999"])

    found = await other.many(["57463", "99999", "69123"])

    assert found["57463"] == Answer(place("57463"), NOW)
    assert found["99999"] == Answer(None, NOW)
    assert partner.calls == [["57463", "99999"], ["69123"]]


async def test_what_is_in_the_cache_costs_one_command(places: Lookup[str, Place], valkey: redis.asyncio.Redis):
    keys = [f"57{number:03d}" for number in range(50)]
    await places.many(keys)
    before = (await valkey.info("commandstats")).get("cmdstat_mget", {"calls": 0})["calls"]

    found = await places.many(keys)

    after = (await valkey.info("commandstats"))["cmdstat_mget"]["calls"]
    assert len(found) == 50
    assert after - before == 1


async def test_fifty_callers_in_two_processes_ask_the_partner_once(
    places: Lookup[str, Place], valkey: redis.asyncio.Redis, partner: Partner, clock: Clock
):
    other = make_lookup(LookupCache(valkey, hash_key=b"tests-only"), partner, clock)

    found = await asyncio.gather(*(lookup.one("57463") for _ in range(25) for lookup in (places, other)))

    assert {answer.value for answer in found} == {place("57463")}
    assert partner.calls == [["57463"]]


async def test_two_processes_that_want_each_others_keys_both_end(
    places: Lookup[str, Place], valkey: redis.asyncio.Redis, partner: Partner, clock: Clock
):
    other = make_lookup(LookupCache(valkey, hash_key=b"tests-only"), partner, clock)

    first, second = await asyncio.gather(places.many(["1", "2", "3"]), other.many(["3", "2", "4"]))

    assert set(first) == {"1", "2", "3"}
    assert set(second) == {"3", "2", "4"}
    assert sorted(code for call in partner.calls for code in call) == ["1", "2", "3", "4"]


async def test_old_answers_are_asked_for_again(places: Lookup[str, Place], partner: Partner, clock: Clock):
    await places.one("57463")
    clock.now += timedelta(days=1)

    answer = await places.one("57463")

    assert answer == Answer(place("57463"), clock.now)
    assert len(partner.calls) == 2


async def test_in_an_outage_an_old_answer_is_served_and_says_so(
    places: Lookup[str, Place], partner: Partner, clock: Clock
):
    await places.one("57463")
    clock.now += timedelta(days=29)
    partner.is_down = True

    answer = await places.one("57463")

    assert answer == Answer(place("57463"), NOW, is_stale=True)


async def test_an_answer_that_is_too_old_is_not_served(places: Lookup[str, Place], partner: Partner, clock: Clock):
    await places.one("57463")
    clock.now += timedelta(days=30)
    partner.is_down = True

    with pytest.raises(PartnerUnavailable):
        await places.one("57463")


async def test_that_there_was_nothing_is_not_served_as_an_old_answer(
    places: Lookup[str, Place], partner: Partner, clock: Clock
):
    await places.one("99999")
    clock.now += timedelta(hours=1)
    partner.is_down = True

    with pytest.raises(PartnerUnavailable):
        await places.one("99999")


async def test_an_outage_is_not_remembered(places: Lookup[str, Place], partner: Partner):
    partner.is_down = True
    await places.many(["57463"])
    partner.is_down = False

    answer = await places.one("57463")

    assert answer.value == place("57463")


async def test_a_partner_that_does_not_answer_costs_the_deadline_and_is_heard_later(
    cache: LookupCache, partner: Partner, clock: Clock
):
    lookup = make_lookup(cache, partner, clock, replace(POLICY, deadline=timedelta(milliseconds=20)))
    partner.gate.clear()
    too_late = (await lookup.many(["57463"]))["57463"]
    partner.gate.set()

    answer = (await asyncio.gather(*cache.tasks._running))[0]["57463"]  # pyright: ignore[reportPrivateUsage]

    assert isinstance(too_late, PartnerUnavailable)
    assert answer == Answer(place("57463"), NOW)
    assert await lookup.one("57463") == answer
    assert partner.calls == [["57463"]]


async def test_a_caller_that_goes_away_takes_nobody_along(places: Lookup[str, Place], partner: Partner):
    partner.gate.clear()
    leaving = asyncio.create_task(places.one("57463"))
    staying = asyncio.create_task(places.one("57463"))
    await partner.was_asked.wait()
    leaving.cancel()
    partner.gate.set()

    answer = await staying

    assert answer.value == place("57463")
    with pytest.raises(asyncio.CancelledError):
        await leaving


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\x80\x04\x95",
        b"[]",
        b'{"at": 1e999, "value": 1}',
        b'{"at": "x"}',
        b"null",
        b'{"at": 1771407000.0, "value": {"code": "57463"}}',
        b'{"at": 1771407000.0, "value": {"code": "57463", "names": "Lieu 57463"}}',
    ],
    ids=["pickle", "list", "no time", "text for a time", "null", "a field less", "a field of another type"],
)
async def test_what_is_no_entry_is_asked_for_anew(
    places: Lookup[str, Place], valkey: redis.asyncio.Redis, partner: Partner, rubbish: bytes
):
    await valkey.set("lookup:place:1:57463", rubbish)

    answer = await places.one("57463")

    assert answer.value == place("57463")
    assert len(partner.calls) == 1


async def test_entries_are_json(places: Lookup[str, Place], valkey: redis.asyncio.Redis):
    await places.one("57463")

    entry = await valkey.get("lookup:place:1:57463")

    assert entry == '{"at":1771407000.0,"value":{"code":"57463","names":["Lieu 57463","Été"]}}'.encode()


async def test_a_personal_key_tells_nothing_and_two_of_them_never_meet(
    cache: LookupCache, valkey: redis.asyncio.Redis, partner: Partner, clock: Clock
):
    lookup = make_lookup(cache, partner, clock, replace(POLICY, is_personal=True))

    found = await lookup.many(["12 rue Inventée", "13 rue Inventée"])

    keys = [key.decode() for key in await valkey.keys()]
    assert len(keys) == 2
    assert not any("rue" in key or "Invent" in key for key in keys)
    assert [answer.value.code for answer in found.values() if isinstance(answer, Answer) and answer.value] == [
        "12 rue Inventée",
        "13 rue Inventée",
    ]


async def test_without_a_cache_every_answer_still_comes(partner: Partner, clock: Clock):
    async with redis.asyncio.from_url(NOBODY_LISTENS) as nowhere:
        cache = LookupCache(nowhere, hash_key=b"tests-only")
        lookup = make_lookup(cache, partner, clock)

        found = await asyncio.gather(*(lookup.one("57463") for _ in range(20)), lookup.one("69123"))

        assert [answer.value for answer in found] == [place("57463")] * 20 + [place("69123")]


async def test_one_key_that_fails_leaves_the_others(cache: LookupCache, clock: Clock):
    async def ask(code: str) -> Place | None:
        if code == "bad":
            raise PartnerRejected("api_geo", "place", "no")
        return place(code) if code != "none" else None

    lookup: Lookup[str, Place] = Lookup(
        cache, POLICY, value=Place, key=str, fetch=lambda codes: one_by_one(codes, ask, at_once=2), now=clock
    )

    found = await lookup.many(["57463", "bad", "none"])

    assert found["57463"] == Answer(place("57463"), NOW)
    assert isinstance(found["bad"], PartnerRejected)
    assert found["none"] == Answer(None, NOW)


async def test_an_error_of_ours_is_seen_as_one(cache: LookupCache, clock: Clock):
    async def fetch(_: Sequence[str]) -> dict[str, Place | PartnerError]:
        raise KeyError("a mistake")

    lookup: Lookup[str, Place] = Lookup(cache, POLICY, value=Place, key=str, fetch=fetch, now=clock)

    with pytest.raises(KeyError):
        await lookup.one("57463")
