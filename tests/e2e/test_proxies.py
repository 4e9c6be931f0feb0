"""Who is counted, behind proxies that are believed and before ones that are not."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from demo.engines import Engines
from tests.e2e.servers import Server, serving

QUERY = {"query": "{ __typename }"}


def environ_of(engines: Engines, database_url: str, **settings: str) -> dict[str, str]:
    return {
        "ENVIRONMENT": "test",
        "DATABASE_URL": database_url,
        "REDIS_URL": engines.redis_url,
        "RATE_LIMIT_ANONYMOUS_POINTS": "1",
        **settings,
    }


@pytest.fixture(scope="module")
async def behind(engines: Engines, migrated_database_url: str) -> AsyncIterator[Server]:
    """A server whose proxies are this machine and a network."""
    proxies = {"TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8"}
    async with serving(environ_of(engines, migrated_database_url, **proxies)) as server:
        yield server


async def ask(server: Server, *forwarded: str) -> int:
    headers = [("X-Forwarded-For", value) for value in forwarded]
    return (await server.http.post("/graphql", json=QUERY, headers=headers)).status_code


@pytest.mark.parametrize(
    ("first", "same", "other"),
    [
        (("203.0.113.1",), ("203.0.113.1",), ("203.0.113.2",)),
        (("203.0.113.11",), ("198.51.100.7, 203.0.113.11",), ("203.0.113.11, 203.0.113.12",)),
        (("203.0.113.21, 10.1.2.3",), ("203.0.113.21, 10.9.9.9, 127.0.0.1",), ("203.0.113.22, 10.1.2.3",)),
        (("203.0.113.31", "10.1.2.3"), ("203.0.113.31, 10.1.2.3",), ("203.0.113.31", "203.0.113.32")),
        (("2001:db8:0:1::1",), ("2001:db8:0:1:ffff::2",), ("2001:db8:0:2::1",)),
        (("203.0.113.41:5123",), ("203.0.113.41:6000",), ("203.0.113.42:5123",)),
    ],
    ids=["one proxy", "a forged beginning", "several proxies", "several headers", "one /64", "with ports"],
)
async def test_the_client_is_the_first_from_the_right_that_is_no_proxy_of_ours(
    behind: Server, first: tuple[str, ...], same: tuple[str, ...], other: tuple[str, ...]
):
    statuses = [await ask(behind, *forwarded) for forwarded in (first, same, other)]

    assert statuses == [200, 429, 200]


async def test_what_is_no_address_at_all_is_counted_as_one_client(behind: Server):
    statuses = [await ask(behind, forwarded) for forwarded in ("unknown", "_secret", "' OR 1=1", "a" * 500)]

    assert statuses[1:] == [429, 429, 429]


async def test_without_proxies_the_header_is_anyones_to_write(engines: Engines, migrated_database_url: str):
    async with serving(environ_of(engines, migrated_database_url)) as server:
        statuses = [await ask(server, f"198.51.100.{number}") for number in range(1, 4)]

    assert statuses == [200, 429, 429]
