"""`GET /exports/{token}`: one card of a dashboard as a file, handed on as it comes.

The token says who asked; what they may see is decided anew. Browsers follow such links without an Authorization header;
a header that is sent all the same must be of the one whom the link was made for.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from types import MappingProxyType

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from clients.errors import PartnerUnavailable
from resolvers.askers import asker_of
from resolvers.viewers import load_viewer
from services.clock import utc_now
from services.dashboards import (
    CardFile,
    Dashboards,
    DownloadFailure,
    DownloadRefused,
    ExpiredLink,
    ExportLinks,
    ExportTicket,
    InvalidLink,
    open_file,
)
from services.dashboards.downloads import authorise
from services.pictures import PictureSize
from services.throttling import Throttle
from services.tokens import InvalidToken, TokenVerifier

log = structlog.get_logger(__name__)

# A reader who takes nothing for so long holds one of the few places at Metabase for nothing.
_STALLED_SECONDS = 30.0
_AT_ONCE = 2

_EXPIRED = ("EXPIRED", 410, "Ce lien a expiré. Rechargez le tableau de bord pour en obtenir un nouveau.")
_INVALID = ("NOT_FOUND", 404, "Ce lien n'est pas valable. Rechargez le tableau de bord pour en obtenir un nouveau.")
_OF_SOMEBODY_ELSE = ("FORBIDDEN", 403, "Ce lien a été créé pour un autre compte.")
_BAD_TOKEN = ("UNAUTHENTICATED", 401, "Votre session n'est plus valable. Connectez-vous à nouveau.")
_TOO_MANY = ("LIMIT_EXCEEDED", 429, "Trop de téléchargements à la fois. Réessayez dans une minute.")
_BAD_WIDTH = (
    "BAD_USER_INPUT",
    400,
    f"La largeur de l'image doit être comprise entre {PictureSize.SMALLEST} et {PictureSize.LARGEST} pixels.",
)
_AWAY = "Les statistiques sont momentanément indisponibles. Réessayez dans quelques minutes."
_FAULT = "Cet export ne fonctionne pas pour le moment. Notre équipe en est avertie."
_REFUSALS: Mapping[DownloadFailure, tuple[int, str]] = MappingProxyType(
    {
        DownloadFailure.UNAUTHENTICATED: (401, "Connectez-vous pour télécharger ces données."),
        DownloadFailure.FORBIDDEN: (403, "Vous n'avez pas accès à ces données."),
        DownloadFailure.NOT_FOUND: (404, "Ce tableau de bord ou cet indicateur n'existe pas."),
        DownloadFailure.BAD_FORMAT: (400, "Ce format n'est pas proposé : choisissez CSV, XLSX, JSON ou PNG."),
        DownloadFailure.STATS_UNAVAILABLE: (503, _AWAY),
        DownloadFailure.STATS_MISCONFIGURED: (502, _FAULT),
        DownloadFailure.STATS_NOT_FOUND: (404, "Ce tableau de bord ou cet indicateur n'existe plus."),
        DownloadFailure.STATS_QUERY_FAILED: (502, "Le calcul de ces données a échoué. Réessayez plus tard."),
    }
)


class _Refused(Exception):
    def __init__(self, code: str, status: int, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.message = message
        self.retry_after = retry_after


class ExportsEndpoint:
    """The route. One for a process."""

    def __init__(
        self, dashboards: Dashboards, links: ExportLinks, verifier: TokenVerifier, throttle: Throttle | None = None
    ) -> None:
        self._dashboards = dashboards
        self._links = links
        self._verifier = verifier
        self._throttle = throttle
        self._running: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            async with self._place(request) as ticket:
                await self._serve(request, ticket, receive, send)
        except _Refused as refused:
            await _refusal(refused)(scope, receive, send)

    @asynccontextmanager
    async def _place(self, request: Request) -> AsyncGenerator[ExportTicket]:
        """What is asked for, while one of the asker's few places is held. Raises _Refused."""
        ticket = self._read(request.path_params["token"])
        await self._check_header(request, ticket)
        asker = asker_of(ticket.user_id, request.client.host if request.client is not None else "")
        if self._running[asker] >= _AT_ONCE:
            raise _Refused(*_TOO_MANY, retry_after=_STALLED_SECONDS)
        seconds = 0.0 if self._throttle is None else await self._throttle.take(asker)
        if seconds:
            raise _Refused(*_TOO_MANY, retry_after=seconds)
        self._running[asker] += 1
        try:
            yield ticket
        finally:
            self._running[asker] -= 1
            if not self._running[asker]:
                del self._running[asker]

    def _read(self, token: str) -> ExportTicket:
        try:
            return self._links.read(token, now=utc_now())
        except ExpiredLink:
            raise _Refused(*_EXPIRED) from None
        except InvalidLink:
            raise _Refused(*_INVALID) from None

    async def _check_header(self, request: Request, ticket: ExportTicket) -> None:
        header = request.headers.get("authorization")
        if header is None:
            return
        scheme, _, token = header.partition(" ")
        try:
            if scheme.lower() != "bearer":
                raise InvalidToken("authorization: not a bearer token")
            viewer = await load_viewer(await self._verifier.verify(token.strip()))
        except InvalidToken:
            raise _Refused(*_BAD_TOKEN) from None
        if ticket.user_id is not None and (viewer.user_id, viewer.organization_id) != (
            ticket.user_id,
            ticket.organization_id,
        ):
            raise _Refused(*_OF_SOMEBODY_ELSE)

    async def _serve(self, request: Request, ticket: ExportTicket, receive: Receive, send: Send) -> None:
        size = _size(request)
        try:
            if request.method == "HEAD":
                await authorise(self._dashboards, ticket)
                head = Response(headers={"Cache-Control": "no-store"})
                del head.headers["Content-Length"]  # of a body that nobody has counted
                await head(request.scope, receive, send)
                return
            file = await open_file(self._dashboards, ticket, now=utc_now(), size=size)
        except DownloadRefused as error:
            status, message = _REFUSALS[error.failure]
            raise _Refused(error.failure.value, status, message, retry_after=error.retry_after) from None
        async with aclosing(file.body):
            await _send_unless_gone(file, receive, send)


def _size(request: Request) -> PictureSize | None:
    width = request.query_params.get("width")
    if width is None:
        return None
    try:
        return PictureSize(width=int(width) if len(width) < 6 else 0)
    except ValueError:
        raise _Refused(*_BAD_WIDTH) from None


def _refusal(refused: _Refused) -> Response:
    headers = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
    if refused.retry_after is not None:
        headers["Retry-After"] = str(max(1, round(refused.retry_after)))
    if refused.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="traverse"'
    content = orjson.dumps({"code": refused.code, "message": refused.message})
    return Response(content, status_code=refused.status, headers=headers)


async def _send_unless_gone(file: CardFile, receive: Receive, send: Send) -> None:
    """Send the file; stop at once when nobody is there to read it."""
    sending = asyncio.create_task(_send_file(file, send))
    watching = asyncio.create_task(_until_gone(receive))
    try:
        await asyncio.wait({sending, watching}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
    finally:
        for task in (sending, watching):
            task.cancel()
        await asyncio.gather(sending, watching, return_exceptions=True)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_file(file: CardFile, send: Send) -> None:
    """Send head and body. A body that breaks is left unfinished: the server then cuts the connection instead of ending
    the message, which every client takes for a failure. There is no other way to say so once it has begun.
    """
    await send({"type": "http.response.start", "status": 200, "headers": _headers(file)})
    try:
        async for piece in file.body:
            async with asyncio.timeout(_STALLED_SECONDS):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
    except PartnerUnavailable as error:
        log.warning("export_interrupted", code=error.code, http_status=error.http_status)
        return
    except TimeoutError:
        log.info("export_stalled")
        return
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _headers(file: CardFile) -> list[tuple[bytes, bytes]]:
    return [
        (b"content-type", file.content_type.encode()),
        (b"content-disposition", f'attachment; filename="{file.name}"'.encode()),
        (b"cache-control", b"no-store"),
    ]
