"""Who may come in: staff with the permission to observe or to operate, looked up anew each time."""

from __future__ import annotations

from urllib.parse import urlsplit

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models.enums import AuditAction
from ops.dashboard.forms import comes_from_here, read_form
from ops.dashboard.parts import Parts
from ops.dashboard.screens import Screens
from ops.dashboard.sessions import COOKIE, COOKIE_PATH, Session, SessionSigner
from ops.dashboard.visits import Visit, done
from resolvers.askers import asker_of
from resolvers.viewer import Permission, Viewer
from resolvers.viewers import load_viewer
from services.operations.audit import AuditSubject, SubjectType, record
from services.rate_limits import Standing
from services.tokens import Claims, InvalidToken

log = structlog.get_logger(__name__)

_UNACCEPTABLE = "Ce jeton n’est pas accepté : il est incomplet, expiré, ou d’un autre service. Demandez-en un nouveau."
_NOT_LET_IN = (
    "Ce compte n’a ni la permission de consulter l’exploitation (OBSERVE), ni celle d’exploiter (OPERATE)."
    " Demandez l’une d’elles à l’administrateur de l’équipe."
)
_TOO_OFTEN = "Trop d’essais de connexion depuis votre réseau. Recommencez dans {seconds} s."
_ELSEWHERE = "La connexion a été demandée depuis un autre site. Recommencez depuis cette page."


class Gate:
    """Signing in and out, and the look at each visitor."""

    def __init__(self, parts: Parts, screens: Screens) -> None:
        self._parts = parts
        self._screens = screens
        self._sessions = SessionSigner(parts.session_key)

    async def visit(self, request: Request) -> Visit | None:
        """Return who visits; None: whoever it is has to sign in, or may not look any more."""
        session = self._sessions.read(request.cookies.get(COOKIE, ""))
        if session is None:
            return None
        visitor = await visitor_of(session.claims)
        if visitor is None:
            return None
        return Visit(request=request, parts=self._parts, visitor=visitor, session=session, now=self._parts.clock())

    async def ask(self, request: Request) -> Response:
        """The page to sign in on."""
        return self._screens.sign_in(request, next_path=_inside(request.query_params.get("next", "")))

    async def sign_in(self, request: Request) -> Response:
        """Exchange a token for a cookie."""
        form = await read_form(request)
        next_path = _inside(form.text("next"))
        if not comes_from_here(request):
            return self._screens.sign_in(request, next_path=next_path, problem=_ELSEWHERE, status=403)
        if (standing := self._standing(request)) is not None and standing.is_refused:
            problem = _TOO_OFTEN.format(seconds=standing.retry_after)
            response = self._screens.sign_in(request, next_path=next_path, problem=problem, status=429)
            response.headers.update(standing.headers)
            return response
        try:
            claims = await self._parts.verifier.verify(form.text("token").removeprefix("Bearer ").strip())
        except InvalidToken:
            return self._screens.sign_in(request, next_path=next_path, problem=_UNACCEPTABLE, status=401)
        visitor = await visitor_of(claims)
        if visitor is None:
            return self._screens.sign_in(request, next_path=next_path, problem=_NOT_LET_IN, status=403)
        session = self._sessions.begin(claims, now=self._parts.clock())
        await self._record(AuditAction.SIGNED_IN, visitor)
        log.info("ops_signed_in", user_id=str(visitor.user_id))
        response = RedirectResponse(next_path, status_code=303)
        self._set(response, session)
        return response

    def _standing(self, request: Request) -> Standing | None:
        address = request.client.host if request.client is not None else ""
        return None if self._parts.sign_ins is None else self._parts.sign_ins.take(asker_of(None, address))

    async def sign_out(self, request: Request) -> Response:
        form = await read_form(request)
        session = self._sessions.read(request.cookies.get(COOKIE, ""))
        if session is not None and not session.accepts(form.text("form_key")):
            return RedirectResponse("/ops", status_code=303)
        if session is not None and (visitor := await visitor_of(session.claims)) is not None:
            await self._record(AuditAction.SIGNED_OUT, visitor)
        response = done("/ops/sign-in", "signed_out")
        response.delete_cookie(COOKIE, path=COOKIE_PATH, httponly=True, samesite="strict")
        return response

    async def _record(self, action: AuditAction, visitor: Viewer) -> None:
        if visitor.user_id is not None:
            subject = AuditSubject(type=SubjectType.SESSION, id="")
            await record(action, subject, by=visitor.user_id, now=self._parts.clock())

    def _set(self, response: Response, session: Session) -> None:
        response.set_cookie(
            COOKIE,
            self._sessions.write(session),
            max_age=int((session.expires_at - self._parts.clock()).total_seconds()),
            path=COOKIE_PATH,
            secure=self._parts.is_production,
            httponly=True,
            samesite="strict",
        )


async def visitor_of(claims: Claims) -> Viewer | None:
    """Return the observer or operator whom the claims are of, as the database knows them now; None for others."""
    try:
        viewer = await load_viewer(claims)
    except InvalidToken:
        return None
    return viewer if viewer.is_staff and viewer.has(Permission.OBSERVE) else None


def _inside(path: str) -> str:
    """Return a path of the dashboard to go on to: never another host's, whatever the address said."""
    parts = urlsplit(path)
    is_ours = parts.path == "/ops" or parts.path.startswith("/ops/")
    if parts.scheme or parts.netloc or not is_ours or "\\" in path or not path.isprintable():
        return "/ops"
    if parts.path.startswith(("/ops/sign-", "/ops/static")):
        return "/ops"
    return path
