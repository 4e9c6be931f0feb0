"""What the access to RDV-Insertion is made of: two addresses, one agent, bounds."""

from dataclasses import dataclass, field
from types import MappingProxyType

import httpx

from clients.breaker import BreakerPolicy
from clients.transport import build_http_client

PARTNER = "rdv_insertion"

SIGN_IN_OPERATION = "sign_in"
INVITE_OPERATION = "create_and_invite"
FIND_USERS_OPERATION = "find_users"

# The limit is counted an action and a caller address; signing in happens once a day and has none that is published.
PACE_KEYS = MappingProxyType(
    {operation: f"{PARTNER}:{operation}" for operation in (INVITE_OPERATION, FIND_USERS_OPERATION)}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RDVInsertionConfig:
    """Both base URLs end in `/api/v1`, with or without a slash. All times in seconds."""

    base_url: str
    rdv_solidarites_base_url: str
    email: str = field(repr=False)
    password: str = field(repr=False)
    token_seconds: int = 86_000  # the credentials live 86 400
    timeout_seconds: float = 10.0
    sign_in_timeout_seconds: float = 10.0
    max_rps: float = 500 / 300
    max_concurrency: int = 8
    queue_seconds: float = 3.0  # an employer is waiting for the answer
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)

    def pace_rates(self) -> dict[str, float]:
        """Calls a second for each key that this client gives to its Pacer."""
        return dict.fromkeys(PACE_KEYS.values(), self.max_rps)


def build_rdv_insertion_http(config: RDVInsertionConfig) -> httpx.AsyncClient:
    """The HTTP client for both hosts; whoever builds it closes it."""
    return build_http_client(
        config.base_url,
        connect=3.0,
        # RDV-Insertion itself waits for RDV-Solidarités, the geocoder and the mail sender: the deadline ends it.
        read=max(config.timeout_seconds, config.sign_in_timeout_seconds),
        max_connections=config.max_concurrency + 1,  # one for signing in
    )
