"""Figures say of many what they claim to say."""

from __future__ import annotations

import pytest

from benchmarks.differences import first_difference
from benchmarks.figures import line, percentile


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.0, 1), (0.991, 100)])
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(share: float, value: int):
    values = [*range(100, 50, -1), *range(1, 51)]

    assert percentile(values, share) == value


def test_the_percentile_of_one_figure_is_that_figure():
    assert percentile([7.0], 0.99) == 7.0


def test_a_line_has_the_cost_of_a_row_and_of_the_page_around_it():
    slope, start = line([(10, 3.0), (50, 7.0), (100, 12.0)])

    assert slope == pytest.approx(0.1)
    assert start == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"edges": [{"id": "a"}, {"id": "b"}]}, None),
        ({"edges": [{"id": "a"}, {"id": "c"}]}, "edges[1].id: 'c', 'b' expected"),
        ({"edges": [{"id": "a"}]}, "edges: 1 values, 2 expected"),
        ({"edges": [{"id": "a"}, {"number": "b"}]}, "edges[1]: number; id expected"),
        ({"edges": None}, "edges: None, [{'id': 'a'}, {'id': 'b'}] expected"),
        (None, ": None, {'edges': [{'id': 'a'}, {'id': 'b'}]} expected"),
    ],
)
def test_the_first_difference_of_two_answers_is_told_with_its_place(found: object, told: str | None):
    assert first_difference({"edges": [{"id": "a"}, {"id": "b"}]}, found) == told
