"""Servers of this folder's tests. Only tests of who is signed in need the database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from schema.streams.transports import TransportConfig
from tests.integration.streams.harness import Server, running


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with running(TransportConfig(drain_window_seconds=0.1)) as server:
        yield server
