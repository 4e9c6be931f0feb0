"""The load shows of `benchmarks`, small enough for every run of the tests; see docs/how-to/run-the-load-shows.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.cuts import Plan as CutPlan
from benchmarks.cuts import cut_and_follow
from benchmarks.damage import Damage
from benchmarks.processes import environ_of
from benchmarks.storm import Plan as StormPlan
from benchmarks.storm import storm
from demo.engines import Engines
from models.database import DatabaseConfig
from tests.conftest import KEYS

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("valkey")]


@pytest.fixture
def environ(database: DatabaseConfig, engines: Engines) -> dict[str, str]:
    return environ_of(database_url=database.url, redis_url=engines.redis_url, keys=KEYS)


async def test_killed_workers_and_a_wiped_valkey_lose_no_webhook_and_apply_none_twice(
    environ: dict[str, str], tmp_path: Path
):
    report = await storm(StormPlan(events=300, times=3, kill_every=5.0), environ, tmp_path)

    assert report.damage == Damage(lost=0, applied_twice=0, wrong_ends=0, broken_log=0, refused=0)
    assert report.sent.answers[200] == 900
    assert report.kills >= 1


async def test_a_client_whose_line_is_cut_writes_down_exactly_the_log(environ: dict[str, str], tmp_path: Path):
    report = await cut_and_follow(CutPlan(changes=160, appointments=40, cuts=8), environ, tmp_path)

    assert report.record_is_the_log
    assert report.state_is_right
    assert report.told >= 160
    assert report.cuts >= 8
    assert report.connections > report.cuts // 2
    assert report.servers == 2
