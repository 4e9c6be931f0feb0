"""Stages run within their bounds, and none in the way of the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.__main__ import read_options
from benchmarks.ground import Ground
from benchmarks.publishing import PAGES_FOLDER
from benchmarks.results import Section
from benchmarks.runner import run_stage
from benchmarks.seed import LARGE, SMALL
from benchmarks.stages import STAGES, Stage
from demo.engines import Engines
from tests.conftest import KEYS


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """One without engines: these stages ask for none."""
    return Ground(
        engines=Engines("postgresql://nowhere", "redis://nowhere"),
        folder=tmp_path,
        large=LARGE,
        small=SMALL,
        say=lambda _: None,
        keys=KEYS,
    )


def stage(run: Callable[[Ground, bool], Awaitable[Section]], *, bound: timedelta = timedelta(minutes=1)) -> Stage:
    return Stage(name="invented", summary="an invented stage", bound=bound, run=run)


async def test_a_section_gets_the_name_of_its_stage_and_its_moment(ground: Ground):
    async def measure(_: Ground, is_small: bool) -> Section:
        return Section(title=f"small: {is_small}", how="")

    section = await run_stage(ground, stage(measure), is_small=True)

    assert (section.title, section.stage, section.failed) == ("small: True", "invented", None)
    assert section.measured_at


async def test_a_stage_that_breaks_is_a_section_that_says_so(ground: Ground):
    async def fail() -> None:
        raise RuntimeError("no such figure")

    async def measure(_: Ground, __: bool) -> Section:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
        raise AssertionError("the group raises")

    section = await run_stage(ground, stage(measure), is_small=False)

    assert section.failed == "RuntimeError: no such figure"
    assert section.measures == {}


async def test_a_stage_that_does_not_end_is_given_up(ground: Ground):
    ended = asyncio.Event()

    async def measure(_: Ground, __: bool) -> Section:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError("nobody sets it")

    section = await run_stage(ground, stage(measure, bound=timedelta(0)), is_small=False)

    assert section.failed == "not done within 0 s"
    assert ended.is_set()


def test_without_names_every_stage_runs_and_the_page_is_written():
    options = read_options([])

    assert [each.name for each in options.stages] == list(STAGES)
    assert options.out == PAGES_FOLDER
    assert (options.large, options.small, options.is_small) == (LARGE, SMALL, False)


@pytest.mark.parametrize("arguments", [["latency"], ["--small"], ["--times", "10"]])
def test_what_is_no_whole_run_of_the_usual_size_writes_nothing_unless_told(arguments: list[str], tmp_path: Path):
    assert read_options(arguments).out is None
    assert read_options([*arguments, "--out", str(tmp_path)]).out == tmp_path


def test_the_large_database_may_be_ten_times_as_large():
    assert read_options(["--times", "10"]).large.applications == 6_000_000


def test_a_stage_that_there_is_not_is_refused_with_those_that_there_are(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        read_options(["speed"])

    told = capsys.readouterr().err
    assert "no stage speed" in told
    assert all(name in told for name in STAGES)
