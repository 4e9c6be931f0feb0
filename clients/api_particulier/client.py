"""The one question of API Particulier that we ask, for three benefits."""

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from time import monotonic

import httpx

from clients.api_particulier.config import LONGEST_WAIT_SECONDS, PACE_KEYS, PARTNER, ApiParticulierConfig
from clients.api_particulier.errors import IncompleteIdentity
from clients.api_particulier.outcomes import OPERATIONS, PATHS, Certification, Criterion
from clients.api_particulier.reading import read_answer
from clients.api_particulier.wire import CivilStatus, query_of
from clients.breaker import BreakerState
from clients.http import CallPolicy, PartnerHTTP, PartnerRequest
from clients.observer import Observer
from clients.pacing import Pacer

_MAX_BYTES = 100_000


class ApiParticulierClient:
    """One habilitation. Build it once a process, on the loop that uses it.

    Consent is for the caller to have: a call tells the State that we know this person.
    """

    def __init__(
        self,
        config: ApiParticulierConfig,
        http: httpx.AsyncClient,
        pacer: Pacer,
        *,
        observer: Observer | None = None,
        clock: Callable[[], float] = monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._base_url = config.base_url.rstrip("/")
        self._recipient = config.recipient
        self._headers = {"Authorization": f"Bearer {config.token}", "Accept": "application/json"}
        self._access = sha256(f"{self._base_url}\0{config.token}\0{config.recipient}".encode()).hexdigest()
        policy = CallPolicy(
            deadline_seconds=config.deadline_seconds,
            queue_seconds=config.queue_seconds,
            max_concurrency=config.max_concurrency,
            max_bytes=_MAX_BYTES,
            retry_after_cap_seconds=LONGEST_WAIT_SECONDS,
            breaker=config.breaker,
        )
        self._partner = PartnerHTTP(
            PARTNER, http, policy, pacer=pacer, paced=PACE_KEYS, observer=observer, clock=clock, now=now
        )

    async def certify(self, criterion: Criterion, person: CivilStatus) -> Certification:
        """Ask whether the person is known and receives the benefit today.

        Raises IncompleteIdentity (nothing was sent), ApiParticulierMisconfigured (alarm, do not repeat) or
        PartnerUnavailable (repeat later, after `retry_after` if set). `outcome_of` gives the outcome of each.
        """
        operation = OPERATIONS[criterion]
        if person.missing_fields:
            raise IncompleteIdentity(operation=operation, fields=person.missing_fields)
        request = PartnerRequest(
            method="GET",
            url=self._base_url + PATHS[criterion],
            params=query_of(person, recipient=self._recipient),
            headers=self._headers,
        )
        return await self._partner.call(operation, request, read_answer)

    @property
    def access(self) -> str:
        """A fingerprint of the settings: another token, address or recipient is another access."""
        return self._access

    def breaker_states(self) -> dict[str, BreakerState]:
        """The breaker of each operation called so far."""
        return self._partner.breaker_states()
