"""What can be set on the simulated RDV-Solidarités and RDV-Insertion."""

from typing import Annotated

from pydantic import Field

from sandbox.partner import PartnerSettings
from sandbox.webhooks import LocalURL

AGENT_EMAIL = "agent.technique@exemple.test"
AGENT_PASSWORD = "mot-de-passe-fictif"  # noqa: S105 - it opens a simulator
WEBHOOK_SECRET = "sandbox-rdv-insertion-webhook-secret"  # noqa: S105 - it signs what a simulator says


class RDVSolidaritesSettings(PartnerSettings):
    email: str = AGENT_EMAIL
    password: str = Field(default=AGENT_PASSWORD, repr=False)
    token_seconds: Annotated[int, Field(ge=1)] = 86_400


class RDVInsertionSettings(PartnerSettings):
    """`calls_per_window` counts an action, refused calls too; `rdv_solidarites_is_down` makes every call a 401.

    Nothing is sent by itself while `webhook_url` is not set.
    """

    calls_per_window: Annotated[int, Field(ge=1)] = 500
    window_s: Annotated[int, Field(ge=1)] = 300
    rdv_solidarites_is_down: bool = False
    webhook_url: LocalURL | None = None
    webhook_secret: str = Field(default=WEBHOOK_SECRET, repr=False)
    announce_invitations: bool = True
