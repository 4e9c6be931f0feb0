"""Head and body of an answer leave together when they are there together, and in their order whatever happens."""

from __future__ import annotations

import asyncio

from joined_writes import JoinedWrites


class Line:
    """A transport that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.told.append(data)

    def close(self) -> None:
        self.told.append(b"(closed)")

    def is_closing(self) -> bool:
        return b"(closed)" in self.told


async def test_a_head_leaves_with_the_body_that_follows_at_once() -> None:
    line = Line()
    joined = JoinedWrites(line, asyncio.get_running_loop())

    joined.write(b"head ")
    joined.write(b"body")
    joined.write(b"more")
    await asyncio.sleep(0)

    assert line.told == [b"head body", b"more"]


async def test_a_head_without_a_body_leaves_in_the_next_turn() -> None:
    line = Line()
    joined = JoinedWrites(line, asyncio.get_running_loop())

    joined.write(b"head")
    await asyncio.sleep(0)
    joined.write(b"event")

    assert line.told == [b"head", b"event"]


async def test_closing_loses_nothing_and_tells_the_line() -> None:
    line = Line()
    joined = JoinedWrites(line, asyncio.get_running_loop())

    joined.write(b"head")
    joined.close()
    await asyncio.sleep(0)

    assert line.told == [b"head", b"(closed)"]
    assert joined.is_closing()
