"""Base Adresse Nationale: coordinates, a normalised address and an INSEE code for a French postal address.

Sources (geoservices.ign.fr): "API Géoplateforme – Géocodage", "Limites d'usage"; adresse.data.gouv.fr, API page.
"""

from clients.ban.batch import MAX_BATCH_ROWS, BatchAddress, BatchResult
from clients.ban.client import BANClient
from clients.ban.config import PACE_KEYS, BANConfig, build_ban_http
from clients.ban.outcomes import GeocodingOutcome, geocoding_outcome
from clients.ban.search import FoundAddress, Position, ResultKind

__all__ = [
    "MAX_BATCH_ROWS",
    "PACE_KEYS",
    "BANClient",
    "BANConfig",
    "BatchAddress",
    "BatchResult",
    "FoundAddress",
    "GeocodingOutcome",
    "Position",
    "ResultKind",
    "build_ban_http",
    "geocoding_outcome",
]
