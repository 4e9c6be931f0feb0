"""POST /oauth/token as a machine client calls it, and what its tokens open."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import quote_plus

import asyncpg
import httpx
import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Route

from execution.engine import GraphQLEngine
from models import Company, PartnerClient
from models.database import DatabaseConfig, connection_parameters
from models.enums import PartnerScope
from resolvers.context import Resources
from resolvers.viewers import load_viewer, reload_viewers
from schema.token_endpoint import TokenEndpoint
from services.partners import Credentials, register, revoke
from services.rate_limits import Limiter, Policy
from services.tokens import PARTNER_ISSUER, InvalidToken, PartnerTokens, TokenVerifier
from tests.factories import make_appointment, make_company, make_employer, make_job_seeker, make_participation
from tests.integration.schema.client import AUDIENCE, HS256_KEY, ISSUER, GraphQLClient, serve, token_for
from tests.waiting import until

KEY = b"tests-only-partner-key-32-bytes!"
OTHER_KEY = b"another-key-of-thirty-two-bytes!"
TOKENS = PartnerTokens(audience=AUDIENCE, key=KEY, lifetime=timedelta(minutes=15))
VERIFIER = TokenVerifier(issuer=ISSUER, audience=AUDIENCE, hs256_key=HS256_KEY, partner_key=KEY)
GRANT = {"grant_type": "client_credentials"}
READ = "{ viewer { kind } appointments(first: 5) { nodes { id } } }"
READ_PARTS = "{ participations(first: 5) { nodes { id jobSeeker { lastName } } } }"


@pytest.fixture
async def door(database: object) -> AsyncIterator[httpx.AsyncClient]:
    async with door_with(Limiter(Policy(name="tests", quota=600))) as client:
        yield client


def door_with(limiter: Limiter) -> httpx.AsyncClient:
    endpoint = TokenEndpoint(TOKENS, limiter)
    app = Starlette(routes=[Route("/oauth/token", endpoint.__call__, methods=["POST"])])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver")


@dataclass(frozen=True)
class Machine:
    """A machine client and its company."""

    credentials: Credentials
    company: Company

    @property
    def basic(self) -> dict[str, str]:
        return basic(self.credentials.client_id, self.credentials.secret)

    @property
    def in_body(self) -> dict[str, str]:
        return {"client_id": self.credentials.client_id, "client_secret": self.credentials.secret}


def basic(client_id: str, secret: str) -> dict[str, str]:
    joined = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return {"Authorization": f"Basic {base64.b64encode(joined.encode()).decode()}"}


@pytest.fixture
async def machine(database: object) -> Machine:
    company = await make_company()
    scopes = [PartnerScope.READ_APPOINTMENTS, PartnerScope.READ_PARTICIPATIONS]
    credentials = await register("Logiciel Inventé", scopes=scopes, sirets=[company.siret], now=datetime.now(UTC))
    return Machine(credentials, company)


@pytest.fixture
async def api(door: object, engine: GraphQLEngine, resources: Resources) -> AsyncIterator[GraphQLClient]:
    async with serve(engine, resources, verifier=VERIFIER) as client:
        yield client


async def token_of(door: httpx.AsyncClient, machine: Machine, **more: str) -> str:
    answer = await door.post("/oauth/token", data=GRANT | more, headers=machine.basic)
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


@pytest.mark.parametrize("way", ["basic", "body"])
async def test_a_machine_client_gets_a_token_for_a_while(door: httpx.AsyncClient, machine: Machine, way: str):
    if way == "basic":
        answer = await door.post("/oauth/token", data=GRANT, headers=machine.basic)
    else:
        answer = await door.post("/oauth/token", data=GRANT | machine.in_body)

    given_out = answer.json()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    assert {key: value for key, value in given_out.items() if key != "access_token"} == {
        "token_type": "Bearer",
        "expires_in": 900,
        "scope": "appointments:read participations:read",
    }
    claims = await VERIFIER.verify(given_out["access_token"])
    assert claims.subject == machine.credentials.client_id
    assert claims.expires_at - datetime.now(UTC) <= timedelta(minutes=15)


async def test_the_token_opens_what_its_company_has_and_nothing_else(
    door: httpx.AsyncClient, api: GraphQLClient, machine: Machine
):
    own = await make_appointment(machine.company)
    await make_appointment(await make_company())
    await make_participation(await make_job_seeker(), own)

    answer = await api(READ, token=await token_of(door, machine))

    assert answer.data["viewer"] == {"kind": "PARTNER"}
    assert len(answer.data["appointments"]["nodes"]) == 1


async def test_a_token_may_be_asked_for_with_less_scope(door: httpx.AsyncClient, api: GraphQLClient, machine: Machine):
    await make_participation(await make_job_seeker(), await make_appointment(machine.company))

    narrow = await token_of(door, machine, scope="appointments:read")

    assert len((await api(READ, token=narrow)).data["appointments"]["nodes"]) == 1
    assert (await api(READ_PARTS, token=narrow)).data["participations"]["nodes"] == []
    assert len((await api(READ_PARTS, token=await token_of(door, machine))).data["participations"]["nodes"]) == 1


async def test_a_narrow_token_stays_narrow_while_it_is_listened_with(door: httpx.AsyncClient, machine: Machine):
    viewer = await load_viewer(await VERIFIER.verify(await token_of(door, machine, scope="appointments:read")))

    [again] = await reload_viewers([viewer])

    assert again is not None
    assert again.partner_scopes == {"appointments:read"}


@pytest.mark.parametrize("scope", ["everything", "appointments:read everything", " ", "APPOINTMENTS:READ"])
async def test_a_scope_that_was_not_given_is_refused(door: httpx.AsyncClient, machine: Machine, scope: str):
    answer = await door.post("/oauth/token", data=GRANT | {"scope": scope}, headers=machine.basic)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


async def test_revoking_takes_effect_at_once(door: httpx.AsyncClient, api: GraphQLClient, machine: Machine):
    token = await token_of(door, machine)
    viewer = await load_viewer(await VERIFIER.verify(token))

    await revoke(machine.credentials.client_id, now=datetime.now(UTC))

    assert (await api(READ, token=token)).codes == ["UNAUTHENTICATED"]
    assert await reload_viewers([viewer]) == [None]
    answer = await door.post("/oauth/token", data=GRANT, headers=machine.basic)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_a_postgresql_that_ends_meanwhile_is_told_as_an_outage(
    door: httpx.AsyncClient, machine: Machine, database: DatabaseConfig
):
    """The client is to come back, and not to give up."""
    holder: Any = await cast("Any", asyncpg).connect(**connection_parameters(database.url))
    try:
        await holder.execute("BEGIN; LOCK TABLE partner_client IN ACCESS EXCLUSIVE MODE")
        asking = asyncio.create_task(door.post("/oauth/token", data=GRANT, headers=machine.basic))

        async def is_ended() -> bool:
            return await holder.fetchval(
                "SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()"
            )

        await until(is_ended)
        answer = await asking
    finally:
        await holder.close()

    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert int(answer.headers["retry-after"]) > 0


async def test_a_scope_that_was_taken_away_is_gone_at_once(
    door: httpx.AsyncClient, api: GraphQLClient, machine: Machine
):
    await make_appointment(machine.company)
    token = await token_of(door, machine)

    await PartnerClient.filter(subject=machine.credentials.client_id).update(scopes=["participations:read"])

    assert (await api(READ, token=token)).data["appointments"]["nodes"] == []


@pytest.mark.parametrize(
    "wrong", ["unknown client", "wrong secret", "no colon", "not base64", "bearer", "nothing", "no secret"]
)
async def test_who_cannot_be_identified_is_refused_without_a_hint(
    door: httpx.AsyncClient, machine: Machine, wrong: str
):
    headers: dict[str, dict[str, str]] = {
        "unknown client": basic("nobody", machine.credentials.secret),
        "wrong secret": basic(machine.credentials.client_id, "wrong"),
        "no colon": {"Authorization": f"Basic {base64.b64encode(b'abc').decode()}"},
        "not base64": {"Authorization": "Basic é".encode("latin-1").decode("latin-1")},
        "bearer": {"Authorization": f"Bearer {machine.credentials.secret}"},
    }
    body = {"client_id": machine.credentials.client_id} if wrong == "no secret" else {}

    answer = await door.post(
        "/oauth/token",
        data=GRANT | body,
        headers={name: value.encode("latin-1") for name, value in headers.get(wrong, {}).items()},  # pyright: ignore[reportArgumentType]: httpx takes bytes
    )

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"] == 'Basic realm="traverse"'
    assert machine.credentials.secret not in answer.text


async def test_an_unknown_client_and_a_wrong_secret_are_answered_alike(door: httpx.AsyncClient, machine: Machine):
    unknown = await door.post("/oauth/token", data=GRANT, headers=basic("nobody", "wrong"))

    wrong = await door.post("/oauth/token", data=GRANT, headers=basic(machine.credentials.client_id, "wrong"))

    assert unknown.content == wrong.content


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ("", "invalid_client"),
        ("grant_type=password", "unsupported_grant_type"),
        ("grant_type=authorization_code&code=1", "unsupported_grant_type"),
        ("grant_type=", "invalid_request"),
        ("scope=appointments%3Aread", "invalid_request"),
        ("grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        ("grant_type=client_credentials&client_secret=twice", "invalid_request"),
        ("grant_type=%FF", "invalid_request"),
        ("&".join(f"field{number}=1" for number in range(30)), "invalid_request"),
    ],
)
async def test_a_form_that_asks_for_something_else_is_refused(
    door: httpx.AsyncClient, machine: Machine, form: str, error: str
):
    headers = {"Content-Type": "application/x-www-form-urlencoded", **(machine.basic if form else {})}

    answer = await door.post("/oauth/token", content=form, headers=headers)

    assert answer.json()["error"] == error
    assert "access_token" not in answer.text


@pytest.mark.parametrize("media_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
async def test_only_forms_are_read(door: httpx.AsyncClient, machine: Machine, media_type: str):
    headers = machine.basic | {"Content-Type": media_type}

    answer = await door.post("/oauth/token", content="grant_type=client_credentials", headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_credentials_in_the_address_are_not_read(door: httpx.AsyncClient, machine: Machine):
    answer = await door.post("/oauth/token", params=machine.in_body, data=GRANT)

    assert answer.status_code == 401


async def test_a_large_body_is_refused(door: httpx.AsyncClient, machine: Machine):
    headers = machine.basic | {"Content-Type": "application/x-www-form-urlencoded"}

    answer = await door.post("/oauth/token", content=b"a=" + b"b" * 9_000, headers=headers)

    assert answer.status_code == 413


async def test_nothing_is_given_for_a_get(door: httpx.AsyncClient, machine: Machine):
    answer = await door.get("/oauth/token", headers=machine.basic)

    assert answer.status_code == 405
    assert "POST" in answer.headers["allow"]


async def test_an_address_that_asks_too_often_waits(machine: Machine):
    async with door_with(Limiter(Policy(name="partner-tokens", quota=2))) as door:
        statuses = [(await door.post("/oauth/token", data=GRANT, headers=machine.basic)).status_code for _ in range(3)]
        last = await door.post("/oauth/token", data=GRANT, headers=machine.basic)

    assert statuses == [200, 200, 429]
    assert 1 <= int(last.headers["retry-after"]) <= 60
    assert last.json()["error"] == "slow_down"
    assert last.headers["ratelimit-policy"] == '"partner-tokens";q=2;qu="requests";w=60'


@given(body=st.binary(max_size=300), authorization=st.none() | st.text(st.characters(max_codepoint=255), max_size=80))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_comes_the_door_answers_in_its_own_words(
    door: httpx.AsyncClient, body: bytes, authorization: str | None
):
    raw: list[tuple[bytes, bytes]] = [(b"content-type", b"application/x-www-form-urlencoded")]
    if authorization is not None:
        visible = "".join(letter for letter in authorization if letter.isprintable()).strip()
        raw.append((b"authorization", visible.encode("latin-1")))

    answer = await door.post("/oauth/token", content=body, headers=raw)

    assert answer.status_code in {400, 401, 413, 429}
    assert set(answer.json()) == {"error", "error_description"}


# -- tokens that are not ours, or not for this


def forged(**changes: Any) -> str:
    now = datetime.now(UTC)
    claims: dict[str, Any] = {
        "iss": PARTNER_ISSUER,
        "aud": AUDIENCE,
        "sub": "somebody",
        "scope": "appointments:read",
        "iat": now,
        "exp": now + timedelta(minutes=5),
    }
    key = changes.pop("key", KEY)
    algorithm = changes.pop("algorithm", "HS256")
    headers = {"kid": "traverse-partners", "typ": "at+jwt"} | changes.pop("headers", {})
    claims |= changes
    return jwt.encode(
        {name: value for name, value in claims.items() if value is not None}, key, algorithm=algorithm, headers=headers
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"key": OTHER_KEY}, "signature"),
        ({"key": HS256_KEY}, "signature"),
        ({"algorithm": "none", "key": None}, "signature or form"),
        ({"iss": ISSUER}, "another issuer"),
        ({"aud": "elsewhere"}, "another audience"),
        ({"exp": datetime.now(UTC) - timedelta(hours=1)}, "expired"),
        ({"scope": None}, "claim `scope` is missing"),
        ({"headers": {"typ": "JWT"}}, "does not accept"),
    ],
)
async def test_a_token_that_was_not_given_here_is_not_believed(changes: dict[str, Any], reason: str):
    with pytest.raises(InvalidToken, match=reason):
        await VERIFIER.verify(forged(**changes))


async def test_a_server_that_gives_no_tokens_believes_none_of_them():
    with pytest.raises(InvalidToken, match="does not accept"):
        await TokenVerifier(issuer=ISSUER, audience=AUDIENCE, hs256_key=HS256_KEY).verify(forged())


async def test_the_key_of_partners_opens_nothing_for_people(api: GraphQLClient):
    company = await make_company()
    employer = await make_employer(company)

    answer = await api(READ, token=forged(sub=employer.subject))
    with_organization = await api(READ, token=forged(sub=employer.subject, org=str(company.id)))

    assert answer.codes == with_organization.codes == ["UNAUTHENTICATED"]


async def test_the_token_of_a_person_still_opens(api: GraphQLClient):
    company = await make_company()

    answer = await api("{ viewer { kind } }", token=token_for(await make_employer(company), company))

    assert answer.data["viewer"] == {"kind": "EMPLOYER"}
