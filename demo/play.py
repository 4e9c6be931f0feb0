"""The main job, played once: the worker announces what is due, the sandbox answers, fails, and is asked again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.live import Live

from demo import screen
from demo.cast.story import ROLES, Role
from demo.database import connected
from demo.http import Unreachable, call_json
from models.enums import NotificationEndpoint, NotificationStatus

_FRANCE_TRAVAIL = "france-travail"
_SEARCH_PATH = "/rechercheindividucertifie/"
_UPDATE_PATH = "/maj-pass-iae/"
_PATIENCE_SECONDS = 90.0
_REFRESH_SECONDS = 0.25
_SAMPLES = 6
_SHOWN_ATTEMPTS = 10

# Which calls they meet is drawn by the sandbox, the same way each time.
_FAULTS: tuple[dict[str, Any], ...] = (
    {"path": _UPDATE_PATH, "status": 503, "body": "<html>Service unavailable</html>", "times": 3, "probability": 0.3},
    {
        "path": _SEARCH_PATH,
        "status": 429,
        "body": "Too Many Requests",
        "headers": {"Retry-After": "2"},
        "times": 1,
        "probability": 0.3,
    },
    # It has acted, and nobody hears of it: the next attempt is told that the work is already done.
    {"path": _UPDATE_PATH, "disconnect": True, "when": "after", "times": 1, "probability": 0.3},
)

_FINAL = (NotificationStatus.SUCCESS, NotificationStatus.ERROR)

_COUNT = """
SELECT pe_notification_status AS status, count(*) AS number FROM {table} {condition} GROUP BY 1
"""
_STATES = """
SELECT id, number, pe_notification_status AS status, pe_notification_time AS at, pe_notification_endpoint AS endpoint,
    pe_notification_exit_code AS code, cancelled_at IS NOT NULL AS is_cancelled
FROM approval WHERE id = ANY($1)
UNION ALL
SELECT id, number, pe_notification_status, pe_notification_time, pe_notification_endpoint,
    pe_notification_exit_code, FALSE
FROM cancelled_approval WHERE id = ANY($1)
"""
_SAMPLE = """
SELECT approval.number, approval.start_at, company.name, pe_notification_status AS status,
    pe_notification_exit_code AS code
FROM approval JOIN company ON company.id = approval.origin_company_id
WHERE approval.id = ANY($1) AND pe_notification_status = $2 ORDER BY approval.number LIMIT $3
"""
_ATTEMPTS = """
SELECT attempt.started_at, coalesce(approval.number, cancelled.number) AS number, attempt.outcome, attempt.endpoint,
    attempt.http_status, attempt.exit_code, attempt.duration_ms
FROM notification_attempt attempt
LEFT JOIN approval ON approval.id = attempt.approval_id
LEFT JOIN cancelled_approval cancelled ON cancelled.id = attempt.cancelled_approval_id
WHERE attempt.started_at >= $1 AND attempt.finished_at IS NOT NULL
ORDER BY attempt.started_at DESC LIMIT $2
"""
# Alone, without the status: the database itself makes a notification due again when the dates change.
_PROLONG = """
UPDATE approval SET end_at = end_at + 1 WHERE id = ANY($1) AND cancelled_at IS NULL
    AND pe_notification_status = ANY($2) RETURNING id
"""


@dataclass(frozen=True, slots=True)
class _State:
    """Where one role stands."""

    number: str
    status: NotificationStatus
    at: datetime | None
    endpoint: str | None
    code: str | None


class Play:
    """One performance. `fresh`: the cast was loaded just now, and nothing of the story has happened yet."""

    def __init__(self, *, database_url: str, sandbox_url: str, console: Console, fresh: bool) -> None:
        self._database_url = database_url
        self._sandbox_url = sandbox_url
        self._console = console
        self._fresh = fresh

    async def perform(self, start_worker: Callable[[], object], require_alive: Callable[[], None]) -> bool:
        """Show before, while and after; return whether everything ended as the story says.

        The worker is started in the middle, so that what comes before can be seen.
        """
        async with connected(self._database_url) as connection:
            roles = await self._prepare(connection)
            before = await _count(connection)
            self._console.print(screen.statuses_table("Before", before))
            self._console.print(screen.samples_table(await _samples(connection, roles)))
            await self._arrange_faults()
            started_at: datetime = await connection.fetchval("SELECT clock_timestamp()")
            self._console.print(
                f"\nThe worker starts: {len(roles)} approvals and cancellations are due, and some calls will fail.\n"
            )
            start_worker()
            all_settled = await self._watch(connection, roles, started_at, require_alive)
            self._console.print(screen.statuses_table("Before and after", before, await _count(connection)))
            states = await _states(connection, roles)
            self._console.print(screen.codes_table(_codes(states)))
        await self._show_what_the_sandbox_saw()
        await call_json(f"{self._sandbox_url}/_faults", method="DELETE")
        return self._report(states) and all_settled

    async def _prepare(self, connection: Any) -> list[Role]:
        """Return the roles that should end now; on a stage used before, make those that have ended due again."""
        final = [status.value for status in _FINAL]
        if self._fresh:
            return [role for role in ROLES if role.expected in _FINAL]
        again = [role.approval_id for role in ROLES if role.can_be_played_again and role.expected in _FINAL]
        prolonged = {row["id"] for row in await connection.fetch(_PROLONG, again, final)}
        screen.say(
            self._console,
            f"The data of the last start was kept: {len(prolonged)} approvals are prolonged by a day,"
            " which France Travail must hear of.",
        )
        states = await _states(connection, ROLES)
        return [
            role for role in ROLES if role.expected in _FINAL and role in states and states[role].status not in _FINAL
        ]

    async def _arrange_faults(self) -> None:
        await call_json(f"{self._sandbox_url}/_faults", method="DELETE")
        await call_json(f"{self._sandbox_url}/_calls", method="DELETE")
        # Like the real one, which does not install a follow-up twice.
        settings = {"partner": _FRANCE_TRAVAIL, "refuse_repeats": True}
        await call_json(f"{self._sandbox_url}/_settings", method="PATCH", body=settings)
        for fault in _FAULTS:
            body = {"partner": _FRANCE_TRAVAIL, **fault}
            await call_json(f"{self._sandbox_url}/_faults", method="POST", body=body)

    async def _watch(
        self, connection: Any, roles: Sequence[Role], started_at: datetime, require_alive: Callable[[], None]
    ) -> bool:
        """Show the progress until every role is settled; False when patience runs out before."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with Live(console=self._console, refresh_per_second=8, transient=True) as live:
            while True:
                states = await _states(connection, roles)
                settled = [
                    state for state in states.values() if state.status in _FINAL and state.at and state.at >= started_at
                ]
                live.update(
                    screen.progress_view(
                        settled=len(settled),
                        expected=len(states),
                        statuses=_by_status(states),
                        attempts=await _last_attempts(connection, started_at),
                        partner=await self._partner_line(),
                    )
                )
                if len(settled) == len(states):
                    return True
                require_alive()
                if time.monotonic() > deadline:
                    return False
                await asyncio.sleep(_REFRESH_SECONDS)

    async def _partner_line(self) -> str:
        try:
            summary, faults = await self._what_the_sandbox_saw()
        except Unreachable:
            return "the sandbox does not answer"
        return (
            f"sandbox: {summary['total']} calls, {sum(fault['applied'] for fault in faults)} of them failed on purpose"
        )

    async def _what_the_sandbox_saw(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        summary = await call_json(f"{self._sandbox_url}/_calls?summary=1&partner={_FRANCE_TRAVAIL}")
        return summary, await call_json(f"{self._sandbox_url}/_faults")

    async def _show_what_the_sandbox_saw(self) -> None:
        summary, faults = await self._what_the_sandbox_saw()
        accepted = [codes["S000"] for codes in summary["codes_by_subject"].values() if "S000" in codes]
        repeated = sum(times > 1 for times in accepted)
        failed = ", ".join(f"{fault['applied']} x {_name_of(fault)}" for fault in faults if fault["applied"])
        fastest = max((path["max_per_second"] for path in summary["paths"].values()), default=0)
        screen.say(
            self._console,
            f"The sandbox counted {summary['total']} calls: {len(accepted)} approvals accepted,"
            f" {repeated or 'none'} of them twice; never more than {fastest} calls a second on one path."
            f" Failed on purpose, and tried again: {failed or 'none'}.",
        )

    def _report(self, states: dict[Role, _State]) -> bool:
        """Name what did not end as it should. True when there is nothing to name."""
        surprises = [
            f"approval {state.number}: {state.status.name} {state.code or ''} where"
            f" {role.expected.name} {role.expected_code or ''} was expected"
            for role, state in states.items()
            if (state.status, state.code) != (role.expected, role.expected_code)
        ]
        for surprise in surprises:
            screen.say(self._console, surprise)
        return not surprises


def _name_of(fault: dict[str, Any]) -> str:
    return "connection cut after the work was done" if fault["disconnect"] else f"HTTP {fault['status']}"


async def _count(connection: Any) -> list[screen.StatusCount]:
    approvals = await _count_table(connection, "approval", "WHERE cancelled_at IS NULL")
    cancellations = await _count_table(connection, "cancelled_approval", "")
    return [
        screen.StatusCount(status, approvals.get(status.value, 0), cancellations.get(status.value, 0))
        for status in NotificationStatus
    ]


async def _count_table(connection: Any, table: str, condition: str) -> dict[str, int]:
    rows = await connection.fetch(_COUNT.format(table=table, condition=condition))
    return {row["status"]: row["number"] for row in rows}


async def _states(connection: Any, roles: Sequence[Role]) -> dict[Role, _State]:
    """Return where the roles stand; those that somebody has cancelled since are out of the story."""
    rows = {row["id"]: row for row in await connection.fetch(_STATES, [role.subject_id for role in roles])}
    return {
        role: _State(row["number"], NotificationStatus(row["status"]), row["at"], row["endpoint"], row["code"])
        for role in roles
        if (row := rows.get(role.subject_id)) is not None and not row["is_cancelled"]
    }


async def _samples(connection: Any, roles: Sequence[Role]) -> list[screen.SampleApproval]:
    ids = [role.subject_id for role in roles]
    samples: list[screen.SampleApproval] = []
    for status in NotificationStatus:
        rows = await connection.fetch(_SAMPLE, ids, status.value, _SAMPLES // 2)
        samples += [
            screen.SampleApproval(row["number"], row["start_at"].isoformat(), row["name"], status, row["code"])
            for row in rows
        ]
    return samples[: _SAMPLES * 2]


async def _last_attempts(connection: Any, since: datetime) -> list[screen.ShownAttempt]:
    return [
        screen.ShownAttempt(
            at=f"{row['started_at'].astimezone():%H:%M:%S}",
            number=row["number"],
            outcome=NotificationStatus(row["outcome"]),
            endpoint=row["endpoint"],
            http_status=row["http_status"],
            code=row["exit_code"],
            duration_ms=row["duration_ms"],
        )
        for row in await connection.fetch(_ATTEMPTS, since, _SHOWN_ATTEMPTS)
    ]


def _by_status(states: dict[Role, _State]) -> list[screen.StatusCount]:
    return [
        screen.StatusCount(status, sum(state.status is status for state in states.values()), 0)
        for status in NotificationStatus
    ]


def _codes(states: dict[Role, _State]) -> list[screen.CodeCount]:
    counted: dict[tuple[NotificationStatus, str | None, str | None], int] = {}
    for state in states.values():
        key = (state.status, state.endpoint, state.code)
        counted[key] = counted.get(key, 0) + 1
    return [
        screen.CodeCount(status, NotificationEndpoint(endpoint).value if endpoint else None, code, count)
        for (status, endpoint, code), count in sorted(counted.items(), key=lambda item: (-item[1], item[0][2] or ""))
    ]
