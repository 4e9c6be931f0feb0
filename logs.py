"""Logging, set up once a process by its entry point: JSON lines for machines, colours for a terminal.

What may be written is a closed list of fields, and what looks like somebody's number or address is struck out all the
same. Of other people's log lines the arguments are left away, of exceptions the message: both repeat what was handled.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor

# At INFO these print whole URLs, SQL values or job arguments: personal data, in some partners' cases.
_QUIET = ("httpx", "httpcore", "tortoise", "tortoise.db_client", "asyncio", "arq", "redis", "opentelemetry")
# uvicorn's configuration, where it was used, lets these print by handlers of its own: past what follows here.
_SERVER_LOGS = ("uvicorn", "uvicorn.access", "uvicorn.error")
# Its arguments are addresses it listens on and numbers of processes.
_ARGUMENTS_SHOWN = frozenset({"uvicorn.error"})
_MOST_PLACES = 8

# A new field is a decision: it is an id, a code, a count, a time or a name of ours, never what somebody typed.
FIELDS = frozenset(
    {
        # -- of every line
        *("event", "level", "timestamp", "logger", "request_id", "job", "job_id", "trace_id", "span_id"),
        # -- what went wrong, and where in the code
        *("error_class", "error", "code", "reason", "http_status", "at", "path", "where", "advice", "todo", "again"),
        # -- which row, by its id or by a partner's
        *("id", "subject", "record_id", "event_id", "attempt_id", "mail_id", "survey_id", "job_seeker_id", "client_id"),
        *("invitation_request_id", "partner_request_id", "appointment", "invitation", "card_id", "skipped_ids", "key"),
        *("user_id", "person_id", "run_id"),
        # -- of what kind
        *("partner", "operation", "endpoint", "source", "model", "kind", "template", "table", "stream", "lookup"),
        *("slug", "filter_name", "field", "fields", "queue", "name", "environment", "by", "delivery", "france_travail"),
        *("service", "page", "directive", "blocked"),
        # -- what became of it
        *("outcome", "status", "state", "paused", "is_cut", "stopped_by", "alarm"),
        # -- how many, how long, until when
        *("count", "rows", "events", "messages", "skipped", "companies", "attempts", "days", "duration_ms"),
        *("retry_after", "waited_seconds", "next_try_in_seconds", "expires_on", "last_received_at"),
        *("resources", "kept_approvals"),
        # -- summaries of runs
        *("revived", "promoted", "attempted", "lost"),
        *("notification_pending", "notification_ready", "notification_should_retry", "notification_error"),
        *("notification_success", "processed", "ignored", "unmatched", "failed", "postponed"),
    }
)

# As people write them, and as they stand in URLs. A run of digits is looked at whole, so that ids stay readable.
_SHAPES = (
    # NIR: sex, year, month, department (2A and 2B in Corsica), commune, order, perhaps the key.
    re.compile(
        r"(?<![0-9a-zA-Z])[1-478][ .]?\d{2}[ .]?\d{2}[ .]?\d[\dABab][ .]?\d{3}[ .]?\d{3}(?:[ .]?\d{2})?(?![0-9a-zA-Z])"
    ),
    re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+"),
    re.compile(r"(?<![0-9a-zA-Z])(?:(?:\+|00|%2B)33[ .-]?(?:\(0\))?[ .-]?|0)[1-9](?:[ .-]?\d{2}){4}(?![0-9a-zA-Z])"),
)
_STRUCK_OUT = "[removed]"


def configure_logging(*, level: str, as_json: bool, stream: TextIO | None = None) -> None:
    """Send every log line, ours and those of libraries, to stderr in one format; also what ends the process."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    target = stream or sys.stderr
    renderer: Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=target.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            use_get_message=False,
            pass_foreign_args=True,
            processors=[
                _without_foreign_arguments,
                _without_exception_text,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                known_fields_only,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _SERVER_LOGS:
        of_server = logging.getLogger(name)
        of_server.handlers[:] = []
        of_server.propagate = True
        of_server.setLevel(logging.NOTSET)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.excepthook = _log_the_end


def known_fields_only(_: Any, __: str, event: EventDict) -> EventDict:
    """Leave away fields that are not on the list, and say which; strike out what looks personal in the others."""
    shown: EventDict = {name: _plain(value) for name, value in event.items() if name in FIELDS}
    unknown = sorted(name for name in event if name not in FIELDS)
    if unknown:
        shown["unknown_fields"] = unknown
    return shown


def redact(text: str) -> str:
    """Return the text without what has the shape of a NIR, an e-mail address or a French telephone number."""
    for shape in _SHAPES:
        text = shape.sub(_STRUCK_OUT, text)
    return text


def places_of(trace: TracebackType | None) -> list[str]:
    """Where an exception passed, innermost last: file, line and function, never values."""
    frames = traceback.extract_tb(trace)[-_MOST_PLACES:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


def _plain(value: Any) -> Any:
    """Values are words, numbers, and lists of these: of anything else only the type is known to be harmless."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return f"<{type(value).__name__}>"


def _without_foreign_arguments(_: Any, __: str, event: EventDict) -> EventDict:
    """Of a library's line, show the first line of its template: asyncio writes exceptions into the following ones."""
    if event["_from_structlog"]:
        return event
    arguments = event.pop("positional_args", None)
    if arguments and event["_record"].name in _ARGUMENTS_SHOWN:
        event["event"] = event["event"] % arguments
    event["event"] = event["event"].strip().partition("\n")[0]
    return event


def _without_exception_text(_: Any, __: str, event: EventDict) -> EventDict:
    error = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, tuple):
        error = cast("tuple[object, ...]", error)[1]
    if isinstance(error, BaseException):
        event["error_class"], event["at"] = type(error).__name__, places_of(error.__traceback__)
    return event


def _log_the_end(error_class: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Python would print the message of the exception that ends the process."""
    if issubclass(error_class, KeyboardInterrupt):
        sys.__excepthook__(error_class, error, trace)
        return
    structlog.get_logger(__name__).critical("process_failed", error_class=error_class.__name__, at=places_of(trace))
