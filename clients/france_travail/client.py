"""The two calls of the partner realm that certify identities and announce PASS IAE."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from time import monotonic
from typing import Any, TypeVar

import httpx

from clients.answers import Reader, Reply
from clients.breaker import BreakerState
from clients.errors import Delivery, PartnerUnavailable
from clients.france_travail.codes import (
    EMPTY_NIR,
    INVALID_SIAE_KIND,
    MISSING_CODE,
    UPDATE_SUCCESS,
    Endpoint,
    SearchOutcome,
    search_outcome,
    type_siae,
)
from clients.france_travail.config import (
    PACE_KEYS,
    PARTNER,
    SEARCH_OPERATION,
    UPDATE_OPERATION,
    FranceTravailConfig,
)
from clients.france_travail.errors import FranceTravailRejected
from clients.france_travail.tokens import TokenSource
from clients.france_travail.wire import (
    SEARCH_ANSWER,
    SEARCH_PATH,
    UPDATE_ANSWER,
    UPDATE_PATH,
    IdentityQuery,
    PassIaeUpdate,
    search_body,
    update_body,
)
from clients.http import CallPolicy, PartnerHTTP, PartnerRequest
from clients.observer import Observer
from clients.pacing import Pacer
from clients.token_store import TokenStore

T = TypeVar("T")

_MAX_BYTES = 1_000_000
_WITH_BODY = frozenset({HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT})


class FranceTravailClient:
    """One application of the partner realm. Build it once a process, on the loop that uses it.

    Both calls raise PartnerUnavailable (PartnerRateLimited on 429, FranceTravailConfigurationError without a token)
    or FranceTravailRejected. `delivery` on the error tells whether the call may have taken effect.
    """

    def __init__(
        self,
        config: FranceTravailConfig,
        http: httpx.AsyncClient,
        tokens: TokenStore,
        pacer: Pacer,
        *,
        observer: Observer | None = None,
        clock: Callable[[], float] = monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._base_url = config.base_url.rstrip("/")
        build = partial(
            PartnerHTTP, PARTNER, http, pacer=pacer, paced=PACE_KEYS, observer=observer, clock=clock, now=now
        )
        self._data = build(
            CallPolicy(
                deadline_seconds=config.timeout_seconds,
                queue_seconds=config.queue_seconds,
                max_concurrency=config.max_concurrency,
                max_bytes=_MAX_BYTES,
                breaker=config.breaker,
            )
        )
        # Another host, and slots of its own: a token must not queue behind the data calls that wait for one.
        self._auth = build(
            CallPolicy(deadline_seconds=config.token_timeout_seconds, max_bytes=_MAX_BYTES, breaker=config.breaker)
        )
        self._tokens = TokenSource(config, self._auth, tokens)

    async def search_identity(self, query: IdentityQuery) -> str:
        """Return the `idNationalDE` of the one person who matches.

        FranceTravailRejected: `code` is the raw exit code of either dialect, or `empty_nir` or `missing_code`;
        `outcome` says which kind of no it is.
        """
        return await self._call(SEARCH_OPERATION, SEARCH_PATH, search_body(query), _read_search)

    async def update_pass_iae(self, update: PassIaeUpdate) -> None:
        """Announce an approval or its cancellation; returning means that France Travail took it (S000).

        A structure without `typeSIAE` is FranceTravailRejected with INVALID_SIAE_KIND and Delivery.NOT_SENT.
        """
        siae = type_siae(update.siae_kind)
        if siae is None:
            raise FranceTravailRejected(
                operation=UPDATE_OPERATION,
                reason="not sent: this kind of structure has no typeSIAE",
                endpoint=Endpoint.UPDATE,
                code=INVALID_SIAE_KIND,
                delivery=Delivery.NOT_SENT,
            )
        await self._call(UPDATE_OPERATION, UPDATE_PATH, update_body(update, type_siae=siae), _read_update)

    @staticmethod
    def type_siae(kind: str) -> int | None:
        """France Travail's number for a kind of structure; None when an approval of that kind cannot be announced."""
        return type_siae(kind)

    def breaker_states(self) -> dict[str, BreakerState]:
        """The breaker of each operation called so far."""
        return self._auth.breaker_states() | self._data.breaker_states()

    async def _call(self, operation: str, path: str, body: dict[str, Any], read: Reader[T]) -> T:
        """One data call; a second one with a new token if the first is answered 401, which nobody has acted upon."""
        authorization = await self._tokens.authorization()
        try:
            return await self._send(operation, path, body, read, authorization)
        except PartnerUnavailable as error:
            if error.http_status != HTTPStatus.UNAUTHORIZED:
                raise
        renewed = await self._tokens.renew(refused=authorization)
        return await self._send(operation, path, body, read, renewed)

    async def _send(self, operation: str, path: str, body: dict[str, Any], read: Reader[T], authorization: str) -> T:
        request = PartnerRequest(
            method="POST",
            url=self._base_url + path,
            headers={"Authorization": authorization, "Accept": "application/json"},
            json=body,
        )
        return await self._data.call(operation, request, read)


def _read_search(reply: Reply) -> str:
    # Bad data comes back as a 200 with its own code: an HTTP failure is always about the exchange and can heal.
    reply.check_status(ok=_WITH_BODY, permanent=())
    answer = reply.parse(SEARCH_ANSWER)
    outcome = search_outcome(answer.code)
    if outcome is SearchOutcome.FOUND and answer.id_national:
        return answer.id_national
    if outcome is SearchOutcome.FOUND:
        code, outcome = EMPTY_NIR, SearchOutcome.UNKNOWN
    else:
        code = answer.code or MISSING_CODE
    raise FranceTravailRejected(
        operation=SEARCH_OPERATION,
        reason="no single match",
        endpoint=Endpoint.SEARCH,
        code=code,
        http_status=reply.status,
        outcome=outcome,
    )


def _read_update(reply: Reply) -> None:
    reply.check_status(ok=_WITH_BODY, permanent=())
    answer = reply.parse(UPDATE_ANSWER)
    if answer.code != UPDATE_SUCCESS:
        raise FranceTravailRejected(
            operation=UPDATE_OPERATION,
            reason="the announcement was dropped",
            endpoint=Endpoint.UPDATE,
            code=answer.code or MISSING_CODE,
            http_status=reply.status,
        )
