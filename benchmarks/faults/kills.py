"""Processes that are killed (-9) at named points, by a gate before PostgreSQL: no line of theirs knows of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence

import httpx

from benchmarks.damage import damage_of, settled, settlements_counted
from benchmarks.faults.figures import Figures
from benchmarks.faults.gate import Moment, gate_to
from benchmarks.faults.load import Deliveries, deliver
from benchmarks.faults.people import SECRETS, due_approval, people_of_appointments
from benchmarks.faults.stage import Program, Stage, Stopwatch, Theatre, leaks
from benchmarks.story import Story, Webhook
from models import Approval, NotificationAttempt, WebhookEvent
from models.database import write
from models.enums import NotificationStatus
from sandbox.france_travail.settings import CLIENT_ID, CLIENT_SECRET

_CAUGHT_WITHIN_SECONDS = 60.0
_RECOVERED_WITHIN_SECONDS = 120.0
_STORED = "INSERT INTO webhook_event"
_APPLIED = "UPDATE webhook_event AS event SET status"
_RECORDED = r"UPDATE approval SET pe_notification_status = \$5"
_UPDATE_PATH = "/maj-pass-iae/v1/passIAE/miseAjour"
_LEASE_IS_OVER = "UPDATE {table} SET lease_until = clock_timestamp() WHERE lease_token IS NOT NULL RETURNING 1 AS free"


async def api_killed(theatre: Theatre, moment: Moment, *, tries: int) -> Figures:
    """A webhook is being stored when its API process dies; the sender goes to the other one."""
    async with theatre.stage("api_killed") as stage, gate_to(stage.database_url) as gate, settlements_counted():
        story = (await people_of_appointments(events=5 * tries)).story
        through = {"DATABASE_URL": gate.url(stage.database_url)}
        _, other = await stage.start_api()
        victim, port = await stage.start_api(settings=through)
        seen, longest = Deliveries(), 0.0
        for number, webhook in enumerate(_one_of_each(story)):
            trap = gate.set(_STORED, moment)
            sending = asyncio.create_task(deliver([webhook], [port, other], connections=1, seen=seen))
            await _caught(trap.caught)
            if (await WebhookEvent.all().count()) != number + moment.is_after:
                raise AssertionError(f"the gate is not {moment.value}: the row tells otherwise")
            await victim.kill()
            since = Stopwatch()
            await sending
            longest = max(longest, since.seconds)
            victim, port = await stage.start_api(port=port, settings=through)
        await deliver(story.webhooks, [port, other], seen=seen)
        await stage.start_worker()
        await settled()
        damage = await damage_of(story, refused=0)
        return Figures(
            fault=f"API killed while it stores a webhook, {moment.value}",
            tries=tries,
            lost=damage.lost + damage.wrong_ends,
            doubled=damage.applied_twice + damage.broken_log,
            leaked=leaks(logs=stage.logs(), answers=[*seen.bodies], secrets=SECRETS),
            recovery_seconds=longest,
            besides="the sender came back, to the other process",
        )


async def worker_killed(theatre: Theatre, moment: Moment, *, tries: int, waits: bool) -> Figures:
    """A worker dies while it applies an event; the next one takes over when the lease has run out."""
    async with theatre.stage("worker_killed") as stage, gate_to(stage.database_url) as gate, settlements_counted():
        story = (await people_of_appointments(events=5 * tries)).story
        _, port = await stage.start_api()
        longest = 0.0
        for webhook in _one_of_each(story):
            trap = gate.set(_APPLIED, moment)
            victim = await stage.start_worker({"DATABASE_URL": gate.url(stage.database_url)})
            await deliver([webhook], [port], connections=1)
            longest = max(longest, await _take_over(stage, trap.caught, victim, "webhook_event", settled, waits=waits))
        await deliver(story.webhooks, [port])
        await stage.start_worker()
        await settled()
        damage = await damage_of(story, refused=0)
        return Figures(
            fault=f"worker killed while it applies an event, {moment.value}",
            tries=tries,
            lost=damage.lost + damage.wrong_ends,
            doubled=damage.applied_twice + damage.broken_log,
            leaked=leaks(logs=stage.logs(), secrets=SECRETS),
            recovery_seconds=longest,
            besides=_how_leases_ended(waits),
        )


async def announcer_killed(theatre: Theatre, *, tries: int, waits: bool) -> Figures:
    """France Travail has answered, and the worker dies before it has recorded what."""
    async with theatre.stage("announcer_killed") as stage, gate_to(stage.database_url) as gate:
        sandbox = await stage.start_sandbox()
        settings = announcing(sandbox)
        longest = 0.0
        async with httpx.AsyncClient(base_url=sandbox, trust_env=False) as control:
            # As the partner is said to: what it has taken, it does not take again.
            await control.patch("/_settings", json={"partner": "france-travail", "refuse_repeats": True})
            approvals: list[Approval] = []
            for number in range(tries):
                approvals.append(await due_approval(number))
                trap = gate.set(_RECORDED, Moment.BEFORE_STATEMENT)
                victim = await stage.start_worker({"DATABASE_URL": gate.url(stage.database_url), **settings})

                longest = max(
                    longest,
                    await _take_over(
                        stage, trap.caught, victim, "approval", _announced, waits=waits, settings=settings
                    ),
                )
            calls = (await control.get("/_calls", params={"summary": "1", "path": _UPDATE_PATH})).json()
        codes = calls["codes_by_subject"]
        taken = [codes.get(approval.number, {}).get("S000", 0) for approval in approvals]
        unfinished = await NotificationAttempt.filter(finished_at=None).count()
        told_again = Counter(codes.get(approval.number, {}).get("S015", 0) for approval in approvals)
        return Figures(
            fault="worker killed after France Travail's answer, before its record",
            tries=tries,
            lost=taken.count(0),
            doubled=sum(each > 1 for each in taken),
            leaked=leaks(logs=stage.logs(), secrets=SECRETS),
            recovery_seconds=longest,
            besides=f"{tries - told_again[0]} told “already there”, {unfinished} attempts without an end;"
            f" {_how_leases_ended(waits)}",
        )


async def _take_over(
    stage: Stage,
    caught: asyncio.Event,
    victim: Program,
    table: str,
    recovered: Callable[[], Awaitable[None]],
    *,
    waits: bool,
    settings: Mapping[str, str] | None = None,
) -> float:
    """Kill whom the gate holds, start another, and return the seconds until all was well again."""
    await _caught(caught)
    await victim.kill()
    since = Stopwatch()
    if not waits:
        await write(_LEASE_IS_OVER.format(table=table))
        await write(_LEASE_IS_OVER.format(table="cron_run"))
    successor = await stage.start_worker(settings or {})
    async with asyncio.timeout(_RECOVERED_WITHIN_SECONDS):
        await recovered()
    seconds = since.seconds
    await successor.end()
    return seconds


async def _caught(caught: asyncio.Event) -> None:
    async with asyncio.timeout(_CAUGHT_WITHIN_SECONDS):
        await caught.wait()


async def _announced() -> None:
    async with asyncio.timeout(_RECOVERED_WITHIN_SECONDS):
        while await Approval.exclude(pe_notification_status=NotificationStatus.SUCCESS).exists():  # noqa: ASYNC110 - a worker announces it
            await asyncio.sleep(0.05)


def _one_of_each(story: Story) -> Sequence[Webhook]:
    """The booking of each appointment."""
    return story.webhooks[::5]


def announcing(sandbox: str) -> dict[str, str]:
    """Settings of a worker that announces at any hour, and at once."""
    return {
        "FT_BASE_URL": f"{sandbox}/france-travail",
        "FT_AUTH_BASE_URL_PARTENAIRE": f"{sandbox}/france-travail",
        "FT_CLIENT_ID": CLIENT_ID,
        "FT_CLIENT_SECRET": CLIENT_SECRET,
        "FT_MAX_RPS": "50",
        "NOTIFICATION_LAST_HOUR": "23",
        "NOTIFICATION_INTERVAL": "0.5",
    }


def _how_leases_ended(waits: bool) -> str:
    return "leases waited for" if waits else "leases ended by hand"
