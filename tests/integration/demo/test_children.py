"""The processes of a demo: they are ended whatever they think of it, and missed when they are gone."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from demo.children import Children, require_free_port
from demo.environment import DemoError
from tests.waiting import until

ENVIRON = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
_NOWHERE = {"TRAVERSE_DATA_DIR": "/nonexistent"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_children_are_ended_when_the_block_is_left(tmp_path: Path):
    with Children(environ=ENVIRON | _NOWHERE, logs=tmp_path) as children:
        child = children.start("sandbox", "--port", f"{free_port()}")
        assert child.exit_code is None

    assert child.exit_code is not None


async def test_a_child_that_does_not_listen_is_killed(tmp_path: Path):
    port = free_port()

    async def handles_signals() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    with Children(environ=ENVIRON | _NOWHERE, logs=tmp_path, patience_seconds=0.2) as children:
        child = children.start("sandbox", "--port", f"{port}")
        await until(handles_signals, within_seconds=20)
        os.kill(child.pid, signal.SIGSTOP)

    assert child.exit_code == -signal.SIGKILL


async def test_a_child_that_is_gone_is_missed_with_its_last_words(tmp_path: Path):
    with Children(environ=ENVIRON | _NOWHERE | {"PORT": "none"}, logs=tmp_path) as children:
        child = children.start("serve")

        async def has_ended() -> bool:
            return child.exit_code is not None

        await until(has_ended, within_seconds=20)

        with pytest.raises(DemoError, match="serve: ended with exit code 2") as told:
            children.require_alive()

    assert "PORT: " in f"{told.value}"
    assert (tmp_path / "serve.log").exists()


def test_a_port_in_use_is_refused():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port: int = taken.getsockname()[1]

        with pytest.raises(DemoError, match=f"port {port} \\(the API\\)"):
            require_free_port(port, "the API")

    require_free_port(port, "the API")
