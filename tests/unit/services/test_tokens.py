"""Bearer tokens: every check, alone. Sources: RFC 7519 (JWT), RFC 7517 (keys), RFC 8725 (what goes wrong)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from services.tokens import Claims, InvalidToken, TokenVerifier, issue_development_token

NOW = datetime(2026, 2, 18, 9, 30, tzinfo=UTC)
ISSUER, AUDIENCE = "https://identity.example", "traverse"
SHARED_KEY = "a shared key of more than thirty-two bytes"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
OTHER_RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def published(kid: str, algorithm: Any, key: Any) -> dict[str, Any]:
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig"}


@dataclass
class PublishedKeys:
    """The provider's key set, without the provider."""

    keys: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    async def key(self, kid: str) -> dict[str, Any] | None:
        return self.keys.get(kid)


KEYS = PublishedKeys(
    {
        "rsa": published("rsa", RSAAlgorithm, RSA_KEY),
        "ec": published("ec", ECAlgorithm, EC_KEY),
        "ed": published("ed", OKPAlgorithm, ED_KEY),
    }
)


def verifier(*, keys: PublishedKeys | None = KEYS, hs256_key: str | None = None) -> TokenVerifier:
    return TokenVerifier(issuer=ISSUER, audience=AUDIENCE, keys=keys, hs256_key=hs256_key)


def claims(**overrides: Any) -> dict[str, Any]:
    """Good claims; an override of None takes a claim away."""
    now = int(NOW.timestamp())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "subject-1", "iat": now, "nbf": now, "exp": now + 3600}
    return {name: value for name, value in (good | overrides).items() if value is not None}


def signed(payload: dict[str, Any], *, key: Any = RSA_KEY, algorithm: str = "RS256", kid: str | None = "rsa") -> str:
    return jwt.encode(payload, key, algorithm=algorithm, headers={"kid": kid} if kid is not None else None)


def raw_token(header: bytes, payload: bytes = b"{}", signature: bytes = b"x") -> str:
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (header, payload, signature))


async def refusal(token: str, who: TokenVerifier | None = None) -> str:
    with pytest.raises(InvalidToken) as refused:
        await (who or verifier()).verify(token)
    assert refused.value.__cause__ is None
    return str(refused.value)


@pytest.fixture(autouse=True)
def _at_now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


# -- what is believed


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [(RSA_KEY, "RS256", "rsa"), (EC_KEY, "ES256", "ec"), (ED_KEY, "EdDSA", "ed")],
    ids=["RS256", "ES256", "EdDSA"],
)
async def test_a_token_signed_with_a_published_key_is_believed(key: Any, algorithm: str, kid: str):
    organization = uuid4()

    found = await verifier().verify(signed(claims(org=str(organization)), key=key, algorithm=algorithm, kid=kid))

    assert found == Claims("subject-1", organization, NOW + timedelta(hours=1))


async def test_a_token_without_organisation_speaks_for_the_person_alone():
    found = await verifier().verify(signed(claims()))

    assert found.organization_id is None


async def test_a_token_for_several_audiences_is_believed_when_ours_is_one():
    found = await verifier().verify(signed(claims(aud=["other", AUDIENCE])))

    assert found.subject == "subject-1"


async def test_a_development_token_is_believed_by_whoever_holds_its_key():
    token = issue_development_token(
        subject="subject-1",
        organization_id=None,
        issuer=ISSUER,
        audience=AUDIENCE,
        key=SHARED_KEY,
        lifetime=timedelta(minutes=5),
        now=NOW,
    )

    found = await verifier(hs256_key=SHARED_KEY, keys=None).verify(token)

    assert found == Claims("subject-1", None, NOW + timedelta(minutes=5))


# -- the clock: 60 seconds of patience on both sides


@pytest.mark.parametrize("late", [59, 0, -3600])
async def test_an_expired_token_is_believed_within_the_leeway(late: int):
    found = await verifier().verify(signed(claims(exp=int(NOW.timestamp()) - late)))

    assert found.expires_at == NOW - timedelta(seconds=late)


@pytest.mark.parametrize("late", [60, 61, 86_400])
async def test_an_expired_token_is_refused_after_the_leeway(late: int):
    assert await refusal(signed(claims(exp=int(NOW.timestamp()) - late))) == "token: expired"


@pytest.mark.parametrize("claim", ["nbf", "iat"])
@pytest.mark.parametrize("early", [60, 1])
async def test_a_token_of_the_future_is_believed_within_the_leeway(claim: str, early: int):
    found = await verifier().verify(signed(claims(**{claim: int(NOW.timestamp()) + early})))

    assert found.subject == "subject-1"


@pytest.mark.parametrize("claim", ["nbf", "iat"])
async def test_a_token_of_the_future_is_refused_beyond_the_leeway(claim: str):
    assert await refusal(signed(claims(**{claim: int(NOW.timestamp()) + 61}))) == "token: not valid yet"


# -- claims


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"aud": "other"}, "token: meant for another audience"),
        ({"aud": ["other", "third"]}, "token: meant for another audience"),
        ({"aud": [7]}, "token: meant for another audience"),
        ({"iss": "https://identity.example.evil"}, "token: given by another issuer"),
        ({"iss": None}, "token: claim `iss` is missing"),
        ({"aud": None}, "token: claim `aud` is missing"),
        ({"exp": None}, "token: claim `exp` is missing"),
        ({"sub": None}, "token: claim `sub` is missing"),
        ({"sub": ""}, "token: claim `sub` is no text, or an empty one"),
        ({"sub": "a\x00b"}, "token: claim `sub` is no text, or an empty one"),
        ({"sub": "\ud800"}, "token: claim `sub` is no text, or an empty one"),
        ({"exp": 10**30}, "token: claim `exp` is not an instant"),
        ({"exp": 10**14}, "token: claim `exp` is not an instant"),
        ({"exp": "tomorrow"}, "token: its signature or form is wrong"),
        ({"exp": [1]}, "token: its signature or form is wrong"),
        ({"nbf": "tomorrow"}, "token: its signature or form is wrong"),
        ({"org": "here"}, "token: claim `org` is not the id of an organisation"),
        ({"org": ""}, "token: claim `org` is not the id of an organisation"),
        ({"org": 7}, "token: claim `org` is not the id of an organisation"),
        ({"org": ["a"]}, "token: claim `org` is not the id of an organisation"),
        ({"org": {"id": 1}}, "token: claim `org` is not the id of an organisation"),
    ],
)
async def test_a_wrong_claim_is_named_and_not_repeated(wrong: dict[str, Any], message: str):
    assert await refusal(signed(claims(**wrong))) == message


async def test_an_expiry_written_as_a_text_of_digits_is_one():
    found = await verifier().verify(signed(claims(exp=str(int(NOW.timestamp()) + 60))))

    assert found.expires_at == NOW + timedelta(seconds=60)


async def test_infinity_is_no_instant():
    token = raw_token(b'{"alg":"HS256"}', b'{"exp": Infinity}')

    assert "wrong" in await refusal(token, verifier(hs256_key=SHARED_KEY))


# -- signatures


async def test_another_key_under_a_published_id_is_refused():
    assert "signature" in await refusal(signed(claims(), key=OTHER_RSA_KEY))


async def test_an_unpublished_key_id_is_refused():
    assert "does not publish" in await refusal(signed(claims(), kid="yesterday"))


async def test_a_token_without_key_id_is_refused():
    assert "does not accept" in await refusal(signed(claims(), kid=None))


async def test_a_changed_payload_is_refused():
    header, _, signature = signed(claims()).split(".")
    payload = base64.urlsafe_b64encode(json.dumps(claims(sub="somebody-else")).encode()).decode().rstrip("=")

    assert "signature" in await refusal(f"{header}.{payload}.{signature}")


@pytest.mark.parametrize("kid", ["rsa", None])
async def test_algorithm_none_is_refused(kid: str | None):
    unsigned = jwt.encode(claims(), "", algorithm="none", headers={"kid": kid} if kid else None)

    for who in (verifier(), verifier(hs256_key=SHARED_KEY), verifier(hs256_key=SHARED_KEY, keys=None)):
        await refusal(unsigned, who)


@pytest.mark.parametrize("spelling", ["None", "NONE", "nOnE", "", "hs256", "RS256\x00"])
async def test_odd_spellings_of_algorithms_are_refused(spelling: str):
    token = raw_token(json.dumps({"alg": spelling, "kid": "rsa"}).encode(), json.dumps(claims()).encode(), b"")

    await refusal(token, verifier(hs256_key=SHARED_KEY))


async def test_a_public_key_is_no_shared_secret():
    pem = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    # PyJWT refuses to sign this way; an attacker's tool does not.
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT","kid":"rsa"}').decode().rstrip("=")
    payload = base64.urlsafe_b64encode(json.dumps(claims()).encode()).decode().rstrip("=")
    tag = hmac.new(pem, f"{header}.{payload}".encode(), hashlib.sha256).digest()
    token = f"{header}.{payload}.{base64.urlsafe_b64encode(tag).decode().rstrip('=')}"

    assert "algorithm" in await refusal(token)
    assert "signature" in await refusal(token, verifier(hs256_key=SHARED_KEY))


async def test_the_shared_key_is_refused_where_only_the_provider_signs():
    token = jwt.encode(claims(), SHARED_KEY, algorithm="HS256", headers={"kid": "rsa"})

    assert "algorithm" in await refusal(token)


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"),
    [(RSA_KEY, "RS512", "rsa"), (RSA_KEY, "PS256", "rsa"), (RSA_KEY, "RS256", "ec"), (ED_KEY, "EdDSA", "rsa")],
)
async def test_the_algorithm_follows_from_the_key(key: Any, algorithm: str, kid: str):
    assert "algorithm" in await refusal(signed(claims(), key=key, algorithm=algorithm, kid=kid))


@pytest.mark.parametrize(
    "document",
    [
        {"kty": "RSA", "kid": "odd"},
        {"kty": "RSA", "kid": "odd", "n": "!", "e": "AQAB"},
        {"kty": "EC", "kid": "odd", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "OKP", "kid": "odd", "crv": "Ed25519", "x": 7},
        {"kty": "oct", "kid": "odd", "k": base64.urlsafe_b64encode(SHARED_KEY.encode()).decode()},
        {"kty": "EC", "kid": "odd", "crv": ["P-256"]},
        {"kid": "odd"},
    ],
)
@pytest.mark.parametrize(("key", "algorithm"), [(RSA_KEY, "RS256"), (EC_KEY, "ES256"), (ED_KEY, "EdDSA")])
async def test_an_unusable_published_key_believes_nobody(document: dict[str, Any], key: Any, algorithm: str):
    who = verifier(keys=PublishedKeys({"odd": document}))

    await refusal(signed(claims(), key=key, algorithm=algorithm, kid="odd"), who)


# -- form


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "é.é.é",
        "\x00",
        "null",
        raw_token(b"[]"),
        raw_token(b"null"),
        raw_token(b'"RS256"'),
        raw_token(b"{}"),
        raw_token(b'{"alg": ["RS256"], "kid": "rsa"}'),
        raw_token(b'{"alg": "RS256", "kid": 7}'),
        raw_token(b'{"alg": "RS256", "kid": {}}'),
        raw_token(b'{"alg": "RS256", "kid": "rsa"}', b"[]"),
        raw_token(b'{"alg": "RS256", "kid": "rsa", "b64": false, "crit": ["b64"]}'),
        raw_token(b'{"alg":' + b"[" * 5_000),
        raw_token(b'{"alg":' + b"[" * 2_000 + b"]" * 2_000 + b"}"),
        raw_token(b'{"alg": ' + b"9" * 5_000 + b"}"),
        raw_token(b"\xff\xfe"),
    ],
)
async def test_garbage_is_refused(token: str):
    await refusal(token)
    await refusal(token, verifier(hs256_key=SHARED_KEY))


async def test_a_huge_token_is_refused_unread():
    assert await refusal("a" * 8_193) == "token: longer than 8192 characters"


async def test_a_refusal_repeats_nothing_of_the_token():
    marked = "1850599999042"
    tokens = [
        signed(claims(sub=marked, aud="other")),
        signed(claims(iss=marked)),
        signed(claims(org=marked)),
        signed(claims(), kid=marked),
        raw_token(json.dumps({"alg": marked, "kid": marked}).encode(), json.dumps({"sub": marked}).encode()),
        marked,
        f"{marked}.{marked}.{marked}",
    ]

    messages = [await refusal(token) for token in tokens]

    assert not any(marked in message for message in messages)


@given(st.text(max_size=300) | st.builds(raw_token, st.binary(max_size=80), st.binary(max_size=80)))
async def test_whatever_is_sent_is_believed_or_refused(token: str):
    await refusal(token, verifier(hs256_key=SHARED_KEY))


@given(
    st.dictionaries(
        st.sampled_from(["aud", "sub", "exp", "nbf", "iat", "org", "jti"]),
        st.none() | st.text(max_size=8) | st.integers() | st.floats() | st.lists(st.integers(), max_size=2),
    )
)
async def test_whatever_the_holder_of_the_key_claims_is_believed_or_refused(odd: dict[str, Any]):
    token = jwt.encode({**claims(), **odd}, SHARED_KEY, algorithm="HS256")

    with suppress(InvalidToken):
        assert (await verifier(hs256_key=SHARED_KEY).verify(token)).subject
