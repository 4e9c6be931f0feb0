"""API servers as processes of their own, on free ports; ended by their id whatever happens."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.e2e.processes import ROOT
from tests.waiting import until

_START_SECONDS = 60.0


@dataclass(frozen=True)
class Server:
    """A server that listens."""

    http: httpx.AsyncClient
    process: asyncio.subprocess.Process

    @property
    def url(self) -> str:
        return str(self.http.base_url).rstrip("/")

    async def kill(self) -> None:
        """As a machine that loses its power."""
        self.process.kill()
        await self.process.wait()

    async def is_up(self) -> bool:
        try:
            return (await self.http.get("/healthz")).status_code == 200
        except httpx.TransportError:
            return False


@asynccontextmanager
async def serving(environ: Mapping[str, str], *, log: Path | None = None) -> AsyncGenerator[Server, None]:
    """`traverse serve` with these settings and no others. `log`: where what it writes goes to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    base = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    with (log or Path(os.devnull)).open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli", "serve", "--port", str(port)),
            cwd=ROOT,
            env={**base, **environ},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as http:
            server = Server(http, process)
            await until(server.is_up, within_seconds=_START_SECONDS)
            yield server
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
