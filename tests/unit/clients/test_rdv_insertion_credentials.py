"""The shared credentials of RDV-Solidarités: who signs in, when, and who does not."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
from structlog.testing import capture_logs

from clients.errors import Delivery, PartnerError, PartnerRateLimited, PartnerRejected, PartnerUnavailable
from clients.rdv_insertion import SignInRefused
from tests.unit.clients.doubles import BusyTokenStore, DownTokenStore, MemoryTokenStore
from tests.unit.clients.rdv_insertion import (
    CONFIG,
    INVITED,
    INVITEE,
    ORGANISATION,
    SECRETS,
    FakeRDV,
    fake_rdv,
    invite_url,
    let_others_run,
    signed_in,
)


@pytest.fixture
async def rdv() -> AsyncIterator[FakeRDV]:
    async with fake_rdv() as rdv:
        yield rdv


async def invite(rdv: FakeRDV, organisation_id: int = ORGANISATION) -> int:
    return (await rdv.client.create_and_invite(organisation_id, INVITEE)).user_id


async def error_of(rdv: FakeRDV, organisation_id: int = ORGANISATION) -> PartnerError:
    with pytest.raises(PartnerError) as caught:
        await invite(rdv, organisation_id)
    return caught.value


def refusing(status: int, *tokens: str, callers: int = 1) -> Any:
    """An RDV-Insertion that refuses these tokens, once so many callers wait for its answer."""
    barrier = asyncio.Barrier(callers)

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.headers["access-token"] not in tokens:
            return httpx.Response(200, json=INVITED)
        await barrier.wait()
        return httpx.Response(status, json={"errors": ["non"]})

    return answer


async def test_signing_in_sends_the_two_fields_as_json(rdv: FakeRDV):
    await invite(rdv)

    request = rdv.sign_in.calls.last.request
    assert request.headers["Content-Type"] == "application/json"
    assert orjson.loads(request.content) == {"email": CONFIG.email, "password": CONFIG.password}
    assert request.url.query == b""


async def test_every_call_bears_the_three_headers_of_one_sign_in(rdv: FakeRDV):
    await invite(rdv)
    await rdv.client.find_users(ORGANISATION, "zelie@exemple.test")

    for request in (rdv.invite.calls.last.request, rdv.users.calls.last.request):
        headers = [request.headers[name] for name in ("access-token", "client", "uid")]
        assert headers == ["token-1", "client-1", CONFIG.email]
    assert rdv.sign_in.call_count == 1


async def test_the_credentials_are_kept_a_little_less_than_a_day_under_a_key_that_names_nobody(rdv: FakeRDV):
    await invite(rdv)

    assert isinstance(rdv.tokens, MemoryTokenStore)
    assert [*rdv.tokens.ttls.values()] == [86_000]
    assert not any(CONFIG.email in key for key in rdv.tokens.values)


async def test_twenty_calls_of_two_processes_without_credentials_make_one_sign_in(rdv: FakeRDV):
    clients = [rdv.client, rdv.other_process()] * 10

    await asyncio.gather(*(client.create_and_invite(ORGANISATION, INVITEE) for client in clients))

    assert rdv.sign_in.call_count == 1
    assert set(rdv.tokens_used()) == {"token-1"}


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_calls_of_two_processes_at_once_make_one_new_sign_in_and_all_succeed(rdv: FakeRDV, status: int):
    await invite(rdv)
    rdv.invite.mock(side_effect=refusing(status, "token-1", callers=16))
    clients = [rdv.client, rdv.other_process()] * 8

    answers = await asyncio.gather(*(client.create_and_invite(ORGANISATION, INVITEE) for client in clients))

    assert [answer.user_id for answer in answers] == [3432] * 16
    assert rdv.sign_in.call_count == 2


async def test_a_call_refused_with_credentials_that_somebody_renewed_meanwhile_uses_theirs(rdv: FakeRDV):
    await invite(rdv)
    other = rdv.other_process()
    rdv.invite.mock(side_effect=refusing(401, "token-1"))
    await other.create_and_invite(ORGANISATION, INVITEE)

    await invite(rdv)

    assert rdv.sign_in.call_count == 2
    assert rdv.tokens_used()[-1] == "token-2"


async def test_a_second_401_is_the_answer_and_may_heal(rdv: FakeRDV):
    rdv.invite.respond(401, json={"errors": ["non"]})

    error = await error_of(rdv)

    assert type(error) is PartnerUnavailable
    assert (error.operation, error.code, error.delivery) == ("create_and_invite", "401", Delivery.REFUSED)
    assert (rdv.invite.call_count, rdv.sign_in.call_count) == (2, 2)


async def test_a_lasting_403_renews_once_in_five_minutes_and_leaves_the_others_alone(rdv: FakeRDV):
    async def forbid(_: httpx.Request) -> httpx.Response:
        await let_others_run()
        return httpx.Response(403, json={"errors": ["non"]})

    rdv.router.post(invite_url(659)).mock(side_effect=forbid)
    await invite(rdv)

    concurrent = await asyncio.gather(*(error_of(rdv, 659) for _ in range(20)))
    again = await error_of(rdv, 659)
    await invite(rdv)

    assert {type(error) for error in (again, *concurrent)} == {PartnerRejected}
    assert {(error.code, error.delivery) for error in (again, *concurrent)} == {("403", Delivery.REFUSED)}
    assert rdv.sign_in.call_count == 2
    assert rdv.tokens_used()[-1] == "token-2"


async def test_another_process_knows_of_a_lasting_403_as_well(rdv: FakeRDV):
    rdv.router.post(invite_url(659)).respond(403)
    await error_of(rdv, 659)

    with pytest.raises(PartnerRejected):
        await rdv.other_process().create_and_invite(659, INVITEE)

    assert rdv.sign_in.call_count == 2


async def test_after_five_minutes_a_403_may_renew_again(rdv: FakeRDV):
    assert isinstance(rdv.tokens, MemoryTokenStore)
    rdv.router.post(invite_url(659)).respond(403)
    await error_of(rdv, 659)
    rdv.clock.advance(301)
    for key in [key for key in rdv.tokens.values if "forbidden" in key]:
        await rdv.tokens.delete(key)  # what its time to live does

    await error_of(rdv, 659)

    assert rdv.sign_in.call_count == 3


async def test_a_403_that_a_renewal_healed_is_forgotten(rdv: FakeRDV):
    rdv.invite.mock(side_effect=refusing(403, "token-1"))
    await invite(rdv)
    rdv.invite.mock(side_effect=refusing(403, "token-2"))

    await invite(rdv)

    assert rdv.sign_in.call_count == 3


async def test_calls_refused_by_403_at_once_all_take_the_renewal_of_the_first(rdv: FakeRDV):
    await invite(rdv)
    rdv.invite.mock(side_effect=refusing(403, "token-1", callers=8))

    answers = await asyncio.gather(*(invite(rdv) for _ in range(8)))

    assert answers == [3432] * 8
    assert rdv.sign_in.call_count == 2


async def test_refused_credentials_of_ours_are_rejected_and_somebody_is_told(rdv: FakeRDV):
    rdv.sign_in.respond(401, json={"success": False, "errors": ["Identifiant incorrect"]})

    with capture_logs() as logged:
        error = await error_of(rdv)

    assert isinstance(error, SignInRefused)
    assert (error.code, error.delivery) == ("401", Delivery.NOT_SENT)
    assert [(entry["event"], entry["log_level"]) for entry in logged] == [
        ("rdv_solidarites_credentials_refused", "error")
    ]
    assert not any(secret in f"{error!r} {error} {logged}" for secret in SECRETS)
    assert not rdv.invite.called


@pytest.mark.parametrize("missing", ["access-token", "client", "uid"])
async def test_a_sign_in_without_one_of_the_three_headers_is_not_kept(rdv: FakeRDV, missing: str):
    headers = {"access-token": "token-1", "client": "client-1", "uid": CONFIG.email}
    del headers[missing]
    rdv.sign_in.respond(200, headers=headers, json={"data": {}})

    error = await error_of(rdv)

    assert (error.operation, error.code, error.delivery) == ("sign_in", "unexpected_shape", Delivery.NOT_SENT)
    assert isinstance(rdv.tokens, MemoryTokenStore)
    assert rdv.tokens.values == {}


@pytest.mark.parametrize(
    ("trouble", "kind", "code"),
    [
        ({"side_effect": httpx.ConnectTimeout}, PartnerUnavailable, "http_error"),
        ({"side_effect": httpx.ReadTimeout}, PartnerUnavailable, "http_error"),
        ({"side_effect": httpx.ReadError}, PartnerUnavailable, "http_error"),
        ({"return_value": httpx.Response(500)}, PartnerUnavailable, "500"),
        ({"return_value": httpx.Response(503, html="<h1>Maintenance</h1>")}, PartnerUnavailable, "503"),
        ({"return_value": httpx.Response(429, headers={"Retry-After": "30"})}, PartnerRateLimited, "429"),
        ({"return_value": httpx.Response(404)}, PartnerRejected, "404"),
    ],
)
async def test_without_credentials_nothing_is_sent(
    rdv: FakeRDV, trouble: dict[str, Any], kind: type[PartnerError], code: str
):
    rdv.sign_in.mock(**{"side_effect": None, **trouble})

    error = await error_of(rdv)

    assert type(error) is kind
    assert (error.operation, error.code, error.delivery) == ("sign_in", code, Delivery.NOT_SENT)
    assert not rdv.invite.called


async def test_a_failed_sign_in_is_not_remembered(rdv: FakeRDV):
    rdv.sign_in.mock(side_effect=[httpx.Response(500), signed_in(9)])
    await error_of(rdv)

    assert await invite(rdv) == 3432
    assert rdv.tokens_used() == ["token-9"]


async def test_credentials_that_were_refused_are_not_tried_again_after_a_failed_renewal(rdv: FakeRDV):
    await invite(rdv)
    rdv.invite.mock(side_effect=refusing(401, "token-1"))
    rdv.sign_in.mock(side_effect=[httpx.Response(503), signed_in(9)])
    await error_of(rdv)

    await rdv.other_process().create_and_invite(ORGANISATION, INVITEE)

    assert rdv.tokens_used() == ["token-1", "token-1", "token-9"]


async def test_callers_that_queued_behind_a_failed_sign_in_share_its_failure(rdv: FakeRDV):
    started, failing = asyncio.Event(), asyncio.Event()

    async def slow_failure(request: httpx.Request) -> httpx.Response:
        started.set()
        await failing.wait()
        return httpx.Response(500)

    rdv.sign_in.mock(side_effect=slow_failure)
    calls = [asyncio.create_task(invite(rdv)) for _ in range(20)]
    await started.wait()
    failing.set()

    ended = await asyncio.gather(*calls, return_exceptions=True)

    assert {getattr(error, "code", None) for error in ended} == {"500"}
    assert rdv.sign_in.call_count == 1


async def test_rdv_insertion_refusing_while_rdv_solidarites_is_down_is_unavailable_and_not_a_wrong_password(
    rdv: FakeRDV,
):
    await invite(rdv)
    rdv.invite.respond(401, json={"errors": ["non"]})
    rdv.sign_in.respond(503)

    error = await error_of(rdv)

    assert type(error) is PartnerUnavailable
    assert (error.operation, error.code, error.delivery) == ("sign_in", "503", Delivery.NOT_SENT)


async def test_a_lock_that_is_not_obtained_in_time_is_unavailable_and_nobody_signs_in():
    async with fake_rdv(BusyTokenStore()) as rdv:
        error = await error_of(rdv)

        assert type(error) is PartnerUnavailable
        assert (error.operation, error.code, error.delivery) == ("sign_in", "busy", Delivery.NOT_SENT)
        assert not rdv.sign_in.called


async def test_while_the_cache_is_down_a_process_remembers_its_own_credentials():
    async with fake_rdv(DownTokenStore()) as rdv:
        await asyncio.gather(*(invite(rdv) for _ in range(20)))
        rdv.invite.mock(side_effect=refusing(401, "token-1"))
        await invite(rdv)

        assert rdv.sign_in.call_count == 2


async def test_a_wiped_cache_costs_one_sign_in_at_most(rdv: FakeRDV):
    await invite(rdv)
    assert isinstance(rdv.tokens, MemoryTokenStore)
    rdv.tokens.expire()

    await rdv.other_process().create_and_invite(ORGANISATION, INVITEE)
    await invite(rdv)

    assert rdv.sign_in.call_count == 2
    assert rdv.tokens_used() == ["token-1", "token-2", "token-2"]


async def test_credentials_remembered_for_their_whole_life_are_not_used_any_more(rdv: FakeRDV):
    await invite(rdv)
    assert isinstance(rdv.tokens, MemoryTokenStore)
    rdv.tokens.expire()
    rdv.clock.advance(86_001)

    await invite(rdv)

    assert rdv.tokens_used() == ["token-1", "token-2"]


async def test_a_sign_in_that_outlived_its_lock_is_not_shared(rdv: FakeRDV):
    def slow(_: httpx.Request) -> httpx.Response:
        rdv.clock.advance(16)
        return signed_in(1)

    rdv.sign_in.mock(side_effect=slow)

    await invite(rdv)

    assert isinstance(rdv.tokens, MemoryTokenStore)
    assert rdv.tokens.values == {}
    assert rdv.tokens_used() == ["token-1"]


@pytest.mark.parametrize(
    "value",
    [
        "Bearer something-else",
        '{"access_token":"token-1","client":"client"}',
        '{"access_token":"token-1\\n","client":"client","uid":"agent@exemple.test"}',
    ],
)
async def test_what_another_version_left_in_the_cache_is_replaced(rdv: FakeRDV, value: str):
    await invite(rdv)
    assert isinstance(rdv.tokens, MemoryTokenStore)
    key = next(iter(rdv.tokens.values))
    rdv.tokens.values[key] = value

    await rdv.other_process().create_and_invite(ORGANISATION, INVITEE)

    assert rdv.tokens_used()[-1] == "token-2"


async def test_two_environments_never_share_credentials():
    store = MemoryTokenStore()
    async with fake_rdv(store) as rdv:
        await invite(rdv)
    async with fake_rdv(store, email="autre.agent@exemple.test") as rdv:
        await invite(rdv)

    assert len(store.values) == 2


def test_the_credentials_are_not_in_the_text_of_the_configuration():
    assert not any(secret in repr(CONFIG) for secret in SECRETS)
