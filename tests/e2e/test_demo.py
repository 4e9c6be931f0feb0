"""`traverse demo` as somebody types it: it plays, it stays, it goes, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from demo.environment import DataDir, read_settings
from tests.waiting import until

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parent.parent.parent
_LONGEST_PLAY_SECONDS = 100
_UP = "Everything is up"


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """Not in pytest's own folder: each start of pytest closes that to the account that PostgreSQL runs as."""
    with tempfile.TemporaryDirectory(prefix="demo-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        yield folder
        for process in processes_of(folder):
            process.kill()


@pytest.fixture(scope="module")
def first_start(data_dir: Path) -> subprocess.CompletedProcess[str]:
    return play(data_dir)


@pytest.fixture(scope="module")
def second_start(data_dir: Path, first_start: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    assert first_start.returncode == 0
    return play(data_dir)


def environ_of(data_dir: Path) -> dict[str, str]:
    """Of our own environment, only what a program needs to start."""
    base = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**base, "TRAVERSE_DATA_DIR": f"{data_dir}"}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cli", *arguments]


def three_free_ports() -> int:
    """Return a port that is free, and so are the next two: API, sandbox, mail relay."""
    while True:
        with socket.socket() as first, socket.socket() as second, socket.socket() as third:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
                third.bind(("127.0.0.1", port + 2))
            except OSError:
                continue
            return port


def play(data_dir: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        command("demo", "--port", f"{three_free_ports()}", "--exit"),
        cwd=ROOT,
        env=environ_of(data_dir),
        capture_output=True,
        text=True,
        timeout=_LONGEST_PLAY_SECONDS,
        check=False,
    )


def processes_of(data_dir: Path) -> list[psutil.Process]:
    """Return every living process that was started for a data folder: commands, engines and their children."""
    return [process for process in psutil.process_iter() if _belongs(process, f"{data_dir}")]


def _belongs(process: psutil.Process, folder: str) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.environ().get("TRAVERSE_DATA_DIR") == folder or any(folder in word for word in process.cmdline())
    except psutil.Error:
        return False


class Demo:
    """A demo that was started and may be told to go."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path, url: str) -> None:
        self._process = process
        self._output = output
        self.url = url

    async def says(self, text: str) -> bool:
        assert self._process.poll() is None, self._output.read_text()
        return text in self._output.read_text()

    def signal(self, number: signal.Signals) -> None:
        """As a terminal does: to the command and everything it did not set apart."""
        os.killpg(self._process.pid, number)

    def exit_code(self) -> int:
        return self._process.wait(40)


@asynccontextmanager
async def started(data_dir: Path, output: Path, *arguments: str) -> AsyncGenerator[Demo, None]:
    port = three_free_ports()
    with output.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603, ASYNC220
            command("demo", "--port", f"{port}", *arguments),
            cwd=ROOT,
            env=environ_of(data_dir),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Demo(process, output, f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()


def test_the_first_start_plays_the_main_job_to_its_end(first_start: subprocess.CompletedProcess[str]):
    shown = first_start.stdout

    assert first_start.returncode == 0, shown + first_start.stderr
    assert "43 approvals and cancellations are due" in shown
    for code in ("S022", "S002", "PE004", "empty_nir", "missing_code", "INVALID_SIAE_KIND"):
        assert code in shown
    assert "none of them twice" in shown
    assert "HTTP 503" in shown
    assert "An employer's page, 50 applications" in shown
    assert shown.count("curl -s") == 4


def test_each_start_shows_a_booking_arrive_at_a_live_subscription(
    first_start: subprocess.CompletedProcess[str], second_start: subprocess.CompletedProcess[str]
):
    for shown in (first_start.stdout, second_start.stdout):
        table = shown.partition("A booking travels to a live subscription")[2].partition("An employer's page, ")[0]
        for news in ("CREATED, UNKNOWN", "MOVED", "SEEN, UPDATED", "ABSENT, UPDATED", "CANCELLED"):
            assert news in table
        assert "never" not in table
        assert "not yet" not in table


def test_the_second_start_keeps_the_data_and_has_something_to_play_again(
    second_start: subprocess.CompletedProcess[str],
):
    shown = second_start.stdout

    assert second_start.returncode == 0, shown + second_start.stderr
    assert "Loaded" not in shown
    assert "40 approvals are prolonged by a day" in shown
    assert "none of them twice" in shown


@pytest.mark.usefixtures("second_start")
def test_a_demo_that_has_ended_leaves_no_process(data_dir: Path):
    assert processes_of(data_dir) == []


@pytest.mark.usefixtures("second_start")
async def test_no_name_and_no_nir_stands_in_the_logs(data_dir: Path):
    logs = {file.name: file.read_text() for file in (data_dir / "logs").iterdir()}

    assert set(logs) == {"sandbox.log", "serve.log", "worker.log"}
    assert "notification_attempted" in logs["worker.log"]
    for text in logs.values():
        assert "Clairval" not in text
        assert "99999001" not in text  # how the NIRs of the sandbox's people go on after the month


@pytest.mark.usefixtures("second_start")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_demo_that_stands_answers_and_goes_when_told(data_dir: Path, tmp_path: Path, number: signal.Signals):
    async with started(data_dir, tmp_path / "output", "--no-play") as demo:
        await until(lambda: demo.says(_UP), within_seconds=60)
        token = subprocess.run(  # noqa: S603, ASYNC221
            command("token", "--as", "employer"),
            cwd=ROOT,
            env=environ_of(data_dir),
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        async with httpx.AsyncClient(trust_env=False, headers={"Authorization": f"Bearer {token}"}) as http:
            answer = await http.post(f"{demo.url}/graphql", json={"query": "{ viewer { kind } }"})
        demo.signal(number)

        assert demo.exit_code() == 0
        assert answer.json() == {"data": {"viewer": {"kind": "EMPLOYER"}}}
        assert processes_of(data_dir) == []


@pytest.mark.usefixtures("second_start")
async def test_ctrl_c_while_it_starts_leaves_nothing_either(data_dir: Path, tmp_path: Path):
    async def an_engine_runs() -> bool:
        return any("valkey-server" in process.name() for process in processes_of(data_dir))

    async with started(data_dir, tmp_path / "output") as demo:
        # Engines that start or stop elsewhere on this machine are waited for.
        await until(an_engine_runs, within_seconds=60)
        demo.signal(signal.SIGINT)

        assert demo.exit_code() == 130
        assert processes_of(data_dir) == []


def test_a_port_in_use_is_said_in_one_sentence(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port: int = taken.getsockname()[1]

        ended = subprocess.run(  # noqa: S603
            command("demo", "--port", f"{port}"),
            cwd=ROOT,
            env=environ_of(tmp_path),
            capture_output=True,
            text=True,
            check=False,
        )

    assert ended.returncode == 1
    assert ended.stderr == f"port {port} (the API): already in use; choose another one, as in: make demo PORT=8100\n"


@pytest.mark.usefixtures("second_start")
async def test_a_reset_forgets_data_and_keys_and_the_engine_that_a_killed_demo_left(data_dir: Path, tmp_path: Path):
    before = read_settings(DataDir(data_dir))
    async with started(data_dir, tmp_path / "killed", "--no-play") as demo:
        await until(lambda: demo.says(_UP), within_seconds=60)
        demo.signal(signal.SIGKILL)
    assert any(process.name() == "postgres" for process in processes_of(data_dir))

    async with started(data_dir, tmp_path / "output", "--no-play", "--reset") as demo:
        await until(lambda: demo.says(_UP), within_seconds=60)
        demo.signal(signal.SIGTERM)
        assert demo.exit_code() == 0

    after = read_settings(DataDir(data_dir))
    assert "Loaded" in (tmp_path / "output").read_text()
    assert before["AUTH_HS256_KEY"] != after["AUTH_HS256_KEY"]
    assert before["SECRET_KEY"] != after["SECRET_KEY"]
