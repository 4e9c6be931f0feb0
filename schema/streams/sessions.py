"""Who speaks over one connection, and the contexts of what they ask: a new one for each operation and each event."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import UTC, datetime
from time import monotonic
from uuid import uuid4

from resolvers.askers import asker_of
from resolvers.context import OperationContext, Resources
from resolvers.viewer import ANONYMOUS, Viewer
from resolvers.viewers import load_viewer
from schema.requests import bearer_token
from services.tokens import Claims, TokenVerifier

_FRESH_SECONDS = 1.0


class Session:
    """Nobody, until `sign_in`. `connection_id` is for logs and for errors of the connection itself."""

    __slots__ = (
        "_address",
        "_authorization_key",
        "_checked_at",
        "_resources",
        "_verifier",
        "claims",
        "connection_id",
        "viewer",
    )

    def __init__(self, verifier: TokenVerifier, resources: Resources, *, client_address: str) -> None:
        self.connection_id = uuid4().hex
        self._verifier = verifier
        self._resources = resources
        self._address = client_address
        self.claims: Claims | None = None
        self.viewer: Viewer = ANONYMOUS
        self._authorization_key: Hashable = ANONYMOUS.authorization_key
        self._checked_at = 0.0

    @property
    def network_address(self) -> str:
        return self._address

    @property
    def client(self) -> str:
        """Whom limits count: an account, or the address of who has none."""
        return asker_of(self.viewer.user_id, self._address)

    @property
    def authorization_key(self) -> Hashable:
        return self._authorization_key

    async def sign_in(self, authorization: str) -> None:
        """Become who the token speaks for. Raises InvalidToken."""
        claims = await self._verifier.verify(bearer_token(authorization))
        viewer = await load_viewer(claims)
        self.claims = claims
        self._authorization_key = viewer.authorization_key
        self._take(viewer)

    async def refresh(self) -> bool:
        """Look the viewer up anew, unless that was just done; False when their rights changed.

        Raises InvalidToken when they ended.
        """
        if self.claims is None or monotonic() - self._checked_at < _FRESH_SECONDS:
            return True
        return self.adopt(await load_viewer(self.claims))

    def adopt(self, viewer: Viewer) -> bool:
        """Take a viewer that was looked up anew; False, and nothing taken, when their rights changed."""
        if viewer.authorization_key != self._authorization_key:
            return False
        self._take(viewer)
        return True

    def seconds_left(self, now: datetime) -> float | None:
        """Return how long the token is still believed; None without one."""
        if self.claims is None:
            return None
        return max((self.claims.expires_at + self._verifier.leeway - now).total_seconds(), 0.0)

    def make(self) -> OperationContext:
        # An id for each: it is shown in errors, which several subscribers may share, so it is never the client's own.
        return OperationContext(
            viewer=self.viewer,
            resources=self._resources,
            now=datetime.now(UTC),
            request_id=uuid4().hex,
            client_address=self._address,
        )

    def _take(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self._checked_at = monotonic()
