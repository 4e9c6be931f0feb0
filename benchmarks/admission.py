"""What the limits of clients cost each request: `python -m benchmarks.admission` prints microseconds of a processor.

Time of the process and not of the clock: other programs of the machine do not count.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import process_time
from typing import Any
from uuid import uuid4

from rich.console import Console
from rich.table import Table

from middleware import AddressLimitMiddleware
from models.enums import UserKind
from resolvers.viewer import Viewer
from schema.admission import Admission
from services.rate_limits import Quotas, ways_in

ROUNDS = 7
TIMES = 20_000
# An employer's page of fifty applications.
COST = 700


def main() -> None:
    limits = ways_in(Quotas(address_requests=10**9, account_points=10**9, anonymous_points=10**9))
    viewer = Viewer(kind=UserKind.EMPLOYER, user_id=uuid4())
    admission = Admission(limits, most_cost=20_000)

    def operation() -> None:
        ticket = admission.begin(viewer, "192.0.2.17")
        ticket(COST, False)
        _ = ticket.headers

    table = Table("what", "µs a request")
    table.add_row("an operation: its points, and what its client is told", f"{_fastest(operation):.1f}")
    table.add_row("its address", f"{asyncio.run(_middleware(limits.addresses)):.1f}")
    Console().print(table)


def _fastest(call: Callable[[], None]) -> float:
    found: list[float] = []
    for _ in range(ROUNDS):
        began = process_time()
        for _ in range(TIMES):
            call()
        found.append(process_time() - began)
    return min(found) / TIMES * 1e6


async def _middleware(limiter: Any) -> float:
    async def application(*_: Any) -> None:
        """Nothing: what is measured stands before it."""

    counted = AddressLimitMiddleware(application, limiter=limiter, uncounted=("/healthz", "/readyz", "/webhooks/"))
    return await _fastest_async(counted) - await _fastest_async(application)


async def _fastest_async(application: Callable[..., Any]) -> float:
    scope: dict[str, Any] = {"type": "http", "path": "/graphql", "headers": [], "client": ("192.0.2.17", 1)}
    found: list[float] = []
    for _ in range(ROUNDS):
        began = process_time()
        for _ in range(TIMES):
            await application(scope, None, None)
        found.append(process_time() - began)
    return min(found) / TIMES * 1e6


if __name__ == "__main__":
    main()
