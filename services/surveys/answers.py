"""Answers that Tally tells of: which survey each belongs to, and that it was answered. What was answered stays there.

The respondent can edit the link that fills the hidden fields: they find a row, and grant nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from clients.tally import TallyEvent, UnreadableSubmission, read_tally_event
from models import Survey, UnlinkedSurveyAnswer
from models.database import fetch_all, run_in_transaction, write
from models.departments import DEPARTMENTS
from models.enums import SurveyKind, SurveyStatus
from services.surveys.links import REFERENCE
from services.webhooks.outcomes import Applied, Failed, Ignored, Outcome, Unmatched

log = structlog.get_logger(__name__)

OTHER_EVENT = Ignored("not_a_submission")
UNKNOWN_FORM = Ignored("unknown_form")
ANSWERED_EARLIER = Ignored("answered_earlier")
WITHOUT_REFERENCE = Unmatched("no_reference")
UNKNOWN_REFERENCE = Unmatched("unknown_reference")
UNREADABLE = Failed("unreadable")
FORM_OF_ANOTHER_KIND = Failed("form_of_another_kind")

# What new_reference() makes, and what was imported with surveys of before.
_REFERENCE = re.compile(r"[A-Za-z0-9_-]{16,32}", re.ASCII)
# Of the hidden fields, those that say whom the survey is about.
_SUBJECTS = ("id_siae", "idorganisation")
_COUNT = """
INSERT INTO unlinked_survey_answer (id, kind, form_id, submission_id, reference, department, answered_at)
VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6)
ON CONFLICT (form_id, submission_id) DO NOTHING
RETURNING id
"""
_LATE = """
SELECT answer.id, answer.form_id, answer.submission_id, answer.answered_at, survey.id AS survey_id
FROM unlinked_survey_answer answer
JOIN survey ON survey.reference = answer.reference AND survey.kind = answer.kind
ORDER BY answer.answered_at, answer.id
LIMIT $1
"""
_LATE_BATCH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    form_id: str
    submission_id: str
    answered_at: datetime


async def apply_answer(body: bytes, *, kinds: Mapping[str, SurveyKind], now: datetime) -> Outcome:
    """Note that a survey was answered, by its reference. Inside the caller's transaction.

    `body`: an event of Tally, as it was received or as `TallyEvent.stored_body` keeps it. `kinds`: the kind of each
    configured form. `now`: when the event was received, which dates an answer that claims to come from the future.
    Repeating it changes nothing.
    """
    try:
        event = read_tally_event(body)
    except UnreadableSubmission:
        return UNREADABLE
    submission_id = event.submission_id or event.response_id
    if not event.is_response or event.form_id is None or submission_id is None:
        return OTHER_EVENT
    answer = _Answer(form_id=event.form_id, submission_id=submission_id, answered_at=event.answered_at(received_at=now))
    reference = _reference(event)
    survey = await Survey.filter(reference=reference).select_for_update().first() if reference is not None else None
    if survey is None:
        return await _without_survey(answer, event, reference, kinds)
    if event.form_id != survey.form_id and kinds.get(event.form_id) is not survey.kind:
        return UNKNOWN_FORM if event.form_id not in kinds else FORM_OF_ANOTHER_KIND
    _compare(survey, event)
    return await _link(survey, answer)


async def link_late_answers() -> int:
    """Give the answers that came before their surveys to these: surveys may be imported. Returns how many."""
    linked = 0
    for row in await fetch_all(_LATE, _LATE_BATCH):
        answer = _Answer(form_id=row["form_id"], submission_id=row["submission_id"], answered_at=row["answered_at"])
        linked += await run_in_transaction(lambda key=row["survey_id"], given=answer: _link_late(key, given))
    return linked


async def _link_late(survey_id: UUID, answer: _Answer) -> bool:
    survey = await Survey.filter(id=survey_id).select_for_update().first()
    return survey is not None and isinstance(await _link(survey, answer), Applied)


async def _link(survey: Survey, answer: _Answer) -> Outcome:
    """The earliest answer stands, in whatever order they arrive. The survey is held locked."""
    await UnlinkedSurveyAnswer.filter(form_id=answer.form_id, submission_id=answer.submission_id).delete()
    if survey.submission_id == answer.submission_id:
        return Applied()
    if survey.answered_at is not None and survey.answered_at <= answer.answered_at:
        return ANSWERED_EARLIER
    await Survey.filter(id=survey.id).update(
        status=SurveyStatus.ANSWERED,
        answered_at=answer.answered_at,
        submission_id=answer.submission_id,
        mail_due_at=None,
    )
    return Applied()


async def _without_survey(
    answer: _Answer, event: TallyEvent, reference: str | None, kinds: Mapping[str, SurveyKind]
) -> Outcome:
    """Count it. No survey is guessed, not even where only one is open."""
    kind = kinds.get(answer.form_id)
    if kind is None:
        return UNKNOWN_FORM
    department = event.hidden.get("departement", "")
    await write(
        _COUNT,
        kind.value,
        answer.form_id,
        answer.submission_id,
        reference,
        department if department in DEPARTMENTS else "",
        answer.answered_at,
    )
    return WITHOUT_REFERENCE if event.hidden.get(REFERENCE) is None else UNKNOWN_REFERENCE


def _reference(event: TallyEvent) -> str | None:
    """Whatever else somebody wrote in its place is not kept."""
    given = event.hidden.get(REFERENCE, "")
    return given if _REFERENCE.fullmatch(given) else None


def _compare(survey: Survey, event: TallyEvent) -> None:
    for key in _SUBJECTS:
        if event.hidden.get(key) not in (None, survey.context.get(key)):
            log.warning("survey_link_was_edited", survey_id=str(survey.id), field=key)
