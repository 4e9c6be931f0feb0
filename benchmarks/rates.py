"""Load at a fixed rate: requests begin at their own times, whether those before them were answered or not.

Each is timed from the moment at which it was due. A server that stalls is thus charged with every request that came
meanwhile, as its users would be; a load that waits for answers would stall with it and count one.
"""

from __future__ import annotations

import asyncio
import gc
import selectors
from dataclasses import dataclass, field
from time import perf_counter

from benchmarks import load

_MOST_CONNECTIONS = 500
_DEADLINE_SECONDS = 30.0

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True)
class Paced:
    """Seconds, one figure a request: until its answer, and by how much it was sent too late by the load itself."""

    durations: list[float] = field(default_factory=list[float])
    lateness: list[float] = field(default_factory=list[float])


async def at_rate(port: int, request: bytes, *, per_second: float, seconds: float) -> Paced:
    """Send the request so often for so long, and return when all are answered. Raises RuntimeError for any but 200."""
    return await asyncio.to_thread(_in_a_loop_of_its_own, port, request, per_second, seconds)


def _in_a_loop_of_its_own(port: int, request: bytes, per_second: float, seconds: float) -> Paced:
    """select(2) wakes within some microseconds; the usual loops round up to the next millisecond."""
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        # A pause for the garbage of the load would look like one of the server.
        gc.collect()
        gc.disable()
        try:
            return runner.run(_send(port, request, per_second, seconds))
        finally:
            gc.enable()


async def _send(port: int, request: bytes, per_second: float, seconds: float) -> Paced:
    paced, idle = Paced(), list[Connection]()
    begin = perf_counter() + 0.05
    async with asyncio.timeout(seconds + _DEADLINE_SECONDS), asyncio.TaskGroup() as group:
        for number in range(round(per_second * seconds)):
            due = begin + number / per_second
            await asyncio.sleep(max(0.0, due - perf_counter()))
            group.create_task(_one(port, request, due, idle, paced))
    for _, writer in idle:
        writer.close()
    return paced


async def _one(port: int, request: bytes, due: float, idle: list[Connection], paced: Paced) -> None:
    # Nobody waits for a connection: that too would hide a stall.
    if len(paced.lateness) - len(paced.durations) > _MOST_CONNECTIONS:
        raise RuntimeError(f"{_MOST_CONNECTIONS} requests wait for their answers: the rate is beyond the server")
    connection = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
    paced.lateness.append(perf_counter() - due)
    connection[1].write(request)
    await load.read_answer(connection[0])
    paced.durations.append(perf_counter() - due)
    idle.append(connection)
