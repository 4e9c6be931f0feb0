"""How values read in French: numbers, months, days; and which columns can be drawn."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date

from services.pictures.picture import Cell, Picture

_THIN_SPACE = "\u202f"
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T00:00:00(?:\.0+)?(?:Z|[+-]\d{2}:?\d{2})?)?", re.ASCII)
_MONTHS = (
    *("janv.", "févr.", "mars", "avr.", "mai", "juin"),
    *("juil.", "août", "sept.", "oct.", "nov.", "déc."),
)


def number_text(value: float) -> str:
    """`12345.678` → `12 345,68`."""
    rounded = round(value, 2)
    text = f"{int(rounded):,}" if rounded == int(rounded) else f"{rounded:,.2f}".rstrip("0")
    return text.replace(",", _THIN_SPACE).replace(".", ",").replace("-", "\u2212")


def cell_text(value: Cell) -> str:
    """A value as a reader expects it; nothing for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, int | float):
        return number_text(value) if math.isfinite(value) else ""
    day = as_day(value)
    return day.strftime("%d/%m/%Y") if day is not None else " ".join(str(value).split())


def as_day(value: Cell) -> date | None:
    found = _DAY.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    try:
        return date.fromisoformat(found[1])
    except ValueError:
        return None


def axis_labels(values: Sequence[Cell]) -> list[str]:
    """Labels of an axis. Days that are all first ones of months are the months."""
    days = [as_day(value) for value in values]
    if days and all(day is not None and day.day == 1 for day in days):
        return [f"{_MONTHS[day.month - 1]} {day.year}" for day in days if day is not None]
    return [cell_text(value) for value in values]


def is_number(value: Cell) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def numeric_columns(picture: Picture) -> list[int]:
    """The columns that hold numbers and nothing else, some at least."""
    found: list[int] = []
    for position in range(len(picture.columns)):
        values = [row[position] for row in picture.rows if row[position] is not None]
        if values and all(is_number(value) for value in values):
            found.append(position)
    return found


def label_column(picture: Picture) -> int | None:
    """The first column of texts or dates."""
    numeric = set(numeric_columns(picture))
    return next((position for position in range(len(picture.columns)) if position not in numeric), None)


def numbers_of(picture: Picture, column: int) -> list[float]:
    return [float(row[column]) if is_number(row[column]) else math.nan for row in picture.rows]
