"""Packages that find their names later name the same things, and what is left out stays out for that module alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

import lean_imports

ROOT = Path(__file__).parents[2]
# Of each package, its names with what they name. A function has a place; of anything else the type has to do.
_NAMES = """
import json, sys, types
from importlib import import_module

def told(value):
    if isinstance(value, types.ModuleType):
        return value.__name__
    return f"{type(value).__name__} {getattr(value, '__module__', '')} {getattr(value, '__qualname__', '')}"

def names_of(package, names):
    return {name: told(getattr(package, name)) for name in names if not name.startswith("__")}
"""
# Looking for changes of files is another thing without watchfiles; nothing here does so.
_OTHERS = {"uvicorn.supervisors": {"ChangeReload": "type uvicorn.supervisors.statreload StatReload"}}
_USUAL = """
packages = {name: import_module(name) for name in json.loads(sys.argv[1])}
print(json.dumps({name: names_of(package, sorted(vars(package))) for name, package in packages.items()}))
"""
_LEAN = """
import lean_imports
lean_imports.install()
expected = json.loads(sys.stdin.read())
print(json.dumps({name: names_of(import_module(name), names) for name, names in expected.items()}))
"""


def printed_by(code: str, *arguments: str, given: str = "") -> str:
    command = [sys.executable, "-c", code, *arguments]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, input=given)  # noqa: S603 (our own code)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def usual() -> dict[str, dict[str, str]]:
    return json.loads(printed_by(_NAMES + _USUAL, json.dumps(sorted(lean_imports.PACKAGES))))


def test_names_found_later_name_the_same_things(usual: dict[str, dict[str, str]]):
    found = cast("dict[str, dict[str, str]]", json.loads(printed_by(_NAMES + _LEAN, given=json.dumps(usual))))

    assert set(found) == lean_imports.PACKAGES
    for package, names in usual.items():
        assert len(names) > 1, package
        assert found[package] == names | _OTHERS.get(package, {})


@pytest.mark.parametrize(("module", "name"), [("logging.config", "dictConfig"), ("pydoc", "locate")])
def test_a_module_that_waits_runs_when_it_is_used(module: str, name: str):
    code = f"""
import sys, lean_imports
lean_imports.install()
import {module}
print(type(sys.modules["{module}"]).__name__)
print({module}.{name}.__module__, type(sys.modules["{module}"]).__name__)
"""

    assert module in lean_imports.LATER
    assert printed_by(code).splitlines() == ["_LazyModule", f"{module} module"]


@pytest.mark.parametrize(
    ("imported", "absent"),
    [
        ("redis.asyncio", "redis.cluster"),
        ("uvicorn.server, uvicorn.config", "click"),
        ("graphql", "graphql.utilities.find_schema_changes"),
        ("strawberry", "strawberry.federation"),
        ("structlog", "rich"),
        ("httpx", "httpx._main"),
    ],
)
def test_what_nobody_asks_for_is_not_imported(imported: str, absent: str):
    code = f"import sys, lean_imports; lean_imports.install(); import {imported}; print(*sys.modules)"

    modules = printed_by(code).split()

    assert imported.split(", ")[0] in modules
    assert absent not in modules


def test_what_a_module_does_without_is_there_for_others():
    code = """
import lean_imports
lean_imports.install()
import structlog, httpx
import rich.console, httpx._main
assert structlog.dev.rich is None
"""

    assert not printed_by(code)


def test_what_was_imported_before_is_still_there_afterwards():
    code = """
import sys
import rich
import lean_imports
lean_imports.install()
import structlog
assert sys.modules["rich"] is rich
"""

    assert not printed_by(code)


def test_a_function_keeps_its_name_when_its_module_is_imported():
    code = """
import lean_imports
lean_imports.install()
import graphql.utilities.build_client_schema, graphql.graphql
from graphql import graphql as execute, utilities
assert callable(utilities.build_client_schema) and callable(execute)
"""

    assert not printed_by(code)


def test_an_unknown_name_is_an_error_as_usual():
    code = """
import lean_imports
lean_imports.install()
import redis, strawberry
for package in redis, strawberry:
    try:
        package.nothing
    except AttributeError as error:
        print(error)
try:
    from redis import nothing
except ImportError as error:
    print(type(error).__name__)
"""

    assert printed_by(code).splitlines() == [
        "module 'redis' has no attribute 'nothing'",
        "module 'strawberry' has no attribute 'nothing'",
        "ImportError",
    ]


def test_to_install_it_again_changes_nothing():
    code = """
import sys
import lean_imports
lean_imports.install()
before = list(sys.meta_path)
lean_imports.install()
assert sys.meta_path == before
"""

    assert not printed_by(code)
