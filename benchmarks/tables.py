"""Sections and targets as tables of a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from benchmarks.results import Cell, Column, Section
from benchmarks.targets import Verdict, verdicts

_COLOURS = {Verdict.GOAL: "green", Verdict.FLOOR: "green", Verdict.MISSED: "red", Verdict.UNKNOWN: "dim"}


def cell_text(column: Column, row: Mapping[str, Cell]) -> str:
    value = row.get(column.key)
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:,.{column.digits}f}"


def print_section(console: Console, section: Section) -> None:
    if section.failed is not None:
        console.print(f"[red]{section.title}: {section.failed}[/red]")
        return
    table = Table(title=section.title)
    for column in section.columns:
        is_text = any(isinstance(row.get(column.key), str) for row in section.rows)
        table.add_column(column.title, justify="left" if is_text else "right")
    for row in section.rows:
        table.add_row(*(cell_text(column, row) for column in section.columns))
    console.print(table, *section.notes, sep="\n")


def print_targets(console: Console, measures: Mapping[str, float]) -> None:
    table = Table("target", "floor", "goal", "found", "", title="Targets")
    for target, value, verdict in verdicts(measures):
        colour = _COLOURS[verdict]
        table.add_row(
            target.title,
            target.bound(target.floor),
            target.bound(target.goal),
            target.shown(value),
            f"[{colour}]{verdict.value}[/{colour}]",
        )
    console.print(table)
