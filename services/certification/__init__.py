"""Certification of identities by France Travail: one person on demand, many by the hourly run."""

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

__all__ = [
    "CampaignStop",
    "CampaignSummary",
    "CertificationOutcome",
    "Certified",
    "IdentityAmbiguous",
    "IdentityNotFound",
    "Rejected",
    "Unavailable",
    "certify_due_job_seekers",
    "certify_with_france_travail",
]
