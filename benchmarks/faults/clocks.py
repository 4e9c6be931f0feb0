"""Processes whose clock is wrong by minutes, beside others whose clock is wrong the other way.

The clock of a machine cannot be set for a process alone without tools that most machines lack: Python's own functions
for the time of day are replaced in the process before it starts. What counts intervals (asyncio, leases by PostgreSQL's
clock) is left alone, as on a real machine.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx

from benchmarks.damage import damage_of, settled, settlements_counted
from benchmarks.faults.figures import Figures
from benchmarks.faults.kills import announcing
from benchmarks.faults.load import Deliveries, ask, deliver
from benchmarks.faults.people import QUERY, SECRETS, due_approval, people_of_appointments, token_of_employer
from benchmarks.faults.stage import Stopwatch, Theatre, leaks
from models import Approval, Company
from models.enums import NotificationStatus

SHIFT = timedelta(minutes=10)
_UPDATE_PATH = "/maj-pass-iae/v1/passIAE/miseAjour"
_ANNOUNCED_WITHIN_SECONDS = 120.0


async def wrong_clocks(theatre: Theatre, *, events: int, approvals: int) -> Figures:
    """API and worker ten minutes ahead, others ten minutes behind: nothing is lost or done twice."""
    async with theatre.stage("clocks") as stage, settlements_counted():
        bookings = await people_of_appointments(events=events)
        sandbox = await stage.start_sandbox()
        due = [await due_approval(place) for place in range(approvals)]
        seconds = SHIFT.total_seconds()
        ports = [(await stage.start_api(clock_shift=shift))[1] for shift in (seconds, -seconds)]
        since = Stopwatch()
        for shift in (seconds, -seconds):
            await stage.start_worker(announcing(sandbox), clock_shift=shift)
        seen = await deliver(bookings.story.webhooks, ports, seen=Deliveries())
        # Somebody signed in a quarter of an hour ago, somebody else just now, by a clock that is right.
        company = await Company.get(number=5_000)
        earlier = await token_of_employer(company, issued_at=datetime.now(UTC) - timedelta(minutes=15))
        ahead, behind = ports
        well = [(ahead, earlier), (behind, earlier), (ahead, bookings.token)]
        accepted = [(await ask(port, token, QUERY))[0] for port, token in well].count(200)
        refused = (await ask(behind, bookings.token, QUERY))[0]
        await settled()
        await _all_are_announced()
        recovery = since.seconds
        async with httpx.AsyncClient(base_url=sandbox, trust_env=False) as control:
            calls = (await control.get("/_calls", params={"summary": "1", "path": _UPDATE_PATH})).json()
        taken = [calls["codes_by_subject"].get(approval.number, {}).get("S000", 0) for approval in due]
        damage = await damage_of(bookings.story, refused=sum(seen.answers.values()) - seen.answers[200])
        return Figures(
            fault="clocks ten minutes ahead and behind, of two API processes and two workers",
            tries=len(bookings.story.webhooks) + len(due) + 4,
            lost=damage.lost + damage.wrong_ends + damage.refused + taken.count(0) + len(well) - accepted,
            doubled=damage.applied_twice + damage.broken_log + sum(each > 1 for each in taken),
            leaked=leaks(logs=stage.logs(), answers=[*seen.bodies], secrets=SECRETS),
            recovery_seconds=recovery,
            besides=f"a token of this minute gets {refused} from the clock that is behind",
        )


async def _all_are_announced() -> None:
    async with asyncio.timeout(_ANNOUNCED_WITHIN_SECONDS):
        while await Approval.exclude(pe_notification_status=NotificationStatus.SUCCESS).exists():  # noqa: ASYNC110 - a worker announces them
            await asyncio.sleep(0.1)
