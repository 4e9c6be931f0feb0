"""graphql-transport-ws as text: what clients may say, what they are told, how a socket ends. No I/O.

Source: https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverWebSocket.md
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

from execution.engine import OperationRequest
from schema.requests import MalformedRequest, read_operation

SUBPROTOCOL = "graphql-transport-ws"
ACKNOWLEDGED = '{"type":"connection_ack"}'

_MAX_REASON_BYTES = 123  # RFC 6455, 5.5: a control frame holds 125 bytes, two are the code
_MAX_ID_LENGTH = 128


@dataclass(frozen=True, slots=True)
class Close:
    """Why a socket is closed. `code` is in docs/reference/subscriptions.md."""

    code: int
    reason: str

    @property
    def fitting_reason(self) -> str:
        """As much of the reason as a close frame holds."""
        return self.reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore")


SUBPROTOCOL_NOT_ACCEPTABLE = Close(4406, f"Subprotocol not acceptable: {SUBPROTOCOL} expected")
UNAUTHORIZED = Close(4401, "Unauthorized: send connection_init first")
INIT_TIMEOUT = Close(4408, "Connection initialisation timeout")
TOO_MANY_INITS = Close(4429, "Too many initialisation requests: one a socket")
TOO_MANY_MESSAGES = Close(1008, "Too many messages: send less, or fewer at a time")
TRY_AGAIN_LATER = Close(1013, "Not possible now: try again later")


class ProtocolError(Exception):
    """The client said something that the protocol answers by closing the socket."""

    def __init__(self, close: Close) -> None:
        super().__init__(close.reason)
        self.close = close


@dataclass(frozen=True, slots=True)
class Init:
    payload: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)

    @property
    def authorization(self) -> str | None:
        """The member `authorization`, in whichever case a client writes the names of headers. Raises ProtocolError."""
        for name, value in self.payload.items():
            if name.lower() == "authorization" and value is not None:
                if not isinstance(value, str):
                    raise _invalid("connection_init: `authorization` is no text")
                return value
        return None


@dataclass(frozen=True, slots=True)
class Subscribe:
    id: str
    request: OperationRequest


@dataclass(frozen=True, slots=True)
class Complete:
    id: str


@dataclass(frozen=True, slots=True)
class Ping:
    payload: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Pong:
    pass


ClientMessage = Init | Subscribe | Complete | Ping | Pong


def read_message(text: str | None) -> ClientMessage:
    """Return what a text frame says; None stands for a binary one. Raises ProtocolError (4400)."""
    if text is None:
        raise _invalid("a binary frame; text expected")
    try:
        message: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _invalid("not JSON") from None
    if not isinstance(message, dict):
        raise _invalid("a JSON object expected")
    given = cast("dict[str, Any]", message)
    match given.get("type"):
        case "connection_init":
            return Init(_payload(given) or {})
        case "subscribe":
            return Subscribe(_id(given), _operation(given))
        case "complete":
            return Complete(_id(given))
        case "ping":
            return Ping(_payload(given))
        case "pong":
            _payload(given)
            return Pong()
        case _:
            raise _invalid("`type` is none that a client sends")


def pong(ping: Ping) -> str:
    message: dict[str, Any] = {"type": "pong"}
    if ping.payload is not None:
        message["payload"] = ping.payload
    return orjson.dumps(message).decode()


def next_message(operation_id: str, answer: str) -> str:
    """Wrap an answer, JSON already: of a thousand subscribers, only the ids differ."""
    return f'{{"id":{operation_id},"type":"next","payload":{answer}}}'


def next_frame(operation_id: str, answer: str) -> bytes:
    """Return the same as the bytes of a whole WebSocket frame: final, text, unmasked (RFC 6455, 5.2)."""
    message = next_message(operation_id, answer).encode()
    size = len(message)
    if size < 126:
        return bytes((0x81, size)) + message
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2) + message
    return b"\x81\x7f" + size.to_bytes(8) + message


def error_message(operation_id: str, errors: Sequence[Mapping[str, Any]]) -> str:
    return f'{{"id":{operation_id},"type":"error","payload":{orjson.dumps(errors).decode()}}}'


def complete_message(operation_id: str) -> str:
    return f'{{"id":{operation_id},"type":"complete"}}'


def json_id(operation_id: str) -> str:
    """Return an id as it stands in the messages above."""
    return orjson.dumps(operation_id).decode()


def already_exists(operation_id: str) -> Close:
    return Close(4409, f"Subscriber for {operation_id} already exists")


def _id(given: Mapping[str, Any]) -> str:
    found = given.get("id")
    if not isinstance(found, str) or not 0 < len(found) <= _MAX_ID_LENGTH:
        raise _invalid(f"`id`: a text of 1 to {_MAX_ID_LENGTH} characters expected")
    return found


def _payload(given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    payload = given.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise _invalid("`payload`: a JSON object or null expected")
    return cast("dict[str, Any] | None", payload)


def _operation(given: Mapping[str, Any]) -> OperationRequest:
    payload = _payload(given)
    if payload is None:
        raise _invalid("subscribe: `payload` is missing")
    try:
        return read_operation(payload)
    except MalformedRequest as error:
        raise _invalid(f"{error}") from None


def _invalid(what: str) -> ProtocolError:
    return ProtocolError(Close(4400, f"Invalid message: {what}"))
