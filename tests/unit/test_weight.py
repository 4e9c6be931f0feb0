"""What the processes of `traverse serve` do not carry: each of these costs every one memory, and every start time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What is here for other commands, for a setting that is off, or for a page that somebody has to open first.
ELSEWHERE = [
    *(
        "tortoise.migrations",
        "opentelemetry.sdk",
        "matplotlib",
        "jinja2",
        "ops.dashboard",
        "sandbox",
        "demo.cast.people",
    ),
    *("commands", "typer", "click", "rich", "pygments", "redis.cluster", "strawberry.federation", "watchfiles"),
    *("graphql.utilities.find_schema_changes", "redis.sentinel", "aiosmtplib", "email.headerregistry"),
    *("pydantic", "supervising", "multiprocessing", "python_multipart", "arq.worker"),
    *("logging.config", "logging.handlers", "pydoc"),
    *("services.webhooks.engine", "services.privacy.retention", "clients.mail_client"),
]
# The parent of several processes watches them, and answers nothing itself.
OF_THOSE_WHO_ANSWER = [
    "connections",
    "websockets",
    "graphql",
    "strawberry",
    "asyncpg",
    "httpx",
    "redis",
    "wiring",
    "typer",
    "demo.cast.people",
]


def loaded_by(modules: str) -> set[str]:
    # A module that waits for its first use has not run.
    ran = "(name for name, module in [*sys.modules.items()] if type(module).__name__ != '_LazyModule')"
    code = f"import sys, {modules}; print(*{ran})"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 (our own code)
    return set(run.stdout.split())


@pytest.fixture(scope="module")
def process() -> set[str]:
    return loaded_by("cli, serve_command, serving, connections, app")


@pytest.fixture(scope="module")
def parent() -> set[str]:
    return loaded_by("cli, serve_command, serving")


def test_the_lists_are_those_of_the_processes(process: set[str], parent: set[str]):
    assert {"app", "serving", *OF_THOSE_WHO_ANSWER[:-2]} <= process
    assert {"cli", "serving", "settings"} <= parent


@pytest.mark.parametrize("module", ELSEWHERE)
def test_an_api_process_starts_without(module: str, process: set[str]):
    assert module not in process


@pytest.mark.parametrize("module", OF_THOSE_WHO_ANSWER)
def test_the_parent_of_several_starts_without(module: str, parent: set[str]):
    assert module not in parent
