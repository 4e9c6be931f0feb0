"""The files of an export: the same rows as CSV, JSON or XLSX."""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any
from xml.sax.saxutils import escape

import orjson

Row = Mapping[str, Any]

_MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# The same bytes for the same rows, whenever they are packed.
_PACKED_AT = (2026, 1, 1, 0, 0, 0)
_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_TYPES}"><Default Extension="rels" ContentType='
    '"application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType='
    f'"application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{_SHEET_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_SHEET_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_RELATIONSHIPS}"><Relationship Id="rId1" Type="{_OFFICE}/officeDocument"'
    ' Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="Résultats" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELATIONSHIPS}"><Relationship Id="rId1"'
    f' Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}


def as_displayed(row: Row) -> Row:
    """Values as a reader sees them on the screen: what comes unless raw values are asked for."""
    return {column: _displayed(value) for column, value in row.items()}


def to_csv(rows: Sequence[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if rows:
        writer.writerow(rows[0])
    writer.writerows(row.values() for row in rows)
    return text.getvalue().encode()


def to_xlsx(rows: Sequence[Row]) -> bytes:
    """A workbook of one sheet, its texts in place."""
    lines = [list(rows[0]), *(list(row.values()) for row in rows)] if rows else []
    data = "".join(f'<row r="{number}">{_cells(line)}</row>' for number, line in enumerate(lines, start=1))
    sheet = f'<worksheet xmlns="{_SPREADSHEET}"><sheetData>{data}</sheetData></worksheet>'
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**_PARTS, "xl/worksheets/sheet1.xml": sheet}.items():
            entry = zipfile.ZipInfo(name, date_time=_PACKED_AT)
            archive.writestr(entry, _HEAD + content, compress_type=zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def to_json(rows: Sequence[Row]) -> bytes:
    return orjson.dumps(rows)


# What a card may be had as: its content type, and how it is made.
FORMATS: Mapping[str, tuple[str, Callable[[Sequence[Row]], bytes]]] = MappingProxyType(
    {
        "csv": ("text/csv", to_csv),
        "json": ("application/json;charset=utf-8", to_json),
        "xlsx": (f"{_SHEET_TYPE}.sheet", to_xlsx),
    }
)


def _cells(line: Sequence[Any]) -> str:
    return "".join(
        f"<c><v>{value}</v></c>"
        if isinstance(value, int | float)
        else f'<c t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'
        for value in line
    )


def _displayed(value: Any) -> Any:
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f")
    if not _DAY.fullmatch(value):
        return value
    day = date.fromisoformat(value)
    return f"{_MONTHS[day.month - 1]} {day.year}"
