"""The simulated RDV-Insertion: invites people, lists them, and tells by webhook what happens."""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import httpx
import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.clock import Clock
from sandbox.names import plain
from sandbox.partner import SimulatedPartner, note_outcome
from sandbox.rdv import people
from sandbox.rdv.agenda import Agenda, Invitation, User
from sandbox.rdv.blueprints import user_with_links_json
from sandbox.rdv.booking import AppointmentDesk
from sandbox.rdv.invite import fulfil, read_order
from sandbox.rdv.organisations import FORBIDDEN, Organisation, find_organisation
from sandbox.rdv.sessions import AgentSessions
from sandbox.rdv.settings import RDVInsertionSettings
from sandbox.webhooks import WebhookSender

_PER_PAGE = 25
_SCANNERS = ("sqlmap", "nikto", "nmap", "masscan", "zgrab")


class SimulatedRDVInsertion(SimulatedPartner[RDVInsertionSettings]):
    name = "rdv-insertion"

    def __init__(
        self,
        settings: RDVInsertionSettings,
        clock: Clock,
        sessions: AgentSessions,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(settings, clock)
        self.agenda = Agenda(clock)
        # The partner's own patience with whoever it sends to.
        self.sender = WebhookSender(self.name, clock, timeout=httpx.Timeout(30.0, connect=10.0), transport=transport)
        self._sessions = sessions
        self._desk = AppointmentDesk(self.agenda, self.sender, clock, lambda: self.settings)
        self._recent: dict[str, deque[float]] = {}

    def routes(self) -> Sequence[BaseRoute]:
        users = "/api/v1/organisations/{organisation_id:int}/users"
        return (
            Route(f"{users}/create_and_invite", self._create_and_invite, methods=["POST"]),
            Route(users, self._list_users, methods=["GET"]),
        )

    def doors(self) -> Sequence[BaseRoute]:
        return self._desk.doors()

    def people(self) -> Sequence[Mapping[str, Any]]:
        return people.cast()

    async def stop(self) -> None:
        await self.sender.stop()

    async def _create_and_invite(self, request: Request) -> Response:
        admitted = self._admit(request, "create_and_invite")
        if isinstance(admitted, Response):
            return admitted
        order = read_order(_json_of(await request.body()), today=self.clock.today_in_paris())
        if isinstance(order, Response):
            note_outcome(request.scope, code="refused")
            return order
        answer, sent = fulfil(order, admitted, self.agenda, now=self.clock.now())
        note_outcome(request.scope, code=",".join(invitation.format for invitation in sent) or "none")
        self._announce(sent, bounces=people.fate_of(order.fields["last_name"]) is people.Fate.BOUNCES)
        return answer

    async def _list_users(self, request: Request) -> Response:
        admitted = self._admit(request, "index")
        if isinstance(admitted, Response):
            return admitted
        page = request.query_params.get("page", "1")
        if not request.query_params.keys() <= {"search_query", "page"} or not page.isdecimal() or int(page) < 1:
            return JSONResponse({"status": 400, "error": "Bad Request"}, status_code=400)
        wanted = plain(request.query_params.get("search_query", ""))
        found = [
            user
            for user in self.agenda.users.values()
            if admitted.rdv_solidarites_id in user.organisation_ids and wanted in _searchable(user)
        ]
        return JSONResponse(_page(found, int(page)))

    def _admit(self, request: Request, action: str) -> Organisation | Response:
        """The organisation that the caller may act for, or the refusal."""
        agent = request.headers.get("user-agent", "").lower()
        if any(scanner in agent for scanner in _SCANNERS):
            return JSONResponse({"error": "Forbidden"}, status_code=403)
        if self._is_over_limit(action):
            return self._rate_limited()
        if self.settings.rdv_solidarites_is_down or not self._sessions.admits(request.headers):
            return JSONResponse({"errors": ["Identifiants de session invalides"]}, status_code=401)
        organisation = find_organisation(request.path_params["organisation_id"])
        if organisation is None:
            return JSONResponse({"not_found": "Organisation"}, status_code=404)
        if organisation.rdv_solidarites_id == FORBIDDEN:
            return JSONResponse({"errors": ["Vous n'avez pas accès à cette organisation"]}, status_code=403)
        return organisation

    def _announce(self, sent: Sequence[Invitation], *, bounces: bool) -> None:
        if sent and self.settings.webhook_url is not None and self.settings.announce_invitations:
            self.sender.send_soon(partial(self._desk.tell_of_new_invitations, sent, bounces=bounces))

    def _is_over_limit(self, action: str) -> bool:
        now = self.clock.monotonic()
        recent = self._recent.setdefault(action, deque())
        while recent and recent[0] <= now - self.settings.window_s:
            recent.popleft()
        recent.append(now)
        return len(recent) > self.settings.calls_per_window

    def _rate_limited(self) -> Response:
        window = self.settings.window_s  # the whole window, and not what is left of it
        return JSONResponse(
            {
                "error": "Rate limit exceeded",
                "retry_after": window,
                "message": "Trop de requêtes.",
            },
            status_code=429,
            headers={
                "Retry-After": str(window),
                "X-RateLimit-Limit": str(self.settings.calls_per_window),
                "X-RateLimit-Remaining": "0",
            },
        )


def _json_of(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _searchable(user: User) -> str:
    return plain(" ".join((user.first_name, user.last_name, user.email or "", user.phone_number or "")))


def _page(users: Sequence[User], page: int) -> dict[str, Any]:
    pages = max(math.ceil(len(users) / _PER_PAGE), 1)
    shown = users[(page - 1) * _PER_PAGE : page * _PER_PAGE]
    return {
        "success": True,
        "users": [user_with_links_json(user) for user in shown],
        "pagination": {
            "current_page": page,
            "next_page": page + 1 if page < pages else None,
            "prev_page": page - 1 if page > 1 else None,
            "total_pages": pages,
            "total_count": len(users),
        },
    }
