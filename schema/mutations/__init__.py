"""The root of every write: parse the input, call one service, map its outcome to a member of the union."""

from __future__ import annotations

import strawberry

from schema.mutations.approvals import ApprovalMutations
from schema.mutations.certification import CertificationMutations
from schema.mutations.companies import CompanyMutations
from schema.mutations.consents import ConsentMutations
from schema.mutations.diagoriente import DiagorienteMutations
from schema.mutations.invitations import InvitationMutations
from schema.mutations.job_seekers import JobSeekerMutations
from schema.mutations.surveys import SurveyMutations
from schema.mutations.webhooks import WebhookMutations


@strawberry.type
class Mutation(
    ApprovalMutations,
    CertificationMutations,
    CompanyMutations,
    ConsentMutations,
    DiagorienteMutations,
    InvitationMutations,
    JobSeekerMutations,
    SurveyMutations,
    WebhookMutations,
):
    pass
