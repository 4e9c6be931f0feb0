"""The Node.js servers' packages: installed on demand, exactly those of the lock file, without running their scripts.

Node.js 22 is one of them, for machines whose own is older or missing but for npm.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TextIO

FOLDER = Path(__file__).parent / "node"
_MINIMUM = 22
_INSTALL_SECONDS = 300.0
_ASK_SECONDS = 10.0
_BETWEEN_TRIES_SECONDS = 0.1
# npm begins with the problem, and ends with where its log is.
_QUOTED_CHARACTERS = 200


class NodeAbsent(Exception):
    """The Node.js servers cannot run on this machine. `str()` says why, and what would help."""


async def install(folder: Path = FOLDER) -> Path:
    """Install what is not there yet, and return the program of Node.js. Raises NodeAbsent."""
    async with _alone(folder):
        if not _is_installed(folder):
            await _run_npm(folder)
            _marker(folder).write_text(_wanted(folder))
    return await _program(folder)


async def installed(folder: Path = FOLDER) -> Path:
    """Return the program of Node.js if everything is there already; nothing is fetched. Raises NodeAbsent."""
    if not _is_installed(folder):
        raise NodeAbsent("packages of Node.js: not installed; `python -m benchmarks throughput` installs them")
    return await _program(folder)


def _marker(folder: Path) -> Path:
    return folder / "node_modules" / ".installed-for"


def _wanted(folder: Path) -> str:
    return hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()


def _is_installed(folder: Path) -> bool:
    """The marker is written when all is there: an installation that was interrupted is none."""
    marker = _marker(folder)
    return marker.exists() and marker.read_text() == _wanted(folder)


@asynccontextmanager
async def _alone(folder: Path) -> AsyncGenerator[None, None]:
    """Let one process at a time install: npm begins by deleting what another may have half written."""
    with (folder / "package-lock.json").open() as lock:
        try:
            async with asyncio.timeout(_INSTALL_SECONDS):
                while not _taken(lock):  # noqa: ASYNC110 - another process lets it go
                    await asyncio.sleep(_BETWEEN_TRIES_SECONDS)
        except TimeoutError:
            raise NodeAbsent(f"packages of Node.js: another process is still installing them in {folder}") from None
        yield


def _taken(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _run_npm(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NodeAbsent("npm is not on this machine: install Node.js with npm to compare with its servers")
    process = await asyncio.create_subprocess_exec(
        # Without a network, the defaults would try for more than a minute.
        *(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"),
        cwd=folder,
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(_INSTALL_SECONDS):
            _, said = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise NodeAbsent(f"npm ci: not done after {_INSTALL_SECONDS:g} seconds; try it by hand in {folder}") from None
    if process.returncode != 0:
        words = " ".join(said.decode(errors="replace").split())[:_QUOTED_CHARACTERS]
        raise NodeAbsent(f"npm ci: ended with {process.returncode}, 0 expected: {words}")


async def _program(folder: Path) -> Path:
    """The first program that runs here and is new enough."""
    for candidate in _candidates(folder):
        if await _major(candidate) >= _MINIMUM:
            return candidate
    raise NodeAbsent(f"Node.js: {_MINIMUM} or later expected, neither on this machine nor packaged for it; install it")


def _candidates(folder: Path) -> list[Path]:
    """Those among the packages, and the machine's own: there is no package for every machine."""
    own = shutil.which("node")
    return [*sorted(folder.glob("node_modules/node-*/bin/node")), *([Path(own)] if own is not None else [])]


async def _major(program: Path) -> int:
    """The first number of its version; 0 for one that does not run here."""
    try:
        process = await asyncio.create_subprocess_exec(program, "--version", stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL)
        async with asyncio.timeout(_ASK_SECONDS):
            said, _ = await process.communicate()
    except (OSError, TimeoutError):
        return 0
    digits = said.decode(errors="replace").strip().removeprefix("v").partition(".")[0]
    return int(digits) if digits.isdecimal() else 0
