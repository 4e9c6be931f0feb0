"""The processes of a whole deployment: started here, killed and replaced on purpose, ended whatever happens."""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from models.encryption import KeyRing

TOKEN_KEY = secrets.token_urlsafe(32)
WEBHOOK_SECRET = "a-secret-of-the-load-shows"  # noqa: S105 (of nobody)
_ROOT = Path(__file__).parent.parent
_SERVER = (
    "import sys; from serving import serve; from settings import load_settings;"
    " serve(load_settings(), host='127.0.0.1', port=int(sys.argv[1]), workers=1)"
)
_WORKER = "from jobs.worker import run_worker; from settings import load_settings; run_worker(load_settings())"
# Everything is counted as in production, and one client may be as busy here as a thousand are there.
_FREE_OF_LIMITS = dict.fromkeys(
    ("RATE_LIMIT_ADDRESS_REQUESTS", "RATE_LIMIT_ACCOUNT_POINTS", "RATE_LIMIT_PARTNER_POINTS",
     "RATE_LIMIT_ANONYMOUS_POINTS", "PARTNER_TOKENS_PER_MINUTE", "RATE_LIMIT_OPS_SIGN_INS"), "1000000000"
)  # fmt: skip
_START_SECONDS = 60.0
_END_SECONDS = 25.0
# Of our own environment, only what a program needs to start.
_BASE = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")


def environ_of(*, database_url: str, redis_url: str, keys: KeyRing, **settings: str) -> dict[str, str]:
    """Settings of all processes of one deployment; `settings` add to them."""
    base = {name: os.environ[name] for name in _BASE if name in os.environ}
    return {
        **base,
        "ENVIRONMENT": "test",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "ENCRYPTION_KEYS": ",".join(base64.b64encode(key).decode() for key in keys.keys),
        "FINGERPRINT_KEY": base64.b64encode(keys.fingerprint_key).decode(),
        "AUTH_HS256_KEY": TOKEN_KEY,
        "RDV_INSERTION_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "LOG_LEVEL": "WARNING",
        **_FREE_OF_LIMITS,
        **settings,
    }


class Deployment:
    """API processes, each on a port of its own, and workers."""

    def __init__(self, environ: Mapping[str, str], logs: Path) -> None:
        self._environ = environ
        self._logs = logs
        self._started = 0
        self._running: list[asyncio.subprocess.Process] = []
        self._apis: dict[int, asyncio.subprocess.Process] = {}
        self.workers: list[asyncio.subprocess.Process] = []

    async def start_api(self, port: int | None = None) -> int:
        """Return the port once it answers."""
        port = port or _free_port()
        process = await self._start(_SERVER, str(port))
        self._apis[port] = process
        async with asyncio.timeout(_START_SECONDS):
            while not await _answers(port):
                if process.returncode is not None:
                    raise RuntimeError(f"an API process ended with {process.returncode}: see {self._logs}")
                await asyncio.sleep(0.1)
        return port

    async def stop_api(self, port: int) -> int:
        """End an API process as a deployment does, and return its exit code."""
        process = self._apis.pop(port)
        return await _end(process)

    async def start_worker(self) -> None:
        self.workers.append(await self._start(_WORKER))

    async def kill_worker(self) -> None:
        """As a machine that loses its power; the one that has been up for longest."""
        worker = self.workers.pop(0)
        worker.kill()
        await worker.wait()

    async def end(self) -> None:
        await asyncio.gather(*(_end(process) for process in self._running))

    def log_text(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in sorted(self._logs.glob("process-*.log")))

    async def _start(self, code: str, *arguments: str) -> asyncio.subprocess.Process:
        path = self._logs / f"process-{self._started}.log"
        self._started += 1
        with path.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                code,
                *arguments,
                cwd=_ROOT,
                env=self._environ,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._running.append(process)
        return process


@asynccontextmanager
async def deployment(environ: Mapping[str, str], logs: Path) -> AsyncGenerator[Deployment, None]:
    """Processes with these settings; all are ended after the block."""
    processes = Deployment(environ, logs)
    try:
        yield processes
    finally:
        await processes.end()


async def _end(process: asyncio.subprocess.Process) -> int:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_END_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
    return process.returncode or 0


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return False
    writer.close()
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
