"""Consents of job seekers: recorded and withdrawn by themself, or by whoever may edit them."""

from __future__ import annotations

from typing import Annotated

import strawberry

from models.enums import ConsentPurpose
from resolvers.global_ids import decode_as
from resolvers.viewer import Permission
from schema.errors import Conflict, NotFound, not_found
from schema.info import Info
from schema.mutations.outcomes import conflict
from schema.mutations.rights import may, sees_job_seeker
from schema.types.people import Consent
from services import consents
from services.outcomes import ConflictFound

RecordConsentResult = Annotated[Consent | NotFound | Conflict, strawberry.union("RecordConsentResult")]


@strawberry.type
class ConsentMutations:
    @strawberry.mutation(description="Note that a job seeker agreed, today, to the words in force.")
    async def record_consent(
        self, info: Info, job_seeker_id: strawberry.ID, purpose: ConsentPurpose
    ) -> RecordConsentResult:
        context = may(info, Permission.EDIT_JOB_SEEKERS)
        key = decode_as(job_seeker_id, "JobSeeker", argument="jobSeekerId")
        if not await sees_job_seeker(context, key):
            return not_found()
        return _answer(await consents.record_consent(key, purpose, given_by=context.viewer.user_id, now=context.now))

    @strawberry.mutation(description="Note that a job seeker no longer agrees. What was certified stays certified.")
    async def withdraw_consent(
        self, info: Info, job_seeker_id: strawberry.ID, purpose: ConsentPurpose
    ) -> RecordConsentResult:
        context = may(info, Permission.EDIT_JOB_SEEKERS)
        key = decode_as(job_seeker_id, "JobSeeker", argument="jobSeekerId")
        if not await sees_job_seeker(context, key):
            return not_found()
        return _answer(
            await consents.withdraw_consent(key, purpose, withdrawn_by=context.viewer.user_id, now=context.now)
        )


def _answer(outcome: consents.ConsentOutcome) -> RecordConsentResult:
    if isinstance(outcome, ConflictFound):
        return conflict(outcome)
    return Consent(purpose=outcome.purpose, given_at=outcome.given_at, withdrawn_at=outcome.withdrawn_at)
