"""INSEE's Sirene: does an establishment exist, is it open, what is it called, where is it and what does it do?

Sources: INSEE, "API Sirene 3.11" (portail-api.insee.fr) and its page on multi-criteria search (sirene.fr); the code de
commerce, article R123-232, on partial disclosure.
"""

from clients.sirene.client import SireneClient, Urgency
from clients.sirene.config import PACE_KEYS, APIKey, PasswordGrant, SireneConfig, build_sirene_http
from clients.sirene.establishment import Establishment
from clients.sirene.numbers import clean_siret, parse_naf
from clients.sirene.outcomes import SireneOutcome, sirene_outcome

__all__ = [
    "PACE_KEYS",
    "APIKey",
    "Establishment",
    "PasswordGrant",
    "SireneClient",
    "SireneConfig",
    "SireneOutcome",
    "Urgency",
    "build_sirene_http",
    "clean_siret",
    "parse_naf",
    "sirene_outcome",
]
