"""Reading a JSON array of objects as it arrives: the first rows are kept, the others counted and dropped."""

import codecs
import json

from clients.metabase.exports import CardRows, Cell

_BLANKS = " \t\r\n"
_MAX_ROW_CHARACTERS = 1_000_000


class UnreadableRowsError(ValueError):
    """Not an array of objects. Holds nothing of the text."""


class RowReader:
    """Feed it the pieces, then ask for the `result`."""

    def __init__(self, *, max_rows: int) -> None:
        self._max_rows = max_rows
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._parse = json.JSONDecoder(parse_constant=lambda _: None).raw_decode
        self._text = ""
        self._expected = "["  # what may come next, blanks aside; nothing after the end
        self._count = 0
        self._columns: tuple[str, ...] = ()
        self._rows: list[tuple[Cell, ...]] = []

    def feed(self, piece: bytes, *, is_last: bool = False) -> None:
        """Take note of every row that is complete. Raises UnreadableRowsError."""
        try:
            self._text += self._decode(piece, is_last)
        except UnicodeDecodeError:
            raise UnreadableRowsError("not UTF-8") from None
        position = self._take_rows()
        self._text = self._text[position:]
        if len(self._text) > _MAX_ROW_CHARACTERS:
            raise UnreadableRowsError("a row without end")
        if is_last and self._expected:
            raise UnreadableRowsError("the array does not end")

    def result(self, *, is_complete: bool = True) -> CardRows:
        return CardRows(columns=self._columns, rows=tuple(self._rows), total=self._count if is_complete else None)

    def _take_rows(self) -> int:
        """Read as far as the text is complete, and return how far that was."""
        position = 0
        while (position := self._after_blanks(position)) < len(self._text):
            match self._text[position]:
                case character if character not in self._expected:
                    raise UnreadableRowsError("not an array of objects")
                case "[":
                    self._expected = "{]"
                case ",":
                    self._expected = "{"
                case "]":
                    self._expected = ""
                case _:
                    try:
                        row, end = self._parse(self._text, position)
                    except (ValueError, RecursionError):
                        return position  # the rest of the row has not arrived, or never makes sense
                    self._keep(row)
                    self._expected = ",]"
                    position = end
                    continue
            position += 1
        return position

    def _after_blanks(self, position: int) -> int:
        while position < len(self._text) and self._text[position] in _BLANKS:
            position += 1
        return position

    def _keep(self, row: dict[str, Cell]) -> None:
        self._count += 1
        if self._count == 1:
            self._columns = tuple(row)
        if self._count <= self._max_rows:
            self._rows.append(tuple(row.get(column) for column in self._columns))
