"""The communes as the local table has them: by code, by name, by post code, without a word to anybody else.

`traverse communes sync` and a nightly round fill it (services/commune_synchronisation.py). Until then it is empty, and
knows nothing: what it does not find is then no answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from clients.api_geo import CommuneRecord
from models.communes import search_text
from models.database import fetch_all
from models.departments import DEPARTMENTS, department_code_of

_COLUMNS = """
commune.insee_code, name, post_codes, epci_code, parent_code, former_codes, population, latitude, longitude
"""
_BY_CODE = f"SELECT {_COLUMNS} FROM commune WHERE insee_code = ANY($1::text[]) AND removed_at IS NULL"
# From a former code to the commune that took it in, and on where that one was merged as well. UNION ends circles.
_BY_FORMER_CODE = f"""
WITH RECURSIVE way (asked, code) AS (
    SELECT code, code FROM unnest($1::text[]) AS given (code)
    UNION
    SELECT way.asked, successor.insee_code
    FROM way JOIN commune AS successor ON successor.former_codes @> ARRAY[way.code]
    WHERE NOT EXISTS (SELECT FROM commune AS live WHERE live.insee_code = way.code AND live.removed_at IS NULL)
)
SELECT way.asked, {_COLUMNS}
FROM way JOIN commune ON commune.insee_code = way.code AND removed_at IS NULL
"""
_IS_LOADED = "SELECT EXISTS (SELECT FROM commune WHERE NOT is_manual) AS is_loaded"
# The whole name first, then the larger of those that begin so.
_BY_NAME = f"""
SELECT {_COLUMNS} FROM commune
WHERE search_name ~>=~ $1 AND search_name ~<~ $2 AND parent_code IS NULL AND removed_at IS NULL
ORDER BY search_name = $1 DESC, population DESC NULLS LAST, insee_code
LIMIT $3
"""
# Words within a name, or nearly.
_BY_SIMILAR_NAME = f"""
SELECT {_COLUMNS} FROM commune
WHERE $1 <% search_name AND NOT insee_code = ANY($2::text[]) AND parent_code IS NULL AND removed_at IS NULL
ORDER BY round(word_similarity($1, search_name)::numeric, 1) DESC, population DESC NULLS LAST, insee_code
LIMIT $3
"""
# For a name with a mistake in the middle: many are so alike that this is the last resort.
_BY_ALIKE_NAME = f"""
SELECT {_COLUMNS} FROM commune
WHERE search_name % $1 AND parent_code IS NULL AND removed_at IS NULL
ORDER BY similarity(search_name, $1) DESC, population DESC NULLS LAST, insee_code
LIMIT $2
"""
# A few dozen at most. "Paris" fits the city and its arrondissements equally: the one with fewer post codes is meant.
_BY_POST_CODE = f"""
WITH served AS (
    SELECT * FROM commune
    WHERE post_codes @> ARRAY[$1] AND removed_at IS NULL AND ($2 = '' OR word_similarity($2, search_name) > 0.3)
)
SELECT {_COLUMNS} FROM served AS commune
ORDER BY word_similarity($2, search_name) DESC,
    EXISTS (SELECT FROM served AS part WHERE part.parent_code = commune.insee_code), search_name = $2 DESC,
    CASE WHEN $2 = '' THEN 0 ELSE cardinality(post_codes) END, population DESC NULLS LAST, insee_code
LIMIT $3
"""
_ABBREVIATIONS = {"st": "saint", "ste": "sainte"}
# Above whatever continues a name. A range and not LIKE: no plan of a prepared LIKE can use an index.
_END = "\U0010ffff"


async def is_loaded() -> bool:
    """Whether the table was ever filled: it then stays so, and what it lacks does not exist."""
    return bool((await fetch_all(_IS_LOADED))[0]["is_loaded"])


async def find_communes(codes: Sequence[str]) -> dict[str, CommuneRecord]:
    """Return the communes of those codes that the table knows; a former code gives the commune of today.

    One statement where all are known, two otherwise. Codes are as `insee_code_of` writes them.
    """
    found = {row["insee_code"]: _record(row) for row in await fetch_all(_BY_CODE, list(codes))}
    others = [code for code in codes if code not in found]
    return found | await _find_successors(others) if others else found


async def search_communes(name: str, post_code: str, *, limit: int) -> list[CommuneRecord]:
    """The communes of a name or its beginning, of a post code, or of both, the likeliest first.

    By name alone no arrondissements; with a post code they are meant, and come before their city.
    """
    wanted = _spelled_out(search_text(name))
    if post_code:
        return [_record(row) for row in await fetch_all(_BY_POST_CODE, post_code, wanted, limit)]
    if not wanted:
        return []
    found = [_record(row) for row in await fetch_all(_BY_NAME, wanted, wanted + _END, limit)]
    if len(found) == limit:
        return found
    known = [commune.insee_code for commune in found]
    found += [_record(row) for row in await fetch_all(_BY_SIMILAR_NAME, wanted, known, limit - len(found))]
    return found or [_record(row) for row in await fetch_all(_BY_ALIKE_NAME, wanted, limit)]


async def _find_successors(codes: Sequence[str]) -> dict[str, CommuneRecord]:
    """Leaves out a code whose commune was shared out among several: none of them is the one that was meant."""
    successors: dict[str, list[CommuneRecord]] = defaultdict(list)
    for row in await fetch_all(_BY_FORMER_CODE, list(codes)):
        successors[row["asked"]].append(_record(row))
    return {code: found[0] for code, found in successors.items() if len(found) == 1}


def _spelled_out(wanted: str) -> str:
    """INSEE's names hold no abbreviation; people who type do."""
    return " ".join(_ABBREVIATIONS.get(word, word) for word in wanted.split())


def _record(row: Any) -> CommuneRecord:
    department = DEPARTMENTS.get(department_code_of(insee_code=row["insee_code"]) or "")
    return CommuneRecord(
        insee_code=row["insee_code"],
        name=row["name"],
        post_codes=tuple(row["post_codes"]),
        department_code=department.code if department else None,
        region_code=department.region_code if department else None,
        epci_code=row["epci_code"],
        parent_code=row["parent_code"],
        population=row["population"],
        latitude=row["latitude"],
        longitude=row["longitude"],
        former_codes=tuple(row["former_codes"]),
    )
