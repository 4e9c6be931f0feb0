"""The calls that invite a person to book an appointment, and that find out what became of a lost answer."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from time import monotonic
from typing import TypeVar

import httpx

from clients.answers import Reader, Reply, json_answer
from clients.breaker import BreakerState
from clients.errors import Delivery, PartnerError
from clients.http import CallPolicy, PartnerHTTP, PartnerRequest
from clients.observer import Observer
from clients.pacing import Pacer
from clients.rdv_insertion.config import (
    FIND_USERS_OPERATION,
    INVITE_OPERATION,
    PACE_KEYS,
    PARTNER,
    RDVInsertionConfig,
)
from clients.rdv_insertion.credentials import Credentials, CredentialSource
from clients.rdv_insertion.errors import InvitationRefused
from clients.rdv_insertion.wire import (
    INVITE_ANSWER,
    SIAE_INTERVIEW,
    USERS_PAGE,
    FoundUser,
    InvitationAnswer,
    InviteAnswer,
    Invitee,
    invite_body,
    read_refusal,
)
from clients.token_store import TokenStore

T = TypeVar("T")

_MAX_BYTES = 1_000_000
_MAX_PAGES = 4  # of 25 people: one address has one bearer or a few
# A repeat with the same values cannot help; 403 only once a renewal did not help, which `_call` sees to.
_PERMANENT = frozenset({400, 403, 404})
_SAYS_NOTHING_OF_RIGHTS = frozenset({None, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class RDVInsertionClient:
    """One agent at RDV-Solidarités and RDV-Insertion. Build it once a process, on the loop that uses it.

    The calls raise PartnerUnavailable (PartnerRateLimited on 429) or PartnerRejected (InvitationRefused on 422,
    SignInRefused when our own credentials are wrong). Where `delivery` is UNKNOWN an invitation may have been sent:
    do not repeat it, look for the person with `find_users` and wait for the webhooks.
    """

    def __init__(
        self,
        config: RDVInsertionConfig,
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
        # Another host, and slots of its own: signing in must not queue behind the calls that wait for it.
        self._auth = build(
            CallPolicy(deadline_seconds=config.sign_in_timeout_seconds, max_bytes=_MAX_BYTES, breaker=config.breaker)
        )
        self._credentials = CredentialSource(config, self._auth, tokens, clock=clock)

    async def create_and_invite(
        self, organisation_id: int, invitee: Invitee, *, category: str = SIAE_INTERVIEW
    ) -> InvitationAnswer:
        """Let RDV-Insertion know the person and invite them by every contact they have.

        `organisation_id` is the organisation's number at RDV-Solidarités.
        """
        request = PartnerRequest(
            method="POST",
            url=f"{self._base_url}/organisations/{organisation_id}/users/create_and_invite",
            json=invite_body(invitee, category),
        )
        read = partial(_read_invitation, has_two_contacts=invitee.has_two_contacts)
        return await self._call(INVITE_OPERATION, organisation_id, request, read)

    async def find_users(self, organisation_id: int, email: str) -> tuple[FoundUser, ...]:
        """The people of an organisation with exactly that address, whatever its capitals."""
        found: list[FoundUser] = []
        page: int | None = 1
        for _ in range(_MAX_PAGES):
            request = PartnerRequest(
                method="GET",
                url=f"{self._base_url}/organisations/{organisation_id}/users",
                # The address has to be in the query: the partner knows no other way. Nothing of ours logs it.
                params={"search_query": email.strip(), "page": str(page)},
            )
            answer = await self._call(FIND_USERS_OPERATION, organisation_id, request, _READ_USERS)
            found += answer.matching(email)
            page = answer.next_page
            if page is None:
                break
        return tuple(found)

    def breaker_states(self) -> dict[str, BreakerState]:
        """The breaker of each operation called so far."""
        return self._auth.breaker_states() | self._data.breaker_states()

    async def _call(self, operation: str, organisation_id: int, request: PartnerRequest, read: Reader[T]) -> T:
        """One call; a second one with other credentials if the first is answered 401 or 403, before anything acts."""
        send = partial(self._send, operation, request, read)
        credentials = await self._credentials.current()
        try:
            return await send(credentials)
        except PartnerError as error:
            if error.http_status not in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
                raise
            refusal = error
        forbidden_at = organisation_id if refusal.http_status == HTTPStatus.FORBIDDEN else None
        renewed = await self._credentials.renew(credentials, forbidden_at=forbidden_at)
        if renewed is None:
            raise refusal
        return await self._send_again(send, renewed, forbidden_at)

    async def _send_again(
        self, send: Callable[[Credentials], Awaitable[T]], renewed: Credentials, forbidden_at: int | None
    ) -> T:
        try:
            value = await send(renewed)
        except PartnerError as error:
            if forbidden_at is not None and error.http_status not in _SAYS_NOTHING_OF_RIGHTS:
                await self._credentials.allow_again(forbidden_at)
            raise
        if forbidden_at is not None:
            await self._credentials.allow_again(forbidden_at)
        return value

    async def _send(self, operation: str, request: PartnerRequest, read: Reader[T], credentials: Credentials) -> T:
        signed = PartnerRequest(
            method=request.method,
            url=request.url,
            params=request.params,
            headers={"Accept": "application/json", **credentials.headers()},
            json=request.json,
        )
        return await self._data.call(operation, signed, read)


_READ_USERS = json_answer(USERS_PAGE, permanent=_PERMANENT)


def _read_invitation(reply: Reply, *, has_two_contacts: bool) -> InvitationAnswer:
    if reply.status == HTTPStatus.UNPROCESSABLE_ENTITY:
        refusal = read_refusal(reply.body)
        may_have_sent_one = has_two_contacts and not refusal.is_about_the_person
        raise InvitationRefused(
            code=str(reply.status),
            http_status=reply.status,
            delivery=Delivery.UNKNOWN if may_have_sent_one else Delivery.REFUSED,
            details=refusal.details,
        )
    reply.check_status(permanent=_PERMANENT)
    answer: InviteAnswer = reply.parse(INVITE_ANSWER)
    return answer.as_value()
