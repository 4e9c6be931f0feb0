"""The pace of calls to partners, kept in PostgreSQL: it holds across all workers and survives a wiped Valkey."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from models.database import write

# Both read the clock of the database and nobody else's: workers on several machines share one time.
_TAKE_SLOT = """
INSERT INTO pacing_gate AS gate (key, next_free_at)
VALUES ($1, clock_timestamp() + $2::float8 * interval '1 second')
ON CONFLICT (key) DO UPDATE
SET next_free_at = greatest(clock_timestamp(), gate.next_free_at) + $2::float8 * interval '1 second'
RETURNING extract(epoch FROM next_free_at - clock_timestamp())::float8 - $2::float8 AS seconds_to_slot
"""
_CLOSE = """
INSERT INTO pacing_gate AS gate (key, next_free_at) VALUES ($1, clock_timestamp() + $2::float8 * interval '1 second')
ON CONFLICT (key) DO UPDATE SET next_free_at = greatest(gate.next_free_at, excluded.next_free_at)
RETURNING key
"""


class PostgresPacer:
    """The clients' `Pacer` over the table `pacing_gate`: one row a gate, one statement a slot.

    A slot that was taken and not used, because its caller was cancelled while it waited, is not given back: a little
    rate is lost, and never exceeded.
    """

    def __init__(self, calls_per_second: Mapping[str, float]) -> None:
        wrong = sorted(key for key, rate in calls_per_second.items() if rate <= 0)
        if wrong:
            raise ValueError(f"pacing rates: {', '.join(wrong)} not above 0; give calls a second")
        self._seconds_per_call = {key: 1 / rate for key, rate in calls_per_second.items()}

    async def wait(self, key: str) -> None:
        """Take the next free slot of all workers together and sleep until it begins."""
        rows = await write(_TAKE_SLOT, key, self._spacing(key))
        seconds: float = rows[0]["seconds_to_slot"]
        if seconds > 0:
            await asyncio.sleep(seconds)

    async def hold(self, key: str, seconds: float) -> None:
        """Give no slot of that gate for so long. Slots that were given before stand."""
        self._spacing(key)
        await write(_CLOSE, key, seconds)

    def _spacing(self, key: str) -> float:
        try:
            return self._seconds_per_call[key]
        except KeyError:
            known = ", ".join(sorted(self._seconds_per_call)) or "none"
            raise ValueError(f'pacing gate "{key}": no rate is known, expected one of {known}') from None
