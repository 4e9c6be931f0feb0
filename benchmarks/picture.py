"""The figures at a glance: three charts as SVG."""

from __future__ import annotations

import io
from collections.abc import Mapping

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from benchmarks import ours
from benchmarks.results import Cell, Report, Section
from services.pictures.style import INK, MUTED, PAPER, REST, SERIES, STYLE

_COLOURS = {ours.TRAVERSE: SERIES[0], ours.LIMIT: REST}
_BAR = 0.8


def draw(report: Report) -> bytes:
    """Return the picture. What was not measured leaves its place empty, and says so."""
    sections = {section.stage: section for section in report.sections if section.failed is None}
    rcParams.update(STYLE)
    # Text stays text, and the same figures give the same bytes.
    rcParams.update({"font.size": 9, "svg.fonttype": "none", "svg.hashsalt": "traverse"})
    figure = Figure(figsize=(11, 8), facecolor=PAPER, layout="constrained")
    FigureCanvasSVG(figure)
    grid = figure.add_gridspec(2, 2, height_ratios=(1.5, 1), hspace=0.08, wspace=0.06)
    charts = (
        (grid[0, :], "Requests a second ÷ the limit's", "throughput", _draw_throughput),
        (grid[1, 0], "Q1 at fixed rates: p99, ms", "latency", _draw_latency),
        (grid[1, 1], "From COMMIT to the last subscriber: p50, ms", "subscriptions", _draw_subscriptions),
    )
    for place, title, stage, draw_chart in charts:
        axes = figure.add_subplot(place)
        axes.set_title(title, loc="left", color=INK, fontweight="bold", fontsize=11)
        if stage in sections:
            draw_chart(axes, sections[stage])
        else:
            axes.set_axis_off()
            axes.text(0.5, 0.5, "not measured", color=MUTED, ha="center", transform=axes.transAxes)
    written = io.BytesIO()
    figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    # matplotlib ends lines of coordinates with blanks.
    return b"\n".join(line.rstrip() for line in written.getvalue().splitlines()) + b"\n"


def _draw_throughput(axes: Axes, section: Section) -> None:
    """A group of bars a page, in the order of the contenders; the limit is the line at 1."""
    shares = {(_text(row, "page"), _text(row, "contender")): _number(row, "of_limit") for row in section.rows}
    pages = list(dict.fromkeys(page for page, _ in shares))
    contenders = [name for name in dict.fromkeys(name for _, name in shares) if name != ours.LIMIT]
    height = _BAR / max(len(contenders), 1)
    others = iter(SERIES[1:])
    for position, name in enumerate(contenders):
        places = [place + (position - (len(contenders) - 1) / 2) * height for place in range(len(pages))]
        values = [shares.get((page, name), 0.0) for page in pages]
        colour = _COLOURS.get(name) or next(others, REST)
        bars = axes.barh(places, values, height * 0.9, color=colour, label=name)
        axes.bar_label(bars, [f"{value:.2f}" if value else "" for value in values], padding=3, color=INK, fontsize=8)
    axes.axvline(1.0, color=REST, linewidth=1.2, label=ours.LIMIT)
    axes.set_yticks(range(len(pages)), pages)
    axes.invert_yaxis()
    axes.margins(x=0.08)
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.05), ncols=4)


def _draw_latency(axes: Axes, section: Section) -> None:
    for name in dict.fromkeys(_text(row, "contender") for row in section.rows):
        points = [
            (_number(row, "per_second"), _number(row, "p99_ms")) for row in section.rows if row["contender"] == name
        ]
        x, y = zip(*points, strict=True)
        axes.plot(x, y, color=_COLOURS.get(name, REST), marker="o", markersize=4, label=name)
    # When all lines are there: the bound fixes the other one as well.
    axes.set_ylim(bottom=0)
    axes.grid(visible=True, axis="y")
    axes.set_xlabel("requests a second")
    axes.legend(frameon=False, loc="lower right")


def _draw_subscriptions(axes: Axes, section: Section) -> None:
    names = [f"{_number(row, 'subscribers'):,.0f}" for row in section.rows]
    values = [_number(row, "last_p50_ms") for row in section.rows]
    bars = axes.bar(names, values, 0.5, color=SERIES[0])
    axes.bar_label(bars, [f"{value:.0f}" for value in values], padding=3, color=INK)
    axes.set_xlabel("subscribers")
    axes.margins(y=0.15)


def _text(row: Mapping[str, Cell], key: str) -> str:
    return str(row.get(key) or "")


def _number(row: Mapping[str, Cell], key: str) -> float:
    return float(row.get(key) or 0.0)
