"""Every partner fails at once, in several ways; then they are well again, and nobody does anything about it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from benchmarks.damage import damage_of, settled, settlements_counted
from benchmarks.faults.errands import (
    ORGANISATION,
    Click,
    Errands,
    all_is_done,
    click,
    deeds,
    people_with_errands,
)
from benchmarks.faults.figures import Figures
from benchmarks.faults.load import Deliveries, ask, deliver, readers
from benchmarks.faults.people import QUERY, SECRETS, Bookings, people_of_appointments
from benchmarks.faults.stage import Stopwatch, Theatre, leaks
from benchmarks.faults.weather import INSIDES, WAYS, Weather, settings_for
from models import Approval
from models.enums import NotificationStatus

# Whatever waits for a partner that hangs waits for this long at least (services/lookups.py). Tens of milliseconds are
# usual, more on a machine that runs other tests besides.
READ_WITHIN_SECONDS = 3.0
# REQUEST_DEADLINE, and the way there and back.
ANSWER_WITHIN_SECONDS = 10.5
# A breaker is open for 30 seconds, and a probe may come a moment too early.
_WELL_AGAIN_WITHIN_SECONDS = 120.0
_WEBHOOKS_AT_A_TIME = 5
_BETWEEN_WEBHOOKS_SECONDS = 0.5
_CLICKS_AT_A_TIME = 10

# Everything that a query may ask of a partner. `jobApplications`, `viewer` and the names beside it are our own.
_EVERYTHING = """{{
  viewer {{ kind }}
  jobApplications(first: 10) {{ edges {{ node {{ id state jobSeeker {{ firstName lastName }} }} }} }}
  company(siret: "{siret}") {{ name establishment {{ siret }} }}
  establishment(siret: "{siret}") {{ __typename }}
  communes(search: "Metz") {{ name }}
  addressSuggestions(text: "6 rue Fictive") {{ label }}
  geocode(address: "6 rue Fictive", postCode: "75010") {{ __typename }}
  inclusionStructures(filter: {{departmentCode: "57"}}, first: 3) {{ edges {{ node {{ id }} }} }}
  dashboard(slug: "stats_public") {{ title cards {{ id }} }}
}}"""
_NULL_AND_TOLD = frozenset(
    {
        ("addressSuggestions",),
        ("communes",),
        ("company", "establishment"),
        ("dashboard", "cards"),
        ("inclusionStructures",),
    }
)
_TOLD_BY_A_TYPE = ("establishment", "geocode")


async def storm(theatre: Theatre, *, rounds: int, people: int, waits: bool) -> Figures:
    """All fail: what needs none of them is answered, what needs them says so in time, and all recover by themselves."""
    async with theatre.stage("partners") as stage, settlements_counted():
        bookings = await people_of_appointments(events=50 * rounds)
        errands = await people_with_errands(people)
        sandbox = await stage.start_sandbox()
        settings = settings_for(sandbox)
        _, port = await stage.start_api(settings=settings)
        async with httpx.AsyncClient(base_url=sandbox, trust_env=False) as control:
            weather = Weather(control)
            await weather.tell_of_invitations_at(f"http://127.0.0.1:{port}/webhooks/rdv-insertion")
            await _invite_one(port, errands)
            await weather.break_all(organisation=ORGANISATION)
            await stage.start_worker(settings)
            async with readers(port, bookings.token, QUERY, number=2, pause=0.05) as asked:
                seen = await _go_through(port, bookings, errands, rounds)
                announced_in_vain = await Approval.filter(pe_notification_status=NotificationStatus.SUCCESS).count()
                unmet = await weather.partners_not_met()
                await weather.mend_all()
                since = Stopwatch()
                await _everything_is_answered(port, errands)
                await all_is_done(port, errands, waits=waits)
                recovery = since.seconds
            await settled()
            done = await deeds(control, errands)
        hooks = seen.hooks
        damage = await damage_of(bookings.story, refused=sum(hooks.answers.values()) - hooks.answers[200])
        too_slow = int(asked.longest > READ_WITHIN_SECONDS)
        return Figures(
            fault=f"all ten partners fail at once ({', '.join(WAYS)})",
            tries=len(seen.told) + seen.clicks + len(bookings.story.webhooks) + done.tries,
            lost=len(seen.wrong)
            + len(asked.failures)
            + too_slow
            + len(unmet)
            + announced_in_vain
            + done.lost
            # of the webhooks
            + damage.lost
            + damage.wrong_ends
            + damage.refused,
            doubled=done.doubled + damage.applied_twice + damage.broken_log,
            leaked=leaks(
                logs=stage.logs(),
                answers=[*asked.failures, *hooks.bodies, *(answer.partners_part for answer in seen.told), *seen.wrong],
                secrets=(*SECRETS, INSIDES),
            ),
            recovery_seconds=recovery,
            besides=f"{asked.answered:,} reads of what is here went on, the longest {asked.longest * 1000:.0f} ms;"
            f" {len(bookings.story.webhooks):,} webhooks acknowledged, the longest {hooks.longest * 1000:.0f} ms;"
            f" the longest answer without partners took {max(answer.seconds for answer in seen.told):.1f} s;"
            f" {done.tries} things done once each, {'in real time' if waits else 'pauses of minutes cut short'}"
            + "".join(f"; WRONG: {text}" for text in (*seen.wrong[:3], *unmet, *done.wrong[:3])),
        )


@dataclass(slots=True)
class _Seen:
    """What clients saw while everything failed. `wrong`: what they were not promised, in words."""

    hooks: Deliveries = field(default_factory=Deliveries)
    told: list[_Answer] = field(default_factory=list["_Answer"])
    clicks: int = 0
    wrong: list[str] = field(default_factory=list[str])


class _Answer:
    """The answer to `_EVERYTHING`."""

    def __init__(self, status: int, body: bytes, seconds: float) -> None:
        self.seconds = seconds
        self._status = status
        self._text = body.decode(errors="replace")
        self._answer: dict[str, Any] = orjson.loads(body)
        self._data: dict[str, Any] = self._answer.get("data") or {}

    @property
    def own_part(self) -> Sequence[Any]:
        """What our own database holds."""
        names = [self._of(field, "name" if field == "company" else "title") for field in ("company", "dashboard")]
        own = [self._data.get("viewer"), self._data.get("jobApplications"), *names]
        return own if all(own) else ()

    @property
    def partners_part(self) -> str:
        """The rest, which may name nobody and nothing of a partner's insides."""
        return orjson.dumps({**self._answer, "data": {**self._data, "jobApplications": None}}).decode()

    @property
    def is_good(self) -> bool:
        types = [self._of(name, "__typename") for name in _TOLD_BY_A_TYPE]
        return self._status == 200 and "errors" not in self._answer and types == ["Establishment", "GeocodedAddress"]

    def _of(self, field: str, name: str) -> Any:
        """A name within a field, None where the field is null."""
        value: dict[str, Any] | None = self._data.get(field)
        return value.get(name) if value else None

    def wrong(self, *, own_part: Sequence[Any]) -> str | None:
        """In words, None when exactly the partners' fields are null and told, everything else is there, and in time."""
        errors = {(tuple(error["path"]), error["extensions"]["code"]) for error in self._answer.get("errors", ())}
        is_told = errors == {(path, "PARTNER_UNAVAILABLE") for path in _NULL_AND_TOLD} and all(
            self._of(name, "__typename") == "PartnerUnavailable" for name in _TOLD_BY_A_TYPE
        )
        is_in_time = self.seconds <= ANSWER_WITHIN_SECONDS
        if self._status == 200 and is_told and is_in_time and self.own_part == own_part:
            return None
        return f"{self._status} after {self.seconds:.1f} s: {self._text[:600]}"


async def _invite_one(port: int, errands: Errands) -> None:
    """In fair weather, so that there is a session at RDV-Solidarités."""
    answer = await click(port, errands.token, errands.before.invitation)
    if answer != "InvitationRequest":
        raise AssertionError(f"an invitation in fair weather: {answer}, InvitationRequest expected")


async def _go_through(port: int, bookings: Bookings, errands: Errands, rounds: int) -> _Seen:
    seen = _Seen()
    async with asyncio.TaskGroup() as group:
        group.create_task(_send_all_the_while(bookings, port, seen))
        group.create_task(_click_all(port, errands, seen))
        group.create_task(_ask_everything(port, errands, rounds, seen))
    return seen


async def _send_all_the_while(bookings: Bookings, port: int, seen: _Seen) -> None:
    webhooks = bookings.story.webhooks
    for place in range(0, len(webhooks), _WEBHOOKS_AT_A_TIME):
        await deliver(webhooks[place : place + _WEBHOOKS_AT_A_TIME], [port], seen=seen.hooks)
        await asyncio.sleep(_BETWEEN_WEBHOOKS_SECONDS)


async def _click_all(port: int, errands: Errands, seen: _Seen) -> None:
    slots = asyncio.Semaphore(_CLICKS_AT_A_TIME)

    async def try_one(each: Click) -> None:
        async with slots:
            answer = await click(port, errands.token, each)
        seen.clicks += 1
        if answer != each.in_a_storm:
            seen.wrong.append(f"{each.name}: {answer}, {each.in_a_storm} expected")

    async with asyncio.TaskGroup() as group:
        for errand in errands.waiting:
            for each in errand.clicks:
                group.create_task(try_one(each))


async def _ask_everything(port: int, errands: Errands, rounds: int, seen: _Seen) -> None:
    own_part: Sequence[Any] = ()
    for _ in range(rounds):
        answer = await _everything(port, errands)
        own_part = own_part or answer.own_part
        seen.told.append(answer)
        if (wrong := answer.wrong(own_part=own_part)) is not None or not own_part:
            seen.wrong.append(wrong or "nothing of our own was answered")


async def _everything(port: int, errands: Errands) -> _Answer:
    since = Stopwatch()
    status, body = await ask(port, errands.token, _EVERYTHING.format(siret=errands.siret))
    return _Answer(status, body, since.seconds)


async def _everything_is_answered(port: int, errands: Errands) -> None:
    async with asyncio.timeout(_WELL_AGAIN_WITHIN_SECONDS):
        while not (await _everything(port, errands)).is_good:  # noqa: ASYNC110 - asking is what is tried
            await asyncio.sleep(0.5)
