"""One process that calls RDV-Insertion twenty times at once. Arguments: the sandbox's address, Valkey's address."""

import asyncio
import sys

import redis.asyncio

from clients.rdv_insertion import RDVInsertionClient, RDVInsertionConfig, build_rdv_insertion_http
from clients.token_store import ValkeyTokenStore
from sandbox.rdv.settings import AGENT_EMAIL, AGENT_PASSWORD
from tests.unit.clients.doubles import RecordingPacer

CALLS = 20


async def call_at_once(sandbox_url: str, redis_url: str) -> None:
    config = RDVInsertionConfig(
        base_url=f"{sandbox_url}/rdv-insertion/api/v1",
        rdv_solidarites_base_url=f"{sandbox_url}/rdv-solidarites/api/v1",
        email=AGENT_EMAIL,
        password=AGENT_PASSWORD,
    )
    valkey: redis.asyncio.Redis = redis.asyncio.from_url(redis_url)
    async with build_rdv_insertion_http(config) as http:
        client = RDVInsertionClient(config, http, ValkeyTokenStore(valkey), RecordingPacer())
        await asyncio.gather(*(client.find_users(651, f"personne{number}@exemple.test") for number in range(CALLS)))
    await valkey.aclose()


if __name__ == "__main__":
    asyncio.run(call_at_once(*sys.argv[1:3]))
