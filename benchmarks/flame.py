"""`python -m benchmarks.flame STACKS PICTURE`: a flame graph, small enough for a page of the documentation.

STACKS is what `py-spy record --format raw` writes: one line a stack, outermost first, with how often it was seen.
Frames that everything lies in, and those too narrow to read, are left out.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

WIDTH = 1000
ROW = 17
_LETTER = 6.1
_NARROWEST = 0.006
_LINE = re.compile(r":\d+\)$")
_COLOURS = {
    "ours": "#f2a65a",
    "GraphQL": "#d96c75",
    "database": "#7fb069",
    "HTTP": "#6ca6c1",
    "other": "#c9c5ba",
}
_PARTS = (
    ("GraphQL", ("graphql/", "strawberry/", "execution/", "<plan of ")),
    ("database", ("asyncpg/", "tortoise/", "models/")),
    ("HTTP", ("uvicorn/", "starlette/", "asyncio/", "joined_writes", "request_heads", "serving.py", "middleware.py")),
    ("ours", ("schema/", "resolvers/", "services/", "telemetry/", "app.py", "<plan ")),
)


@dataclass(slots=True)
class Frame:
    """A function where it was called, and how often it was seen there."""

    name: str
    count: int = 0
    below: dict[str, Frame] = field(default_factory=dict[str, "Frame"])

    def child(self, name: str) -> Frame:
        return self.below.setdefault(name, Frame(name))


def read(lines: Iterable[str]) -> Frame:
    """Return all stacks as one tree, without what lies around every one of them."""
    root = Frame("all")
    for line in lines:
        stack, _, count = line.rpartition(" ")
        at = root
        at.count += int(count)
        for name in stack.split(";"):
            at = at.child(_LINE.sub(")", name))
            at.count += int(count)
    while len(root.below) == 1:
        root = next(iter(root.below.values()))
    return root


def part_of(name: str) -> str:
    """Return which part of the server a frame belongs to."""
    return next((part for part, marks in _PARTS if any(mark in name for mark in marks)), "other")


def draw(root: Frame) -> str:
    """Return the picture as SVG: the callers on top, each row below what it calls."""
    boxes = [*_boxes(root, 0.0, 0, root.count)]
    height = (max(depth for _, _, depth, _ in boxes) + 2) * ROW + 6
    legend = "".join(
        f'<rect x="{place * 110}" y="2" width="11" height="11" fill="{colour}"/>'
        f'<text x="{place * 110 + 16}" y="12">{part}</text>'
        for place, (part, colour) in enumerate(_COLOURS.items())
    )
    drawn = "".join(_box(*box) for box in boxes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace"'
        f' font-size="10">{legend}{drawn}</svg>\n'
    )


def _boxes(frame: Frame, left: float, depth: int, total: int) -> Iterator[tuple[Frame, float, int, float]]:
    share = frame.count / total
    if share < _NARROWEST:
        return
    yield frame, left, depth, share
    for child in sorted(frame.below.values(), key=lambda one: -one.count):
        yield from _boxes(child, left, depth + 1, total)
        left += child.count / total


def _box(frame: Frame, left: float, depth: int, share: float) -> str:
    x, y, width = left * WIDTH, (depth + 1) * ROW + 4, share * WIDTH
    shown = frame.name[: int((width - 4) / _LETTER)]
    text = f'<text x="{x + 2:.1f}" y="{y + 11}">{escape(shown)}</text>' if len(shown) > 3 else ""
    title = f"<title>{escape(frame.name)}: {share:.1%}</title>"
    return (
        f'<g>{title}<rect x="{x:.1f}" y="{y}" width="{max(width - 0.5, 0.5):.1f}" height="{ROW - 1}"'
        f' fill="{_COLOURS[part_of(frame.name)]}"/>{text}</g>'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stacks", type=Path)
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    options.picture.write_text(draw(read(options.stacks.read_text().splitlines())))


if __name__ == "__main__":
    main()
