"""A row that one worker holds for a while: renewed as long as the work goes on, free by itself when the worker dies.

Times are those of the database: a lease means the same on every machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

import structlog

from models.database import write
from services.tasks import end_tasks

log = structlog.get_logger(__name__)

DEFAULT_LEASE = timedelta(seconds=60)
_RENEWALS_A_LEASE = 3


class LeasedTable(StrEnum):
    """Tables with `lease_token` and `lease_until`. The value is the table's name."""

    APPROVAL = "approval"
    CANCELLED_APPROVAL = "cancelled_approval"
    CRON_RUN = "cron_run"
    CERTIFICATION_REQUEST = "certification_request"
    MAIL = "mail"
    OPERATION_RUN = "operation_run"

    @property
    def key_column(self) -> str:
        return "name" if self is LeasedTable.CRON_RUN else "id"


@dataclass(slots=True, kw_only=True)
class Lease:
    """The right of whoever knows `token` to work on one row. `is_lost`: it ran out, and somebody else may be at it."""

    table: LeasedTable
    key: UUID | str
    token: UUID
    duration: timedelta
    is_lost: bool = False

    async def renew(self) -> bool:
        """Hold the row for another `duration` from now; False when it is not ours any more."""
        rows = await write(
            f'UPDATE "{self.table}" SET lease_until = clock_timestamp() + $3::interval'
            f" WHERE {self.table.key_column} = $1 AND lease_token = $2 RETURNING 1 AS renewed",
            self.key,
            self.token,
            self.duration,
        )
        self.is_lost = not rows
        return not self.is_lost

    async def release(self) -> None:
        """Give the row back at once and leave everything else on it as it is."""
        await write(
            f'UPDATE "{self.table}" SET lease_token = NULL, lease_until = NULL'
            f" WHERE {self.table.key_column} = $1 AND lease_token = $2 RETURNING 1 AS released",
            self.key,
            self.token,
        )

    @asynccontextmanager
    async def kept(self) -> AsyncGenerator[None, None]:
        """Renew in the background while the block runs. Enter it outside any transaction."""
        renewing = asyncio.create_task(self._renew_until_lost())
        try:
            yield
        finally:
            await end_tasks([renewing])

    async def _renew_until_lost(self) -> None:
        while not self.is_lost:
            await asyncio.sleep(self.duration.total_seconds() / _RENEWALS_A_LEASE)
            try:
                await self.renew()
            except Exception as error:  # noqa: BLE001 - the next renewal may work; until then the lease still runs
                log.warning("lease_not_renewed", table=self.table.value, error_class=type(error).__name__)
        log.warning("lease_lost", table=self.table.value, key=str(self.key))
