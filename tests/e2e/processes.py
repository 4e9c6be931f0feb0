"""Real processes for end-to-end tests: started here, watched from outside, ended by their id whatever happens."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from models.encryption import KeyRing
from sandbox.france_travail.settings import CLIENT_ID, CLIENT_SECRET
from tests.waiting import until

ROOT = Path(__file__).parent.parent.parent
_START_SECONDS = 60.0
_PORTS_TRIED = 3
_SANDBOX = "import sys; from sandbox.server import run; run('127.0.0.1', int(sys.argv[1]))"
_WORKER = "from jobs.worker import run_worker; from settings import load_settings; run_worker(load_settings())"


class Process:
    """One Python process of ours. `name` names its log, too."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self.log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode

    async def kill(self) -> None:
        """As a machine that loses its power: nothing is said, nothing is cleaned up."""
        self._process.kill()
        await self._process.wait()

    async def end(self, *, within_seconds: float = 15) -> int:
        """Ask the process to end and return its exit code; killed when it does not in time."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(within_seconds):
                    await self._process.wait()
            except TimeoutError:
                await self.kill()
        return self._process.returncode or 0


class Sandbox:
    """What a running sandbox is asked and told."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    @property
    def url(self) -> str:
        return str(self._http.base_url).rstrip("/")

    async def set_france_travail(self, **settings: Any) -> None:
        response = await self._http.patch("/_settings", json={"partner": "france-travail", **settings})
        assert response.status_code == 200, response.text

    async def spoil(self, **fault: Any) -> None:
        """Spoil the answers of a partner (`partner`, and what is wrong with them), until they are mended."""
        (await self._http.post("/_faults", json=fault)).raise_for_status()

    async def summary(self, path: str | None = None) -> dict[str, Any]:
        """Totals by path, and how often each subject got each code."""
        parameters = {"summary": "1"} | ({"path": path} if path else {})
        return (await self._http.get("/_calls", params=parameters)).json()

    async def codes(self, path: str) -> dict[str, dict[str, int]]:
        """How often each subject got each code on that path."""
        return (await self.summary(path))["codes_by_subject"]

    async def is_up(self) -> bool:
        try:
            return (await self._http.get("/_people")).status_code == 200
        except httpx.TransportError:
            return False


@asynccontextmanager
async def sandbox_process(log_dir: Path, **france_travail: Any) -> AsyncGenerator[Sandbox, None]:
    """A sandbox on a free port, with these settings of the simulated France Travail."""
    for left in reversed(range(_PORTS_TRIED)):
        port = _free_port()
        process = await _start(_SANDBOX, str(port), environ={}, log=log_dir / "sandbox.log")
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
                sandbox = Sandbox(http)
                await until(partial(_up_or_ended, sandbox, process), within_seconds=_START_SECONDS)
                if process.exit_code is not None and left:
                    continue  # somebody took the port, or the one after it for mails, in the meantime
                assert process.exit_code is None, (log_dir / "sandbox.log").read_text(encoding="utf-8")[-2_000:]
                await sandbox.set_france_travail(**france_travail)
                yield sandbox
                return
        finally:
            if process.exit_code is None:
                await process.kill()


async def _up_or_ended(sandbox: Sandbox, process: Process) -> bool:
    return process.exit_code is not None or await sandbox.is_up()


class Workers:
    """Starts workers with one set of settings, and ends those that are left."""

    def __init__(self, environ: Mapping[str, str], log_dir: Path) -> None:
        self._environ = environ
        self._log_dir = log_dir
        self._processes: list[Process] = []

    async def start(self) -> Process:
        log = self._log_dir / f"worker-{len(self._processes)}.log"
        process = await _start(_WORKER, environ=self._environ, log=log)
        self._processes.append(process)
        return process

    async def end_all(self) -> None:
        for process in self._processes:
            await process.end()

    def logs(self) -> str:
        return "\n".join(process.log.read_text(errors="replace") for process in self._processes)


@asynccontextmanager
async def workers(environ: Mapping[str, str], log_dir: Path) -> AsyncGenerator[Workers, None]:
    group = Workers(environ, log_dir)
    try:
        yield group
    finally:
        await group.end_all()


def worker_environ(
    *, database_url: str, redis_url: str, keys: KeyRing, sandbox_url: str, **settings: str
) -> dict[str, str]:
    """Settings of a worker that announces to the sandbox, at any hour of the day; `settings` add to them."""
    france_travail = f"{sandbox_url}/france-travail"
    return {
        "ENVIRONMENT": "test",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "ENCRYPTION_KEYS": ",".join(base64.b64encode(key).decode() for key in keys.keys),
        "FINGERPRINT_KEY": base64.b64encode(keys.fingerprint_key).decode(),
        "FT_BASE_URL": france_travail,
        "FT_AUTH_BASE_URL_PARTENAIRE": france_travail,
        "FT_CLIENT_ID": CLIENT_ID,
        "FT_CLIENT_SECRET": CLIENT_SECRET,
        "NOTIFICATION_LAST_HOUR": "23",
        **settings,
    }


async def _start(code: str, *arguments: str, environ: Mapping[str, str], log: Path) -> Process:
    # Of our own environment, only what a program needs to start: no setting may leak into a test.
    base = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            code,
            *arguments,
            cwd=ROOT,
            env={**base, **environ},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    return Process(process, log)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
