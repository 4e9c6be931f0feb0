"""What competes in `make bench`: one server over the seeded database, and the requests that it answers.

A contender runs in processes of its own, on a core of its own where there are two, so that neither the load nor a
neighbour is part of its figures.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import orjson
import psutil

from benchmarks import load

# Linux alone lets a process choose; elsewhere the figures are those of cores that are shared. Read once: this process
# gives up some of them while it makes the load.
_CORES = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
_ROOT = Path(__file__).parent.parent
# A second or two; but seven start at once, and the machine of the tests may be busy.
_START_SECONDS = 110.0
_END_SECONDS = 20.0
_BETWEEN_TRIES_SECONDS = 0.005


class ContenderError(Exception):
    """A contender did not start, or answered something else. `str()` says which, and where to look."""


def read_json(answer: bytes) -> Any:
    """An answer as values, without the two spellings of one instant (`Z`, `+00:00`)."""
    return orjson.loads(answer.replace(b"+00:00", b"Z"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """`command`: by the port to listen on. `requests`: whole HTTP requests, by the name of the work (`Q1`).

    `read`: an answer in the shape that all contenders have in common, for the check that they did the same.
    `absent_because`: why it cannot compete on this machine.
    """

    name: str
    command: Callable[[int], Sequence[str]]
    environ: Mapping[str, str] = field(repr=False)
    requests: Mapping[str, bytes] = field(repr=False)
    read: Callable[[bytes], Any] = read_json
    absent_because: str | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """A started contender. `process` may have children: they count as well."""

    contender: Contender
    port: int
    process: psutil.Process

    async def ask(self, work: str) -> Any:
        """The answer to one request, in the common shape."""
        return self.contender.read(await load.ask(self.port, self.contender.requests[work]))

    def cpu_seconds(self) -> float:
        """What all its processes have used since they started."""
        return sum(times.user + times.system for times in (each.cpu_times() for each in self._processes()))

    def _processes(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@asynccontextmanager
async def running(contender: Contender, log: Path, *, cores: Sequence[int] = ()) -> AsyncGenerator[Running, None]:
    """Start a contender, on these cores only if any are given; it listens when the block begins."""
    port = free_port()
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *contender.command(port),
            cwd=_ROOT,
            env=contender.environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        if cores:
            os.sched_setaffinity(process.pid, cores)
        await _listens(contender, process, port, log)
        yield Running(contender, port, psutil.Process(process.pid))
    finally:
        await _end(process)


@asynccontextmanager
async def all_running(
    contenders: Iterable[Contender], log: Path, *, cores: Sequence[int] = ()
) -> AsyncGenerator[list[Running], None]:
    """The same for several, started at once, in their order."""
    async with AsyncExitStack() as stack:
        async with asyncio.TaskGroup() as group:
            starts = [
                group.create_task(stack.enter_async_context(running(contender, log, cores=cores)))
                for contender in contenders
            ]
        yield [start.result() for start in starts]


def free_port() -> int:
    """A port that is free now, and whose next one is: the sandbox takes mails there."""
    while True:
        with socket.socket() as probe, socket.socket() as next_one:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
            with suppress(OSError, OverflowError):
                next_one.bind(("127.0.0.1", port + 1))
                return port


def server_core() -> Sequence[int]:
    """The core of whoever is measured; none on a machine with one core, or where cores cannot be chosen."""
    return _CORES[:1] if len(_CORES) > 1 else ()


@asynccontextmanager
async def load_on_other_cores() -> AsyncGenerator[None, None]:
    """Keep this process, which makes the load, off the core of whoever is measured."""
    if len(_CORES) < 2:
        yield
        return
    os.sched_setaffinity(0, _CORES[1:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, _CORES)


async def _listens(contender: Contender, process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    until = monotonic() + _START_SECONDS
    while not await _accepts(port):
        if process.returncode is not None:
            raise ContenderError(f"{contender.name}: ended with {process.returncode} at its start: {_last_words(log)}")
        if monotonic() > until:
            raise ContenderError(f"{contender.name}: silent {_START_SECONDS:g} s after its start: {_last_words(log)}")
        await asyncio.sleep(_BETWEEN_TRIES_SECONDS)


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it wrote nothing")


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_END_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
