"""API Particulier v3: does the State know this person, and do they receive that benefit?

Sources: particulier.api.gouv.fr, "API statut RSA", "API statut AAH", "API statut ASF" v3, by civil status.
"""

from clients.api_particulier.client import ApiParticulierClient
from clients.api_particulier.config import PACE_KEYS, ApiParticulierConfig, build_api_particulier_http
from clients.api_particulier.errors import (
    ApiParticulierMisconfigured,
    ApiParticulierUnavailable,
    IncompleteIdentity,
    outcome_of,
)
from clients.api_particulier.outcomes import BenefitRight, Certification, Criterion, Outcome
from clients.api_particulier.wire import CivilStatus

__all__ = [
    "PACE_KEYS",
    "ApiParticulierClient",
    "ApiParticulierConfig",
    "ApiParticulierMisconfigured",
    "ApiParticulierUnavailable",
    "BenefitRight",
    "Certification",
    "CivilStatus",
    "Criterion",
    "IncompleteIdentity",
    "Outcome",
    "build_api_particulier_http",
    "outcome_of",
]
