"""Runs of crons: one at a time over all workers, with their start, end and outcome in `cron_run`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import orjson

from models.database import fetch_all, write
from services.leases import DEFAULT_LEASE, Lease, LeasedTable

# A run that never finished lost its worker: whoever comes next goes on at once, whatever the timetable says.
_BEGIN = """
INSERT INTO cron_run AS run (name, started_at, summary, lease_token, lease_until)
VALUES ($1, clock_timestamp(), '{}', $2, clock_timestamp() + $3::interval)
ON CONFLICT (name) DO UPDATE
SET started_at = clock_timestamp(), finished_at = NULL, succeeded = NULL,
    lease_token = excluded.lease_token, lease_until = excluded.lease_until
WHERE (run.lease_until IS NULL OR run.lease_until < clock_timestamp())
    AND (run.finished_at IS NULL OR run.started_at <= clock_timestamp() - $4::interval)
RETURNING name
"""
_FINISH = """
UPDATE cron_run SET finished_at = clock_timestamp(), succeeded = $3, summary = $4,
    lease_token = NULL, lease_until = NULL
WHERE name = $1 AND lease_token = $2 RETURNING name
"""


_SUCCEEDED = "SELECT succeeded IS TRUE AS succeeded FROM cron_run WHERE name = $1"


@dataclass(slots=True)
class Run:
    """A run under way. What is put into `summary` is kept with it: counts and codes, nothing personal."""

    lease: Lease
    summary: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def is_ours(self) -> bool:
        """False once the lease was lost: another worker may have begun the same run."""
        return not self.lease.is_lost


async def has_succeeded(name: str) -> bool:
    """Whether the last run of that name ended well. False while one is under way, and before the first."""
    rows = await fetch_all(_SUCCEEDED, name)
    return bool(rows and rows[0]["succeeded"])


@asynccontextmanager
async def exclusive_run(
    name: str, *, every: timedelta = timedelta(0), lease: timedelta = DEFAULT_LEASE
) -> AsyncGenerator[Run | None, None]:
    """Begin the run of that name, alone. None: another worker is at it, or the last one began less than `every` ago.

    An exception of the block ends the run as failed, with the class of the exception as summary, and passes.
    """
    token = uuid4()
    if not await write(_BEGIN, name, token, lease, every):
        yield None
        return
    run = Run(Lease(table=LeasedTable.CRON_RUN, key=name, token=token, duration=lease))
    failure: str | None = "interrupted"
    try:
        async with run.lease.kept():
            yield run
        failure = None
    except Exception as error:
        failure = type(error).__name__
        raise
    finally:
        summary = dict(run.summary) if failure is None else {**run.summary, "error_class": failure}
        await write(_FINISH, name, token, failure is None, orjson.dumps(summary).decode())
