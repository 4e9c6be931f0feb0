"""Who may look up: a key for what everybody may see, a token of an account for more."""

import secrets
from datetime import timedelta

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.clock import Clock
from sandbox.forms import read_form
from sandbox.sirene.answers import refusal
from sandbox.sirene.settings import SireneSettings

_SIGNING_KEY = "the sandbox protects nothing: nobody checks this signature"


class TokenBook:
    """The tokens in force. A new one does not end the earlier ones."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ends: dict[str, float] = {}

    async def issue(self, request: Request, settings: SireneSettings) -> Response:
        """Answer a token call (OAuth2 password grant)."""
        if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return _refused_grant(400, "invalid_request")
        form = read_form(await request.body())
        if form.get("grant_type") != "password":
            return _refused_grant(400, "unsupported_grant_type")
        if (form.get("client_id"), form.get("client_secret")) != (settings.client_id, settings.client_secret):
            return _refused_grant(401, "invalid_client")
        if (form.get("username"), form.get("password")) != (settings.username, settings.password):
            return _refused_grant(401, "invalid_grant")
        now = self._clock.monotonic()
        self._ends = {token: end for token, end in self._ends.items() if end > now}
        token = jwt.encode(self._claims(settings), _SIGNING_KEY, algorithm="HS256")
        self._ends[token] = now + settings.token_seconds
        return JSONResponse({"access_token": token, "expires_in": settings.token_seconds, "token_type": "Bearer"})

    def refusal_of_key(self, request: Request, settings: SireneSettings) -> Response | None:
        """The answer to a call of the public flavour that has no sound key; None when it has."""
        is_sound = secrets.compare_digest(
            request.headers.get("x-insee-api-key-integration", "").encode(), settings.api_key.encode()
        )
        return None if is_sound else refusal(401, "Clé absente ou inconnue")

    def refusal_of_token(self, request: Request) -> Response | None:
        """The same for the flavour of administrations and its tokens."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        is_sound = kind == "Bearer" and self._ends.get(token, 0) > self._clock.monotonic()
        return None if is_sound else refusal(401, "Jeton absent, inconnu ou expiré")

    def revoke_all(self) -> None:
        """As if INSEE had lost its sessions: every token in use is answered 401 from now on."""
        self._ends.clear()

    def _claims(self, settings: SireneSettings) -> dict[str, str]:
        claims = {"jti": secrets.token_hex(8), "preferred_username": settings.username}
        if settings.password_age_days is not None:
            changed_at = self._clock.now() - timedelta(days=settings.password_age_days)
            claims["pwdChangedTime"] = f"{changed_at:%Y%m%d%H%M%S}Z"
        return claims


def _refused_grant(status: int, error: str) -> Response:
    return JSONResponse({"error": error}, status_code=status)
