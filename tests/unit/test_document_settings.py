"""The settings of trusted documents, and what becomes of their manifests."""

from __future__ import annotations

from pathlib import Path

import pytest

from execution.trusted.documents import TrustedDocument
from execution.trusted.manifest import manifest_text
from settings import SettingsError, load_settings

ONE = TrustedDocument(name="One", kind="query", text="query One { departments { code } }")
OTHER = TrustedDocument(name="Other", kind="query", text="query Other { departments { name } }")


def manifest(folder: Path, name: str, *documents: TrustedDocument) -> str:
    path = folder / f"{name}.json"
    path.write_text(manifest_text(documents))
    return str(path)


def test_the_manifests_of_all_front_ends_are_known_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    paths = [manifest(tmp_path, "spa", ONE), manifest(tmp_path, "mobile", ONE, OTHER)]
    monkeypatch.setenv("GRAPHQL_TRUSTED_DOCUMENTS", ", ".join(paths))

    known = load_settings().trusted_documents()

    assert {document.name for document in known} == {"One", "Other"}


def test_without_a_manifest_nothing_is_trusted_and_nobody_is_held_to_it():
    settings = load_settings()

    assert len(settings.trusted_documents()) == 0
    assert settings.graphql_trusted_documents_only_for == ()


def test_a_file_that_is_no_manifest_stops_the_start_and_names_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "spa.json").write_text("{}")
    monkeypatch.setenv("GRAPHQL_TRUSTED_DOCUMENTS", str(tmp_path / "spa.json"))

    with pytest.raises(SettingsError, match=r"^GRAPHQL_TRUSTED_DOCUMENTS: .*spa\.json: "):
        load_settings().trusted_documents()


def test_a_kind_of_clients_that_there_is_not_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRAPHQL_TRUSTED_DOCUMENTS", manifest(tmp_path, "spa", ONE))
    monkeypatch.setenv("GRAPHQL_TRUSTED_DOCUMENTS_ONLY_FOR", "employer,employers")

    with pytest.raises(
        SettingsError, match=r'^GRAPHQL_TRUSTED_DOCUMENTS_ONLY_FOR: "employers": anonymous, .* or partner is expected'
    ):
        load_settings()


def test_nobody_is_held_to_an_empty_list(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRAPHQL_TRUSTED_DOCUMENTS_ONLY_FOR", "anonymous")

    with pytest.raises(SettingsError, match=r"^GRAPHQL_TRUSTED_DOCUMENTS: missing"):
        load_settings()
