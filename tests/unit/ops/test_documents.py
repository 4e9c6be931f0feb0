"""`traverse operations`: what a build keeps, and what a check finds."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from execution.engine import GraphQLEngine
from execution.limits import Limits
from execution.trusted.folder import read_folder
from execution.trusted.manifest import read_manifest
from ops.documents import build_manifest, check_manifest
from schema.build import build_schema
from tests.unit.execution.shop import shop

EXAMPLE = Path(__file__).parents[3] / "examples" / "spa"
MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "operations"
    folder.mkdir()
    write(folder, chair="query Chair { item { name } }", sell="mutation Sell { sell }")
    return folder


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return tmp_path / "build" / "operations.json"


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.graphql").write_text(text)


def states(manifest: Path) -> list[tuple[str, date | None]]:
    return [(document.name, document.retired_on) for document in read_manifest(manifest)]


def test_a_build_again_changes_nothing(folder: Path, manifest: Path):
    first = build_manifest(folder, manifest, today=MONDAY)
    text = manifest.read_text()

    second = build_manifest(folder, manifest, today=TUESDAY)

    assert (first.added, second.added, second.retired) == (["Chair", "Sell"], [], [])
    assert manifest.read_text() == text


def test_what_front_ends_had_before_stays_and_is_retired_since_the_day_it_left(folder: Path, manifest: Path):
    build_manifest(folder, manifest, today=MONDAY)
    write(folder, chair="query Chair { item { name parts { name } } }")

    changed = build_manifest(folder, manifest, today=TUESDAY)
    build_manifest(folder, manifest, today=date(2026, 12, 1))

    assert (changed.added, changed.retired) == (["Chair"], ["Chair"])
    assert states(manifest) == [("Chair", TUESDAY), ("Chair", None), ("Sell", None)]


def test_an_operation_that_comes_back_is_in_use_again(folder: Path, manifest: Path):
    build_manifest(folder, manifest, today=MONDAY)
    (folder / "sell.graphql").unlink()
    build_manifest(folder, manifest, today=TUESDAY)
    write(folder, sell="mutation Sell { sell }")

    build_manifest(folder, manifest, today=TUESDAY)

    assert states(manifest) == [("Chair", None), ("Sell", None)]


def test_what_was_retired_long_ago_is_forgotten_on_demand(folder: Path, manifest: Path):
    build_manifest(folder, manifest, today=MONDAY)
    (folder / "sell.graphql").unlink()
    build_manifest(folder, manifest, today=MONDAY)

    kept = build_manifest(folder, manifest, today=TUESDAY, forget_before=MONDAY)
    forgotten = build_manifest(folder, manifest, today=TUESDAY, forget_before=TUESDAY)

    assert (kept.forgotten, forgotten.forgotten) == ([], ["Sell"])
    assert any("refused" in sentence for sentence in forgotten.sentences(manifest))
    assert states(manifest) == [("Chair", None)]


def test_a_check_finds_what_changed_in_the_folder_since_the_build(folder: Path, manifest: Path):
    build_manifest(folder, manifest, today=MONDAY)
    before = read_folder(folder)[0]
    write(folder, chair="query Chair { item { parts { name } } }")

    checked = check_manifest(folder, manifest, shop(), Limits())

    assert [problem.split(":")[0] for problem in checked.problems] == [
        "Chair",
        f"Chair ({before.hash[:12]})",
    ]


def test_a_check_finds_what_this_server_would_refuse_old_operations_included(folder: Path, manifest: Path):
    write(folder, old="query Old { drawer { name } }", dear="query Dear { shelves { parts { parts { name } } } }")
    build_manifest(folder, manifest, today=MONDAY)
    (folder / "old.graphql").unlink()
    build_manifest(folder, manifest, today=TUESDAY)
    strict = Limits(cost=1_000)

    checked = check_manifest(folder, manifest, shop(strict), strict)

    [dear, old] = checked.problems
    assert dear.startswith("Dear (")
    assert "costs" in dear
    assert old.startswith("Old (")
    assert "retired 2026-11-24" in old
    assert "drawer" in old
    assert {document.name for document in checked.documents if document.hash in checked.costs} == {"Chair", "Sell"}


def test_a_check_finds_what_is_gone_although_it_is_deployed(folder: Path, manifest: Path, tmp_path: Path):
    deployed = tmp_path / "deployed.json"
    build_manifest(folder, deployed, today=MONDAY)
    (folder / "sell.graphql").unlink()
    build_manifest(folder, manifest, today=TUESDAY)

    [problem] = check_manifest(folder, manifest, shop(), Limits(), deployed=deployed).problems

    assert problem.startswith("Sell (")
    assert "still open" in problem


def test_the_examples_manifest_is_what_its_folder_says_and_this_server_accepts_all_of_it():
    checked = check_manifest(
        EXAMPLE / "operations", EXAMPLE / "operations.json", GraphQLEngine(build_schema(), Limits()), Limits()
    )

    assert checked.problems == []
    assert len(checked.costs) == len(read_folder(EXAMPLE / "operations"))
