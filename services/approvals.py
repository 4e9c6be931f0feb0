"""Approvals (PASS IAE): grant one, move its dates, cancel it, have its announcement tried again.

Who may do so is decided before; here are the rules that hold for everyone. Announcing is not done here: each change
leaves a row that is due, and whoever calls rings the bell after the commit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from uuid import UUID

from tortoise.exceptions import IntegrityError

from models import Approval, CancelledApproval, JobApplication, JobSeekerProfile, User
from models.approvals import DURATION_DAYS
from models.database import fetch_all, run_in_transaction
from models.enums import JobApplicationState, NotificationStatus
from models.states import NotificationEvent, next_notification_status
from services.clock import paris_day
from services.leases import LeasedTable
from services.numbering import next_approval_number
from services.outcomes import ConflictFound, FieldProblem, Invalid, NotFound, invalid

ApprovalOutcome = Approval | Invalid | ConflictFound | NotFound

_OVERLAP = ConflictFound("Ce candidat a déjà un PASS IAE sur tout ou partie de cette période.")
_ALREADY_CANCELLED = ConflictFound("Ce PASS IAE est annulé.")
_OVERLAP_CONSTRAINT = "approval_one_at_a_time"
_IS_FREE = """
SELECT lease_until IS NULL OR lease_until < clock_timestamp() AS is_free FROM {table} WHERE id = $1
"""


async def create_approval(
    job_application_id: UUID, *, start_at: date, end_at: date | None = None, now: datetime
) -> ApprovalOutcome:
    """Grant an approval to the person of an accepted application, with the application's origin frozen on it.

    Without `end_at` it lasts two years, the last day included. Paths of Invalid are those of `CreateApprovalInput`.
    """
    if end_at is None:
        if (last_day := _two_years_from(start_at)) is None:
            return invalid("startAt", "La date de début est trop lointaine.")
        end_at = last_day
    if start_at >= end_at:
        return _wrong_order("endAt")

    async def grant() -> ApprovalOutcome:
        # Before anything is read: creations are one after the other, and each sees those before it.
        number = await next_approval_number()
        application = (
            await JobApplication.filter(id=job_application_id)
            .select_for_update(of=("job_application",))
            .select_related("company", "sender_prescriber_organization")
            .first()
        )
        if application is None:
            return NotFound()
        if (conflict := await _conflict_with(application, start_at, end_at, today=paris_day(now))) is not None:
            return conflict
        return await _grant(application, number, start_at, end_at)

    return await _refusing_overlaps(grant)


async def update_approval_dates(
    approval_id: UUID, *, start_at: date | None = None, end_at: date | None = None
) -> ApprovalOutcome:
    """Move one or both dates. The database makes the notification due again, and only if a date really changes."""
    if start_at is None and end_at is None:
        return Invalid(
            tuple(FieldProblem((name,), "Indiquez au moins une des deux dates.") for name in ("startAt", "endAt"))
        )

    async def move() -> ApprovalOutcome:
        approval = await Approval.filter(id=approval_id).select_for_update().first()
        if approval is None:
            return NotFound()
        if approval.cancelled_at is not None:
            return _ALREADY_CANCELLED
        dates = {"start_at": start_at or approval.start_at, "end_at": end_at or approval.end_at}
        if dates["start_at"] >= dates["end_at"]:
            return _wrong_order("endAt" if end_at is not None else "startAt")
        # The dates alone: the trigger refuses a statement that also sets the status.
        await Approval.filter(id=approval_id).update(**dates)
        return await Approval.get(id=approval_id)

    return await _refusing_overlaps(move)


async def cancel_approval(approval_id: UUID, *, cancelled_by: UUID | None = None, now: datetime) -> ApprovalOutcome:
    """Cancel an approval: it stays, marked; its applications lose it; France Travail is told by a cancellation.

    The cancellation holds a copy of the person as they are now, and is due even if the approval was never announced.
    """

    async def cancel() -> ApprovalOutcome:
        approval = await Approval.filter(id=approval_id).select_for_update().first()
        if approval is None:
            return NotFound()
        if approval.cancelled_at is not None:
            return _ALREADY_CANCELLED
        await _record_cancellation(approval, cancelled_by, at=now)
        await JobApplication.filter(approval_id=approval_id).update(approval_id=None)
        await Approval.filter(id=approval_id).update(cancelled_at=now)
        return await Approval.get(id=approval_id)

    return await run_in_transaction(cancel)


async def retry_notification(approval_id: UUID) -> ApprovalOutcome:
    """Make the announcement due at once, whatever came of it so far; of a cancelled approval, its cancellation."""

    async def rearm() -> ApprovalOutcome:
        approval = await Approval.filter(id=approval_id).select_for_update().first()
        if approval is None:
            return NotFound()
        if approval.cancelled_at is None:
            conflict = await _rearm(approval)
        else:
            cancellation = await CancelledApproval.filter(approval_id=approval_id).select_for_update().first()
            if cancellation is None:
                return ConflictFound("L'annulation de ce PASS IAE n'est plus conservée : elle ne peut être renvoyée.")
            conflict = await _rearm(cancellation)
        return conflict or await Approval.get(id=approval_id)

    return await run_in_transaction(rearm)


def _two_years_from(start_at: date) -> date | None:
    try:
        return start_at + timedelta(days=DURATION_DAYS - 1)
    except OverflowError:
        return None


def _wrong_order(field: str) -> Invalid:
    return invalid(field, "La date de fin doit être postérieure à la date de début.")


async def _conflict_with(
    application: JobApplication, start_at: date, end_at: date, *, today: date
) -> ConflictFound | None:
    if application.state is not JobApplicationState.ACCEPTED:
        return ConflictFound("Cette candidature n'est pas acceptée : un PASS IAE suppose une embauche.")
    if application.approval_id is not None:
        return ConflictFound("Cette candidature a déjà un PASS IAE.")
    standing = Approval.filter(job_seeker_id=application.job_seeker_id, cancelled_at=None)
    if await standing.filter(end_at__gte=today).exists():
        return ConflictFound("Ce candidat a déjà un PASS IAE valide.")
    if await standing.filter(start_at__lte=end_at, end_at__gte=start_at).exists():
        return _OVERLAP
    return None


async def _grant(application: JobApplication, number: str, start_at: date, end_at: date) -> Approval:
    company, organization = application.company, application.sender_prescriber_organization
    approval = await Approval.create(
        number=number,
        start_at=start_at,
        end_at=end_at,
        job_seeker_id=application.job_seeker_id,
        origin_company_id=company.id,
        origin_siae_siret=company.siret,
        origin_siae_kind=company.kind.value,
        origin_sender_kind=application.sender_kind.value,
        origin_prescriber_organization_kind=organization.kind.value if organization else "",
    )
    await JobApplication.filter(id=application.id).update(approval_id=approval.id)
    return approval


async def _refusing_overlaps(body: Callable[[], Awaitable[ApprovalOutcome]]) -> ApprovalOutcome:
    """Run the body in a transaction; when the database itself refuses an overlap, that is an answer, not a fault."""
    try:
        return await run_in_transaction(body)
    except IntegrityError as error:
        if _OVERLAP_CONSTRAINT in str(error):
            return _OVERLAP
        raise


async def _record_cancellation(approval: Approval, cancelled_by: UUID | None, *, at: datetime) -> None:
    account = await User.get(id=approval.job_seeker_id)
    profile = await JobSeekerProfile.get_or_none(user_id=approval.job_seeker_id)
    await CancelledApproval.create(
        approval_id=approval.id,
        number=approval.number,
        start_at=approval.start_at,
        end_at=approval.end_at,
        user_first_name=account.first_name,
        user_last_name=account.last_name,
        user_nir=profile.nir if profile else None,
        user_birthdate=profile.birthdate if profile else None,
        user_id_national_pe=profile.pe_obfuscated_nir if profile else None,
        origin_siae_siret=approval.origin_siae_siret,
        origin_siae_kind=approval.origin_siae_kind,
        origin_sender_kind=approval.origin_sender_kind,
        origin_prescriber_organization_kind=approval.origin_prescriber_organization_kind,
        cancelled_by_id=cancelled_by,
        created_at=at,
    )


async def _rearm(row: Approval | CancelledApproval) -> ConflictFound | None:
    table = LeasedTable.APPROVAL if isinstance(row, Approval) else LeasedTable.CANCELLED_APPROVAL
    free = await fetch_all(_IS_FREE.format(table=table), row.id)
    if not free[0]["is_free"]:
        return ConflictFound("Une notification est en cours d'envoi pour ce PASS IAE.")
    status = next_notification_status(row.pe_notification_status, NotificationEvent.RETRIED)
    await (
        type(row)
        .filter(id=row.id)
        .update(pe_notification_status=status or NotificationStatus.PENDING, next_attempt_at=None)
    )
    return None
