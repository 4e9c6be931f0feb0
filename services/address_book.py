"""Addresses of job seekers and companies: geocoded when they changed, and in bulk where they never were.

What is to be done is on the row: `geocoding_due_at`, which a trigger sets when an address changes. A worker claims a
row by moving that moment into the future and may record only while it is still the one that it set: a worker that dies,
or an address that changes meanwhile, leaves a row that is due.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog

from clients.ban import BANClient, BatchAddress, geocoding_outcome
from clients.errors import PartnerError, PartnerRejected, PartnerUnavailable
from models.database import fetch_all, write
from models.departments import department_code_of
from models.enums import Partner, WorkQueue
from services.lookups import one_by_one
from services.pauses import not_paused

log = structlog.get_logger(__name__)

BATCH_SIZE = 1_000
# What is better than this is taken as it is, even from a question without the name of the commune.
RELIABLE = 0.8
# What is worse than this is likely to be another place. Between the two, the score tells to look twice.
USABLE = 0.4
# So few are asked one by one, with the name of the commune: better answers. More go into one file.
_FEW = 20
_AT_ONCE = 5
# Longer than the longest call to the geocoder, its second attempt included.
_CLAIM = timedelta(minutes=5)
_AFTER_OUTAGE = timedelta(minutes=10)
_NOT_PAUSED = not_paused(WorkQueue.GEOCODING, Partner.BAN)
_COMPLETE = "address_line_1 <> '' AND post_code <> '' AND city <> ''"

_CLAIM_ROWS = """
UPDATE {table} SET geocoding_due_at = clock_timestamp() + $1::interval
WHERE id IN (SELECT id FROM {table} WHERE {not_paused} AND {condition} FOR UPDATE SKIP LOCKED)
RETURNING id, address_line_1, post_code, city, geocoding_score, geocoding_due_at
"""
_ONE = "id = $2 AND geocoding_due_at <= clock_timestamp()"
_DUE = "geocoding_due_at <= clock_timestamp() ORDER BY geocoding_due_at LIMIT $2"
_IS_MISSING = (
    f"latitude IS NULL AND {_COMPLETE} AND (geocoding_due_at IS NULL OR geocoding_due_at <= clock_timestamp())"
)
_MISSING = f"id > $3 AND {_IS_MISSING} ORDER BY id LIMIT $2"
_RECORD = """
UPDATE {table} AS a SET
    latitude = coalesce(found.latitude, a.latitude),
    longitude = coalesce(found.longitude, a.longitude),
    insee_code = coalesce(found.insee_code, a.insee_code),
    department = coalesce(found.department, a.department),
    geocoding_score = found.score,
    geocoded_at = clock_timestamp(),
    geocoding_due_at = NULL
FROM unnest($1::uuid[], $2::timestamptz[], $3::float8[], $4::float8[], $5::text[], $6::text[], $7::float8[])
    AS found (id, claimed, latitude, longitude, insee_code, department, score)
WHERE a.id = found.id AND a.geocoding_due_at = found.claimed
RETURNING a.id
"""
_POSTPONE = """
UPDATE {table} AS a SET geocoding_due_at = clock_timestamp() + $3::interval
FROM unnest($1::uuid[], $2::timestamptz[]) AS claim (id, claimed)
WHERE a.id = claim.id AND a.geocoding_due_at = claim.claimed
RETURNING a.id
"""


class AddressTable(StrEnum):
    """Tables with addresses. The value is the table's name."""

    JOB_SEEKER = "job_seeker_profile"
    COMPANY = "company"


@dataclass(slots=True)
class GeocodingSummary:
    """What a run came to. `placed`: with new coordinates. `stopped_by`: the outcome of the outage that ended it."""

    placed: int = 0
    kept: int = 0
    not_found: int = 0
    changed_meanwhile: int = 0
    postponed: int = 0
    stopped_by: str | None = None

    @property
    def answered(self) -> int:
        return self.placed + self.kept + self.not_found + self.changed_meanwhile

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A row that is ours for a while. Where somebody lives does not print itself."""

    id: UUID
    address_line_1: str = field(repr=False)
    post_code: str = field(repr=False)
    city: str = field(repr=False)
    score: float | None
    due_at: datetime

    @property
    def on_one_line(self) -> str:
        # Without the second line: what is for the postman lowers the score.
        return f"{self.address_line_1}, {self.post_code} {self.city}"


@dataclass(frozen=True, slots=True)
class _Found:
    """What the geocoder said of one row. Nothing found: score 0 and no coordinates."""

    score: float
    latitude: float | None = field(default=None, repr=False)
    longitude: float | None = field(default=None, repr=False)
    insee_code: str | None = field(default=None, repr=False)


_NOTHING = _Found(0.0)


async def geocode_one(table: AddressTable, row_id: UUID, *, ban: BANClient) -> GeocodingSummary:
    """Geocode one address now, if it is due. An outage leaves it due a little later."""
    summary = GeocodingSummary()
    await _work_on(table, await _claim(table, _ONE, row_id), ban, summary)
    return summary


async def geocode_due(
    *, ban: BANClient, batch_size: int = BATCH_SIZE, keep_going: Callable[[], bool] = lambda: True
) -> GeocodingSummary:
    """Geocode every address that is due, the oldest first, until there is none left or the geocoder is away."""
    summary = GeocodingSummary()
    for table in AddressTable:
        while keep_going() and summary.stopped_by is None:
            claimed = await _claim(table, _DUE, batch_size)
            if not claimed:
                break
            await _work_on(table, claimed, ban, summary)
    return summary


async def count_missing() -> int:
    """How many complete addresses have no coordinates."""
    counts = [
        (await fetch_all(f"SELECT count(*) AS rows FROM {table} WHERE {_IS_MISSING}"))[0]["rows"]
        for table in AddressTable
    ]
    return sum(counts)


async def geocode_missing(
    *, ban: BANClient, batch_size: int = BATCH_SIZE, on_progress: Callable[[GeocodingSummary], None] = lambda _: None
) -> GeocodingSummary:
    """Geocode every complete address without coordinates, once. `on_progress` hears the sums after each batch.

    An outage ends it; what it did until then stays, and the next one goes on from there.
    """
    summary = GeocodingSummary()
    for table in AddressTable:
        last = UUID(int=0)
        while summary.stopped_by is None:
            claimed = await _claim(table, _MISSING, batch_size, last)
            if not claimed:
                break
            last = max(row.id for row in claimed)
            await _work_on(table, claimed, ban, summary)
            on_progress(summary)
    return summary


async def _claim(table: AddressTable, condition: str, *arguments: Any) -> list[_Claimed]:
    rows = await write(_CLAIM_ROWS.format(table=table, condition=condition, not_paused=_NOT_PAUSED), _CLAIM, *arguments)
    return [
        _Claimed(
            row["id"],
            row["address_line_1"],
            row["post_code"],
            row["city"],
            row["geocoding_score"],
            row["geocoding_due_at"],
        )
        for row in rows
    ]


async def _work_on(table: AddressTable, claimed: Sequence[_Claimed], ban: BANClient, summary: GeocodingSummary) -> None:
    if not claimed:
        return
    is_few = len(claimed) <= _FEW
    # Outside any transaction: a slow geocoder must not hold locks.
    answers = await (_ask_one_by_one(claimed, ban) if is_few else _ask_in_one_file(claimed, ban))
    found = {row: answer for row, answer in answers.items() if isinstance(answer, _Found)}
    failed = {row: answer for row, answer in answers.items() if isinstance(answer, PartnerError)}
    await _record(table, found, summary, at_least=USABLE if is_few else RELIABLE)
    if failed:
        await _postpone(table, failed, summary)


async def _ask_one_by_one(claimed: Sequence[_Claimed], ban: BANClient) -> dict[_Claimed, _Found | PartnerError]:
    async def ask(row: _Claimed) -> _Found:
        try:
            found = await ban.geocode(row.on_one_line, post_code=row.post_code)
        except PartnerRejected:  # not an address, or none that is known: another day it would be no better
            return _NOTHING
        position = found.position
        return _Found(found.score, position.latitude, position.longitude, found.insee_code)

    return await one_by_one(claimed, ask, at_once=_AT_ONCE)


async def _ask_in_one_file(claimed: Sequence[_Claimed], ban: BANClient) -> dict[_Claimed, _Found | PartnerError]:
    # Numbered: the geocoder learns addresses, and not whose they are.
    rows = {str(number): row for number, row in enumerate(claimed)}
    try:
        results = await ban.geocode_batch(
            [
                BatchAddress(key=key, address_line_1=row.address_line_1, post_code=row.post_code)
                for key, row in rows.items()
            ]
        )
    except PartnerError as error:
        return dict.fromkeys(claimed, error)
    answers: dict[_Claimed, _Found | PartnerError] = {}
    for key, result in results.items():
        position = result.position
        answers[rows[key]] = (
            _NOTHING
            if position is None
            else _Found(result.score, position.latitude, position.longitude, result.insee_code)
        )
    return answers


async def _record(
    table: AddressTable, found: Mapping[_Claimed, _Found], summary: GeocodingSummary, *, at_least: float
) -> None:
    """Store what is good enough and no worse than what is there; of the rest, the score where there was none."""
    if not found:
        return
    decided = {row: _decide(row, answer, at_least) for row, answer in found.items()}
    recorded = await write(
        _RECORD.format(table=table),
        [row.id for row in decided],
        [row.due_at for row in decided],
        [answer.latitude for answer in decided.values()],
        [answer.longitude for answer in decided.values()],
        [answer.insee_code for answer in decided.values()],
        [department_code_of(insee_code=answer.insee_code) for answer in decided.values()],
        [answer.score for answer in decided.values()],
    )
    ours = {record["id"] for record in recorded}
    for row, answer in decided.items():
        if row.id not in ours:
            summary.changed_meanwhile += 1
        elif answer.latitude is not None:
            summary.placed += 1
        elif found[row] == _NOTHING:
            summary.not_found += 1
        else:
            summary.kept += 1


def _decide(row: _Claimed, found: _Found, at_least: float) -> _Found:
    if found.latitude is not None and found.score >= max(at_least, row.score or 0.0):
        return found
    return _Found(found.score if row.score is None else row.score)


async def _postpone(table: AddressTable, failed: Mapping[_Claimed, PartnerError], summary: GeocodingSummary) -> None:
    """Nobody could say: the rows are due again when the geocoder may be back, and stay as they are until then."""
    error = next(iter(failed.values()))
    asked = max(
        (error.retry_after or 0.0 for error in failed.values() if isinstance(error, PartnerUnavailable)), default=0.0
    )
    delay = max(_AFTER_OUTAGE, timedelta(seconds=asked))
    postponed = await write(
        _POSTPONE.format(table=table), [row.id for row in failed], [row.due_at for row in failed], delay
    )
    summary.postponed += len(postponed)
    summary.stopped_by = geocoding_outcome(error).value
    log.warning("geocoding_postponed", table=table.value, rows=len(postponed), outcome=summary.stopped_by)
