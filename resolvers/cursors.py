"""Cursors of keyset pages: where a row stands in the order of its list, signed, so that nobody can forge a position.

A cursor is bound to its list (`JobApplication:newest`): one of another list is refused. It names no person: the lists
whose rows are people are ordered by date.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from resolvers.errors import BadUserInput

_TAG_BYTES = 12


class CursorSigner:
    """Writes and reads cursors with one key, shared by all processes."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def encode(self, list_name: str, position: Sequence[Any]) -> str:
        payload = orjson.dumps(position, default=str)  # the driver has a UUID of its own
        return base64.urlsafe_b64encode(self._tag(list_name, payload) + payload).decode().rstrip("=")

    def decode(self, list_name: str, cursor: str, types: Sequence[type]) -> list[Any]:
        """Return the position, each value as its type. Raises BadUserInput for a forged or foreign cursor."""
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            tag, payload = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
            if hmac.compare_digest(tag, self._tag(list_name, payload)):
                values = orjson.loads(payload)
                return [_parse(value, wanted) for value, wanted in zip(values, types, strict=True)]
        except (binascii.Error, ValueError, TypeError, AttributeError):
            pass
        raise BadUserInput("cursor: not a cursor of this list; pass `endCursor` or `startCursor` as it was received")

    def _tag(self, list_name: str, payload: bytes) -> bytes:
        message = list_name.encode() + b"\x00" + payload
        return hmac.new(self._key, message, hashlib.sha256).digest()[:_TAG_BYTES]


def _parse(value: Any, wanted: type) -> Any:
    if wanted is datetime:
        return datetime.fromisoformat(value)
    if wanted is date:
        return date.fromisoformat(value)
    if wanted is UUID:
        return UUID(value)
    if not isinstance(value, wanted):
        raise TypeError(wanted)
    return value
