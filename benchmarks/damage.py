"""What a storm of webhooks must not do: lose, apply twice, end wrongly. Counted in the database itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tortoise.connection import get_connection

from benchmarks.story import Story, wrong_ends
from models.database import fetch_all

_SETTLED_WITHIN_SECONDS = 300.0
# Outcomes are written in the transaction of their effects: one settlement is one application.
_COUNT_SETTLEMENTS = """
CREATE TABLE storm_settlement (event_id uuid NOT NULL);
CREATE FUNCTION storm_note() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO storm_settlement VALUES (NEW.id); RETURN NULL; END $$;
CREATE TRIGGER storm_note AFTER UPDATE OF status ON webhook_event FOR EACH ROW
    WHEN (OLD.status = 'received' AND NEW.status <> 'received') EXECUTE FUNCTION storm_note();
"""
_STOP_COUNTING = """
DROP TRIGGER storm_note ON webhook_event; DROP FUNCTION storm_note(); DROP TABLE storm_settlement
"""
_OPEN = "SELECT count(*) AS number FROM webhook_event WHERE status = 'received'"
_LOST = """
SELECT count(*) AS number FROM unnest($1::text[]) AS sent (fingerprint)
WHERE NOT EXISTS (SELECT 1 FROM webhook_event AS event WHERE event.source = 'rdv_insertion'
    AND event.fingerprint = sent.fingerprint AND event.status IN ('processed', 'ignored'))
"""
_TWICE = """
SELECT count(*) AS number FROM (
    SELECT event_id FROM storm_settlement JOIN webhook_event AS event ON event.id = event_id
    WHERE event.fingerprint = ANY ($1::text[]) GROUP BY 1 HAVING count(*) > 1
) twice
"""
# The log tells each change of a person from where the one before it ended, and each beginning and end once.
_BROKEN_LOG = """
SELECT count(*) AS number FROM (
    SELECT previous_status, status,
        lag(status) OVER (PARTITION BY participation_id ORDER BY position) AS told_before
    FROM appointment_event WHERE participation_id IS NOT NULL) AS told
WHERE previous_status IS DISTINCT FROM told_before OR previous_status = status
UNION ALL
SELECT count(*) FROM (SELECT appointment_id FROM appointment_event WHERE kind IN ('created', 'deleted')
    GROUP BY appointment_id, kind HAVING count(*) > 1) AS repeated
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What must all be nothing."""

    lost: int
    applied_twice: int
    wrong_ends: int
    broken_log: int
    refused: int

    @property
    def is_none(self) -> bool:
        return not any((self.lost, self.applied_twice, self.wrong_ends, self.broken_log, self.refused))


@asynccontextmanager
async def settlements_counted() -> AsyncGenerator[None, None]:
    """Count the outcomes of events while the block runs."""
    await get_connection("default").execute_script(_COUNT_SETTLEMENTS)
    try:
        yield
    finally:
        await get_connection("default").execute_script(_STOP_COUNTING)


async def settled() -> None:
    """Return once no event waits."""
    async with asyncio.timeout(_SETTLED_WITHIN_SECONDS):
        while (await fetch_all(_OPEN))[0]["number"]:  # noqa: ASYNC110 - other processes settle them
            await asyncio.sleep(0.1)


async def damage_of(story: Story, *, refused: int) -> Damage:
    """Look at what an acknowledged story came to. Within settlements_counted()."""
    fingerprints = [webhook.fingerprint for webhook in story.webhooks]
    return Damage(
        lost=(await fetch_all(_LOST, fingerprints))[0]["number"],
        applied_twice=(await fetch_all(_TWICE, fingerprints))[0]["number"],
        wrong_ends=await wrong_ends(story),
        broken_log=sum(row["number"] for row in await fetch_all(_BROKEN_LOG)),
        refused=refused,
    )
