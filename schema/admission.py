"""Who may have an operation run now: within their points of the minute, and without a look at the schema that is not
theirs. The same for every transport.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from graphql import GraphQLError

from execution.engine import RequestRefused
from models.enums import UserKind
from resolvers.askers import asker_of
from resolvers.viewer import Viewer
from services.rate_limits import Limiter, Standing, WaysIn
from services.rate_limits.ways_in import points_of


class Introspectors(StrEnum):
    """Who may ask for the schema."""

    EVERYONE = "everyone"
    SIGNED_IN = "signed_in"
    STAFF = "staff"
    NOBODY = "nobody"

    def include(self, viewer: Viewer) -> bool:
        match self:
            case Introspectors.EVERYONE:
                return True
            case Introspectors.SIGNED_IN:
                return viewer.is_authenticated
            case Introspectors.STAFF:
                return viewer.is_staff
            case Introspectors.NOBODY:
                return False


class RateLimited(RequestRefused):
    """The client has no points left. `standing` says until when."""

    def __init__(self, standing: Standing) -> None:
        super().__init__([_too_many(standing)])
        self.standing = standing


class Admission:
    """The rules of a process. Without `limits`, nothing is counted."""

    def __init__(
        self, limits: WaysIn | None = None, introspectors: Introspectors = Introspectors.EVERYONE, *, most_cost: int = 0
    ) -> None:
        self._limits = limits
        self._introspectors = introspectors
        self._most_cost = most_cost

    def begin(self, viewer: Viewer, network_address: str) -> Ticket:
        """Let an operation begin to be read: it takes one point. Raises RateLimited."""
        limiter = None if self._limits is None else _limiter_of(self._limits, viewer)
        client = asker_of(viewer.user_id, network_address) if limiter is not None else ""
        return Ticket(limiter, client, may_introspect=self._introspectors.include(viewer), most_cost=self._most_cost)


class Ticket:
    """What one operation has taken so far. Called with its cost once that is known."""

    __slots__ = ("_client", "_cost", "_limiter", "_may_introspect", "_most_cost", "_points", "standing")

    def __init__(self, limiter: Limiter | None, client: str, *, may_introspect: bool, most_cost: int) -> None:
        self._limiter = limiter
        self._client = client
        self._may_introspect = may_introspect
        self._most_cost = most_cost
        self._cost = 0
        self._points = 0
        self.standing: Standing | None = None
        self._take(1)

    def __call__(self, cost: int, introspects: bool) -> None:
        """Raise RateLimited, or RequestRefused, when the operation may not go on."""
        if introspects and not self._may_introspect:
            message = "introspection: not offered to this client; read schema.graphql instead"
            raise RequestRefused([GraphQLError(message, extensions={"code": "FORBIDDEN"})])
        self._cost = cost
        more = points_of(cost) - self._points
        if more > 0:
            self._take(more)

    @property
    def headers(self) -> Mapping[str, str]:
        return {} if self.standing is None else self.standing.headers

    @property
    def told(self) -> Mapping[str, Any]:
        """What a client that asks for it is told in `extensions.cost`."""
        told: dict[str, Any] = {"fields": self._cost, "most": self._most_cost, "points": self._points}
        if self.standing is not None:
            told |= {"pointsLeft": self.standing.remaining, "allPointsInSeconds": self.standing.reset}
        return told

    def _take(self, points: int) -> None:
        self._points += points
        if self._limiter is None:
            return
        standing = self._limiter.take(self._client, points)
        if standing.is_refused:
            raise RateLimited(standing)
        self.standing = standing


def _limiter_of(limits: WaysIn, viewer: Viewer) -> Limiter:
    if not viewer.is_authenticated:
        return limits.anonymous
    return limits.partners if viewer.kind is UserKind.PARTNER else limits.accounts


def _too_many(standing: Standing) -> GraphQLError:
    seconds = standing.retry_after
    message = f"Trop de demandes en peu de temps. Réessayez dans {seconds} seconde{'s' if seconds > 1 else ''}."
    return GraphQLError(message, extensions={"code": "RATE_LIMITED", "retryAfterSeconds": seconds})
