"""The two ways in: a key, or an account whose password must be renewed in time."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import orjson
import pytest
from structlog.testing import capture_logs

from clients.errors import Delivery, PartnerError, PartnerRejected, PartnerUnavailable
from clients.sirene import Establishment, SireneOutcome, sirene_outcome
from clients.sirene.access import password_expires_on
from tests.unit.clients.doubles import RecordingPacer
from tests.unit.clients.sirene import (
    GRANT,
    OTHER_SIRET,
    PASSWORD_CONFIG,
    SIRET,
    Register,
    establishment,
    many,
    one,
    refusal,
    register_with,
    token,
)

SECRETS = (GRANT.client_secret, GRANT.username, GRANT.password, "token-1", "token-2")
# Ends on 30 November: Paris is two hours ahead when it was changed, one when it ends.
CHANGED = "20260901102354Z"


@pytest.fixture
async def register() -> AsyncIterator[Register]:
    async with register_with(PASSWORD_CONFIG) as register:
        yield register


async def error_of(register: Register) -> PartnerError:
    with pytest.raises(PartnerError) as caught:
        await register.client.establishment(SIRET)
    return caught.value


async def test_two_look_ups_cost_one_token_call_and_bear_the_same_token(register: Register):
    await register.client.establishment(SIRET)
    await register.client.establishment(SIRET)

    assert register.token.call_count == 1
    form = parse_qs(register.token.calls.last.request.content.decode())
    assert form == {
        "grant_type": ["password"],
        "client_id": ["traverse-tests"],
        "client_secret": ["invented-secret"],
        "username": ["invented-account"],
        "password": ["invented-password"],
    }
    assert register.authorizations == ["Bearer token-1", "Bearer token-1"]
    assert "X-INSEE-Api-Key-Integration" not in register.get.calls.last.request.headers


async def test_a_token_call_takes_no_turn_of_the_rate(register: Register):
    await register.client.establishment(SIRET)

    assert isinstance(register.pacer, RecordingPacer)
    assert register.pacer.waits == ["sirene:calls"]


@pytest.mark.parametrize(("answer", "ttl"), [({"expires_in": 300}, 270), ({}, 270), ({"expires_in": 3600.0}, 3570)])
async def test_a_token_is_shared_until_shortly_before_its_end(register: Register, answer: dict[str, Any], ttl: int):
    register.token.mock(return_value=httpx.Response(200, json={"access_token": "token-1"} | answer))

    await register.client.establishment(SIRET)

    assert list(register.tokens.ttls.values()) == [ttl]


async def test_a_refused_token_is_replaced_once_and_the_look_up_made_again(register: Register):
    register.get.mock(side_effect=[refusal(401), httpx.Response(200, json=one())])

    found = await register.client.establishment(SIRET)

    assert found.siret == SIRET
    assert register.authorizations == ["Bearer token-1", "Bearer token-2"]


async def test_a_search_for_many_renews_its_token_too(register: Register):
    register.search.mock(side_effect=[refusal(401), httpx.Response(200, json=many(establishment()))])

    found = await register.client.establishments([SIRET, OTHER_SIRET])

    assert isinstance(found[SIRET], Establishment)
    assert register.token.call_count == 2


async def test_a_second_refusal_is_unavailable(register: Register):
    register.get.mock(return_value=refusal(401))

    error = await error_of(register)

    assert sirene_outcome(error) is SireneOutcome.SIRENE_UNAVAILABLE
    assert (register.token.call_count, register.get.call_count) == (2, 2)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"error": "invalid_grant"}),
        httpx.Response(400, json={"error": "invalid_client"}),
        httpx.Response(200, json={"token_type": "Bearer"}),
        httpx.Response(200, json={"access_token": "two\r\nlines"}),
        httpx.Response(200, json={"access_token": "ends its line\n"}),
        httpx.Response(200, json={"access_token": "token", "expires_in": "inf"}),
        httpx.Response(200, html="<h1>Maintenance</h1>"),
        httpx.Response(503),
    ],
    ids=["wrong password", "wrong client", "no token", "not for a header", "nor this", "for ever", "HTML", "503"],
)
async def test_without_a_token_there_is_no_look_up_and_an_error_in_the_log(register: Register, answer: httpx.Response):
    register.token.mock(return_value=answer)

    with capture_logs() as logs:
        error = await error_of(register)

    assert isinstance(error, PartnerUnavailable)
    assert sirene_outcome(error) is SireneOutcome.SIRENE_UNAVAILABLE
    assert error.delivery is Delivery.NOT_SENT
    assert not register.get.called
    assert {(entry["event"], entry["log_level"]) for entry in logs} == {("sirene_token_refused", "error")}


async def test_a_refused_key_is_unavailable_and_an_error_in_the_log():
    async with register_with() as register:
        register.get.mock(return_value=refusal(401))

        with capture_logs() as logs:
            error = await error_of(register)

        assert register.get.call_count == 1
    assert sirene_outcome(error) is SireneOutcome.SIRENE_UNAVAILABLE
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("sirene_key_refused", "error")]


async def test_neither_credentials_nor_tokens_are_printed_logged_or_raised(register: Register):
    register.get.mock(return_value=refusal(401))

    with capture_logs() as logs:
        error = await error_of(register)

    told = f"{PASSWORD_CONFIG!r} {error!r} {error} {vars(error)} {logs}"
    assert not any(secret in told for secret in SECRETS)


@pytest.mark.parametrize(
    ("claims", "day"),
    [
        ({"pwdChangedTime": CHANGED}, "2026-11-30"),
        ({"pwdChangedTime": "20260901230000Z"}, "2026-12-01"),  # already the next day in Paris
        ({}, None),
        ({"pwdChangedTime": None}, None),
        ({"pwdChangedTime": "2026-09-01"}, None),
        ({"pwdChangedTime": 20260901}, None),
        ({"pwdChangedTime": "99991231235959Z"}, None),
    ],
)
def test_the_password_ends_ninety_days_after_the_day_of_its_change_in_paris(claims: dict[str, Any], day: str | None):
    expires_on = password_expires_on(token(**claims))

    assert (expires_on.isoformat() if expires_on else None) == day


@pytest.mark.parametrize(
    "access_token", ["token-1", "a.b.c", "", ".", base64.b64encode(b"[]").decode(), "e30.W10.c2ln"]
)
def test_a_token_that_is_no_jwt_tells_nothing(access_token: str):
    assert password_expires_on(access_token) is None


async def warnings_after_look_up(register: Register) -> list[dict[str, Any]]:
    """What is logged by a look-up for which a token must be asked for."""
    register.tokens.values = {key: value for key, value in register.tokens.values.items() if "warning" in key}
    with capture_logs() as logs:
        await register.client.establishment(SIRET)
    return [dict(entry) for entry in logs]


async def test_the_end_of_the_password_is_announced_fifteen_days_before_and_once_a_day():
    async with register_with(PASSWORD_CONFIG, now=datetime(2026, 11, 14, 12, tzinfo=UTC)) as register:
        answer = {"access_token": token(pwdChangedTime=CHANGED), "expires_in": 300}
        register.token.mock(return_value=httpx.Response(200, json=answer))

        on_the_14th = await warnings_after_look_up(register)
        register.elapsed.append(timedelta(days=1))
        on_the_15th = await warnings_after_look_up(register)
        register.elapsed.append(timedelta(hours=1))
        an_hour_later = await warnings_after_look_up(register)

    assert on_the_14th == []
    assert on_the_15th == [
        {"event": "sirene_password_expires", "log_level": "warning", "expires_on": "2026-11-30", "days": 15}
    ]
    assert an_hour_later == []
    assert register.tokens.ttls["sirene:traverse-tests:invented-account:password-warning"] == 24 * 3600


async def test_a_token_without_the_date_of_the_password_still_serves(register: Register):
    register.token.mock(return_value=httpx.Response(200, json={"access_token": token(sub="x"), "expires_in": 300}))

    assert await warnings_after_look_up(register) == []
    assert register.get.call_count == 1


async def test_a_password_is_renewed_with_the_old_one_and_the_token(register: Register):
    await register.client.renew_password("another-invented-password")

    request = register.renewal.calls.last.request
    assert orjson.loads(request.content) == {
        "oldPassword": "invented-password",
        "newPassword": "another-invented-password",
    }
    assert request.headers["Authorization"] == "Bearer token-1"


async def test_a_new_password_that_is_refused_is_rejected_without_telling_it(register: Register):
    register.renewal.respond(400, json={"message": "too short: another-invented-password"})

    with pytest.raises(PartnerRejected) as caught:
        await register.client.renew_password("another-invented-password")

    assert "another-invented-password" not in f"{caught.value!r} {vars(caught.value)}"


@pytest.mark.parametrize("status", [500, 502])
async def test_a_renewal_is_never_repeated(register: Register, status: int):
    register.renewal.respond(status)

    with pytest.raises(PartnerUnavailable) as caught:
        await register.client.renew_password("another-invented-password")

    assert caught.value.delivery is Delivery.UNKNOWN
    assert register.renewal.call_count == 1


async def test_with_a_key_there_is_no_password_to_renew():
    async with register_with() as register:
        with pytest.raises(TypeError, match="no password to renew"):
            await register.client.renew_password("another-invented-password")
