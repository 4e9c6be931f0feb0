"""Where the service may not write, its code is compiled before it starts, by the same command everywhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CONTAINERFILE = ROOT / "deploy" / "Containerfile"
API, WORKER = (ROOT / "deploy" / "systemd" / name for name in ("traverse-api.service", "traverse-worker@.service"))
_COMMAND = re.compile(r"python (-m compileall .+)")


def commands(path: Path) -> list[str]:
    return _COMMAND.findall(path.read_text())


def test_it_is_the_same_command_everywhere():
    assert len(commands(CONTAINERFILE)) == len(commands(WORKER)) == 1
    assert len(commands(API)) == 2
    assert len({*commands(CONTAINERFILE), *commands(WORKER), *commands(API)}) == 1


@pytest.mark.parametrize("path", [API, WORKER], ids=["api", "worker"])
def test_a_service_compiles_before_it_starts_and_starts_whatever_becomes_of_that(path: Path):
    lines = [line for line in path.read_text().splitlines() if line.startswith("Exec")]

    assert lines[0].startswith("ExecStartPre=-+/opt/traverse/.venv/bin/python -m compileall ")


def test_new_code_is_compiled_before_the_processes_are_replaced():
    compiling, replacing = (line for line in API.read_text().splitlines() if line.startswith("ExecReload="))

    assert "compileall" in compiling
    assert "kill -HUP" in replacing


def test_the_image_is_compiled_once_its_code_is_there_and_while_root_builds_it():
    text = CONTAINERFILE.read_text()

    assert text.index("COPY . .") < text.index("compileall") < text.index("USER traverse")


def test_the_command_compiles_what_runs_and_nothing_else(tmp_path: Path):
    for folder in ("services", "tests", ".venv/lib", "node_modules"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "code.py").write_text("ANSWER = 42\n")
    (tmp_path / "app.py").write_text("ANSWER = 42\n")
    command = [str(tmp_path) if word == "/opt/traverse" else word for word in shlex.split(commands(CONTAINERFILE)[0])]

    subprocess.run([sys.executable, *command], check=True)  # noqa: S603 (our own command)

    compiled = {path.parent.parent.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.pyc")}
    assert compiled == {".", "services"}
