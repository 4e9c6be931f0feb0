"""Head and body of an answer in one packet: uvicorn writes them apart, and each write is a call of the system."""

from __future__ import annotations

from asyncio import AbstractEventLoop, Handle
from typing import Any


class JoinedWrites:
    """A transport, for one answer, that keeps what is written first until the next write, or until the loop turns.

    An answer that is ready writes its head and its body in one go; of one that streams, the head is not kept for long.
    """

    __slots__ = ("_kept", "_loop", "_transport", "_turn")

    def __init__(self, transport: Any, loop: AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._kept: bytes | None = None
        self._turn: Handle | None = None

    def write(self, data: bytes) -> None:
        if self._turn is None:
            self._kept = data
            self._turn = self._loop.call_soon(self._flush)
        elif self._kept is None:
            self._transport.write(data)
        else:
            kept, self._kept = self._kept, None
            self._turn.cancel()
            self._transport.write(kept + data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _flush(self) -> None:
        if self._kept is not None:
            kept, self._kept = self._kept, None
            self._transport.write(kept)
