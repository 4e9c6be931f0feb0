"""The link of an invitation: on to Diagoriente, with a note that it was followed."""

from __future__ import annotations

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route

from services.clock import utc_now
from services.diagoriente import OPENING_PATH, DiagorienteLinks, mark_opened

log = structlog.get_logger(__name__)

_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def diagoriente_route(links: DiagorienteLinks) -> Route:
    """Return the route. Whatever follows its path, everyone is led to the same address: no token can be probed."""

    async def follow(request: Request) -> RedirectResponse:
        if request.method == "GET" and not _is_prefetch(request):
            try:
                await mark_opened(request.path_params["token"], now=utc_now())
            except Exception as error:  # noqa: BLE001 - the person is on their way; the note is not worth stopping them
                # The class alone: the text may hold the token.
                log.warning("opening_not_noted", error_class=type(error).__name__)
        return RedirectResponse(links.target, status_code=302, headers=_HEADERS)

    return Route(f"{OPENING_PATH}/{{token:path}}", follow, methods=["GET", "HEAD"])


def _is_prefetch(request: Request) -> bool:
    purposes = (request.headers.get(name, "") for name in ("purpose", "sec-purpose"))
    return any("prefetch" in purpose.lower() for purpose in purposes)
