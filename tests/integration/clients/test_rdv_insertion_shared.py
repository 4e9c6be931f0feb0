"""Two clients with memories of their own share credentials through Valkey, and their pace through PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
import redis.asyncio

from clients.errors import PartnerRejected
from clients.rdv_insertion import PACE_KEYS, RDVInsertionClient
from clients.token_store import ValkeyTokenStore
from models import PacingGate
from services.pacing import PostgresPacer
from tests.unit.clients.doubles import MemoryTokenStore
from tests.unit.clients.rdv_insertion import CONFIG, INVITED, INVITEE, ORGANISATION, FakeRDV, fake_rdv, invite_url

TOKEN = "access-token"
_A_SLOT = timedelta(seconds=5)


@pytest.fixture
async def rdv(valkey: redis.asyncio.Redis) -> AsyncIterator[FakeRDV]:
    async with fake_rdv(ValkeyTokenStore(valkey)) as rdv:
        yield rdv


async def invite_with(*clients: RDVInsertionClient, times: int, organisation: int = ORGANISATION) -> None:
    await asyncio.gather(*(client.create_and_invite(organisation, INVITEE) for client in clients for _ in range(times)))


async def test_twenty_calls_of_two_clients_without_credentials_are_one_sign_in(rdv: FakeRDV):
    await invite_with(rdv.client, rdv.other_process(), times=10)

    assert rdv.sign_in.call_count == 1
    assert rdv.tokens_used() == ["token-1"] * 20


async def test_twenty_calls_refused_with_the_shared_token_are_one_new_sign_in_and_all_succeed(rdv: FakeRDV):
    await rdv.client.create_and_invite(ORGANISATION, INVITEE)

    async def refuse_the_first(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        return httpx.Response(401) if request.headers[TOKEN] == "token-1" else httpx.Response(200, json=INVITED)

    rdv.invite.side_effect = refuse_the_first

    await invite_with(rdv.client, rdv.other_process(), times=10)

    assert rdv.sign_in.call_count == 2
    assert rdv.tokens_used().count("token-2") == 20


async def test_a_lasting_403_of_one_organisation_costs_one_sign_in_and_the_others_nothing(rdv: FakeRDV):
    forbidden, other = ORGANISATION + 1, rdv.other_process()
    refused = rdv.router.post(invite_url(forbidden)).respond(403, json={"errors": ["non"]})

    for client in (rdv.client, other, rdv.client, other):
        with pytest.raises(PartnerRejected) as error:
            await client.create_and_invite(forbidden, INVITEE)
        assert error.value.code == "403"
        await client.create_and_invite(ORGANISATION, INVITEE)

    assert rdv.sign_in.call_count == 2
    assert refused.call_count == 5
    assert rdv.tokens_used() == ["token-2"] * 4


async def test_the_pace_is_one_for_two_clients(database: object):
    async with fake_rdv(MemoryTokenStore()) as rdv:
        rates = dict.fromkeys(PACE_KEYS.values(), 50.0)
        clients = [
            RDVInsertionClient(CONFIG, rdv.http, rdv.tokens, PostgresPacer(rates), clock=rdv.clock) for _ in range(2)
        ]
        await clients[0].create_and_invite(ORGANISATION, INVITEE)
        first = await PacingGate.get(key=PACE_KEYS["create_and_invite"])

        await invite_with(*clients, times=5)

        last = await PacingGate.get(key=PACE_KEYS["create_and_invite"])
    # Ten calls at fifty a second: the gate moved on by ten fiftieths at least, whoever called.
    assert (last.next_free_at - first.next_free_at).total_seconds() >= 0.2


async def test_a_429_closes_the_gates_of_the_other_client_as_well(database: object):
    async with fake_rdv(MemoryTokenStore()) as rdv:
        rates = CONFIG.pace_rates()
        client = RDVInsertionClient(CONFIG, rdv.http, rdv.tokens, PostgresPacer(rates), clock=rdv.clock)
        rdv.invite.respond(429, headers={"Retry-After": "300"})
        before = await PacingGate.all().count()

        with pytest.raises(Exception, match="retry after 300 s"):
            await client.create_and_invite(ORGANISATION, INVITEE)

        closed = {gate.key: gate.next_free_at for gate in await PacingGate.all()}
    assert before == 0
    assert set(closed) == set(PACE_KEYS.values())
    assert max(closed.values()) - min(closed.values()) < _A_SLOT
