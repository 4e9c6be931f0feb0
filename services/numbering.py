"""Numbers that are given once: those of approvals, a prefix and a counter without holes, and those of companies."""

from __future__ import annotations

from models.approvals import NUMBER_PREFIX
from models.database import fetch_all, lock_for_transaction

_LAST_COUNTER = 9_999_999
_FORM = f"^{NUMBER_PREFIX}[0-9]{{7}}$"
# Numbers of cancelled approvals count as well: a number is never given twice.
_HIGHEST = """
SELECT max(number) AS number FROM (
    SELECT max(number) AS number FROM approval WHERE number ~ $1
    UNION ALL SELECT max(number) FROM cancelled_approval WHERE number ~ $1
) AS highest
"""
# Past the sequence, and past numbers that came with imported companies.
_NEXT_COMPANY = """
SELECT setval('company_number', greatest(nextval('company_number'), (SELECT coalesce(max(number), 0) + 1 FROM company)))
    AS number
"""


class ApprovalNumbersExhausted(Exception):
    """The seven digits of the counter are used up: a new prefix is needed."""


async def next_approval_number() -> str:
    """Return the number for one new approval. Inside a transaction: the next caller waits until it ends."""
    await lock_for_transaction("approval_number")
    highest: str | None = (await fetch_all(_HIGHEST, _FORM))[0]["number"]
    counter = int(highest.removeprefix(NUMBER_PREFIX)) + 1 if highest else 1
    if counter > _LAST_COUNTER:
        raise ApprovalNumbersExhausted(
            f"approval numbers with prefix {NUMBER_PREFIX}: {_LAST_COUNTER} was given and none is left;"
            " choose a new prefix"
        )
    return f"{NUMBER_PREFIX}{counter:07d}"


async def next_company_number() -> int:
    """Return the number for one new company. Inside a transaction: the next caller waits until it ends."""
    await lock_for_transaction("company_number")
    return (await fetch_all(_NEXT_COMPANY))[0]["number"]
