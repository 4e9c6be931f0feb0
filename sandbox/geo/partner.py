"""The simulated API Géo: its routes and what they refuse."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

from msgspec import Meta
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.clock import Clock
from sandbox.gazetteer import COMMUNES, COMMUNES_BY_CODE, DEPARTMENTS, REGIONS, Commune, Department
from sandbox.geo.communes import (
    ARRONDISSEMENT,
    CURRENT,
    DEFAULT_FIELDS,
    GEOMETRIES,
    JSON,
    as_json,
    is_in_square,
    score,
    siren_of,
)
from sandbox.geo.country import whole_country
from sandbox.partner import PartnerSettings, SimulatedPartner

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
_FILTERS = frozenset(
    {
        *("code", "codePostal", "nom", "codeDepartement", "codeRegion", "codeEpci", "siren", "codeParent"),
        *("ancienCode", "lat", "lon"),
    }
)
_PARAMETERS = _FILTERS | {"boost", "type", "zone", "fields", "format", "geometry", "limit"}
_DEFAULT_ZONES = "metro,drom"  # of departments and regions; communes come from everywhere


class GeoSettings(PartnerSettings):
    """`country_size`: how many communes an unfiltered request gives; a small one plays an answer that was cut."""

    rate_per_second: Annotated[int, Meta(ge=1)] | None = 50
    country_size: Annotated[int, Meta(ge=0, le=40_000)] = 34_900


class _BadRequestError(Exception):
    """Answered 400 in plain text."""


class SimulatedGeo(SimulatedPartner[GeoSettings]):
    """Knows the communes of the gazetteer; the rest of the country is invented: without filter, or by its code."""

    name = "geo"

    def __init__(self, settings: GeoSettings, clock: Clock) -> None:
        super().__init__(settings, clock)
        self._country: dict[str, Commune] = {}

    def routes(self) -> Sequence[BaseRoute]:
        return (
            _route("/communes", self._list_communes),
            _route("/communes/{code}", self._one_commune),
            _route("/departements", self._list_departments),
            _route("/departements/{code}", self._one_department),
            _route("/departements/{code}/communes", self._communes_of_department),
            _route("/regions", self._list_regions),
            _route("/regions/{code}", self._one_region),
            _route("/regions/{code}/departements", self._departments_of_region),
        )

    async def _list_communes(self, request: Request) -> Response:
        query = dict(request.query_params)
        if unknown := query.keys() - _PARAMETERS:
            raise _BadRequestError(f"unknown parameters: {', '.join(sorted(unknown))}")
        # The whole country takes seconds on a busy machine: the other partners go on answering meanwhile.
        return await run_in_threadpool(lambda: _answer(query, self._matches(query)))

    async def _one_commune(self, request: Request) -> Response:
        commune = self._known(request.path_params["code"])
        if commune is None:
            return _not_found()
        return JSONResponse(_written(dict(request.query_params), commune))

    async def _communes_of_department(self, request: Request) -> Response:
        code = request.path_params["code"]
        if code not in DEPARTMENTS:
            return _not_found()
        query = dict(request.query_params) | {"codeDepartement": code}
        return _answer(query, self._matches(query))

    async def _list_departments(self, request: Request) -> Response:
        zones = request.query_params.get("zone", _DEFAULT_ZONES).split(",")
        return JSONResponse([_department(found) for found in DEPARTMENTS.values() if found.zone in zones])

    async def _one_department(self, request: Request) -> Response:
        found = DEPARTMENTS.get(request.path_params["code"])
        return _not_found() if found is None else JSONResponse(_department(found))

    async def _list_regions(self, _: Request) -> Response:
        return JSONResponse([{"nom": name, "code": code} for code, name in sorted(REGIONS.items())])

    async def _one_region(self, request: Request) -> Response:
        code = request.path_params["code"]
        return JSONResponse({"nom": REGIONS[code], "code": code}) if code in REGIONS else _not_found()

    async def _departments_of_region(self, request: Request) -> Response:
        code = request.path_params["code"]
        if code not in REGIONS:
            return _not_found()
        return JSONResponse([_department(found) for found in DEPARTMENTS.values() if found.region_code == code])

    def _matches(self, query: dict[str, str]) -> list[tuple[Commune, float | None]]:
        """The communes that pass every filter, each with its score when a name was asked for."""
        kinds = query.get("type", CURRENT).split(",")
        zones = query.get("zone", "metro,drom,com").split(",")
        known = [
            commune
            for commune in self._candidates(query, kinds)
            if (ARRONDISSEMENT if commune.is_arrondissement else CURRENT) in kinds
            and commune.department.zone in zones
            and _passes(commune, query)
        ]
        if not (name := query.get("nom")):
            return [(commune, None) for commune in known]
        is_boosted = query.get("boost") == "population"
        scored = [(commune, score(commune, name, boosted=is_boosted)) for commune in known]
        return [*sorted(((commune, match) for commune, match in scored if match > 0), key=_by_score)]

    def _candidates(self, query: dict[str, str], kinds: list[str]) -> Sequence[Commune]:
        if _FILTERS & query.keys() or CURRENT not in kinds:
            return COMMUNES
        if query.get("format") == "geojson" or "contour" in query.get("fields", ""):
            raise _BadRequestError("this request is too heavy without a filter")
        arrondissements = [commune for commune in COMMUNES if commune.is_arrondissement]
        return (*self._whole_country().values(), *arrondissements)

    def _known(self, code: str) -> Commune | None:
        return COMMUNES_BY_CODE.get(code) or self._whole_country().get(code)

    def _whole_country(self) -> dict[str, Commune]:
        """By code; made when it is asked for, and anew when its size was changed."""
        if len(self._country) != self.settings.country_size:
            self._country = {commune.code: commune for commune in whole_country(self.settings.country_size)}
        return self._country


def _by_score(found: tuple[Commune, float]) -> float:
    return -found[1]


def _passes(commune: Commune, query: dict[str, str]) -> bool:
    """All filters but the name."""
    values = {
        "code": commune.code,
        "codeDepartement": commune.department.code,
        "codeRegion": commune.department.region_code,
        "codeEpci": commune.epci_code,
        "codeParent": commune.parent_code,
        "siren": siren_of(commune),
    }
    if any(key in query and query[key] != value for key, value in values.items()):
        return False
    if "codePostal" in query and query["codePostal"] not in commune.post_codes:
        return False
    if "ancienCode" in query and query["ancienCode"] not in commune.former_codes:
        return False
    point = _point(query)
    return point is None or is_in_square(commune, *point)


def _point(query: dict[str, str]) -> tuple[float, float] | None:
    """None when one half is missing or not a number: the API ignores the point then."""
    try:
        return float(query["lat"]), float(query["lon"])
    except (KeyError, ValueError):
        return None


def _answer(query: dict[str, str], found: list[tuple[Commune, float | None]]) -> Response:
    limit = query.get("limit", str(len(found)))
    if not (limit.isascii() and limit.isdigit()):
        raise _BadRequestError("limit: a whole number of at least 0 is expected")
    items = [_written(query, commune, match) for commune, match in found[: int(limit)]]
    if query.get("format") == "geojson":
        return JSONResponse({"type": "FeatureCollection", "features": items})
    return JSONResponse(items)


def _written(query: dict[str, str], commune: Commune, match: float | None = None) -> JSON:
    fields = tuple(query["fields"].split(",")) if "fields" in query else DEFAULT_FIELDS
    if query.get("format") != "geojson":
        return as_json(commune, fields, match=match)
    geometry = query.get("geometry", "centre")
    if geometry not in GEOMETRIES:
        raise _BadRequestError("geometry: centre, contour, mairie or bbox is expected")
    properties = as_json(commune, tuple(field for field in fields if field not in GEOMETRIES), match=match)
    return {"type": "Feature", "properties": properties, "geometry": as_json(commune, (geometry,))[geometry]}


def _department(found: Department) -> dict[str, Any]:
    written = {"nom": found.name, "code": found.code, "codeRegion": found.region_code}
    return {key: value for key, value in written.items() if value}


def _not_found() -> Response:
    return PlainTextResponse("Not Found", status_code=404)


def _route(path: str, handler: Callable[[Request], Awaitable[Response]]) -> Route:
    """Methods other than GET and HEAD are answered 401, errors in plain text."""

    async def handle(request: Request) -> Response:
        if request.method not in {"GET", "HEAD"}:
            return PlainTextResponse("Unauthorized", status_code=401)
        try:
            return await handler(request)
        except _BadRequestError as error:
            return PlainTextResponse(str(error), status_code=400)

    return Route(path, handle, methods=_METHODS)
