"""How columns become values, where more than one type does it the same way."""

from __future__ import annotations

from typing import Any


def or_none(value: str) -> str | None:
    return value or None


def as_they_are(*values: Any) -> tuple[Any, ...]:
    return values
