"""What France Travail was told of an approval, and what it answered: statuses with the attempts that led there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from demo.cast.dice import Dice
from demo.cast.identifiers import demo_id
from demo.cast.rows import ApprovalRow, CancelledApprovalRow, NotificationAttemptRow
from models.enums import Delivery, NotificationEndpoint, NotificationStatus, PreliminaryCheck

_SEARCH = NotificationEndpoint.RECHERCHE_INDIVIDU
_UPDATE = NotificationEndpoint.MISE_A_JOUR_PASS_IAE
_CRON_INTERVAL = timedelta(minutes=5)

_SEARCH_CODES = {
    "S000": 50,
    "S002": 12,
    "R010": 4,
    "R011": 8,
    "R020": 3,
    "R042": 3,
    "PE004": 8,
    "PE008": 3,
    "empty_nir": 5,
}
_UPDATE_CODES = {
    "S022": 30,
    "S008": 22,
    "S009": 14,
    "S015": 10,
    "S032": 8,
    "S036": 6,
    "E_ERR_D98_D_PR_PROBLEME_TECHNIQUE": 6,
    "E_ERR_EX042_PROBLEME_DECHIFFREMEMENT": 4,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one attempt came to. `http_status` None: no answer, or no call at all."""

    status: NotificationStatus
    endpoint: NotificationEndpoint | None
    exit_code: str | None
    http_status: int | None
    delivery: Delivery

    @property
    def made_calls(self) -> bool:
        return self.endpoint is not None


ACCEPTED = Outcome(
    status=NotificationStatus.SUCCESS,
    endpoint=_UPDATE,
    exit_code=None,
    http_status=200,
    delivery=Delivery.ACCEPTED,
)
UNANSWERED = Outcome(
    status=NotificationStatus.SHOULD_RETRY,
    endpoint=_UPDATE,
    exit_code=None,
    http_status=None,
    delivery=Delivery.UNKNOWN,
)
_UNAVAILABLE = {
    Outcome(
        status=NotificationStatus.SHOULD_RETRY,
        endpoint=_UPDATE,
        exit_code=None,
        http_status=503,
        delivery=Delivery.UNKNOWN,
    ): 5,
    Outcome(
        status=NotificationStatus.SHOULD_RETRY,
        endpoint=_SEARCH,
        exit_code=None,
        http_status=429,
        delivery=Delivery.NOT_SENT,
    ): 3,
    UNANSWERED: 2,
}


def search_failed(dice: Dice) -> Outcome:
    return _refused(_SEARCH, dice.draw(_SEARCH_CODES), Delivery.NOT_SENT)


def update_refused(dice: Dice) -> Outcome:
    return _refused(_UPDATE, dice.draw(_UPDATE_CODES), Delivery.REFUSED)


def _refused(endpoint: NotificationEndpoint, code: str, delivery: Delivery) -> Outcome:
    return Outcome(
        status=NotificationStatus.ERROR, endpoint=endpoint, exit_code=code, http_status=200, delivery=delivery
    )


def unavailable(dice: Dice) -> Outcome:
    return dice.draw(_UNAVAILABLE)


def held_back(check: PreliminaryCheck) -> Outcome:
    """No call was made. An unknown kind of structure is final, the other checks can pass later."""
    is_final = check is PreliminaryCheck.INVALID_SIAE_KIND
    return Outcome(
        status=NotificationStatus.ERROR if is_final else NotificationStatus.PENDING,
        endpoint=None,
        exit_code=check.value,
        http_status=None,
        delivery=Delivery.NOT_SENT,
    )


def record(row: ApprovalRow | CancelledApprovalRow, outcome: Outcome, at: datetime) -> None:
    """Leave on the row what the last attempt leaves there: codes of errors and of checks only."""
    row.pe_notification_status = outcome.status
    row.pe_notification_time = at
    is_error = outcome.status is NotificationStatus.ERROR
    row.pe_notification_endpoint = outcome.endpoint if is_error else None
    row.pe_notification_exit_code = outcome.exit_code if is_error or not outcome.made_calls else None


def with_retries(outcome: Outcome, dice: Dice, *, probability: float = 0.12) -> list[Outcome]:
    """Return the outcomes of all attempts, the last one given: some were tried in vain before."""
    outcomes = [outcome]
    while outcome.made_calls and dice.chance(probability) and len(outcomes) < 4:
        outcomes.insert(0, unavailable(dice))
    return outcomes


def attempts_of(
    row: ApprovalRow | CancelledApprovalRow, outcomes: list[Outcome], *, last_at: datetime, dice: Dice
) -> Iterator[NotificationAttemptRow]:
    """Yield one attempt an outcome, a run of the cron apart, and record the last one on the row."""
    is_cancellation = isinstance(row, CancelledApprovalRow)
    approval_id: UUID | None = None if is_cancellation else row.id
    for position, outcome in enumerate(outcomes):
        at = last_at - _CRON_INTERVAL * (len(outcomes) - 1 - position)
        duration_ms = _duration_ms(outcome, dice)
        yield NotificationAttemptRow(
            id=demo_id("notification_attempt", f"{row.id}-{position}"),
            approval_id=approval_id,
            cancelled_approval_id=row.id if is_cancellation else None,
            started_at=at,
            finished_at=at + timedelta(milliseconds=duration_ms),
            duration_ms=duration_ms,
            endpoint=outcome.endpoint,
            http_status=outcome.http_status,
            exit_code=outcome.exit_code,
            outcome=outcome.status,
            delivery=outcome.delivery,
            sent_start_at=row.start_at if outcome.endpoint is _UPDATE else None,
            sent_end_at=_sent_end(row) if outcome.endpoint is _UPDATE else None,
        )
    record(row, outcomes[-1], last_at)


def _sent_end(row: ApprovalRow | CancelledApprovalRow) -> date:
    # Equal days are how a cancellation is told.
    return row.start_at if isinstance(row, CancelledApprovalRow) else row.end_at


def _duration_ms(outcome: Outcome, dice: Dice) -> int:
    if not outcome.made_calls:
        return dice.randint(1, 9)
    if outcome.delivery is Delivery.UNKNOWN and outcome.http_status is None:
        return 60_000 + dice.randint(1, 400)
    return dice.randint(180, 2_600)
