"""The worker's own door: figures and a sign of life, until the worker ends."""

from __future__ import annotations

import asyncio
import socket

import httpx

from jobs.metrics import serve_metrics
from tests.waiting import until

TOKEN = "a-token-of-tests-only"


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


async def test_a_worker_shows_its_figures_to_whoever_has_the_token_until_it_ends():
    stop, port = asyncio.Event(), free_port()
    serving = asyncio.create_task(serve_metrics(stop, host="127.0.0.1", port=port, token=TOKEN))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:

        async def lives() -> bool:
            try:
                return (await client.get("/healthz")).text == "ok"
            except httpx.ConnectError:
                return False

        await until(lives)
        refused = await client.get("/metrics")
        answer = await client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

    stop.set()
    await serving
    assert refused.status_code == 403
    assert "traverse_event_loop_lag_seconds" in answer.text
    assert "process_resident_memory_bytes" in answer.text
