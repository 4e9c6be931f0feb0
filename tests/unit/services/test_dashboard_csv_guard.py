"""Formulas in CSV files become texts; everything else stays as it is, wherever the pieces are cut."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dashboards.csv_guard import CsvGuard, EndlessRecordError


def guarded(text: bytes, *, piece: int = 10_000) -> bytes:
    guard = CsvGuard()
    return b"".join(guard.feed(text[start : start + piece]) for start in range(0, len(text), piece)) + guard.rest()


def cells_of(text: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.decode(), newline="")))


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "@SUM(A1)",
        "+33 6",
        "-2+3+cmd|' /C calc'!A0",
        "\tx",
        '=HYPERLINK("http://a.test","b")',
        "-",
        "=é\nè",
        "\r\n",
    ],
)
def test_a_cell_that_begins_like_a_formula_becomes_a_text(cell: str):
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([["Nom", "Total"], ["Metz", cell], [cell, "3"]])

    found = guarded(out.getvalue().encode())

    assert cells_of(found) == [["Nom", "Total"], ["Metz", f"'{cell}"], [f"'{cell}", "3"]]


@pytest.mark.parametrize(
    "text",
    [
        b"Mois,Candidatures\n2026-09-01,412\n",
        b"Mois,Candidatures\r\n2026-09-01,\r\n",
        b'a,b\n-12.5,+3\n-1e5,"-7"\n',
        'Nom,"Un, deux"\n"Chantier ""Métis""\nsuite",57 - Moselle\n'.encode(),
        b"sans fin de ligne,1",
        b"",
    ],
)
def test_a_file_without_formulas_passes_byte_for_byte(text: bytes):
    assert guarded(text) == text
    assert guarded(text, piece=1) == text


def test_bytes_that_are_no_text_pass_as_they_are():
    text = b"a,\xff\xfe\n=1,2\n"

    assert guarded(text) == b"a,\xff\xfe\n'=1,2\n"


def test_a_quote_that_nobody_closes_is_not_held_for_ever():
    guard = CsvGuard()
    guard.feed(b'"' + b"x\n" * 450_000)

    with pytest.raises(EndlessRecordError):
        guard.feed(b"x\n" * 100_000)


_cells = st.text(alphabet="=+-@\t\r\n\",'; 1.aé", max_size=6)


@given(rows=st.lists(st.lists(_cells, min_size=2, max_size=3), min_size=1, max_size=5), piece=st.integers(1, 12))
def test_whatever_the_cells_and_the_pieces_no_formula_is_left_and_nothing_else_changes(
    rows: list[list[str]], piece: int
):
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)

    found = cells_of(guarded(out.getvalue().encode(), piece=piece))

    for before, after in zip(cells_of(out.getvalue().encode()), found, strict=True):
        for was, now in zip(before, after, strict=True):
            assert now in (was, f"'{was}")
            assert not now.startswith(("=", "@", "\t", "\r"))
            assert not (now.startswith(("+", "-")) and not now[1:2].isdigit())
