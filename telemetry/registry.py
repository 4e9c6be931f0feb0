"""Where figures are kept: in memory, or in files that the processes of one server share.

The web server starts its processes with PROMETHEUS_MULTIPROC_DIR when there are several: whichever of them is asked
then answers for all. Source: prometheus.github.io/client_python, "Multiprocess Mode".
"""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, multiprocess
from prometheus_client.exposition import generate_latest

from telemetry.room import share_safely

SHARED_DIR_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

share_safely()

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)


def render() -> bytes:
    """Return the figures of this process, or of all those it shares files with, as Prometheus reads them."""
    directory = os.environ.get(SHARED_DIR_VARIABLE)
    if directory is None:
        return generate_latest(REGISTRY)
    _forget_the_dead(Path(directory))
    shared = CollectorRegistry()
    multiprocess.MultiProcessCollector(shared, directory)
    return generate_latest(shared)


def leave() -> None:
    """Take the present figures of this process away; what it counted stays."""
    if (directory := os.environ.get(SHARED_DIR_VARIABLE)) is not None:
        multiprocess.mark_process_dead(os.getpid(), directory)


def _forget_the_dead(directory: Path) -> None:
    """A process that was killed could not leave by itself."""
    for process in {path.stem.rpartition("_")[2] for path in directory.glob("gauge_live*.db")}:
        if process.isdigit() and not Path(f"/proc/{process}").exists():
            multiprocess.mark_process_dead(int(process), str(directory))
