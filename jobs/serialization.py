"""What lies in Valkey: JSON. Never pickle, with which whoever can write to the queue runs code in the workers."""

from __future__ import annotations

from typing import Any

import orjson


def serialize(value: Any) -> bytes:
    """Return JSON. An exception becomes its class and its code: its text may hold what it was about."""
    return orjson.dumps(value, default=_plain)


def deserialize(data: bytes) -> Any:
    return orjson.loads(data)


def _plain(value: Any) -> dict[str, str | None]:
    if isinstance(value, BaseException):
        code = getattr(value, "code", None)
        return {"error_class": type(value).__name__, "code": None if code is None else str(code)}
    raise TypeError(f"{type(value).__name__}: not for the queue; jobs carry ids, and results nothing")
