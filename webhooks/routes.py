"""The doors of all partners that send webhooks."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute, Route

from services.rate_limits import Limiter
from services.webhooks.inbox import Writer
from webhooks import rdv_insertion, tally
from webhooks.bell import Bell
from webhooks.door import Door


def webhook_routes(
    writer: Writer,
    bell: Bell,
    *,
    rdv_insertion_secrets: Sequence[str],
    rdv_insertion_jwt: bool,
    tally_secrets: Sequence[str],
    refusals: Limiter | None = None,
) -> list[BaseRoute]:
    """Return the routes. A partner without a secret finds its door shut, and comes back."""
    gatekeepers = (
        (
            rdv_insertion.PATH,
            rdv_insertion.RdvInsertionGatekeeper(secrets=rdv_insertion_secrets, accept_jwt=rdv_insertion_jwt),
        ),
        (tally.PATH, tally.TallyGatekeeper(secrets=tally_secrets)),
    )
    return [Route(path, Door(gatekeeper, writer, bell, refusals=refusals)) for path, gatekeeper in gatekeepers]
