"""The simulated token door."""

import httpx
import pytest

from sandbox.app import Sandbox
from sandbox.france_travail import SimulatedFranceTravail
from tests.unit.sandbox.conftest import SEARCH, TOKEN, Caller, SandboxTime


async def test_right_credentials_get_a_token_with_its_lifetime(http: httpx.AsyncClient):
    answer = await Caller(http).get_token()

    assert answer.status_code == 200
    assert answer.json().keys() == {"scope", "expires_in", "token_type", "access_token"}
    assert (answer.json()["expires_in"], answer.json()["token_type"]) == (1499, "Bearer")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "PAR_other"}, "invalid_client"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"scope": "passIAE"}, "invalid_scope"),
        ({"scope": "application_PAR_traverse_sandbox api_offresdemploiv2"}, "invalid_scope"),
    ],
)
async def test_wrong_credentials_or_scopes_are_refused_with_the_oauth_error(
    http: httpx.AsyncClient, changes: dict[str, str], error: str
):
    answer = await Caller(http).get_token(**changes)

    assert (answer.status_code, answer.json()["error"]) == (400, error)


@pytest.mark.parametrize("query", ["", "?realm=/agent", "?realm=partenaire"])
async def test_a_realm_that_is_not_in_the_query_is_refused(http: httpx.AsyncClient, query: str):
    answer = await http.post(TOKEN + query, data={"realm": "/partenaire"})

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_credentials_in_json_are_refused(http: httpx.AsyncClient):
    answer = await http.post(TOKEN + "?realm=/partenaire", json={"grant_type": "client_credentials"})

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer unknown", "Basic abc"])
async def test_a_data_call_without_a_token_of_ours_is_401(http: httpx.AsyncClient, authorization: str):
    answer = await http.post(SEARCH, json={}, headers={"Authorization": authorization})

    assert answer.status_code == 401


async def test_a_token_ends_after_its_lifetime(caller: Caller, time: SandboxTime):
    time.advance(seconds=1498)
    assert (await caller.search()).status_code == 200

    time.advance(seconds=1)

    assert (await caller.search()).status_code == 401


async def test_a_new_token_leaves_the_earlier_one_in_force(caller: Caller, http: httpx.AsyncClient):
    await Caller(http).get_token()

    assert (await caller.search()).status_code == 200


async def test_a_token_without_the_scope_of_the_call_is_403(http: httpx.AsyncClient):
    caller = Caller(http)
    await caller.get_token(scope="application_PAR_traverse_sandbox api_maj-pass-iaev1 passIAE")

    assert (await caller.search()).status_code == 403


async def test_lost_sessions_make_every_token_401(caller: Caller, sandbox: Sandbox):
    partner = sandbox.partners["france-travail"]
    assert isinstance(partner, SimulatedFranceTravail)

    partner.tokens.revoke_all()

    assert (await caller.search()).status_code == 401
