"""The sandbox's own doors: calls received, faults, settings, the cast."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.calls import CallLog
from sandbox.cast import COMPANIES, PEOPLE
from sandbox.faults import Fault, FaultBoard
from sandbox.partner import PartnerSettings, SimulatedPartner
from sandbox.shapes import read


class Control:
    """Handlers over the state that all partners share."""

    def __init__(
        self, calls: CallLog, faults: FaultBoard, partners: Mapping[str, SimulatedPartner[PartnerSettings]]
    ) -> None:
        self._calls = calls
        self._faults = faults
        self._partners = partners

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/_calls", self._list_calls, methods=["GET"]),
            Route("/_calls", self._forget_calls, methods=["DELETE"]),
            Route("/_faults", self._list_faults, methods=["GET"]),
            Route("/_faults", explained(self._add_fault), methods=["POST"]),
            Route("/_faults", self._clear_faults, methods=["DELETE"]),
            Route("/_settings", self._list_settings, methods=["GET"]),
            Route("/_settings", explained(self._change_settings), methods=["PATCH"]),
            Route("/_people", self._list_people, methods=["GET"]),
            Route("/_companies", self._list_companies, methods=["GET"]),
            *(door for partner in self._partners.values() for door in partner.doors()),
        ]

    async def _list_calls(self, request: Request) -> Response:
        partner, path = request.query_params.get("partner"), request.query_params.get("path")
        if request.query_params.get("summary") == "1":
            return _json(self._calls.summary(partner=partner, path=path))
        limit = request.query_params.get("limit", "")
        if limit and not limit.isdecimal():
            return _json({"error": f'limit "{limit}": not a number'}, status=422)
        return _json(self._calls.listing(partner=partner, path=path, limit=int(limit) if limit else None))

    async def _forget_calls(self, _: Request) -> Response:
        self._calls.forget()
        return Response(status_code=204)

    async def _list_faults(self, _: Request) -> Response:
        return _json(self._faults.listing())

    async def _add_fault(self, request: Request) -> Response:
        fault = read(Fault, await request.body())
        return _json(self._faults.add(fault).as_json(), status=201)

    async def _clear_faults(self, _: Request) -> Response:
        self._faults.clear()
        return Response(status_code=204)

    async def _list_settings(self, _: Request) -> Response:
        return _json({name: partner.settings.as_json() for name, partner in self._partners.items()})

    async def _change_settings(self, request: Request) -> Response:
        changes = read(dict[str, Any], await request.body())
        name = str(changes.pop("partner", ""))
        partner = self._partners.get(name)
        if partner is None:
            raise ValueError(f'partner "{name}": not simulated here, expected one of {", ".join(self._partners)}')
        partner.change_settings(changes)
        return _json(partner.settings.as_json())

    async def _list_people(self, _: Request) -> Response:
        theirs = [person for partner in self._partners.values() for person in partner.people()]
        return _json([*(person.as_json() for person in PEOPLE), *theirs])

    async def _list_companies(self, _: Request) -> Response:
        theirs = [company for partner in self._partners.values() for company in partner.companies()]
        return _json([*(company.as_json() for company in COMPANIES), *theirs])


def explained(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Turn what is wrong with the body into a 422 that says so."""

    async def handle(request: Request) -> Response:
        try:
            return await handler(request)
        except ValueError as error:
            return _json({"error": str(error)}, status=422)

    return handle


class OrjsonResponse(JSONResponse):
    """100,000 calls are listed in one answer: the standard encoder would take seconds."""

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


def _json(content: Any, *, status: int = 200) -> Response:
    return OrjsonResponse(content, status_code=status)
