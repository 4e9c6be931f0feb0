"""A line to PostgreSQL that can be cut and mended: whoever connects through it sees the server stop and come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from models.database import DatabaseConfig, connection_parameters
from services.tasks import end_tasks

HOST = "127.0.0.1"


class Line:
    """Passes bytes on between its port and the server, as long as it is whole."""

    def __init__(self, server_host: str, server_port: int) -> None:
        self._server_host = server_host
        self._server_port = server_port
        self._listener: asyncio.Server | None = None
        self._calls: set[asyncio.Task[None]] = set()
        self.port = 0

    async def mend(self) -> None:
        """Take connections, on the same port as before."""
        self._listener = await asyncio.start_server(self._pass_on, HOST, self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """End every connection; new ones are refused."""
        if self._listener is not None:
            self._listener.close()
            await end_tasks(self._calls)
            await self._listener.wait_closed()
            self._listener = None

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.current_task()
        assert call is not None
        self._calls.add(call)
        try:
            server_reader, server_writer = await self._connect()
            try:
                await asyncio.gather(_copy(reader, server_writer), _copy(server_reader, writer))
            finally:
                server_writer.close()
        finally:
            writer.transport.abort()
            self._calls.discard(call)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._server_host.startswith("/"):
            return await asyncio.open_unix_connection(str(Path(self._server_host, f".s.PGSQL.{self._server_port}")))
        return await asyncio.open_connection(self._server_host, self._server_port)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def line_to(database: DatabaseConfig) -> AsyncGenerator[tuple[Line, DatabaseConfig], None]:
    """A whole line to this database, and the database as it is reached through it."""
    parameters = connection_parameters(database.url)
    line = Line(parameters["host"], parameters["port"])
    await line.mend()
    parts = urlsplit(database.url)
    credentials, at, _ = parts.netloc.rpartition("@")
    url = urlunsplit(parts._replace(netloc=f"{credentials}{at}{HOST}:{line.port}", query=""))
    try:
        yield line, replace(database, url=url)
    finally:
        await line.cut()
