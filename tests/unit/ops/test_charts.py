from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

from ops.dashboard.charts import Chart, Series, chart

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def drawn(*series: tuple[str, Sequence[float | None]], title: str = "Activité", is_stacked: bool = True) -> ET.Element:
    """The figure as a browser reads it; all in it is well formed."""
    made = chart(
        Chart(
            title=title,
            starts=[NOON + timedelta(minutes=5 * place) for place in range(len(series[0][1]))],
            series=[Series(label, "good", values) for label, values in series],
            is_stacked=is_stacked,
        )
    )
    return ET.fromstring(made)  # noqa: S314 - our own


def test_bars_lie_on_each_other():
    figure = drawn(("Réussies", [3]), ("Échouées", [1]))

    lower, upper = (
        (float(bar.attrib["y"]), float(bar.attrib["height"])) for bar in figure.iter("rect") if "x" in bar.attrib
    )
    assert upper[0] + upper[1] == lower[0]
    assert lower[1] == 3 * upper[1]


def test_a_line_breaks_where_nothing_was_measured():
    figure = drawn(("Médiane", [10, 20, None, 30]), is_stacked=False)

    lines = [line.attrib["points"] for line in figure.iter("polyline")]
    assert [len(points.split()) for points in lines] == [2]
    assert len(list(figure.iter("circle"))) == 1


def test_the_numbers_are_in_a_table_without_the_times_at_which_nothing_happened():
    figure = drawn(("Réussies", [3, 0, 1234]), ("Échouées", [1, 0, None]))

    rows = [["".join(cell.itertext()) for cell in row] for row in figure.iter("tr")]
    assert rows == [["Heure", "Réussies", "Échouées"], ["13:00", "3", "1"], ["13:10", "1\u202f234", "–"]]


def test_titles_and_labels_are_text_whatever_is_in_them():
    figure = drawn(('<b>"R&D"</b>', [1]), title="<script>'</script>")

    assert not list(figure.iter("b"))
    assert not list(figure.iter("script"))
    assert "".join(figure.find("figcaption").itertext()) == '<script>\'</script><b>"R&D"</b>'  # pyright: ignore[reportOptionalMemberAccess]
    assert [title.text for title in figure.iter("title")] == ['13:00, <b>"r&d"</b> : 1']
