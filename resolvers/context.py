"""What one operation shares: who asks, at which instant, and the loaders that gather its look-ups.

Made for each operation and never for a socket: a loader remembers what it loaded, so one that lived longer would show
one viewer's rows, or yesterday's, to the next question.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from graphql import GraphQLResolveInfo
from strawberry.dataloader import DataLoader

from clients.api_particulier import ApiParticulierClient
from clients.france_travail import FranceTravailClient
from models.enums import UserKind
from resolvers.cursors import CursorSigner
from resolvers.errors import Unauthenticated
from resolvers.supposed_viewers import SupposedViewer
from resolvers.viewer import Viewer
from services.appointments.inviting import HOLD, Inviting
from services.communes import Communes
from services.dashboards import Dashboards
from services.diagoriente import DiagorienteLinks
from services.establishments import Establishments
from services.geocoding import Geocoding
from services.inclusion_structures import InclusionStructures
from services.surveys import SurveyPlan
from services.throttling import Throttle

if TYPE_CHECKING:
    from resolvers.events import EventSource  # its streams are made of contexts

# graphql-core leaves the type of the context open.
ResolveInfo = GraphQLResolveInfo[Any]

PARIS = ZoneInfo("Europe/Paris")


class Bell(Protocol):
    """Wakes a worker for a row that is due. A hint: a sweep finds what no bell announced."""

    async def __call__(self, job: str, record_id: UUID) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What the process holds open and operations use. A partner that is not configured is None."""

    cursors: CursorSigner
    ring: Bell
    # None where nothing is followed: in workers, and in tests that do not.
    events: EventSource | None = None
    france_travail: FranceTravailClient | None = None
    api_particulier: ApiParticulierClient | None = None
    communes: Communes | None = None
    geocoding: Geocoding | None = None
    address_searches: Throttle | None = None
    establishments: Establishments | None = None
    establishment_searches: Throttle | None = None
    diagoriente: DiagorienteLinks | None = None
    surveys: SurveyPlan | None = None
    inclusion_structures: InclusionStructures | None = None
    inclusion_structure_searches: Throttle | None = None
    inviting: Inviting | None = None
    # Also where nobody can be invited: it says how long ago the last invitation was.
    invitation_hold: timedelta = HOLD
    dashboards: Dashboards = field(default_factory=Dashboards)
    dashboard_requests: Throttle | None = None


@dataclass(slots=True, kw_only=True)
class OperationContext:
    """`now` is one instant for the whole operation; a day is a day of Europe/Paris."""

    viewer: Viewer
    resources: Resources
    now: datetime
    request_id: str
    # Network address of whoever asks; empty where there is none. For limits only, never for logs.
    client_address: str = field(default="", repr=False)
    # Set where the viewer is remembered, and a read has to tell whether they are still the same.
    supposed: SupposedViewer | None = field(default=None, repr=False)
    loaders: dict[Any, DataLoader[Any, Any]] = field(default_factory=dict[Any, DataLoader[Any, Any]])
    # Pages that came along with their row, by what was asked for and the row (resolvers/folding.py).
    read_ahead: dict[Any, dict[UUID, Any]] = field(default_factory=dict[Any, dict[UUID, Any]], repr=False)
    # (job seeker, field) of every full NIR that this operation shows: logged before the answer leaves.
    personal_reads: set[tuple[UUID, str]] = field(default_factory=set[tuple[UUID, str]])
    _parameters: dict[str, Any] | None = None

    def parameters(self) -> dict[str, Any]:
        """What any SQL template of the read layer may name."""
        if self._parameters is None:
            self._parameters = {
                **self.viewer.parameters(),
                "now": self.now,
                "today": self.now.astimezone(PARIS).date(),
                "invitation_hold_start": self.now - self.resources.invitation_hold,
                "viewer_is_employer": self.viewer.kind is UserKind.EMPLOYER,
            }
        return self._parameters

    def signed_in(self) -> Viewer:
        """Return the viewer. Raises Unauthenticated for an anonymous one."""
        if not self.viewer.is_authenticated:
            raise Unauthenticated("sign in: this field needs an Authorization header with a bearer token")
        return self.viewer

    def untold(self) -> SupposedViewer | None:
        """Return the viewer that the next read must ask about, if there is one."""
        return self.supposed if self.supposed is not None and not self.supposed.is_told else None

    def forget_rows(self) -> None:
        """Drop what was loaded: a write follows, after which the mutations of the operation must read anew."""
        self.loaders.clear()
        self.read_ahead.clear()

    def loader(self, key: Any, load: Callable[[list[Any]], Awaitable[list[Any]]]) -> DataLoader[Any, Any]:
        """Return the operation's loader for a key, made at its first use."""
        found = self.loaders.get(key)
        if found is None:
            found = self.loaders[key] = DataLoader(load_fn=load)
        return found


def context_of(info: ResolveInfo) -> OperationContext:
    return info.context
