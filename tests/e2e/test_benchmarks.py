"""`make bench` in its smallest shape: every stage finds figures, over real processes. How fast is not asked here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import ours
from benchmarks.results import Report, Section, read_report
from benchmarks.stages import STAGES
from demo.engines import Engines

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parent.parent.parent
BOUND_SECONDS = 900


@pytest.fixture(scope="module")
def written(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a whole small run, over the engines of the tests and databases of its own."""
    folder = tmp_path_factory.mktemp("benchmarks")
    environ = {
        # No npm: the comparison with Node.js servers would be downloaded here.
        "PATH": str(Path(sys.executable).parent),
        "HOME": os.environ.get("HOME", str(folder)),
        "DATABASE_URL": engines.database_url,
        "REDIS_URL": engines.redis_url,
    }
    command = [sys.executable, "-m", "benchmarks", "--small", "--out", str(folder)]
    with (folder / "output.txt").open("wb") as output:
        ended = subprocess.run(  # noqa: S603 (our own command)
            command, cwd=ROOT, env=environ, stdout=output, stderr=output, timeout=BOUND_SECONDS, check=False
        )
    assert ended.returncode == 0, (folder / "output.txt").read_text(encoding="utf-8")[-4_000:]
    return folder


@pytest.fixture(scope="module")
def report(written: Path) -> Report:
    found = read_report(written / "performance.json")
    assert found is not None
    return found


def section_of(report: Report, stage: str) -> Section:
    [section] = [section for section in report.sections if section.stage == stage]
    return section


def column(section: Section, key: str) -> Sequence[float]:
    return [float(row[key] or 0) for row in section.rows]


def test_every_stage_finds_rows_with_a_value_in_each_column(report: Report):
    assert [section.stage for section in report.sections] == list(STAGES)
    for section in report.sections:
        assert section.failed is None
        assert section.rows, section.stage
        for shown in section.columns:
            assert any(row.get(shown.key) is not None for row in section.rows), (section.stage, shown.key)


def test_traverse_the_limit_and_the_stock_way_answer_each_page_alike(report: Report):
    section = section_of(report, "throughput")

    for page in ("Q1", "Q2", "Q3"):
        contenders = {row["contender"] for row in section.rows if row["page"] == page}
        assert contenders >= {ours.LIMIT, ours.TRAVERSE, ours.PLANS_OFF, "Strawberry + Tortoise"}
    assert all(rate > 0 for rate in column(section, "per_second"))
    assert {"q1_of_limit", "q2_of_limit", "q3_of_limit"} <= section.measures.keys()


def test_a_contender_that_cannot_run_here_is_named_with_the_reason(report: Report):
    section = section_of(report, "throughput")
    present = {row["contender"] for row in section.rows}

    assert "PostGraphile" in present or any(note.startswith("Not here: PostGraphile: ") for note in section.notes)


@pytest.mark.parametrize(
    ("stage", "measures"),
    [
        ("latency", {"q1_p99_at_60"}),
        ("growth", {"q1_growth", "q1_row_growth"}),
        ("memory", {"memory_mb"}),
        ("start", {"start_seconds"}),
        ("subscriptions", {"fanout_20", "fanout_40"}),
    ],
)
def test_what_targets_are_about_is_measured(report: Report, stage: str, measures: set[str]):
    found = section_of(report, stage).measures

    assert found.keys() == measures
    assert "q1_row_growth" in measures or all(value > 0 for value in found.values())


def test_all_webhooks_are_acknowledged_by_both(report: Report):
    section = section_of(report, "webhooks")

    assert [row["contender"] for row in section.rows] == ["bare INSERT", "Traverse"]
    assert all(rate > 0 for rate in column(section, "per_second"))


def test_all_approvals_are_announced(report: Report):
    section = section_of(report, "notifications")

    assert column(section, "accepted") == [12, 20]
    assert all(rate > 0 for rate in column(section, "per_second"))


def test_figures_picture_and_page_are_written(written: Path):
    page = (written / "performance.md").read_text(encoding="utf-8")

    assert all(f"python -m benchmarks {stage}`" in page for stage in STAGES)
    assert (written / "performance.svg").read_text(encoding="utf-8").lstrip().startswith("<?xml")
