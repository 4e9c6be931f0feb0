from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

from ops.dashboard.charts import Chart, Series, chart

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def drawn(
    *series: tuple[str, Sequence[float | None]],
    title: str = "Activité",
    is_stacked: bool = True,
    step: timedelta = timedelta(minutes=5),
    unit: str = "",
) -> ET.Element:
    """The figure as a browser reads it; all in it is well formed."""
    made = chart(
        Chart(
            title=title,
            starts=[NOON + step * place for place in range(len(series[0][1]))],
            series=[Series(label, "good", values) for label, values in series],
            is_stacked=is_stacked,
            unit=unit,
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


def test_a_chart_of_several_days_names_the_day_where_it_begins_and_of_each_number():
    figure = drawn(("Réussies", [1] * 24), step=timedelta(hours=3))

    times = [tick.text for tick in figure.iter("text") if tick.attrib["text-anchor"] == "middle"]
    heads = ["".join(head.itertext()) for head in figure.iter("th")]
    assert times == ["11/03", "12/03", "13/03"]
    assert heads[0] == "Jour et heure"
    assert heads[2:4] == ["10/03\u00a013:00", "10/03\u00a016:00"]
    assert next(figure.iter("title")).text == "10/03\u00a013:00, réussies : 1"


def test_a_chart_of_a_day_at_most_names_hours():
    figure = drawn(("Réussies", [1] * 48), step=timedelta(minutes=30))

    times = [tick.text for tick in figure.iter("text") if tick.attrib["text-anchor"] == "middle"]
    assert times[:2] == ["15:00", "19:00"]


def test_ticks_of_durations_are_round():
    figure = drawn(("Médiane", [70_000]), is_stacked=False, unit="ms")

    ticks = [tick.text for tick in figure.iter("text") if tick.attrib["text-anchor"] == "end"]
    assert ticks == ["0\u00a0ms", "20\u00a0s", "40\u00a0s", "60\u00a0s", "80\u00a0s"]
