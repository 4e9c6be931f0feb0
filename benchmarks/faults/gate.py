"""A gate between a process and PostgreSQL that stops it at a statement: before it is sent, or after it took effect.

It reads enough of the protocol to know which statement is under way, and holds one connection there. A process that is
killed while it is held was killed at that very point, and no line of its own code had to be changed for it. Source:
PostgreSQL's documentation, "Frontend/Backend Protocol", message formats.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from benchmarks.faults.engines import PostgresPlace

_CANCEL_REQUEST = 80_877_102


class Moment(Enum):
    BEFORE_STATEMENT = "before the statement is sent"
    AFTER_STATEMENT = "after the statement took effect, before its answer"
    BEFORE_COMMIT = "before the COMMIT of the statement's transaction is sent"
    AFTER_COMMIT = "after that COMMIT took effect, before its answer"

    @property
    def is_after(self) -> bool:
        return self in (Moment.AFTER_STATEMENT, Moment.AFTER_COMMIT)

    @property
    def is_of_commit(self) -> bool:
        return self in (Moment.BEFORE_COMMIT, Moment.AFTER_COMMIT)


@dataclass(eq=False)
class Trap:
    """Catches the first connection that comes to the point. `caught` is set once PostgreSQL stands there too."""

    statement: re.Pattern[str]
    moment: Moment
    caught: asyncio.Event = field(default_factory=asyncio.Event)


class Gate:
    """What listens in PostgreSQL's place. `url` leads through it."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._trap: Trap | None = None
        self.port = 0

    def url(self, database_url: str) -> str:
        parts = urlsplit(database_url)
        user = parts.username or "postgres"
        return urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{self.port}", query="sslmode=disable"))

    def set(self, statement: str, moment: Moment) -> Trap:
        """Set a trap for the next statement that matches; one at a time."""
        self._trap = Trap(re.compile(statement), moment)
        return self._trap

    def take(self) -> Trap | None:
        trap, self._trap = self._trap, None
        return trap

    @property
    def trap(self) -> Trap | None:
        return self._trap

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(self._target)
        line = _Line(self)
        asking = asyncio.create_task(line.carry_questions(reader, far_writer))
        answering = asyncio.create_task(line.carry_answers(far_reader, writer))
        try:
            await asyncio.wait({asking, answering}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (asking, answering):
                task.cancel()
            await asyncio.gather(asking, answering, return_exceptions=True)
            for end in (far_writer, writer):
                end.transport.abort()


class _Line:
    """One connection: the statements that it prepared, and those of its transaction."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._prepared: dict[bytes, str] = {}
        self._since_begin: list[str] = []
        self._held: Trap | None = None

    async def carry_questions(self, reader: asyncio.StreamReader, far: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            length = await reader.readexactly(4)
            first = await reader.readexactly(int.from_bytes(length) - 4)
            far.write(length + first)
            if int.from_bytes(first[:4]) == _CANCEL_REQUEST:
                return
            while True:
                head = await reader.readexactly(5)
                body = await reader.readexactly(int.from_bytes(head[1:]) - 4)
                if self._is_caught(self._statement(head[:1], body)):
                    await _hang_up_of(reader)
                    return
                far.write(head + body)
                await far.drain()

    async def carry_answers(self, far: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await far.readexactly(5)
                body = await far.readexactly(int.from_bytes(head[1:]) - 4)
                if self._held is None:
                    writer.write(head + body)
                    await writer.drain()
                elif head[:1] == b"Z":  # ready for the next: what was asked has taken effect
                    self._held.caught.set()

    def _statement(self, kind: bytes, body: bytes) -> str | None:
        """Return the statement that this message runs."""
        if kind == b"P":
            name, sql, _ = body.split(b"\0", 2)
            self._prepared[name] = sql.decode()
            return None
        if kind == b"B":
            return self._prepared.get(body.split(b"\0", 2)[1])
        return body.rstrip(b"\0").decode() if kind == b"Q" else None

    def _is_caught(self, statement: str | None) -> bool:
        """Return whether the message stays here. A trap for afterwards lets it pass, and holds the answer."""
        if statement is None:
            return False
        trap = self._gate.trap
        is_commit = statement.startswith("COMMIT")
        if statement.startswith("BEGIN"):
            self._since_begin.clear()
        self._since_begin.append(statement)
        if trap is None or is_commit is not trap.moment.is_of_commit:
            return False
        if not any(trap.statement.search(each) for each in (self._since_begin if is_commit else [statement])):
            return False
        self._gate.take()
        if trap.moment.is_after:
            self._held = trap
            return False
        trap.caught.set()
        return True


async def _hang_up_of(reader: asyncio.StreamReader) -> None:
    """Wait for the process to die, which closes its end."""
    while await reader.read(65_536):
        pass


@asynccontextmanager
async def gate_to(database_url: str) -> AsyncGenerator[Gate, None]:
    """A gate in front of this database for the length of the block."""
    gate = Gate(PostgresPlace.of(database_url).socket)
    server = await asyncio.start_server(gate.serve, "127.0.0.1", 0)
    gate.port = server.sockets[0].getsockname()[1]
    try:
        yield gate
    finally:
        server.close()
