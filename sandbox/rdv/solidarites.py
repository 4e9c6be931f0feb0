"""The simulated RDV-Solidarités: where agents sign in."""

from collections.abc import Sequence
from typing import cast

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.clock import Clock
from sandbox.forms import read_form
from sandbox.partner import SimulatedPartner, note_outcome
from sandbox.rdv.sessions import AgentSessions
from sandbox.rdv.settings import RDVSolidaritesSettings


class SimulatedRDVSolidarites(SimulatedPartner[RDVSolidaritesSettings]):
    name = "rdv-solidarites"

    def __init__(self, settings: RDVSolidaritesSettings, clock: Clock, sessions: AgentSessions) -> None:
        super().__init__(settings, clock)
        self.sessions = sessions

    def routes(self) -> Sequence[BaseRoute]:
        return (
            Route("/api/v1/auth/sign_in", self._sign_in, methods=["POST"]),
            Route("/api/v1/auth/validate_token", self._validate_token, methods=["GET"]),
        )

    async def _sign_in(self, request: Request) -> Response:
        given = await _read_fields(request)
        if (given.get("email"), given.get("password")) != (self.settings.email, self.settings.password):
            note_outcome(request.scope, code="refused")
            return _refusal("Identifiant ou mot de passe incorrect.")
        note_outcome(request.scope, code="signed_in")
        headers = self.sessions.open(self.settings.email, seconds=self.settings.token_seconds)
        return JSONResponse({"data": self._agent()}, headers=headers)

    async def _validate_token(self, request: Request) -> Response:
        if not self.sessions.admits(request.headers):
            return _refusal("Invalid login credentials")
        return JSONResponse({"success": True, "data": self._agent()})

    def _agent(self) -> dict[str, object]:
        return {
            "id": 7,
            "email": self.settings.email,
            "uid": self.settings.email,
            "provider": "email",
            "first_name": "Agent",
            "last_name": "TECHNIQUE",
            "deleted_at": None,
            "service_id": 4,
        }


async def _read_fields(request: Request) -> dict[str, object]:
    """JSON as documented, or a form, which Rails takes as well."""
    content_type = request.headers.get("content-type", "")
    body = await request.body()
    if content_type.startswith("application/x-www-form-urlencoded"):
        return dict(read_form(body))
    try:
        found: object = orjson.loads(body) if content_type.startswith("application/json") else {}
    except orjson.JSONDecodeError:
        return {}
    return cast("dict[str, object]", found) if isinstance(found, dict) else {}


def _refusal(text: str) -> Response:
    return JSONResponse({"success": False, "errors": [text]}, status_code=401)
