"""Certification of identities by France Travail and by API Particulier: on demand, and by runs over whoever is due."""

from services.certification.campaign import CampaignStop, CampaignSummary, certify_due_job_seekers
from services.certification.on_demand import (
    CertificationOutcome,
    Certified,
    IdentityAmbiguous,
    IdentityNotFound,
    Rejected,
    Unavailable,
    certify_with_france_travail,
)
from services.certification.requests import ask_again
from services.certification.with_api_particulier import (
    ConsentMissing,
    ParticulierOutcome,
    RetrySummary,
    ask_due_questions,
    certify_with_api_particulier,
    take_up_unanswered,
)

__all__ = [
    "CampaignStop",
    "CampaignSummary",
    "CertificationOutcome",
    "Certified",
    "ConsentMissing",
    "IdentityAmbiguous",
    "IdentityNotFound",
    "ParticulierOutcome",
    "Rejected",
    "RetrySummary",
    "Unavailable",
    "ask_again",
    "ask_due_questions",
    "certify_due_job_seekers",
    "certify_with_api_particulier",
    "certify_with_france_travail",
    "take_up_unanswered",
]
