"""Answers that are too large to be held: handed on piece by piece, within the bounds of the call.

Nothing is read ahead of whoever takes the pieces, so memory stays at a few of them whatever the size of the body.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Self

import httpx

from clients.breaker import Verdict
from clients.errors import Delivery, ErrorCode, PartnerUnavailable
from clients.transport import PartnerRequest, Trouble, build_request, trouble_of

# Some servers send blanks while they are still computing: how many of them are waited through.
_MAX_BLANK_BYTES = 64_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStart:
    """What is known of an answer before its body is taken. `start`: up to the first piece that is not all blank."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    start: bytes = field(repr=False)


class OpenAnswer:
    """An HTTP answer whose body is still on the wire. To be closed by whoever holds it."""

    def __init__(self, response: httpx.Response, *, deadline_at: float, max_bytes: int) -> None:
        self._response = response
        self._pieces = response.aiter_bytes()
        self._deadline_at = deadline_at
        self._left = max_bytes
        self._ahead: list[bytes] = []

    @property
    def status(self) -> int:
        return self._response.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    async def start(self) -> StreamStart | Trouble:
        """Wait for the first bytes that say something; `next_piece` gives them again."""
        start = b""
        while not start.strip() and len(start) <= _MAX_BLANK_BYTES:
            piece = await self._read()
            if isinstance(piece, Trouble):
                return piece
            if not piece:
                break
            self._ahead.append(piece)
            start += piece
        return StreamStart(status=self.status, headers=self.headers, start=start)

    async def next_piece(self) -> bytes | Trouble:
        """Return the next bytes, empty at the end."""
        return self._ahead.pop(0) if self._ahead else await self._read()

    async def close(self) -> None:
        with suppress(httpx.HTTPError):  # a connection that will not even close is of no use to anybody
            await self._response.aclose()

    async def _read(self) -> bytes | Trouble:
        try:
            async with asyncio.timeout_at(self._deadline_at):
                piece = await anext(self._pieces, b"")
        except (TimeoutError, httpx.HTTPError) as error:
            return trouble_of(error, self.status)
        self._left -= len(piece)
        if self._left < 0:
            return Trouble(
                "the answer is larger than allowed", ErrorCode.TOO_LARGE, Delivery.UNKNOWN, Verdict.HEALTHY, self.status
            )
        return piece


async def open_answer(
    http: httpx.AsyncClient, request: PartnerRequest, *, deadline_at: float, max_bytes: int
) -> OpenAnswer | Trouble:
    """Send the request once and return when the head of the answer is there. `deadline_at`: of the event loop's clock.

    The deadline counts for the body too, so it also bounds a reader that is slow to take the pieces.
    """
    try:
        async with asyncio.timeout_at(deadline_at):
            response = await http.send(build_request(http, request), stream=True, follow_redirects=False)
    except (TimeoutError, httpx.InvalidURL, httpx.HTTPError) as error:
        return trouble_of(error, None)
    return OpenAnswer(response, deadline_at=deadline_at, max_bytes=max_bytes)


async def read_rest(answer: OpenAnswer, *, max_bytes: int) -> bytes:
    """The body as far as it can be had: for the text of a refusal, where half is better than nothing."""
    body = b""
    while len(body) < max_bytes:
        piece = await answer.next_piece()
        if isinstance(piece, Trouble) or not piece:
            break
        body += piece
    return body[:max_bytes]


class PartnerStream:
    """The body of an answer, piece by piece: `async with stream: async for piece in stream: …`.

    It holds a slot and a connection until it is closed, and closes itself at its end. A body that breaks on the way
    raises PartnerUnavailable: what was taken so far is not the whole. May be read by another task than the opener.
    """

    def __init__(
        self,
        start: StreamStart,
        next_piece: Callable[[], Awaitable[bytes]],
        held: AsyncExitStack,
    ) -> None:
        """`next_piece` returns empty bytes at the end; `held` is closed once, whatever happens."""
        self.status = start.status
        self.headers = start.headers
        self._next_piece = next_piece
        self._held = held
        self._is_closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._is_closed:
            raise StopAsyncIteration
        try:
            piece = await self._next_piece()
        except PartnerUnavailable:
            await self.aclose()
            raise
        if not piece:
            await self.aclose()
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Give back the slot and the connection; more than once is the same as once."""
        if not self._is_closed:
            self._is_closed = True
            await self._held.aclose()
