"""What the scan finds, what it does not read twice, and that a review is written down."""

from __future__ import annotations

import json
import secrets as random_secrets
from pathlib import Path

import pytest

from supply_chain import secrets
from supply_chain.secrets import REVIEWED, Finding, find, problems_of


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for the scan's memory, so that a test disturbs no other run."""
    monkeypatch.setattr(secrets, "ROOT", tmp_path)
    monkeypatch.setattr(secrets, "SEEN", tmp_path / ".traverse" / "seen.json")
    return tmp_path


def write(repository: Path, text: str) -> Path:
    file = repository / "settings.txt"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        # Put together here: the scan of this very file should find none of them.
        (lambda: "key = 'AKIA" + "Q3EXAMPLEZ7WTRKX'", "AWS Access Key"),
        (lambda: "-----BEGIN " + "RSA PRIVATE KEY-----", "Private Key"),
        (lambda: "postgresql://traverse:" + "hunter2" + "@db/traverse", "Basic Auth Credentials"),
        (lambda: "token = 'ghp_" + "a1B2" * 9 + "'", "GitHub Token"),
        (lambda: f"key = '{random_secrets.token_hex(32)}'", "Hex High Entropy String"),
        (lambda: f"key = '{random_secrets.token_urlsafe(48)}'", "Base64 High Entropy String"),
    ],
)
def test_what_looks_like_a_secret_is_found(repository: Path, made: object, kind: str):
    assert callable(made)
    file = write(repository, f"{made()}\n")

    found = find([file], seen={})

    assert {(one.file, one.kind) for one in found} == {("settings.txt", kind)}


def test_what_was_clean_is_read_again_once_it_changed(repository: Path):
    file = write(repository, "nothing to see\n")
    assert find([file], seen={}) == set()
    seen = json.loads(secrets.SEEN.read_text())

    unchanged = find([file], seen=seen)
    write(repository, f"key = '{random_secrets.token_hex(32)}'\n")
    changed = find([file], seen=seen)

    assert (len(unchanged), len(changed)) == (0, 1)
    assert json.loads(secrets.SEEN.read_text())["clean"] == []


def test_what_was_looked_at_needs_a_reason_and_goes_when_it_is_gone():
    found = Finding("a.py", "Private Key", "hash")

    assert len(problems_of([found], [])) == 1
    assert len(problems_of([found], [("a.py", "Private Key", "hash", " ")])) == 1
    assert problems_of([found], [("a.py", "Private Key", "hash", "invented")]) == []
    assert "not there any more" in problems_of([], [("a.py", "Private Key", "hash", "invented")])[0]


def test_the_review_holds_hashes_and_reasons_alone():
    entries = json.loads(REVIEWED.read_text())

    assert entries
    assert all(set(entry) == {"file", "kind", "hash", "reason"} and entry["reason"] for entry in entries)
