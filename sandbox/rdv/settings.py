"""What can be set on the simulated RDV-Solidarités and RDV-Insertion."""

from typing import Annotated

from msgspec import Meta

from sandbox.partner import PartnerSettings
from sandbox.webhooks import WebhookSettings

AGENT_EMAIL = "agent.technique@exemple.test"
AGENT_PASSWORD = "mot-de-passe-fictif"  # noqa: S105 - it opens a simulator
WEBHOOK_SECRET = "sandbox-rdv-insertion-webhook-secret"  # noqa: S105 - it signs what a simulator says


class RDVSolidaritesSettings(PartnerSettings):
    email: str = AGENT_EMAIL
    password: str = AGENT_PASSWORD
    token_seconds: Annotated[int, Meta(ge=1)] = 86_400


class RDVInsertionSettings(WebhookSettings):
    """`calls_per_window` counts an action, refused calls too; `rdv_solidarites_is_down` makes every call a 401."""

    calls_per_window: Annotated[int, Meta(ge=1)] = 500
    window_s: Annotated[int, Meta(ge=1)] = 300
    rdv_solidarites_is_down: bool = False
    webhook_secret: str = WEBHOOK_SECRET
    announce_invitations: bool = True
