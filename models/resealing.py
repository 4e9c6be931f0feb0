"""After a rotation of keys: seal again, with the first key of the ring, what was sealed with a retired one."""

from __future__ import annotations

from models.database import fetch_all, write
from models.encryption import key_id, key_ring

# Every column of an EncryptedTextField; a test compares them with the models.
SEALED_COLUMNS = (
    ("job_seeker_profile", "nir"),
    ("cancelled_approval", "user_nir"),
    ("webhook_event", "body"),
    ("mail", "recipient"),
    ("mail", "parameters"),
    ("invitation_attempt", "sought"),
    ("invitation_attempt", "refusal"),
)

# The id of the key stands behind the version byte.
_OLD = "{column} IS NOT NULL AND substring({column} FROM 2 FOR 4) <> $1"
_COUNT = "SELECT count(*) AS old FROM {table} WHERE {old}"
_NEXT = "SELECT id, {column} AS sealed FROM {table} WHERE {old} ORDER BY id LIMIT $2"
# Somebody may have written the row meanwhile: then it is sealed with the first key already, and stays as it is.
_REPLACE = "UPDATE {table} SET {column} = $3 WHERE id = $1 AND {column} = $2 RETURNING id"


async def count_sealed_with_old_keys() -> dict[str, int]:
    """Return, by `table.column`, how many values still need a retired key: at zero it may be thrown away."""
    counts: dict[str, int] = {}
    for table, column in SEALED_COLUMNS:
        rows = await fetch_all(_sql(_COUNT, table, column), key_id(key_ring().keys[0]))
        counts[f"{table}.{column}"] = rows[0]["old"]
    return counts


async def reseal(*, batch_size: int = 500) -> int:
    """Seal every such value again and return how many were. May be stopped and begun again at any time.

    Raises EncryptionError at the first value whose key is not in the ring: put that key back.
    """
    return sum([await _reseal(table, column, batch_size) for table, column in SEALED_COLUMNS])


async def _reseal(table: str, column: str, batch_size: int) -> int:
    ring = key_ring()
    resealed = 0
    while rows := await fetch_all(_sql(_NEXT, table, column), key_id(ring.keys[0]), batch_size):
        for row in rows:
            replaced = await write(
                _sql(_REPLACE, table, column), row["id"], row["sealed"], ring.seal(ring.open(row["sealed"]))
            )
            resealed += len(replaced)
    return resealed


def _sql(template: str, table: str, column: str) -> str:
    return template.format(table=table, column=column, old=_OLD.format(column=column))
