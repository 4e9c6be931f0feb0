"""SQL text with named parameters, numbered once: the text of a hot read is fixed, so PostgreSQL prepares it once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import asyncpg

from models.database import fetch_all
from resolvers.errors import BadUserInput

# `:name`, but not the second colon of a `::cast`.
_PARAMETER = re.compile(r"(?<!:):([a-z_][a-z0-9_]*)")


class Statement:
    """A SELECT. `rows()` takes a value for each name that the text uses; others are ignored."""

    __slots__ = ("names", "text")

    def __init__(self, template: str) -> None:
        names: dict[str, int] = {}

        def number(match: re.Match[str]) -> str:
            return f"${names.setdefault(match.group(1), len(names) + 1)}"

        self.text = _PARAMETER.sub(number, template)
        self.names = tuple(names)

    async def rows(self, values: Mapping[str, Any]) -> Sequence[asyncpg.Record]:
        """Return the records. Raises BadUserInput for a text that PostgreSQL has no form for."""
        arguments = [values[name] for name in self.names]
        if any(_holds_nul(value) for value in arguments):
            raise BadUserInput("text: holds a NUL character, which no stored text does")
        return await fetch_all(self.text, *arguments)


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    return isinstance(value, list) and any(_holds_nul(item) for item in cast("list[Any]", value))
