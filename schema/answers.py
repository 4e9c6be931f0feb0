"""What of a result a caller may see, whichever way it travels: HTTP, a WebSocket, an event stream."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog
from graphql import ExecutionResult, GraphQLError

from resolvers.context import OperationContext
from resolvers.errors import APIError
from resolvers.viewer import Viewer
from services.access_log import record_reads

log = structlog.get_logger(__name__)

_MAX_MESSAGE = 500


def answer_of(result: ExecutionResult, *, request_id: str) -> dict[str, Any]:
    """Return the members of a response, errors first: readers of a cut log see why before what."""
    answer: dict[str, Any] = {}
    if result.errors:
        answer["errors"] = [format_error(error, request_id=request_id) for error in result.errors]
    answer["data"] = result.data
    if result.extensions:
        answer["extensions"] = result.extensions
    return answer


def codes_of(answer: Mapping[str, Any]) -> list[str]:
    """Return the codes of an answer's errors."""
    return [str(error["extensions"]["code"]) for error in answer.get("errors", ())]


def format_error(error: GraphQLError, *, request_id: str) -> dict[str, Any]:
    """Return an error as the caller may see it: whatever was not meant for them is only a request id."""
    original = error.original_error
    if original is not None and not isinstance(original, GraphQLError):
        shown: dict[str, Any] = internal_error(original, request_id, path=_path(error))
    else:
        extensions = {"code": "BAD_USER_INPUT", **(error.extensions or {})}
        if isinstance(original, APIError):
            extensions["code"] = original.code
        shown = {"message": error.message[:_MAX_MESSAGE], "extensions": extensions}
    if error.locations:
        shown["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        shown["path"] = error.path
    return shown


def internal_error(error: BaseException, request_id: str, **where: str) -> dict[str, Any]:
    """Log an unforeseen exception by its class and place: its message may hold personal data. Return what is shown."""
    log.error("request_failed", error_class=type(error).__name__, at=_places(error), request_id=request_id, **where)
    return {
        "message": "Internal error; quote the request id to the support team.",
        "extensions": {"code": "INTERNAL", "requestId": request_id},
    }


async def record_personal_reads(context: OperationContext, viewer: Viewer) -> None:
    """Write down which full NIRs the answer shows to the viewer, before it leaves."""
    if not context.personal_reads:
        return
    if viewer.kind is None or viewer.user_id is None:
        raise TypeError("personal data was read by nobody")
    await record_reads(
        context.personal_reads,
        viewer_kind=viewer.kind,
        viewer_id=viewer.user_id,
        organization_id=viewer.organization_id,
        request_id=context.request_id,
        now=context.now,
    )


def _places(error: BaseException) -> list[str]:
    """Where it happened, innermost last: file, line and function, never values."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


def _path(error: GraphQLError) -> str:
    return ".".join(str(part) for part in error.path or ())
