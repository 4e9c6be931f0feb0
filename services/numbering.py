"""Numbers of approvals: a prefix and a counter that never goes back and never leaves a hole."""

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
