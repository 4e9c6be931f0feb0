"""What a process of the API does not carry: each of these costs every process memory, and every start time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What is here for other commands, for a setting that is off, or for a page that somebody has to open first.
ELSEWHERE = ["tortoise.migrations", "opentelemetry.sdk", "matplotlib", "jinja2", "ops.dashboard", "sandbox", "demo"]


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    code = "import sys, app, serving; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 (our own code)
    return set(run.stdout.split())


def test_the_list_is_that_of_the_process(loaded: set[str]):
    assert {"app", "serving", "tortoise", "strawberry", "schema.build"} <= loaded


@pytest.mark.parametrize("module", ELSEWHERE)
def test_an_api_process_starts_without(module: str, loaded: set[str]):
    assert module not in loaded
