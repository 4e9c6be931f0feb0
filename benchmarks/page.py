"""The reference page on performance, from the report that lies beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchmarks.results import Machine, Report, Section
from benchmarks.tables import cell_text
from benchmarks.targets import verdicts

_HEAD = """\
<!-- Written by `make bench` from performance.json; `python -m docs.generate` writes it again. -->

# Performance

What `make bench` found. [Measure the speed](../how-to/measure-the-speed.md) tells how to run it again and how to read
it: the ratios of one run hold on other machines, the figures themselves do not.

![The main figures as charts](performance.svg)
"""


def performance_page(report: Report) -> str:
    parts = [
        _HEAD,
        *_targets(report.measures()),
        *_machine(report.machine, report.size),
        *(line for section in report.sections for line in _section(section)),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _targets(measures: Mapping[str, float]) -> Iterator[str]:
    yield "## Targets\n"
    yield "| target | floor | goal | found | |\n| --- | --- | --- | --- | --- |"
    for target, value, verdict in verdicts(measures):
        yield (
            f"| {target.title} | {target.bound(target.floor)} | {target.bound(target.goal)} | {target.shown(value)} |"
            f" {verdict.value} |"
        )
    yield ""


def _machine(machine: Machine, size: Mapping[str, int]) -> Iterator[str]:
    yield "## Machine\n"
    versions = ", ".join(f"{name} {number}" for name, number in machine.versions.items())
    rows = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in size.items())
    yield (
        f"{machine.processor}, {machine.cores} cores, {machine.memory_gib:.0f} GiB, {machine.system}. {versions}.\n\n"
        f"The large database: {rows}.\n"
    )


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.title}\n"
    measured = f"{section.measured_at}, in {section.seconds:.0f} s" + (
        f", commit `{section.commit}`" if section.commit else ""
    )
    if section.failed is not None:
        yield f"Nothing found: {section.failed} ({measured}).\n"
        return
    yield f"{section.how}\n"
    if any(column.title for column in section.columns):
        yield "| " + " | ".join(column.title for column in section.columns) + " |"
        yield (
            "| " + " | ".join("---" if _holds_text(section, column.key) else "--:" for column in section.columns) + " |"
        )
    for row in section.rows:
        yield "| " + " | ".join(cell_text(column, row) for column in section.columns) + " |"
    yield ""
    for note in section.notes:
        yield f"- {note}"
    if section.notes:
        yield ""
    yield f"`.venv/bin/python -m benchmarks {section.stage}` ({measured}).\n"


def _holds_text(section: Section, key: str) -> bool:
    return any(isinstance(row.get(key), str) for row in section.rows)
