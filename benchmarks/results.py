"""What `make bench` found, as values and as JSON: a report of sections, one a stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

FORMAT = 1

Cell = str | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`key` names it in the rows. `digits`: decimals of its numbers when they are shown."""

    key: str
    title: str
    digits: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What one stage found. `rows` hold numbers as they came; `measures` those that targets are about, by their key.

    `how`: sentences that say what was measured. `notes`: what a reader must know of this very run. `failed`: why there
    is nothing else. Whoever ran the stage enters its name, when it was, of which commit, and how long it took.
    """

    title: str
    how: str
    columns: Sequence[Column] = ()
    rows: Sequence[Mapping[str, Cell]] = ()
    measures: Mapping[str, float] = field(default_factory=dict[str, float])
    notes: Sequence[str] = ()
    failed: str | None = None
    stage: str = ""
    measured_at: str = ""
    commit: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the figures hold for. Nothing that names one machine among others of its kind."""

    processor: str
    cores: int
    memory_gib: float
    system: str
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`size`: rows of the large database, by table."""

    machine: Machine
    size: Mapping[str, int]
    sections: Sequence[Section]

    def with_later(self, later: Report) -> Report:
        """This report with the sections of a later one in place of its own.

        The later one alone where machine, versions or size differ: there is nothing to compare then.
        """
        if (self.machine, self.size) != (later.machine, later.size):
            return later
        new = {section.stage: section for section in later.sections}
        kept = [new.pop(section.stage, section) for section in self.sections]
        return Report(machine=self.machine, size=self.size, sections=[*kept, *new.values()])

    def measures(self) -> dict[str, float]:
        return {key: value for section in self.sections for key, value in section.measures.items()}

    def to_json(self) -> bytes:
        return orjson.dumps({"format": FORMAT, **asdict(self)}, option=orjson.OPT_INDENT_2) + b"\n"


def read_report(path: Path) -> Report | None:
    """The report of that file; None: there is no file. Raises ValueError for one of another format."""
    return report_from_json(path.read_bytes()) if path.exists() else None


def report_from_json(content: bytes) -> Report:
    """Raises ValueError for another format than this."""
    values: Any = orjson.loads(content)
    if values.get("format") != FORMAT:
        raise ValueError(f"performance.json: format {values.get('format')}, {FORMAT} expected; run `make bench` again")
    return Report(
        machine=Machine(**values["machine"]),
        size=values["size"],
        sections=[_section(section) for section in values["sections"]],
    )


def _section(values: dict[str, Any]) -> Section:
    columns = [Column(**column) for column in values.pop("columns")]
    return Section(columns=columns, **values)
