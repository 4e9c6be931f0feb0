"""The simulated Metabase: dashboards for the eye, their cards as a list, and the exports of their rows."""

from collections.abc import Sequence
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.metabase.dashboards import Card, Dashboard, cards_of, heading_id
from sandbox.metabase.figures import Row, rows_of
from sandbox.metabase.files import FORMATS, as_displayed
from sandbox.metabase.settings import MetabaseSettings
from sandbox.metabase.tokens import Access, TokenError, check_query, read_token
from sandbox.partner import SimulatedPartner, note_outcome

_MAX_HEAD_BYTES = 8_192
_OPTIONS = frozenset({"format_rows", "pivot_results"})
_SHOWN_ROWS = 12
_PAGE = """<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><title>{title}</title>
<style>body{{font:15px sans-serif;margin:1.5rem}}td,th{{padding:.2rem .8rem;text-align:left}}</style></head>
<body><h1>{title}</h1><p>Chiffres inventés. Filtres verrouillés : {filters}</p>{cards}</body></html>"""


class SimulatedMetabase(SimulatedPartner[MetabaseSettings]):
    """Knows no user: what a token does not lock, it shows."""

    name = "metabase"

    def routes(self) -> Sequence[BaseRoute]:
        return (
            Route("/embed/dashboard/{token}", self._show, methods=["GET"]),
            Route("/api/embed/dashboard/{token}", self._list_cards, methods=["GET"]),
            Route(
                "/api/embed/dashboard/{token}/dashcard/{place_id:int}/card/{card_id:int}/{format}",
                self._export,
                methods=["GET"],
            ),
        )

    async def _show(self, request: Request) -> Response:
        access = self._access(request)
        if isinstance(access, Response):
            return access
        filters = ", ".join(f"{name} = {'; '.join(sorted(values))}" for name, values in access.locked.items())
        cards = "".join(self._shown(card, access) for card in cards_of(access.dashboard))
        page = _PAGE.format(title=escape(access.dashboard.title), filters=escape(filters or "aucun"), cards=cards)
        note_outcome(request.scope, code="shown", subject=str(access.dashboard.id))
        return HTMLResponse(page)

    async def _list_cards(self, request: Request) -> Response:
        access = self._access(request)
        if isinstance(access, Response):
            return access
        dashboard = access.dashboard
        note_outcome(request.scope, code="listed", subject=str(dashboard.id))
        return JSONResponse(
            {
                "id": dashboard.id,
                "name": dashboard.title,
                "dashcards": [_heading(dashboard), *(_listed(card) for card in cards_of(dashboard))],
            }
        )

    async def _export(self, request: Request) -> Response:
        access = self._access(request, {*request.query_params} - _OPTIONS)
        if isinstance(access, Response):
            return access
        file_format = request.path_params["format"]
        if file_format not in FORMATS:
            text = "export-format must be one of: csv, api, xlsx, json"
            return JSONResponse({"errors": {"export-format": text}}, status_code=400)
        place = request.path_params["place_id"], request.path_params["card_id"]
        card = next((each for each in cards_of(access.dashboard) if (each.place_id, each.card_id) == place), None)
        if card is None:
            return PlainTextResponse("Not found.", status_code=404)
        if card.card_id in self.settings.failing_cards:
            note_outcome(request.scope, code="query failed", subject=str(card.card_id))
            return JSONResponse({"error": 'ERROR: column "candidatures" does not exist'}, status_code=202)
        rows = self._rows(card, access)
        note_outcome(request.scope, code=f"{len(rows)} rows", subject=str(card.card_id))
        return _file(rows, file_format, is_raw=request.query_params.get("format_rows") == "false")

    def _access(self, request: Request, filters: set[str] | None = None) -> Access | Response:
        """What the token opens, or the refusal. `filters`: names in the query that are no options."""
        size = len(request.url.path) + len(request.url.query)
        if size > _MAX_HEAD_BYTES:
            return PlainTextResponse("", status_code=431)
        try:
            access = read_token(request.path_params["token"], self.settings, self.clock.now())
            check_query(frozenset(filters or ()), access.dashboard)
        except TokenError as error:
            note_outcome(request.scope, code=str(error))
            return PlainTextResponse(str(error), status_code=error.status)
        return access

    def _rows(self, card: Card, access: Access) -> list[Row]:
        return rows_of(card, access.locked, today=self.clock.today_in_paris(), detail_rows=self.settings.detail_rows)

    def _shown(self, card: Card, access: Access) -> str:
        rows = [as_displayed(row) for row in self._rows(card, access)[:_SHOWN_ROWS]]
        head = "".join(f"<th>{escape(column)}</th>" for column in (rows[0] if rows else ()))
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(str(value))}</td>' for value in row.values())}</tr>" for row in rows
        )
        return f"<h2>{escape(card.name)}</h2><table><tr>{head}</tr>{body}</table>"


def _heading(dashboard: Dashboard) -> dict[str, object]:
    return {"id": heading_id(dashboard), "card_id": None, "card": {"name": None, "display": None}}


def _listed(card: Card) -> dict[str, object]:
    described = {"id": card.card_id, "name": card.name, "display": card.kind.value}
    return {"id": card.place_id, "card_id": card.card_id, "card": described}


def _file(rows: list[Row], file_format: str, *, is_raw: bool) -> Response:
    content_type, make = FORMATS[file_format]
    # A workbook holds values, never their display.
    shown = rows if is_raw or file_format == "xlsx" else [dict(as_displayed(row)) for row in rows]
    headers = {
        "Content-Type": content_type,
        "Content-Disposition": f'attachment; filename="query_result.{file_format}"',
    }
    return Response(make(shown), headers=headers)
