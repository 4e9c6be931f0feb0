"""The credentials of RDV-Solidarités: one set for the whole deployment, since each sign-in ends the one before.

Two processes that sign in on their own keep cutting each other off. So the set lies in the shared store, and only the
one who still holds what was refused, alone under the lock, signs in again.
"""

import asyncio
import copy
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from time import monotonic
from typing import Annotated

import msgspec
import structlog

from clients.answers import Reply
from clients.errors import Delivery, ErrorCode, PartnerError, PartnerUnavailable
from clients.http import PartnerHTTP, PartnerRequest
from clients.rdv_insertion.config import PARTNER, SIGN_IN_OPERATION, RDVInsertionConfig
from clients.rdv_insertion.errors import SignInRefused
from clients.shapes import Shape, Wire
from clients.token_store import LockState, TokenStore

SIGN_IN_PATH = "/auth/sign_in"
FORBIDDEN_SECONDS = 300
_LEASE_MARGIN_SECONDS = 5.0  # the lock must outlive the sign-in
# `\Z`: before a `$` there may be the end of a line, which no header may hold.
_HeaderValue = Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,1024}\Z")]

log = structlog.get_logger(__name__)


class Credentials(Wire):
    """The three headers that go with every call."""

    access_token: _HeaderValue
    client: _HeaderValue
    uid: _HeaderValue

    def headers(self) -> dict[str, str]:
        return {"access-token": self.access_token, "client": self.client, "uid": self.uid}


_CREDENTIALS = Shape(Credentials)


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What this process obtained itself: it serves while the shared store has forgotten, or is away."""

    credentials: Credentials = field(repr=False)
    until: float


class _DeclinedError(Exception):
    """A renewal would help nobody. Never leaves this module."""


class CredentialSource:
    """Hands out the current credentials, and renews those that were refused."""

    def __init__(
        self,
        config: RDVInsertionConfig,
        partner: PartnerHTTP,
        store: TokenStore,
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._config = config
        self._partner = partner
        self._store = store
        self._clock = clock
        self._key = _cache_key(config)
        self._lease_seconds = config.sign_in_timeout_seconds + _LEASE_MARGIN_SECONDS
        self._single_flight = asyncio.Lock()
        self._finished_attempts = 0
        self._last_failure: PartnerError | None = None
        self._remembered: _Remembered | None = None
        self._forbidden_until: dict[int, float] = {}

    async def current(self) -> Credentials:
        """The credentials in force. Raises PartnerError when there are none to be had; nothing was sent then."""
        return await self._known_unless(None) or await self._renew(None, None)

    async def renew(self, refused: Credentials, *, forbidden_at: int | None = None) -> Credentials | None:
        """Others than the refused ones: somebody else's renewal if there was one, else our own sign-in.

        `forbidden_at`: the organisation that answered 403. None comes back when a renewal did not help there in the
        last five minutes: it is a missing right then, and signing in again would cut everybody else off for nothing.
        """
        try:
            return await self._renew(refused, forbidden_at)
        except _DeclinedError:
            return None

    async def allow_again(self, organisation_id: int) -> None:
        """The organisation takes our calls: a later 403 may be a stale token once more."""
        self._forbidden_until.pop(organisation_id, None)
        await self._store.delete(self._forbidden_key(organisation_id))

    async def _renew(self, refused: Credentials | None, forbidden_at: int | None) -> Credentials:
        attempts_before = self._finished_attempts
        async with self._single_flight:
            if (current := await self._known_unless(refused)) is not None:
                return current
            if self._last_failure is not None and self._finished_attempts > attempts_before:
                # It failed while we queued. Without this, n waiters would wait for n timeouts, one after the other.
                raise copy.copy(self._last_failure)
            return await self._renew_alone(refused, forbidden_at)

    async def _renew_alone(self, refused: Credentials | None, forbidden_at: int | None) -> Credentials:
        asked_at = self._clock()
        async with self._store.lock(self._key, self._lease_seconds) as state:
            if (current := await self._known_unless(refused)) is not None:
                return current
            if state is LockState.BUSY:
                raise self._not_alone()
            if forbidden_at is not None:
                if await self._is_forbidden(forbidden_at):
                    raise _DeclinedError
                await self._note_forbidden(forbidden_at)
            return await self._sign_in_and_share(refused, must_share_before=asked_at + self._lease_seconds)

    async def _known_unless(self, refused: Credentials | None) -> Credentials | None:
        shared = _read_shared(await self._store.get(self._key))
        if shared is None and self._remembered is not None and self._clock() < self._remembered.until:
            shared = self._remembered.credentials
        return None if shared == refused else shared

    async def _sign_in_and_share(self, refused: Credentials | None, *, must_share_before: float) -> Credentials:
        self._remembered = None
        if refused is not None:
            await self._store.delete(self._key)
        self._last_failure = None
        try:
            credentials = await self._sign_in()
        except PartnerError as error:
            # Whatever became of the sign-in, the request that needs the credentials has not left.
            error.delivery = Delivery.NOT_SENT
            self._last_failure = copy.copy(error)
            raise
        finally:
            self._finished_attempts += 1
        now = self._clock()
        self._remembered = _Remembered(credentials, now + self._config.token_seconds)
        # Later the lock may be somebody else's, and what they shared is newer than ours.
        if now < must_share_before:
            await self._store.set(self._key, msgspec.json.encode(credentials).decode(), self._config.token_seconds)
        return credentials

    async def _sign_in(self) -> Credentials:
        config = self._config
        request = PartnerRequest(
            method="POST",
            url=config.rdv_solidarites_base_url.rstrip("/") + SIGN_IN_PATH,
            headers={"Accept": "application/json"},
            json={"email": config.email, "password": config.password},
        )
        return await self._partner.call(SIGN_IN_OPERATION, request, _read_sign_in)

    async def _is_forbidden(self, organisation_id: int) -> bool:
        if self._forbidden_until.get(organisation_id, 0.0) > self._clock():
            return True
        return await self._store.get(self._forbidden_key(organisation_id)) is not None

    async def _note_forbidden(self, organisation_id: int) -> None:
        now = self._clock()
        self._forbidden_until = {known: until for known, until in self._forbidden_until.items() if until > now}
        self._forbidden_until[organisation_id] = now + FORBIDDEN_SECONDS
        await self._store.set(self._forbidden_key(organisation_id), "1", FORBIDDEN_SECONDS)

    def _forbidden_key(self, organisation_id: int) -> str:
        return f"{self._key}:forbidden:{organisation_id}"

    def _not_alone(self) -> PartnerUnavailable:
        return PartnerUnavailable(
            PARTNER,
            SIGN_IN_OPERATION,
            "another process kept the right to sign in for too long",
            code=ErrorCode.BUSY,
            delivery=Delivery.NOT_SENT,
        )


def _read_sign_in(reply: Reply) -> Credentials:
    if reply.status == HTTPStatus.UNAUTHORIZED:
        # An error and not a warning: nothing works until a person corrects the settings.
        log.error("rdv_solidarites_credentials_refused", http_status=int(reply.status))
        raise SignInRefused(code=str(reply.status), http_status=reply.status)
    reply.check_status()
    found = {"access_token": "access-token", "client": "client", "uid": "uid"}
    credentials = _CREDENTIALS.take_or_none({name: reply.headers.get(header) for name, header in found.items()})
    if credentials is None:
        raise reply.unavailable("signed in, but without the three headers", code=ErrorCode.UNEXPECTED_SHAPE)
    return credentials


def _read_shared(value: str | None) -> Credentials | None:
    """What the store holds; None also for what another version of this server left there."""
    return None if value is None else _CREDENTIALS.read_or_none(value.encode())


def _cache_key(config: RDVInsertionConfig) -> str:
    """Two agents, or two environments, never share credentials. Hashed: the agent's address is nobody's business."""
    who = f"{config.rdv_solidarites_base_url.rstrip('/')} {config.email}"
    return f"rdv_solidarites:{hashlib.sha256(who.encode()).hexdigest()[:16]}"
