"""The simulated geocoder: its routes, what it refuses, and its penalty for haste."""

import asyncio
import math
import re
from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import Meta
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.ban.files import BadFileError, FileRequest, geocode_file
from sandbox.ban.places import Kind
from sandbox.ban.search import Query, find
from sandbox.clock import Clock
from sandbox.partner import PartnerSettings, SimulatedPartner
from sandbox.rates import Window

_PARAMETERS = frozenset({"q", "limit", "postcode", "citycode", "type", "autocomplete", "lat", "lon", "index"})
_PATTERNS = {
    "limit": (r"([1-9]|1\d|20)", "must be a number between 1 and 20"),
    "postcode": (r"\d{5}", "must contain 5 digits"),
    "citycode": (r"\d{5}|\d[AB]\d{3}", "must be an INSEE code"),
    "type": ("|".join(Kind), f"must be one of {', '.join(Kind)}"),
    "autocomplete": (r"[01]", "must be 0 or 1"),
    "index": (r"address", "only address is simulated"),
    "lat": (r"-?\d{1,2}(\.\d+)?", "must be a latitude"),
    "lon": (r"-?\d{1,3}(\.\d+)?", "must be a longitude"),
}
_DEFAULT_LIMIT = "10"


class BanSettings(PartnerSettings):
    """`rate_per_second` holds for all paths together; whoever passes it is refused for `penalty_s` seconds."""

    rate_per_second: Annotated[int, Meta(ge=1)] | None = 50
    penalty_s: Annotated[float, Meta(ge=0)] = 5.0


class SimulatedBan(SimulatedPartner[BanSettings]):
    """Finds every street of every commune of the gazetteer."""

    name = "ban"

    def __init__(self, settings: BanSettings, clock: Clock) -> None:
        super().__init__(settings, clock)
        self._window = Window()
        self._refused_until = -math.inf

    def routes(self) -> Sequence[BaseRoute]:
        return (
            Route("/geocodage/search/", self._search, methods=["GET"]),
            Route("/geocodage/search", self._search, methods=["GET"]),
            Route("/geocodage/search/csv/", self._search_file, methods=["POST"]),
        )

    def is_too_fast(self, path: str) -> bool:  # noqa: ARG002 - one limit for all paths
        now, limit = self.clock.monotonic(), self.settings.rate_per_second
        if now < self._refused_until:
            return True
        if limit is None or self._window.admits(now, limit=limit):
            return False
        self._refused_until = now + self.settings.penalty_s
        return True

    def too_many_requests(self) -> Response:
        seconds_left = max(0, math.ceil(self._refused_until - self.clock.monotonic()))
        return PlainTextResponse("Too Many Requests", status_code=429, headers={"Retry-After": str(seconds_left)})

    async def _search(self, request: Request) -> Response:
        query = request.query_params
        if problems := _problems(query):
            return _refusal(problems)
        near = (float(query["lat"]), float(query["lon"])) if "lat" in query else None
        features = find(
            Query(
                text=query["q"],
                limit=int(query.get("limit", _DEFAULT_LIMIT)),
                post_code=query.get("postcode", ""),
                insee_code=query.get("citycode", ""),
                kind=query.get("type", ""),
                is_typing=query.get("autocomplete", "1") == "1",
                near=near,
            )
        )
        return JSONResponse({"type": "FeatureCollection", "features": features, "query": query["q"]})

    async def _search_file(self, request: Request) -> Response:
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            return _refusal(["data: a multipart form is expected"])
        async with request.form() as form:
            data = form.get("data")
            if not isinstance(data, UploadFile):
                return _refusal(["data: a file is expected"])
            asked = FileRequest(
                content=await data.read(),
                columns=tuple(str(column) for column in form.getlist("columns")),
                result_columns=tuple(str(column) for column in form.getlist("result_columns")),
                post_code_column=str(form.get("postcode", "")),
                insee_code_column=str(form.get("citycode", "")),
            )
        try:
            answer = await asyncio.to_thread(geocode_file, asked)  # seconds of work must not stop the other partners
        except BadFileError as error:
            return _refusal([str(error)])
        return Response(answer, media_type="text/csv; charset=utf-8")


def _problems(query: Mapping[str, str]) -> list[str]:
    """What the service would say about the parameters, in its order."""
    problems = [f"{name}: unexpected parameter" for name in query if name not in _PARAMETERS]
    text = query.get("q", "").strip()
    if not 3 <= len(text) <= 200 or not text[0].isalnum():
        problems.append("q: must contain between 3 and 200 chars and start with a number or a letter")
    problems += [
        f"{name}: {rule}"
        for name, (pattern, rule) in _PATTERNS.items()
        if name in query and not re.fullmatch(pattern, query[name], re.ASCII)
    ]
    if ("lat" in query) != ("lon" in query):
        problems.append("lat/lon: must be present together")
    return problems


def _refusal(problems: list[str]) -> Response:
    return JSONResponse({"code": 400, "message": "Failed parsing query", "detail": problems}, status_code=400)
