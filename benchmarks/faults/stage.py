"""Where faults happen: engines of their own, a fresh database for each, and the processes of a small deployment."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from types import MappingProxyType
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import redis.asyncio
from tortoise.context import TortoiseContext

from benchmarks.faults.engines import BreakableEngines
from benchmarks.processes import environ_of
from demo.engines import Engines
from models.database import DatabaseConfig, connection_parameters, tortoise_config
from models.encryption import KeyRing, use_key_ring

_ROOT = Path(__file__).parents[2]
_TEMPLATE = "faults_template"
_START_SECONDS = 60.0
_END_SECONDS = 25.0
_PORTS_TRIED = 3
_TRACEBACK = "Traceback (most recent call last)"
_INSIDES = ("asyncpg", "tortoise", "starlette", "uvicorn", "SELECT ", "INSERT ", "No space left", "127.0.0.1:", ".py")
_NONE: Mapping[str, str] = MappingProxyType({})
_SHIFTED = "import datetime, time_machine; time_machine.travel(datetime.timedelta(seconds={}), tick=True).start()"
_SERVER = (
    "import sys; from serving import serve; from settings import load_settings;"
    " serve(load_settings(), host='127.0.0.1', port=int(sys.argv[1]), workers=int(sys.argv[2]))"
)
_WORKER = "from jobs.worker import run_worker; from settings import load_settings; run_worker(load_settings())"
_SANDBOX = "import sys; from sandbox.server import run; run('127.0.0.1', int(sys.argv[1]))"


class Program:
    """One running program of ours."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process.returncode is not None

    async def kill(self) -> None:
        """As a machine that loses its power."""
        if not self.has_ended:
            self._process.kill()
        await self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def end(self) -> int:
        """As a deployment ends it; killed when it takes too long. Returns its exit code."""
        if not self.has_ended:
            self._process.terminate()
        try:
            async with asyncio.timeout(_END_SECONDS):
                await self._process.wait()
        except TimeoutError:
            await self.kill()
        return self._process.returncode or 0

    def log_text(self) -> str:
        return self._log.read_text(errors="replace")


class Stage:
    """A deployment in front of one database. Whatever was started ends with it."""

    def __init__(self, engines: BreakableEngines, where: Engines, keys: KeyRing, folder: Path) -> None:
        self.engines = engines
        self.database_url = where.database_url
        self.redis_url = where.redis_url
        self.folder = folder
        self._keys = keys
        self._programs: list[Program] = []
        self._started = 0

    async def start_api(
        self,
        *,
        workers: int = 1,
        port: int | None = None,
        clock_shift: float = 0,
        settings: Mapping[str, str] = _NONE,
    ) -> tuple[Program, int]:
        """Return once it answers."""
        return await self._listening(_SERVER, str(workers), port=port, shift=clock_shift, settings=settings)

    async def start_worker(self, settings: Mapping[str, str] = _NONE, *, clock_shift: float = 0) -> Program:
        return await self._start(_WORKER, shift=clock_shift, settings=settings)

    async def start_sandbox(self) -> str:
        """Return its address once it answers; it takes mails on the port after its own."""
        _, port = await self._listening(_SANDBOX, port=None, shift=0, settings=_NONE)
        return f"http://127.0.0.1:{port}"

    async def flush_valkey(self) -> None:
        client: redis.asyncio.Redis = redis.asyncio.from_url(self.redis_url)
        await client.flushall()
        await client.aclose()

    async def end(self) -> None:
        await asyncio.gather(*(program.end() for program in self._programs))

    def logs(self) -> Sequence[str]:
        return [program.log_text() for program in self._programs]

    async def _listening(
        self, code: str, *arguments: str, port: int | None, shift: float, settings: Mapping[str, str]
    ) -> tuple[Program, int]:
        """Start a program that listens, and return it and its port once it answers."""
        for tries_left in reversed(range(_PORTS_TRIED if port is None else 1)):
            chosen = port or free_port()
            program = await self._start(code, str(chosen), *arguments, shift=shift, settings=settings)
            try:
                await _until_it_answers(program, chosen)
            except RuntimeError:
                # Between the choice of a port and its use, somebody else may take it, or the one after it.
                if not tries_left:
                    raise
                self._programs.remove(program)
            else:
                return program, chosen
        raise AssertionError("the last try returns or raises")

    async def _start(self, code: str, *arguments: str, shift: float, settings: Mapping[str, str]) -> Program:
        environ = environ_of(
            database_url=self.database_url,
            redis_url=self.redis_url,
            keys=self._keys,
            RATE_LIMIT_ADDRESS_REQUESTS="10000000",  # everybody here comes from one address
            RATE_LIMIT_ACCOUNT_POINTS="10000000",
            RATE_LIMIT_REFUSED_WEBHOOKS="10000000",
        )
        self._started += 1
        log = self.folder / f"program-{self._started}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", f"{_SHIFTED.format(shift)}; {code}" if shift else code, *arguments),
                cwd=_ROOT,
                env={**environ, **settings},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        program = Program(process, log)
        self._programs.append(program)
        return program


@dataclass(frozen=True, slots=True)
class Theatre:
    """Engines that run, with an empty database of this version to copy."""

    engines: BreakableEngines
    where: Engines
    keys: KeyRing
    folder: Path

    @asynccontextmanager
    async def stage(self, subject: str) -> AsyncGenerator[Stage, None]:
        """A stage on a fresh copy and an empty Valkey. Models of this process lead to its database meanwhile."""
        name = f"fault_{subject}"
        await _run_sql(self.where.database_url, f'CREATE DATABASE "{name}" TEMPLATE {_TEMPLATE}')
        url = _with_database(self.where.database_url, name)
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))
        stage = Stage(self.engines, Engines(url, self.where.redis_url), self.keys, folder)
        use_key_ring(self.keys)
        await stage.flush_valkey()
        try:
            async with TortoiseContext() as context:
                await context.init(config=tortoise_config(DatabaseConfig(url=url, keys=self.keys)))
                try:
                    yield stage
                finally:
                    await stage.end()
        finally:
            await _run_sql(self.where.database_url, f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def theatre(folder: Path, keys: KeyRing, *, postgres_dir: Path | None = None) -> Generator[Theatre, None, None]:
    """Engines of one's own for the length of the block."""
    engines = BreakableEngines(folder / "engines", postgres_dir=postgres_dir)
    with engines as where:
        environ = environ_of(
            database_url=_with_database(where.database_url, _TEMPLATE), redis_url=where.redis_url, keys=keys
        )
        create = f"CREATE DATABASE {_TEMPLATE}"
        code = f"import asyncio; from benchmarks.faults.stage import run_sql; asyncio.run(run_sql({where.database_url!r}, {create!r}))"  # noqa: E501 (a program of one line)
        for command in (["-c", code], ["-m", "cli", "migrate"]):
            subprocess.run([sys.executable, *command], cwd=_ROOT, env=environ, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 (our own commands)
        yield Theatre(engines, where, keys, folder)


async def run_sql(url: str, sql: str) -> None:
    """Run one statement over a connection of its own."""
    await _run_sql(url, sql)


async def _run_sql(url: str, sql: str) -> None:
    connection = cast("Any", await asyncpg.connect(**connection_parameters(url)))
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def _until_it_answers(program: Program, port: int) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while not await _listens(port):
            if program.has_ended:
                raise RuntimeError(f"a program on port {port} ended before it answered: {program.log_text()[-2_000:]}")
            await asyncio.sleep(0.05)


async def _listens(port: int) -> bool:
    """Whether it answers, and not only takes connections: the socket is there before those who serve it."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return False
    try:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        async with asyncio.timeout(_START_SECONDS):
            return (await reader.read(8)).startswith(b"HTTP/1.1")
    except ConnectionError:
        return False
    finally:
        writer.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._begun = perf_counter()

    @property
    def seconds(self) -> float:
        return perf_counter() - self._begun


def leaks(*, logs: Iterable[str], answers: Iterable[str] = (), secrets: Sequence[str]) -> int:
    """How many of these texts hold somebody's data, or what only our own eyes should see. Logs may name a library."""
    in_logs = [log for log in logs if any(each in log for each in (*secrets, _TRACEBACK))]
    in_answers = [text for text in answers if any(each in text for each in (*secrets, _TRACEBACK, *_INSIDES))]
    return len(in_logs) + len(in_answers)


def own_keys() -> KeyRing:
    return KeyRing(keys=(os.urandom(32),), fingerprint_key=os.urandom(32))
