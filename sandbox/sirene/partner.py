"""The simulated Sirene: its routes in two flavours, its search, its rate."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.clock import Clock
from sandbox.forms import read_form
from sandbox.partner import SimulatedPartner, note_outcome
from sandbox.sirene.access import TokenBook
from sandbox.sirene.answers import many, one, refusal
from sandbox.sirene.register import SPECIAL, Record, find
from sandbox.sirene.settings import SireneSettings

PUBLIC = "/api-sirene/3.11"
PRIVATE = "/api-sirene/prive/3.11"
TOKEN = "/auth/realms/apim-gravitee/protocol/openid-connect/token"  # noqa: S105 - a path

_SIRET = re.compile(r"\d{14}", re.ASCII)
_BY_SIRET = re.compile(r"siret:(\d{14})( OR siret:\d{14})*", re.ASCII)
_HEAD_OFFICE_OF = re.compile(r"siren:(\d{9}) AND etablissementSiege:true", re.ASCII)
_SEARCH_PARAMETERS = frozenset({"q", "nombre", "debut"})
_MAX_PAGE = 1000
_MAX_URL = 2000
_SHORTEST_PASSWORD = 12


class SimulatedSirene(SimulatedPartner[SireneSettings]):
    """Knows every well-formed number that begins like an invented one; some of them are special."""

    name = "sirene"

    def __init__(self, settings: SireneSettings, clock: Clock) -> None:
        super().__init__(settings, clock)
        self.tokens = TokenBook(clock)
        self._minute = 0
        self._calls = 0

    def routes(self) -> Sequence[BaseRoute]:
        look_ups = [
            route
            for base in (PUBLIC, PRIVATE)
            for route in (
                Route(f"{base}/siret/{{siret}}", self._one, methods=["GET"]),
                Route(f"{base}/siret", self._search, methods=["GET", "POST"]),
            )
        ]
        return (
            *look_ups,
            Route(f"{PRIVATE}/renouvellement", self._renew_password, methods=["POST"]),
            Route(TOKEN, self._issue_token, methods=["POST"]),
        )

    def companies(self) -> Sequence[Mapping[str, Any]]:
        return [
            {"name": record.display_name, "siret": record.siret, "kind": None, "note": f"Sirene: {record.note}"}
            for record in SPECIAL.values()
        ]

    def is_too_fast(self, path: str) -> bool:
        """Look-ups only, by the minute of the clock: the next one begins at zero. Refused ones do not count."""
        limit = self.settings.calls_per_minute
        if limit is None or path.endswith(TOKEN):
            return False
        minute = int(self.clock.now().timestamp() // 60)
        if minute != self._minute:
            self._minute, self._calls = minute, 0
        if self._calls >= limit:
            return True
        self._calls += 1
        return False

    def too_many_requests(self) -> Response:
        return refusal(429, "Quota de requêtes par minute dépassé")

    async def _issue_token(self, request: Request) -> Response:
        return await self.tokens.issue(request, self.settings)

    async def _one(self, request: Request) -> Response:
        if (no := self._refusal_of(request)) is not None:
            return no
        siret: str = request.path_params["siret"]
        answer = self._known(request, siret)
        note_outcome(request.scope, code=str(answer.status_code), subject=siret)
        return answer

    def _known(self, request: Request, siret: str) -> Response:
        if not _SIRET.fullmatch(siret):
            return refusal(400, f"Erreur de syntaxe dans le siret {siret}")
        if request.query_params:
            return refusal(400, "Aucun paramètre n'est attendu")
        record = find(siret)
        if record is None:
            return refusal(404, f"Aucun élément trouvé pour le siret {siret}")
        if record.is_opposed:
            return refusal(403, "Accès non autorisé à cet établissement")
        if record.moved_to is not None:
            root = request.scope["root_path"]
            return RedirectResponse(f"{root}{_base_of(request)}/siret/{record.moved_to}", status_code=301)
        return one(record, sees_all=_is_private(request))

    async def _search(self, request: Request) -> Response:
        if (no := self._refusal_of(request)) is not None:
            return no
        if len(str(request.url)) > _MAX_URL:
            return refusal(414, "Adresse trop longue")
        query = dict(request.query_params) if request.method == "GET" else read_form(await request.body())
        count, start = query.get("nombre", "20"), query.get("debut", "0")
        if not query.keys() <= _SEARCH_PARAMETERS or not _is_page(count) or not _is_page(start):
            return refusal(400, "Paramètres attendus : q, nombre (0 à 1000), debut (0 à 1000)")
        records = _matches(query.get("q", ""))
        if records is None:
            return refusal(400, "Erreur de syntaxe dans le paramètre q")
        if not records:
            return refusal(404, "Aucun élément trouvé pour cette recherche")
        return many(records, start=int(start), count=int(count), sees_all=_is_private(request))

    async def _renew_password(self, request: Request) -> Response:
        if (no := self.tokens.refusal_of_token(request)) is not None:
            return no
        body = _object_of(await request.body())
        old, new = body.get("oldPassword"), body.get("newPassword")
        if old != self.settings.password:
            return refusal(400, "Ancien mot de passe incorrect")
        if not isinstance(new, str) or len(new) < _SHORTEST_PASSWORD or new == old:
            return refusal(400, "Nouveau mot de passe trop court ou déjà utilisé")
        self.change_settings({"password": new, "password_age_days": 0})
        return Response(status_code=200)

    def _refusal_of(self, request: Request) -> Response | None:
        if _is_private(request):
            return self.tokens.refusal_of_token(request)
        return self.tokens.refusal_of_key(request, self.settings)


def _matches(q: str) -> list[Record] | None:
    """None: a search that is not simulated. Merged and opposed registrations are in no list."""
    if _BY_SIRET.fullmatch(q):
        numbers = re.findall(r"\d{14}", q)
    elif head_office := _HEAD_OFFICE_OF.fullmatch(q):
        siren = head_office.group(1)
        numbers = [f"{siren}0001{digit}" for digit in range(10)]
    else:
        return None
    found = [find(number) for number in dict.fromkeys(numbers)]
    return [record for record in found if record and not record.is_opposed and record.moved_to is None]


def _base_of(request: Request) -> str:
    return PRIVATE if _is_private(request) else PUBLIC


def _is_private(request: Request) -> bool:
    return f"{PRIVATE}/" in request.scope["path"]


def _is_page(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) <= _MAX_PAGE


def _object_of(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
