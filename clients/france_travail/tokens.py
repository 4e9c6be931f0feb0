"""OAuth2 client credentials at France Travail."""

import hashlib
import re
from http import HTTPStatus
from typing import Annotated

from msgspec import Meta

from clients.answers import Reply
from clients.france_travail.config import TOKEN_OPERATION, FranceTravailConfig
from clients.france_travail.errors import FranceTravailConfigurationError
from clients.http import PartnerHTTP, PartnerRequest
from clients.shapes import Shape, Wire
from clients.shared_token import FreshToken, SharedToken
from clients.token_store import TokenStore

TOKEN_PATH = "/connexion/oauth2/access_token"  # noqa: S105 - a path
_OAUTH_ERROR = re.compile(r"[a-z_]{1,64}")


class _TokenAnswer(Wire):
    # Visible ASCII only: both go into a header. `\Z`: before a `$` there may be the end of a line.
    token_type: Annotated[str, Meta(pattern=r"^[\x21-\x7e]{1,64}\Z")]
    access_token: Annotated[str, Meta(pattern=r"^[\x21-\x7e]{1,8192}\Z")]
    expires_in: int


class _TokenRefusal(Wire):
    error: str


_TOKEN_ANSWER = Shape(_TokenAnswer)
_TOKEN_REFUSAL = Shape(_TokenRefusal)


class TokenSource:
    """Hands out the ready `Authorization` value."""

    def __init__(self, config: FranceTravailConfig, partner: PartnerHTTP, store: TokenStore) -> None:
        self._config = config
        self._partner = partner
        self._token = SharedToken(_cache_key(config), store, self._fetch, fetch_seconds=config.token_timeout_seconds)

    async def authorization(self) -> str:
        """The current value. Raises PartnerUnavailable when none can be had; nothing else was sent then."""
        return await self._token.value()

    async def renew(self, *, refused: str) -> str:
        """Another value than the refused one."""
        return await self._token.renew(refused=refused)

    async def _fetch(self) -> FreshToken:
        config = self._config
        request = PartnerRequest(
            method="POST",
            url=config.auth_base_url.rstrip("/") + TOKEN_PATH,
            # France Travail reads the realm from the query only; in the form it is ignored and the call refused.
            params={"realm": config.realm},
            form={
                "grant_type": "client_credentials",
                "client_id": config.client_id,
                "client_secret": config.client_secret,
                "scope": " ".join((f"application_{config.client_id}", *config.scopes)),
            },
        )
        answer = await self._partner.call(TOKEN_OPERATION, request, _read_token)
        return FreshToken(
            value=f"{answer.token_type} {answer.access_token}",
            ttl_seconds=int(answer.expires_in - config.token_margin_seconds),
        )


def _read_token(reply: Reply) -> _TokenAnswer:
    if reply.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise FranceTravailConfigurationError(error=_oauth_error(reply.body), http_status=reply.status)
    reply.check_status(permanent=())
    return reply.parse(_TOKEN_ANSWER)


def _oauth_error(body: bytes) -> str | None:
    """The error word of RFC 6749 section 5.2, if the body holds one; descriptions may repeat what was sent."""
    refusal = _TOKEN_REFUSAL.read_or_none(body)
    return refusal.error if refusal and _OAUTH_ERROR.fullmatch(refusal.error) else None


def _cache_key(config: FranceTravailConfig) -> str:
    """Two applications, or two sets of scopes of one, must never share a token."""
    scopes = hashlib.sha256(" ".join(sorted(config.scopes)).encode()).hexdigest()[:16]
    return f"france_travail:{config.realm.strip('/')}:{config.client_id}:{scopes}"
