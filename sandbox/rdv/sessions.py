"""The agent's session at RDV-Solidarités: signing in ends the one before."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.clock import Clock


@dataclass(frozen=True, slots=True)
class _Session:
    access_token: str
    client: str
    uid: str
    expires_at: float


class AgentSessions:
    """At most one session: the newest."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._session: _Session | None = None

    def open(self, uid: str, *, seconds: int) -> dict[str, str]:
        """The headers that the answer to a sign-in bears."""
        session = _Session(
            access_token=secrets.token_urlsafe(16),
            client=secrets.token_urlsafe(16),
            uid=uid,
            expires_at=self._clock.monotonic() + seconds,
        )
        self._session = session
        return {
            "access-token": session.access_token,
            "token-type": "Bearer",
            "client": session.client,
            "expiry": str(int(self._clock.now().timestamp()) + seconds),
            "uid": session.uid,
        }

    def admits(self, headers: Mapping[str, str]) -> bool:
        session = self._session
        return (
            session is not None
            and session.expires_at > self._clock.monotonic()
            and headers.get("access-token") == session.access_token
            and headers.get("client") == session.client
            and headers.get("uid") == session.uid
        )

    def revoke(self) -> None:
        """As if somebody had signed in as the same agent elsewhere."""
        self._session = None
