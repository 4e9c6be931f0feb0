"""The members of a GraphQL request, whichever way it came: of the right JSON types, or refused with a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from execution.engine import OperationRequest
from execution.trusted.documents import PREFIX
from services.tokens import InvalidToken


class MalformedRequest(Exception):
    """What came is JSON, and no GraphQL request. `str()` says what was expected."""


def read_operation(given: Mapping[str, Any]) -> OperationRequest:
    """Return the operation asked for. Raises MalformedRequest."""
    query, document_id = given.get("query"), _document_id(given)
    if document_id is None and not isinstance(query, str):
        raise MalformedRequest("query: missing; the text of a GraphQL document expected")
    if document_id is not None and query is not None:
        raise MalformedRequest("documentId: beside `query`; one of the two expected")
    name = given.get("operationName")
    if name is not None and not isinstance(name, str):
        raise MalformedRequest("operationName: a text or null expected")
    for field in ("variables", "extensions"):
        if given.get(field) is not None and not isinstance(given[field], dict):
            raise MalformedRequest(f"{field}: a JSON object or null expected")
    return OperationRequest(
        query=query or "",
        document_id=document_id,
        operation_name=name or None,
        variables=given.get("variables") or {},
        shows_cost=(given.get("extensions") or {}).get("cost") is True,
    )


def _document_id(given: Mapping[str, Any]) -> str | None:
    """Return the identifier of a persisted document, as the specification or as Apollo's clients send it."""
    document_id = given.get("documentId")
    if document_id is None and given.get("query") is None:
        match given.get("extensions"):
            case {"persistedQuery": {"sha256Hash": str(apollo)}}:
                return PREFIX + apollo.removeprefix(PREFIX)
            case _:
                return None
    if document_id is not None and not isinstance(document_id, str):
        raise MalformedRequest("documentId: a text expected")
    return document_id


def bearer_token(authorization: str) -> str:
    """Return the token of an Authorization header, or of what stands for one. Raises InvalidToken."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise InvalidToken('authorization: "Bearer" and a token expected')
    return token.strip()
