"""What can be set on the simulated France Travail."""

from typing import Annotated

from msgspec import Meta

from sandbox.partner import PartnerSettings

CLIENT_ID = "PAR_traverse_sandbox"
CLIENT_SECRET = "not-a-real-secret"  # noqa: S105 - it opens a simulator

SEARCH_SCOPES = frozenset({"api_rechercheindividucertifiev1", "rechercherIndividuCertifie"})
UPDATE_SCOPES = frozenset({"api_maj-pass-iaev1", "passIAE"})


class FranceTravailSettings(PartnerSettings):
    """`refuse_repeats`: an update equal to the last one accepted for its number is answered S015."""

    rate_per_second: Annotated[int, Meta(ge=1)] | None = 10
    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET
    subscribed_scopes: frozenset[str] = SEARCH_SCOPES | UPDATE_SCOPES
    token_seconds: Annotated[int, Meta(ge=1)] = 1499
    refuse_repeats: bool = False
