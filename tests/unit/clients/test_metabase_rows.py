"""Rows read as they arrive are the rows of the whole."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.metabase.rows import RowReader, UnreadableRowsError

TEXTS = st.text(st.characters(codec="utf-8"))
CELLS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
ROWS = st.lists(st.tuples(CELLS | st.lists(TEXTS), CELLS), max_size=20)


@given(
    rows=ROWS,
    size=st.integers(1, 7),
    max_rows=st.integers(0, 25),
    is_ascii=st.booleans(),
    indent=st.none() | st.just(1),
)
def test_however_the_text_is_cut_the_same_rows_are_read(
    rows: list[tuple[Any, Any]], size: int, max_rows: int, is_ascii: bool, indent: int | None
):
    table = [{"a": a, "b é": b} for a, b in rows]
    text = json.dumps(table, ensure_ascii=is_ascii, indent=indent).encode()
    reader = RowReader(max_rows=max_rows)

    for start in range(0, len(text), size):
        reader.feed(text[start : start + size])
    reader.feed(b"", is_last=True)

    result = reader.result()
    assert result.total == len(rows)
    assert result.columns == (("a", "b é") if rows else ())
    assert list(result.rows) == rows[:max_rows]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"  ",
        b"[",
        b"[{",
        b'[{"a": 1}',
        b'[{"a": 1},]',
        b'[,{"a": 1}]',
        b'[{"a": 1} {"a": 2}]',
        b'[{"a": 1}]x',
        b"[[1]]",
        b'{"a": 1}',
        b'[{"a": wrong}]',
        b'[{"a": "\xc3"}]',
        b"[" + b'{"a":' * 100_000,
        b'[{"a": ' + b"9" * 5_000 + b"}]",
    ],
)
def test_what_is_no_array_of_objects_is_refused_without_being_quoted(text: bytes):
    reader = RowReader(max_rows=10)

    with pytest.raises(UnreadableRowsError) as caught:
        reader.feed(text, is_last=True)

    assert caught.value.__cause__ is None


def test_a_row_without_end_is_given_up():
    reader = RowReader(max_rows=10)
    reader.feed(b'[{"a": "' + b"x" * 900_000)

    with pytest.raises(UnreadableRowsError, match="without end"):
        reader.feed(b"x" * 200_000)


def test_a_row_with_other_columns_than_the_first_is_fitted_to_them():
    reader = RowReader(max_rows=10)

    reader.feed(b'[{"a": 1, "b": 2}, {"b": 3, "c": 4}]', is_last=True)

    assert reader.result().rows == ((1, 2), (None, 3))


def test_what_json_does_not_know_as_a_number_is_nothing():
    reader = RowReader(max_rows=10)

    reader.feed(b'[{"a": NaN}]', is_last=True)

    assert reader.result().rows == ((None,),)
