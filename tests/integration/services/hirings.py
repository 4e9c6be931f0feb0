"""Hirings for the tests of surveys: accepted applications, and what is surveyed about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from clients.tally import TallyForms
from models import Company, JobApplication, PrescriberOrganization, User
from models.enums import JobApplicationState, SenderKind, SurveyKind, Title
from services.surveys import SurveyPlan
from tests.conftest import NOW
from tests.factories import (
    make_company,
    make_employer,
    make_job_application,
    make_job_seeker,
    make_prescriber,
    make_prescriber_organization,
)

FORM_IDS = {
    SurveyKind.POST_HIRING_EMPLOYER: "mY59xq",
    SurveyKind.POST_HIRING_JOB_SEEKER: "sBx1jS",
    SurveyKind.PRESCRIBER_SATISFACTION: "w2EoDp",
}
PLAN = SurveyPlan(
    forms=TallyForms("https://tally.so"),
    form_ids=FORM_IDS,
    delays=dict.fromkeys(SurveyKind, timedelta(days=2)),
    sends_mails=True,
)
ACCEPTED_AT = NOW - timedelta(days=1)
DUE_AT = ACCEPTED_AT + timedelta(days=2)


@dataclass
class Hiring:
    application: JobApplication
    job_seeker: User
    company: Company
    employer: User
    prescriber: User
    organization: PrescriberOrganization


async def make_hiring(*, company: Company | None = None, is_authorized: bool = True, **values: Any) -> Hiring:
    """Zélie Fictive was sent by Camille Inventée of a CCAS, and accepted by an ACI yesterday. Once a test."""
    company = company or await make_company(
        number=4321, name="SARL Inventée", brand="L'Atelier Imaginaire", department="13", email="contact@exemple.test"
    )
    employer = await make_employer(company, email="emma@exemple.test")
    organization = await make_prescriber_organization(
        number=77, name="CCAS Fictif", department="93", is_authorized=is_authorized
    )
    prescriber = await make_prescriber(
        organization, last_name="Inventée", first_name="Camille", email="camille@exemple.test", title=Title.MME
    )
    job_seeker = await make_job_seeker(
        last_name="Fictive", first_name="Zélie", email="zelie@exemple.test", title=Title.MME
    )
    defaults: dict[str, Any] = {
        "state": JobApplicationState.ACCEPTED,
        "processed_at": ACCEPTED_AT,
        "sender_kind": SenderKind.PRESCRIBER,
        "sender": prescriber,
        "sender_prescriber_organization": organization,
    }
    application = await make_job_application(job_seeker, company, **(defaults | values))
    return Hiring(application, job_seeker, company, employer, prescriber, organization)
