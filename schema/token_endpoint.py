"""`POST /oauth/token`: a machine client shows its secret and gets a token for a while.

Sources: RFC 6749 §2.3.1 (who is asking), §4.4 (client credentials), §5 (answers). Credentials in the address are not
read: addresses end in logs.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response

from models.database import DATABASE_AWAY
from resolvers.askers import asker_of
from services.clock import Clock, utc_now
from services.partners import SignedIn, authenticate
from services.rate_limits import Limiter
from services.tokens import PartnerTokens

log = structlog.get_logger(__name__)

_MAX_BODY = 8_192
_MAX_FIELDS = 20
_FORM = "application/x-www-form-urlencoded"
_RETRY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class _Identified:
    client_id: str
    secret: str = field(repr=False)


class _Refused(Exception):
    """`error` is a code of RFC 6749 §5.2, or one of ours where that has none."""

    def __init__(
        self, error: str, description: str, *, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status
        self.headers = dict(headers or {})


class TokenEndpoint:
    """The door of machine clients. `limiter`: requests of one address on the network."""

    def __init__(self, tokens: PartnerTokens, limiter: Limiter, *, clock: Clock = utc_now) -> None:
        self._tokens = tokens
        self._limiter = limiter
        self._clock = clock

    async def __call__(self, request: Request) -> Response:
        try:
            return await self._token(request)
        except _Refused as refused:
            content = {"error": refused.error, "error_description": refused.description}
            return _answer(content, status=refused.status, headers=refused.headers)
        except DATABASE_AWAY as error:
            log.error("partner_not_signed_in", error_class=type(error).__name__)  # noqa: TRY400 - texts may hold values
            return _answer(
                {"error": "temporarily_unavailable", "error_description": "the database does not answer; come back"},
                status=503,
                headers={"Retry-After": str(_RETRY_SECONDS)},
            )

    async def _token(self, request: Request) -> Response:
        self._slow_down(request)
        form = await _form(request)
        identified = _identified(request.headers.get("authorization"), form)
        if form.get("grant_type") != "client_credentials":
            raise _grant_type_problem(form)
        partner = await authenticate(identified.client_id, identified.secret, now=self._clock())
        if partner is None:
            log.warning("partner_refused")
            raise _invalid_client("the client is unknown or revoked, or its secret is wrong")
        scopes = _scopes(form.get("scope"), partner)
        token = self._tokens.issue(partner.client_id, scopes, now=self._clock())
        log.info("partner_signed_in", client_id=partner.client_id)
        return _answer(
            {
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": int(self._tokens.lifetime.total_seconds()),
                "scope": " ".join(sorted(scopes)),
            }
        )

    def _slow_down(self, request: Request) -> None:
        standing = self._limiter.take(asker_of(None, request.client.host if request.client else ""))
        if standing.is_refused:
            description = "too many requests from this address; wait"
            raise _Refused("slow_down", description, status=429, headers=standing.headers)


async def _form(request: Request) -> dict[str, str]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _FORM:
        raise _invalid_request(f"the content type must be {_FORM}")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            raise _Refused(
                "invalid_request", f"more than {_MAX_BODY} bytes", status=413, headers={"Connection": "close"}
            )
    try:
        fields = parse_qsl(bytes(body).decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError:  # also of what is no UTF-8
        raise _invalid_request("the body is no form in UTF-8, or has too many fields") from None
    if len(dict(fields)) < len(fields):
        raise _invalid_request("a parameter is given twice")
    # Without a value it counts as not given (§3.1).
    return {name: value for name, value in fields if value}


def _identified(authorization: str | None, form: Mapping[str, str]) -> _Identified:
    if authorization is None:
        if "client_id" not in form or "client_secret" not in form:
            raise _invalid_client("no client: give its id and secret by HTTP Basic, or as client_id and client_secret")
        return _Identified(form["client_id"], form["client_secret"])
    if "client_secret" in form:
        raise _invalid_request("the client is identified twice, by a header and in the body")
    scheme, _, encoded = authorization.partition(" ")
    try:
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        colon = client_id = secret = ""
    if scheme.lower() != "basic" or not colon:
        raise _invalid_client("authorization: Basic, with the client's id and secret, expected")
    # §2.3.1: each of the two is encoded like a value of a form before they are joined.
    return _Identified(unquote_plus(client_id), unquote_plus(secret))


def _scopes(asked: str | None, partner: SignedIn) -> frozenset[str]:
    if asked is None:
        return partner.scopes
    wanted = frozenset(asked.split())
    if not wanted or not wanted <= partner.scopes:
        raise _Refused("invalid_scope", "a scope is unknown, or was not given to this client")
    return wanted


def _grant_type_problem(form: Mapping[str, str]) -> _Refused:
    if "grant_type" not in form:
        return _invalid_request("grant_type is missing")
    return _Refused("unsupported_grant_type", "only client_credentials is supported")


def _invalid_request(description: str) -> _Refused:
    return _Refused("invalid_request", description)


def _invalid_client(description: str) -> _Refused:
    return _Refused("invalid_client", description, status=401, headers={"WWW-Authenticate": 'Basic realm="traverse"'})


def _answer(content: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        orjson.dumps(content),
        status_code=status,
        headers={
            "Content-Type": "application/json",
            "Cache-Control": "no-store",
            "Pragma": "no-cache",  # §5.1
            **(headers or {}),
        },
    )
