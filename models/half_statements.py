"""Statements that were given up between their two halves, ended before somebody else gets the connection.

asyncpg sends a statement that it does not know yet in two steps: PostgreSQL parses it, and waits for its values. Who is
cancelled in between, or has a value that does not fit, leaves PostgreSQL within the statement, with its locks and its
time running: once that is over, it refuses the first thing that comes next on the connection, whoever sent it.
asyncpg's own way of giving a connection back to a pool would end that; ours (`reset`) sends nothing where all went
well, since it would cost a statement after each of ours.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from weakref import WeakSet

import asyncpg

# Anything would do that does nothing.
_END = "RESET statement_timeout"

_failed: WeakSet[asyncpg.Connection] = WeakSet()


def note_failure(connection: Any) -> None:
    """Say that the last statement of a pool's connection did not end well, before it is given back.

    None: it was lost, and is in nobody's hands any more.
    """
    if connection is not None:
        _failed.add(connection)


def behind(handed_out: Any) -> Any:
    """Return the connection behind what `Pool.acquire` hands out: that stands for it until it is given back or lost."""
    return handed_out._con


async def end_half_statement(connection: Any) -> None:
    """Send what ends a statement, if one may be open. To be a pool's `reset`."""
    if connection in _failed:
        _failed.discard(connection)
        with suppress(asyncpg.QueryCanceledError):  # its time was over already
            await connection.execute(_END)
