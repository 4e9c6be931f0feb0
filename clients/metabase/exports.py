"""The cards of a dashboard and their rows, as files or to be drawn."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Cell = Any  # a value of JSON


class ExportFormat(StrEnum):
    """The files that Metabase makes. A picture is none of them: it is drawn from the rows."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"

    @property
    def content_type(self) -> str:
        match self:
            case ExportFormat.CSV:
                return "text/csv; charset=utf-8"
            case ExportFormat.XLSX:
                return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            case ExportFormat.JSON:
                return "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardCard:
    """One card in its place on a dashboard. `display`: `bar`, `table`, `scalar` …, an open list."""

    id: int  # of the place: a card may have several
    card_id: int
    name: str
    display: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRows:
    """The first rows of a card, as wide as its columns. `total`: None when there are too many to be counted."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...] = field(repr=False)
    total: int | None
