"""Tokens at the door: each one that is not to be believed is 401, says so, and learns nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
import respx
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from clients.breaker import BreakerPolicy
from clients.http import CallPolicy, PartnerHTTP, build_http_client
from clients.jwks import JWKSClient
from execution.engine import GraphQLEngine
from models import Company, Membership, User
from models.enums import UserKind
from resolvers.context import Resources
from services.tokens import TokenVerifier
from tests.factories import (
    make_company,
    make_employer,
    make_institution,
    make_partner_client,
    make_prescriber_organization,
    make_user,
)
from tests.integration.schema.client import AUDIENCE, HS256_KEY, ISSUER, Answer, GraphQLClient, serve, token_for

WHO = "{ viewer { kind organization { ... on Node { id } } } }"
MARK = "1850599999042"
JWKS_URL = "https://identity.example/jwks"


@pytest.fixture
async def employer(graphql: GraphQLClient) -> tuple[User, Company]:
    company = await make_company()
    return await make_employer(company), company


def assert_unauthenticated(answer: Answer) -> str:
    """A 401 in JSON with a challenge; returns what it says."""
    assert answer.status == 401, answer.body
    assert answer.codes == ["UNAUTHENTICATED"]
    assert set(answer.body) == {"errors"}
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="traverse", error="invalid_token", error_description="')
    assert MARK not in json.dumps(answer.body) + challenge
    return answer.body["errors"][0]["message"]


NOW = datetime.now(UTC)
WRONG: dict[str, dict[str, Any]] = {
    "token: expired": {"now": NOW - timedelta(hours=2)},
    "token: not valid yet": {"now": NOW + timedelta(days=1)},
    "token: meant for another audience": {"audience": MARK},
    "token: given by another issuer": {"issuer": MARK},
    "token: its signature or form is wrong": {"key": "another key of at least thirty-two bytes"},
    "token: its account is unknown or closed": {"subject": MARK, "organization_id": None},
}


@pytest.mark.parametrize("message", WRONG)
async def test_a_wrong_token_is_401(graphql: GraphQLClient, employer: tuple[User, Company], message: str):
    answer = await graphql(WHO, token=token_for(*employer, **WRONG[message]))

    assert assert_unauthenticated(answer) == message


@pytest.mark.parametrize("late", [-58, 58])
async def test_clocks_may_differ_by_a_minute(graphql: GraphQLClient, employer: tuple[User, Company], late: int):
    issued = datetime.now(UTC) - timedelta(seconds=late)
    lifetime = timedelta(seconds=1) if late > 0 else timedelta(hours=1)

    answer = await graphql(WHO, token=token_for(*employer, now=issued, lifetime=lifetime))

    assert answer.data["viewer"]["kind"] == "EMPLOYER"


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        f"Token {MARK}",
        MARK,
        "",
        f"Bearer {MARK}",
        f"Bearer {MARK}.{MARK}.{MARK}",
        "Bearer null",
        "Bearer é.é.é",
        "Bearer a.b.c, Bearer d.e.f",
        "Bearer " + "a" * 60_000,
        'Bearer "\\',
    ],
)
async def test_a_header_that_is_no_bearer_token_is_401(graphql: GraphQLClient, header: str):
    response = await graphql.http.post(
        "/graphql", json={"query": WHO}, headers=[(b"Authorization", header.encode("latin-1"))]
    )

    assert_unauthenticated(Answer(response.status_code, response.json(), response.headers))


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_public_fields_are_no_excuse_for_a_wrong_token(graphql: GraphQLClient, accept: str):
    answer = await graphql("{ departments { code } }", token="a.b.c", headers={"Accept": accept})

    assert_unauthenticated(answer)
    assert answer.headers["content-type"].startswith(accept)


async def test_the_scheme_has_no_case(graphql: GraphQLClient, employer: tuple[User, Company]):
    response = await graphql.http.post(
        "/graphql", json={"query": WHO}, headers={"Authorization": f"bEARER  {token_for(*employer)} "}
    )

    assert response.json()["data"]["viewer"]["kind"] == "EMPLOYER"


async def test_algorithm_none_is_401(graphql: GraphQLClient, employer: tuple[User, Company]):
    claims = jwt.decode(token_for(*employer), options={"verify_signature": False})

    answer = await graphql(WHO, token=jwt.encode(claims, "", algorithm="none"))

    assert_unauthenticated(answer)


# -- what takes effect at once


async def test_an_ended_membership_ends_the_token_at_the_next_request(
    graphql: GraphQLClient, employer: tuple[User, Company]
):
    token = token_for(*employer)
    before = await graphql(WHO, token=token)

    await Membership.filter(user=employer[0]).update(ended_at=datetime.now(UTC))
    after = await graphql(WHO, token=token)

    assert before.status == 200
    assert "no longer" in assert_unauthenticated(after)


async def test_a_closed_account_is_closed_at_the_next_request(graphql: GraphQLClient, employer: tuple[User, Company]):
    token = token_for(employer[0])
    before = await graphql(WHO, token=token)

    await User.filter(id=employer[0].id).update(is_active=False)
    after = await graphql(WHO, token=token)

    assert before.status == 200
    assert_unauthenticated(after)


async def test_a_revoked_partner_is_out_at_the_next_request(graphql: GraphQLClient):
    partner = await make_partner_client(await make_company())
    before = await graphql(WHO, as_=partner)

    partner.revoked_at = datetime.now(UTC)
    await partner.save()
    after = await graphql(WHO, as_=partner)

    assert before.data["viewer"]["kind"] == "PARTNER"
    assert_unauthenticated(after)


async def test_a_scope_that_is_taken_away_shows_nothing_at_the_next_request(graphql: GraphQLClient):
    company = await make_company()
    partner = await make_partner_client(company)
    partner.scopes = []
    await partner.save()

    answer = await graphql("{ appointments { totalCount } participations { totalCount } }", as_=partner)

    assert answer.data == {"appointments": {"totalCount": 0}, "participations": {"totalCount": 0}}


# -- on whose behalf


async def test_another_organisation_than_ones_own_is_401(graphql: GraphQLClient, employer: tuple[User, Company]):
    others = [await make_company(), await make_prescriber_organization(), await make_institution()]

    for other in others:
        assert_unauthenticated(await graphql(WHO, as_=employer[0], of=other))
    assert_unauthenticated(await graphql(WHO, token=token_for(*employer, organization_id=uuid4())))


async def test_the_organisation_of_a_colleague_is_401(graphql: GraphQLClient, employer: tuple[User, Company]):
    stranger = await make_user(UserKind.EMPLOYER)

    assert_unauthenticated(await graphql(WHO, as_=stranger, of=employer[1]))


async def test_a_partner_speaks_for_no_organisation(graphql: GraphQLClient):
    company = await make_company()
    partner = await make_partner_client(company)

    assert_unauthenticated(await graphql(WHO, as_=partner, of=company))


async def test_one_of_several_organisations_is_chosen_by_the_token(
    graphql: GraphQLClient, employer: tuple[User, Company]
):
    user, first = employer
    second = await make_company()
    await Membership.create(user=user, company=second)

    shown = [(await graphql(WHO, as_=user, of=company)).data["viewer"]["organization"] for company in (first, second)]

    assert shown[0] != shown[1]


# -- by the identity provider's keys

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NEW_RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()


def published(kid: str, algorithm: Any, key: Any) -> dict[str, Any]:
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid}


PUBLISHED = [
    published("rsa", RSAAlgorithm, RSA_KEY),
    published("ec", ECAlgorithm, EC_KEY),
    published("ed", OKPAlgorithm, ED_KEY),
]


@pytest.fixture
def provider() -> Iterator[respx.Route]:
    with respx.mock(assert_all_called=False) as router:
        router.route(host="testserver").pass_through()
        yield router.get(JWKS_URL).respond(json={"keys": PUBLISHED})


@pytest.fixture
async def by_provider(
    database: object, engine: GraphQLEngine, resources: Resources, provider: respx.Route
) -> AsyncIterator[GraphQLClient]:
    policy = CallPolicy(deadline_seconds=5, breaker=BreakerPolicy(failures=10_000))
    async with build_http_client(JWKS_URL) as http:
        # Without a pause between two tries, a test need not wait for one; the pause has tests of its own.
        keys = JWKSClient(PartnerHTTP("identity_provider", http, policy), JWKS_URL, cooldown=-1)
        verifier = TokenVerifier(issuer=ISSUER, audience=AUDIENCE, keys=keys)
        async with serve(engine, resources, verifier=verifier) as client:
            yield client


def signed(who: User, key: Any, algorithm: str, kid: str, **overrides: Any) -> str:
    now = int(datetime.now(UTC).timestamp())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": who.subject, "exp": now + 600, **overrides}
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"), [(RSA_KEY, "RS256", "rsa"), (EC_KEY, "ES256", "ec"), (ED_KEY, "EdDSA", "ed")]
)
async def test_a_token_of_the_provider_signs_in(by_provider: GraphQLClient, key: Any, algorithm: str, kid: str):
    staff = await make_user(UserKind.STAFF)

    answer = await by_provider(WHO, token=signed(staff, key, algorithm, kid))

    assert answer.data["viewer"]["kind"] == "STAFF"


async def test_a_new_key_signs_in_as_soon_as_it_is_published(by_provider: GraphQLClient, provider: respx.Route):
    staff = await make_user(UserKind.STAFF)
    token = signed(staff, NEW_RSA_KEY, "RS256", "new")
    before = await by_provider(WHO, token=token)

    provider.respond(json={"keys": [*PUBLISHED, published("new", RSAAlgorithm, NEW_RSA_KEY)]})
    after = await by_provider(WHO, token=token)

    assert "does not publish" in assert_unauthenticated(before)
    assert after.data["viewer"]["kind"] == "STAFF"


async def test_who_has_a_known_key_stays_signed_in_while_the_provider_is_away(
    by_provider: GraphQLClient, provider: respx.Route
):
    staff = await make_user(UserKind.STAFF)
    known = signed(staff, RSA_KEY, "RS256", "rsa")
    await by_provider(WHO, token=known)

    provider.mock(side_effect=httpx.ConnectError("refused"))

    assert (await by_provider(WHO, token=known)).status == 200
    assert_unauthenticated(await by_provider(WHO, token=signed(staff, NEW_RSA_KEY, "RS256", "new")))


async def test_nobody_signs_in_by_a_provider_that_was_never_there(by_provider: GraphQLClient, provider: respx.Route):
    provider.mock(side_effect=httpx.ConnectError("refused"))
    staff = await make_user(UserKind.STAFF)

    answer = await by_provider(WHO, token=signed(staff, RSA_KEY, "RS256", "rsa"))

    assert_unauthenticated(answer)


async def test_a_development_token_means_nothing_where_the_provider_signs(by_provider: GraphQLClient):
    staff = await make_user(UserKind.STAFF)

    assert_unauthenticated(await by_provider(WHO, as_=staff))
    hs256 = jwt.encode(
        {"iss": ISSUER, "aud": AUDIENCE, "sub": staff.subject, "exp": 2_000_000_000},
        HS256_KEY,
        algorithm="HS256",
        headers={"kid": "rsa"},
    )
    assert_unauthenticated(await by_provider(WHO, token=hs256))


@pytest.mark.parametrize(
    "wrong", [{"kid": "ec"}, {"kid": MARK}, {"aud": MARK}, {"iss": MARK}, {"exp": 1}, {"nbf": 2**40}]
)
async def test_a_wrong_token_of_the_provider_is_401(by_provider: GraphQLClient, wrong: dict[str, Any]):
    staff = await make_user(UserKind.STAFF)
    overrides = {name: value for name, value in wrong.items() if name != "kid"}

    answer = await by_provider(WHO, token=signed(staff, RSA_KEY, "RS256", wrong.get("kid", "rsa"), **overrides))

    assert_unauthenticated(answer)
