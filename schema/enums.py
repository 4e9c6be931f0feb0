"""The enums of the models as GraphQL shows them: the names of their members."""

from __future__ import annotations

from enum import StrEnum

import strawberry

from models import enums
from resolvers.viewer import Permission

for _enum in (
    enums.ApprovalState,
    enums.CancelledBy,
    enums.CertificationAuthority,
    enums.CompanyKind,
    enums.ConsentPurpose,
    enums.DiagorienteRecipient,
    enums.DiagorienteStatus,
    enums.InvitationKind,
    enums.InvitationStatus,
    enums.JobApplicationState,
    enums.NotificationEndpoint,
    enums.NotificationStatus,
    enums.ParticipationStatus,
    enums.Partner,
    enums.PreliminaryCheck,
    enums.SenderKind,
    enums.SurveyKind,
    enums.SurveyStatus,
    enums.Title,
    enums.UserKind,
    enums.WebhookEventStatus,
    Permission,
):
    strawberry.enum(_enum)


@strawberry.enum(description="Which profile fields exist for certification purposes.")
class ProfileField(StrEnum):
    """Values are the names of the models' fields."""

    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    BIRTHDATE = "birthdate"
    NIR = "nir"
    BIRTH_PLACE = "birth_place"
    BIRTH_COUNTRY = "birth_country"
    TITLE = "title"
    FRANCE_TRAVAIL_ID = "pole_emploi_id"


@strawberry.enum
class NirFormat(StrEnum):
    MASKED = "masked"
    FULL = "full"
