"""Approvals announced a second: a worker in front of the simulated France Travail, against the limit that it sets."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from benchmarks.announcing import Announced, announced, make_due
from benchmarks.contender import Contender, running
from benchmarks.ground import Ground
from benchmarks.processes import deployment
from benchmarks.results import Column, Section
from benchmarks.stages.stage import Stage
from models.database import DatabaseConfig, close_database, open_database
from sandbox.france_travail.settings import CLIENT_ID, CLIENT_SECRET

_SANDBOX = "import sys; from sandbox.server import run; run('127.0.0.1', int(sys.argv[1]))"
_UPDATE_PATH = "/maj-pass-iae/v1/passIAE/miseAjour"
_LOOK_SECONDS = 0.2
_WITHOUT_LIMIT = 10_000
# Calls are sent evenly and arrive less so: at the very limit, the first late one makes the next one too many.
_TOLD = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`per_second`: the partner's limits, None where it sets none; `approvals`: how many are announced at each."""

    per_second: tuple[int | None, ...] = (10, 50, None)
    approvals: tuple[int, ...] = (80, 400, 600)


_SMALL = Plan(per_second=(10, None), approvals=(12, 20))


@dataclass(frozen=True, slots=True)
class _Seen:
    limit: int | None
    result: Announced
    fastest_second: int
    refused: int


async def measure(ground: Ground, is_small: bool) -> Section:
    plan = _SMALL if is_small else Plan()
    database = await ground.empty_database("notifications")
    await open_database(database)
    try:
        seen = [
            await _announce(ground, database, limit, number, first=place * 10_000)
            for place, (limit, number) in enumerate(zip(plan.per_second, plan.approvals, strict=True))
        ]
    finally:
        await close_database()
    return _section(seen)


async def _announce(ground: Ground, database: DatabaseConfig, limit: int | None, number: int, *, first: int) -> _Seen:
    approvals = await make_due(number, first=first)
    environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    partner = Contender(
        name="sandbox",
        command=lambda port: [sys.executable, "-c", _SANDBOX, str(port)],
        environ=environ,
        requests={},
    )
    async with running(partner, ground.log("sandbox")) as sandbox:
        url = f"http://127.0.0.1:{sandbox.port}"
        async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
            answer = await http.patch("/_settings", json={"partner": "france-travail", "rate_per_second": limit})
            answer.raise_for_status()
            async with deployment(_environ(ground, database, url, limit, number), ground.folder) as processes:
                await processes.start_worker()
                result = await _until_all_are_announced(approvals)
            summary = (await http.get("/_calls", params={"summary": "1"})).raise_for_status().json()
    return _seen(limit, result, summary)


def _environ(ground: Ground, database: DatabaseConfig, url: str, limit: int | None, number: int) -> dict[str, str]:
    return ground.environ(
        database.url,
        FT_BASE_URL=f"{url}/france-travail",
        FT_AUTH_BASE_URL_PARTENAIRE=f"{url}/france-travail",
        FT_CLIENT_ID=CLIENT_ID,
        FT_CLIENT_SECRET=CLIENT_SECRET,
        FT_MAX_RPS=str(_TOLD * (limit or _WITHOUT_LIMIT)),
        PASS_IAE_BATCH_SIZE=str(number),
        NOTIFICATION_INTERVAL="1",
        NOTIFICATION_LAST_HOUR="23",
    )


async def _until_all_are_announced(approvals: Sequence[UUID]) -> Announced:
    """The stage's bound is the deadline."""
    while True:
        result = await announced(approvals)
        if result.accepted == len(approvals):
            return result
        await asyncio.sleep(_LOOK_SECONDS)


def _seen(limit: int | None, result: Announced, summary: Any) -> _Seen:
    [update] = [totals for path, totals in summary["paths"].items() if path.endswith(_UPDATE_PATH)]
    return _Seen(limit, result, update["max_per_second"], update["statuses"].get("429", 0))


def _section(seen: Sequence[_Seen]) -> Section:
    return Section(
        title="Approvals announced",
        how="One worker, approvals that are all due, of people whom France Travail knows: one call each, with a claim"
        " before it and a record of the attempt around it. The sandbox answers at once and refuses (429) what is beyond"
        " its limit, in any second; the worker is told nine tenths of it. It makes its calls one after the other,"
        " so the last line is what one worker can do at most.",
        columns=(
            Column(key="limit", title="limit, calls/s"),
            Column(key="per_second", title="announced/s"),
            Column(key="of_limit", title="÷ limit", digits=2),
            Column(key="fastest", title="fastest second, calls", digits=0),
            Column(key="refused", title="refused (429)", digits=0),
            Column(key="accepted", title="announced", digits=0),
            Column(key="attempts", title="attempts", digits=0),
        ),
        rows=[
            {
                "limit": "none" if each.limit is None else str(each.limit),
                "per_second": each.result.per_second,
                "of_limit": None if each.limit is None else each.result.per_second / each.limit,
                "fastest": each.fastest_second,
                "refused": each.refused,
                "accepted": each.result.accepted,
                "attempts": each.result.attempts,
            }
            for each in seen
        ],
    )


STAGE = Stage(
    name="notifications",
    summary="approvals announced a second, against the partner's limit",
    bound=timedelta(minutes=4),
    run=measure,
)
