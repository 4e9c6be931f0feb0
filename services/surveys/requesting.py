"""A survey that somebody asks for before it is mailed by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models import JobApplication, Survey, User
from models.database import run_in_transaction
from models.enums import JobApplicationState, SurveyKind, SurveyStatus
from services.clock import PARIS
from services.outcomes import ConflictFound, NotFound
from services.surveys.offering import offer_survey
from services.surveys.plan import SurveyPlan
from services.surveys.recipients import as_recipient
from services.surveys.sending import RELATIONS, hand_out

_NOT_ACCEPTED = ConflictFound("L'enquête n'est proposée qu'une fois la candidature acceptée.")
_NOT_CONCERNED = ConflictFound("Cette enquête ne concerne que les candidatures envoyées par un prescripteur.")
_ANSWERED = ConflictFound("Cette enquête a déjà reçu une réponse.")


@dataclass(frozen=True, slots=True)
class SurveySent:
    """`mail_id`: the mail that leaves when a worker hears of it; None where there is no relay, or no address."""

    survey_id: UUID
    mail_id: UUID | None


async def request_survey(
    job_application_id: UUID, kind: SurveyKind, *, plan: SurveyPlan, requester_id: UUID, now: datetime
) -> SurveySent | ConflictFound | NotFound:
    """Send one survey about a hiring to whoever asks for it, once. Who may ask is decided before.

    For a kind that has a form. The link is sent to the requester, and can be read on the survey.
    """

    async def decide() -> SurveySent | ConflictFound | NotFound:
        # Two who ask at once stand in line here; the second one finds the survey sent.
        application = await JobApplication.filter(id=job_application_id).select_for_update().first()
        if application is None:
            return NotFound()
        if application.state is not JobApplicationState.ACCEPTED:
            return _NOT_ACCEPTED
        if not await offer_survey(application, kind, plan, now=now):
            return _NOT_CONCERNED
        survey = await (
            Survey.filter(job_application_id=job_application_id, kind=kind)
            .select_for_update(of=("survey",))
            .select_related(*RELATIONS)
            .get()
        )
        if (objection := _objection(survey)) is not None:
            return objection
        requester = await User.get_or_none(id=requester_id) if plan.sends_mails else None
        recipient = as_recipient(requester) if requester is not None else None
        return SurveySent(survey.id, await hand_out(survey, recipient, plan, now=now))

    return await run_in_transaction(decide)


def _objection(survey: Survey) -> ConflictFound | None:
    match survey.status:
        case SurveyStatus.AVAILABLE:
            return None
        case SurveyStatus.ANSWERED:
            return _ANSWERED
        case SurveyStatus.SENT:
            when = f" le {survey.sent_at.astimezone(PARIS):%d/%m/%Y}" if survey.sent_at else ""
            return ConflictFound(f"Cette enquête a déjà été envoyée{when}.")
