"""How long the pages of /ops take over 1 000 000 attempts and 300 000 webhook events, asked of a server of its own.

`python -m benchmarks.operations --pages` fills the database, starts the server, signs in, and asks for each page and,
if it is live, for its first pieces: the time runs from the request to the last byte. Nothing is left out: a page that
the dashboard has and this list has not is an error.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

import httpx
from rich.console import Console
from rich.table import Table
from starlette.routing import compile_path

from benchmarks.processes import TOKEN_KEY, WEBHOOK_SECRET, deployment, environ_of
from models.database import fetch_all, write
from models.encryption import KeyRing, key_ring
from ops.dashboard.pages import PAGES
from services.tokens import issue_development_token

BOUND_MS = 300
ROUNDS = 30
LIVE_ROUNDS = 10
FORGOTTEN_SECONDS = 10.1
REMEMBERING = ("/ops", "/ops/notifications", "/ops/webhooks")
"""Pages with figures that are remembered for some seconds (ops/dashboard/memory.py): the first request has none."""

_SUBJECT = "observer-of-the-measurement"
_OPERATOR = """
INSERT INTO "user" (id, kind, subject, first_name, last_name, phone, is_active, is_operator, may_read_full_nir,
    created_at, updated_at)
VALUES (gen_random_uuid(), 'staff', $1, 'Alix', 'Mesure', '', TRUE, TRUE, FALSE, now(), now()) RETURNING id
"""
_RUN = """
INSERT INTO operation_run (id, kind, criteria, author_id, reason, state, total, changed, skipped, failures, created_at,
    finished_at)
VALUES (gen_random_uuid(), 'retry_notifications', '{"code": "S008"}', $1, 'Panne', 'finished', 2, 2, 0, 0, now(), now())
RETURNING id
"""
_SEEN = "SELECT id, number, job_seeker_id FROM approval ORDER BY id LIMIT 1"


async def measure_pages(url: str, redis_url: str, keys: KeyRing, logs: Path, console: Console) -> bool:
    """Print the times of every page; return whether all are within the bound. The database is filled already."""
    paths = await _paths()
    environ = environ_of(database_url=url, redis_url=redis_url, keys=keys, TALLY_WEBHOOK_SECRET=WEBHOOK_SECRET)
    async with deployment(environ, logs) as processes:
        port = await processes.start_api()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http:
            await _sign_in(http)
            table = Table(
                "page", "first ms", "median ms", "p95 ms", "live median ms", "live p95 ms", f"under {BOUND_MS} ms"
            )
            is_within = True
            for path in paths:
                is_live = await _is_live(http, path)
                if path.partition("?")[0] in REMEMBERING:
                    await asyncio.sleep(FORGOTTEN_SECONDS)
                first = await _whole(http, path)
                whole = [await _whole(http, path) for _ in range(ROUNDS)]
                live = [await _first_pieces(http, path) for _ in range(LIVE_ROUNDS)] if is_live else []
                slowest = max(_p95(times) for times in (whole, live) if times)
                is_within &= slowest < BOUND_MS
                table.add_row(
                    path, f"{first:.1f}", *_shown(whole), *_shown(live), "yes" if slowest < BOUND_MS else "NO"
                )
    console.print(table)
    return is_within


async def _paths() -> list[str]:
    """Addresses of every page, narrowed in the ways that people narrow them."""
    seen = (await fetch_all(_SEEN))[0]
    operator = (await write(_OPERATOR, _SUBJECT))[0]["id"]
    run = (await write(_RUN, operator))[0]["id"]
    event = (await fetch_all("SELECT id FROM webhook_event WHERE status = 'failed' LIMIT 1"))[0]["id"]
    body = {"data": {"id": 77, "users": [{"first_name": "Zélie"}] * 20}}
    await write(
        "UPDATE webhook_event SET body = $2 WHERE id = $1 RETURNING id", event, key_ring().seal(json.dumps(body))
    )
    today = datetime.now(UTC).date()
    week = f"from={today - timedelta(days=7)}&to={today}"
    lists: Mapping[str, tuple[str, ...]] = {
        "": ("window=1h", "window=6h", "window=24h", "window=7j"),
        "/notifications": (
            *("", "order=oldest", "status=notification_error", "status=notification_error&code=S008", "label=siret"),
            *(f"number={seen['number']}", f"job_seeker={seen['job_seeker_id']}", week),
        ),
        f"/notifications/approval/{seen['id']}": ("",),
        "/webhooks": (
            *("", "status=failed", "source=tally&status=failed", "resource=77", "error=KeyError", "model=rdv", week),
        ),
        f"/webhooks/{event}": ("",),
        "/webhooks/alarms/rdv_insertion/rdv": ("",),
        "/mails": ("", "state=sent", "template=survey_employer"),
        "/surveys": ("",),
        "/certifications": ("",),
        "/queues": ("",),
        "/queues/partner/france_travail": ("",),
        "/runs": ("",),
        f"/runs/{run}": ("",),
        "/runs/new/notifications": ("code=S008", "status=notification_error"),
        "/runs/new/webhooks": ("status=failed",),
        "/audit": ("", "action=notification_retried", "subject=x", week),
    }
    _check_complete(lists)
    return [f"/ops{path}{f'?{query}' if query else ''}" for path, queries in lists.items() for query in queries]


def _check_complete(lists: Mapping[str, tuple[str, ...]]) -> None:
    patterns: dict[str, re.Pattern[str]] = {page.path: compile_path(page.path)[0] for page in PAGES}
    missing = [page for page, pattern in patterns.items() if not any(pattern.match(path) for path in lists)]
    if missing:
        raise RuntimeError(f"pages that are not measured: {', '.join(missing)}; add an address of each")


async def _sign_in(http: httpx.AsyncClient) -> None:
    token = issue_development_token(
        subject=_SUBJECT,
        organization_id=None,
        issuer="traverse-development",
        audience="traverse",
        key=TOKEN_KEY,
        lifetime=timedelta(hours=2),
        now=datetime.now(UTC),
    )
    answer = await http.post("/ops/sign-in", data={"token": token, "next": "/ops"})
    if answer.status_code != 303:
        raise RuntimeError(
            f"signing in was answered with {answer.status_code}, 303 expected: see the log of the server"
        )


async def _is_live(http: httpx.AsyncClient, path: str) -> bool:
    """Whether the page keeps itself current."""
    return "<body data-live>" in (await http.get(path)).text


async def _whole(http: httpx.AsyncClient, path: str) -> float:
    begun = perf_counter()
    answer = await http.get(path)
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: answered with {answer.status_code}, 200 expected")
    return (perf_counter() - begun) * 1000


async def _first_pieces(http: httpx.AsyncClient, path: str) -> float:
    """Milliseconds until a live page has what it shows; each look after costs the same on the server."""
    begun = perf_counter()
    async with http.stream("GET", path, headers={"Accept": "text/event-stream"}) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                if line != "event: pieces":
                    raise RuntimeError(f"{path}: {line}, pieces expected")
                return (perf_counter() - begun) * 1000
    raise RuntimeError(f"{path}: no live pieces came (answered with {answer.status_code})")


def _shown(milliseconds: list[float]) -> tuple[str, str]:
    return (f"{median(milliseconds):.1f}", f"{_p95(milliseconds):.1f}") if milliseconds else ("–", "–")


def _p95(milliseconds: list[float]) -> float:
    return quantiles(milliseconds, n=20, method="inclusive")[18]
