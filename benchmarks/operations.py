"""How long operators wait: every function of the dashboard over 1 000 000 attempts and 300 000 webhook events.

`python -m benchmarks.operations` seeds a database of the embedded engine and prints the p95 of each function;
`--pages` asks a server of its own for every page instead (benchmarks/operations_pages.py); `--explain WORD` prints the
plans of the statements of the functions whose name has the word in it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.table import Table

from benchmarks.operations_pages import measure_pages
from demo.engines import EmbeddedEngines, Engines
from models.database import (
    DatabaseConfig,
    StatementCounter,
    close_database,
    counting_statements,
    fetch_all,
    open_database,
    write,
)
from models.encryption import KeyRing
from models.enums import MailState, NotificationStatus, Partner, WebhookEventStatus
from models.migrate import migrate
from services.notification import Subject
from services.operations import audit, certifications, failure_groups, mails, notifications, surveys, webhooks
from services.operations.due import read_due
from services.operations.notifications import NotificationFilter
from services.operations.paging import PageRequest
from services.operations.pausing import read_pauses
from services.operations.runs import LARGEST_RUN, list_runs, preview
from services.operations.series import Window, read_notification_series, read_webhook_series
from services.operations.webhooks import WebhookFilter
from services.operations.workers import read_workers

ROUNDS = 20
BOUND_MS = 100
APPROVALS = 250_000
ATTEMPTS = 1_000_000
EVENTS = 300_000

# Two months of attempts, four an approval; one in twelve is refused, one in fifty to be tried again.
_SEED = f"""
INSERT INTO "user" (id, kind, first_name, last_name, phone, is_active, is_operator, may_read_full_nir, created_at,
    updated_at)
SELECT md5('p' || n)::uuid, 'job_seeker', 'Zélie', 'Fictive', '', true, false, false, now(), now()
FROM generate_series(1, {APPROVALS}) AS n;
INSERT INTO approval (id, number, start_at, end_at, job_seeker_id, origin_siae_siret, origin_siae_kind,
    origin_sender_kind, origin_prescriber_organization_kind, pe_notification_status, pe_notification_endpoint,
    pe_notification_exit_code, pe_notification_time, created_at, updated_at)
SELECT md5('a' || n)::uuid, '99999' || lpad(n::text, 7, '0'), date '2026-01-01', date '2027-12-31', md5('p' || n)::uuid,
    '90210001500015', 'EI', 'employer', '',
    CASE WHEN n % 12 = 0 THEN 'notification_error' WHEN n % 50 = 1 THEN 'notification_should_retry'
        WHEN n % 40 = 3 THEN 'notification_pending' WHEN n % 400 = 5 THEN 'notification_ready'
        ELSE 'notification_success' END,
    CASE WHEN n % 12 = 0 THEN 'maj_pass' END,
    CASE WHEN n % 12 = 0 THEN 'S0' || lpad((n / 12 % 40)::text, 2, '0') WHEN n % 40 = 3 THEN 'STARTS_IN_FUTURE' END,
    now() - n * interval '20 seconds', now() - interval '90 days', now()
FROM generate_series(1, {APPROVALS}) AS n;
INSERT INTO notification_attempt (id, approval_id, started_at, finished_at, duration_ms, endpoint, http_status,
    exit_code, outcome, delivery)
SELECT gen_random_uuid(), md5('a' || (n % {APPROVALS} + 1))::uuid, at, at + interval '1 second', 200 + n % 3000,
    'maj_pass', 200, CASE WHEN n % 12 = 0 THEN 'S008' END,
    CASE WHEN n % 12 = 0 THEN 'notification_error' WHEN n % 50 = 1 THEN 'notification_should_retry'
        ELSE 'notification_success' END, 'accepted'
FROM generate_series(1, {ATTEMPTS}) AS n, LATERAL (SELECT now() - n * interval '5 seconds' AS at) AS time;
INSERT INTO webhook_event (id, source, fingerprint, received_at, arrival, status, model, event, resource_id, precedence,
    body, attempts, error, processed_at)
SELECT gen_random_uuid(), CASE WHEN n % 10 = 0 THEN 'tally' ELSE 'rdv_insertion' END, lpad(n::text, 64, '0'),
    at, {EVENTS} - n, status, CASE WHEN n % 10 = 0 THEN 'form_response' ELSE 'rdv' END, 'updated', (n / 3)::text, 0,
    '\\x00', 1, CASE WHEN status = 'failed' THEN 'KeyError' END,
    CASE WHEN status <> 'received' THEN at + interval '2 seconds' END
FROM generate_series(1, {EVENTS}) AS n, LATERAL (SELECT now() - n * interval '15 seconds' AS at,
    CASE WHEN n % 40 = 0 THEN 'failed' WHEN n % 30 = 1 THEN 'unmatched' WHEN n <= 500 THEN 'received'
        ELSE 'processed' END AS status) AS row;
INSERT INTO mail (id, template, subject_id, state, attempts, created_at, sent_at)
SELECT gen_random_uuid(), 'survey_employer', gen_random_uuid(), 'sent', 1, now() - n * interval '1 minute', now()
FROM generate_series(1, 100000) AS n;
INSERT INTO audit_entry (id, "at", actor_id, action, subject_type, subject_id, reason)
SELECT gen_random_uuid(), now() - n * interval '1 minute', md5('p' || n % 7)::uuid, 'notification_retried', 'approval',
    md5('a' || n), 'Panne' FROM generate_series(1, 100000) AS n;
"""

Measured = Callable[[], Awaitable[object]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--explain", metavar="WORD", help="print the plans of the functions with this in their name")
    parser.add_argument("--pages", action="store_true", help="measure whole pages of a server, not functions")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="traverse-operations-") as folder,
        EmbeddedEngines(Path(folder) / "data", os.environ) as engines,
    ):
        if arguments.pages:
            raise SystemExit(0 if asyncio.run(_measure_pages(engines, Path(folder))) else 1)
        asyncio.run(_measure(engines.database_url, arguments.explain))


@asynccontextmanager
async def _filled(url: str, console: Console) -> AsyncGenerator[DatabaseConfig, None]:
    """The database with all rows, open for the block."""
    config = DatabaseConfig(
        url=url,
        keys=KeyRing(keys=(os.urandom(32),), fingerprint_key=os.urandom(32)),
        statement_timeout=timedelta(minutes=10),
    )
    await migrate(config)
    await open_database(config)
    try:
        console.print("seeding …")
        for statement in filter(str.strip, _SEED.split(";\n")):
            await write(statement)
        await fetch_all("VACUUM ANALYZE")
        yield config
    finally:
        await close_database()


async def _measure_pages(engines: Engines, logs: Path) -> bool:
    console = Console()
    async with _filled(engines.database_url, console) as config:
        return await measure_pages(config.url, engines.redis_url, config.keys, logs, console)


async def _measure(url: str, explained: str | None) -> None:
    console = Console()
    async with _filled(url, console):
        now = datetime.now(UTC)
        functions = await _functions(now)
        if explained is not None:
            await _explain(console, {name: run for name, run in functions.items() if explained in name})
            return
        table = Table("function", "median ms", "p95 ms", "under 100 ms")
        for name, run in functions.items():
            seconds = [await _timed(run) for _ in range(ROUNDS + 1)][1:]
            p95 = quantiles(seconds, n=20)[18] * 1000
            table.add_row(name, f"{median(seconds) * 1000:.1f}", f"{p95:.1f}", "yes" if p95 < BOUND_MS else "NO")
        console.print(table)


async def _functions(now: datetime) -> Mapping[str, Measured]:
    week = timedelta(days=7)
    row = (await fetch_all("SELECT id, number, job_seeker_id FROM approval LIMIT 1"))[0]
    far = PageRequest(after=await _far_cursor())
    error = NotificationStatus.ERROR

    def listed(**values: Any) -> Measured:
        return lambda: notifications.list_notifications(NotificationFilter(**values))

    def events(**values: Any) -> Measured:
        return lambda: webhooks.list_webhooks(WebhookFilter(**values))

    return {
        "due": lambda: read_due(now=now),
        **{f"attempts, {window.name}": _series(read_notification_series, window, now) for window in Window},
        **{f"events, {window.name}": _series(read_webhook_series, window, now) for window in Window},
        "workers": lambda: read_workers(now=now),
        "pauses": lambda: read_pauses(now=now),
        "notifications": listed(),
        "notifications, far page": lambda: notifications.list_notifications(page=far),
        "notifications, in error": listed(status=error),
        "notifications, of a code": listed(status=error, code="S008"),
        "notifications, rare status": listed(status=NotificationStatus.READY),
        "notifications, by label": listed(status=error, label="siret"),
        "notifications, by number": listed(number=row["number"]),
        "notifications, of a person": listed(job_seeker_id=row["job_seeker_id"]),
        "notifications, of a week": listed(since=now - week, until=now),
        "notifications counted": lambda: notifications.count_notifications(NotificationFilter(status=error)),
        "notifications by status": lambda: notifications.count_by_status_up_to(LARGEST_RUN),
        "notifications by status, all": notifications.count_by_status,
        "notification": lambda: notifications.read_notification(Subject.APPROVAL, UUID(str(row["id"]))),
        "groups of notifications": lambda: failure_groups.group_notifications(now=now),
        "groups of events": lambda: failure_groups.group_webhooks(now=now),
        "preview of a run": lambda: preview(NotificationFilter(status=error, code="S008")),
        "preview of a large run": lambda: preview(NotificationFilter(status=error)),
        "preview of a replay": lambda: preview(WebhookFilter(status=WebhookEventStatus.FAILED)),
        "events": events(),
        "events, failed": events(status=WebhookEventStatus.FAILED),
        "events, failed of a source": events(source=Partner.TALLY, status=WebhookEventStatus.FAILED),
        "events, of a resource": events(resource_id="77"),
        "events, of an error": events(error="KeyError"),
        "events by state": lambda: webhooks.count_by_state_up_to(LARGEST_RUN),
        "events by state, all": webhooks.count_by_state,
        "mails": mails.list_mails,
        "mails, unsent": lambda: mails.list_mails(mails.MailFilter(state=MailState.FAILED)),
        "surveys": surveys.list_surveys,
        "questions": certifications.list_certifications,
        "record of actions": audit.list_audit,
        "record of a row": lambda: audit.list_audit(audit.AuditFilter(subject_id="x")),
        "runs": list_runs,
    }


def _series(read: Callable[..., Awaitable[object]], window: Window, now: datetime) -> Measured:
    return lambda: read(window, now=now)


async def _far_cursor() -> str | None:
    page = await notifications.list_notifications(
        NotificationFilter(until=datetime.now(UTC) - timedelta(days=30)), PageRequest(size=1)
    )
    return page.next


async def _timed(run: Measured) -> float:
    begun = perf_counter()
    await run()
    return perf_counter() - begun


async def _explain(console: Console, functions: Mapping[str, Measured]) -> None:
    """Run each function once, then its statements again, explained."""
    sent: list[Any] = []

    def note(_: StatementCounter, statement: Any) -> None:
        sent.append(statement)

    setattr(StatementCounter, "note", note)  # noqa: B010 - on purpose
    for name, run in functions.items():
        sent.clear()
        async with counting_statements():
            await run()
        for statement in tuple(sent):  # what is explained is noted as well
            rows = await fetch_all(f"EXPLAIN (ANALYZE, BUFFERS) {statement.query}", *statement.args)
            console.print(f"[bold]{name}[/bold]", *(row[0] for row in rows), sep="\n")


if __name__ == "__main__":
    main()
