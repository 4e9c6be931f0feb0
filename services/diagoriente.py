"""Invitations to make a résumé with Diagoriente: one mail for each job application that came without one.

Nothing ever comes back from Diagoriente. That the link was followed is a hint, which mail scanners give as well: no
rule may rest on it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

from clients.mail import normalise_address
from models import Company, JobApplication, User
from models.database import run_in_transaction, write
from models.enums import DiagorienteRecipient, MailTemplate
from services.clock import PARIS
from services.mails import post
from services.naming import full_name, greeting, mask
from services.outcomes import ConflictFound, Invalid, NotFound, invalid

OPENING_PATH = "/go/diagoriente"

# Names the source and nobody.
_SOURCE = {"utm_source": "emploi-inclusion-employeur"}
_TOKEN_BYTES = 16
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
_MARK_OPENED = """
UPDATE job_application SET diagoriente_opened_at = greatest($2, diagoriente_invite_sent_at)
WHERE diagoriente_token_hash = $1 AND diagoriente_opened_at IS NULL AND diagoriente_invite_sent_at IS NOT NULL
RETURNING id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagorienteLinks:
    """Where invitations lead. `public_url` None: straight to Diagoriente, and nobody knows who followed the link."""

    service_url: str
    public_url: str | None = None

    @property
    def target(self) -> str:
        """The same for everyone; no part of it comes from a request."""
        return f"{self.service_url}?{urlencode(_SOURCE)}"

    def for_token(self, token: str) -> str:
        return self.target if self.public_url is None else f"{self.public_url.rstrip('/')}{OPENING_PATH}/{token}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """The invitation was decided upon; its mail leaves when a worker hears of `mail_id`."""

    mail_id: UUID
    recipient: DiagorienteRecipient
    sent_at: datetime


DiagorienteOutcome = Invited | Invalid | ConflictFound | NotFound


async def invite(
    job_application_id: UUID, *, links: DiagorienteLinks, sender_sees_job_seeker: bool, now: datetime
) -> DiagorienteOutcome:
    """Invite whoever sent an application, once. Who may ask for it is decided before.

    `sender_sees_job_seeker`: whether the sender may read personal data of the person; if not, the mail masks the name.
    """

    async def decide() -> DiagorienteOutcome:
        application = (
            await JobApplication.filter(id=job_application_id)
            .select_for_update(of=("job_application",))
            .select_related("company", "job_seeker", "sender")
            .first()
        )
        if application is None:
            return NotFound()
        if (objection := _objection(application)) is not None:
            return objection
        sender = application.sender
        if sender is None or normalise_address(sender.email or "") is None:
            return invalid(
                "jobApplicationId", "La personne qui a envoyé cette candidature n'a pas, ou plus, d'adresse e-mail."
            )
        return await _invite(application, sender, links, sender_sees_job_seeker=sender_sees_job_seeker, now=now)

    return await run_in_transaction(decide)


async def mark_opened(token: str, *, now: datetime) -> bool:
    """Note the first time that an invitation's link was followed. False: no such invitation, or not the first time."""
    if not _TOKEN.fullmatch(token):
        return False
    return bool(await write(_MARK_OPENED, _hash(token), now))


def _objection(application: JobApplication) -> Invalid | ConflictFound | None:
    if application.has_resume:
        return invalid("jobApplicationId", "Cette candidature a déjà un CV.")
    if application.diagoriente_invite_sent_at is not None:
        day = application.diagoriente_invite_sent_at.astimezone(PARIS)
        return ConflictFound(f"Une invitation a déjà été envoyée pour cette candidature le {day:%d/%m/%Y}.")
    return None


async def _invite(
    application: JobApplication,
    sender: User,
    links: DiagorienteLinks,
    *,
    sender_sees_job_seeker: bool,
    now: datetime,
) -> Invited:
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    is_for_themself = sender.id == application.job_seeker_id
    recipient = DiagorienteRecipient.JOB_SEEKER if is_for_themself else DiagorienteRecipient.PRESCRIBER
    await JobApplication.filter(id=application.id).update(
        diagoriente_invite_sent_at=now, diagoriente_recipient=recipient, diagoriente_token_hash=_hash(token)
    )
    company: Company = application.company
    parameters = {"greeting": greeting(sender), "company": company.display_name, "link": links.for_token(token)}
    if is_for_themself:
        template = MailTemplate.DIAGORIENTE_JOB_SEEKER
    else:
        template = MailTemplate.DIAGORIENTE_PRESCRIBER
        name = full_name(application.job_seeker)
        parameters["job_seeker"] = name if sender_sees_job_seeker else mask(name)
    mail_id = await post(template, application.id, recipient=sender.email or "", parameters=parameters, now=now)
    return Invited(mail_id=mail_id, recipient=recipient, sent_at=now)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
