"""Who may read the figures; and that several processes are one server to whoever reads them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from telemetry import partners
from telemetry.endpoint import MetricsEndpoint
from telemetry.registry import SHARED_DIR_VARIABLE, render

TOKEN = "a-token-of-tests-only"
ROOT = Path(__file__).parents[3]


class MoreFigures:
    async def text(self) -> bytes:
        return b"traverse_more 1.0\n"


async def read(
    token: str | None, *, address: str = "127.0.0.1", headers: dict[str, str] | None = None
) -> httpx.Response:
    app = Starlette(routes=[Route("/metrics", MetricsEndpoint(token, MoreFigures()).answer)])
    transport = httpx.ASGITransport(app=app, client=(address, 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://traverse.test") as client:
        return await client.get("/metrics", headers=headers)


async def test_without_a_token_this_machine_reads_all_figures():
    partners.CALLS.labels("ban", "geocode", "ok").inc()

    answer = await read(None)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE traverse_partner_calls_total counter" in answer.text
    assert "traverse_more 1.0" in answer.text


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("192.0.2.7", {}),
        ("127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}),
        ("127.0.0.1", {"Forwarded": "for=192.0.2.7"}),
    ],
)
async def test_without_a_token_nobody_else_does(address: str, headers: dict[str, str]):
    answer = await read(None, address=address, headers=headers)

    assert answer.status_code == 403
    assert "traverse_" not in answer.text


async def test_with_a_token_it_decides_alone():
    assert (await read(TOKEN, address="192.0.2.7", headers={"Authorization": f"Bearer {TOKEN}"})).status_code == 200
    assert (await read(TOKEN)).status_code == 403
    assert (await read(TOKEN, headers={"Authorization": "Bearer another-token-of-tests"})).status_code == 403


COUNTING = """
from telemetry.partners import PARTNER_METRICS
from telemetry.process import Audience, show
for _ in range({calls}):
    PARTNER_METRICS.observe(partner="ban", operation="geocode", outcome="ok", http_status=200, duration_ms=20)
show(Audience(streams=7))
"""


def test_any_process_of_a_server_tells_what_all_of_them_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for calls in (2, 3):
        subprocess.run(  # noqa: S603 (a program of this test)
            [sys.executable, "-c", COUNTING.format(calls=calls)],
            cwd=ROOT,
            env={**os.environ, SHARED_DIR_VARIABLE: str(tmp_path)},
            check=True,
        )
    monkeypatch.setenv(SHARED_DIR_VARIABLE, str(tmp_path))

    text = render().decode()

    assert 'traverse_partner_calls_total{operation="geocode",outcome="ok",partner="ban"} 5.0' in text
    assert "traverse_streams_open 7.0" not in text  # both processes are gone, and their streams with them
