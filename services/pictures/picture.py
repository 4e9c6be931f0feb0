"""What a picture shows, as it travels to the process that draws it: plain JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Self

import orjson

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

Cell = Any  # a value of JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSize:
    """In pixels, of the proportions of a screen."""

    width: int = 1200

    SMALLEST: ClassVar[int] = 400
    LARGEST: ClassVar[int] = 2400

    def __post_init__(self) -> None:
        if not self.SMALLEST <= self.width <= self.LARGEST:
            raise ValueError(f"width: {self.width} given, {self.SMALLEST} to {self.LARGEST} pixels expected")

    @property
    def height(self) -> int:
        return round(self.width * 9 / 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One card. `display`: how Metabase shows it (`bar`, `table` …), an open list. `subtitle`: what it is limited to.

    `total`: how many rows there are, of which `rows` are the first; None when they were too many to be counted.
    """

    title: str
    subtitle: str
    source: str
    display: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...] = field(repr=False)
    total: int | None
    width: int = 1200

    @property
    def size(self) -> PictureSize:
        return PictureSize(width=self.width)

    def to_json(self) -> bytes:
        return orjson.dumps(asdict(self), option=orjson.OPT_NON_STR_KEYS)

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        values = orjson.loads(text)
        values["columns"] = tuple(values["columns"])
        values["rows"] = tuple(tuple(row) for row in values["rows"])
        return cls(**values)
