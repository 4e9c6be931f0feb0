"""The dashboard as one ASGI application below /ops: its routes, and what stands between a request and a page."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from ops.dashboard.forms import comes_from_here, read_form
from ops.dashboard.gate import Gate
from ops.dashboard.headers import REPORTS_PATH
from ops.dashboard.live import Ended, LiveResponse, LiveStreams, Unreadable
from ops.dashboard.outages import service_of
from ops.dashboard.pages import ACTIONS, PAGES
from ops.dashboard.parts import Parts
from ops.dashboard.rendering import STATIC
from ops.dashboard.reports import PolicyReports
from ops.dashboard.screens import Screens
from ops.dashboard.visits import Acting, NoSuchThing, Reading, View, Visit, done

log = structlog.get_logger(__name__)

_KNOWN_PATHS = ("/ops/sign-in", *(f"/ops{page.path}" for page in PAGES))

Handler = Callable[[Request], Awaitable[Response]]


class Dashboard:
    """One for a process. Begin to end its streams before the process stops."""

    def __init__(self, parts: Parts) -> None:
        self._screens = Screens(parts)
        self._gate = Gate(parts, self._screens)
        self._streams = LiveStreams(
            interval_seconds=parts.look_interval.total_seconds(),
            most=parts.most_streams,
            most_per_session=parts.most_streams_per_session,
        )
        self._app = Starlette(
            routes=self._routes(),
            exception_handlers={HTTPException: self._refused},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    def end_streams(self) -> None:
        self._streams.end()

    def _routes(self) -> list[BaseRoute]:
        return [
            Route("/ops/sign-in", self._guarded(self._gate.ask), methods=["GET"]),
            Route("/ops/sign-in", self._guarded(self._gate.sign_in), methods=["POST"]),
            Route("/ops/sign-out", self._guarded(self._gate.sign_out), methods=["POST"]),
            Route(REPORTS_PATH, PolicyReports(_KNOWN_PATHS).take, methods=["POST"]),
            Mount("/ops/static", _Assets(directory=STATIC)),
            *(Route(f"/ops{page.path}", self._reading(page), methods=["GET"]) for page in PAGES),
            *(Route(f"/ops{action.path}", self._acting(action), methods=["POST"]) for action in ACTIONS),
            Route("/ops/{rest:path}", self._unknown),
        ]

    def _reading(self, page: Reading) -> Handler:
        async def answer(request: Request) -> Response:
            wants_stream = "text/event-stream" in request.headers.get("accept", "")
            visit = await self._gate.visit(request)
            if visit is None:
                return Response(status_code=401) if wants_stream else _to_sign_in(request)
            if wants_stream:
                return LiveResponse(self._streams, _key_of(visit), self._look(request, page))
            return self._screens.page(visit, await page.read(visit))

        return self._guarded(answer)

    def _look(self, request: Request, page: Reading) -> Callable[[], Awaitable[Mapping[str, str] | Ended | Unreadable]]:
        async def look() -> Mapping[str, str] | Ended | Unreadable:
            try:
                visit = await self._gate.visit(request)
                if visit is None:
                    return Ended("session")
                return self._screens.rendered(visit, await page.read(visit)).pieces
            except NoSuchThing:
                return Ended("gone")
            except Exception as error:  # noqa: BLE001 - whatever it is, the page says that it is not up to date
                service = service_of(error)
                if service is None:
                    log.error("ops_page_failed", error_class=type(error).__name__)  # noqa: TRY400 - no text of errors
                return Unreadable(self._screens.outage_banner(service or ""))

        return look

    def _acting(self, action: Acting) -> Handler:
        async def answer(request: Request) -> Response:
            visit = await self._gate.visit(request)
            if visit is None:
                return _to_sign_in(request)
            if not visit.may_act:
                log.warning("ops_action_refused", user_id=str(visit.visitor_id))
                return self._screens.problem(request, 403)
            form = await read_form(request)
            if not comes_from_here(request) or not visit.session.accepts(form.text("form_key")):
                log.warning("ops_form_refused", user_id=str(visit.visitor_id))
                return done("/ops", "bad_form")
            answered = await action.act(visit, form)
            return self._screens.page(visit, answered) if isinstance(answered, View) else answered

        return self._guarded(answer)

    def _guarded(self, handler: Handler) -> Handler:
        """Turn what goes wrong into a page that says what, and what to do."""

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except NoSuchThing:
                return self._screens.problem(request, 404)
            except HTTPException:
                raise
            except Exception as error:  # noqa: BLE001 - the last resort, which says so
                service = service_of(error)
                if service is not None:
                    log.warning("ops_page_without", service=service, error_class=type(error).__name__)
                    return self._screens.outage(request, service)
                # The class alone: the text of an error may hold what nobody is to read.
                log.error("ops_page_failed", error_class=type(error).__name__)  # noqa: TRY400
                return self._screens.problem(request, 500)

        return answer

    async def _unknown(self, request: Request) -> Response:
        return self._screens.problem(request, 404)

    async def _refused(self, request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return self._screens.problem(request, status)


class _Assets(StaticFiles):
    """Files whose address changes with them."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # pyright: ignore[reportArgumentType]: handed on as it came
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def _key_of(visit: Visit) -> str:
    return hashlib.sha256(visit.session.form_key.encode()).hexdigest()


def _to_sign_in(request: Request) -> Response:
    path = request.url.path + (f"?{request.url.query}" if request.url.query and request.method == "GET" else "")
    if request.method != "GET":
        path = "/ops"
    return RedirectResponse(f"/ops/sign-in?next={quote(path, safe='')}", status_code=303)
