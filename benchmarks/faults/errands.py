"""People with something due at each partner, the clicks of their employer, and what came of all of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson

from benchmarks.faults.load import ask
from benchmarks.faults.people import due_approval, token_of_employer
from models import (
    Approval,
    Company,
    Consent,
    IdentityCertification,
    InvitationRequest,
    JobApplication,
    JobSeekerProfile,
    Mail,
)
from models.database import fetch_all, write
from models.enums import CertificationAuthority, ConsentPurpose, MailState, MailTemplate, NotificationStatus
from resolvers.global_ids import encode
from sandbox.cast import COMPANIES
from services.consents import CONSENT_TEXTS

ORGANISATION = 2_001
_UPDATE_PATH = "/maj-pass-iae/v1/passIAE/miseAjour"
_UNAVAILABLE = "PartnerUnavailable"
_INVITED = ("InvitationRequest", "TooSoon")
# Rounds begin at full minutes; breakers are open for 30 seconds.
_DONE_WITHIN_SECONDS = 150.0
# Addresses are put off for ten minutes, twice if their round meets a breaker that lets only one probe through.
_DONE_IN_REAL_TIME_SECONDS = 1_800.0
# A breaker that is half open lets one address through, and the others wait for the next round.
_PEOPLE_TO_AN_ADDRESS = 5
# What waits for a partner and is a worker's to do.
_WAITING = f"""
SELECT (SELECT count(*) FROM approval WHERE pe_notification_status <> '{NotificationStatus.SUCCESS}') AS approvals,
    (SELECT count(*) FROM mail WHERE state = '{MailState.PENDING}') AS mails,
    (SELECT count(*) FROM certification_request WHERE answered_at IS NULL) AS certifications,
    (SELECT count(*) FROM job_seeker_profile WHERE geocoding_due_at IS NOT NULL) AS addresses,
    (SELECT count(*) FROM invitation_attempt WHERE settled_at IS NULL) AS invitations
"""
# Minutes pass: what was put off until later is due, whoever was not found by then is not known at the partner's, and
# the rounds of each minute may begin.
_MINUTES_PASS = (
    "UPDATE mail SET next_attempt_at = clock_timestamp()"
    " WHERE next_attempt_at > clock_timestamp() AND lease_token IS NULL RETURNING 1 AS passed",
    "UPDATE certification_request SET next_attempt_at = clock_timestamp()"
    " WHERE next_attempt_at > clock_timestamp() AND lease_token IS NULL RETURNING 1 AS passed",
    "UPDATE job_seeker_profile SET geocoding_due_at = clock_timestamp()"
    " WHERE geocoding_due_at > clock_timestamp() + interval '5 minutes' RETURNING 1 AS passed",
    "UPDATE invitation_attempt SET begun_at = begun_at - interval '5 minutes', next_look_at = clock_timestamp()"
    " WHERE next_look_at > clock_timestamp() RETURNING 1 AS passed",
    "UPDATE cron_run SET started_at = started_at - interval '1 minute'"
    " WHERE finished_at IS NOT NULL AND started_at > clock_timestamp() - interval '1 minute' RETURNING 1 AS passed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """A mutation of one field, and the type that it answers with while every partner fails."""

    name: str
    arguments: str
    in_a_storm: str

    @property
    def text(self) -> str:
        return f"mutation {{ {self.name}({self.arguments}) {{ __typename }} }}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One person: an approval to announce, an address to find, and all that an employer may ask about them."""

    approval: Approval
    application_id: str
    job_seeker_id: str
    email: str

    @property
    def clicks(self) -> Sequence[Click]:
        about = f'input: {{jobSeekerId: "{self.job_seeker_id}", authority: %s}}'
        return (
            self.invitation,
            Click(name="certifyIdentity", arguments=about % "FRANCE_TRAVAIL", in_a_storm=_UNAVAILABLE),
            Click(name="certifyIdentity", arguments=about % "API_PARTICULIER", in_a_storm=_UNAVAILABLE),
            # Those that end in a mail are taken whatever the relay does.
            Click(name="sendDiagorienteInvitation", arguments=self._application, in_a_storm="DiagorienteInvitation"),
            Click(
                name="requestSurvey", arguments=f"{self._application}, kind: POST_HIRING_EMPLOYER", in_a_storm="Survey"
            ),
        )

    @property
    def invitation(self) -> Click:
        return Click(name="inviteToAppointment", arguments=self._application, in_a_storm=_UNAVAILABLE)

    @property
    def _application(self) -> str:
        return f'jobApplicationId: "{self.application_id}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Errands:
    """One more person than `waiting` was invited in fair weather: the session of RDV-Solidarités is there."""

    token: str
    siret: str
    waiting: Sequence[Errand]
    before: Errand

    @property
    def everybody(self) -> Sequence[Errand]:
        return (self.before, *self.waiting)


async def people_with_errands(number: int) -> Errands:
    people = [await _errand(place) for place in range(number + 1)]
    company = await Company.get(id=people[0].approval.origin_company_id)
    company.siret, company.rdv_solidarites_id = COMPANIES[0].siret, ORGANISATION
    await company.save(update_fields=["siret", "rdv_solidarites_id"])
    token = await token_of_employer(company, subject="employer-of-the-errands", email="employeur@exemple.test")
    return Errands(token=token, siret=company.siret, waiting=people[1:], before=people[0])


async def _errand(place: int) -> Errand:
    approval = await due_approval(place)
    application = await JobApplication.get(approval=approval).select_related("job_seeker")
    await Consent.create(
        job_seeker_id=approval.job_seeker_id,
        purpose=ConsentPurpose.IDENTITY_CERTIFICATION,
        text_version=CONSENT_TEXTS[ConsentPurpose.IDENTITY_CERTIFICATION].version,
        given_at=datetime.now(UTC),
    )
    if place % _PEOPLE_TO_AN_ADDRESS == 0:
        await JobSeekerProfile.filter(id=approval.job_seeker_id).update(
            address_line_1=f"{place + 1} rue Fictive", post_code="75010", city="Paris"
        )
    return Errand(
        approval=approval,
        application_id=encode("JobApplication", application.id),
        job_seeker_id=encode("JobSeeker", approval.job_seeker_id),
        email=application.job_seeker.email or "",
    )


async def click(port: int, token: str, what: Click) -> str:
    """Return the type of the answer, or the answer itself where it has none."""
    status, body = await ask(port, token, what.text)
    answer = orjson.loads(body)
    if status != 200 or "errors" in answer:
        return f"{status} {body[:300].decode(errors='replace')}"
    return answer["data"][what.name]["__typename"]


async def all_is_done(port: int, errands: Errands, *, waits: bool) -> None:
    """Return when nothing waits for a partner any more. Not `waits`: what was put off for minutes has them pass.

    Whose invitation surely did not leave is invited again by their employer, who was told so.
    """
    waiting: Mapping[str, int] = {}
    try:
        async with asyncio.timeout(_DONE_IN_REAL_TIME_SECONDS if waits else _DONE_WITHIN_SECONDS):
            while any((waiting := dict((await fetch_all(_WAITING))[0])).values()):
                if not waits:
                    for passing in _MINUTES_PASS:
                        await write(passing)
                await asyncio.sleep(0.5)
    except TimeoutError:
        raise AssertionError(f"still waiting for partners that are well again: {waiting}") from None
    async with asyncio.timeout(_DONE_WITHIN_SECONDS):
        for errand in errands.waiting:
            while await click(port, errands.token, errand.invitation) not in _INVITED:  # noqa: ASYNC110 - asking is what is tried
                await asyncio.sleep(0.5)


@dataclass(frozen=True, slots=True)
class Deeds:
    """How often each thing that was to be done once was done."""

    times: Mapping[str, int]

    @property
    def tries(self) -> int:
        return len(self.times)

    @property
    def lost(self) -> int:
        return sum(not times for times in self.times.values())

    @property
    def doubled(self) -> int:
        return sum(times > 1 for times in self.times.values())

    @property
    def wrong(self) -> Sequence[str]:
        return [f"{name}: {times} times" for name, times in self.times.items() if times != 1]


async def deeds(control: httpx.AsyncClient, errands: Errands) -> Deeds:
    """Ask the partners, and our database about what they keep nothing of."""
    codes = (await control.get("/_calls", params={"summary": "1", "path": _UPDATE_PATH})).json()["codes_by_subject"]
    mails = Counter(mail["headers"]["Message-ID"][1:].partition("@")[0] for mail in await _listed(control, "/_mails"))
    calls = await _listed(control, "/_calls", partner="rdv-insertion")
    # Refusals of theirs count: whoever is invited twice is refused the second time.
    invited = [str(call["body"]) for call in calls if call["method"] == "POST" and call["code"] is not None]
    times: dict[str, int] = {}
    for place, errand in enumerate(errands.everybody):
        person = errand.approval.job_seeker_id
        times[f"approval {place}"] = codes.get(errand.approval.number, {}).get("S000", 0)
        times[f"invitation {place}, at the partner"] = sum(errand.email in body for body in invited)
        times[f"invitation {place}, here"] = await InvitationRequest.filter(job_seeker_id=person).count()
    async for profile in JobSeekerProfile.filter(address_line_1__not=""):
        times[f"address of {profile.id}"] = int(profile.latitude is not None)
    for place, errand in enumerate(errands.waiting, start=1):
        certified = IdentityCertification.filter(
            jobseeker_profile_id=errand.approval.job_seeker_id, certifier=CertificationAuthority.API_PARTICULIER
        )
        times[f"certification {place}"] = await certified.count()
    for template in (MailTemplate.DIAGORIENTE_JOB_SEEKER, MailTemplate.SURVEY_EMPLOYER):
        posted = await Mail.filter(template=template)
        for place in range(len(errands.waiting)):
            times[f"{template} {place + 1}"] = mails[str(posted[place].id)] if place < len(posted) else 0
    return Deeds(times)


async def _listed(control: httpx.AsyncClient, path: str, **parameters: str) -> Sequence[dict[str, Any]]:
    return (await control.get(path, params=parameters)).raise_for_status().json()
