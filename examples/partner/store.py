"""What the client knows, in one file: the present state, every change that it was told, and how far it has got."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS progress (feed TEXT PRIMARY KEY, cursor TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS change (
    number INTEGER PRIMARY KEY, feed TEXT NOT NULL, cursor TEXT NOT NULL, what TEXT NOT NULL, previous TEXT,
    occurred_at TEXT NOT NULL, subject TEXT, UNIQUE (feed, cursor)
);
CREATE TABLE IF NOT EXISTS appointment (id TEXT PRIMARY KEY, start_at TEXT NOT NULL, status TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS participation (id TEXT PRIMARY KEY, appointment_id TEXT NOT NULL, status TEXT NOT NULL);
"""
_KEEP_CURSOR = """
INSERT INTO progress (feed, cursor) VALUES (?, ?) ON CONFLICT (feed) DO UPDATE SET cursor = excluded.cursor
"""
_KEEP_APPOINTMENT = """
INSERT INTO appointment (id, start_at, status) VALUES (:id, :startAt, :status)
ON CONFLICT (id) DO UPDATE SET start_at = excluded.start_at, status = excluded.status
"""
_KEEP_PARTICIPATION = """
INSERT INTO participation (id, appointment_id, status) VALUES (?, ?, ?)
ON CONFLICT (id) DO UPDATE SET appointment_id = excluded.appointment_id, status = excluded.status
"""


class Store:
    """A change and its cursor are committed together: after a crash the client goes on exactly behind what it did."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        # FULL: what was committed is on the disk, also after a power cut.
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        self._connection.close()

    def cursor_of(self, feed: str) -> str | None:
        row = self._connection.execute("SELECT cursor FROM progress WHERE feed = ?", (feed,)).fetchone()
        return row[0] if row else None

    def forget_cursors(self) -> None:
        self._connection.execute("DELETE FROM progress")

    def note(self, feed: str, change: dict[str, Any]) -> None:
        """Act on one change, and remember that it was done. Its shape is that of the queries in follower.py."""
        with self._transaction():
            appointment, participation = change.get("appointment"), change.get("participation")
            if participation is not None:
                self._keep_participation(participation)
            elif appointment is not None:
                self._connection.execute(_KEEP_APPOINTMENT, appointment)
            subject = participation or appointment
            self._connection.execute(
                "INSERT INTO change (feed, cursor, what, previous, occurred_at, subject) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    feed,
                    change["cursor"],
                    change.get("kind") or change["status"],
                    change.get("previousStatus"),
                    change["occurredAt"],
                    subject["id"] if subject else None,
                ),
            )
            self._connection.execute(_KEEP_CURSOR, (feed, change["cursor"]))

    def replace_state(self, appointments: Iterable[dict[str, Any]], participations: Iterable[dict[str, Any]]) -> None:
        """Take over the state as a whole: what is not in it is gone."""
        with self._transaction():
            self._connection.execute("DELETE FROM appointment")
            self._connection.execute("DELETE FROM participation")
            self._connection.executemany(_KEEP_APPOINTMENT, appointments)
            for participation in participations:
                self._keep_participation(participation)

    def changes(self, feed: str) -> list[tuple[str | None, str | None, str]]:
        """What was told by a feed, in its order: subject, previous status, status or kind."""
        rows = self._connection.execute(
            "SELECT subject, previous, what FROM change WHERE feed = ? ORDER BY number", (feed,)
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def statuses(self) -> dict[str, str]:
        """The present status of each participation."""
        return dict(self._connection.execute("SELECT id, status FROM participation").fetchall())

    def _keep_participation(self, participation: dict[str, Any]) -> None:
        appointment = participation["appointment"]
        values = (participation["id"], appointment["id"] if appointment else "", participation["status"])
        self._connection.execute(_KEEP_PARTICIPATION, values)

    @contextmanager
    def _transaction(self) -> Generator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
