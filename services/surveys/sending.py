"""Surveys reach people: marked as sent and their mail written down, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog

from models import Survey
from models.database import fetch_all, run_in_transaction
from models.enums import JobApplicationState, MailTemplate, SurveyKind, SurveyStatus, WorkQueue
from services.clock import PARIS, Clock, utc_now
from services.mails import post
from services.naming import full_name, mask
from services.pauses import not_paused
from services.surveys.links import survey_url
from services.surveys.offering import offer_surveys
from services.surveys.plan import SurveyPlan
from services.surveys.recipients import Recipient, recipient_of

log = structlog.get_logger(__name__)

BATCH_SIZE = 200

_DUE = (
    f"SELECT id FROM survey WHERE {not_paused(WorkQueue.SURVEYS)} AND mail_due_at <= $1"
    " ORDER BY mail_due_at, id LIMIT $2"
)
_TEMPLATES = {
    SurveyKind.POST_HIRING_EMPLOYER: MailTemplate.SURVEY_EMPLOYER,
    SurveyKind.POST_HIRING_JOB_SEEKER: MailTemplate.SURVEY_JOB_SEEKER,
    SurveyKind.PRESCRIBER_SATISFACTION: MailTemplate.SURVEY_PRESCRIBER,
}
# What a mail about a survey is made of: who, where, sent by whom.
RELATIONS = (
    "job_application__company",
    "job_application__job_seeker",
    "job_application__sender",
    "job_application__sender_prescriber_organization",
)


class SurveyOutcome(StrEnum):
    """What came of one survey that was due."""

    SENT = "sent"
    NOBODY_TO_ASK = "nobody_to_ask"
    HIRING_IS_OFF = "hiring_is_off"
    TOO_LATE = "too_late"


@dataclass(slots=True, kw_only=True)
class SurveySummary:
    """What one run did."""

    offered: int = 0
    sent: int = 0
    nobody_to_ask: int = 0
    hiring_is_off: int = 0
    too_late: int = 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def count(self, outcome: SurveyOutcome) -> None:
        setattr(self, outcome.value, getattr(self, outcome.value) + 1)


async def offer_and_send(
    plan: SurveyPlan, *, clock: Clock = utc_now, batch_size: int = BATCH_SIZE, keep_going: Callable[[], bool]
) -> SurveySummary:
    """Offer what recent hirings lack, then mail what is due. `keep_going` is asked before each mail.

    Without a relay nothing is mailed: surveys stay available to whoever looks for theirs.
    """
    summary = SurveySummary(offered=await offer_surveys(plan, now=clock()))
    if not plan.sends_mails:
        return summary
    for row in await fetch_all(_DUE, clock(), batch_size):
        if not keep_going():
            break
        try:
            outcome = await send_survey(row["id"], plan, now=clock())
        except Exception as error:  # noqa: BLE001 - one survey must not keep the others from their turn
            # The class alone: the text may hold what was to be written.
            log.error("survey_broken", survey_id=str(row["id"]), error_class=type(error).__name__)  # noqa: TRY400
            continue
        if outcome is not None:
            summary.count(outcome)
    return summary


async def send_survey(survey_id: UUID, plan: SurveyPlan, *, now: datetime) -> SurveyOutcome | None:
    """Mail one survey if it is due. None: it is not, or somebody else is at it."""

    async def send() -> SurveyOutcome | None:
        survey = (
            await Survey.filter(id=survey_id, mail_due_at__lte=now)
            .select_for_update(skip_locked=True, of=("survey",))
            .select_related(*RELATIONS)
            .first()
        )
        if survey is None:
            return None
        outcome, recipient = await _decide(survey, plan, now=now)
        if recipient is None:
            # It stays available, and may be asked for.
            await Survey.filter(id=survey.id).update(mail_due_at=None)
        else:
            await hand_out(survey, recipient, plan, now=now)
        log.info("survey_decided", survey_id=str(survey.id), kind=survey.kind.value, outcome=outcome.value)
        return outcome

    return await run_in_transaction(send)


async def hand_out(survey: Survey, recipient: Recipient | None, plan: SurveyPlan, *, now: datetime) -> UUID | None:
    """Mark an available survey as sent and write its mail down; returns that one's id.

    Inside the caller's transaction, which holds the survey locked, with RELATIONS. Without a recipient there is no
    mail: the link was given otherwise.
    """
    await Survey.filter(id=survey.id).update(status=SurveyStatus.SENT, sent_at=now, mail_due_at=None)
    if recipient is None:
        return None
    return await post(
        _TEMPLATES[survey.kind],
        survey.id,
        recipient=recipient.address,
        parameters=_parameters(survey, recipient, plan),
        now=now,
    )


async def _decide(survey: Survey, plan: SurveyPlan, *, now: datetime) -> tuple[SurveyOutcome, Recipient | None]:
    application = survey.job_application
    if application is None or application.state is not JobApplicationState.ACCEPTED:
        return SurveyOutcome.HIRING_IS_OFF, None
    if survey.mail_due_at is not None and survey.mail_due_at < now - plan.lookback:
        return SurveyOutcome.TOO_LATE, None
    recipient = await recipient_of(survey.kind, application)
    return (SurveyOutcome.SENT, recipient) if recipient is not None else (SurveyOutcome.NOBODY_TO_ASK, None)


def _parameters(survey: Survey, recipient: Recipient, plan: SurveyPlan) -> dict[str, str]:
    """What the templates name. The job seeker by initials: enough for those who know whom they hired or sent."""
    application = survey.job_application
    if application is None:
        raise ValueError(f"{survey}: without a job application there is nothing to write about")
    accepted_at = application.processed_at
    parameters = {
        "greeting": recipient.greeting,
        "company": application.company.display_name,
        "accepted": f"acceptée le {accepted_at.astimezone(PARIS):%d/%m/%Y}" if accepted_at else "acceptée",
        "link": survey_url(plan.forms, survey.form_id, survey.context, survey.reference),
    }
    if survey.kind is not SurveyKind.POST_HIRING_JOB_SEEKER:
        parameters["job_seeker"] = mask(full_name(application.job_seeker))
    if survey.kind is SurveyKind.PRESCRIBER_SATISFACTION:
        organization = application.sender_prescriber_organization
        parameters["organization"] = organization.name if organization else ""
    return parameters
