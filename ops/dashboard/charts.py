"""Charts as inline SVG: drawn here, legible without scripts, and by screen readers through the table beside them.

Only presentation attributes and classes: the policy of the pages forbids styles in attributes.

A page has a thousand marks, and `Markup.format` takes a good part of the time of the whole page for them: marks are
plain text, of numbers and times of ours and of labels that were escaped before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup, escape

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

    @property
    def spans_days(self) -> bool:
        """Whether an hour alone leaves open which day it is of."""
        return len(self.starts) > 1 and self.starts[-1] - self.starts[0] >= timedelta(days=1)


def chart(drawn: Chart) -> Markup:
    """Return the figure: a picture with its legend, and the same numbers as a table that can be unfolded."""
    ceiling = _ceiling(_highest(drawn))
    labels = [str(escape(series.label)) for series in drawn.series]
    clocks = [
        formatting.day_and_clock(start) if drawn.spans_days else formatting.clock(start) for start in drawn.starts
    ]
    marks = _bars(drawn, ceiling, labels, clocks) if drawn.is_stacked else _lines(drawn, ceiling)
    return Markup(  # noqa: S704 - rendered here
        f'<figure class="chart"><figcaption>{escape(drawn.title)}{_legend(drawn, labels)}</figcaption>'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(_spoken(drawn))}">'
        f"{_axes(ceiling, drawn.unit)}{_times(drawn)}{marks}</svg>"
        f"{_table(drawn, labels, clocks)}</figure>"
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


def _axes(ceiling: float, unit: str) -> str:
    lines: list[str] = []
    for tick in range(_TICKS + 1):
        value = ceiling * tick / _TICKS
        y = _y(value, ceiling)
        # Ticks are round: 20 s, where a measured value is 20,0 s.
        text = formatting.milliseconds(value).replace(",0", "") if unit == "ms" else formatting.number(value)
        lines.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
        )
    return "".join(lines)


def _times(drawn: Chart) -> str:
    """Six hours at equal distances; over several days, each day where it begins."""
    count = len(drawn.starts)
    if drawn.spans_days:
        days = [formatting.short_day(start) for start in drawn.starts]
        marks = [(index, day) for index, day in enumerate(days) if index and day != days[index - 1]]
    else:
        every = max(1, count // 6)
        marks = [
            (index, formatting.clock(start)) for index, start in enumerate(drawn.starts) if index % every == every // 2
        ]
    return "".join(
        f'<text class="tick" x="{_x(index + 0.5, count):.1f}" y="{_HEIGHT - 6}" text-anchor="middle">{text}</text>'
        for index, text in marks
    )


def _bars(drawn: Chart, ceiling: float, labels: Sequence[str], clocks: Sequence[str]) -> str:
    count = len(clocks)
    width = max(1.0, (_WIDTH - _LEFT - _RIGHT) / max(count, 1) * 0.72)
    marks: list[str] = []
    for index, clock in enumerate(clocks):
        left = _x(index + 0.5, count) - width / 2
        below = 0.0
        for series, label in zip(drawn.series, labels, strict=True):
            value = series.values[index] or 0
            if value:
                top, bottom = _y(below + value, ceiling), _y(below, ceiling)
                marks.append(
                    f'<rect class="fill-{series.tone}" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}"'
                    f' height="{max(bottom - top, 1):.1f}">'
                    f"<title>{clock}, {label.lower()} : {formatting.number(value)}</title></rect>"
                )
            below += value
    return "".join(marks)


def _lines(drawn: Chart, ceiling: float) -> str:
    count = len(drawn.starts)
    marks: list[str] = []
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
                marks.append(f'<circle class="fill-{series.tone}" cx="{x}" cy="{y}" r="3"/>')
            else:
                marks.append(f'<polyline class="line-{series.tone}" points="{" ".join(points)}"/>')
    return "".join(marks)


def _legend(drawn: Chart, labels: Sequence[str]) -> str:
    entries = "".join(
        '<span class="key"><svg viewBox="0 0 10 10" aria-hidden="true">'
        f'<rect class="fill-{series.tone}" width="10" height="10" rx="2"/></svg>{label}</span>'
        for series, label in zip(drawn.series, labels, strict=True)
    )
    return f'<span class="legend">{entries}</span>'


def _spoken(drawn: Chart) -> str:
    parts = [
        f"{series.label} : {_value(sum(value or 0 for value in series.values), '')} au total"
        if drawn.is_stacked
        else f"{series.label} : {_value(max((value or 0 for value in series.values), default=0), drawn.unit)} au plus"
        for series in drawn.series
    ]
    return f"{drawn.title}. {', '.join(parts)}."


def _table(drawn: Chart, labels: Sequence[str], clocks: Sequence[str]) -> str:
    heads = "".join(f'<th scope="col">{label}</th>' for label in labels)
    rows: list[str] = []
    for index, clock in enumerate(clocks):
        values = [series.values[index] for series in drawn.series]
        if any(values):
            cells = "".join(f"<td>{_value(value, drawn.unit)}</td>" for value in values)
            rows.append(f'<tr><th scope="row">{clock}</th>{cells}</tr>')
    if not rows:
        return '<p class="muted">Rien pendant cette période.</p>'
    return (
        "<details><summary>Voir les chiffres</summary>"
        f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(drawn.title)}"><table>'
        f'<thead><tr><th scope="col">{"Jour et heure" if drawn.spans_days else "Heure"}</th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></details>"
    )


def _value(value: float | None, unit: str) -> str:
    if value is None:
        return formatting.NOTHING
    return formatting.milliseconds(value) if unit == "ms" else formatting.number(value)
