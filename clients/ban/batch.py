"""Geocoding a CSV in one call: what is sent, and how the answer finds its way back to the rows."""

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from clients.answers import Reply
from clients.ban.outcomes import GeocodingOutcome
from clients.ban.search import Position
from clients.errors import ErrorCode
from clients.http import PartnerRequest, Upload

BATCH_PATH = "/geocodage/search/csv/"

# The service takes twenty times more; this many keep the call below a minute and the answer below a few megabytes.
MAX_BATCH_ROWS = 10_000

_SEPARATOR = ";"  # the answer follows the separator of the question
_KEY = "pk"
_ADDRESS_COLUMNS = ("address_line_1", "post_code")
_SCORE, _LATITUDE, _LONGITUDE, _LABEL, _INSEE_CODE = (
    *("result_score", "latitude", "longitude", "result_label", "result_citycode"),
)
_RESULT_COLUMNS = (_LABEL, _SCORE, _LATITUDE, _LONGITUDE, _INSEE_CODE)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchAddress:
    """One row. `key` is the caller's, and told to the service: an opaque id, nothing about a person."""

    key: str
    address_line_1: str = field(repr=False)
    post_code: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """What was found for one row. Nothing found: score 0, everything else None."""

    score: float
    position: Position | None
    label: str | None = field(repr=False)
    insee_code: str | None = field(repr=False)


NOTHING_FOUND = BatchResult(score=0.0, position=None, label=None, insee_code=None)


def batch_request(base_url: str, rows: Sequence[BatchAddress]) -> PartnerRequest:
    """Raises ValueError for too many rows, and for keys that cannot tell rows apart."""
    if len(rows) > MAX_BATCH_ROWS:
        raise ValueError(f"batch geocoding: {len(rows)} rows, at most {MAX_BATCH_ROWS} a call; split them")
    if len({row.key for row in rows}) != len(rows) or any(row.key != row.key.strip() or not row.key for row in rows):
        raise ValueError("batch geocoding: the keys of rows must be distinct, neither empty nor padded with spaces")
    return PartnerRequest(
        method="POST",
        url=base_url + BATCH_PATH,
        form={"columns": [*_ADDRESS_COLUMNS], "result_columns": [*_RESULT_COLUMNS]},
        files={"data": Upload(file_name="addresses.csv", content=_csv(rows), content_type="text/csv")},
    )


def read_batch(reply: Reply, rows: Sequence[BatchAddress]) -> dict[str, BatchResult]:
    """The result of every row, by key. An answer that lacks one of them is no answer: it was cut."""
    if reply.status == HTTPStatus.BAD_REQUEST:
        raise reply.rejected("the file was refused", code=GeocodingOutcome.INVALID_ADDRESS)
    reply.check_status(permanent=())
    try:
        results = {key: _result(row) for key, row in _rows_by_key(reply.body)}
    except (ValueError, csv.Error):
        results = None  # raised below: the exception at hand holds what the service sent
    if results is None or results.keys() != {row.key for row in rows}:
        raise reply.unavailable("the answer is not the CSV of what was sent", code=ErrorCode.UNEXPECTED_SHAPE)
    return results


def _csv(rows: Sequence[BatchAddress]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=_SEPARATOR, lineterminator="\n")
    writer.writerow((_KEY, *_ADDRESS_COLUMNS))
    for row in rows:
        # One line a row, whatever was typed: not every reader of CSV takes a line break within quotes.
        writer.writerow((row.key, " ".join(row.address_line_1.split()), row.post_code))
    return text.getvalue().encode()


def _rows_by_key(body: bytes) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Raises ValueError or csv.Error for anything but the documented table, each key once."""
    reader = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), delimiter=_SEPARATOR, strict=True)
    header = next(reader, list[str]())
    if not {_KEY, *_RESULT_COLUMNS} <= set(header):
        raise ValueError("columns are missing")
    seen: set[str] = set()
    for cells in filter(None, reader):
        row = dict(zip(header, cells, strict=True))
        if row[_KEY] in seen:
            raise ValueError("a key came twice")
        seen.add(row[_KEY])
        yield row[_KEY], row


def _result(row: Mapping[str, str]) -> BatchResult:
    if not row[_SCORE] or not row[_LATITUDE] or not row[_LONGITUDE]:
        return NOTHING_FOUND
    score, latitude, longitude = float(row[_SCORE]), float(row[_LATITUDE]), float(row[_LONGITUDE])
    if not (math.isfinite(score) and abs(latitude) <= 90 and abs(longitude) <= 180):  # NaN compares as false
        raise ValueError("a number out of its range")
    return BatchResult(
        score=min(max(score, 0.0), 1.0),
        position=Position(latitude=latitude, longitude=longitude),
        label=row[_LABEL] or None,
        insee_code=row[_INSEE_CODE] or None,
    )
