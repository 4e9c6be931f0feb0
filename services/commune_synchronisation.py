"""The local table of communes, made to say what API Géo says today: everything in one go, or nothing.

Rows are never deleted: what API Géo lists no more gets `removed_at`, so that a former code still leads somewhere, and
whatever refers to it by its code needs no repair. Rows that people corrected by hand stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson

from clients.api_geo import APIGeoClient, CommuneRecord
from models.communes import search_text
from models.database import fetch_all, lock_for_transaction, run_in_transaction, write
from models.departments import DEPARTMENTS, department_code_of

RUN = "synchronise_communes"
# A year of many mergers, as 2016 and 2019 were, takes some 2 % of the communes away.
LARGEST_LOSS = 0.05
_IN_ONE_STATEMENT = 2_000
_OVERSEAS_COLLECTIVITIES = frozenset({"975", "977", "978", "984", "986", "987", "988", "989"})

_KNOWN = "SELECT insee_code FROM commune WHERE removed_at IS NULL AND NOT is_manual"
# `xmax = 0`: the row is new. What has not changed is not written.
_WRITE = """
INSERT INTO commune AS known (
    insee_code, name, search_name, post_codes, epci_code, parent_code, former_codes, population, latitude, longitude,
    is_manual, updated_at, removed_at
)
SELECT insee_code, name, search_name, post_codes, epci_code, parent_code, former_codes, population, latitude, longitude,
    false, $2, NULL
FROM jsonb_to_recordset($1::text::jsonb) AS given (
    insee_code text, name text, search_name text, post_codes text[], epci_code text, parent_code text,
    former_codes text[], population int, latitude double precision, longitude double precision
)
ON CONFLICT (insee_code) DO UPDATE SET
    name = excluded.name, search_name = excluded.search_name, post_codes = excluded.post_codes,
    epci_code = excluded.epci_code, parent_code = excluded.parent_code, former_codes = excluded.former_codes,
    population = excluded.population, latitude = excluded.latitude, longitude = excluded.longitude,
    updated_at = excluded.updated_at, removed_at = NULL
WHERE NOT known.is_manual AND (
    known.name, known.search_name, known.post_codes, known.epci_code, known.parent_code, known.former_codes,
    known.population, known.latitude, known.longitude, known.removed_at
) IS DISTINCT FROM (
    excluded.name, excluded.search_name, excluded.post_codes, excluded.epci_code, excluded.parent_code,
    excluded.former_codes, excluded.population, excluded.latitude, excluded.longitude, NULL::timestamptz
)
RETURNING xmax = 0 AS is_new
"""
# A join and not `<> ALL`: PostgreSQL would walk through 35,000 codes for each of as many rows.
_REMOVE = """
UPDATE commune SET removed_at = $2, updated_at = $2
WHERE removed_at IS NULL AND NOT is_manual
    AND NOT EXISTS (SELECT FROM unnest($1::text[]) AS listed (code) WHERE listed.code = commune.insee_code)
RETURNING insee_code
"""


class ImplausibleCountryError(Exception):
    """What was received cannot be France. Nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Synchronisation:
    """What became of the table. `received`: communes and arrondissements, those outside of every department aside."""

    received: int
    added: int
    changed: int
    removed: int

    def as_json(self) -> dict[str, int]:
        return asdict(self)


async def synchronise_communes(client: APIGeoClient, *, now: datetime) -> Synchronisation:
    """Fetch the whole country and make the table say the same, in one transaction.

    Raises PartnerError, also for an answer of fewer communes than France has, and ImplausibleCountryError for one that
    lacks a department or too many of the communes that were known. The table is then as it was.
    """
    # Between two transactions: megabytes from a slow partner must not hold a lock.
    records = _in_departments(await client.country())
    _require_every_department(records)

    async def replace() -> Synchronisation:
        await lock_for_transaction("communes")
        await _require_small_loss(records)
        return await _replace(records, now)

    return await run_in_transaction(replace)


def _in_departments(records: Iterable[CommuneRecord]) -> list[CommuneRecord]:
    """One record a code, without the codes that lie in no department of France."""
    by_code = {record.insee_code: record for record in records if department_code_of(insee_code=record.insee_code)}
    return list(by_code.values())


def _require_every_department(records: Sequence[CommuneRecord]) -> None:
    # API Géo lists only part of the collectivities overseas.
    missing = DEPARTMENTS.keys() - {department_code_of(insee_code=record.insee_code) for record in records}
    missing -= _OVERSEAS_COLLECTIVITIES
    if missing:
        raise ImplausibleCountryError(
            f"{len(records)} communes, none of them in department {', '.join(sorted(missing))}: communes of all"
            f" {len(DEPARTMENTS) - len(_OVERSEAS_COLLECTIVITIES)} expected; look at what API Géo answers"
        )


async def _require_small_loss(records: Sequence[CommuneRecord]) -> None:
    known = {row["insee_code"] for row in await fetch_all(_KNOWN)}
    lost = len(known - {record.insee_code for record in records})
    if lost > len(known) * LARGEST_LOSS:
        raise ImplausibleCountryError(
            f"{lost} of {len(known)} known communes are missing, {LARGEST_LOSS:.0%} at most expected; look at what API"
            " Géo answers"
        )


async def _replace(records: Sequence[CommuneRecord], now: datetime) -> Synchronisation:
    added = changed = 0
    for start in range(0, len(records), _IN_ONE_STATEMENT):
        part = [_row(record) for record in records[start : start + _IN_ONE_STATEMENT]]
        written = await write(_WRITE, orjson.dumps(part).decode(), now)
        new = sum(row["is_new"] for row in written)
        added, changed = added + new, changed + len(written) - new
    removed = await write(_REMOVE, [record.insee_code for record in records], now)
    return Synchronisation(received=len(records), added=added, changed=changed, removed=len(removed))


def _row(record: CommuneRecord) -> dict[str, Any]:
    return {
        "insee_code": record.insee_code,
        "name": record.name,
        "search_name": search_text(record.name),
        "post_codes": sorted(record.post_codes),
        "epci_code": record.epci_code,
        "parent_code": record.parent_code,
        "former_codes": sorted(record.former_codes),
        "population": record.population,
        "latitude": record.latitude,
        "longitude": record.longitude,
    }
