"""A relay of TCP connections, which cuts them when it is told to: a bad line between a client and its server."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress

_CHUNK = 65_536


class Relay:
    """Each connection goes to one of the ports, drawn anew. `cuts`: how often a line that carried one was cut."""

    def __init__(self, ports: Sequence[int], dice: random.Random) -> None:
        self._ports = list(ports)
        self._dice = dice
        self._lines: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self.port = 0
        self.cuts = 0
        self.used_ports: set[int] = set()

    def cut(self) -> bool:
        """Reset whatever is connected, without a word to either side. False: nothing is."""
        lines, self._lines = self._lines, set()
        for line in lines:
            for end in line:
                end.transport.abort()
        self.cuts += bool(lines)
        return bool(lines)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = self._dice.choice(self._ports)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.transport.abort()
            return
        self.used_ports.add(port)
        line = (writer, far_writer)
        self._lines.add(line)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_carry(reader, far_writer))
                group.create_task(_carry(far_reader, writer))
        finally:
            self._lines.discard(line)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.close()


@asynccontextmanager
async def relay(ports: Sequence[int], *, seed: int) -> AsyncGenerator[Relay, None]:
    """A relay in front of these ports, on `port`; every line is cut after the block."""
    between = Relay(ports, random.Random(seed))
    server = await asyncio.start_server(between.serve, "127.0.0.1", 0)
    between.port = server.sockets[0].getsockname()[1]
    try:
        yield between
    finally:
        server.close()
        between.cut()
