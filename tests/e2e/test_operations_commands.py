"""`traverse operations` as a process, and a server that is given what it wrote."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.test_cli import ROOT, traverse

pytestmark = pytest.mark.e2e

EXAMPLE = ROOT / "examples" / "spa"


def test_a_folder_is_built_checked_and_found_to_have_changed(tmp_path: Path):
    folder, manifest = tmp_path / "operations", tmp_path / "operations.json"
    shutil.copytree(EXAMPLE / "operations", folder)

    built = traverse("operations", "build", str(folder), "--manifest", str(manifest))
    checked = traverse("operations", "check", str(folder), "--manifest", str(manifest))
    (folder / "session.graphql").write_text("query Session { viewer { kind shoeSize } }")
    traverse("operations", "build", str(folder), "--manifest", str(manifest))
    torn = traverse("operations", "check", str(folder), "--manifest", str(manifest))

    assert (built.returncode, checked.returncode) == (0, 0), built.stderr + checked.stderr
    assert "Applications: added" in built.stdout
    assert "Departments" in checked.stdout
    assert torn.returncode == 1
    assert "shoeSize" in torn.stderr
    assert "Traceback" not in torn.stderr


def test_what_is_wrong_with_a_folder_is_told_with_its_place(tmp_path: Path):
    (tmp_path / "page.graphql").write_text("query Page {")

    ended = traverse("operations", "build", str(tmp_path), "--manifest", str(tmp_path / "operations.json"))

    assert ended.returncode == 1
    assert ended.stderr.startswith(f"{tmp_path}/page.graphql:1: ")
    assert not (tmp_path / "operations.json").exists()


def test_a_server_with_a_broken_manifest_does_not_start_and_says_so_in_a_sentence(tmp_path: Path):
    (tmp_path / "spa.json").write_text('{"format": "something else"}')

    ended = traverse("serve", GRAPHQL_TRUSTED_DOCUMENTS=str(tmp_path / "spa.json"))

    assert ended.returncode == 2
    assert ended.stderr.startswith(f"GRAPHQL_TRUSTED_DOCUMENTS: {tmp_path}/spa.json: ")
    assert ended.stderr.count("\n") == 1
