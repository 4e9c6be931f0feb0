"""Answers with a page: the frame around each, its headers, and the pages that say what is wrong."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ops.dashboard.headers import new_nonce, page_headers
from ops.dashboard.navigation import NAVIGATION
from ops.dashboard.notices import NOTICES
from ops.dashboard.parts import Parts
from ops.dashboard.rendering import Rendered, render
from ops.dashboard.visits import NOTICE_COOKIE, View, Visit

_STATUS_TITLES = {
    400: ("Demande incorrecte", "L’adresse ou le formulaire n’est pas de ceux que ces pages produisent."),
    403: (
        "Action réservée",
        "Votre compte peut consulter ces pages (OBSERVE), mais pas agir : rien n’a été changé. Demandez la permission"
        " d’exploiter (OPERATE) à l’administrateur de l’équipe, ou l’action à une personne qui l’a.",
    ),
    404: ("Page introuvable", "Cette page, ou ce qu’elle montrait, n’existe pas ou n’existe plus."),
    405: ("Demande incorrecte", "Cette adresse ne s’ouvre pas ainsi."),
    413: ("Formulaire trop long", "Le formulaire envoyé dépasse la taille acceptée. Réduisez votre sélection."),
    415: ("Formulaire illisible", "Le formulaire envoyé n’est pas de la forme attendue."),
    500: (
        "Erreur du tableau de bord",
        "Une erreur est survenue ; elle est dans les journaux, avec le numéro ci-dessous.",
    ),
}


class Screens:
    """Renders whole answers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def page(self, visit: Visit, view: View) -> Response:
        """The answer to a visitor who was let in."""
        nonce = new_nonce()
        key = visit.request.cookies.get(NOTICE_COOKIE, "")
        values = {**self._frame(visit.request, nonce), "notice": NOTICES.get(key), "is_live": view.is_live}
        rendered = self.rendered(visit, view, values)
        response = HTMLResponse(rendered.html, status_code=view.status, headers=dict(page_headers(nonce)))
        if key:
            response.delete_cookie(NOTICE_COOKIE, path="/ops")
        return response

    def rendered(self, visit: Visit, view: View, frame: dict[str, object] | None = None) -> Rendered:
        """The page as text. Without a frame: for its live pieces, which carry no nonce."""
        values = frame or {**self._frame(visit.request, ""), "notice": None, "is_live": True}
        return render(
            view.template,
            {
                **values,
                **view.values,
                "visit": visit,
                "form_key": visit.session.form_key,
                "visitor_name": f"{visit.visitor.first_name} {visit.visitor.last_name}".strip(),
                "may_act": visit.may_act,
                "session_ends_at": visit.session.expires_at,
            },
        )

    def sign_in(self, request: Request, *, next_path: str, problem: str = "", status: int = 200) -> Response:
        notice = NOTICES.get(request.cookies.get(NOTICE_COOKIE, ""))
        response = self._bare(
            request,
            "sign_in.html",
            {"next_path": next_path, "problem": problem, "notice": notice},
            status,
        )
        response.delete_cookie(NOTICE_COOKIE, path="/ops")
        return response

    def problem(self, request: Request, status: int) -> Response:
        title, text = _STATUS_TITLES.get(status, _STATUS_TITLES[500])
        return self._bare(request, "problem.html", {"title": title, "text": text, "advice": ()}, status)

    def outage(self, request: Request, service: str) -> Response:
        """The database, or Valkey, is away: say so, and what to do. `service`: "PostgreSQL" or "Valkey"."""
        response = self._bare(request, "outage.html", {"service": service}, 503)
        response.headers["Retry-After"] = "10"
        return response

    def outage_banner(self, service: str) -> str:
        return render("pieces/outage.html", {"service": service, "now": self._parts.clock()}).html

    def _bare(self, request: Request, template: str, values: dict[str, object], status: int) -> Response:
        nonce = new_nonce()
        frame = {"notice": None, **self._frame(request, nonce), **values, "is_live": False}
        return HTMLResponse(render(template, frame).html, status_code=status, headers=dict(page_headers(nonce)))

    def _frame(self, request: Request, nonce: str) -> dict[str, object]:
        return {
            "nonce": nonce,
            "now": self._parts.clock(),
            "path": request.url.path,
            "query_string": request.url.query,
            "navigation": NAVIGATION,
            "is_production": self._parts.is_production,
            "environment": self._parts.environment,
            "version": _version(),
            "request_id": request.scope.get("state", {}).get("request_id", ""),
        }


def _version() -> str:
    try:
        return version("traverse")
    except PackageNotFoundError:
        return ""
