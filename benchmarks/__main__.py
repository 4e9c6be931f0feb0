"""`make bench`: the employer's page (50 applications), Traverse against the limit, interleaved rounds in one run."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, cast

import asyncpg
import orjson
from rich.console import Console
from rich.table import Table

from benchmarks import load
from demo.cast import SimulatedWorld, build_cast
from demo.engines import EmbeddedEngines
from demo.load import load_cast
from models.database import DatabaseConfig, connection_parameters
from models.migrate import migrate
from sandbox.cast import PEOPLE
from sandbox.france_travail.identifiers import id_national_of
from services.tokens import issue_development_token
from settings import load_settings

ROUNDS = 5
SECONDS = 4.0
CONNECTIONS = 8
QUERY = """query Page($first: Int) { jobApplications(first: $first) { edges { node {
  id state createdAt jobSeeker { id firstName lastName } approval { number startAt endAt state }
  nextAppointmentStartAt upcomingParticipationsCount } } } }"""


def main() -> None:
    console = Console()
    with (
        tempfile.TemporaryDirectory(prefix="traverse-bench-") as folder,
        EmbeddedEngines(Path(folder) / "data", os.environ) as engines,
    ):
        environ = {
            **os.environ,
            "DATABASE_URL": engines.database_url,
            "REDIS_URL": engines.redis_url,
            "ENVIRONMENT": "development",
            "AUTH_HS256_KEY": secrets.token_urlsafe(32),
            "LOG_LEVEL": "WARNING",
        }
        asyncio.run(_seed(environ))
        token = asyncio.run(_token(environ))
        with _server("app:build", environ) as traverse, _server("benchmarks.limit:build", environ) as limit:
            asyncio.run(_compare(console, token, traverse, limit))


async def _seed(environ: dict[str, str]) -> None:
    config = _database(environ)
    await migrate(config)
    await load_cast(config, build_cast(datetime.now(UTC), SimulatedWorld(id_national_of, PEOPLE)))


def _database(environ: dict[str, str]) -> DatabaseConfig:
    return DatabaseConfig(url=environ["DATABASE_URL"], keys=load_settings().key_ring)


async def _token(environ: dict[str, str]) -> str:
    """A token of an employer whose company has the most applications."""
    connection = cast("Any", await asyncpg.connect(**connection_parameters(environ["DATABASE_URL"])))
    row: Any = await connection.fetchrow(
        'SELECT u.subject, m.company_id FROM membership m JOIN "user" u ON u.id = m.user_id AND u.subject IS NOT NULL'
        " WHERE m.ended_at IS NULL AND u.is_active AND m.company_id IS NOT NULL"
        " ORDER BY (SELECT count(*) FROM job_application a WHERE a.company_id = m.company_id) DESC LIMIT 1"
    )
    await connection.execute("ANALYZE")
    await connection.close()
    assert row is not None
    return issue_development_token(
        subject=row["subject"],
        organization_id=row["company_id"],
        issuer="traverse-development",
        audience="traverse",
        key=environ["AUTH_HS256_KEY"],
        lifetime=timedelta(hours=2),
        now=datetime.now(UTC),
    )


@contextmanager
def _server(application: str, environ: dict[str, str]) -> Generator[int, None, None]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", application, "--factory", "--port", str(port), "--no-access-log"]
    process = subprocess.Popen([*command, "--log-level", "warning"], env=environ)  # noqa: S603 (our own command)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


async def _compare(console: Console, token: str, traverse: int, limit: int) -> None:
    body = orjson.dumps({"query": QUERY, "variables": {"first": 50}})
    ways = {
        "limit (no GraphQL)": (limit, load.post("/page", body, token)),
        "Traverse": (traverse, load.post("/graphql", body, token)),
    }
    answers = [_parsed(await _when_ready(port, request)) for port, request in ways.values()]
    if answers[0] != answers[1]:
        raise SystemExit("the two do not answer alike: nothing to compare")
    console.print(f"Both answer the same {len(answers[0]['data']['jobApplications']['edges'])} rows.")
    measured: dict[str, list[load.Measured]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, (port, request) in ways.items():
            measured[name].append(await load.run(port, request, seconds=SECONDS, connections=CONNECTIONS))
    console.print(_table(measured))


async def _when_ready(port: int, request: bytes) -> bytes:
    for _ in range(100):
        try:
            return await load.ask(port, request)
        except ConnectionError:
            await asyncio.sleep(0.1)
    raise SystemExit(f"no server on port {port}")


def _parsed(answer: bytes) -> Any:
    """The answer without the two spellings of one instant (`Z`, `+00:00`)."""
    return orjson.loads(answer.replace(b"+00:00", b"Z"))


def _table(measured: dict[str, list[load.Measured]]) -> Table:
    table = Table(
        title=f"Employer's page, {ROUNDS} rounds of {SECONDS:g} s, {CONNECTIONS} connections, one process each"
    )
    for column in ("", "requests/s", "spread", "p50 ms", "p99 ms", "÷ limit"):
        table.add_column(column, justify="right" if column else "left")
    reference = median(round_.per_second for round_ in next(iter(measured.values())))
    for name, rounds in measured.items():
        rates = sorted(round_.per_second for round_ in rounds)
        table.add_row(
            name,
            f"{median(rates):.0f}",
            f"{rates[0]:.0f} to {rates[-1]:.0f}",
            f"{median(round_.percentile(0.5) for round_ in rounds) * 1000:.1f}",
            f"{median(round_.percentile(0.99) for round_ in rounds) * 1000:.1f}",
            f"{median(rates) / reference:.2f}",
        )
    return table


if __name__ == "__main__":
    main()
