"""The processes that the demo starts: each in a group of its own, logging to a file, ended by its id."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from demo.environment import DemoError

# uvicorn lets running requests end for ten seconds before it goes.
_PATIENCE_SECONDS = 12.0
_LOG_LINES_SHOWN = 12


class Child:
    """One `traverse` command as a process."""

    def __init__(
        self, arguments: Sequence[str], *, environ: Mapping[str, str], log: Path, patience_seconds: float
    ) -> None:
        self._patience_seconds = patience_seconds
        self.name = arguments[0]
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                [sys.executable, "-m", "cli", *arguments],
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal is for the demo alone, which ends its children in order.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def require_alive(self) -> None:
        """Raises DemoError with the end of the log when the process is gone."""
        if self.exit_code is not None:
            raise DemoError(
                f"{self.name}: ended with exit code {self.exit_code}; {self.log} ends with:\n{self._tail()}"
            )

    def end(self) -> None:
        """Ask the process to end, wait for it within reason, then kill what is left of its group."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(self._patience_seconds)
        # Also when the leader is gone: a worker process of its own may have stayed.
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:])


class Children:
    """Starts processes, and ends all of them when the block is left, whatever the reason."""

    def __init__(self, *, environ: Mapping[str, str], logs: Path, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        self._environ = environ
        self._patience_seconds = patience_seconds
        self._logs = logs
        self._children: list[Child] = []

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *_: object) -> None:
        self.end_all()

    def start(self, *arguments: str) -> Child:
        log = self._logs / f"{arguments[0]}.log"
        child = Child(arguments, environ=self._environ, log=log, patience_seconds=self._patience_seconds)
        self._children.append(child)
        return child

    def require_alive(self) -> None:
        """Raises DemoError when one of them is gone."""
        for child in self._children:
            child.require_alive()

    def end_all(self) -> None:
        """End them one after the other, the last one started first: it may still need the ones before."""
        while self._children:
            self._children.pop().end()


def require_free_port(port: int, use: str) -> None:
    """Raises DemoError when somebody listens on the port of 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As uvicorn does: connections of a demo that has just ended must not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise DemoError(
                f"port {port} ({use}): already in use; choose another one, as in: make demo PORT=8100"
            ) from None
