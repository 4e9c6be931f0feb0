"""Cells that a spreadsheet would run as formulas, made texts while a CSV file passes through.

Names that people typed end up in these files, and whoever opens them trusts us: a cell that begins like a formula gets
an apostrophe in front, numbers excepted. Source: OWASP, "CSV Injection". What holds no such cell passes byte for byte.
"""

from __future__ import annotations

import csv
import io
import re

_NUMBER = rb"[-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?"
_IS_NUMBER = re.compile(_NUMBER.decode())
# A place where a cell may begin, and begins badly; finds some that only look so. A line end is none, but within quotes.
_SUSPECT = re.compile(
    rb'(?:^|[,"\n\r])(?:[=@\t]|\r(?!\n)|[-+](?!' + rb"\d+(?:\.\d+)?" + rb'(?:[,"\r\n]|$)))|(?:^|[,\n\r])"\r\n'
)
_FORMULA_STARTS = ("=", "@", "+", "-", "\t", "\r")
_MAX_RECORD_BYTES = 1_000_000


class EndlessRecordError(ValueError):
    """A record longer than any of a table: not CSV, or with a quote that nobody closes."""


class CsvGuard:
    """Feed it the pieces of a file as they come; it gives back whole records."""

    def __init__(self) -> None:
        self._held = b""  # a record that has begun
        self._is_quoted = False  # whether it stops within a quoted cell

    def feed(self, piece: bytes) -> bytes:
        """Return the records that are complete by now. Raises EndlessRecordError."""
        end, self._is_quoted = _end_of_records(piece, is_quoted=self._is_quoted)
        if not end:
            self._held += piece
            records = b""
        else:
            records, self._held = self._held + piece[:end], piece[end:]
        if len(self._held) > _MAX_RECORD_BYTES:
            raise EndlessRecordError(f"CSV: a record of more than {_MAX_RECORD_BYTES} bytes")
        return _guarded(records)

    def rest(self) -> bytes:
        """Return the last record, which may have no line end."""
        held, self._held = self._held, b""
        return _guarded(held)


def _end_of_records(piece: bytes, *, is_quoted: bool) -> tuple[int, bool]:
    """Where the last line ends that is no part of a quoted cell, and whether the piece stops within one.

    Reads every byte twice at most, however many lines a cell has.
    """
    is_quoted ^= piece.count(b'"') % 2 == 1
    is_quoted_here, position = is_quoted, len(piece)
    while end := piece.rfind(b"\n", 0, position) + 1:
        is_quoted_here ^= piece.count(b'"', end, position) % 2 == 1
        if not is_quoted_here:
            return end, is_quoted
        position = end - 1
    return 0, is_quoted


def _guarded(records: bytes) -> bytes:
    if _SUSPECT.search(records) is None:
        return records
    # UTF-8 whole: records end at a line feed, which is no part of another character.
    text = records.decode("utf-8", errors="surrogateescape")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    texts = [[_text(cell) for cell in row] for row in rows]
    if texts == rows:
        return records
    out = io.StringIO(newline="")
    ending = "\r\n" if b"\r\n" in records else "\n"
    writer = csv.writer(out, lineterminator=ending)
    writer.writerows(texts)
    written = out.getvalue()
    if not text.endswith("\n"):
        written = written.removesuffix(ending)
    return written.encode("utf-8", errors="surrogateescape")


def _text(cell: str) -> str:
    if not cell.startswith(_FORMULA_STARTS) or _IS_NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}"
