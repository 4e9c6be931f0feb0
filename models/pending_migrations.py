"""Which migrations a database still lacks, without all that running them takes.

Every process answers this for its probes, and few ever migrate: the names of the files and those in the table are
enough. What Tortoise runs them with stays unloaded.
"""

from __future__ import annotations

from pathlib import Path

from models.database import fetch_all

_FILES = Path(__file__).with_name("migrations")
# Written by Tortoise: a row for each migration that was run. Absent from a database that has never been migrated.
_IS_THERE = "SELECT to_regclass('tortoise_migrations') IS NOT NULL AS is_there"
_RUN = "SELECT name FROM tortoise_migrations WHERE app = 'models'"


async def missing_migrations() -> list[str]:
    """Return the names of the migrations that the open database lacks, in their order; empty when it is up to date."""
    [table] = await fetch_all(_IS_THERE)
    run = {row["name"] for row in await fetch_all(_RUN)} if table["is_there"] else set[str]()
    return sorted({path.stem for path in _FILES.glob("[0-9]*.py")} - run)
