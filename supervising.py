"""The parent of several processes that serve."""

from __future__ import annotations

from socket import socket

from uvicorn.config import Config
from uvicorn.supervisors.multiprocess import Multiprocess

# A new process of a server under load may take its time; the one before it serves until then.
_START_SECONDS = 60
_SILENT_SECONDS = 20


class Supervisor(Multiprocess):
    """Sees at once that a process of its own died, and gives a successor the time to start."""

    def __init__(self, config: Config, sockets: list[socket]) -> None:
        config.timeout_worker_healthcheck = _SILENT_SECONDS
        super().__init__(config, sockets)

    def keep_subprocess_alive(self) -> None:
        for process in self.processes:
            # As long as the child's end is open here as well, nobody hears that the child is gone.
            process.child_conn.close()
        super().keep_subprocess_alive()

    def restart_all(self) -> None:
        self.config.timeout_worker_healthcheck = _START_SECONDS
        try:
            super().restart_all()
        finally:
            self.config.timeout_worker_healthcheck = _SILENT_SECONDS
