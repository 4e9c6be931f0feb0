"""France Travail: certify an identity, announce a PASS IAE.

Sources (francetravail.io): "Rechercher un individu certifié" v1, "Mise à jour du PASS IAE" v1, the access token page.
"""

from clients.france_travail.client import FranceTravailClient
from clients.france_travail.codes import Endpoint, SearchOutcome, search_outcome, type_siae
from clients.france_travail.config import NEEDED_SCOPES, PACE_KEYS, FranceTravailConfig, build_france_travail_http
from clients.france_travail.errors import FranceTravailConfigurationError, FranceTravailRejected
from clients.france_travail.labels import exit_label, labelled_with
from clients.france_travail.wire import IdentityQuery, PassIaeUpdate

__all__ = [
    "NEEDED_SCOPES",
    "PACE_KEYS",
    "Endpoint",
    "FranceTravailClient",
    "FranceTravailConfig",
    "FranceTravailConfigurationError",
    "FranceTravailRejected",
    "IdentityQuery",
    "PassIaeUpdate",
    "SearchOutcome",
    "build_france_travail_http",
    "exit_label",
    "labelled_with",
    "search_outcome",
    "type_siae",
]
