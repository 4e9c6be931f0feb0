# ruff: noqa: ARG002 - a stand-in takes what its protocol gives it
"""In-process stand-ins for what other layers provide: they keep their promises and remember what was asked of them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from clients.observer import CallOutcome
from clients.token_store import LockState


@dataclass
class ManualClock:
    """Time that moves when a test says so."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class MemoryTokenStore:
    """A token store of one process. TTLs are recorded; `expire` plays their end."""

    values: dict[str, str] = field(default_factory=dict[str, str])
    ttls: dict[str, int] = field(default_factory=dict[str, int])
    locks: list[str] = field(default_factory=list[str])
    _mutex: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get(self, key: str) -> str | None:
        return self.values.get(key)

    async def set(self, key: str, value: str, ttl_seconds: int) -> None:
        self.values[key] = value
        self.ttls[key] = ttl_seconds

    async def delete(self, key: str) -> None:
        self.values.pop(key, None)
        self.ttls.pop(key, None)

    @asynccontextmanager
    async def lock(self, key: str, lease_seconds: float) -> AsyncGenerator[LockState, None]:
        async with self._mutex:
            self.locks.append(key)
            yield LockState.HELD

    def expire(self) -> None:
        self.values.clear()
        self.ttls.clear()


class DownTokenStore:
    """A store whose cache is down, as the fail-safe promises: it remembers nothing and never complains."""

    async def get(self, key: str) -> str | None:
        return None

    async def set(self, key: str, value: str, ttl_seconds: int) -> None:
        return None

    async def delete(self, key: str) -> None:
        return None

    @asynccontextmanager
    async def lock(self, key: str, lease_seconds: float) -> AsyncGenerator[LockState, None]:
        yield LockState.CACHE_DOWN


class BusyTokenStore(MemoryTokenStore):
    """Somebody else keeps the lock for longer than anybody waits."""

    @asynccontextmanager
    async def lock(self, key: str, lease_seconds: float) -> AsyncGenerator[LockState, None]:
        yield LockState.BUSY


@dataclass
class RecordingPacer:
    """Lets everyone through at once."""

    waits: list[str] = field(default_factory=list[str])
    holds: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])

    async def wait(self, key: str) -> None:
        self.waits.append(key)

    async def hold(self, key: str, seconds: float) -> None:
        self.holds.append((key, seconds))


class ClosedPacer:
    """Never lets anyone through."""

    async def wait(self, key: str) -> None:
        await asyncio.Event().wait()

    async def hold(self, key: str, seconds: float) -> None:
        return None


@dataclass(frozen=True)
class Observed:
    partner: str
    operation: str
    outcome: CallOutcome
    http_status: int | None
    duration_ms: float


@dataclass
class RecordingObserver:
    calls: list[Observed] = field(default_factory=list[Observed])

    def observe(
        self, *, partner: str, operation: str, outcome: CallOutcome, http_status: int | None, duration_ms: float
    ) -> None:
        self.calls.append(Observed(partner, operation, outcome, http_status, duration_ms))

    @property
    def outcomes(self) -> list[CallOutcome]:
        return [call.outcome for call in self.calls]
