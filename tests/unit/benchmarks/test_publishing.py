"""A report is written as figures, picture and page; what a later run left out stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.page import performance_page
from benchmarks.publishing import publish
from benchmarks.results import Column, Machine, Report, Section, read_report, report_from_json

MACHINE = Machine(
    processor="Processor of no kind", cores=2, memory_gib=4, system="Linux x86_64", versions={"Python": "3.11.7"}
)
START = Section(
    stage="start",
    title="From start to first answer",
    how="Two starts.",
    columns=(Column(key="until", title="until"), Column(key="middle", title="median, s", digits=2)),
    rows=({"until": "the first answer", "middle": 1.23456}, {"until": "never", "middle": None}),
    measures={"start_seconds": 1.23456},
    notes=("One was slow.",),
    measured_at="2026-02-18T09:30+00:00",
    commit="0123456789",
    seconds=12.3,
)
LATENCY = Section(
    stage="latency",
    title="Waiting",
    how="Fixed rates.",
    columns=(Column(key="per_second", title="requests/s", digits=0),),
    rows=(
        {"per_second": 60, "contender": "Traverse", "p99_ms": 6.0},
        {"per_second": 60, "contender": "limit (no GraphQL)", "p99_ms": 4.0},
    ),
)


def report(*sections: Section, **size: int) -> Report:
    return Report(machine=MACHINE, size=size or {"job_seekers": 2_000}, sections=sections)


def test_a_report_comes_back_from_its_json():
    written = report(START, LATENCY)

    read = report_from_json(written.to_json())

    assert read.to_json() == written.to_json()
    assert read.measures() == {"start_seconds": 1.23456}


def test_figures_of_another_format_are_refused_with_what_to_do():
    with pytest.raises(ValueError, match="run `make bench` again"):
        report_from_json(b'{"format": 0}')


def test_the_page_shows_targets_machine_and_each_section():
    page = performance_page(report(START))

    assert "| from start to first answer | ≤ 2 s | ≤ 1.2 s | 1.23 s | met |" in page
    assert "Processor of no kind, 2 cores, 4 GiB, Linux x86_64. Python 3.11.7." in page
    assert "| until | median, s |\n| --- | --: |\n| the first answer | 1.23 |\n| never |  |" in page
    assert "- One was slow." in page
    assert "`.venv/bin/python -m benchmarks start` (2026-02-18T09:30+00:00, in 12 s, commit `0123456789`)." in page


def test_a_stage_that_found_nothing_says_why():
    page = performance_page(report(replace(START, failed="not done within 60 s", measures={})))

    assert "Nothing found: not done within 60 s" in page
    assert "| from start to first answer | ≤ 2 s | ≤ 1.2 s | – | not measured |" in page


def test_a_later_run_of_one_stage_keeps_the_others(tmp_path: Path):
    publish(report(START, LATENCY), tmp_path)
    again = replace(START, measures={"start_seconds": 1.0})

    publish(report(again), tmp_path)

    kept = read_report(tmp_path / "performance.json")
    assert kept is not None
    assert [section.stage for section in kept.sections] == ["start", "latency"]
    assert kept.measures() == {"start_seconds": 1.0}


def test_a_run_over_another_size_replaces_all(tmp_path: Path):
    publish(report(START, LATENCY), tmp_path)

    publish(report(START, job_seekers=200_000), tmp_path)

    kept = read_report(tmp_path / "performance.json")
    assert kept is not None
    assert [section.stage for section in kept.sections] == ["start"]


def test_the_picture_is_the_same_for_the_same_figures_and_shows_what_there_is(tmp_path: Path):
    for folder in ("one", "other"):
        publish(report(START, LATENCY), tmp_path / folder)

    picture = (tmp_path / "one" / "performance.svg").read_text(encoding="utf-8")
    assert picture == (tmp_path / "other" / "performance.svg").read_text(encoding="utf-8")
    assert ">Q1 at fixed rates: p99, ms</text>" in picture
    assert picture.count(">not measured</text>") == 2


def test_files_hold_no_path_of_the_machine(tmp_path: Path):
    for path in publish(report(START, LATENCY), tmp_path):
        text = path.read_text(encoding="utf-8")

        assert str(tmp_path) not in text
        assert str(Path.home()) + "/" not in text
