"""The simulated API Particulier: its routes and its answers."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.api_particulier.parameters import unknown_parameter, wrong_parameter
from sandbox.api_particulier.people import AAH, PI, RSA, Fate, cast, fate_of
from sandbox.api_particulier.settings import ApiParticulierSettings, TokenState
from sandbox.clock import Clock
from sandbox.partner import SimulatedPartner, note_outcome

_PATHS = {
    RSA: "/v3/dss/revenu_solidarite_active/identite",
    AAH: "/v3/dss/allocation_adulte_handicape/identite",
    PI: "/v3/dss/allocation_soutien_familial/identite",
}
# The same paths are served with and without it.
_PREFIXES = ("", "/api")
_REFUSED_TOKENS = {
    TokenState.EXPIRED: (401, "00103", "Jeton expiré"),
    TokenState.BLACKLISTED: (401, "00105", "Jeton révoqué"),
    TokenState.WITHOUT_RIGHT: (403, "00100", "Privilèges insuffisants"),
}
_RIGHT_MONTHS = 6  # everybody's right began on the first of a month, so long ago


class SimulatedApiParticulier(SimulatedPartner[ApiParticulierSettings]):
    """Recognises everybody but those of its cast with another fate."""

    name = "api-particulier"

    def __init__(self, settings: ApiParticulierSettings, clock: Clock) -> None:
        super().__init__(settings, clock)
        self._answers = 0

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route(prefix + path, partial(self._certify, benefit), methods=["GET"])
            for prefix in _PREFIXES
            for benefit, path in _PATHS.items()
        ]

    def people(self) -> Sequence[Mapping[str, Any]]:
        return cast()

    def is_too_fast(self, path: str) -> bool:  # noqa: ARG002 - the limit is the token's, whatever the path
        return super().is_too_fast("token")

    def too_many_requests(self) -> Response:
        return self._refusal(
            429, "00429", "Trop de requêtes", headers={"Retry-After": str(self.settings.retry_after_s)}
        )

    async def _certify(self, benefit: str, request: Request) -> Response:
        answer, code = self._decide(benefit, request)
        note_outcome(request.scope, code=code)
        return answer

    def _decide(self, benefit: str, request: Request) -> tuple[Response, str]:
        """The answer, and the word for it in the call log."""
        refused = self._token_refusal(request.headers.get("authorization", ""))
        if refused is not None:
            return self._refusal(*refused), refused[1]
        if (name := unknown_parameter(request.query_params)) is not None:
            return self._refusal(400, "00400", "Paramètre inconnu", parameter=name), "00400"
        if (name := wrong_parameter(request.query_params)) is not None:
            return self._refusal(422, "00203", "Paramètre manquant ou incorrect", parameter=name), "00203"
        fate = fate_of(request.query_params["nomNaissance"])
        if fate.status != 200:
            meta: dict[str, Any] = {} if fate.provider is None else {"provider": fate.provider}
            meta |= {} if fate.retry_in is None else {"retry_in": fate.retry_in}
            return self._refusal(fate.status, fate.code, fate.title, meta=meta, headers=fate.headers), fate.code
        is_beneficiary = benefit in fate.benefits
        data = self._data(benefit, fate) if self.settings.shows_data else {}
        return self._json({"data": data, "links": {}, "meta": {}}), "beneficiary" if is_beneficiary else "none"

    def _token_refusal(self, authorization: str) -> tuple[int, str, str] | None:
        if authorization != f"Bearer {self.settings.token}":
            return 401, "00101", "Jeton manquant ou invalide"
        return _REFUSED_TOKENS.get(self.settings.token_state)

    def _data(self, benefit: str, fate: Fate) -> dict[str, Any]:
        is_beneficiary = benefit in fate.benefits
        since = _first_of_month(self.clock.today_in_paris(), months_ago=_RIGHT_MONTHS)
        data: dict[str, Any] = {
            "est_beneficiaire": is_beneficiary,
            "date_debut_droit": since.isoformat() if is_beneficiary else None,
        }
        if benefit == RSA:
            data["avec_majoration"] = fate.with_increase if is_beneficiary else None
        return data

    def _refusal(
        self,
        status: int,
        code: str,
        title: str,
        *,
        parameter: str | None = None,
        meta: dict[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        error = {
            "code": code,
            "title": title,
            "detail": f"{title}.",
            "source": None if parameter is None else {"parameter": parameter},
            "meta": meta or {},
        }
        return self._json({"errors": [error]}, status=status, headers=headers)

    def _json(self, body: dict[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        self._answers += 1
        request_id = f"5a9d0b0c-0000-4000-8000-{self._answers:012d}"
        return JSONResponse(body, status_code=status, headers={"X-Request-ID": request_id, **(headers or {})})


def _first_of_month(day: date, *, months_ago: int) -> date:
    months = day.year * 12 + day.month - 1 - months_ago
    return date(months // 12, months % 12 + 1, 1)
