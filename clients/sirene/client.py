"""Sirene's calls: one establishment, many of them in one call, and the renewal of the account's password."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from http import HTTPStatus
from time import monotonic
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import urljoin

import httpx

from clients.answers import Reader, Reply
from clients.breaker import BreakerState
from clients.errors import Delivery, ErrorCode, PartnerRejected, PartnerUnavailable
from clients.http import CallPolicy, PartnerHTTP, PartnerRequest
from clients.observer import Observer
from clients.pacing import Pacer
from clients.repeat import Repeat, with_one_repeat
from clients.sirene.access import KeyAccess, PasswordAccess
from clients.sirene.config import (
    MANY_OPERATION,
    ONE_OPERATION,
    PACE_KEYS,
    PARTNER,
    REFRESH_MANY_OPERATION,
    REFRESH_ONE_OPERATION,
    RENEW_PASSWORD_OPERATION,
    APIKey,
    PasswordGrant,
    SireneConfig,
)
from clients.sirene.establishment import Establishment
from clients.sirene.numbers import clean_siret, is_invented_by_the_platform
from clients.sirene.outcomes import SireneOutcome
from clients.sirene.reading import Moved, read_many, read_one, read_one_or_move
from clients.token_store import TokenStore

T = TypeVar("T")

_MAX_BYTES = 1_000_000
_MAX_MANY_BYTES = 50_000_000  # a thousand establishments with all their history
# The largest `nombre` of a page, and so the most that one call can give.
_MANY = 1000
_ACCEPT = MappingProxyType({"Accept": "application/json"})


class Urgency(StrEnum):
    """Who waits for an answer. A USER would rather have none than a late one; a JOB takes what users leave."""

    USER = "user"
    JOB = "job"


@dataclass(frozen=True, slots=True)
class _Lane:
    """One urgency's gates and patience."""

    partner: PartnerHTTP
    repeat: Repeat
    one_operation: str
    many_operation: str


class SireneClient:
    """One application of INSEE's. Build it once a process, on the loop that uses it.

    Every call raises PartnerUnavailable or PartnerRejected; `sirene_outcome` says which outcome an error is. A call
    that fails on the wire or with a 5xx is made once more; one that is told to wait, for a JOB only.
    """

    def __init__(
        self,
        config: SireneConfig,
        http: httpx.AsyncClient,
        tokens: TokenStore,
        pacer: Pacer,
        *,
        observer: Observer | None = None,
        clock: Callable[[], float] = monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._base_url = config.base_url.rstrip("/")
        self._sleep = sleep
        self._credentials = config.credentials
        build = partial(
            PartnerHTTP, PARTNER, http, pacer=pacer, paced=PACE_KEYS, observer=observer, clock=clock, now=now
        )
        policy = partial(
            CallPolicy, deadline_seconds=config.timeout_seconds, max_bytes=_MAX_MANY_BYTES, breaker=config.breaker
        )
        self._lanes = {
            Urgency.USER: _Lane(
                build(policy(queue_seconds=config.user_queue_seconds, max_concurrency=config.max_concurrency)),
                Repeat(failure_pause_seconds=config.failure_pause_seconds),
                ONE_OPERATION,
                MANY_OPERATION,
            ),
            # One at a time: no more than one turn of the rate is ever ahead of somebody who waits.
            Urgency.JOB: _Lane(
                build(policy(queue_seconds=config.job_queue_seconds, max_concurrency=1)),
                Repeat(
                    failure_pause_seconds=config.failure_pause_seconds, patience_seconds=config.job_patience_seconds
                ),
                REFRESH_ONE_OPERATION,
                REFRESH_MANY_OPERATION,
            ),
        }
        self._auth = build(
            CallPolicy(deadline_seconds=config.token_timeout_seconds, max_bytes=_MAX_BYTES, breaker=config.breaker)
        )
        match config.credentials:
            case APIKey() as key:
                self._access = KeyAccess(key)
            case PasswordGrant() as grant:
                self._access = PasswordAccess(
                    grant, self._auth, tokens, token_seconds=config.token_timeout_seconds, now=now
                )

    async def establishment(self, siret: str, *, urgency: Urgency = Urgency.USER) -> Establishment:
        """One establishment, open or closed, by its number in any usual spelling.

        PartnerRejected: `code` is SIRET_INVALID or SIRET_UNKNOWN, which may cost no call, or COMPANY_OPPOSED.
        """
        lane = self._lanes[urgency]
        number = _checked(siret)
        if isinstance(number, SireneOutcome):
            raise PartnerRejected(
                PARTNER,
                lane.one_operation,
                "not sent: no SIRET, or one that the platform made up",
                code=number,
                delivery=Delivery.NOT_SENT,
            )
        url = f"{self._base_url}/siret/{number}"
        found = await self._get(lane, url, lambda reply: read_one_or_move(reply, number))
        if isinstance(found, Moved):
            target = self._target_of(found, url, lane)
            return await self._get(lane, target, lambda reply: read_one(reply, None))
        return found

    async def establishments(
        self, sirets: Sequence[str], *, urgency: Urgency = Urgency.USER
    ) -> dict[str, Establishment | SireneOutcome]:
        """What is known of each number, by the number as it was given, a thousand of them to a call.

        In place of an establishment: SIRET_INVALID, SIRET_UNKNOWN, or SIRENE_BAD_RESPONSE for one that cannot be read.
        Raises when the register could not be asked at all.
        """
        numbers = {siret: _checked(siret) for siret in sirets}
        to_ask = list(dict.fromkeys(number for number in numbers.values() if not isinstance(number, SireneOutcome)))
        found: dict[str, Establishment | SireneOutcome] = {}
        for start in range(0, len(to_ask), _MANY):
            found |= await self._get_many(self._lanes[urgency], to_ask[start : start + _MANY])
        return {
            siret: number if isinstance(number, SireneOutcome) else found.get(number, SireneOutcome.SIRET_UNKNOWN)
            for siret, number in numbers.items()
        }

    async def renew_password(self, new_password: str) -> None:
        """Replace the account's password, which ends after 90 days and can be replaced in no other way.

        PartnerRejected: INSEE refused the new one. The configuration must be given the new one afterwards.
        """
        if not isinstance(self._credentials, PasswordGrant):
            raise TypeError("Sirene is used with a key: there is no password to renew")
        body = {"oldPassword": self._credentials.password, "newPassword": new_password}
        lane = self._lanes[Urgency.USER]

        async def send(headers: Mapping[str, str]) -> None:
            request = PartnerRequest(method="POST", url=f"{self._base_url}/renouvellement", headers=headers, json=body)
            await lane.partner.call(RENEW_PASSWORD_OPERATION, request, _read_renewal)

        await self._authorised(send)  # never repeated: after a lost answer the old password may have ended

    def breaker_states(self) -> dict[str, BreakerState]:
        """The breaker of each operation called so far."""
        states = self._auth.breaker_states()
        for lane in self._lanes.values():
            states |= lane.partner.breaker_states()
        return states

    async def _get(self, lane: _Lane, url: str, read: Reader[T]) -> T:
        request = PartnerRequest(method="GET", url=url)
        return await self._look_up(lane, lane.one_operation, request, read)

    async def _get_many(self, lane: _Lane, numbers: Sequence[str]) -> dict[str, Establishment | SireneOutcome]:
        request = PartnerRequest(
            method="POST",  # the same search as by GET, without the limit of a URL's length
            url=f"{self._base_url}/siret",
            form={"q": " OR ".join(f"siret:{number}" for number in numbers), "nombre": str(len(numbers))},
        )
        return await self._look_up(lane, lane.many_operation, request, lambda reply: read_many(reply, numbers))

    async def _look_up(self, lane: _Lane, operation: str, request: PartnerRequest, read: Reader[T]) -> T:
        async def send(credentials: Mapping[str, str]) -> T:
            signed = replace(request, headers={**_ACCEPT, **credentials})
            return await lane.partner.call(operation, signed, read)

        return await with_one_repeat(lambda: self._authorised(send), lane.repeat, sleep=self._sleep)

    async def _authorised(self, send: Callable[[Mapping[str, str]], Awaitable[T]]) -> T:
        """One call; a second one with a new token if the first is answered 401, which nobody has acted upon."""
        credentials = await self._access.headers()
        try:
            return await send(credentials)
        except PartnerUnavailable as error:
            if error.http_status != HTTPStatus.UNAUTHORIZED:
                raise
            refusal = error
        renewed = await self._access.renewed(refused=credentials)
        if renewed is None:
            raise refusal
        return await send(renewed)

    def _target_of(self, moved: Moved, url: str, lane: _Lane) -> str:
        """Where a move leads. Our credentials go along: nowhere but to an establishment of this very API."""
        target = urljoin(url, moved.location)
        if not re.fullmatch(re.escape(self._base_url) + r"/siret/\d{14}", target, re.ASCII) or target == url:
            raise PartnerUnavailable(
                PARTNER, lane.one_operation, "a redirect that leads elsewhere", code=ErrorCode.UNEXPECTED_SHAPE
            )
        return target


def _checked(siret: str) -> str | SireneOutcome:
    """The number to ask for, or what is known of it without asking."""
    number = clean_siret(siret)
    if number is None:
        return SireneOutcome.SIRET_INVALID
    return SireneOutcome.SIRET_UNKNOWN if is_invented_by_the_platform(number) else number


def _read_renewal(reply: Reply) -> None:
    if reply.status == HTTPStatus.BAD_REQUEST:
        raise reply.rejected("the new password was refused", code=str(reply.status))
    reply.check_status(permanent=())
