"""One picture, from its frame to its bytes. Runs in a process of its own: see painter.py.

matplotlib's own figures, never `pyplot`, which keeps every figure it made.
"""

from __future__ import annotations

import io

from matplotlib import rcParams
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from services.pictures.charts import draw_bars, draw_lines, draw_pie, draw_value
from services.pictures.picture import Picture
from services.pictures.style import FRAME, INK, MUTED, PAPER, STYLE, fitted
from services.pictures.tables import draw_table
from services.pictures.values import label_column, numeric_columns

_DPI = 100
_REFERENCE_WIDTH = 1200


def draw(picture: Picture) -> bytes:
    """Return the picture as PNG."""
    size = picture.size
    rcParams.update(STYLE)
    # Drawn at one size in points and scaled as a whole, so that a small picture is a large one seen from afar.
    figure = Figure(figsize=(_REFERENCE_WIDTH / _DPI, 675 / _DPI), facecolor=PAPER)
    FigureCanvasAgg(figure)
    _draw_frame(figure, picture)
    _draw_content(figure, picture)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=_DPI * size.width / _REFERENCE_WIDTH, facecolor=PAPER)
    return drawn.getvalue()


def _draw_frame(figure: Figure, picture: Picture) -> None:
    figure.text(0.04, 0.925, fitted(picture.title, 62), fontsize=21, fontweight="bold", color=INK, va="center")
    figure.text(0.04, 0.862, fitted(picture.subtitle, 130), fontsize=11.5, color=MUTED, va="center")
    figure.text(0.04, 0.04, fitted(picture.source, 140), fontsize=9.5, color=MUTED, va="center")
    for height in (0.815, 0.075):
        line = Line2D((0.04, 0.96), (height, height), transform=figure.transFigure, color=FRAME, linewidth=1.0)
        figure.add_artist(line)


def _draw_content(figure: Figure, picture: Picture) -> None:
    if not picture.rows:
        _draw_nothing(figure)
        return
    numeric, label = numeric_columns(picture), label_column(picture)
    match picture.display:
        case "scalar" | "smartscalar" | "progress" | "gauge" if numeric:
            draw_value(figure, picture, numeric[0])
        case "bar" | "row" if numeric and label is not None:
            draw_bars(figure, picture, label, numeric)
        case "line" | "area" | "combo" if numeric and label is not None:
            draw_lines(figure, picture, label, numeric, is_filled=picture.display == "area")
        case "pie" if numeric and label is not None:
            draw_pie(figure, picture, label, numeric[0])
        case _:
            draw_table(figure, picture)


def _draw_nothing(figure: Figure) -> None:
    figure.text(0.5, 0.47, "Aucune donnée", fontsize=26, color=INK, ha="center", va="center")
    text = "Rien ne correspond à ce périmètre pour le moment."
    figure.text(0.5, 0.40, text, fontsize=13, color=MUTED, ha="center", va="center")
