"""The first rows and columns as a table."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from services.pictures.picture import Picture
from services.pictures.style import FRAME, HEAD, INK, MUTED, STRIPE, fitted
from services.pictures.values import cell_text, number_text, numeric_columns

_MAX_ROWS = 30
_MAX_COLUMNS = 8
_TOP, _BOTTOM = 0.79, 0.115
_ROOMY_ROWS = 14
_WIDTH_CHARACTERS = 132
_BOLD = 0.8  # how many bold characters fit where one plain one does


def draw_table(figure: Figure, picture: Picture) -> None:
    rows, columns = picture.rows[:_MAX_ROWS], range(min(_MAX_COLUMNS, len(picture.columns)))
    texts = [[cell_text(row[column]) for column in columns] for row in rows]
    axes = figure.add_axes((0.04, _BOTTOM, 0.92, _TOP - _BOTTOM))
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    lines = max(len(texts) + 1, _ROOMY_ROWS)
    size = 11.0 if lines <= _ROOMY_ROWS + 1 else max(7.2, 11.0 * 15 / lines)
    heads = [picture.columns[column] for column in columns]
    _Grid(axes, heads, texts, set(numeric_columns(picture)), height=1 / lines, font_size=size).draw()
    figure.text(0.96, 0.095, _summary(picture), fontsize=9.5, color=MUTED, ha="right", va="center")


class _Grid:
    """Cells, placed by the widths of their texts; numbers to the right."""

    def __init__(
        self,
        axes: Axes,
        heads: Sequence[str],
        texts: Sequence[Sequence[str]],
        numeric: set[int],
        *,
        height: float,
        font_size: float,
    ) -> None:
        self._axes = axes
        self._heads = heads
        self._texts = texts
        self._numeric = numeric
        self._height = height
        self._font_size = font_size
        self._budget = int(_WIDTH_CHARACTERS * 11 / font_size)
        self._widths = _shares([heads, *texts], self._budget)

    def draw(self) -> None:
        self._draw_line(0, self._heads, fill=HEAD, weight="bold")
        for number, cells in enumerate(self._texts, start=1):
            self._draw_line(number, cells, fill=STRIPE if number % 2 == 0 else "none", weight="normal")
        bottom = 1 - (len(self._texts) + 1) * self._height
        self._axes.plot((0, sum(self._widths)), (bottom, bottom), color=FRAME, linewidth=1, clip_on=False)

    def _draw_line(self, number: int, cells: Sequence[str], *, fill: str, weight: str) -> None:
        bottom = 1 - (number + 1) * self._height
        self._axes.add_patch(Rectangle((0, bottom), sum(self._widths), self._height, facecolor=fill, edgecolor="none"))
        left = 0.0
        for column, cell in enumerate(cells):
            share = self._widths[column]
            is_number = column in self._numeric
            self._axes.text(
                left + share - 0.012 if is_number else left + 0.012,
                bottom + self._height / 2,
                fitted(cell, max(4, int(share * self._budget * (_BOLD if weight == "bold" else 1)) - 2)),
                fontsize=self._font_size,
                fontweight=weight,
                color=INK,
                ha="right" if is_number else "left",
                va="center_baseline",
            )
            left += share


def _shares(lines: Sequence[Sequence[str]], budget: int) -> list[float]:
    """The part of the width that each column gets: as long as its longest text, within reason."""
    longest = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    wanted = [min(max(length, 6) + 3, 46) for length in longest]
    total = sum(wanted)
    # A few short columns are not pulled apart over the whole width.
    used = min(1.0, max(total / budget, 0.6))
    return [width / total * used for width in wanted]


def _summary(picture: Picture) -> str:
    shown = min(len(picture.rows), _MAX_ROWS)
    hidden = len(picture.columns) - _MAX_COLUMNS
    more = f" · {hidden} colonne{'s' if hidden > 1 else ''} de plus" if hidden > 0 else ""
    if picture.total is None:
        return f"… plus de {number_text(len(picture.rows))} lignes au total{more}"
    lines = f"{number_text(picture.total)} ligne{'s' if picture.total > 1 else ''} au total"
    return f"{'… ' if picture.total > shown else ''}{lines}{more}"
