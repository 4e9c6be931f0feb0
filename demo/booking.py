"""One booking on its way: from the simulated partner through door, inbox and log to a live subscription."""

from __future__ import annotations

import asyncio
import shlex
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson
from rich.console import Console
from rich.table import Table

from demo import screen
from demo.cast.identifiers import demo_id
from demo.cast.well_known import DEMO_COMPANY
from demo.database import connected
from demo.http import Unreachable, call_json

_APPOINTMENTS = "subscription { appointmentChanged { kind appointment { startAt } } }"
_PARTICIPATIONS = "subscription { participationStatusChanged { status participation { statusLabel } } }"
_PATIENCE_SECONDS = 15.0
_STREAM_TIMEOUT = httpx.Timeout(10.0, read=60.0)
_APPOINTMENT_PATH = "/_rdv-insertion/appointments"
_MOVED_BY = timedelta(days=1)
_INVITED = """
SELECT request.rdv_insertion_user_id AS user_id, company.rdv_solidarites_id AS organisation_id
FROM invitation_request AS request JOIN company ON company.id = request.company_id
WHERE company.id = $1 AND company.rdv_solidarites_id IS NOT NULL ORDER BY request.created_at DESC, request.id LIMIT 1
"""
_APPLIED = """
SELECT max(processed_at) AS at FROM webhook_event
WHERE source = 'rdv_insertion' AND model = 'rdv' AND resource_id = $1 AND received_at >= $2
"""


@dataclass(frozen=True, slots=True)
class Invited:
    """Somebody whom the demo's company invited, by the partner's numbers."""

    user_id: int
    organisation_id: int

    @property
    def booking(self) -> dict[str, Any]:
        return {"organisation_id": self.organisation_id, "user_ids": [self.user_id]}


@dataclass(frozen=True, slots=True)
class _Step:
    """What is done at the partner's, and the news that must follow. `change`: None books."""

    title: str
    change: Mapping[str, Any] | None
    news: frozenset[str]


@dataclass(frozen=True, slots=True)
class _News:
    """What a subscription told, and when, on the wall clock."""

    at: float
    word: str


async def somebody_invited(database_url: str) -> Invited | None:
    async with connected(database_url) as connection:
        row = await connection.fetchrow(_INVITED, demo_id("company", DEMO_COMPANY))
    return None if row is None else Invited(row["user_id"], row["organisation_id"])


def commands(invited: Invited, *, api_url: str, sandbox_url: str, traverse: str) -> list[tuple[str, str]]:
    """Title and command line: to follow the company's appointments, and to book one."""
    follow = (
        f'curl -N {api_url}/graphql -H "Authorization: Bearer $({traverse} token --as employer)"'
        " -H 'Content-Type: application/json' -H 'Accept: text/event-stream'"
        f" -d {shlex.quote(orjson.dumps({'query': _APPOINTMENTS}).decode())}"
    )
    book = f"curl {sandbox_url}{_APPOINTMENT_PATH} -d {shlex.quote(orjson.dumps(invited.booking).decode())}"
    return [
        ("Follow the company's appointments, in a terminal of its own", follow),
        ("Book one at the simulated partner; PATCH and DELETE move, close and destroy it (sandbox/README.md)", book),
    ]


class BookingPlay:
    """Books, moves, closes and cancels one appointment, and shows what a subscriber saw of it, and when."""

    def __init__(
        self, invited: Invited, *, database_url: str, api_url: str, sandbox_url: str, token: str, console: Console
    ) -> None:
        self._invited = invited
        self._database_url = database_url
        self._api_url = api_url
        self._sandbox_url = sandbox_url
        self._token = token
        self._console = console

    async def perform(self) -> bool:
        """Return whether everything arrived."""
        screen.say(
            self._console, "An employer's page listens (server-sent events); somebody whom they invited books.\n"
        )
        table = Table("at the partner", "webhook acknowledged", "applied by the worker", "subscriber saw", "after")
        try:
            async with self._listening() as heard, connected(self._database_url) as connection:
                went_well = await self._go_through(heard, connection, table)
        except (Unreachable, httpx.HTTPError) as error:
            screen.say(self._console, f"The booking went astray: {type(error).__name__}; see the logs.")
            return False
        self._console.print(table)
        return went_well

    async def _go_through(self, heard: asyncio.Queue[_News], connection: Any, table: Table) -> bool:
        number, start_at = 0, ""
        went_well = True
        for step in _steps():
            begun = time.time()
            if step.change is None:
                answer = await self._tell("POST", _APPOINTMENT_PATH, self._invited.booking)
                number, start_at = answer["appointment"]["id"], answer["appointment"]["starts_at"]
            else:
                change = dict(step.change) or {"starts_at": (datetime.fromisoformat(start_at) + _MOVED_BY).isoformat()}
                answer = await self._tell("PATCH", f"{_APPOINTMENT_PATH}/{number}", change)
            acknowledged = sum(delivery["duration_ms"] for delivery in answer["deliveries"])
            news = await _expect(heard, step.news)
            applied = await self._applied_after(connection, number, begun)
            words = ", ".join(sorted({each.word for each in news}))
            is_complete = {each.word for each in news} >= step.news
            went_well = went_well and is_complete
            last = f"{(max(each.at for each in news) - begun) * 1000:.0f} ms" if is_complete else "never"
            table.add_row(step.title, f"within {acknowledged:.0f} ms", applied, words, last)
        return went_well

    async def _tell(self, method: str, path: str, body: object) -> Any:
        return await call_json(f"{self._sandbox_url}{path}", method=method, body=body)

    async def _applied_after(self, connection: Any, number: int, begun: float) -> str:
        since = datetime.fromtimestamp(begun).astimezone()
        applied_at: datetime | None = await connection.fetchval(_APPLIED, str(number), since)
        return "not yet" if applied_at is None else f"after {(applied_at.timestamp() - begun) * 1000:.0f} ms"

    @asynccontextmanager
    async def _listening(self) -> AsyncGenerator[asyncio.Queue[_News], None]:
        """Both subscriptions, live for the block. What is told since comes into the queue."""
        heard: asyncio.Queue[_News] = asyncio.Queue()
        open_streams = [asyncio.Event(), asyncio.Event()]
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "text/event-stream"}
        async with httpx.AsyncClient(timeout=_STREAM_TIMEOUT, headers=headers, trust_env=False) as http:
            listeners = [
                asyncio.create_task(self._listen(http, query, heard, is_open))
                for query, is_open in zip((_APPOINTMENTS, _PARTICIPATIONS), open_streams, strict=True)
            ]
            try:
                opened = asyncio.gather(*(is_open.wait() for is_open in open_streams))
                await asyncio.wait([opened, *listeners], timeout=10, return_when=asyncio.FIRST_COMPLETED)
                if not opened.done():
                    opened.cancel()
                    raise Unreachable("the subscriptions did not open")
                yield heard
            finally:
                for listener in listeners:
                    listener.cancel()
                await asyncio.gather(*listeners, return_exceptions=True)

    async def _listen(
        self, http: httpx.AsyncClient, query: str, heard: asyncio.Queue[_News], is_open: asyncio.Event
    ) -> None:
        async with http.stream("POST", f"{self._api_url}/graphql", json={"query": query}) as answer:
            answer.raise_for_status()
            is_open.set()
            async for line in answer.aiter_lines():
                if line.startswith("data:") and (text := line[5:].strip()):
                    answered: dict[str, Any] = orjson.loads(text).get("data") or {}
                    for change in answered.values():
                        heard.put_nowait(_News(time.time(), change.get("kind") or change["status"]))


def _steps() -> tuple[_Step, ...]:
    return (
        _Step("booked", None, frozenset({"CREATED", "UNKNOWN"})),
        _Step("moved by a day", {}, frozenset({"MOVED"})),
        _Step("the person came", {"status": "seen"}, frozenset({"UPDATED", "SEEN"})),
        _Step("or did not", {"status": "noshow"}, frozenset({"UPDATED", "ABSENT"})),
        _Step("cancelled by the person", {"status": "excused"}, frozenset({"CANCELLED"})),
    )


async def _expect(heard: asyncio.Queue[_News], words: frozenset[str]) -> list[_News]:
    """What is told until all of the words were, or patience ends."""
    news: list[_News] = []
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not {each.word for each in news} >= words:
                news.append(await heard.get())
    except TimeoutError:
        pass
    return news
