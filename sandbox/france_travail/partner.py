"""The simulated France Travail: its routes, and what it remembers."""

from collections.abc import Sequence
from typing import Any, cast

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.cast import ORDINARY, PEOPLE, FranceTravailFate
from sandbox.clock import Clock
from sandbox.france_travail import search, update
from sandbox.france_travail.identifiers import id_national_of
from sandbox.france_travail.settings import SEARCH_SCOPES, UPDATE_SCOPES, FranceTravailSettings
from sandbox.france_travail.tokens import TokenBook
from sandbox.partner import SimulatedPartner, note_outcome

_JSON = dict[str, Any]


class SimulatedFranceTravail(SimulatedPartner[FranceTravailSettings]):
    """Finds every well-formed person but those of the cast with another fate, and takes their PASS IAE."""

    name = "france-travail"

    def __init__(self, settings: FranceTravailSettings, clock: Clock) -> None:
        super().__init__(settings, clock)
        self.tokens = TokenBook(clock)
        # The cast is known from the start, so that identifiers kept from before a restart keep their fate.
        self._fates: dict[str, FranceTravailFate] = {
            id_national_of(person.nir[:13]): person.france_travail
            for person in PEOPLE
            if person.france_travail != ORDINARY
        }
        self._last_accepted: dict[str, int] = {}  # approval number to the hash of the body

    def routes(self) -> Sequence[BaseRoute]:
        return (
            Route("/connexion/oauth2/access_token", self._issue_token, methods=["POST"]),
            Route("/rechercheindividucertifie/v1/rechercheIndividuCertifie", self._search, methods=["POST"]),
            Route("/maj-pass-iae/v1/passIAE/miseAjour", self._update, methods=["POST"]),
        )

    async def _issue_token(self, request: Request) -> Response:
        return await self.tokens.issue(request, self.settings)

    async def _search(self, request: Request) -> Response:
        if (refusal := self.tokens.refusal_of(request, SEARCH_SCOPES)) is not None:
            return refusal
        body = await _read_object(request, search.KEYS)
        if body is None or not all(isinstance(value, str) for value in body.values()):
            return _bad_request()
        code = search.input_error(body, today=self.clock.today_in_paris())
        id_national = ""
        if code is None:
            fate = search.fate_of(body)
            code = fate.search_code
            if code in search.FOUND_CODES and fate.has_id:
                id_national = id_national_of(body["nirCertifie"])
                if fate != ORDINARY:
                    self._fates[id_national] = fate
        note_outcome(request.scope, code=code)
        return JSONResponse({"idNationalDE": id_national, "codeSortie": code, "certifDE": False})

    async def _update(self, request: Request) -> Response:
        if (refusal := self.tokens.refusal_of(request, UPDATE_SCOPES)) is not None:
            return refusal
        body = await _read_object(request, update.KEYS)
        if body is None or not update.is_well_formed(body):
            return _bad_request()
        code = update.input_error(body, today=self.clock.today_in_paris())
        if code is None:
            code = self._decide(body)
        note_outcome(request.scope, code=code or "none", subject=body.get("numPassIAE"))
        if code is None:
            return JSONResponse({"message": "Pass IAE"})
        message = "Pass IAE prescrit" if code == "S000" else "Pass IAE non prescrit"
        return JSONResponse({"codeSortie": code, "idNational": body.get("idNational", ""), "message": message})

    def _decide(self, body: _JSON) -> str | None:
        """The code of a sound update, which takes effect when it is S000."""
        code = self._fates.get(body["idNational"], ORDINARY).update_code
        if code != "S000":
            return code
        number = body["numPassIAE"]
        fingerprint = hash(orjson.dumps(body, option=orjson.OPT_SORT_KEYS))
        if self.settings.refuse_repeats and self._last_accepted.get(number) == fingerprint:
            return "S015"
        self._last_accepted[number] = fingerprint
        return code


async def _read_object(request: Request, keys: frozenset[str]) -> _JSON | None:
    """The JSON object of the body; None when it is none, or has keys that are not documented."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        return None
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return None
    if not isinstance(body, dict):
        return None
    fields = cast("_JSON", body)
    return fields if fields.keys() <= keys else None


def _bad_request() -> Response:
    return JSONResponse(
        {"codeErreur": "REQUETE_INVALIDE", "codeHttp": 400, "message": "Requête mal formée"}, status_code=400
    )
