"""What the doors bear: sizes, slowness, crowds, a database that is away or busy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from tortoise.connection import get_connection

from models import WebhookEvent
from models.database import DatabaseConfig
from services.rate_limits import Limiter, Policy
from services.webhooks.inbox import Writer
from tests.integration.webhooks.conftest import Doors, open_doors
from tests.integration.webhooks.senders import (
    RDV_INSERTION,
    RDV_INSERTION_SECRETS,
    TALLY,
    rdv,
    signed_rdv,
    signed_tally,
    tally,
)
from webhooks.bell import Bell
from webhooks.door import MAX_BODY_BYTES, Door, DoorLimits
from webhooks.rdv_insertion import RdvInsertionGatekeeper

PATHS = pytest.mark.parametrize("path", [RDV_INSERTION, TALLY])


def signed(path: str, body: bytes) -> dict[str, str]:
    return signed_rdv(body) if path == RDV_INSERTION else signed_tally(body)


class _Counted:
    """A body that tells how much of it was taken."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.taken < self.size:
            self.taken += 65_536
            yield b" " * 65_536


@PATHS
async def test_a_body_that_announces_too_much_is_refused_unread(doors: Doors, path: str):
    body = b" " * (MAX_BODY_BYTES + 1)

    answer = await doors.http.post(path, content=body, headers=signed(path, body))

    assert (answer.status_code, answer.json()) == (413, {"success": False})
    assert answer.headers["connection"] == "close"


@PATHS
async def test_a_body_without_a_length_is_read_no_further_than_the_limit(doors: Doors, path: str):
    body = _Counted(64 * MAX_BODY_BYTES)

    answer = await doors.http.post(path, content=body, headers=signed(path, b""))

    assert answer.status_code == 413
    assert body.taken <= MAX_BODY_BYTES + 65_536


async def test_a_body_of_the_largest_size_is_stored(doors: Doors):
    body = rdv()
    body += b" " * (MAX_BODY_BYTES - len(body))

    answer = await doors.http.post(RDV_INSERTION, content=body, headers=signed_rdv(body))

    assert answer.status_code == 200
    assert await WebhookEvent.all().count() == 1


@PATHS
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_only_posts_are_taken(doors: Doors, path: str, method: str):
    answer = await doors.http.request(method, path)

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


@PATHS
@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": ""},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
async def test_only_plain_json_is_taken(doors: Doors, path: str, headers: dict[str, str]):
    body = tally()

    answer = await doors.http.post(path, content=body, headers={**signed(path, body), **headers})

    assert answer.status_code == 415
    assert await WebhookEvent.all().count() == 0


async def test_json_with_a_charset_is_taken(doors: Doors):
    body = rdv()
    headers = {**signed_rdv(body), "Content-Type": "Application/JSON; charset=utf-8"}

    answer = await doors.http.post(RDV_INSERTION, content=body, headers=headers)

    assert answer.status_code == 200


@PATHS
async def test_without_a_secret_nobody_is_let_in_and_everybody_is_told_to_come_back(
    database: DatabaseConfig, path: str
):
    body = tally()
    async with open_doors(database, rdv_insertion_secrets=(), tally_secrets=()) as doors:
        answer = await doors.http.post(path, content=body, headers=signed(path, body))

    assert (answer.status_code, answer.json()) == (503, {"success": False})
    assert int(answer.headers["retry-after"]) > 0


@PATHS
async def test_a_database_that_is_away_makes_the_sender_come_back(database: DatabaseConfig, path: str):
    body = rdv() if path == RDV_INSERTION else tally()
    away = replace(database, url="postgresql://postgres@127.0.0.1:1/traverse")
    async with open_doors(away) as doors:
        refused = await doors.http.post(path, content=body, headers=signed(path, body))
    async with open_doors(database) as doors:
        taken = await doors.http.post(path, content=body, headers=signed(path, body))

    assert (refused.status_code, refused.json()) == (503, {"success": False})
    assert int(refused.headers["retry-after"]) > 0
    assert taken.status_code == 200
    assert await WebhookEvent.all().count() == 1


async def test_queries_that_hold_every_connection_of_the_pool_do_not_shut_the_door(doors: Doors):
    pool: Any = get_connection("default")._pool  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType, reportPrivateUsage]
    held = [await pool.acquire() for _ in range(pool.get_max_size())]
    body = rdv()
    try:
        answer = await doors.http.post(RDV_INSERTION, content=body, headers=signed_rdv(body))
    finally:
        for connection in held:
            await pool.release(connection)

    assert answer.status_code == 200


class _StuckWriter:
    """A database that takes a statement and never answers. `asked` is set when it did."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()

    async def write(self, sql: str, /, *arguments: object) -> object:  # noqa: ARG002 (the statement is of no interest)
        self.asked.set()
        await self.answer.wait()
        return [1]


def _door(writer: Writer, limits: DoorLimits) -> httpx.AsyncClient:
    async def ring() -> None:
        """Nobody works here."""

    door = Door(RdvInsertionGatekeeper(secrets=RDV_INSERTION_SECRETS), writer, Bell(ring), limits=limits)
    transport = httpx.ASGITransport(Starlette(routes=[Route(RDV_INSERTION, door)]))
    return httpx.AsyncClient(transport=transport, base_url="https://traverse.exemple.test")


async def test_a_database_that_does_not_answer_in_time_makes_the_sender_come_back():
    body = rdv()
    async with _door(_StuckWriter(), DoorLimits(storing=timedelta(milliseconds=10))) as http:
        answer = await http.post(RDV_INSERTION, content=body, headers=signed_rdv(body))

    assert answer.status_code == 503
    assert "retry-after" in answer.headers


async def test_a_body_that_does_not_arrive_in_time_is_given_up():
    async def drip() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async with _door(_StuckWriter(), DoorLimits(reading=timedelta(milliseconds=10))) as http:
        answer = await http.post(RDV_INSERTION, content=drip(), headers=signed_rdv(b""))

    assert (answer.status_code, answer.headers["connection"]) == (408, "close")


async def test_a_crowd_is_told_to_come_back_and_the_others_are_served():
    writer, body = _StuckWriter(), rdv()
    async with _door(writer, DoorLimits(at_once=1)) as http:
        first = asyncio.create_task(http.post(RDV_INSERTION, content=body, headers=signed_rdv(body)))
        await writer.asked.wait()
        second = await http.post(RDV_INSERTION, content=body, headers=signed_rdv(body))
        writer.answer.set()
        statuses = [second.status_code, (await first).status_code]
        third = await http.post(RDV_INSERTION, content=body, headers=signed_rdv(body))

    assert [*statuses, third.status_code] == [503, 200, 200]


async def test_a_fault_of_ours_is_told_as_an_absence_and_without_its_text():
    class Broken:
        async def write(self, sql: str, /, *arguments: object) -> object:  # noqa: ARG002
            raise RuntimeError("Zélie Fictive")

    body = rdv()
    async with _door(Broken(), DoorLimits()) as http:
        answer = await http.post(RDV_INSERTION, content=body, headers=signed_rdv(body))

    assert (answer.status_code, answer.json()) == (503, {"success": False})


async def test_a_bell_that_is_broken_does_not_change_the_answer(doors: Doors):
    async def ring() -> None:
        raise RuntimeError("no clapper")

    bell, body = Bell(ring), rdv()
    door = Door(RdvInsertionGatekeeper(secrets=RDV_INSERTION_SECRETS), doors.pool, bell)
    transport = httpx.ASGITransport(Starlette(routes=[Route(RDV_INSERTION, door)]))
    async with bell.hung(), httpx.AsyncClient(transport=transport, base_url="https://traverse.exemple.test") as http:
        answers = [
            await http.post(RDV_INSERTION, content=each, headers=signed_rdv(each)) for each in (body, rdv(2), rdv(3))
        ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]


# -- an address that is refused too often


def _counting(quota: int) -> Limiter:
    return Limiter(Policy(name="refused-webhooks", quota=quota), clock=lambda: 1_000.0)


async def test_an_address_that_is_refused_too_often_is_told_to_wait_before_anything_is_read(doors: Doors):
    async def ring() -> None:
        """Nobody works here."""

    door = Door(RdvInsertionGatekeeper(secrets=RDV_INSERTION_SECRETS), doors.pool, Bell(ring), refusals=_counting(3))
    transport = httpx.ASGITransport(Starlette(routes=[Route(RDV_INSERTION, door)]))
    body = rdv()
    async with httpx.AsyncClient(transport=transport, base_url="https://traverse.exemple.test") as http:
        signed = [
            (await http.post(RDV_INSERTION, content=body, headers=signed_rdv(body))).status_code for _ in range(5)
        ]
        forged = [await http.post(RDV_INSERTION, content=body, headers=signed_rdv(b"other")) for _ in range(5)]

    assert signed == [200] * 5, "what is signed costs nothing"
    assert [answer.status_code for answer in forged] == [401, 401, 401, 429, 429]
    assert forged[-1].headers["retry-after"] == "20"
    assert forged[-1].json() == {"success": False}


async def test_what_we_cannot_take_is_no_fault_of_the_sender():
    async def ring() -> None:
        """Nobody works here."""

    refusals = _counting(1)
    door = Door(
        RdvInsertionGatekeeper(secrets=RDV_INSERTION_SECRETS),
        _StuckWriter(),
        Bell(ring),
        limits=DoorLimits(storing=timedelta(milliseconds=10)),
        refusals=refusals,
    )
    transport = httpx.ASGITransport(Starlette(routes=[Route(RDV_INSERTION, door)]))
    body = rdv()
    async with httpx.AsyncClient(transport=transport, base_url="https://traverse.exemple.test") as http:
        statuses = [
            (await http.post(RDV_INSERTION, content=body, headers=signed_rdv(body))).status_code for _ in range(3)
        ]

    assert statuses == [503] * 3
