"""An employer invites a job seeker to book an appointment.

Source: RDV-Insertion's API v1, `create_and_invite` (`docs/api/description.md` of gip-inclusion/rdv-insertion). A call
whose outcome is unknown is never repeated: its documentation promises an idempotence that its code does not keep. The
attempt is written before the call and looked for afterwards (services/appointments/reconciling.py).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from clients.errors import Delivery, PartnerError, PartnerRejected
from clients.rdv_insertion import InvitationRefused, Invitee, RDVInsertionClient
from models.enums import InvitationAttemptState, Partner
from services.appointments.attempts import StillUnknown, TooSoon, UnderWay, accept, begin, leave_unknown, settle
from services.appointments.invitees import Candidate, read_candidate
from services.appointments.requests import look_at_events_again
from services.clock import Clock, utc_now
from services.outcomes import Invalid, NotFound, invalid
from services.pauses import is_on_hold
from services.tasks import end_tasks

log = structlog.get_logger(__name__)

HOLD = timedelta(days=10)
PATIENCE = timedelta(seconds=8)
"""How long an employer waits for the answer; the call itself goes on."""

_POLL_SECONDS = 0.1
_GRACE_SECONDS = 8.0
# A row of a table at RDV-Insertion: new ones appear without notice, so the form is checked and nothing else.
_CATEGORY = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*", re.ASCII)
_MAX_CATEGORY = 64


@dataclass(frozen=True, slots=True)
class Invited:
    """RDV-Insertion invited the person. With a landline and no e-mail, by no message at all."""

    request_id: UUID


@dataclass(frozen=True, slots=True)
class NotLinked:
    """The company has no organisation at RDV-Solidarités."""


@dataclass(frozen=True, slots=True)
class Refused:
    """RDV-Insertion said no. `texts` are its own, in French, and may name the person: for the employer, for no log."""

    code: str | None
    texts: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """No usable answer. `may_have_left`: the outcome is unknown, and is being looked for."""

    retry_after: float | None
    may_have_left: bool


Uninvited = TooSoon | UnderWay | StillUnknown | NotLinked | Refused | Unreachable | Invalid | NotFound
InvitingOutcome = Invited | Uninvited


class Inviting:
    """The calls that invite, of one process. They outlive the requests that began them, so that no answer is lost."""

    def __init__(
        self,
        client: RDVInsertionClient,
        *,
        hold: timedelta = HOLD,
        patience: timedelta = PATIENCE,
        clock: Clock = utc_now,
    ) -> None:
        """`hold`: between two invitations of one person by one company."""
        self.hold = hold
        self._client = client
        self._patience = patience.total_seconds()
        self._clock = clock
        self._calls: set[asyncio.Task[InvitingOutcome]] = set()

    async def invite(
        self, job_application_id: UUID, *, reason_category: str, requested_by: UUID | None, now: datetime
    ) -> InvitingOutcome:
        """Invite the person of an application on behalf of its company. Who may do so is decided before."""
        if len(reason_category) > _MAX_CATEGORY or not _CATEGORY.fullmatch(reason_category):
            return invalid("reasonCategory", "Cette catégorie de motif n'a pas la forme attendue.")
        candidate = await read_candidate(job_application_id)
        if candidate is None:
            return NotFound()
        if candidate.organisation_id is None:
            return NotLinked()
        invitee = candidate.invitee()
        if isinstance(invitee, Invalid):
            return invitee
        if await is_on_hold(Partner.RDV_INSERTION):
            return Unreachable(retry_after=None, may_have_left=False)
        waits_until = asyncio.get_running_loop().time() + self._patience
        begun = await self._begin(candidate, invitee, reason_category, requested_by, now, waits_until)
        if not isinstance(begun, UUID):
            return begun
        call = self._start(self._call(begun, candidate.organisation_id, invitee, reason_category))
        await asyncio.wait({call}, timeout=waits_until - asyncio.get_running_loop().time())
        return call.result() if call.done() else Unreachable(retry_after=None, may_have_left=True)

    async def aclose(self) -> None:
        """Give the calls under way a last chance to be answered. What is cut off is looked for by a worker."""
        if self._calls:
            await asyncio.wait(set(self._calls), timeout=_GRACE_SECONDS)
        await end_tasks(self._calls)

    async def _begin(
        self,
        candidate: Candidate,
        invitee: Invitee,
        reason_category: str,
        requested_by: UUID | None,
        now: datetime,
        waits_until: float,
    ) -> UUID | TooSoon | UnderWay | StillUnknown:
        """Of two clicks the second waits for what comes of the first."""
        assert candidate.organisation_id is not None  # noqa: S101 - asked by the caller
        while True:
            begun = await begin(
                candidate,
                invitee,
                organisation_id=candidate.organisation_id,
                reason_category=reason_category,
                requested_by=requested_by,
                hold=self.hold,
                now=now,
            )
            if not isinstance(begun, UnderWay) or asyncio.get_running_loop().time() >= waits_until:
                return begun
            await asyncio.sleep(_POLL_SECONDS)

    def _start(self, call: Coroutine[Any, Any, InvitingOutcome]) -> asyncio.Task[InvitingOutcome]:
        task = asyncio.create_task(call, name="create_and_invite")
        self._calls.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[InvitingOutcome]) -> None:
        self._calls.discard(task)
        # Whoever waited may be gone: then nobody else would ever look at the exception.
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("invitation_not_recorded", error_class=type(error).__name__)

    async def _call(
        self, attempt_id: UUID, organisation_id: int, invitee: Invitee, reason_category: str
    ) -> InvitingOutcome:
        try:
            answer = await self._client.create_and_invite(organisation_id, invitee, category=reason_category)
        except PartnerError as error:
            return await self._failed(attempt_id, error)
        request_id = await accept(attempt_id, answer, now=self._clock())
        if request_id is None:
            # So late that a worker took the attempt for lost and settled it.
            return Unreachable(retry_after=None, may_have_left=True)
        log.info(
            "invited",
            attempt_id=str(attempt_id),
            invitation_request_id=str(request_id),
            messages=len(answer.invitations),
        )
        await look_at_events_again(request_id)
        return Invited(request_id)

    async def _failed(self, attempt_id: UUID, error: PartnerError) -> InvitingOutcome:
        log.warning(
            "invitation_failed",
            attempt_id=str(attempt_id),
            operation=error.operation,
            code=error.code,
            delivery=error.delivery.value,
        )
        texts = error.details.texts if isinstance(error, InvitationRefused) else ()
        is_rejected = isinstance(error, PartnerRejected)
        may_have_left = error.delivery not in {Delivery.NOT_SENT, Delivery.REFUSED}
        if may_have_left:
            # A refusal may hide that one of two messages left. It holds nobody back: RDV-Insertion itself refuses the
            # kind that left for a day, and the employer may have set right what the other one lacked.
            await leave_unknown(attempt_id, error, texts=texts, is_held=not is_rejected, now=self._clock())
        else:
            not_sent = error.delivery is Delivery.NOT_SENT
            state = InvitationAttemptState.NOT_SENT if not_sent else InvitationAttemptState.REFUSED
            await settle(
                attempt_id, state, code=error.code, http_status=error.http_status, texts=texts, now=self._clock()
            )
        if is_rejected:
            return Refused(error.code, texts)
        return Unreachable(retry_after=error.retry_after, may_have_left=may_have_left)
