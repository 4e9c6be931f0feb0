"""How the Node.js peers of `make bench` come to their packages, with an npm that notes that it was asked."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks.peers.node_packages import NodeAbsent, install, installed


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which programs are looked for, beside the shell's own."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "packages"
    folder.mkdir()
    (folder / "package-lock.json").write_text("{}")
    return folder


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{text}\n")
    path.chmod(0o755)


def write_npm(programs: Path, *, version: str = "v22.23.3") -> None:
    """An npm whose packages hold a Node.js of this version."""
    write_program(
        programs / "npm",
        f"""echo "$@" >> asked
mkdir -p node_modules/node-any/bin
printf '#!/bin/sh\\necho {version}\\n' > node_modules/node-any/bin/node
chmod +x node_modules/node-any/bin/node""",
    )


def times_asked(packages: Path) -> int:
    return len((packages / "asked").read_text().splitlines())


async def test_packages_are_installed_once_and_run_no_scripts_of_theirs(programs: Path, packages: Path):
    write_npm(programs)

    first = await install(packages)
    second = await install(packages)

    assert first == second == packages / "node_modules/node-any/bin/node"
    assert times_asked(packages) == 1
    assert (packages / "asked").read_text().startswith("ci --ignore-scripts")


async def test_another_lock_file_is_installed_anew(programs: Path, packages: Path):
    write_npm(programs)
    await install(packages)
    (packages / "package-lock.json").write_text('{"lockfileVersion": 3}')

    await install(packages)

    assert times_asked(packages) == 2


async def test_two_who_want_the_packages_at_once_install_them_once(programs: Path, packages: Path):
    write_npm(programs)

    await asyncio.gather(install(packages), install(packages))

    assert times_asked(packages) == 1


async def test_an_installation_that_failed_says_why_and_is_tried_again(programs: Path, packages: Path):
    write_program(programs / "npm", "mkdir -p node_modules; echo 'npm error code ENOTFOUND' >&2; exit 7")

    with pytest.raises(NodeAbsent, match=r"npm ci: ended with 7, 0 expected: npm error code ENOTFOUND"):
        await install(packages)

    write_npm(programs)
    assert (await install(packages)).name == "node"


@pytest.mark.usefixtures("programs")
async def test_a_machine_without_npm_is_told_what_to_install(packages: Path):
    with pytest.raises(NodeAbsent, match="npm is not on this machine: install"):
        await install(packages)


async def test_the_machines_own_node_serves_where_it_is_new_enough(programs: Path, packages: Path):
    write_npm(programs, version="of another machine")
    write_program(programs / "node", "echo v24.1.0")

    assert await install(packages) == programs / "node"


async def test_an_old_node_is_refused(programs: Path, packages: Path):
    write_npm(programs, version="v20.20.2")

    with pytest.raises(NodeAbsent, match="22 or later expected"):
        await install(packages)


async def test_who_may_not_install_is_told_what_would(programs: Path, packages: Path):
    write_npm(programs)

    with pytest.raises(NodeAbsent, match="python -m benchmarks throughput"):
        await installed(packages)

    assert not (packages / "asked").exists()


async def test_who_may_not_install_uses_what_is_there(programs: Path, packages: Path):
    write_npm(programs)
    await install(packages)

    program = await installed(packages)

    assert program == packages / "node_modules/node-any/bin/node"
    assert times_asked(packages) == 1
