"""All faults by name. Each takes the engines and a scale: 1 is what the tests do, 10 is for a release."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from benchmarks.faults import clocks, disks, hostility, kills, outages, partners, rolling
from benchmarks.faults.figures import Figures
from benchmarks.faults.gate import Moment
from benchmarks.faults.stage import Theatre

Fault = Callable[[Theatre, int], Awaitable[Figures]]

FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        "api-killed-before-storing": lambda theatre, scale: kills.api_killed(
            theatre, Moment.BEFORE_STATEMENT, tries=2 * scale
        ),
        "api-killed-before-answering": lambda theatre, scale: kills.api_killed(
            theatre, Moment.AFTER_STATEMENT, tries=2 * scale
        ),
        "worker-killed-before-commit": lambda theatre, scale: kills.worker_killed(
            theatre, Moment.BEFORE_COMMIT, tries=2 * scale, waits=scale > 1
        ),
        "worker-killed-after-commit": lambda theatre, scale: kills.worker_killed(
            theatre, Moment.AFTER_COMMIT, tries=2 * scale, waits=scale > 1
        ),
        "worker-killed-before-recording": lambda theatre, scale: kills.announcer_killed(
            theatre, tries=2 * scale, waits=scale > 1
        ),
        "rolling-restart": lambda theatre, scale: rolling.rolling_restart(theatre, restarts=scale),
        "process-killed": lambda theatre, scale: rolling.process_killed(theatre, kills=scale),
        "postgres-restarted": lambda theatre, scale: outages.postgres_restarted(theatre, crash=False, times=scale),
        "postgres-crashed": lambda theatre, scale: outages.postgres_restarted(theatre, crash=True, times=scale),
        "valkey-lost": lambda theatre, scale: outages.valkey_lost(theatre, times=scale),
        "duplicates": lambda theatre, scale: hostility.duplicates(theatre, events=20 * scale, copies=25),
        "slow-senders": lambda theatre, scale: hostility.slow_senders(theatre, sockets=200 * scale),
        "broken-bodies": lambda theatre, scale: hostility.broken_bodies(theatre, rounds=2 * scale),
        "partners": lambda theatre, scale: partners.storm(theatre, rounds=3 * scale, people=5 * scale, waits=scale > 1),
        "clocks": lambda theatre, scale: clocks.wrong_clocks(theatre, events=50 * scale, approvals=20 * scale),
        "postgres-full": lambda theatre, scale: disks.postgres_full(theatre, times=scale),
        "figures-full": lambda theatre, scale: disks.figures_full(theatre, reads=300 * scale),
    }
)
NEED_A_DISK = frozenset({"postgres-full", "figures-full"})
"""What only root can try: a small disk is mounted for it."""
WITHIN = frozenset(
    {
        "api-killed-before-storing",
        "api-killed-before-answering",
        "worker-killed-before-commit",
        "worker-killed-after-commit",
        "worker-killed-before-recording",
        "rolling-restart",
        "process-killed",
        "valkey-lost",
    }
)
"""Faults of our own processes and their queue; the others come from around."""
