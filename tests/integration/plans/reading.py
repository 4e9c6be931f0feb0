"""What PostgreSQL does for an operation: every statement that it sent, explained with the values that it sent."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import orjson
import pytest
from tortoise.connection import get_connection

import models.database
from models.database import StatementCounter, fetch_all

_EXPLAIN = "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON)"


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan of a table in a plan, as it ran. `rows`: how many it looked at, those that it threw away included."""

    table: str
    kind: str
    rows: int


@dataclass(frozen=True, slots=True)
class Explained:
    statement: str
    scans: tuple[Scan, ...]
    returned: int

    @property
    def rows_read(self) -> int:
        return sum(scan.rows for scan in self.scans)


@contextmanager
def recorded_statements(monkeypatch: pytest.MonkeyPatch) -> Generator[list[tuple[str, tuple[Any, ...]]]]:
    """Collect the statements of every operation that begins inside the block, with their arguments."""
    sent: list[tuple[str, tuple[Any, ...]]] = []

    class Recorder(StatementCounter):
        def note(self, statement: Any) -> None:
            super().note(statement)
            sent.append((statement.query, tuple(statement.args)))

    with monkeypatch.context() as patched:
        patched.setattr(models.database, "StatementCounter", Recorder)
        yield sent


async def explain(statement: str, arguments: tuple[Any, ...]) -> Explained:
    """Run a statement once more and return what it cost."""
    rows = await fetch_all(f"{_EXPLAIN} {statement}", *arguments)
    return _explained(statement, rows)


async def explain_for_any_values(statement: str, arguments: tuple[Any, ...]) -> Explained:
    """The same by the plan that PostgreSQL keeps for a statement that comes often: made without the values."""
    async with cast("Any", get_connection("default")).acquire_connection() as connection:
        await connection.execute(f"PREPARE probe AS {statement}")
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        values = ", ".join(_literal(value) for value in arguments)
        try:
            rows = await connection.fetch(f"{_EXPLAIN} EXECUTE probe" + (f"({values})" if values else ""))
        finally:
            await connection.execute("RESET plan_cache_mode; DEALLOCATE probe")
    return _explained(statement, rows)


def _explained(statement: str, rows: Any) -> Explained:
    plan = orjson.loads(rows[0][0])[0]["Plan"]
    return Explained(statement, tuple(_scans(plan)), round(plan["Actual Rows"]))


def _literal(value: Any) -> str:
    """A value as text that PostgreSQL reads as of the parameter's type."""
    if value is None:
        return "NULL"
    text = (
        "{" + ",".join(str(item) for item in cast("list[Any]", value)) + "}" if isinstance(value, list) else str(value)
    )
    return "'" + text.replace("'", "''") + "'"


def _scans(node: dict[str, Any]) -> Iterator[Scan]:
    if "Relation Name" in node:
        looked_at = node["Actual Rows"] + sum(value for key, value in node.items() if key.startswith("Rows Removed by"))
        yield Scan(node["Relation Name"], node["Node Type"], round(looked_at * node["Actual Loops"]))
    for child in node.get("Plans", ()):
        yield from _scans(child)
