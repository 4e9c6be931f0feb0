"""The token door of the simulated France Travail (OAuth2 client credentials, RFC 6749 section 4.4)."""

import secrets
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from sandbox.clock import Clock
from sandbox.forms import read_form
from sandbox.france_travail.settings import FranceTravailSettings

REALM = "/partenaire"


@dataclass(frozen=True, slots=True)
class _Token:
    expires_at: float
    scopes: frozenset[str]


class TokenBook:
    """The tokens in force. A new one does not end the earlier ones."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens: dict[str, _Token] = {}

    async def issue(self, request: Request, settings: FranceTravailSettings) -> Response:
        """Answer a token call."""
        if request.query_params.getlist("realm") != [REALM]:
            return _refusal("invalid_request", f"the query must hold realm={REALM}, once")
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return _refusal("invalid_request", "a form is expected")
        form = read_form(await request.body())
        if form.get("grant_type") != "client_credentials":
            return _refusal("unsupported_grant_type", "client_credentials is expected")
        if (form.get("client_id"), form.get("client_secret")) != (settings.client_id, settings.client_secret):
            return _refusal("invalid_client", "unknown client, or wrong secret")
        scopes = frozenset(form.get("scope", "").split(" "))
        own_scope = f"application_{settings.client_id}"
        if own_scope not in scopes or not scopes - {own_scope} <= settings.subscribed_scopes:
            return _refusal("invalid_scope", f"{own_scope} and subscribed scopes are expected")
        return self._grant(scopes, settings)

    def refusal_of(self, request: Request, needed: frozenset[str]) -> Response | None:
        """The answer to a data call whose token will not do; None when it will."""
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        token = self._tokens.get(value) if kind == "Bearer" else None
        if token is None or token.expires_at <= self._clock.monotonic():
            return PlainTextResponse("Unauthorized", status_code=401, headers={"WWW-Authenticate": "Bearer"})
        if not needed <= token.scopes:
            return PlainTextResponse("Forbidden", status_code=403)
        return None

    def revoke_all(self) -> None:
        """As if France Travail had lost its sessions: every token in use is answered 401 from now on."""
        self._tokens.clear()

    def _grant(self, scopes: frozenset[str], settings: FranceTravailSettings) -> Response:
        now = self._clock.monotonic()
        self._tokens = {value: token for value, token in self._tokens.items() if token.expires_at > now}
        value = secrets.token_urlsafe(24)
        self._tokens[value] = _Token(now + settings.token_seconds, scopes)
        return JSONResponse(
            {
                "scope": " ".join(sorted(scopes)),
                "expires_in": settings.token_seconds,
                "token_type": "Bearer",
                "access_token": value,
            }
        )


def _refusal(error: str, description: str) -> Response:
    return JSONResponse({"error": error, "error_description": description}, status_code=400)
