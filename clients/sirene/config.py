"""What access to Sirene is made of: two flavours of credentials, and the bounds of every call."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import httpx

from clients.breaker import BreakerPolicy
from clients.transport import build_http_client

PARTNER = "sirene"

TOKEN_OPERATION = "token"  # noqa: S105 - the name of an operation
ONE_OPERATION = "establishment"
MANY_OPERATION = "establishments"
REFRESH_ONE_OPERATION = "refresh_establishment"
REFRESH_MANY_OPERATION = "refresh_establishments"
RENEW_PASSWORD_OPERATION = "renew_password"  # noqa: S105 - the name of an operation

# INSEE counts the calls of an application, whatever they ask.
_GATE = f"{PARTNER}:calls"
PACE_KEYS: Mapping[str, str] = MappingProxyType(
    {
        operation: _GATE
        for operation in (
            ONE_OPERATION,
            MANY_OPERATION,
            REFRESH_ONE_OPERATION,
            REFRESH_MANY_OPERATION,
            RENEW_PASSWORD_OPERATION,
        )
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class APIKey:
    """The public flavour: what partially disclosed units keep to themselves comes as `[ND]`."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordGrant:
    """The flavour of administrations, which see what others do not. `auth_url` ends before `/token`."""

    auth_url: str
    client_id: str
    client_secret: str = field(repr=False)
    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SireneConfig:
    """All times in seconds. INSEE allows 30 calls a minute and application: `max_per_minute` stays below."""

    credentials: APIKey | PasswordGrant
    base_url: str = "https://api.insee.fr/api-sirene/3.11"
    timeout_seconds: float = 10.0
    token_timeout_seconds: float = 10.0
    max_per_minute: float = 25.0
    max_concurrency: int = 4
    # Somebody waits for the answer: better none than a late one. A job may well wait its turn.
    user_queue_seconds: float = 5.0
    job_queue_seconds: float = 120.0
    failure_pause_seconds: float = 0.5
    job_patience_seconds: float = 60.0  # the block is lifted with the next minute
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)

    def pace_rates(self) -> dict[str, float]:
        """Calls a second for each key that this client gives to its Pacer."""
        return {_GATE: self.max_per_minute / 60}


def build_sirene_http(config: SireneConfig) -> httpx.AsyncClient:
    """The HTTP client with this partner's bounds; whoever builds it closes it."""
    return build_http_client(
        config.base_url,
        connect=3.0,
        read=config.timeout_seconds,
        max_connections=config.max_concurrency + 2,  # one for the token call, one for the jobs
    )
