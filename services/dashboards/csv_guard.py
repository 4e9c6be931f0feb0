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
# A place where a cell may begin, and begins badly; finds some that only look so.
_SUSPECT = re.compile(rb'(?:^|[,"\n\r])(?:[=@\t]|\r(?!\n)|[-+](?!' + rb"\d+(?:\.\d+)?" + rb'(?:[,"\r\n]|$)))')
_FORMULA_STARTS = ("=", "@", "+", "-", "\t", "\r")
_MAX_RECORD_BYTES = 1_000_000


class EndlessRecordError(ValueError):
    """A record longer than any of a table: not CSV, or with a quote that nobody closes."""


class CsvGuard:
    """Feed it the pieces of a file as they come; it gives back whole records."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        """Return the records that are complete by now. Raises EndlessRecordError."""
        text = self._held + piece
        end = _end_of_records(text)
        self._held = text[end:]
        if len(self._held) > _MAX_RECORD_BYTES:
            raise EndlessRecordError(f"CSV: a record of more than {_MAX_RECORD_BYTES} bytes")
        return _guarded(text[:end])

    def rest(self) -> bytes:
        """Return the last record, which may have no line end."""
        held, self._held = self._held, b""
        return _guarded(held)


def _end_of_records(text: bytes) -> int:
    """Where the last line ends that is no part of a quoted cell. The text begins with a record."""
    end = text.rfind(b"\n") + 1
    while end and text.count(b'"', 0, end) % 2:
        end = text.rfind(b"\n", 0, end - 1) + 1
    return end


def _guarded(records: bytes) -> bytes:
    if _SUSPECT.search(records) is None:
        return records
    out = io.StringIO(newline="")
    ending = "\r\n" if b"\r\n" in records else "\n"
    writer = csv.writer(out, lineterminator=ending)
    # UTF-8 whole: records end at a line feed, which is no part of another character.
    text = records.decode("utf-8", errors="surrogateescape")
    writer.writerows([_text(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline="")))
    written = out.getvalue()
    if not text.endswith("\n"):
        written = written.removesuffix(ending)
    return written.encode("utf-8", errors="surrogateescape")


def _text(cell: str) -> str:
    if not cell.startswith(_FORMULA_STARTS) or _IS_NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}"
