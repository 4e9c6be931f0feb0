"""What an HTTP request must be before it is one of GraphQL: its media types, its body, its members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.requests import Request

from execution.engine import OperationRequest
from schema.requests import MalformedRequest, read_operation
from schema.streams.events import EVENT_STREAM

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"


class Refusal(Exception):
    """The HTTP request is not one for this endpoint."""

    def __init__(self, status: int, message: str, code: str = "BAD_USER_INPUT", **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.extensions: dict[str, Any] = {}


def prefers_html(request: Request) -> bool:
    """Return whether a browser asks for a page, and not for an answer."""
    accepted = request.headers.get("accept", "")
    return "text/html" in accepted and "query" not in request.query_params


def negotiate(accept: str | None) -> str:
    """Return the media type to answer with. Raises Refusal (406)."""
    if accept is None or not accept.strip():
        # Clients older than the specification's watershed of 2025 name the older type, or `*/*`.
        return GRAPHQL_RESPONSE
    offers: list[tuple[float, int, str]] = []
    for position, part in enumerate(accept.split(",")):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        chosen = {
            GRAPHQL_RESPONSE: GRAPHQL_RESPONSE,
            JSON: JSON,
            EVENT_STREAM: EVENT_STREAM,
            "application/*": JSON,
            "*/*": JSON,
        }.get(name.lower())
        if chosen is not None:
            offers.append((-_quality(parameters), position, chosen))
    offers = [offer for offer in offers if offer[0] < 0]
    if not offers:
        raise Refusal(406, f"Accept: {GRAPHQL_RESPONSE}, {JSON} or {EVENT_STREAM} expected")
    return min(offers)[2]


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def check_content_type(request: Request) -> None:
    """Raise Refusal (415) for a body that is not JSON in UTF-8 as it stands."""
    name, *parameters = (part.strip().lower() for part in request.headers.get("content-type", "").split(";"))
    charsets = [part.partition("=")[2].strip('"') for part in parameters if part.startswith("charset=")]
    if name != JSON or any(charset not in ("utf-8", "utf8") for charset in charsets):
        raise Refusal(415, f"Content-Type: {JSON} in UTF-8 expected", Accept=JSON)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal(415, "Content-Encoding: compressed bodies are not accepted", Accept_Encoding="identity")


def parsed(body: bytes) -> Mapping[str, Any]:
    """Return the members of a body. Raises Refusal (400)."""
    try:
        content: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refusal(400, "body: not JSON in UTF-8") from None
    if isinstance(content, list):
        raise Refusal(400, "body: a list; batches are not accepted, send one operation a request")
    if not isinstance(content, dict):
        raise Refusal(400, "body: a JSON object with `query` expected")
    return content  # pyright: ignore[reportUnknownVariableType]: JSON objects have text keys


def query_parameters(request: Request) -> Mapping[str, Any]:
    """Return the members that an address holds. Raises Refusal (400)."""
    parameters: dict[str, Any] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if parameters.get(name):
            try:
                parameters[name] = orjson.loads(parameters[name])
            except orjson.JSONDecodeError:
                raise Refusal(400, f"{name}: not JSON") from None
    return parameters


def operation_of(given: Mapping[str, Any]) -> OperationRequest:
    """Return the operation that members ask for. Raises Refusal (400)."""
    try:
        operation = read_operation(given)
    except MalformedRequest as error:
        raise Refusal(400, str(error)) from None
    if operation.document_id is None and not operation.query.strip():
        raise Refusal(400, "query: missing; the text of a GraphQL document expected")
    return operation
