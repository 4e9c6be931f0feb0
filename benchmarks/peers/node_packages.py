"""The Node.js servers' packages: installed on demand, exactly those of the lock file, without running their scripts.

Node.js 22 is one of them, for machines whose own is older or missing but for npm.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

FOLDER = Path(__file__).parent / "node"
_MODULES = FOLDER / "node_modules"
# Written when all is there: an installation that was interrupted is none.
_INSTALLED = _MODULES / ".installed-for"
_MINIMUM = 22
_INSTALL_SECONDS = 300.0
_ASK_SECONDS = 10.0
# npm exits with the words of the first problem, and then with where its log is.
_QUOTED_CHARACTERS = 200


class NodeAbsent(Exception):
    """The Node.js servers cannot run on this machine. `str()` says why, and what would help."""


async def install() -> Path:
    """Install what is not there yet, and return the program of Node.js. Raises NodeAbsent."""
    if _INSTALLED.exists() and _INSTALLED.read_text() == _wanted():
        return await _program()
    npm = shutil.which("npm")
    if npm is None:
        raise NodeAbsent("npm is not on this machine: install Node.js with npm to compare with its servers")
    process = await asyncio.create_subprocess_exec(
        *(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"),
        cwd=FOLDER,
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
        raise NodeAbsent(f"npm ci: not done after {_INSTALL_SECONDS:g} seconds") from None
    if process.returncode != 0:
        words = " ".join(said.decode(errors="replace").split())[:_QUOTED_CHARACTERS]
        raise NodeAbsent(f"npm ci: ended with {process.returncode}: {words}")
    program = await _program()
    _INSTALLED.write_text(_wanted())
    return program


def _wanted() -> str:
    return hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()


async def _program() -> Path:
    """The program among the packages, or the machine's own where there is no package for it."""
    for candidate in (*sorted(_MODULES.glob("node-*/bin/node")), shutil.which("node")):
        if candidate is not None and await _major(candidate) >= _MINIMUM:
            return Path(candidate)
    raise NodeAbsent(f"Node.js {_MINIMUM} or later is not on this machine, and has no package for it: install it")


async def _major(program: str | os.PathLike[str]) -> int:
    """The first number of its version; 0 for one that does not run here."""
    try:
        process = await asyncio.create_subprocess_exec(program, "--version", stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL)
        async with asyncio.timeout(_ASK_SECONDS):
            said, _ = await process.communicate()
    except (OSError, TimeoutError):
        return 0
    digits = said.decode(errors="replace").strip().removeprefix("v").partition(".")[0]
    return int(digits) if digits.isdecimal() else 0
