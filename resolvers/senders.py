"""What somebody who sent a job application would see, were they to ask: mails show them no more than that."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from models import JobApplication
from resolvers.context import OperationContext
from resolvers.entities.people import JOB_SEEKER
from resolvers.loaders import rows_by
from resolvers.selection import NOTHING
from resolvers.viewer import Scope
from resolvers.viewers import load_viewer
from services.tokens import Claims, InvalidToken

# A prescriber who is not authorised sees whom they sent, but may not read personal data about them.
_READERS = frozenset({Scope.EMPLOYER, Scope.AUTHORIZED_PRESCRIBER})


async def sender_sees_job_seeker(context: OperationContext, job_application_id: UUID) -> bool:
    """Tell whether the sender, for the organisation they sent it for, may read personal data of the job seeker.

    False for a sender who is gone, whose account is closed or who has left that organisation.
    """
    application = await JobApplication.filter(id=job_application_id).select_related("sender").first()
    if application is None or application.sender is None or application.sender.subject is None:
        return False
    organization_id = application.sender_prescriber_organization_id or application.sender_company_id
    claims = Claims(subject=application.sender.subject, organization_id=organization_id, expires_at=context.now)
    try:
        sender = await load_viewer(claims)
    except InvalidToken:
        return False
    if sender.scope not in _READERS:
        return False
    # A context of their own: nothing that was loaded for whoever asks counts for them.
    theirs = replace(context, viewer=sender, loaders={}, personal_reads=set(), _parameters=None)
    key = {"key": application.job_seeker_id}
    return bool(await rows_by(theirs, JOB_SEEKER, NOTHING, "{t}.id = :key", key))
