"""`python -m benchmarks.export_memory`: memory of the API's process while it hands on exports of 200,000 rows.

The process is the real one (`uvicorn app:build`), the rows come from the simulated Metabase in a process of its own and
the client reads them by a socket. Resident memory is what Linux says of the process: before, at its highest during the
export (VmHWM, which is reset before each), and after. Fails when an export raises it by 30 MB or more.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from demo.engines import EmbeddedEngines
from models.database import DatabaseConfig
from models.migrate import migrate
from sandbox.metabase.settings import SECRET_KEY
from settings import load_settings

ROWS = 200_000
ALLOWED_MB = 30.0
_DETAIL = "Candidatures, détail"
_CARDS = """{ dashboard(slug: "stats_public") { cards { title
  csv: downloadUrl(format: CSV) xlsx: downloadUrl(format: XLSX) json: downloadUrl(format: JSON)
  png: downloadUrl(format: PNG) } } }"""
_SANDBOX = "import sys; from sandbox.server import run; run('127.0.0.1', int(sys.argv[1]))"


@dataclass(frozen=True, slots=True)
class Measured:
    file_format: str
    megabytes: float
    seconds: float
    before_mb: float
    highest_mb: float
    after_mb: float

    @property
    def rise_mb(self) -> float:
        return self.highest_mb - self.before_mb


def main() -> None:
    console = Console()
    with (
        tempfile.TemporaryDirectory(prefix="traverse-bench-") as folder,
        EmbeddedEngines(Path(folder) / "data", os.environ) as engines,
        _process("-c", _SANDBOX, str(sandbox := _free_port()), environ=os.environ),
    ):
        port = _free_port()
        environ = {
            **os.environ,
            "DATABASE_URL": engines.database_url,
            "REDIS_URL": engines.redis_url,
            "ENVIRONMENT": "development",
            "AUTH_HS256_KEY": secrets.token_urlsafe(32),
            "LOG_LEVEL": "WARNING",
            "METABASE_SITE_URL": f"http://127.0.0.1:{sandbox}/metabase",
            "METABASE_SECRET_KEY": SECRET_KEY,
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
        }
        asyncio.run(migrate(DatabaseConfig(url=engines.database_url, keys=load_settings().key_ring)))
        server = ("-m", "uvicorn", "app:build", "--factory", "--port", str(port), "--no-access-log")
        with _process(*server, "--log-level", "warning", environ=environ) as process:
            measured = _measure(process.pid, port, sandbox)
    console.print(_table(measured))
    if worst := [each for each in measured if each.rise_mb >= ALLOWED_MB]:
        raise SystemExit(f"{worst[0].file_format}: memory rose by {worst[0].rise_mb:.1f} MB, {ALLOWED_MB:.0f} allowed")


def _measure(process_id: int, port: int, sandbox: int) -> list[Measured]:
    with httpx.Client(trust_env=False, timeout=300) as http:
        _wait(http, f"http://127.0.0.1:{sandbox}/_people")
        _wait(http, f"http://127.0.0.1:{port}/healthz")
        # One of each in small first: what is imported and opened once is not the price of many rows.
        for file_format, url in _links(http, port).items():
            _download(http, process_id, file_format, url)
        answer = http.patch(f"http://127.0.0.1:{sandbox}/_settings", json={"partner": "metabase", "detail_rows": ROWS})
        answer.raise_for_status()
        return [_download(http, process_id, name, url) for name, url in _links(http, port).items()]


def _links(http: httpx.Client, port: int) -> dict[str, str]:
    answer: Any = http.post(f"http://127.0.0.1:{port}/graphql", json={"query": _CARDS}).json()
    [card] = [card for card in answer["data"]["dashboard"]["cards"] if card["title"] == _DETAIL]
    return {name: url for name, url in card.items() if name != "title"}


def _download(http: httpx.Client, process_id: int, file_format: str, url: str) -> Measured:
    # Resets VmHWM to what is resident now (proc_pid_clear_refs(5)).
    Path(f"/proc/{process_id}/clear_refs").write_text("5")
    before, started, size = _memory_mb(process_id, "VmRSS"), time.perf_counter(), 0
    with http.stream("GET", url) as answer:
        answer.raise_for_status()
        for piece in answer.iter_bytes():
            size += len(piece)
    return Measured(
        file_format,
        size / 1e6,
        time.perf_counter() - started,
        before,
        _memory_mb(process_id, "VmHWM"),
        _memory_mb(process_id, "VmRSS"),
    )


def _memory_mb(process_id: int, name: str) -> float:
    for line in Path(f"/proc/{process_id}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise SystemExit(f"/proc/{process_id}/status: no {name}; this benchmark needs Linux")


def _wait(http: httpx.Client, url: str) -> None:
    for _ in range(150):
        try:
            if http.get(url).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise SystemExit(f"{url}: no answer within 30 seconds")


@contextmanager
def _process(*command: str, environ: Mapping[str, str]) -> Generator[subprocess.Popen[bytes], None, None]:
    process = subprocess.Popen([sys.executable, *command], env=environ)  # noqa: S603 (our own command)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(15)


def _free_port() -> int:
    """A port whose next one is likely free as well: the sandbox takes mails there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _table(measured: list[Measured]) -> Table:
    table = Table(title=f"One export of {ROWS:,} rows, memory of the API's process in MB")
    for name in ("file", "size, MB", "seconds", "before", "highest", "after", "rise"):
        table.add_column(name, justify="left" if name == "file" else "right")
    for each in measured:
        figures = (each.megabytes, each.seconds, each.before_mb, each.highest_mb, each.after_mb, each.rise_mb)
        table.add_row(each.file_format, *(f"{figure:.1f}" for figure in figures))
    return table


if __name__ == "__main__":
    main()
