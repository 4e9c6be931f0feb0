"""OAuth2 client credentials at France Travail: one token a key, renewed by one caller at a time."""

import asyncio
import copy
import hashlib
import re
from http import HTTPStatus

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from clients.answers import Reply
from clients.errors import Delivery, PartnerError
from clients.france_travail.config import TOKEN_OPERATION, FranceTravailConfig
from clients.france_travail.errors import FranceTravailConfigurationError
from clients.http import PartnerHTTP, PartnerRequest
from clients.token_store import TokenStore

TOKEN_PATH = "/connexion/oauth2/access_token"  # noqa: S105 - a path
_LOCK_LEASE_MARGIN_SECONDS = 5.0  # the lock must outlive the token call
_OAUTH_ERROR = re.compile(r"[a-z_]{1,64}")


class _TokenAnswer(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    # Visible ASCII only: both go into a header.
    token_type: str = Field(pattern=r"^[\x21-\x7e]{1,64}$")
    access_token: str = Field(pattern=r"^[\x21-\x7e]{1,8192}$", repr=False)
    expires_in: int


class _TokenRefusal(BaseModel):
    error: str


_TOKEN_ANSWER = TypeAdapter(_TokenAnswer)
_TOKEN_REFUSAL = TypeAdapter(_TokenRefusal)


class TokenSource:
    """Hands out the ready `Authorization` value. The store shares it between processes, under one lock a key."""

    def __init__(self, config: FranceTravailConfig, partner: PartnerHTTP, store: TokenStore) -> None:
        self._config = config
        self._partner = partner
        self._store = store
        self._key = _cache_key(config)
        self._single_flight = asyncio.Lock()
        self._finished_attempts = 0
        self._last_failure: PartnerError | None = None

    async def authorization(self) -> str:
        """The current value. Raises PartnerUnavailable when none can be had; nothing else was sent then."""
        return await self._store.get(self._key) or await self.renew(refused=None)

    async def renew(self, *, refused: str | None) -> str:
        """Another value than the refused one: somebody else's renewal if there was one, else our own token call."""
        attempts_before = self._finished_attempts
        async with self._single_flight:
            if (current := await self._current_unless(refused)) is not None:
                return current
            if self._last_failure is not None and self._finished_attempts > attempts_before:
                # It failed while we queued. Without this, n waiters would wait for n timeouts, one after the other.
                raise copy.copy(self._last_failure)
            async with self._store.lock(self._key, self._config.token_timeout_seconds + _LOCK_LEASE_MARGIN_SECONDS):
                if (current := await self._current_unless(refused)) is not None:
                    return current
                return await self._fetch_and_share(refused)

    async def _current_unless(self, refused: str | None) -> str | None:
        current = await self._store.get(self._key)
        return None if current == refused else current

    async def _fetch_and_share(self, refused: str | None) -> str:
        if refused is not None:
            await self._store.delete(self._key)
        self._last_failure = None
        try:
            answer = await self._fetch()
        except PartnerError as error:
            # Whatever became of the token call, the request that needs the token has not left.
            error.delivery = Delivery.NOT_SENT
            self._last_failure = copy.copy(error)
            raise
        finally:
            self._finished_attempts += 1
        authorization = f"{answer.token_type} {answer.access_token}"
        ttl_seconds = int(answer.expires_in - self._config.token_margin_seconds)
        if ttl_seconds > 0:
            await self._store.set(self._key, authorization, ttl_seconds)
        return authorization

    async def _fetch(self) -> _TokenAnswer:
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
        return await self._partner.call(TOKEN_OPERATION, request, _read_token)


def _read_token(reply: Reply) -> _TokenAnswer:
    if reply.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise FranceTravailConfigurationError(error=_oauth_error(reply.body), http_status=reply.status)
    reply.check_status(permanent=())
    return reply.parse(_TOKEN_ANSWER)


def _oauth_error(body: bytes) -> str | None:
    """The error word of RFC 6749 section 5.2, if the body holds one; descriptions may repeat what was sent."""
    try:
        error = _TOKEN_REFUSAL.validate_json(body).error
    except ValidationError:
        return None
    return error if _OAUTH_ERROR.fullmatch(error) else None


def _cache_key(config: FranceTravailConfig) -> str:
    """Two applications, or two sets of scopes of one, must never share a token."""
    scopes = hashlib.sha256(" ".join(sorted(config.scopes)).encode()).hexdigest()[:16]
    return f"france_travail:{config.realm.strip('/')}:{config.client_id}:{scopes}"
