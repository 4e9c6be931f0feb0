"""Bars, lines, pies, and a value by itself."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Wedge
from matplotlib.ticker import FuncFormatter, MaxNLocator

from services.pictures.picture import Picture
from services.pictures.style import INK, MUTED, REST, SERIES, fitted
from services.pictures.values import axis_labels, number_text, numbers_of

_PLACE = (0.085, 0.17, 0.875, 0.585)
_PLACE_UNDER_LEGEND = (0.085, 0.17, 0.875, 0.545)
# Tilted labels need room below, and the first one to the left.
_TILTED_RISE, _TILTED_INDENT = 0.075, 0.03
_MAX_SERIES = len(SERIES)
_MAX_TICKS = 14
_MAX_LABELLED_BARS = 26
_MAX_SLICES = 12
_LEGEND_CHARACTERS = 34


def draw_bars(figure: Figure, picture: Picture, label: int, numeric: Sequence[int]) -> None:
    """Every numeric column against the labels, side by side."""
    series = _series(numeric)
    axes = _axes(figure, series)
    count = len(picture.rows)
    width = 0.8 / len(series)
    for position, column in enumerate(series):
        places = [row + (position - (len(series) - 1) / 2) * width for row in range(count)]
        values = numbers_of(picture, column)
        heights = [0.0 if math.isnan(value) else value for value in values]
        bars = axes.bar(places, heights, width * 0.92, color=SERIES[position], label=_name(picture, column))
        if count * len(series) <= _MAX_LABELLED_BARS:
            texts = ["" if math.isnan(value) else number_text(value) for value in values]
            axes.bar_label(bars, texts, padding=3, fontsize=9.5, color=INK)
    axes.set_xlim(-0.6, count - 0.4)
    axes.margins(y=0.12)
    _finish(axes, picture, label, series)


def draw_lines(figure: Figure, picture: Picture, label: int, numeric: Sequence[int], *, is_filled: bool) -> None:
    series = _series(numeric)
    axes = _axes(figure, series)
    count = len(picture.rows)
    marker = "o" if count <= 40 else None
    for position, column in enumerate(series):
        values, colour = numbers_of(picture, column), SERIES[position]
        axes.plot(
            range(count), values, color=colour, linewidth=2.4, marker=marker, markersize=5, label=_name(picture, column)
        )
        if is_filled:
            axes.fill_between(range(count), values, color=colour, alpha=0.15, linewidth=0)
    lowest = min(value for column in series for value in numbers_of(picture, column) if not math.isnan(value))
    # From zero, so that a small change does not look like a large one.
    axes.set_ylim(bottom=min(0.0, lowest * 1.05))
    axes.margins(x=0.03, y=0.12)
    _finish(axes, picture, label, series)


def draw_pie(figure: Figure, picture: Picture, label: int, column: int) -> None:
    """At most twelve slices; the smaller ones are summed up."""
    slices = _slices(picture, label, column)
    if not slices:
        figure.text(0.5, 0.45, "Aucune valeur positive à représenter", fontsize=16, color=MUTED, ha="center")
        return
    axes = figure.add_axes((0.03, 0.09, 0.46, 0.71))
    values = [value for _, value in slices]
    total = sum(values)
    colours = [REST if name == _REST_NAME else _slice_colour(place) for place, (name, _) in enumerate(slices)]
    axes.pie(
        values, colors=colours, startangle=90, counterclock=False, wedgeprops={"width": 0.42, "edgecolor": "white"}
    )
    axes.text(0, 0.06, number_text(total), ha="center", va="center", fontsize=22, fontweight="bold", color=INK)
    axes.text(0, -0.13, fitted(picture.columns[column], 22), ha="center", va="center", fontsize=10.5, color=MUTED)
    names = [f"{fitted(name, 40)}   {number_text(value)}  ({_percent(value, total)})" for name, value in slices]
    wedges = [patch for patch in axes.patches if isinstance(patch, Wedge)]
    axes.legend(
        wedges, names, loc="center left", bbox_to_anchor=(1.06, 0.5), frameon=False, fontsize=12, labelspacing=0.8
    )


def draw_value(figure: Figure, picture: Picture, column: int) -> None:
    """The first value, as large as it may be."""
    value = next((value for value in numbers_of(picture, column) if not math.isnan(value)), math.nan)
    text = "–" if math.isnan(value) else number_text(value)
    figure.text(0.5, 0.48, text, fontsize=min(110, 900 / max(6, len(text))), fontweight="bold", color=SERIES[0],
                ha="center", va="center")  # fmt: skip
    figure.text(0.5, 0.27, fitted(picture.columns[column], 60), fontsize=18, color=MUTED, ha="center", va="center")


_REST_NAME = "Autres"


def _slices(picture: Picture, label: int, column: int) -> list[tuple[str, float]]:
    names = axis_labels([row[label] for row in picture.rows])
    found = [
        (name or "(vide)", value)
        for name, value in zip(names, numbers_of(picture, column), strict=True)
        if value > 0  # a pie has no place for others
    ]
    found.sort(key=lambda each: -each[1])
    if len(found) > _MAX_SLICES:
        rest = sum(value for _, value in found[_MAX_SLICES - 1 :])
        found = [*found[: _MAX_SLICES - 1], (_REST_NAME, rest)]
    return found


def _slice_colour(place: int) -> str:
    """The colours once, then once more, lighter."""
    colour = SERIES[place % len(SERIES)]
    return colour if place < len(SERIES) else f"{colour}99"


def _percent(value: float, total: float) -> str:
    share = 100 * value / total
    return f"{share:.1f}".replace(".", ",") + "\u202f%"


def _series(numeric: Sequence[int]) -> Sequence[int]:
    return numeric[:_MAX_SERIES]


def _axes(figure: Figure, series: Sequence[int]) -> Axes:
    return figure.add_axes(_PLACE if len(series) == 1 else _PLACE_UNDER_LEGEND)


def _name(picture: Picture, column: int) -> str:
    return fitted(picture.columns[column], _LEGEND_CHARACTERS)


def _finish(axes: Axes, picture: Picture, label: int, series: Sequence[int]) -> None:
    labels = [fitted(text, 22) for text in axis_labels([row[label] for row in picture.rows])]
    step = max(1, math.ceil(len(labels) / _MAX_TICKS))
    shown = range(0, len(labels), step)
    longest = max((len(labels[place]) for place in shown), default=0)
    is_tilted = longest * len(shown) > 126
    axes.set_xticks(list(shown), [labels[place] for place in shown], fontsize=10)
    if is_tilted:
        for text in axes.get_xticklabels():
            text.set(rotation=30, ha="right", rotation_mode="anchor")
        left, bottom, width, height = axes.get_position().bounds
        axes.set_position((left + _TILTED_INDENT, bottom + _TILTED_RISE, width - _TILTED_INDENT, height - _TILTED_RISE))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=_are_whole(picture, series)))
    axes.yaxis.set_major_formatter(FuncFormatter(_tick_text))
    axes.grid(visible=True, axis="y")
    if len(series) == 1:
        axes.set_title(_name(picture, series[0]), loc="left", fontsize=11, color=MUTED, pad=10)
    else:
        axes.legend(
            loc="lower left", bbox_to_anchor=(-0.005, 1.0), ncols=min(4, len(series)), frameon=False, fontsize=10.5
        )


def _are_whole(picture: Picture, series: Sequence[int]) -> bool:
    return all(
        value.is_integer() for column in series for value in numbers_of(picture, column) if not math.isnan(value)
    )


def _tick_text(value: float, _: int | None) -> str:
    return number_text(value)
