"""How a call proves who we are: by a key in a header, or by a token for an account of INSEE's."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Protocol
from zoneinfo import ZoneInfo

import jwt
import msgspec
import structlog

from clients.answers import Reply
from clients.errors import PartnerError
from clients.http import PartnerHTTP, PartnerRequest
from clients.shapes import Shape, Wire
from clients.shared_token import FreshToken, SharedToken
from clients.sirene.config import TOKEN_OPERATION, APIKey, PasswordGrant
from clients.token_store import TokenStore

KEY_HEADER = "X-INSEE-Api-Key-Integration"
TOKEN_PATH = "/token"  # noqa: S105 - a path

_PARIS = ZoneInfo("Europe/Paris")
_TOKEN_MARGIN_SECONDS = 30
_TOKEN_SECONDS_IF_UNSAID = 300
_PASSWORD_LIFETIME = timedelta(days=90)
_WARN_BEFORE = timedelta(days=15)
_WARN_EVERY_SECONDS = 24 * 3600

log = structlog.get_logger(__name__)


class Access(Protocol):
    """The headers of a call, and better ones after a 401."""

    async def headers(self) -> Mapping[str, str]: ...

    async def renewed(self, *, refused: Mapping[str, str]) -> Mapping[str, str] | None:
        """None: there are no better ones."""
        ...


class KeyAccess:
    """The public flavour."""

    def __init__(self, key: APIKey) -> None:
        self._headers = {KEY_HEADER: key.value}

    async def headers(self) -> Mapping[str, str]:
        return self._headers

    async def renewed(self, *, refused: Mapping[str, str]) -> Mapping[str, str] | None:  # noqa: ARG002 - there is one
        # Nothing heals by itself here: the key was revoked, or its subscription ended.
        log.error("sirene_key_refused", todo="check SIRENE_API_KEY and its subscription on portail-api.insee.fr")
        return None


class PasswordAccess:
    """The flavour of administrations: OAuth2 password grant (RFC 6749, section 4.3)."""

    def __init__(
        self,
        grant: PasswordGrant,
        partner: PartnerHTTP,
        store: TokenStore,
        *,
        token_seconds: float,
        now: Callable[[], datetime],
    ) -> None:
        self._grant = grant
        self._partner = partner
        self._store = store
        self._now = now
        self._key = f"sirene:{grant.client_id}:{grant.username}"
        self._token = SharedToken(self._key, store, self._fetch, fetch_seconds=token_seconds)

    async def headers(self) -> Mapping[str, str]:
        return {"Authorization": await self._token.value()}

    async def renewed(self, *, refused: Mapping[str, str]) -> Mapping[str, str] | None:
        return {"Authorization": await self._token.renew(refused=refused["Authorization"])}

    async def _fetch(self) -> FreshToken:
        grant = self._grant
        request = PartnerRequest(
            method="POST",
            url=grant.auth_url.rstrip("/") + TOKEN_PATH,
            headers={"Accept": "application/json"},
            form={
                "grant_type": "password",
                "client_id": grant.client_id,
                "client_secret": grant.client_secret,
                "username": grant.username,
                "password": grant.password,
            },
        )
        try:
            answer = await self._partner.call(TOKEN_OPERATION, request, _read_token)
        except PartnerError as error:
            log.error("sirene_token_refused", code=error.code, http_status=error.http_status)  # noqa: TRY400 - no trace
            raise
        await self._warn_of_expiry(answer.access_token)
        return FreshToken(
            value=f"Bearer {answer.access_token}", ttl_seconds=int(answer.expires_in - _TOKEN_MARGIN_SECONDS)
        )

    async def _warn_of_expiry(self, access_token: str) -> None:
        """At most once a day, all processes together: whoever runs the platform must renew the password in time."""
        expires_on = password_expires_on(access_token)
        if expires_on is None:
            return
        today = self._now().astimezone(_PARIS).date()
        if today < expires_on - _WARN_BEFORE:
            return
        flag = f"{self._key}:password-warning"
        if await self._store.get(flag) is None:
            await self._store.set(flag, "told", _WARN_EVERY_SECONDS)
            log.warning("sirene_password_expires", expires_on=expires_on.isoformat(), days=(expires_on - today).days)


class _TokenAnswer(Wire):
    # Visible ASCII only: it goes into a header.
    access_token: Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,16384}\Z")]
    # It becomes a whole number, which neither infinity nor NaN does; both may come as text.
    expires_in: Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)] = _TOKEN_SECONDS_IF_UNSAID


_TOKEN_ANSWER = Shape(_TokenAnswer)


def _read_token(reply: Reply) -> _TokenAnswer:
    reply.check_status(permanent=())
    return reply.parse(_TOKEN_ANSWER)


def password_expires_on(access_token: str) -> date | None:
    """The day, in Paris, on which the account's password ends. None when the token does not say.

    Nothing rests on this but a warning, and INSEE documents no key: the signature is not checked.
    """
    try:
        claims = jwt.decode(access_token, options={"verify_signature": False})
        changed_at = datetime.strptime(claims["pwdChangedTime"], "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
        return changed_at.astimezone(_PARIS).date() + _PASSWORD_LIFETIME
    except (jwt.PyJWTError, KeyError, TypeError, ValueError, OverflowError):
        return None
