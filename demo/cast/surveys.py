"""Surveys offered after hirings. Their answers stay with the survey tool: only whether they came is known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from demo.cast import well_known
from demo.cast.dice import Calendar, Dice
from demo.cast.hirings import Hiring
from demo.cast.identifiers import demo_id
from demo.cast.organizations import Organizations
from demo.cast.rows import CompanyRow, PrescriberOrganizationRow, SurveyRow
from models.departments import DEPARTMENTS, REGIONS
from models.enums import SurveyKind, SurveyStatus

_SURVEYED = 0.35
# Those that the sandbox knows: see demo/environment.py.
_FORMS = {
    SurveyKind.POST_HIRING_EMPLOYER: "mY59xq",
    SurveyKind.POST_HIRING_JOB_SEEKER: "sBx1jS",
    SurveyKind.PRESCRIBER_SATISFACTION: "w2EoDp",
}
_STATUSES = {SurveyStatus.AVAILABLE: 25, SurveyStatus.SENT: 40, SurveyStatus.ANSWERED: 35}


def build_surveys(calendar: Calendar, organizations: Organizations, hirings: list[Hiring]) -> Iterator[SurveyRow]:
    dice = Dice("surveys")
    prescribers = {row.id: row for row in organizations.prescriber_organizations}
    for hiring in hirings:
        is_demo = hiring.job_seeker.number == well_known.DEMO_JOB_SEEKER
        if hiring.approval.start_at >= calendar.today or not (is_demo or dice.chance(_SURVEYED)):
            continue
        kinds = [SurveyKind.POST_HIRING_EMPLOYER]
        if is_demo or dice.chance(0.5):
            kinds.append(SurveyKind.POST_HIRING_JOB_SEEKER)
        prescriber = prescribers.get(hiring.application.sender_prescriber_organization_id or hiring.company.id)
        if prescriber is not None and dice.chance(0.5):
            kinds.append(SurveyKind.PRESCRIBER_SATISFACTION)
        for kind in kinds:
            about = prescriber if kind is SurveyKind.PRESCRIBER_SATISFACTION else None
            yield _survey(kind, hiring, about or hiring.company, calendar, dice)


def _survey(
    kind: SurveyKind, hiring: Hiring, about: CompanyRow | PrescriberOrganizationRow, calendar: Calendar, dice: Dice
) -> SurveyRow:
    key = f"{kind.value}-{hiring.approval.id}"
    status = dice.draw(_STATUSES)
    created_at = min(hiring.application.updated_at + timedelta(days=1), calendar.now - timedelta(hours=2))
    sent_at = created_at + timedelta(minutes=5) if status is not SurveyStatus.AVAILABLE else None
    answered_at = None
    if sent_at is not None and status is SurveyStatus.ANSWERED:
        answered_at = min(sent_at + timedelta(hours=dice.randint(1, 200)), calendar.now - timedelta(minutes=20))
    return SurveyRow(
        id=demo_id("survey", key),
        kind=kind,
        status=status,
        reference=demo_id("survey_reference", key).hex,
        form_id=_FORMS[kind],
        context=_context(about),
        job_application_id=hiring.application.id,
        submission_id=demo_id("submission", key).hex if answered_at else None,
        sent_at=sent_at,
        answered_at=answered_at,
        created_at=created_at,
    )


def _context(about: CompanyRow | PrescriberOrganizationRow) -> dict[str, str]:
    """The parameters of the forms, by their own names and in their order; nobody is named."""
    department = DEPARTMENTS.get(about.department)
    place = {
        "region": REGIONS[department.region_code].name if department else "",
        "departement": department.code if department else "",
    }
    if isinstance(about, CompanyRow):
        return {"id_siae": str(about.number), "type_siae": about.kind.label, **place}
    return {"idorganisation": str(about.number), **place}
