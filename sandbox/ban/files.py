"""Geocoding a CSV: the table of the question, widened by the columns that were asked for."""

import csv
import io
from dataclasses import dataclass

from sandbox.ban.places import Place
from sandbox.ban.search import best

RESULT_COLUMNS = frozenset(
    {
        *("longitude", "latitude", "result_score", "result_score_next", "result_label", "result_type", "result_id"),
        *("result_banId", "result_housenumber", "result_name", "result_street", "result_postcode", "result_city"),
        *("result_context", "result_citycode", "result_oldcitycode", "result_oldcity", "result_district"),
        "result_status",
    }
)
_MAX_ROWS = 200_000


class BadFileError(Exception):
    """Answered 400; `str()` says what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRequest:
    content: bytes
    columns: tuple[str, ...]
    result_columns: tuple[str, ...]
    post_code_column: str = ""
    insee_code_column: str = ""


def geocode_file(request: FileRequest) -> str:
    """The answer. Raises BadFileError."""
    if unknown := set(request.result_columns) - RESULT_COLUMNS:
        raise BadFileError(f"result_columns: unknown {', '.join(sorted(unknown))}")
    try:
        text = request.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadFileError("data: not UTF-8") from None
    separator = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)
    header = list(reader.fieldnames or ())
    filters = {request.post_code_column, request.insee_code_column} - {""}
    if missing := {*request.columns, *filters} - set(header):
        raise BadFileError(f"columns: {', '.join(sorted(missing))} not in the file")
    answer = io.StringIO()
    writer = csv.writer(answer, delimiter=separator, lineterminator="\n")
    writer.writerow((*header, *request.result_columns))
    for count, row in enumerate(reader, start=1):
        if count > _MAX_ROWS:
            raise BadFileError(f"data: more than {_MAX_ROWS} lines")
        results = _results(request, row)
        cells = [row[column] or "" for column in header]
        writer.writerow((*cells, *(results.get(column, "") for column in request.result_columns)))
    return answer.getvalue()


def _results(request: FileRequest, row: dict[str, str]) -> dict[str, str]:
    text = " ".join(filter(None, (row[column] for column in request.columns or row)))
    if not text.strip():
        return {"result_status": "skipped"}
    found = best(
        text,
        post_code=row.get(request.post_code_column, ""),
        insee_code=row.get(request.insee_code_column, ""),
    )
    return {"result_status": "not-found"} if found is None else _written(*found)


def _written(place: Place, score: float) -> dict[str, str]:
    properties = place.properties(score)
    longitude, latitude = place.coordinates
    results = {f"result_{key}": str(value) for key, value in properties.items()}
    return results | {"longitude": str(longitude), "latitude": str(latitude), "result_status": "ok"}
