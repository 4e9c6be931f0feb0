"""Replay the tour through all partners: `python -m docs.tour`, with `--check` to compare only.

Every operation of docs/tutorial/tour.md is sent to a fresh demo of its own (engines, sandbox, API, worker), and the
answer that follows it on the page is written anew, or compared. A comment in the operation says who asks, and where a
worker has something to do first, what the answer must hold before it counts: `# as staff, until SUCCESS`.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOUR = Path(__file__).parent / "tutorial" / "tour.md"
ROOT = Path(__file__).parent.parent

_STEP = re.compile(r"(?P<asked>```graphql\n(?P<operation>.*?)```\n+)```json\n(?P<answer>.*?)```", re.DOTALL)
_WHO = re.compile(r"^# as (?P<persona>[a-z-]+)(?:, until (?P<until>\S+))?$", re.MULTILINE)
_UP = "Everything is up"
_UP_WITHIN_SECONDS = 120.0
_DONE_WITHIN_SECONDS = 60.0
_LOOK_AGAIN_SECONDS = 0.5
_WIDTH = 110
# What differs from one start to the next: instants, signatures, references. Each becomes a dot on the page.
_VOLATILE = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"), "…"),
    (re.compile(r"\d\d/\d\d/\d{4}(?: à \d\d:\d\d)?"), "…"),
    (re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+"), "…"),
    (re.compile(r"(?<=ref=)[\w-]+"), "…"),
)


class TourError(Exception):
    """The tour cannot be taken. `str()` says at which step and why."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo. `environ`: what its commands need to find it."""

    port: int
    environ: Mapping[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, persona: str) -> str:
        return self._run("token", "--as", persona).strip()

    def ask(self, operation: str, token: str) -> dict[str, Any]:
        """Send one operation and return the whole answer."""
        request = urllib.request.Request(  # noqa: S310 - our own demo
            f"{self.url}/graphql",
            data=json.dumps({"query": operation}).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                return json.load(response)
        except OSError as error:
            logs = Path(self.environ["TRAVERSE_DATA_DIR"]).glob("logs/*.log")
            tails = "\n".join(f"{log.name}: {log.read_text(errors='replace')[-600:]}" for log in sorted(logs))
            raise TourError(f"the demo does not answer ({error}) to:\n{operation}\n{tails}") from None

    def shown(self, answer: Mapping[str, Any]) -> str:
        """The answer as the page has it: on the ports of `make demo`, without what no two starts share."""
        text = pretty(answer)
        for offset in (0, 1):
            text = text.replace(f"http://127.0.0.1:{self.port + offset}", f"http://127.0.0.1:{8000 + offset}")
        for pattern, stand_in in _VOLATILE:
            text = pattern.sub(stand_in, text)
        return text

    def _run(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "cli", *arguments]
        done = subprocess.run(  # noqa: S603
            command, cwd=ROOT, env=dict(self.environ), capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode:
            raise TourError(f"traverse {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout


def replay(page: str, demo: Demo) -> str:
    """Return the page with the answers that this demo gives. Raises TourError."""
    tokens: dict[str, str] = {}

    def answered(step: re.Match[str]) -> str:
        operation = step["operation"]
        who = _WHO.search(operation)
        if who is None:
            raise TourError(f"no `# as …` in this operation:\n{operation}")
        persona = who["persona"]
        if persona not in tokens:
            tokens[persona] = demo.token(persona)
        answer = _ask_until(demo, operation, tokens[persona], who["until"])
        return f"{step['asked']}```json\n{answer}\n```"

    return _STEP.sub(answered, page)


def pretty(value: Any, indent: int = 0) -> str:
    """JSON in which what fits on a line stays on it."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + indent <= _WIDTH or not isinstance(value, dict | list) or not value:
        return flat
    inner, outer = " " * (indent + 2), " " * indent
    if isinstance(value, dict):
        items = [f"{json.dumps(key)}: {pretty(item, indent + 2)}" for key, item in value.items()]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - JSON
    else:
        items = [pretty(item, indent + 2) for item in value]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - JSON
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n{inner}" + f",\n{inner}".join(items) + f"\n{outer}{closing}"


@contextmanager
def fresh_demo() -> Generator[Demo]:
    """A demo on data and ports of its own, gone after the block. Raises TourError when it does not come up."""
    # Engines listen on sockets in it, whose paths must be short.
    with tempfile.TemporaryDirectory(prefix="tour-") as folder:
        environ = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        environ["TRAVERSE_DATA_DIR"] = folder
        port, log = _three_free_ports(), Path(folder) / "demo.log"
        command = [sys.executable, "-m", "cli", "demo", "--no-play", "--port", f"{port}"]
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=output, stderr=output)  # noqa: S603
        try:
            _wait_until_up(process, log)
            yield Demo(port, environ)
        finally:
            process.terminate()
            process.wait(timeout=60)


def _ask_until(demo: Demo, operation: str, token: str, until: str | None) -> str:
    deadline = time.monotonic() + _DONE_WITHIN_SECONDS
    while True:
        answer = demo.shown(demo.ask(operation, token))
        if until is None or until in answer:
            return answer
        if time.monotonic() > deadline:
            raise TourError(f'no "{until}" within {_DONE_WITHIN_SECONDS:.0f} seconds in the answer to:\n{operation}')
        time.sleep(_LOOK_AGAIN_SECONDS)


def _wait_until_up(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _UP_WITHIN_SECONDS
    while _UP not in log.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise TourError(f"the demo did not come up:\n{log.read_text(errors='replace')}")
        time.sleep(_LOOK_AGAIN_SECONDS)


def _three_free_ports() -> int:
    """The first of three in a row: API, sandbox, mail relay."""
    while True:
        sockets = [socket.socket() for _ in range(3)]
        try:
            sockets[0].bind(("127.0.0.1", 0))
            first: int = sockets[0].getsockname()[1]
            for offset in (1, 2):
                sockets[offset].bind(("127.0.0.1", first + offset))
        except (OSError, OverflowError):
            continue
        finally:
            for each in sockets:
                each.close()
        return first


def main(arguments: list[str] | None = None) -> int:
    """Write the answers. With `--check`: return 1, and show the differences, when the page has others."""
    parser = argparse.ArgumentParser(prog="python -m docs.tour", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when an answer is another one")
    only_check: bool = parser.parse_args(arguments).check
    page = TOUR.read_text(encoding="utf-8")
    try:
        with fresh_demo() as demo:
            now = replay(page, demo)
    except TourError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if not only_check:
        TOUR.write_text(now, encoding="utf-8")
    elif now != page:
        lines = difflib.unified_diff(page.splitlines(), now.splitlines(), "the page", "this demo", lineterm="", n=3)
        sys.stderr.write("\n".join(lines) + "\ndocs/tutorial/tour.md: other answers; run `python -m docs.tour`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
