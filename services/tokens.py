"""Bearer tokens: what they claim, once every check has passed. Sources: RFC 7519 (JWT), RFC 8725 (best practices)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

import jwt
from jwt.exceptions import (
    ExpiredSignatureError,
    ImmatureSignatureError,
    InvalidAudienceError,
    InvalidIssuerError,
    InvalidTokenError,
    MissingRequiredClaimError,
    PyJWTError,
)

from services.believed_tokens import BelievedTokens

# The algorithm follows from the type of the key, never from the token: a public RSA key is not an HMAC secret.
_ALGORITHM_OF_KEY = {("RSA", ""): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
_MAX_TOKEN_LENGTH = 8_192
_REQUIRED = ["iss", "aud", "exp", "sub"]


# Of machine clients, which sign in here and not at the identity provider: an issuer and a key of their own, so that
# neither can be taken for the other.
PARTNER_ISSUER = "urn:traverse:partners"
_PARTNER_KEY_ID = "traverse-partners"
_PARTNER_TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068


class InvalidToken(Exception):
    """A token that is not to be believed. `str()` says which check failed, and nothing of the token's content."""


class KeySource(Protocol):
    async def key(self, kid: str) -> dict[str, Any] | None: ...


@dataclass(frozen=True, slots=True)
class Claims:
    """Who the token speaks for (`sub`), on behalf of which organisation (`org`), until when.

    `scopes`: of a machine client that signed in here, what the token is for; None in every other token.
    """

    subject: str
    organization_id: UUID | None
    expires_at: datetime
    scopes: frozenset[str] | None = None


class TokenVerifier:
    """Checks tokens by the identity provider's keys, or by one shared key in development and tests."""

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        leeway: timedelta = timedelta(seconds=60),
        keys: KeySource | None = None,
        hs256_key: str | None = None,
        partner_key: bytes | None = None,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._leeway = leeway
        self._keys = keys
        self._hs256_key = hs256_key
        self._partner_key = partner_key
        self._believed: BelievedTokens[Claims] = BelievedTokens()

    @property
    def leeway(self) -> timedelta:
        """For how long after its end a token is still believed."""
        return self._leeway

    async def verify(self, token: str) -> Claims:
        """Return the claims of a token. Raises InvalidToken."""
        if len(token) > _MAX_TOKEN_LENGTH:
            raise InvalidToken(f"token: longer than {_MAX_TOKEN_LENGTH} characters")
        now = datetime.now(UTC)
        claims = self._believed.get(token, now)
        if claims is None:
            claims = await self._verify(token)
            self._believed.add(token, claims, now)
        return claims

    async def _verify(self, token: str) -> Claims:
        try:
            header = jwt.get_unverified_header(token)
        except InvalidTokenError:
            raise InvalidToken("token: not a JSON Web Token") from None
        if header.get("kid") == _PARTNER_KEY_ID:
            return self._partner_claims(token, header)
        key, algorithm = await self._key(header)
        return self._claims(self._decode(token, key, algorithm, issuer=self._issuer))

    def _partner_claims(self, token: str, header: dict[str, Any]) -> Claims:
        if self._partner_key is None or header.get("typ") != _PARTNER_TOKEN_TYPE:
            raise InvalidToken("token: signed in a way that this server does not accept")
        payload = self._decode(token, self._partner_key, "HS256", issuer=PARTNER_ISSUER)
        scope = payload.get("scope")
        if not isinstance(scope, str):
            raise InvalidToken("token: claim `scope` is missing")
        claims = self._claims(payload)
        return Claims(claims.subject, None, claims.expires_at, frozenset(scope.split()))

    async def _key(self, header: dict[str, Any]) -> tuple[Any, str]:
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm == "HS256" and self._hs256_key is not None:
            return self._hs256_key, "HS256"
        if self._keys is None or not isinstance(kid, str):
            raise InvalidToken("token: signed in a way that this server does not accept")
        document = await self._keys.key(kid)
        if document is None:
            raise InvalidToken("token: signed with a key that the identity provider does not publish")
        pinned = _ALGORITHM_OF_KEY.get((str(document.get("kty")), str(document.get("crv", ""))))
        if pinned is None or algorithm != pinned:
            raise InvalidToken("token: its algorithm is not the one of its key")
        try:
            return jwt.PyJWK(document, algorithm=pinned).key, pinned
        except PyJWTError:
            raise InvalidToken("token: the identity provider's key is unusable") from None

    def _decode(self, token: str, key: Any, algorithm: str, *, issuer: str) -> dict[str, Any]:
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=issuer,
                leeway=self._leeway,
                options={"require": _REQUIRED},
            )
        except ExpiredSignatureError:
            raise InvalidToken("token: expired") from None
        except ImmatureSignatureError:
            raise InvalidToken("token: not valid yet") from None
        except InvalidAudienceError:
            raise InvalidToken("token: meant for another audience") from None
        except InvalidIssuerError:
            raise InvalidToken("token: given by another issuer") from None
        except MissingRequiredClaimError as error:
            raise InvalidToken(f"token: claim `{error.claim}` is missing") from None
        except InvalidTokenError:
            raise InvalidToken("token: its signature or form is wrong") from None

    def _claims(self, payload: dict[str, Any]) -> Claims:
        organization = payload.get("org")
        try:
            organization_id = UUID(organization) if organization is not None else None
        except (ValueError, AttributeError, TypeError):
            raise InvalidToken("token: claim `org` is not the id of an organisation") from None
        subject = payload["sub"]
        # Half a surrogate pair, or a NUL, is valid JSON and no text that PostgreSQL takes.
        if not isinstance(subject, str) or not subject or not subject.isprintable():
            raise InvalidToken("token: claim `sub` is no text, or an empty one")
        try:
            expires_at = datetime.fromtimestamp(int(payload["exp"]), UTC)
        except (ValueError, OverflowError, OSError):
            raise InvalidToken("token: claim `exp` is not an instant") from None
        return Claims(subject, organization_id, expires_at)


def issue_development_token(
    *,
    subject: str,
    organization_id: UUID | None,
    issuer: str,
    audience: str,
    key: str,
    lifetime: timedelta,
    now: datetime,
) -> str:
    """Return a token that `TokenVerifier(hs256_key=key)` accepts. For development, demo and tests."""
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "iat": now,
        "nbf": now,
        "exp": now + lifetime,
    }
    if organization_id is not None:
        claims["org"] = str(organization_id)
    return jwt.encode(claims, key, algorithm="HS256")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerTokens:
    """Gives machine clients the tokens that `TokenVerifier(partner_key=key)` accepts. Source: RFC 9068."""

    audience: str
    key: bytes = field(repr=False)
    lifetime: timedelta

    def issue(self, client_id: str, scopes: Collection[str], *, now: datetime) -> str:
        claims: dict[str, Any] = {
            "iss": PARTNER_ISSUER,
            "aud": self.audience,
            "sub": client_id,
            "client_id": client_id,
            "scope": " ".join(sorted(scopes)),
            "jti": str(uuid4()),
            "iat": now,
            "nbf": now,
            "exp": now + self.lifetime,
        }
        headers = {"kid": _PARTNER_KEY_ID, "typ": _PARTNER_TOKEN_TYPE}
        return jwt.encode(claims, self.key, algorithm="HS256", headers=headers)
