"""What the check of pins refuses."""

from __future__ import annotations

from typing import Any

import pytest

from supply_chain.pins import (
    DEVELOPMENT,
    SERVER,
    Pin,
    is_accepted,
    problems_between,
    problems_of_installed,
    problems_of_licences,
    problems_of_pins,
    problems_of_project,
    read_pins,
)

HASH = f"--hash=sha256:{'a' * 64}"
PIN = Pin("some-thing", "1.2", None, 1)


def test_pins_are_read_with_their_markers_and_hashes():
    marked = "Some.Thing==1.2 ; python_full_version < '3.12'"
    text = f"# by uv\n{marked} \\\n    {HASH} \\\n    {HASH}\nplain==3 \\\n    {HASH}\n"

    thing, plain = read_pins(text)

    assert isinstance(thing, Pin)
    assert (thing.name, thing.version, thing.hashes) == ("some-thing", "1.2", 2)
    assert thing.marker is not None
    assert plain == Pin("plain", "3", None, 1)


@pytest.mark.parametrize(
    "line",
    [
        f"thing>=1.2 {HASH}",
        f"thing==1.* {HASH}",
        f"thing==1.2,!=1.3 {HASH}",
        f"thing {HASH}",
        "thing @ https://example.test/thing.whl",
        "git+https://example.test/thing.git",
        "-e .",
        "--extra-index-url https://example.test/simple",
        "./wheels/thing.whl",
        "thing==1.2",
        f"thing==1.2 --hash=sha256:{'a' * 63}",
        f"thing==1.2 --hash=md5:{'a' * 32}",
    ],
)
def test_what_is_no_exact_version_with_a_hash_is_refused(line: str):
    assert len(list(problems_of_pins(read_pins(line), "server.txt"))) == 1


def test_the_repositorys_own_files_hold_nothing_else():
    for file in (SERVER, DEVELOPMENT):
        pins = read_pins(file.read_text())
        assert len(pins) > 50
        assert list(problems_of_pins(pins, file.name)) == []


def test_another_version_in_tests_than_on_the_server_is_refused():
    assert list(problems_between([PIN], [PIN])) == []
    assert len(list(problems_between([PIN], [Pin("some-thing", "1.3", None, 1)]))) == 1


@pytest.mark.parametrize(
    ("wanted", "problems"), [("some_thing>=1", 0), ("some-thing==1.2", 0), ("some-thing>=2", 1), ("other", 1)]
)
def test_what_the_project_asks_for_must_be_pinned_as_it_accepts_it(wanted: str, problems: int):
    project: dict[str, Any] = {"project": {"dependencies": [wanted]}, "dependency-groups": {"dev": []}}

    assert len(list(problems_of_project(project, [PIN], []))) == problems


def test_what_is_installed_must_be_what_is_pinned():
    pins = [
        Pin("pytest", "0.1", None, 1),
        Pin("no-such-package", "1", None, 1),
        Pin("pytest", "0.1", "sys_platform == 'no'", 1),
    ]

    problems = list(problems_of_installed(pins))

    assert [problem.split(":")[0] for problem in problems] == ["pytest", "no-such-package"]


@pytest.mark.parametrize(
    "licence", ["MIT", "BSD-3-Clause", "Apache-2.0 AND MIT", "License :: OSI Approved :: ISC License"]
)
def test_licences_that_go_with_ours_are_accepted(licence: str):
    assert is_accepted(licence)


@pytest.mark.parametrize("licence", ["", "Proprietary", "SSPL-1.0", "BUSL-1.1", "License :: Other/Proprietary License"])
def test_licences_that_do_not_or_that_nobody_knows_are_refused(licence: str):
    assert not is_accepted(licence)


def test_every_package_of_the_server_has_a_licence_that_goes_with_ours():
    assert list(problems_of_licences(read_pins(SERVER.read_text()))) == []
