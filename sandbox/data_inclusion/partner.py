"""The simulated data·inclusion: its routes, its filters, its pages."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.data_inclusion.directory import JSON, SOURCES, Record, directory, odd_records, services_of
from sandbox.data_inclusion.parameters import (
    KNOWN_OF_SERVICES,
    KNOWN_OF_STRUCTURES,
    ParameterError,
    Search,
    parse_search,
)
from sandbox.data_inclusion.places import METZ
from sandbox.data_inclusion.settings import DataInclusionSettings
from sandbox.partner import SimulatedPartner, note_outcome

_NOTED_COMPANIES = ("dora--atelier-deux-roues", "mission-locale--trois-vallees", "dora--jardins-second-site")


class SimulatedDataInclusion(SimulatedPartner[DataInclusionSettings]):
    """The directory never changes."""

    name = "data-inclusion"

    def routes(self) -> Sequence[BaseRoute]:
        # A slash at the end is redirected (307), as the framework of the real one does.
        return (
            Route("/api/v1/structures", self._list_structures, methods=["GET"]),
            Route("/api/v1/structures/{id:path}", self._structure, methods=["GET"]),
            Route("/api/v1/services", self._list_services, methods=["GET"]),
            Route("/api/v1/sources", self._list_sources, methods=["GET"]),
        )

    def companies(self) -> Sequence[Mapping[str, Any]]:
        return [
            {
                "name": structure["nom"],
                "siret": structure["siret"],
                "kind": None,
                "note": f"in the directory of data·inclusion only: {structure['id']}",
            }
            for structure in (directory()[id_].structure for id_ in _NOTED_COMPANIES)
        ]

    async def _list_structures(self, request: Request) -> Response:
        def find(search: Search) -> list[JSON]:
            found = [record.structure for record in directory().values() if _matches(record, search)]
            is_metz = METZ.insee_code.startswith(search.commune or search.department)
            if self.settings.has_odd_records and is_metz:
                found += odd_records()
            return found

        return self._listing(request, KNOWN_OF_STRUCTURES, find)

    async def _list_services(self, request: Request) -> Response:
        def find(search: Search) -> list[JSON]:
            records = (record for record in directory().values() if _matches(record, search))
            services = (service for record in records for service in services_of(record))
            return sorted(
                (service for service in services if _is_wanted(service, search)), key=lambda service: service["id"]
            )

        return self._listing(request, KNOWN_OF_SERVICES, find)

    async def _list_sources(self, request: Request) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        return JSONResponse([{"slug": slug, "nom": name, "description": "…"} for slug, name in SOURCES])

    async def _structure(self, request: Request) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        record = directory().get(request.path_params["id"])
        if record is None:
            return JSONResponse({"detail": "Not Found"}, status_code=404)
        duplicates = (directory()[each["id"]] for each in record.structure["doublons"] if each["id"] in directory())
        full = {"doublons": [each.structure for each in duplicates], "services": services_of(record)}
        return JSONResponse(record.structure | full)

    def _listing(self, request: Request, known: frozenset[str], find: Callable[[Search], list[JSON]]) -> Response:
        if (refusal := self._refusal(request)) is not None:
            return refusal
        try:
            search = parse_search(request.query_params)
        except ParameterError as error:
            return JSONResponse({"detail": error.detail}, status_code=422)
        ignored = sorted({*request.query_params} - known)
        note_outcome(request.scope, code=f"ignored {', '.join(ignored)}" if ignored else "ok")
        return JSONResponse(self._page(find(search), search))

    def _page(self, found: Sequence[JSON], search: Search) -> JSON:
        start = max((search.page - 1) * search.size - self.settings.overlap, 0) if search.page > 1 else 0
        items = found[start : start + search.size]
        return {
            "items": items,
            "total": len(found),
            "page": search.page,
            "size": len(items),
            "pages": -(-len(found) // search.size),
        }

    def _refusal(self, request: Request) -> Response | None:
        authorization = request.headers.get("authorization")
        if authorization is None:
            return JSONResponse({"detail": "Not authenticated"}, status_code=401)
        if authorization != f"Bearer {self.settings.token}":
            return JSONResponse({"detail": "Unauthorized"}, status_code=401)
        if "api" not in self.settings.scopes:
            return JSONResponse({"detail": "Forbidden"}, status_code=403)
        return None


def _matches(record: Record, search: Search) -> bool:
    structure = record.structure
    return (
        (not search.sources or structure["source"] in search.sources)
        and (not search.networks or not search.networks.isdisjoint(structure["reseaux_porteurs"] or ()))
        and (not search.commune or structure["code_insee"] == search.commune)
        and structure["code_insee"].startswith(search.department)
        and (not search.region or record.place.region_code == search.region)
    )


def _is_wanted(service: JSON, search: Search) -> bool:
    return service["score_qualite"] >= search.minimum_quality and (
        not search.themes or not search.themes.isdisjoint(_with_categories(service["thematiques"]))
    )


def _with_categories(themes: Iterable[str]) -> set[str]:
    """A theme answers to its own name and to that of its category."""
    return {name for theme in themes for name in (theme, theme.split("--")[0])}
