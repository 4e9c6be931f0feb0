"""Running stages one after the other: each within its bound, none in the way of those after it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import cast

from rich.console import Console

from benchmarks.ground import Ground
from benchmarks.machine import commit, describe
from benchmarks.results import Report, Section
from benchmarks.stages import Stage
from benchmarks.tables import print_section

# A small stage does almost nothing; but the machine of the tests may be busy.
_SMALL_BOUND = timedelta(minutes=2)
_IDLE = 0.5
_BUSY = "The machine was busy with other work (load average {:.1f} on {} cores): compare nothing beyond this table."


async def run_stages(ground: Ground, stages: Sequence[Stage], *, is_small: bool, console: Console) -> Report:
    """Measure, print what each stage found, and return all of it. A signal to end ends what was started as well."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    # The average of a minute, and before anything of ours runs: what others did to this machine.
    load_before = os.getloadavg()[0]
    machine = await describe(ground.engines.database_url, ground.engines.redis_url)
    sections: list[Section] = []
    try:
        # Before the stages: to fill a database is no part of their time.
        for name, size in (("large", ground.large), ("small", ground.small)):
            if any(name in stage.reads for stage in stages):
                await ground.pages(size)
        for stage in stages:
            console.rule(f"{stage.name}: {stage.summary}")
            section = await run_stage(ground, stage, is_small=is_small)
            if load_before > _IDLE * machine.cores:
                section = replace(section, notes=[*section.notes, _BUSY.format(load_before, machine.cores)])
            print_section(console, section)
            sections.append(section)
    finally:
        await ground.clear()
    size = asdict(ground.large) | {"applications": ground.large.applications}
    return Report(machine=machine, size=size, sections=sections)


async def run_stage(ground: Ground, stage: Stage, *, is_small: bool) -> Section:
    """What a stage found; or, if it did not end well, why it found nothing."""
    measured_at, of_commit = datetime.now(UTC), commit()
    bound = min(stage.bound, _SMALL_BOUND) if is_small else stage.bound
    begun = perf_counter()
    try:
        async with asyncio.timeout(bound.total_seconds()):
            section = await stage.run(ground, is_small)
    except TimeoutError:
        section = _failed(stage, f"not done within {bound.total_seconds():.0f} s")
    except Exception as error:  # noqa: BLE001 - one broken stage must not cost the figures of the others
        section = _failed(stage, _first(error))
    return replace(
        section,
        stage=stage.name,
        measured_at=measured_at.isoformat(timespec="minutes"),
        commit=of_commit,
        seconds=round(perf_counter() - begun, 1),
    )


def _failed(stage: Stage, reason: str) -> Section:
    return Section(title=stage.summary.capitalize(), how="", failed=reason)


def _first(error: BaseException) -> str:
    """The words of the error, or of the first of a group of them."""
    if isinstance(error, BaseExceptionGroup):
        return _first(cast("BaseExceptionGroup[BaseException]", error).exceptions[0])
    return f"{type(error).__name__}: {error}"
