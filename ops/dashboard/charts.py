"""Charts as inline SVG: drawn here, legible without scripts, and by screen readers through the table beside them.

Only presentation attributes and classes: the policy of the pages forbids styles in attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from ops.dashboard import formatting

_WIDTH, _HEIGHT = 640, 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 10, 24
_TICKS = 4


@dataclass(frozen=True, slots=True)
class Series:
    """One value a bucket; None: nothing was measured. `tone` names a class of the style sheet."""

    label: str
    tone: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """Values over time. Bars lie on each other; lines do not. `unit`: "" or "ms"."""

    title: str
    starts: Sequence[datetime]
    series: Sequence[Series]
    is_stacked: bool
    unit: str = ""


def chart(drawn: Chart) -> Markup:
    """Return the figure: a picture with its legend, and the same numbers as a table that can be unfolded."""
    ceiling = _ceiling(_highest(drawn))
    marks = _bars(drawn, ceiling) if drawn.is_stacked else _lines(drawn, ceiling)
    return Markup(
        '<figure class="chart"><figcaption>{title}{legend}</figcaption>'
        '<svg viewBox="0 0 {width} {height}" role="img" aria-label="{label}">{axes}{marks}</svg>'
        "{table}</figure>"
    ).format(
        title=drawn.title,
        legend=_legend(drawn),
        width=_WIDTH,
        height=_HEIGHT,
        label=_spoken(drawn),
        axes=_axes(ceiling, drawn.unit),
        marks=marks,
        table=_table(drawn),
    )


def _highest(drawn: Chart) -> float:
    columns = zip(*(series.values for series in drawn.series), strict=True)
    reduce = sum if drawn.is_stacked else max
    return max((reduce(value or 0 for value in column) for column in columns), default=0)


def _ceiling(highest: float) -> float:
    """Return a round number at or above the highest value, so that the ticks are round as well."""
    step = 1.0
    while True:
        for factor in (1, 2, 2.5, 5):
            if factor != 2.5 or step > 1:
                top = step * factor * _TICKS
                if top >= highest:
                    return top
        step *= 10


def _x(index: float, count: int) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * index / max(count, 1)


def _y(value: float, ceiling: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / ceiling


def _axes(ceiling: float, unit: str) -> Markup:
    lines: list[Markup] = []
    for tick in range(_TICKS + 1):
        value = ceiling * tick / _TICKS
        y = _y(value, ceiling)
        lines.append(
            Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(_LEFT, _WIDTH - _RIGHT, y, y)
        )
        text = formatting.milliseconds(value) if unit == "ms" else formatting.number(value)
        lines.append(
            Markup('<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(_LEFT - 6, y + 4, text)
        )
    return Markup("").join(lines)


def _hours(drawn: Chart) -> Markup:
    count = len(drawn.starts)
    every = max(1, count // 6)
    marks = [
        Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
            _x(index + 0.5, count), _HEIGHT - 6, formatting.clock(start)
        )
        for index, start in enumerate(drawn.starts)
        if index % every == every // 2
    ]
    return Markup("").join(marks)


def _bars(drawn: Chart, ceiling: float) -> Markup:
    count = len(drawn.starts)
    width = max(1.0, (_WIDTH - _LEFT - _RIGHT) / max(count, 1) * 0.72)
    marks: list[Markup] = [_hours(drawn)]
    for index in range(count):
        below = 0.0
        for series in drawn.series:
            value = series.values[index] or 0
            if value:
                top, bottom = _y(below + value, ceiling), _y(below, ceiling)
                marks.append(
                    Markup(
                        '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">'
                        "<title>{} : {}</title></rect>"
                    ).format(
                        f"fill-{series.tone}",
                        _x(index + 0.5, count) - width / 2,
                        top,
                        width,
                        max(bottom - top, 1),
                        f"{formatting.clock(drawn.starts[index])}, {series.label.lower()}",
                        formatting.number(value),
                    )
                )
            below += value
    return Markup("").join(marks)


def _lines(drawn: Chart, ceiling: float) -> Markup:
    count = len(drawn.starts)
    marks: list[Markup] = [_hours(drawn)]
    for series in drawn.series:
        run: list[str] = []
        runs: list[list[str]] = []
        for index, value in enumerate(series.values):
            if value is None:
                run = []
                continue
            if not run:
                runs.append(run)
            run.append(f"{_x(index + 0.5, count):.1f},{_y(value, ceiling):.1f}")
        for points in runs:
            if len(points) == 1:
                x, y = points[0].split(",")
                marks.append(Markup('<circle class="{}" cx="{}" cy="{}" r="3"/>').format(f"fill-{series.tone}", x, y))
            else:
                marks.append(
                    Markup('<polyline class="{}" points="{}"/>').format(f"line-{series.tone}", " ".join(points))
                )
    return Markup("").join(marks)


def _legend(drawn: Chart) -> Markup:
    entries = [
        Markup('<span class="key"><svg viewBox="0 0 10 10" aria-hidden="true">{}</svg>{}</span>').format(
            Markup('<rect class="{}" width="10" height="10" rx="2"/>').format(f"fill-{series.tone}"), series.label
        )
        for series in drawn.series
    ]
    return Markup('<span class="legend">{}</span>').format(Markup("").join(entries))


def _spoken(drawn: Chart) -> str:
    parts = [
        f"{series.label} : {_value(sum(value or 0 for value in series.values), '')} au total"
        if drawn.is_stacked
        else f"{series.label} : {_value(max((value or 0 for value in series.values), default=0), drawn.unit)} au plus"
        for series in drawn.series
    ]
    return f"{drawn.title}. {', '.join(parts)}."


def _table(drawn: Chart) -> Markup:
    heads = Markup("").join(Markup('<th scope="col">{}</th>').format(series.label) for series in drawn.series)
    rows = [
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            formatting.clock(start),
            Markup("").join(
                Markup("<td>{}</td>").format(_value(series.values[index], drawn.unit)) for series in drawn.series
            ),
        )
        for index, start in enumerate(drawn.starts)
        if any(series.values[index] for series in drawn.series)
    ]
    if not rows:
        return Markup('<p class="muted">Rien pendant cette période.</p>')
    return Markup(
        "<details><summary>Voir les chiffres</summary>"
        '<div class="scroll" tabindex="0" role="group" aria-label="{}"><table>'
        '<thead><tr><th scope="col">Heure</th>{}</tr></thead>'
        "<tbody>{}</tbody></table></div></details>"
    ).format(drawn.title, heads, Markup("").join(rows))


def _value(value: float | None, unit: str) -> str:
    if value is None:
        return formatting.NOTHING
    return formatting.milliseconds(value) if unit == "ms" else formatting.number(value)
